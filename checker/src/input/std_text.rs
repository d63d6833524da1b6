//! Text traces: one event a line, `THREAD|OP(ARGUMENT)|LOCATION`.
//!
//! The notation is the STD style of RAPID with more operations; `fixtures/corpus/lock-order/README.md`
//! lists them. Three dialects are understood besides: data accesses `r`/`w` (as `SPDOffline` reads),
//! `req` before `acq` (a request that may not have been granted), and `rel(L) wait(L) acq(L)` for a
//! wait on a Java monitor (`SUnhang`), which becomes one wait here. A lock that a thread asks for (`req`)
//! and gets while it holds it is re-entrant.
//!
//! A line that cannot be understood is left out, counted, and named in the limits; the rest of the
//! file still counts. Memory is bounded by [`Limits`].
//!
//! `init` and `destroy` split a lock into lives: each is an instance of its own, with the same label.

mod builder;
mod bytes;
mod fast;
mod line;

use std::io::{self, BufRead};

use self::builder::Builder;
use self::fast::Known;
use super::bulk::{Consumer, Whole};
use crate::limits::{Limits, count};
use crate::trace::{Behind, Evidence, Run};

/// Lines without a single event after which a file is taken for something else.
const GARBAGE_LINES_MAX: u64 = 10_000;

/// Why a text trace could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StdTextError {
    /// The source failed.
    #[error("cannot read `{label}` after line {line}")]
    Read {
        /// The name of the input.
        label: String,
        /// The last line that was read.
        line: u64,
        /// What the system said.
        source: io::Error,
    },
    /// There is text, and none of it is an event.
    #[error("`{label}` is no text trace: line {line}: {problem}")]
    NoEvents {
        /// The name of the input.
        label: String,
        /// The first line that is not understood.
        line: u64,
        /// What was expected there.
        problem: Malformed,
    },
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// It is not made as an event is.
    #[error("expected `THREAD|OPERATION(ARGUMENT)|LOCATION`")]
    Shape,
    /// The operation does not exist.
    #[error("unknown operation `{0}`")]
    Operation(String),
    /// The operation lacks an argument, or it is of the wrong kind.
    #[error("`{operation}` needs {needs}")]
    Argument {
        /// The operation.
        operation: String,
        /// What it needs.
        needs: &'static str,
    },
    /// It is too long.
    #[error("the line is longer than {0} bytes")]
    Long(usize),
}

/// Reads a text trace as one run; `label` names it in reports and errors.
///
/// # Errors
///
/// [`StdTextError::Read`] if `reader` fails, [`StdTextError::NoEvents`] if there is text but no
/// line of it is an event. An empty trace is no error.
pub fn read(label: &str, reader: impl BufRead, limits: &Limits) -> Result<Evidence, StdTextError> {
    stream(label, reader, limits, &mut Whole)
}

/// Reads a text trace as [`read`] does, and lets `consumer` take events out of the run as they come:
/// those that are left are what is returned, and what [`Limits::events`] bounds.
///
/// # Errors
///
/// Those of [`read`].
pub fn stream(
    label: &str,
    mut reader: impl BufRead,
    limits: &Limits,
    consumer: &mut dyn Consumer,
) -> Result<Evidence, StdTextError> {
    let mut builder = Builder::default();
    let mut known = Known::default();
    let mut skipped = Skipped::default();
    let mut line = Vec::new();
    let mut number = 0_u64;
    loop {
        if let Some(survey) = consumer.survey()
            && let Ok(buffer) = reader.fill_buf()
        {
            let taken = known.lines(buffer, survey);
            reader.consume(taken.bytes);
            builder.count(taken.lines);
            number += taken.lines;
        }
        let whole = match next_line(&mut reader, &mut line, count(limits.line_bytes)) {
            Ok(None) => break,
            Ok(Some(whole)) => whole,
            Err(error) if builder.lines() > 0 => {
                skipped.end = Some(End::Unreadable(number, error));
                break;
            }
            Err(source) => {
                return Err(StdTextError::Read {
                    label: label.to_owned(),
                    line: number,
                    source,
                });
            }
        };
        if builder.name_bytes() >= limits.name_bytes {
            skipped.end = Some(End::Names(number));
            break;
        }
        number += 1;
        if whole
            && let Some(survey) = consumer.survey()
            && is_data(&line)
        {
            builder.count(1);
            survey.count(1);
            continue;
        }
        let mut text = String::from_utf8_lossy(&line);
        if number == 1 && text.starts_with('\u{feff}') {
            text = text['\u{feff}'.len_utf8()..].to_owned().into();
        }
        let text = text.trim();
        if text.is_empty() {
            continue;
        }
        if let Some(comment) = text.strip_prefix('#') {
            builder.comment(comment.trim());
            continue;
        }
        if builder.events() >= count(limits.events) {
            skipped.over_limit += 1;
            continue;
        }
        let problem = if whole {
            let problem = builder.event(text, number, consumer.survey().as_deref());
            builder.hand_over(consumer);
            if let Some(survey) = consumer.survey() {
                builder.teach(text, &mut known, survey);
            }
            problem.err()
        } else {
            Some(Malformed::Long(count(limits.line_bytes)))
        };
        if let Some(problem) = problem {
            if matches!(problem, Malformed::Operation(_)) {
                builder.unknown(text);
            }
            skipped.count(number, text, &problem);
            let first = skipped.first.get_or_insert((number, problem));
            if builder.lines() == 0 && skipped.lines >= GARBAGE_LINES_MAX {
                return Err(no_events(label, first.clone()));
            }
        }
    }
    match skipped.first {
        Some(first) if builder.lines() == 0 => Err(no_events(label, first)),
        _ => {
            let mut evidence = builder.finish(label);
            skipped.weaken(&mut evidence.runs[0], number);
            evidence.limits = skipped.sentences(label, limits);
            Ok(evidence)
        }
    }
}

