//! Whether a proof may leave out what a thread waited for.
//!
//! A mutex with which somebody waits for a condition protects what that condition is about. A thread that has looked at
//! it and went on may have done so only because of the turns that others had there before, and a schedule that leaves
//! such a turn of one of its sides out may be one that the program cannot take: a count of threads that are through is
//! not at zero then, although the last of them has notified.
//!
//! What it cannot see: a condition with which nobody had to wait, in any instance of its class.

use std::collections::{BTreeMap, BTreeSet};

use super::case::RunCase;
use super::witness::Step;
use crate::trace::{LockId, Op, ThreadId};

/// Why the schedule proves nothing, if a side has yet to take a turn with a condition that another thread has looked at
/// after it in the run. A complete trace says itself what orders its threads.
pub(super) fn conditioned(
    run: &RunCase<'_>,
    schedule: &[Step],
    sides: &[(ThreadId, u32)],
) -> Option<String> {
    if run.run.complete {
        return None;
    }
    let class = |lock: LockId| run.run.locks[lock.at()].class;
    let waits = run.run.events.iter().filter_map(|event| match event.op {
        Op::WaitBegin { lock, .. } => Some(class(run.history.object[lock.at()])),
        _ => None,
    });
    let conditions: BTreeSet<_> = waits.collect();
    // A lock of the circle itself is another matter: its turns are what the circle is about.
    let lock_at = |event: u32| match run.run.events[event as usize].op {
        Op::Acquire { lock, .. } | Op::WaitEnd { lock, .. } | Op::Request { lock, .. } => {
            Some(run.history.object[lock.at()])
        }
        _ => None,
    };
    let wanted: BTreeSet<LockId> = sides.iter().filter_map(|side| lock_at(side.1)).collect();
    let mut done = vec![0_u32; run.run.threads.len()];
    for step in schedule {
        done[step.thread.at()] += 1;
    }
    // From the end of the run: who of the schedule has looked at each condition since.
    let mut looked: BTreeMap<LockId, BTreeSet<ThreadId>> = BTreeMap::new();
    let events = u32::try_from(run.run.events.len()).unwrap_or(u32::MAX);
    for at in (0..events).rev() {
        let Some(object) = lock_at(at) else {
            continue;
        };
        if !conditions.contains(&class(object)) || wanted.contains(&object) {
            continue;
        }
        let thread = run.run.events[at as usize].thread;
        let since = looked.entry(object).or_default();
        if run.timeline().before(at) < done[thread.at()] {
            since.insert(thread);
            continue;
        }
        let is_side = sides.iter().any(|&(side, _)| side == thread);
        let other = since.iter().find(|other| **other != thread);
        if let (true, Some(other)) = (is_side, other) {
            let label = |of: ThreadId| &run.run.threads[of.at()].label;
            return Some(format!(
                "thread {} looked at a condition after thread {} had had its turn there; in such \
                 a schedule it would before, and that turn may be what it waited for",
                label(*other),
                label(thread)
            ));
        }
    }
    None
}
