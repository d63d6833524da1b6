//! The readers of all formats, as [`super::load`] is given them.

use std::io::BufRead;
use std::path::Path;

use super::bulk::Consumer;
use crate::limits::Limits;
use crate::trace::Evidence;

/// What a reader returns.
pub type ReadResult = Result<Evidence, Box<dyn std::error::Error + Send + Sync>>;

/// How each kind of input is known and read.
#[derive(Debug, Clone, Copy)]
pub struct Readers {
    /// Whether a file that starts with these bytes is one of our logs.
    pub is_log: fn(&[u8]) -> bool,
    /// Reads one of our logs, all of its bytes.
    pub log: fn(&Path, &[u8], &Limits, &mut dyn Consumer) -> ReadResult,
    /// Whether a file that starts with these bytes is a packed trace.
    pub is_packed: fn(&[u8]) -> bool,
    /// Reads a packed trace, as a run with this label.
    pub packed: fn(&str, &mut dyn BufRead, &Limits, &mut dyn Consumer) -> ReadResult,
    /// Reads STD text, as a run with this label.
    pub std_text: fn(&str, &mut dyn BufRead, &Limits, &mut dyn Consumer) -> ReadResult,
}
