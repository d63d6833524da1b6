//! Our own logs: one file per process, made by the runtime while the program ran.
//!
//! [`lockwise::watch::log`] owns the format and reads it; here its records become a [`Run`]:
//! [`names`] turns numbers into names that mean the same in every run, and [`merge`] puts the
//! records of all threads into one order that the program could have shown.
//!
//! What it cannot see: data that threads share beside their locks, so the order is one of several.

mod merge;
mod names;
mod type_name;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use lockwise::watch::log::{self, LogError, LogFile, SideWants};

use self::names::Names;
use super::bulk::{Consumer, Survey, Whole};
use crate::limits::{Limits, count};
use crate::trace::{
    Asked, Behind, Blocked, Chain, Evidence, Held, HeldId, HeldNode, Part, Process, Reported, Run,
    Stack, Thread, ThreadId,
};

/// Why a log could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogReadError {
    /// The file system refuses.
    #[error("cannot read `{}`", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is damaged, and nothing behind the header is left.
    #[error("nothing in the log is intact: {} at byte {}", .0.what, .0.offset)]
    NothingIntact(log::Damage),
    /// It is no log, or its header cannot be used.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// Whether a file that starts with these bytes is one of our logs, maybe cut off.
pub fn is_log(head: &[u8]) -> bool {
    let len = head.len().min(log::MAGIC.len());
    len > 0 && head[..len] == log::MAGIC[..len]
}

/// Reads the log of one process.
///
/// # Errors
///
/// If the file cannot be read, and those of [`read_bytes`].
pub fn read(path: &Path, limits: &Limits) -> Result<Evidence, LogReadError> {
    let bytes = fs::read(path).map_err(|source| LogReadError::Io {
        path: path.to_owned(),
        source,
    })?;
    read_bytes(path, &bytes, limits)
}

/// Reads the log of one process, all `bytes` of it; `path` names it.
///
/// # Errors
///
/// If its header cannot be used. Damage behind the header is told in the limits of the evidence.
pub fn read_bytes(path: &Path, bytes: &[u8], limits: &Limits) -> Result<Evidence, LogReadError> {
    stream(path, bytes, limits, &mut Whole)
}

/// Reads the log of one process as [`read_bytes`] does, and lets `consumer` take events out of the run as
/// they come: those that are left are what is returned, and what [`Limits::events`] bounds.
///
/// # Errors
///
/// Those of [`read_bytes`].
pub fn stream(
    path: &Path,
    bytes: &[u8],
    limits: &Limits,
    consumer: &mut dyn Consumer,
) -> Result<Evidence, LogReadError> {
    let log = log::read(bytes)?;
    let file = path
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let mut watched = Watched {
        consumer,
        any: false,
    };
    let mut evidence = convert(&log, &file, limits, &mut watched);
    let run = &mut evidence.runs[0];
    let whole = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    run.process = Some(Process {
        folder: whole.parent().map(Path::to_owned).unwrap_or_default(),
        number: log.header.process,
        program: log.header.program.clone(),
        nonce: log.header.nonce,
        blocked: Blocked {
            elsewhere_ns: log.header.blocked_elsewhere_ns,
            watched_ns: log.header.waited_ns,
            threads: log.header.counted,
        },
    });
    match log.damage.first() {
        Some(damage) if !watched.any && run.chains.is_empty() => {
            Err(LogReadError::NothingIntact(*damage))
        }
        _ => Ok(evidence),
    }
}

/// Sees whether anything passes by.
struct Watched<'c> {
    consumer: &'c mut dyn Consumer,
    any: bool,
}

impl Consumer for Watched<'_> {
    fn take(&mut self, run: &mut Run) {
        self.any |= !run.events.is_empty();
        self.consumer.take(run);
    }

    fn survey(&mut self) -> Option<&mut Survey> {
        self.consumer.survey()
    }
}

