//! Finds the logs among what the user named, and reads each as what it is.
//!
//! A file is known by its first bytes, then by its name: our own log and packed traces by their
//! headers, STD text by being text. What is none of these is refused after one look at its start,
//! however long it is. What is compressed is taken for what is in it. A folder is searched with all
//! its subfolders; files in it that are foreign are left alone and counted.
//!
//! One bad input never hides the others: what is intact is read, and the rest comes back as errors.
//!
//! Long traces are read for their orders first. Which of these close a cycle is known when all inputs were
//! read, since the halves may stand in different runs; then the suspicious ones are read once more.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::bulk::{self, Consumer, Kind, Surveyed};
use super::compressed::{self, Compression};
use super::mapped::Mapped;
use super::meter::{Meter, Seen};
use super::nature::{LOG, Nature, PACKED, STANDARD_INPUT, STD, has_extension};
use super::readers::{ReadResult, Readers};
use super::{blocked, copies};
use crate::limits::Limits;
use crate::trace::{Evidence, RunId};

/// How much of a file decides what it is, in bytes.
const HEAD: usize = 8 << 10;

/// How many foreign files of a folder are named; the rest is counted.
const FOREIGN_NAMED: usize = 3;

/// How much of a file is read at once, in bytes.
const BUFFER: usize = 256 << 10;

/// The input that stands for standard input.
const STDIN: &str = "-";

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

/// What evidence is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// To be judged: of long traces what is suspicious is enough.
    Verdict,
    /// To be drawn: all orders count.
    Orders,
}

/// Reads all `inputs`; `-` is `stdin`. An input named twice is read once.
///
/// `seen` is told how far it is, for a progress line: before each input, and at each percent of a long
/// file.
pub fn load(
    inputs: &[PathBuf],
    stdin: &mut dyn BufRead,
    readers: &Readers,
    limits: &Limits,
    aim: Aim,
    seen: &mut dyn FnMut(Seen),
) -> Loaded {
    let mut loaded = Loaded::default();
    let named = loaded.named(inputs, readers);
    let mut load = Load {
        readers,
        limits,
        aim,
        meter: &Meter::new(seen),
        is_alone: named.len() == 1,
        loaded,
        long: Vec::new(),
    };
    for path in &named {
        load.meter.next();
        let result = match path {
            Some(path) => load.file(path),
            None => load.stdin(stdin),
        };
        load.settle(result);
    }
    load.read_again();
    let mut loaded = load.loaded;
    let copies = copies::limits(&loaded.evidence.runs);
    loaded.evidence.limits.extend(copies);
    let blocked = blocked::limits(&loaded.evidence.runs);
    loaded.evidence.limits.extend(blocked);
    loaded
}

/// An input, as it may be read once more.
#[derive(Debug)]
struct Source {
    /// The file.
    path: PathBuf,
    /// What it is called uncompressed.
    name: PathBuf,
    nature: Nature,
    /// Which input it is, from 1.
    number: usize,
    /// Its length in bytes, compressed if it is; 0 if it cannot be read twice.
    length: u64,
    is_compressed: bool,
    /// All of a log that is not mapped.
    whole: Vec<u8>,
}

impl Source {
    /// What it is called in reports.
    fn label(&self) -> String {
        match self.nature {
            Nature::Log => {
                let name = self.name.file_name().unwrap_or(self.name.as_os_str());
                format!("`{}`", name.display())
            }
            _ => self.path.display().to_string(),
        }
    }

    /// The bytes of a log that is a file and not compressed.
    fn mapped(&self) -> Option<Mapped> {
        let is_file = self.length > 0 && !self.is_compressed;
        is_file.then(|| Mapped::of(&self.path)).flatten()
    }
}

/// A long trace that was read once.
struct Long {
    run: RunId,
    source: Source,
    surveyed: Surveyed,
}

/// Reading, under way.
struct Load<'a> {
    readers: &'a Readers,
    limits: &'a Limits,
    aim: Aim,
    meter: &'a Meter<'a>,
    /// Whether there is one input only.
    is_alone: bool,
    loaded: Loaded,
    long: Vec<Long>,
}

