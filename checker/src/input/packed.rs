//! Packed traces: one word of 64 bits an event, in two layouts.
//!
//! - `LTB1`, little-endian: a header of 32 bytes (the letters `LTB1`, version 1 in 32 bits, events in
//!   64, threads, locks, variables and zero in 32 each), then per event, from the low end: operation
//!   4 bits, thread 16, argument 24, location 20.
//! - `RapidBin`, big-endian, as `SPDOffline` reads and Wasmgrind writes it: a header of 18 bytes
//!   (threads 16 bits, locks and variables 32 each, events 64), then per event, from the low end:
//!   thread 10 bits, operation 4, argument 34, location 15.
//!
//! Operations in both: 0 acquire, 1 release, 2 read, 3 write, 4 fork, 5 join, 8 request. Threads are
//! named `T0`, `T1`, … and locks `L0`, `L1`, … here, as the text forms of these traces name them.
//!
//! These layouts come from Java and WebAssembly, where a thread may take a lock that it holds.

mod table;
mod word;

use std::collections::HashSet;
use std::io::{self, BufRead};

use lockwise::watch::{Kind, Mode};

use self::table::Table;
pub use self::word::is_packed;
use self::word::{LTB, Layout, Word};
use super::bulk::{Consumer, Survey, Whole};
use crate::limits::{Limits, count};
use crate::trace::{
    AcquireClass, Ask, Behind, Class, ClassId, Event, Evidence, Lock, LockId, Op, Run, Side, Site,
    SiteId, Thread, ThreadId, VariableId,
};

/// Why a packed trace could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackedError {
    /// The source failed.
    #[error("cannot read `{label}` after event {event}")]
    Read {
        /// The name of the input.
        label: String,
        /// The number of events read so far.
        event: u64,
        /// What the system said.
        source: io::Error,
    },
    /// It ends within its header.
    #[error("`{0}` ends within its header")]
    Header(String),
    /// It is of a later version.
    #[error("`{label}` is LTB{version}; this program understands LTB1")]
    Version {
        /// The name of the input.
        label: String,
        /// Its version.
        version: u32,
    },
    /// None of its words is an event.
    #[error("`{0}` has no event in it that can be understood")]
    NoEvents(String),
}

/// Events that are read before they may be taken out.
const AT_ONCE: usize = 8_192;

/// Reads a packed trace as one run; `label` names it in reports and errors.
///
/// # Errors
///
/// If `reader` fails, the header is not whole or of another version, or nothing in it is an event.
///
/// # Panics
///
/// Never: the parts of the header have their lengths.
pub fn read(label: &str, reader: impl BufRead, limits: &Limits) -> Result<Evidence, PackedError> {
    stream(label, reader, limits, &mut Whole)
}