fn no_events(label: &str, (line, problem): (u64, Malformed)) -> StdTextError {
    StdTextError::NoEvents {
        label: label.to_owned(),
        line,
        problem,
    }
}

/// Whether a line is an access to data.
fn is_data(line: &[u8]) -> bool {
    let operation = line.iter().position(|&byte| byte == b'|');
    let operation = operation.and_then(|at| line.get(at + 1..));
    operation.is_some_and(
        |operation| matches!(operation, [b'r' | b'w', b'(', rest @ ..] if rest.contains(&b')')),
    )
}

/// Reads one line into `line`, at most `bytes_max` of it; `Some(false)` if there was more.
fn next_line(
    reader: &mut impl BufRead,
    line: &mut Vec<u8>,
    bytes_max: usize,
) -> io::Result<Option<bool>> {
    line.clear();
    let mut whole = true;
    let mut some = false;
    loop {
        let buffer = match reader.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if buffer.is_empty() {
            return Ok(some.then_some(whole));
        }
        some = true;
        let end = buffer.iter().position(|&byte| byte == b'\n');
        let part = &buffer[..end.unwrap_or(buffer.len())];
        let room = bytes_max - line.len();
        whole &= part.len() <= room;
        line.extend_from_slice(&part[..part.len().min(room)]);
        let used = end.map_or(buffer.len(), |end| end + 1);
        reader.consume(used);
        if end.is_some() {
            return Ok(Some(whole));
        }
    }
}

/// What was left out.
#[derive(Debug, Default)]
struct Skipped {
    /// Lines that were not understood.
    lines: u64,
    /// The first of them.
    first: Option<(u64, Malformed)>,
    /// How many of them are not made as events are, and may have been any.
    holes: u64,
    /// The number of the last, and whether it is one of these.
    last: u64,
    last_is_hole: bool,
    /// Lines after the event limit.
    over_limit: u64,
    /// Why it was not read to its end.
    end: Option<End>,
}

/// Why a text was not read to its end.
#[derive(Debug)]
enum End {
    /// The source failed behind this line.
    Unreadable(u64, io::Error),
    /// There were too many names by this line.
    Names(u64),
}

impl Skipped {
    /// Counts a line that is not understood.
    fn count(&mut self, number: u64, text: &str, problem: &Malformed) {
        self.lines += 1;
        self.last = number;
        self.last_is_hole = match problem {
            Malformed::Operation(_) => false,
            // Without one nothing of an event is left: others may write there too.
            Malformed::Shape => text.contains('|'),
            Malformed::Argument { .. } | Malformed::Long(_) => true,
        };
        self.holes += u64::from(self.last_is_hole);
    }

    /// Tells the run, of so many lines, what is missing.
    fn weaken(&self, run: &mut Run, lines: u64) {
        // At the end of a text an event is cut off.
        let is_cut = self.lines > 0 && self.last == lines;
        run.holes += self.holes - u64::from(is_cut && self.last_is_hole);
        if is_cut || self.over_limit > 0 || self.end.is_some() {
            run.behind = Behind::Anything;
        }
    }

    /// What the report says about it.
    fn sentences(&self, label: &str, limits: &Limits) -> Vec<String> {
        let mut said = Vec::new();
        if let Some((line, problem)) = &self.first {
            let lines = counted(self.lines, "line");
            said.push(format!(
                "{label}: {lines} not understood and left out, the first is line {line}: {problem}"
            ));
        }
        if self.over_limit > 0 {
            said.push(format!(
                "{label}: {} after the first {} events left out (limit `events`)",
                counted(self.over_limit, "line"),
                limits.events
            ));
        }
        match &self.end {
            Some(End::Unreadable(line, error)) => said.push(format!(
                "{label}: it cannot be read further than line {line}: {error}"
            )),
            Some(End::Names(line)) => said.push(format!(
                "{label}: all after line {line} left out (limit `name-bytes`)"
            )),
            None => {}
        }
        said
    }
}

/// `1 line`, `2 lines`.
fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests;
