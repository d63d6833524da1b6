//! Type names as people write them: without the modules, and not too long.

/// The longest name that stands in a label, in characters.
const LEN_MAX: usize = 40;

/// `Vec<u64>` for `alloc::vec::Vec<u64>`; what a long generic type is made of is left out.
pub(super) fn short(name: &str) -> String {
    let name = without_modules(name);
    if name.chars().count() <= LEN_MAX {
        return name;
    }
    match name.split_once('<') {
        Some((outer, _)) if !outer.is_empty() && outer.chars().count() < LEN_MAX => {
            format!("{outer}<…>")
        }
        _ => {
            let start: String = name.chars().take(LEN_MAX - 1).collect();
            format!("{start}…")
        }
    }
}

/// Drops each identifier before a `::`.
fn without_modules(name: &str) -> String {
    let mut short = String::new();
    // Where the identifier starts that is being read.
    let mut start = 0;
    let mut rest = name;
    while let Some(letter) = rest.chars().next() {
        match rest.strip_prefix("::") {
            Some(after) if start < short.len() => {
                short.truncate(start);
                rest = after;
            }
            _ => {
                rest = &rest[letter.len_utf8()..];
                short.push(letter);
                if !(letter.is_alphanumeric() || letter == '_') {
                    start = short.len();
                }
            }
        }
    }
    short
}

#[cfg(test)]
mod tests;
