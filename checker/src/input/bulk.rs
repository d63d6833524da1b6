//! Traces that are too long to be kept: read once for what was held at each request, and once more
//! for the events around what looks like a deadlock.
//!
//! The first pass ([`survey`]) keeps an edge per (lock held, lock wanted). If the locks lie on no cycle,
//! and there is no misuse and no wait under a lock, that is all. Else the second pass keeps the chains of
//! the locks on cycles or held in waits, as a log of level `order` has them, the waits, the misuse, and
//! *excerpts*: stretches of the trace in which the sides of a cycle come close to each
//! other. An excerpt starts with made-up events that lead to the state at its start ([`excerpt`]), so
//! it is a run of its own, and a schedule of it is one of the whole trace.
//!
//! What it cannot see: a deadlock whose sides are farther apart than [`Limits::window`] is not proved, and
//! whether a wake-up can come too early is not looked at. The report says so.

mod excerpt;
mod holdings;
mod pairs;
mod scc;
mod second;
mod survey;

use rustc_hash::{FxHashMap, FxHashSet};

use self::second::Second;
pub use self::survey::Survey;
use crate::trace::{Evidence, Run};

/// How much is kept of a long trace.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// A trace of at most so many events is kept whole. An event takes some 150 bytes in all.
    pub events_max: usize,
    /// Pairs of a held and a wanted lock that are kept; some 20 bytes each.
    pub edges_max: usize,
    /// Distinct chains on cycles that are kept; some 100 bytes each.
    pub chains_max: usize,
    /// How far apart the sides of a cycle may be, in events.
    pub window: usize,
    /// Events of all excerpts.
    pub excerpts_max: usize,
}

impl Default for Limits {
    /// Some 800 megabytes at the very most.
    fn default() -> Self {
        Limits {
            events_max: 500_000,
            edges_max: 20_000_000,
            chains_max: 1_000_000,
            window: 400_000,
            excerpts_max: 1_500_000,
        }
    }
}

/// Where the events of a trace go as they are read.
pub trait Consumer {
    /// Takes what a reader has appended to the run so far out of it, if it wants to.
    fn take(&mut self, run: &mut Run);

    /// Where a reader is to tell the commonest operations directly, so that no events are made of them;
    /// accesses to data are only counted there. `None` if all events are asked for.
    fn survey(&mut self) -> Option<&mut Survey> {
        None
    }
}

/// Leaves all events in the run.
#[derive(Debug)]
pub struct Whole;

impl Consumer for Whole {
    fn take(&mut self, _: &mut Run) {}
}

/// What is to be read, beside its bytes.
#[derive(Debug, Clone, Copy)]
pub struct Kind<'a> {
    /// What it is called.
    pub label: &'a str,
    /// Whether, by its length, it has more than [`Limits::events_max`] events for sure or nearly so, and
    /// can be read twice.
    pub is_long: bool,
    /// Whether in its format a thread may take each lock that it holds.
    pub reentrant: bool,
}

/// Keeps events while they are few, then surveys.
struct First<'l> {
    limits: &'l Limits,
    reentrant: bool,
    survey: Option<Survey>,
}

impl Consumer for First<'_> {
    fn take(&mut self, run: &mut Run) {
        if self.survey.is_none() && run.events.len() > self.limits.events_max {
            self.survey = Some(Survey::new(self.limits.edges_max, self.reentrant));
        }
        if let Some(survey) = &mut self.survey {
            survey.take_from(run);
        }
    }

    fn survey(&mut self) -> Option<&mut Survey> {
        self.survey.as_mut()
    }
}

/// Reads a trace with `first`, and if it is too long and suspicious again with `again`, which returns
/// `None` if it cannot be read twice.
///
/// # Errors
///
/// Whatever `first` or `again` returns.
pub fn read<E>(
    kind: Kind<'_>,
    limits: &Limits,
    first: impl FnOnce(&mut dyn Consumer) -> Result<Evidence, E>,
    again: impl FnOnce(&mut dyn Consumer) -> Option<Result<Evidence, E>>,
) -> Result<Evidence, E> {
    let label = kind.label;
    let survey = || Survey::new(limits.edges_max, kind.reentrant);
    let mut consumer = First {
        limits,
        reentrant: kind.reentrant,
        survey: kind.is_long.then(survey),
    };
    let mut evidence = first(&mut consumer)?;
    let Some(mut survey) = consumer.survey else {
        return Ok(evidence);
    };
    if survey.events <= limits.events_max as u64 {
        // It was taken for longer than it is.
        return again(&mut Whole).unwrap_or(Ok(evidence));
    }
    let run = &mut evidence.runs[0];
    run.events_seen = survey.events;
    run.events = std::mem::take(&mut survey.forks);
    let left_out = survey.left_out();
    if left_out > 0 {
        evidence.limits.push(format!(
            "{label}: {left_out} requests made pairs of locks beyond the limit of {}, which were left out",
            limits.edges_max
        ));
    }
    let suspects = survey.suspects(run);
    let is_plain = survey.is_plain;
    if survey.has_conditions {
        evidence.limits.push(format!(
            "{label}: too long to be kept whole: whether a wake-up can come too early was not looked at"
        ));
    }
    let on_cycle = suspects.on_cycle.contains(&true);
    let looked_through = !on_cycle && suspects.waited_under.is_empty();
    if looked_through && !survey.misused && !survey.is_stuck() {
        return Ok(evidence);
    }
    drop(survey);
    let mut second = Second::new(suspects, limits);
    let Some(reread) = again(&mut second) else {
        evidence.limits.push(format!(
            "{label}: it can be read only once, so its lock-order cycles, waits under locks and wrong uses \
             of locks were not judged: give the trace as a file"
        ));
        return Ok(evidence);
    };
    // The second reading has met threads and sites that have to do with data alone.
    let mut reread = reread?;
    second.take_all(&mut reread.runs[0]);
    reread.runs[0].events_seen = evidence.runs[0].events_seen;
    reread.limits = evidence.limits;
    second.finish(label, is_plain, &mut reread);
    Ok(reread)
}

#[cfg(test)]
mod tests;