/// Reads a packed trace as [`read`] does, and lets `consumer` take events out of the run as they come:
/// those that are left are what is returned, and what [`Limits::events`] bounds.
///
/// # Errors
///
/// Those of [`read`].
///
/// # Panics
///
/// Never: the parts of the header have their lengths.
pub fn stream(
    label: &str,
    mut reader: impl BufRead,
    limits: &Limits,
    consumer: &mut dyn Consumer,
) -> Result<Evidence, PackedError> {
    let layout = layout(label, &mut reader)?;
    let mut builder = Builder::default();
    let mut header = [0; 32];
    let header = &mut header[..layout.header()];
    if read_whole(&mut reader, header).map_err(|source| failed(label, 0, source))? < header.len() {
        return Err(PackedError::Header(label.to_owned()));
    }
    if layout == Layout::Ltb1 && header[4..8] != [1, 0, 0, 0] {
        let version = header[4..8].try_into().expect("four bytes");
        return Err(PackedError::Version {
            label: label.to_owned(),
            version: u32::from_le_bytes(version),
        });
    }
    let told: [u8; 8] = match layout {
        Layout::Ltb1 => header[8..16].try_into().expect("eight bytes"),
        Layout::RapidBin => {
            let mut bytes: [u8; 8] = header[10..18].try_into().expect("eight bytes");
            bytes.reverse();
            bytes
        }
    };
    let told = u64::from_le_bytes(told);
    let mut counts = Counts::default();
    let mut cut = [0; 8];
    // A writer that was killed has not come to say how many.
    let told = if told == 0 { u64::MAX } else { told };
    while counts.words < told {
        let buffer = match reader.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) if builder.known > 0 => {
                counts.failed = Some(error);
                break;
            }
            Err(source) => return Err(failed(label, counts.words, source)),
        };
        let left = usize::try_from(told - counts.words).unwrap_or(usize::MAX);
        let whole = (buffer.len() / 8).min(left).min(AT_ONCE);
        let words = &buffer[..whole * 8];
        match consumer.survey() {
            Some(survey) => match layout {
                Layout::Ltb1 => builder.survey(words, Word::of_ltb1, survey, &mut counts),
                Layout::RapidBin => builder.survey(words, Word::of_rapid_bin, survey, &mut counts),
            },
            None => {
                for bytes in words.chunks_exact(8) {
                    let bytes = bytes.try_into().expect("chunks of eight bytes");
                    builder.count(layout.word(bytes), &mut counts, limits);
                }
            }
        }
        if whole > 0 {
            reader.consume(whole * 8);
        } else {
            // A word that the buffer holds a part of.
            match read_whole(&mut reader, &mut cut) {
                Ok(got) if got < cut.len() => break,
                Ok(_) => {}
                Err(error) if builder.known > 0 => {
                    counts.failed = Some(error);
                    break;
                }
                Err(source) => return Err(failed(label, counts.words, source)),
            }
            builder.count(layout.word(cut), &mut counts, limits);
        }
        consumer.take(&mut builder.run);
    }
    if builder.known == 0 && counts.words > 0 {
        return Err(PackedError::NoEvents(label.to_owned()));
    }
    counts.is_more = counts.words == told && reader.fill_buf().is_ok_and(|more| !more.is_empty());
    let mut evidence = builder.finish(label);
    let run = &mut evidence.runs[0];
    run.holes = counts.strange;
    if counts.words != told || counts.is_more || counts.over_limit > 0 {
        run.behind = Behind::Anything;
    }
    evidence.limits = counts.sentences(label, told, limits);
    Ok(evidence)
}

fn failed(label: &str, event: u64, source: io::Error) -> PackedError {
    PackedError::Read {
        label: label.to_owned(),
        event,
        source,
    }
}

fn layout(label: &str, reader: &mut impl BufRead) -> Result<Layout, PackedError> {
    let head = reader
        .fill_buf()
        .map_err(|source| failed(label, 0, source))?;
    Ok(if head.starts_with(LTB) {
        Layout::Ltb1
    } else {
        Layout::RapidBin
    })
}

