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
        if rest.starts_with("<impl ") {
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

/// The last part of a path.
pub(crate) fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

#[cfg(test)]
mod tests;