/// Turns a log into a run.
fn convert(
    log: &LogFile<'_>,
    file: &str,
    limits: &Limits,
    consumer: &mut dyn Consumer,
) -> Evidence {
    let mut evidence = Evidence {
        limits: damage(log, file),
        ..Evidence::default()
    };
    let mut run = Run {
        label: format!("{} (process {})", log.header.program, log.header.process),
        ..Run::default()
    };
    let mut names = Names::new(log);
    let threads = threads(log, &mut run);
    let order = merge::merge(log, &threads, &mut names, &mut run, limits, consumer);
    run.holes = order.forced as u64;
    if order.events_left_out {
        run.behind = Behind::Anything;
        evidence.limits.push(format!(
            "`{file}`: only the first {} events are used (limit `events`)",
            limits.events
        ));
    }
    if order.units_left_out > 0 {
        evidence.limits.push(format!(
            "`{file}`: {} units of semaphores and channels left out, after the first {} of each operation \
             (limit `units`)",
            order.units_left_out, limits.units
        ));
    }
    if order.forced > 0 {
        evidence.limits.push(format!(
            "`{file}`: records are missing in {} places; the order of events around them is a guess",
            order.forced
        ));
    }
    if !run.woken_unseen.is_empty() {
        evidence.limits.push(format!(
            "`{file}`: {} times a parked thread came back and nobody was seen to unpark it: what wakes it \
             is not watched, and what it did then is at most `possible`",
            run.woken_unseen.len()
        ));
    }
    let unknown = chains(log, &threads, &mut names, &mut run);
    if unknown > 0 {
        evidence.limits.push(format!(
            "`{file}`: {unknown} acquisitions are left out, because what defines them is damaged"
        ));
    }
    names.finish(&mut run, &mut evidence);
    evidence.runs.push(run);
    evidence
}

/// What the log itself says is missing, as sentences.
fn damage(log: &LogFile<'_>, file: &str) -> Vec<String> {
    /// How many damaged places are named.
    const NAMED: usize = 3;

    let mut limits: Vec<String> = log
        .damage
        .iter()
        .take(NAMED)
        .map(|damage| {
            format!(
                "`{file}`: {} at byte {}; what is intact is used",
                damage.what, damage.offset
            )
        })
        .collect();
    if log.damage.len() > NAMED {
        limits.push(format!(
            "`{file}`: {} more damaged places",
            log.damage.len() - NAMED
        ));
    }
    let header = &log.header;
    if header.lost > 0 {
        limits.push(format!(
            "`{file}`: {} records were lost while recording",
            header.lost
        ));
    }
    if header.fell {
        limits.push(format!(
            "`{file}`: the log reached its size limit; after that only new chains of locks were \
             recorded, so nothing later can be proved"
        ));
    }
    if header.stopped {
        limits.push(format!(
            "`{file}`: recording stopped before the program ended"
        ));
    }
    limits
}

/// The threads of the log by their number there, in order of number.
fn threads(log: &LogFile<'_>, run: &mut Run) -> std::collections::BTreeMap<u32, ThreadId> {
    let mut threads = std::collections::BTreeMap::new();
    for segment in &log.segments {
        threads.entry(segment.thread).or_insert_with(|| {
            run.threads.push(Thread {
                label: format!("T{}", segment.thread),
                name: (!segment.name.is_empty()).then(|| segment.name.to_owned()),
                started_in: None,
                start_seen: segment.first_thread || segment.forked,
                end_seen: false,
            });
            ThreadId::from(run.threads.len() - 1)
        });
    }
    threads
}

