//! What is known of one crate without looking at any other, and the file that keeps it.
//!
//! It is made where the crate is compiled, beside the compiler, and holds until cargo has the crate compiled
//! again: only crates that changed, and those that depend on them, are read anew.
//!
//! The file begins with a line that says which version wrote it and what the bytes behind it come to, so that
//! what is cut off, or was written by another version, is never taken for a crate.

use std::collections::HashSet;
use std::hash::Hasher as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustc_hash::FxHasher;
use serde::{Deserialize, Serialize};

use super::conditions::Conditions;
use super::mir::{Lowered, Reader};
use super::source::Sources;

/// How crates are kept. To be counted up with whatever is changed in what is read of a crate, and in how: cargo
/// has all crates compiled again for another one.
pub const FORMAT: &str = concat!(env!("CARGO_PKG_VERSION"), "-6");

/// What a file begins with.
const MAGIC: &str = "lockwise crate";

/// Which crate is compiled, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// The crate's name.
    pub name: String,
    /// Its root file, as cargo names it.
    pub root: PathBuf,
    /// What is set for `#[cfg(…)]`, if that is known.
    pub conditions: Option<Vec<String>>,
}

/// One crate, as the compiler printed it and as its sources are.
#[derive(Debug, Serialize, Deserialize)]
pub struct Printed {
    /// The crate's name.
    pub(crate) name: String,
    /// Its root file, relative to the workspace.
    pub(crate) root: PathBuf,
    /// Whether it is the crate as its tests see it.
    pub(crate) is_test: bool,
    /// What stands at its root.
    pub(crate) own: HashSet<String>,
    /// What the compiler's text leaves out.
    pub(crate) sources: Sources,
    /// Its functions.
    pub(crate) code: Lowered,
}

/// What a crate declares.
#[derive(Debug, Default)]
pub(crate) struct Declared {
    own: HashSet<String>,
    sources: Sources,
}

/// Reads the sources of a crate; its root is relative to `folder`.
pub(crate) fn declared(folder: &Path, heading: &Heading) -> Declared {
    let mut sources = Sources::at(folder);
    let conditions = Conditions::of(heading.conditions.as_deref());
    let own = sources.read_crate(&heading.name, &heading.root, conditions);
    Declared { own, sources }
}

/// Why the file of a crate cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrintedError {
    /// It begins otherwise.
    #[error("it was not written by this version")]
    Version,
    /// Its bytes are not those that were written.
    #[error("it is damaged")]
    Damaged,
}

impl Printed {
    /// Puts together what was read of a crate.
    pub(crate) fn new(heading: &Heading, declared: Declared, read: Reader) -> Printed {
        let set = heading.conditions.iter().flatten();
        Printed {
            name: heading.name.clone(),
            root: heading.root.clone(),
            is_test: set.into_iter().any(|one| one == "test"),
            own: declared.own,
            sources: declared.sources,
            code: read.lowered(),
        }
    }

    /// Writes it down.
    ///
    /// # Errors
    ///
    /// If `out` cannot be written.
    pub(crate) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let bytes = postcard::to_allocvec(self).map_err(io::Error::other)?;
        writeln!(out, "{}", first_line(&bytes))?;
        out.write_all(&bytes)
    }

    /// Reads what [`Printed::write`] wrote.
    ///
    /// # Errors
    ///
    /// [`PrintedError`] if it is anything else.
    pub fn parse(file: &[u8]) -> Result<Printed, PrintedError> {
        let end = file.iter().position(|byte| *byte == b'\n');
        let (line, bytes) = file.split_at(end.ok_or(PrintedError::Version)?);
        let bytes = &bytes[1..];
        let version = format!("{MAGIC} {FORMAT} ");
        if !line.starts_with(version.as_bytes()) {
            return Err(PrintedError::Version);
        }
        if line != first_line(bytes).as_bytes() {
            return Err(PrintedError::Damaged);
        }
        postcard::from_bytes(bytes).map_err(|_| PrintedError::Damaged)
    }
}

fn first_line(bytes: &[u8]) -> String {
    let mut sum = FxHasher::default();
    sum.write(bytes);
    format!("{MAGIC} {FORMAT} {:016x}", sum.finish())
}

#[cfg(test)]
mod tests;
