//! Our own logs: one file per process, made by the runtime while the program ran.
//!
//! [`lockwise::watch::log`] owns the format and reads it; here its records become a [`Run`]:
//! [`names`] turns numbers into names that mean the same in every run, and [`merge`] puts the
//! records of all threads into one order that the program could have shown.
//!
//! What it cannot see: data that threads share beside their locks, so the order is one of several.

mod merge;
mod names;

use std::path::{Path, PathBuf};
use std::{fs, io};

use lockwise::watch::log::{self, LogError, LogFile};

use self::names::Names;
use crate::trace::{Chain, Evidence, Held, Reported, Run, Thread, ThreadId};

/// How much of a log is read.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Events beyond this number are left out. An event takes about 40 bytes.
    pub events_max: usize,
}

impl Default for Limits {
    /// Twenty million events.
    fn default() -> Self {
        Limits {
            events_max: 20_000_000,
        }
    }
}

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
/// If the file cannot be read or its header cannot be used. Damage behind the header is told in
/// the limits of the evidence.
pub fn read(path: &Path, limits: Limits) -> Result<Evidence, LogReadError> {
    let bytes = fs::read(path).map_err(|source| LogReadError::Io {
        path: path.to_owned(),
        source,
    })?;
    let log = log::read(&bytes)?;
    let file = path
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    Ok(convert(&log, &file, limits))
}

/// Turns a log into a run.
fn convert(log: &LogFile<'_>, file: &str, limits: Limits) -> Evidence {
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
    let order = merge::merge(log, &threads, &mut names, &mut run, limits);
    if order.events_left_out {
        evidence.limits.push(format!(
            "`{file}`: only the first {} events are used, the limit",
            limits.events_max
        ));
    }
    if order.forced > 0 {
        evidence.limits.push(format!(
            "`{file}`: records are missing in {} places; the order of events around them is a guess",
            order.forced
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
    for segment in &log.segments {
        let thread = threads[&segment.thread];
        for record in log.records(segment) {
            match record {
                log::Event::Seen { node, stretch } => match path(log, node) {
                    Some(mut nodes) => {
                        let want = nodes.remove(0);
                        nodes.reverse();
                        let mut held = |node: &log::NodeDef| Held {
                            lock: names.lock_of_class(node.lock, node.class),
                            mode: node.mode,
                            site: names.site(node.site),
                        };
                        let ask = merge::ask(want.ask);
                        let (want, held) = (held(&want), nodes.iter().map(held).collect());
                        run.chains.push(Chain {
                            thread,
                            stretch,
                            held,
                            want,
                            ask,
                        });
                    }
                    None => unknown += 1,
                },
                log::Event::Finding {
                    code,
                    holds,
                    wants,
                    message,
                } => {
                    let mut held = |(lock, mode, site)| Held {
                        lock: names.lock(lock),
                        mode,
                        site: names.site(site),
                    };
                    let holds = holds.map(&mut held);
                    run.reported.push(Reported {
                        code: format!("LW{code:04}"),
                        thread,
                        holds,
                        want: held(wants),
                        message: message.to_owned(),
                    });
                }
                _ => {}
            }
        }
    }
    unknown
}

/// A node and its ancestors, youngest first; none if one of them is not defined.
fn path(log: &LogFile<'_>, node: u32) -> Option<Vec<log::NodeDef>> {
    let mut nodes = Vec::new();
    let mut at = node;
    // Parents have smaller numbers than their children, so this ends.
    while at != 0 {
        let node = *log.nodes.get(&at)?;
        nodes.push(node);
        at = node.parent;
    }
    (!nodes.is_empty()).then_some(nodes)
}