/// Takes over the chains of level `order` and what the runtime found by itself. Returns how many
/// chains could not be used.
fn chains(
    log: &LogFile<'_>,
    threads: &std::collections::BTreeMap<u32, ThreadId>,
    names: &mut Names<'_>,
    run: &mut Run,
) -> usize {
    let mut unknown = 0;
    let mut known = HashMap::new();
    let mut stacks = Vec::new();
    // By thread: where its last finding is, and whether parts of it were told.
    let mut latest = std::collections::BTreeMap::new();
    for segment in log.segments.iter().filter(|segment| segment.tells) {
        let thread = threads[&segment.thread];
        for record in log.records(segment) {
            match record {
                log::Event::Seen { node, stretch } => {
                    let taken = log.nodes.get(&node).and_then(|def| {
                        let held = held_below(log, def.parent, &mut known, names, run).ok()?;
                        Some((def, held))
                    });
                    match taken {
                        Some((def, held)) => run.chains.push(Chain {
                            thread,
                            stretch,
                            held,
                            want: held_of(def, names),
                            ask: merge::ask(def.ask),
                        }),
                        None => unknown += 1,
                    }
                }
                log::Event::Finding {
                    code,
                    thread: of_another,
                    holds,
                    wants,
                    nobody_runs,
                    message,
                } => {
                    // A thread that has left no record of its own is not known.
                    let thread = of_another
                        .and_then(|number| threads.get(&number).copied())
                        .unwrap_or(thread);
                    latest.insert(segment.thread, (run.reported.len(), false));
                    run.reported.push(Reported {
                        code: format!("LW{code:04}"),
                        nobody_runs,
                        sides: vec![Part {
                            thread,
                            holds: holds.map(|held| names.held(held)),
                            wants: names.asked(wants),
                        }],
                        message: message.to_owned(),
                    });
                }
                log::Event::Side {
                    thread,
                    holds,
                    wants,
                } => {
                    let Some((at, has_sides)) = latest.get_mut(&segment.thread) else {
                        continue;
                    };
                    let wants = match wants {
                        SideWants::Object(wants) => Some(names.asked(wants)),
                        SideWants::End(child, site) => {
                            let child = threads.get(&child).copied();
                            child.map(|child| Asked::End(child, names.site(site)))
                        }
                    };
                    if let (Some(&thread), Some(wants)) = (threads.get(&thread), wants) {
                        let sides = &mut run.reported[*at].sides;
                        if !std::mem::replace(has_sides, true) {
                            // The finding itself has told of one of them.
                            sides.clear();
                        }
                        sides.push(Part {
                            thread,
                            holds: holds.map(|held| names.held(held)),
                            wants,
                        });
                    }
                }
                log::Event::Stack { .. } => stacks.push(record),
                _ => {}
            }
        }
    }
    // The record of a stack defines no lock: only now are all known that others define.
    for record in stacks {
        run.stacks.extend(stack(&record, threads, names));
    }
    unknown
}

/// The stack that a record tells, if what it is about is known.
fn stack(
    record: &log::Event<'_>,
    threads: &std::collections::BTreeMap<u32, ThreadId>,
    names: &mut Names<'_>,
) -> Option<Stack> {
    let &log::Event::Stack {
        thread,
        held,
        lock,
        site,
        by_files,
    } = record
    else {
        return None;
    };
    let held = match held {
        0 => None,
        held => Some(names.known_lock(held)?),
    };
    Some(Stack {
        thread: *threads.get(&thread)?,
        held,
        wants: names.known(lock, site)?,
        by_files: by_files.to_owned(),
    })
}

/// The held lock that a node stands for.
fn held_of(def: &log::NodeDef, names: &mut Names<'_>) -> Held {
    Held {
        lock: names.lock_of_class(def.lock, def.class),
        mode: def.mode,
        site: names.site(def.site),
    }
}

/// A node whose definition is lost.
struct Undefined;

/// What was held at a node and below, taken over into the run.
fn held_below(
    log: &LogFile<'_>,
    node: u32,
    known: &mut HashMap<u32, HeldId>,
    names: &mut Names<'_>,
    run: &mut Run,
) -> Result<Option<HeldId>, Undefined> {
    let mut fresh = Vec::new();
    let mut at = node;
    let mut below = None;
    // Parents have smaller numbers than their children, so this ends.
    while at != 0 {
        if let Some(&held) = known.get(&at) {
            below = Some(held);
            break;
        }
        let def = log.nodes.get(&at).ok_or(Undefined)?;
        fresh.push((at, def));
        at = def.parent;
    }
    for (number, def) in fresh.into_iter().rev() {
        let held = held_of(def, names);
        let id = HeldId::from(run.held.len());
        run.held.push(HeldNode { below, held });
        known.insert(number, id);
        below = Some(id);
    }
    Ok(below)
}

#[cfg(test)]
mod tests;
