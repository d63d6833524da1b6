//! `impl` blocks that a macro makes. No parser has read them, so their heads are read from the text: what the
//! macro was given stands there as `$name`.

use crate::code::text::{closing, find_outside};

/// The head of an `impl` block, as it is written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header<'t> {
    /// The trait, if it is of one.
    pub(super) of: Option<&'t str>,
    /// The type.
    pub(super) on: &'t str,
}

/// Whether something was written by the macro itself.
pub(super) fn is_told(written: &str) -> bool {
    !written.contains('$')
}

/// The head of the `impl` block that begins at a place in a file, both counted from 1.
pub(super) fn header(text: &str, line: u32, column: u32) -> Option<Header<'_>> {
    let start: usize = text
        .split_inclusive('\n')
        .take(line.checked_sub(1)? as usize)
        .map(str::len)
        .sum();
    let rest = text.get(start + column.checked_sub(1)? as usize..)?;
    let rest = rest.strip_prefix("unsafe").unwrap_or(rest).trim_start();
    let mut rest = rest.strip_prefix("impl")?.trim_start();
    if rest.starts_with('<') {
        rest = &rest[closing(rest, 0)? + 1..];
    }
    let is_word = |bytes: &[u8], at: usize, word: &str| {
        let is_space = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_whitespace);
        bytes[at..].starts_with(word.as_bytes()) && is_space(at - 1) && is_space(at + word.len())
    };
    let end = find_outside(rest, 0, |bytes, at| {
        bytes[at] == b'{' || at > 0 && is_word(bytes, at, "where")
    })?;
    let head = rest[..end].trim();
    let between = find_outside(head, 0, |bytes, at| at > 0 && is_word(bytes, at, "for"));
    let header = match between {
        Some(at) => Header {
            of: Some(head[..at].trim()),
            on: head[at + 3..].trim(),
        },
        None => Header { of: None, on: head },
    };
    (!header.on.is_empty()).then_some(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_a_block_is_read_where_it_begins() {
        let text = "macro_rules! m {\n    ($a:ident) => {\n        impl<T: Into<u8>> Run<T> for $a<T>\n        where T: Send {}\n        unsafe impl Free for Other {}\n        impl $a {}\n    };\n}\n";
        let read = |line, column| header(text, line, column).map(|head| (head.of, head.on));
        assert_eq!(read(3, 9), Some((Some("Run<T>"), "$a<T>")));
        assert_eq!(read(5, 9), Some((Some("Free"), "Other")));
        assert_eq!(read(6, 9), Some((None, "$a")));
        for (line, column) in [(0, 1), (1, 1), (3, 10), (7, 400), (100, 1)] {
            assert_eq!(read(line, column), None, "{line}:{column}");
        }
    }

    #[test]
    fn a_name_that_only_looks_like_a_word_is_no_end() {
        let head = header("impl Format for Wherever {", 1, 1);
        assert_eq!(head.map(|head| head.on), Some("Wherever"));
    }
}
