//! Finds the logs among what the user named, and reads each as what it is.
//!
//! A file is known by its first bytes, then by its name: our own log and packed traces by their
//! headers, STD text by being text. What is none of these is refused after one look at its start,
//! however long it is. What is compressed is taken for what is in it. A folder is searched with all
//! its subfolders; files in it that are foreign are left alone and counted.
//!
//! One bad input never hides the others: what is intact is read, and the rest comes back as errors.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::compressed::{self, Compression};
use super::mapped::Mapped;
use super::meter::{Meter, Seen};
use super::{blocked, copies};
use crate::trace::Evidence;

/// How much of a file decides what it is, in bytes.
const HEAD: usize = 8 << 10;

/// How many foreign files of a folder are named; the rest is counted.
const FOREIGN_NAMED: usize = 3;

/// How much of a file is read at once, in bytes.
const BUFFER: usize = 256 << 10;

/// The extension of our own logs.
const LOG: &str = "lwlog";

/// The extension of STD text.
const STD: &str = "std";

/// The extension of packed traces that is told from others' files by its name.
const PACKED: &str = "ltb";

/// The input that stands for standard input.
const STDIN: &str = "-";

/// What a reader returns when it refuses. What it could read is in the evidence all the same.
pub type ReadResult = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// An input, as it may be read once more.
#[derive(Clone, Copy)]
pub struct Again<'a> {
    /// Opens it from its start; `None` if it cannot be read twice.
    pub open: &'a dyn Fn() -> Option<io::Result<Box<dyn BufRead + 'a>>>,
    /// Its length in bytes, compressed if it is; 0 if it cannot be read twice.
    pub bytes: u64,
}

impl std::fmt::Debug for Again<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Again { open: _, bytes } = self;
        f.debug_struct("Again")
            .field("bytes", bytes)
            .finish_non_exhaustive()
    }
}

/// How each kind of input is known and read.
#[derive(Debug, Clone, Copy)]
pub struct Readers {
    /// Whether a file that starts with these bytes is one of our logs.
    pub is_log: fn(&[u8]) -> bool,
    /// Adds one of our logs, all of its bytes, to the evidence.
    pub log: fn(&Path, &[u8], &mut Evidence) -> ReadResult,
    /// Whether a file that starts with these bytes is a packed trace.
    pub is_packed: fn(&[u8]) -> bool,
    /// Adds a packed trace to the evidence, as a run with this label.
    pub packed: fn(&str, &mut dyn BufRead, Again<'_>, &mut Evidence) -> ReadResult,
    /// Adds STD text to the evidence, as a run with this label.
    pub std_text: fn(&str, &mut dyn BufRead, Again<'_>, &mut Evidence) -> ReadResult,
}

/// What could be read, and what could not.
#[derive(Debug, Default)]
pub struct Loaded {
    /// All runs.
    pub evidence: Evidence,
    /// One entry for each input that could not be read; parts of it may be in the evidence.
    pub errors: Vec<InputError>,
    /// How many logs and traces were read.
    pub read: usize,
}

/// Why an input could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// The file system refuses.
    #[error("cannot read `{}`", path.display())]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is nothing in it.
    #[error("cannot read `{}`: the file is empty", path.display())]
    Empty {
        /// Which.
        path: PathBuf,
    },
    /// It is no format that we know.
    #[error("cannot read `{}`: neither a lockwise log nor STD text nor a packed trace", path.display())]
    Unknown {
        /// Which.
        path: PathBuf,
    },
    /// It has the name of a log but not its first bytes.
    #[error("cannot read `{}`: not a lockwise log, although its name says so", path.display())]
    NotALog {
        /// Which.
        path: PathBuf,
    },
    /// Its reader refuses.
    #[error("cannot read `{}`", path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Reads all `inputs`; `-` is `stdin`. An input named twice is read once.
///
/// `seen` is told how far it is, for a progress line: before each input, and at each percent of a long
/// file.
pub fn load(
    inputs: &[PathBuf],
    stdin: &mut dyn BufRead,
    readers: &Readers,
    seen: &mut dyn FnMut(Seen),
) -> Loaded {
    let meter = &Meter::new(seen);
    let mut loaded = Loaded::default();
    let mut files = BTreeSet::new();
    for input in inputs {
        if input.as_os_str() == STDIN {
            meter.next();
            loaded.stdin(stdin, readers);
        } else if input.is_dir() {
            for path in loaded.search(input, readers) {
                if is_new(&mut files, &path) {
                    meter.next();
                    loaded.file(&path, readers, meter);
                }
            }
        } else if is_new(&mut files, input) {
            meter.next();
            loaded.file(input, readers, meter);
        }
    }
    let copies = copies::limits(&loaded.evidence.runs);
    loaded.evidence.limits.extend(copies);
    let blocked = blocked::limits(&loaded.evidence.runs);
    loaded.evidence.limits.extend(blocked);
    loaded
}

/// Whether the file was not met before, under any name.
fn is_new(files: &mut BTreeSet<PathBuf>, path: &Path) -> bool {
    files.insert(fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()))
}

/// What a file is, by its first bytes and its name.
enum Nature {
    Log,
    Packed,
    Text,
    Foreign,
}

impl Loaded {
    /// Reads one file that was named, or found and recognised.
    fn file(&mut self, path: &Path, readers: &Readers, meter: &Meter<'_>) {
        let result = self.try_file(path, readers, meter);
        self.settle(result);
    }

