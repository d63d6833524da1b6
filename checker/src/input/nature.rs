//! What a file is, by its first bytes and its name.

use std::path::Path;

use super::readers::Readers;

/// The extension of our own logs.
pub(super) const LOG: &str = "lwlog";

/// The extension of STD text.
pub(super) const STD: &str = "std";

/// The extension of packed traces that is told from others' files by its name.
pub(super) const PACKED: &str = "ltb";

/// The name of standard input among paths.
pub(super) const STANDARD_INPUT: &str = "standard input";

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    Log,
    Packed,
    Text,
    Foreign,
}

impl Nature {
    /// What a file is that is called so, uncompressed, and starts with these bytes.
    pub(super) fn of(name: &Path, head: &[u8], readers: &Readers) -> Nature {
        if (readers.is_log)(head) {
            Nature::Log
        } else if (readers.is_packed)(head) {
            Nature::Packed
        } else if !has_extension(name, LOG)
            && is_text(head)
            && (has_extension(name, STD)
                || name.as_os_str() == STANDARD_INPUT
                || looks_like_std(head))
        {
            Nature::Text
        } else {
            Nature::Foreign
        }
    }

    /// The most bytes that an event takes as a rule: a longer file has at least so many events.
    pub(super) fn event_bytes(self) -> u64 {
        match self {
            // Records of our logs have seldom more, words of packed traces have just as many.
            Nature::Log | Nature::Packed => 8,
            // A line with short names.
            Nature::Text | Nature::Foreign => 16,
        }
    }
}

pub(super) fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension()
        .is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

/// Whether the start of a file is text; a letter may be cut at its end. What a crash has left of a text may
/// be zeros behind a line.
fn is_text(head: &[u8]) -> bool {
    let text = head.split(|&byte| byte == 0).next().unwrap_or_default();
    if text.len() < head.len() && !text.contains(&b'\n') {
        return false;
    }
    match std::str::from_utf8(text) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && error.valid_up_to() > 0,
    }
}

/// Whether the first line that is no comment has the form `THREAD|OP|LOCATION`.
fn looks_like_std(head: &[u8]) -> bool {
    String::from_utf8_lossy(head)
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'))
        .is_none_or(|line| line.matches('|').count() >= 1)
}
