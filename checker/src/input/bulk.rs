//! Traces that are too long to be kept: read once for what was held at each request, and once more
//! for the events around what looks like a deadlock.
//!
//! The first pass ([`survey`]) keeps an edge per (lock held, lock wanted). If the locks lie on no cycle,
//! and there is no misuse and no wait under a lock, that is all. Else the second pass keeps the chains of
//! the locks on cycles or held in waits, as a log of level `order` has them, the waits, the misuse, and
//! *excerpts* ([`excerpt`]): stretches of the trace in which the sides of a cycle come close to each
//! other. An excerpt starts with made-up events that lead to the state at its start ([`prologue`]), so
//! it is a run of its own, and a schedule of it is one of the whole trace. Beside that it looks for proofs at
//! any distance ([`aside`]): schedules that leave out what some threads do from somewhere on.
//!
//! A third reading checks those that no excerpt has ([`recheck`]). All readings after the first see a wait
//! that a text tells in one line end where its thread goes on ([`late`]).
//!
//! What it cannot see: a deadlock whose sides are farther apart than [`Limits::window`] and that needs critical
//! sections to change places is not proved, and whether a wake-up can come too early is not looked at.
//! The report says so.

mod aside;
mod excerpt;
mod holdings;
mod late;
mod pairs;
mod prologue;
mod recheck;
mod scc;
mod second;
mod survey;

use rustc_hash::{FxHashMap, FxHashSet};

use self::recheck::Recheck;
use self::second::Second;
pub use self::survey::Survey;
use self::survey::Suspects;
use crate::limits::{Limits, count};
use crate::trace::{ClassId, Evidence, LockId, Run, RunId};

/// Events that a reader may pile up.
const CHUNK: usize = 65_536;

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
    /// A trace of at most so many events is kept whole.
    pub kept_max: u64,
    /// Whether, by its length, it has more events for sure or nearly so, and can be read twice.
    pub is_long: bool,
    /// Whether in its format a thread may take each lock that it holds.
    pub reentrant: bool,
    /// Whether no other run is judged together with it.
    pub is_alone: bool,
}

/// Keeps events while they are few, then surveys.
struct First<'l> {
    limits: &'l Limits,
    /// Events that are kept.
    kept: usize,
    reentrant: bool,
    survey: Option<Survey>,
}

impl<'l> First<'l> {
    fn new(kind: Kind<'_>, limits: &'l Limits) -> Self {
        let mut first = First {
            limits,
            kept: count(kind.kept_max),
            reentrant: kind.reentrant,
            survey: None,
        };
        if kind.is_long {
            first.begin();
        }
        first
    }

    fn begin(&mut self) {
        let pairs = count(self.limits.lock_pairs);
        self.survey = Some(Survey::new(pairs, self.reentrant));
    }
}

impl Consumer for First<'_> {
    fn take(&mut self, run: &mut Run) {
        if self.survey.is_none() && run.events.len() > self.kept {
            self.begin();
        }
        if let Some(survey) = &mut self.survey {
            survey.take_from(run);
        }
    }

    fn survey(&mut self) -> Option<&mut Survey> {
        self.survey.as_mut()
    }
}

/// What a first reading of a long trace has left to be looked at.
#[derive(Debug)]
pub struct Surveyed {
    suspects: Suspects,
    /// Pairs of a held and a wanted lock, one for each two classes: one by way of another these reach
    /// what all pairs reach. None if no other run is judged together with it.
    orders: Vec<(LockId, LockId)>,
    /// Whether there is misuse, or an end in which threads wait.
    is_odd: bool,
}

impl Surveyed {
    /// Has all orders of the trace taken for suspicious, and nothing proved.
    pub fn take_all_orders(&mut self) {
        self.suspects.across = vec![true; self.suspects.on_cycle.len()];
        self.suspects.objects.clear();
        self.suspects.waited_under.clear();
    }

    /// Whether a second reading has anything to look at.
    pub fn is_suspicious(&self) -> bool {
        let Suspects {
            on_cycle,
            across,
            waited_under,
            ..
        } = &self.suspects;
        self.is_odd
            || on_cycle.contains(&true)
            || across.contains(&true)
            || !waited_under.is_empty()
    }
}

/// What reads a trace; `None` if it was read before and cannot be read again.
pub type Reading<'r, E> = dyn FnMut(&mut dyn Consumer) -> Option<Result<Evidence, E>> + 'r;

/// Reads a trace: all of it, or what a first reading of a long one tells.
///
/// `read` reads it, and may be called again if it returns something else than `None` then.
///
/// # Errors
///
/// Whatever `read` returns.
///
/// # Panics
///
/// If `read` returns `None` at the first call.
pub fn first<E>(
    kind: Kind<'_>,
    limits: &Limits,
    read: &mut Reading<'_, E>,
) -> Result<(Evidence, Option<Surveyed>), E> {
    let label = kind.label;
    let mut consumer = First::new(kind, limits);
    let mut evidence = read(&mut consumer).expect("it was not read before")?;
    let Some(mut survey) = consumer.survey else {
        return Ok((evidence, None));
    };
    if survey.events <= kind.kept_max {
        // It was taken for longer than it is.
        let again = read(&mut Whole).unwrap_or(Ok(evidence))?;
        return Ok((again, None));
    }
    survey.finish();
    let run = &mut evidence.runs[0];
    run.events_seen = survey.events;
    run.events = std::mem::take(&mut survey.forks);
    let left_out = survey.left_out();
    if left_out > 0 {
        evidence.limits.push(format!(
            "{label}: {left_out} requests made pairs of locks beyond the first {}, which were left out \
             (limit `lock-pairs`)",
            limits.lock_pairs
        ));
    }
    if survey.has_conditions {
        evidence.limits.push(format!(
            "{label}: too long to be kept whole: whether a wake-up can come too early was not looked at \
             (limits `kept-events`, `kept-log-events`, `search-events`)"
        ));
    }
    if survey.has_waits {
        evidence.limits.push(format!(
            "{label}: too long to be kept whole: circles of waits for conditions, barriers, semaphores or ends of \
             threads were looked for only where whoever ends a wait asks for a lock that is held during it \
             (limits `kept-events`, `kept-log-events`)"
        ));
    }
    let suspects = survey.suspects(run);
    let orders = if kind.is_alone {
        Vec::new()
    } else {
        survey.orders(run)
    };
    let surveyed = Surveyed {
        orders,
        is_odd: survey.misused || survey.is_stuck(),
        suspects,
    };
    Ok((evidence, Some(surveyed)))
}