    fn try_file(
        &mut self,
        path: &Path,
        readers: &Readers,
        meter: &Meter<'_>,
    ) -> Result<(), InputError> {
        let file = File::open(path).map_err(|source| InputError::Io {
            path: path.to_owned(),
            source,
        })?;
        let label = path.display().to_string();
        let meta = fs::metadata(path).ok().filter(fs::Metadata::is_file);
        let length = meta.as_ref().map_or(0, fs::Metadata::len);
        let mut bytes = BufReader::with_capacity(BUFFER, meter.of(file, length, false));
        let again = Again {
            open: &|| meta.is_some().then(|| reopened(path, length, meter)),
            bytes: length,
        };
        self.stream(path, &label, &mut bytes, again, readers)
    }

    /// Reads standard input.
    fn stdin(&mut self, stdin: &mut dyn BufRead, readers: &Readers) {
        let path = Path::new("standard input");
        let again = Again {
            open: &|| None,
            bytes: 0,
        };
        let result = self.stream(path, "standard input", stdin, again, readers);
        self.settle(result);
    }

    /// Reads what may be compressed.
    fn stream(
        &mut self,
        path: &Path,
        label: &str,
        bytes: &mut dyn BufRead,
        again: Again<'_>,
        readers: &Readers,
    ) -> Result<(), InputError> {
        let io_error = |source| InputError::Io {
            path: path.to_owned(),
            source,
        };
        let head = bytes.fill_buf().map_err(io_error)?;
        if head.is_empty() {
            let path = path.to_owned();
            return Err(InputError::Empty { path });
        }
        let Some(compression) = Compression::of(head) else {
            return self.plain(path, path, label, bytes, again, readers);
        };
        let inside = compressed::reader(compression, bytes);
        let mut inside = BufReader::with_capacity(BUFFER, inside);
        if inside.fill_buf().map_err(io_error)?.is_empty() {
            let path = path.to_owned();
            return Err(InputError::Empty { path });
        }
        // `a.std.gz` has the name of a text trace.
        let name = if has_extension(path, compression.extension()) {
            path.with_extension("")
        } else {
            path.to_owned()
        };
        self.plain(path, &name, label, &mut inside, again, readers)
    }

    /// Reads what is not compressed; there is some of it. `name` is what it is called uncompressed.
    fn plain(
        &mut self,
        path: &Path,
        name: &Path,
        label: &str,
        bytes: &mut dyn BufRead,
        again: Again<'_>,
        readers: &Readers,
    ) -> Result<(), InputError> {
        let path = path.to_owned();
        let head = match bytes.fill_buf() {
            Ok(head) => &head[..head.len().min(HEAD)],
            Err(source) => return Err(InputError::Io { path, source }),
        };
        let result = match nature(name, head, readers) {
            Nature::Log => {
                // What is compressed, or no file, is read.
                let is_file = again.bytes > 0 && name == path;
                let mapped = is_file.then(|| Mapped::of(&path)).flatten();
                let mut whole = Vec::new();
                if mapped.is_none()
                    && let Err(source) = bytes.read_to_end(&mut whole)
                {
                    return Err(InputError::Io { path, source });
                }
                let whole = mapped.as_ref().map_or(whole.as_slice(), Mapped::bytes);
                (readers.log)(name, whole, &mut self.evidence)
            }
            Nature::Packed => (readers.packed)(label, bytes, again, &mut self.evidence),
            Nature::Text => (readers.std_text)(label, bytes, again, &mut self.evidence),
            Nature::Foreign if has_extension(name, LOG) => {
                return Err(InputError::NotALog { path });
            }
            Nature::Foreign => return Err(InputError::Unknown { path }),
        };
        result.map_err(|source| InputError::Content { path, source })
    }

