//! Places in the source, and the source text that a report shows there.
//!
//! A site is text, `path:line:col` or whatever a text trace calls a location. Only Rust files of
//! bearable size are opened, whatever a trace names: a report must not print other files, wait for
//! a pipe, or read a device. What it cannot see: that a file was edited since the run.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The largest source file read, in bytes; generated files can be longer, and nobody reads those.
const SOURCE_MAX: u64 = 8 << 20;

/// Where the sources lie.
#[derive(Debug, Clone)]
pub struct Sources {
    /// The folder that relative paths start from: the workspace.
    root: PathBuf,
}

/// A site, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The file, as the site names it.
    pub(super) path: String,
    /// The line, from 1.
    pub(super) line: usize,
    /// The column in characters, from 1.
    pub(super) column: usize,
}

impl Place {
    /// Takes `path:line:col` apart; `None` if the text is not of that form.
    pub(super) fn parse(site: &str) -> Option<Place> {
        let (rest, column) = site.rsplit_once(':')?;
        let (path, line) = rest.rsplit_once(':')?;
        let place = Place {
            path: path.to_owned(),
            line: line.parse().ok()?,
            column: column.parse().ok()?,
        };
        (!path.is_empty() && place.line > 0 && place.column > 0).then_some(place)
    }

    /// Finds the call at this place in `source`: the name there, and its parentheses if they are
    /// empty, in bytes. `None` if the source has no such place, because it is not what was compiled.
    pub(super) fn find(&self, source: &str) -> Option<Range<usize>> {
        let mut start = 0;
        let mut lines = source.split_inclusive('\n');
        for _ in 1..self.line {
            start += lines.next()?.len();
        }
        let line = lines.next()?.trim_end_matches(['\n', '\r']);
        let (offset, _) = line.char_indices().nth(self.column - 1)?;
        let tail = &line[offset..];
        let name = tail
            .find(|letter: char| !(letter.is_alphanumeric() || letter == '_'))
            .unwrap_or(tail.len());
        let mut length = name;
        for suffix in ["!", "()"] {
            if tail[length..].starts_with(suffix) && name > 0 {
                length += suffix.len();
            }
        }
        if length == 0 {
            length = tail.chars().next().map_or(0, char::len_utf8);
        }
        Some(start + offset..start + offset + length)
    }
}

impl Sources {
    /// Sources whose relative paths start at `root`.
    pub fn at(root: impl Into<PathBuf>) -> Sources {
        Sources { root: root.into() }
    }

    /// Where a source file lies.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// The text of a source file; `None` if it cannot be read, or should not be.
    pub(super) fn read(&self, path: &str) -> Option<String> {
        let path = Path::new(path);
        if path.extension()? != "rs" {
            return None;
        }
        let path = self.root.join(path);
        let meta = fs::metadata(&path).ok()?;
        if !meta.is_file() || meta.len() > SOURCE_MAX {
            return None;
        }
        fs::read_to_string(&path).ok()
    }
}