/// Notes, of long runs, the locks that lie on a cycle only together with other runs: the orders of
/// classes in all of them make one graph. The runs are those of `evidence`, by number.
pub fn across(evidence: &Evidence, long: &mut [(RunId, &mut Surveyed)]) {
    if long.is_empty() || evidence.runs.len() < 2 {
        return;
    }
    let class = |run: &Run, lock: LockId| run.locks[lock.at()].class;
    let mut orders: Vec<(ClassId, ClassId)> = Vec::new();
    for (at, run) in evidence.runs.iter().enumerate() {
        let classes = |&(held, want): &(LockId, LockId)| (class(run, held), class(run, want));
        match long.iter().find(|(id, _)| id.at() == at) {
            Some((_, surveyed)) => orders.extend(surveyed.orders.iter().map(classes)),
            None => orders.extend(survey::orders_of(run).iter().map(classes)),
        }
    }
    orders.retain(|(held, want)| held != want);
    orders.sort_unstable();
    orders.dedup();
    let edges = orders.iter().map(|&(held, want)| (held.0, want.0));
    let on_cycle = scc::on_cycle(&scc::Rows::new(evidence.classes.len(), edges));
    for (id, surveyed) in long {
        let run = &evidence.runs[id.at()];
        let is_on = |lock: LockId| on_cycle[class(run, lock).at()];
        // It must have an order on a cycle, and one that is on none of its own.
        let own = &surveyed.suspects.on_cycle;
        let fresh = |lock: LockId| !own.get(lock.at()).copied().unwrap_or(false);
        let mut orders = surveyed.orders.iter();
        if orders.any(|&(held, want)| is_on(held) && is_on(want) && (fresh(held) || fresh(want))) {
            let locks = (0..run.locks.len()).map(LockId::from);
            surveyed.suspects.across = locks.map(is_on).collect();
        }
    }
}

/// Reads a long trace once more, for what is suspicious, and a third time if there are proofs at a
/// distance to be checked; `None` if it cannot be read twice, which the
/// limits of `evidence` then say.
///
/// # Errors
///
/// Whatever `again` returns.
pub fn second<E>(
    label: &str,
    limits: &Limits,
    surveyed: Surveyed,
    events_seen: u64,
    again: &mut Reading<'_, E>,
) -> Option<Result<Evidence, E>> {
    let mut second = Second::new(surveyed.suspects, limits);
    let mut reread = match again(&mut second)? {
        Ok(reread) => reread,
        Err(error) => return Some(Err(error)),
    };
    second.take_rest(&mut reread.runs[0]);
    reread.runs[0].events_seen = events_seen;
    // The first reading has said that.
    reread.limits.clear();
    let far = second.far_proofs();
    second.finish(label, &mut reread);
    if !far.is_empty() && reread.runs[0].are_starts_seen() {
        let mut recheck = Recheck::new(far);
        if let Some(Ok(mut checked)) = again(&mut recheck) {
            recheck.take_rest(&mut checked.runs[0]);
            let (parts, refused) = recheck.finish(&reread.runs[0]);
            reread.excerpts.extend(parts);
            if refused > 0 {
                reread.limits.push(format!(
                    "{label}: {refused} proofs at a distance not accepted by their check"
                ));
            }
        }
    }
    Some(Ok(reread))
}

/// What is said of a long trace that is suspicious and cannot be read twice.
pub fn read_once(label: &str) -> String {
    format!(
        "{label}: it can be read only once, so its lock-order cycles, waits under locks and wrong uses \
         of locks were not judged: give the trace as a file"
    )
}

/// Reads one trace, and if it is long and suspicious once more. `read` returns `None` if it is called
/// again and cannot.
///
/// # Errors
///
/// Whatever `read` returns.
///
/// # Panics
///
/// If `read` returns `None` at the first call.
pub fn read<E>(
    kind: Kind<'_>,
    limits: &Limits,
    mut read: impl FnMut(&mut dyn Consumer) -> Option<Result<Evidence, E>>,
) -> Result<Evidence, E> {
    let (mut evidence, surveyed) = first(kind, limits, &mut read)?;
    let Some(surveyed) = surveyed.filter(Surveyed::is_suspicious) else {
        return Ok(evidence);
    };
    let events_seen = evidence.runs[0].events_seen;
    let Some(reread) = second(kind.label, limits, surveyed, events_seen, &mut read) else {
        evidence.limits.push(read_once(kind.label));
        return Ok(evidence);
    };
    let mut reread = reread?;
    evidence.limits.append(&mut reread.limits);
    reread.limits = evidence.limits;
    Ok(reread)
}

#[cfg(test)]
mod tests;