impl Load<'_> {
    /// Reads one file that was named, or found and recognised.
    fn file(&mut self, path: &Path) -> Result<(), InputError> {
        let file = File::open(path).map_err(|source| InputError::Io {
            path: path.to_owned(),
            source,
        })?;
        let meta = fs::metadata(path).ok().filter(fs::Metadata::is_file);
        let length = meta.map_or(0, |meta| meta.len());
        let mut bytes = BufReader::with_capacity(BUFFER, self.meter.of(file, length, false));
        self.stream(path, &mut bytes, length)
    }

    /// Reads standard input.
    fn stdin(&mut self, stdin: &mut dyn BufRead) -> Result<(), InputError> {
        self.stream(Path::new(STANDARD_INPUT), stdin, 0)
    }

    /// Reads what may be compressed.
    fn stream(
        &mut self,
        path: &Path,
        bytes: &mut dyn BufRead,
        length: u64,
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
            return self.plain(path, None, bytes, length);
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
        self.plain(path, Some(&name), &mut inside, length)
    }

    /// Reads what is not compressed, or no more; there is some of it. `uncompressed` is what it is called
    /// then.
    fn plain(
        &mut self,
        path: &Path,
        uncompressed: Option<&Path>,
        bytes: &mut dyn BufRead,
        length: u64,
    ) -> Result<(), InputError> {
        let name = uncompressed.unwrap_or(path);
        let head = bytes.fill_buf().map_err(|source| InputError::Io {
            path: path.to_owned(),
            source,
        })?;
        let nature = Nature::of(name, &head[..head.len().min(HEAD)], self.readers);
        let path = path.to_owned();
        if nature == Nature::Foreign {
            return Err(if has_extension(name, LOG) {
                InputError::NotALog { path }
            } else {
                InputError::Unknown { path }
            });
        }
        let mut source = Source {
            path,
            name: name.to_owned(),
            nature,
            number: self.meter.number(),
            length,
            is_compressed: uncompressed.is_some(),
            whole: Vec::new(),
        };
        let label = source.label();
        let kept_max = match nature {
            Nature::Log => self.limits.kept_log_events,
            _ => self.limits.kept_events,
        };
        let mut kind = Kind {
            label: &label,
            kept_max,
            is_long: length / nature.event_bytes() > kept_max,
            // These come from Java and WebAssembly.
            reentrant: nature == Nature::Packed,
            is_alone: self.is_alone,
        };
        let first = if nature == Nature::Log {
            let mapped = source.mapped();
            if mapped.is_none()
                && let Err(error) = bytes.read_to_end(&mut source.whole)
            {
                let path = source.path;
                return Err(InputError::Io {
                    path,
                    source: error,
                });
            }
            let whole = mapped.as_ref().map_or(&*source.whole, Mapped::bytes);
            kind.is_long = whole.len() as u64 / nature.event_bytes() > kept_max;
            bulk::first(kind, self.limits, &mut |consumer| {
                Some((self.readers.log)(
                    &source.name,
                    whole,
                    self.limits,
                    consumer,
                ))
            })
        } else {
            let mut bytes = Some(bytes);
            bulk::first(kind, self.limits, &mut |consumer| match bytes.take() {
                Some(bytes) => Some(self.read(&source, bytes, consumer)),
                None => self.reread(&source, consumer),
            })
        };
        let (evidence, surveyed) = first.map_err(|error| InputError::Content {
            path: source.path.clone(),
            source: error,
        })?;
        let run = RunId::from(self.loaded.evidence.runs.len());
        self.loaded.evidence.absorb(evidence);
        if let Some(surveyed) = surveyed {
            if source.length > 0 {
                // It can be had again, and there may be many.
                source.whole = Vec::new();
            }
            self.long.push(Long {
                run,
                source,
                surveyed,
            });
        }
        Ok(())
    }

    /// Reads what is no log of ours.
    fn read(
        &self,
        source: &Source,
        bytes: &mut dyn BufRead,
        consumer: &mut dyn Consumer,
    ) -> ReadResult {
        let read = match source.nature {
            Nature::Packed => self.readers.packed,
            _ => self.readers.std_text,
        };
        read(&source.label(), bytes, self.limits, consumer)
    }

    /// Reads an input once more; `None` if it cannot be had again.
    fn reread(&self, source: &Source, consumer: &mut dyn Consumer) -> Option<ReadResult> {
        if source.nature == Nature::Log {
            let log = |bytes: &[u8], consumer: &mut dyn Consumer| {
                (self.readers.log)(&source.name, bytes, self.limits, consumer)
            };
            if let Some(mapped) = source.mapped() {
                return Some(log(mapped.bytes(), consumer));
            }
            if source.length == 0 {
                return Some(log(&source.whole, consumer));
            }
        }
        if source.length == 0 {
            return None;
        }
        let opened = reopened(&source.path, source.length, self.meter);
        Some(opened.map_err(Into::into).and_then(|mut bytes| {
            if source.nature != Nature::Log {
                return self.read(source, &mut bytes, consumer);
            }
            let mut whole = Vec::new();
            bytes.read_to_end(&mut whole)?;
            (self.readers.log)(&source.name, &whole, self.limits, consumer)
        }))
    }

    /// Reads long traces once more that are suspicious, alone or together with other runs.
    fn read_again(&mut self) {
        let mut long = std::mem::take(&mut self.long);
        let mut surveyed: Vec<(RunId, &mut Surveyed)> = long
            .iter_mut()
            .map(|long| (long.run, &mut long.surveyed))
            .collect();
        match self.aim {
            Aim::Verdict => bulk::across(&self.loaded.evidence, &mut surveyed),
            Aim::Orders => {
                for (_, surveyed) in surveyed {
                    surveyed.take_all_orders();
                }
            }
        }
        for Long {
            run,
            source,
            surveyed,
        } in long
        {
            if !surveyed.is_suspicious() {
                continue;
            }
            self.meter.again(source.number);
            let label = source.label();
            let events_seen = self.loaded.evidence.runs[run.at()].events_seen;
            let reread = bulk::second(
                &label,
                self.limits,
                surveyed,
                events_seen,
                &mut |consumer| self.reread(&source, consumer),
            );
            match reread {
                Some(Ok(evidence)) => self.loaded.evidence.replace(run, evidence),
                Some(Err(error)) => self.loaded.errors.push(InputError::Content {
                    path: source.path,
                    source: error,
                }),
                None => {
                    let limits = &mut self.loaded.evidence.limits;
                    limits.push(bulk::read_once(&label));
                }
            }
        }
    }

    /// Counts one input.
    fn settle(&mut self, result: Result<(), InputError>) {
        match result {
            Ok(()) => self.loaded.read += 1,
            Err(error) => self.loaded.errors.push(error),
        }
    }
}

impl Loaded {
    /// All inputs, each once, those in folders too; `None` is standard input.
    fn named(&mut self, inputs: &[PathBuf], readers: &Readers) -> Vec<Option<PathBuf>> {
        let mut named = Vec::new();
        let mut files = BTreeSet::new();
        for input in inputs {
            if input.as_os_str() == STDIN {
                named.push(None);
                continue;
            }
            let found = if input.is_dir() {
                self.search(input, readers)
            } else {
                vec![input.clone()]
            };
            let new = found.into_iter().filter(|path| {
                // It may have been met before, under any name.
                let real = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
                files.insert(real)
            });
            named.extend(new.map(Some));
        }
        named
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
    // A pipe or a device must not be opened for being there, whatever it is called.
    let meta = fs::metadata(path).ok();
    if meta.as_ref().is_some_and(|meta| !meta.is_file()) {
        return false;
    }
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
    if meta.is_none() {
        return false;
    }
    let head = File::open(path).and_then(|file| {
        let mut reader = BufReader::with_capacity(HEAD, file);
        reader.fill_buf().map(readers.is_log)
    });
    head.unwrap_or(false)
}

#[cfg(test)]
mod tests;