    /// Counts one input.
    fn settle(&mut self, result: Result<(), InputError>) {
        match result {
            Ok(()) => self.read += 1,
            Err(error) => self.errors.push(error),
        }
    }

    /// Finds the logs and traces in a folder and below, in the order of their paths. Links to
    /// folders are not followed, so that a circle of them is no trap.
    fn search(&mut self, folder: &Path, readers: &Readers) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut foreign = Vec::new();
        let mut open = vec![folder.to_owned()];
        while let Some(folder) = open.pop() {
            let entries = fs::read_dir(&folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
            let entries = match entries {
                Ok(entries) => entries,
                Err(source) => {
                    let path = folder;
                    self.errors.push(InputError::Io { path, source });
                    continue;
                }
            };
            for entry in entries {
                let path = entry.path();
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    open.push(path);
                } else if is_ours(&path, readers) {
                    found.push(path);
                } else if entry.file_name() != TOTAL {
                    foreign.push(path);
                }
            }
        }
        foreign.sort();
        if let Some(limit) = passed_over(folder, &foreign) {
            self.evidence.limits.push(limit);
        }
        found.sort();
        found
    }
}

/// The counter of a session, beside its logs.
const TOTAL: &str = lockwise::watch::log::TOTAL;

/// A file from its start, with what is compressed in it seen through.
fn reopened<'a>(
    path: &Path,
    length: u64,
    meter: &'a Meter<'_>,
) -> io::Result<Box<dyn BufRead + 'a>> {
    let file = meter.of(File::open(path)?, length, true);
    let mut bytes = BufReader::with_capacity(BUFFER, file);
    Ok(match Compression::of(bytes.fill_buf()?) {
        None => Box::new(bytes),
        Some(compression) => {
            let inside = compressed::reader(compression, bytes);
            Box::new(BufReader::with_capacity(BUFFER, inside))
        }
    })
}

/// Says which files of a folder were left alone.
fn passed_over(folder: &Path, foreign: &[PathBuf]) -> Option<String> {
    let names: Vec<String> = foreign
        .iter()
        .take(FOREIGN_NAMED)
        .map(|path| {
            let name = path.strip_prefix(folder).unwrap_or(path);
            format!("`{}`", name.display())
        })
        .collect();
    let more = match foreign.len().saturating_sub(FOREIGN_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let names = names.join(", ");
    (!foreign.is_empty()).then(|| {
        format!(
            "skipped in `{}`, being no logs or traces by name or content: {names}{more}",
            folder.display()
        )
    })
}

/// Whether a file found in a folder is to be read. Text and packed traces count only if the name says
/// that it is a trace; a log counts by its name even if damaged, so that the damage is reported.
fn is_ours(path: &Path, readers: &Readers) -> bool {
    let inside = match path.extension() {
        Some(_)
            if Compression::ALL
                .iter()
                .any(|c| has_extension(path, c.extension())) =>
        {
            path.with_extension("")
        }
        _ => path.to_owned(),
    };
    if [LOG, STD, PACKED]
        .iter()
        .any(|ours| has_extension(&inside, ours))
    {
        return true;
    }
    // A pipe or a device must not be opened for a mere look.
    if !fs::metadata(path).is_ok_and(|meta| meta.is_file()) {
        return false;
    }
    let head = File::open(path).and_then(|file| {
        let mut reader = BufReader::with_capacity(HEAD, file);
        reader.fill_buf().map(readers.is_log)
    });
    head.unwrap_or(false)
}

/// What a file is.
fn nature(path: &Path, head: &[u8], readers: &Readers) -> Nature {
    if (readers.is_log)(head) {
        Nature::Log
    } else if (readers.is_packed)(head) {
        Nature::Packed
    } else if !has_extension(path, LOG)
        && is_text(head)
        && (has_extension(path, STD)
            || path.as_os_str() == "standard input"
            || looks_like_std(head))
    {
        Nature::Text
    } else {
        Nature::Foreign
    }
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension()
        .is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

/// Whether the start of a file is text; a letter may be cut at its end.
fn is_text(head: &[u8]) -> bool {
    let valid = match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && error.valid_up_to() > 0,
    };
    valid && !head.contains(&0)
}

/// Whether the first line that is no comment has the form `THREAD|OP|LOCATION`.
fn looks_like_std(head: &[u8]) -> bool {
    String::from_utf8_lossy(head)
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'))
        .is_none_or(|line| line.matches('|').count() >= 1)
}

#[cfg(test)]
mod tests;