/// Fills `into` as far as there is something; says how far.
fn read_whole(reader: &mut impl BufRead, into: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < into.len() {
        match reader.read(&mut into[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// What was met.
#[derive(Debug, Default)]
struct Counts {
    words: u64,
    /// Words that are no event.
    strange: u64,
    /// Words after the event limit.
    over_limit: u64,
    /// Whether there is something behind the last word.
    is_more: bool,
    /// What the source said as it failed.
    failed: Option<io::Error>,
}

impl Counts {
    /// What the report says about what is missing.
    fn sentences(&self, label: &str, told: u64, limits: &Limits) -> Vec<String> {
        let mut said = Vec::new();
        if let Some(error) = &self.failed {
            said.push(format!(
                "{label}: it cannot be read further than event {}: {error}",
                self.words
            ));
        }
        if told == u64::MAX {
            said.push(format!(
                "{label}: its header tells of no events, as that of a trace whose writer was killed; {} are \
                 in it",
                self.words
            ));
        } else if self.is_more {
            said.push(format!(
                "{label}: more than the {told} events that its header tells of are in it; these are left out"
            ));
        } else if self.words < told {
            said.push(format!(
                "{label}: it ends after {} of the {told} events that its header tells of",
                self.words
            ));
        }
        if self.strange > 0 {
            said.push(format!(
                "{label}: {} words are no events and left out",
                self.strange
            ));
        }
        if self.over_limit > 0 {
            said.push(format!(
                "{label}: {} events after the first {} left out (limit `events`)",
                self.over_limit, limits.events
            ));
        }
        said
    }
}

/// The run so far.
#[derive(Debug, Default)]
struct Builder {
    run: Run,
    classes: Vec<Class>,
    sites: Vec<Site>,
    thread_of: Table<ThreadId>,
    lock_of: Table<LockId>,
    variable_of: Table<VariableId>,
    variables: usize,
    site_of: Table<SiteId>,
    /// Words that were events.
    known: u64,
    /// Per thread, the locks that it holds, each as often as it does.
    held: Vec<Vec<LockId>>,
    /// Locks that a thread asked for although it held them: it may take them.
    reentered: HashSet<LockId>,
}

impl Builder {
    /// Takes in a word, and counts what it is.
    fn count(&mut self, word: Word, counts: &mut Counts, limits: &Limits) {
        counts.words += 1;
        if self.run.events.len() >= count(limits.events) {
            counts.over_limit += 1;
        } else if self.event(word).is_some() {
            self.known += 1;
        } else {
            counts.strange += 1;
        }
    }

    /// Takes words in: what there is most of straight into a survey, the rest as events.
    fn survey(
        &mut self,
        mut words: &[u8],
        word: impl Fn([u8; 8]) -> Word + Copy,
        survey: &mut Survey,
        counts: &mut Counts,
    ) {
        loop {
            self.meet_all(survey);
            let taken = told(
                words,
                word,
                self.thread_of.small(),
                self.lock_of.small(),
                survey,
            );
            counts.words += taken;
            self.known += taken;
            survey.count(taken);
            let taken = usize::try_from(taken).expect("they are in memory");
            let Some((&bytes, rest)) = words[taken * 8..].split_first_chunk() else {
                return;
            };
            words = rest;
            counts.words += 1;
            self.survey_one(word(bytes), survey, counts);
        }
    }

    /// Makes room for all threads and locks so far, also those that were only named.
    fn meet_all(&self, survey: &mut Survey) {
        if let Some(last) = self.run.threads.len().checked_sub(1) {
            survey.meet_thread(ThreadId::from(last));
        }
        if let Some(last) = self.run.locks.len().checked_sub(1) {
            survey.meet_lock(LockId::from(last));
        }
    }

    /// Takes a word in whose names were not met before, or that is no operation on a lock.
    #[cold]
    fn survey_one(&mut self, word: Word, survey: &mut Survey, counts: &mut Counts) {
        if !matches!(word.op, 0 | 1 | 8) {
            match self.event(word) {
                Some(()) => self.known += 1,
                None => counts.strange += 1,
            }
            return survey.take_from(&mut self.run);
        }
        let thread = self.thread(word.thread.into());
        let lock = self.lock(word.argument);
        self.meet_all(survey);
        match word.op {
            8 => survey.request(thread, lock),
            op => survey.step(thread, lock, op == 0),
        }
        self.known += 1;
        survey.count(1);
    }

    /// Takes in an event; `None` if it is none.
    fn event(&mut self, word: Word) -> Option<()> {
        if !matches!(word.op, 0..=5 | 8) || (matches!(word.op, 4 | 5) && word.argument > 0xffff) {
            return None;
        }
        let thread = self.thread(word.thread.into());
        let op = match word.op {
            0 => {
                let lock = self.lock(word.argument);
                self.reenter(thread, lock);
                self.held[thread.at()].push(lock);
                Op::Acquire {
                    lock,
                    mode: Mode::Exclusive,
                    ask: Ask::Wait,
                    class: AcquireClass::default(),
                }
            }
            1 => {
                let lock = self.lock(word.argument);
                let held = &mut self.held[thread.at()];
                if let Some(at) = held.iter().rposition(|held| *held == lock) {
                    held.remove(at);
                }
                Op::Release {
                    lock,
                    side: Side::Exclusive,
                }
            }
            2 => Op::Read {
                variable: self.variable(word.argument),
            },
            3 => Op::Write {
                variable: self.variable(word.argument),
            },
            4 => Op::Fork {
                child: self.thread(word.argument),
            },
            5 => {
                let child = self.thread(word.argument);
                self.run.threads[child.at()].end_seen = true;
                Op::Join { child }
            }
            _ => {
                let lock = self.lock(word.argument);
                self.reenter(thread, lock);
                Op::Request {
                    lock,
                    mode: Mode::Exclusive,
                }
            }
        };
        let site = self.site(word.location);
        self.run.events.push(Event { thread, op, site });
        Some(())
    }

    /// Notes a lock that its holder asks for.
    fn reenter(&mut self, thread: ThreadId, lock: LockId) {
        if self.held[thread.at()].contains(&lock) {
            self.reentered.insert(lock);
        }
    }

    fn finish(mut self, label: &str) -> Evidence {
        label.clone_into(&mut self.run.label);
        self.run.reenter(&self.reentered);
        self.run.complete = true;
        Evidence {
            runs: vec![self.run],
            classes: self.classes,
            sites: self.sites,
            limits: Vec::new(),
            excerpts: Vec::new(),
        }
    }

    fn thread(&mut self, number: u64) -> ThreadId {
        if let Some(known) = self.thread_of.get(number) {
            return known;
        }
        let new = ThreadId::from(self.run.threads.len());
        self.run.threads.push(Thread {
            label: format!("T{number}"),
            name: None,
            started_in: None,
            start_seen: true,
            end_seen: false,
        });
        self.held.push(Vec::new());
        self.thread_of.set(number, new)
    }

    fn lock(&mut self, number: u64) -> LockId {
        if let Some(known) = self.lock_of.get(number) {
            return known;
        }
        let new = LockId::from(self.run.locks.len());
        let label = format!("L{number}");
        self.run.locks.push(Lock {
            label: label.clone(),
            class: ClassId::from(self.classes.len()),
            kind: Kind::Mutex,
            rank: None,
            former: None,
            sendable: false,
        });
        self.classes.push(Class {
            label,
            type_name: None,
            trusted: true,
        });
        self.lock_of.set(number, new)
    }

    fn variable(&mut self, number: u64) -> VariableId {
        if let Some(known) = self.variable_of.get(number) {
            return known;
        }
        let new = VariableId::from(self.variables);
        self.variables += 1;
        self.variable_of.set(number, new)
    }

    fn site(&mut self, location: u32) -> SiteId {
        if let Some(known) = self.site_of.get(location.into()) {
            return known;
        }
        let new = SiteId::from(self.sites.len());
        self.sites.push(Site {
            file: location.to_string(),
            line: 0,
            column: 0,
            note: None,
        });
        self.site_of.set(location.into(), new)
    }
}

/// Where the one that comes behind so many such words is.
#[cold]
fn position(words: &[[u8; 8]], count: usize, such: impl Fn([u8; 8]) -> bool) -> u64 {
    let positions = (0..).zip(words).filter(|&(_, &bytes)| such(bytes));
    let mut positions = positions.map(|(at, _)| at);
    positions.nth(count).expect("there are more")
}

/// How many words are sorted out together.
const TOGETHER: usize = 512;

/// Tells a survey of words as long as they are accesses to data, or operations on locks by names that
/// are known; says of how many.
///
/// Which words are accesses to data cannot be foreseen by a processor, so these are first left out
/// without a branch.
fn told(
    words: &[u8],
    word: impl Fn([u8; 8]) -> Word,
    threads: &[Option<ThreadId>],
    locks: &[Option<LockId>],
    survey: &mut Survey,
) -> u64 {
    let is_of_locks = |bytes: [u8; 8]| word(bytes).op & !1 != 2;
    let mut told = 0;
    let mut rest = [[0; 8]; TOGETHER];
    for some in words.as_chunks::<8>().0.chunks(TOGETHER) {
        let mut count = 0;
        for &bytes in some {
            rest[count % TOGETHER] = bytes;
            count += usize::from(is_of_locks(bytes));
        }
        for (at, &bytes) in rest[..count].iter().enumerate() {
            let word = word(bytes);
            let thread = threads.get(usize::from(word.thread)).copied().flatten();
            let lock = usize::try_from(word.argument).ok();
            let lock = lock.and_then(|lock| locks.get(lock).copied().flatten());
            match (word.op, thread, lock) {
                (0 | 1, Some(thread), Some(lock)) => survey.step(thread, lock, word.op == 0),
                (8, Some(thread), Some(lock)) => survey.request(thread, lock),
                _ => {
                    return told + position(some, at, is_of_locks);
                }
            }
        }
        told += some.len() as u64;
    }
    told
}

#[cfg(test)]
mod tests;
