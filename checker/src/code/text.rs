//! Cutting the compiler's text: types and paths with nested brackets.
//!
//! `->` is no closing bracket, and a quoted bracket is none at all.

/// How a character changes the depth of nesting at `at`.
fn bracket(bytes: &[u8], at: usize) -> i32 {
    match bytes[at] {
        b'(' | b'[' | b'{' | b'<' => 1,
        // An arrow.
        b'>' if at > 0 && matches!(bytes[at - 1], b'-' | b'=') => 0,
        b')' | b']' | b'}' | b'>' => -1,
        _ => 0,
    }
}

/// Where a quoted part that begins at `at` ends, or `at` if none begins there.
fn quoted(bytes: &[u8], at: usize) -> usize {
    match bytes[at] {
        b'"' => {
            let mut end = at + 1;
            while end < bytes.len() && bytes[end] != b'"' {
                end += if bytes[end] == b'\\' { 2 } else { 1 };
            }
            end.min(bytes.len() - 1)
        }
        // A character, not a lifetime.
        b'\'' if bytes.get(at + 1) == Some(&b'\\') => {
            let rest = &bytes[at + 2..];
            rest.iter()
                .skip(1)
                .position(|&byte| byte == b'\'')
                .map_or(at, |end| at + 3 + end)
        }
        b'\'' if bytes.get(at + 2) == Some(&b'\'') => at + 2,
        _ => at,
    }
}

/// The first position from `from` on where `found` holds outside all brackets and quotes.
pub(crate) fn find_outside(
    text: &str,
    from: usize,
    found: impl Fn(&[u8], usize) -> bool,
) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0;
    let mut at = from;
    while at < bytes.len() {
        let end = quoted(bytes, at);
        if end > at {
            at = end + 1;
            continue;
        }
        if depth == 0 && found(bytes, at) {
            return Some(at);
        }
        depth += bracket(bytes, at);
        at += 1;
    }
    None
}

/// The position of the bracket that closes the one at `open`.
pub(crate) fn closing(text: &str, open: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0;
    let mut at = open;
    while at < bytes.len() {
        let end = quoted(bytes, at);
        if end > at {
            at = end + 1;
            continue;
        }
        depth += bracket(bytes, at);
        if depth == 0 {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// The parts between commas that stand in no bracket.
pub(crate) fn split_commas(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut from = 0;
    while let Some(at) = find_outside(text, from, |bytes, at| bytes[at] == b',') {
        parts.push(text[from..at].trim());
        from = at + 1;
    }
    let last = text[from..].trim();
    if !last.is_empty() {
        parts.push(last);
    }
    parts
}

/// A path without its generic arguments: `a::B::<T>::c::<U>` is `a::B::c`.
pub(crate) fn without_generics(path: &str) -> String {
    let mut kept = String::with_capacity(path.len());
    let mut at = 0;
    while at < path.len() {
        let rest = &path[at..];
        if is_impl_part(path, at) {
            // Part of the path itself.
            let end = closing(path, at).unwrap_or(path.len() - 1);
            kept.push_str(&path[at..=end]);
            at = end + 1;
        } else if rest.starts_with('<') {
            at = closing(path, at).map_or(path.len(), |end| end + 1);
            if kept.ends_with("::") {
                kept.truncate(kept.len() - 2);
            }
        } else {
            let next = rest.chars().next().map_or(1, char::len_utf8);
            kept.push_str(&rest[..next]);
            at += next;
        }
    }
    kept
}

/// Whether the brackets at `at` stand for an `impl` block, as in `core::slice::<impl [T]>::len` or
/// `<impl at src/a.rs:4:1: 4:9>::f`, and not for the argument of a type or function: `Box::<impl Fn()>::new`.
pub(crate) fn is_impl_part(path: &str, at: usize) -> bool {
    if !path[at..].starts_with("<impl ") {
        return false;
    }
    let before = last(path[..at].trim_end_matches("::"));
    let goes_on = closing(path, at).is_some_and(|end| path[end + 1..].starts_with("::"));
    goes_on && !before.starts_with(|first: char| first.is_ascii_uppercase())
}

/// A type without the references and pointers around it, and how many there were.
pub(crate) fn behind_references(text: &str) -> (&str, u32) {
    let mut text = text.trim();
    let mut count = 0;
    loop {
        if let Some(rest) = text.strip_prefix('&') {
            text = rest.trim_start();
            if text.starts_with('\'') {
                text = text.split_once(' ').map_or("", |(_, rest)| rest);
            }
            text = text.strip_prefix("mut ").unwrap_or(text);
        } else if let Some(rest) = text
            .strip_prefix("*const ")
            .or_else(|| text.strip_prefix("*mut "))
        {
            text = rest;
        } else {
            return (text, count);
        }
        count += 1;
    }
}

/// Whether a type is `&mut T` or `&'a mut T`.
pub(crate) fn is_exclusive_reference(of: &str) -> bool {
    let Some(rest) = of.strip_prefix('&') else {
        return false;
    };
    let rest = match rest.strip_prefix('\'') {
        Some(rest) => rest.split_once(' ').map_or("", |(_, rest)| rest),
        None => rest,
    };
    rest.starts_with("mut ")
}

/// Whether a type, as it is written in the source, is `&T` or `&'a T`.
pub(crate) fn is_shared_reference(of: &str) -> bool {
    of.starts_with('&') && !is_exclusive_reference(&of.replace("& ", "&"))
}

/// The path at the head of a type and its generic arguments.
pub(crate) fn head(text: &str) -> (&str, Vec<&str>) {
    let Some(open) = text.find('<').filter(|&at| at > 0) else {
        return (text, Vec::new());
    };
    let end = closing(text, open).unwrap_or(text.len() - 1);
    (
        text[..open].trim_end_matches("::"),
        split_commas(&text[open + 1..end]),
    )
}

/// The type of a function value that does not say which function it is: `Fn(u32) -> u32` of
/// `std::boxed::Box<dyn for<'a> std::ops::Fn(u32) -> u32 + std::marker::Send>`, or `fn(u32)`. Lifetimes are
/// left out.
pub(crate) fn function_type(text: &str) -> Option<String> {
    let mut from = 0;
    while let Some(at) = text[from..].find("dyn ").map(|at| from + at) {
        from = at + "dyn ".len();
        let mut rest = &text[from..];
        if rest.starts_with("for<") {
            rest = rest[closing(rest, 3)? + 1..].trim_start();
        }
        let open = rest.find('(')?;
        let name = last(&rest[..open]);
        if matches!(name, "Fn" | "FnMut" | "FnOnce") {
            let from = open - name.len();
            let end = find_outside(&rest[from..], 0, |bytes, at| {
                bytes[at] == b','
                    || bytes[at] == b'>' && bytes[at - 1] != b'-'
                    || bytes[at..].starts_with(b" + ")
            });
            let end = end.map_or(rest.len(), |end| from + end);
            return Some(without_lifetimes(&rest[from..end]));
        }
    }
    let at = text.find("fn(").filter(|_| !text.contains('{'))?;
    let end = find_outside(text, at, |bytes, at| {
        bytes[at] == b',' || bytes[at] == b'>' && bytes[at - 1] != b'-'
    });
    Some(without_lifetimes(&text[at..end.unwrap_or(text.len())]))
}

/// `&'a str` as `&str`.
fn without_lifetimes(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\'') {
        kept.push_str(&rest[..at]);
        let name = rest[at + 1..].trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
        rest = name.strip_prefix(' ').unwrap_or(name);
    }
    kept.push_str(rest);
    kept
}

/// The last part of a path.
pub(crate) fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

/// Whether a type is of the language itself, and in no crate.
pub(crate) fn is_primitive(name: &str) -> bool {
    matches!(
        name,
        "bool"
            | "char"
            | "str"
            | "f32"
            | "f64"
            | "u8"
            | "u16"
            | "u32"
            | "u64"
            | "u128"
            | "usize"
            | "i8"
            | "i16"
            | "i32"
            | "i64"
            | "i128"
            | "isize"
    )
}

/// The paths of a text, `std::io::Error` or only `Error`.
pub(crate) fn paths(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | ':')))
        .map(|path| path.trim_matches(':'))
        .filter(|path| !path.is_empty())
}

/// The words of a text.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests;
