//! LW0001: a run that ended with threads waiting for each other; LW0002 where one waits for itself.
//!
//! It takes a recorded request that was never answered, so this needs inputs that record requests.

use std::collections::{BTreeMap, BTreeSet};

use super::case::{Case, RunCase};
use super::draft::{Draft, also_held, lock_use, side};
use crate::finding::{Certainty, Code, Side, Wants};
use crate::history::Pending;
use crate::trace::{Held, LockId, ThreadId};
use lockwise::watch::Mode;

pub(super) fn judge(case: &Case<'_>, drafts: &mut Vec<Draft>) {
    for run in &case.runs {
        drafts.extend(cycles(run).iter().map(|cycle| draft(case, run, cycle)));
    }
}

/// A request, and the hold of the next thread that keeps it waiting.
type Blocked<'a> = (&'a Pending, Held);

/// The cycles among requests unanswered at the end, each thread in one at most.
fn cycles<'a>(run: &'a RunCase<'_>) -> Vec<Vec<Blocked<'a>>> {
    let pending: BTreeMap<ThreadId, &Pending> = run
        .history
        .pending
        .iter()
        .map(|pending| (pending.thread, pending))
        .collect();
    let mut holders: BTreeMap<LockId, Vec<(ThreadId, Held)>> = BTreeMap::new();
    for (thread, held) in &run.history.at_end {
        for held in held {
            let of_lock = holders.entry(held.lock).or_default();
            of_lock.push((*thread, *held));
        }
    }
    let waits = |pending: &Pending| -> Vec<(ThreadId, Held)> {
        let holders = holders.get(&pending.want.lock).into_iter().flatten();
        holders
            .filter(|(holder, held)| {
                let reenters = *holder == pending.thread && held.mode == Mode::Reentrant;
                held.mode.excludes(pending.want.mode) && !reenters
            })
            .copied()
            .collect()
    };
    let mut found = Vec::new();
    let mut done = BTreeSet::new();
    for &start in pending.keys() {
        if done.contains(&start) {
            continue;
        }
        // Breadth-first over those who wait: the shortest way back to the start.
        let mut before: BTreeMap<ThreadId, (ThreadId, Held)> = BTreeMap::new();
        let mut row = vec![start];
        while !row.is_empty() && !before.contains_key(&start) {
            let mut next_row = Vec::new();
            for thread in row {
                for (holder, held) in waits(pending[&thread]) {
                    if pending.contains_key(&holder) && !before.contains_key(&holder) {
                        before.insert(holder, (thread, held));
                        next_row.push(holder);
                    }
                }
            }
            row = next_row;
        }
        let mut cycle = Vec::new();
        let mut here = start;
        while let Some(&(thread, held)) = before.get(&here) {
            cycle.push((pending[&thread], held));
            here = thread;
            if here == start {
                break;
            }
        }
        if here == start && !cycle.is_empty() {
            cycle.reverse();
            done.extend(cycle.iter().map(|(pending, _)| pending.thread));
            found.push(cycle);
        }
    }
    found
}

fn draft(case: &Case<'_>, run: &RunCase<'_>, cycle: &[Blocked<'_>]) -> Draft {
    let code = match cycle.len() {
        1 => Code::SelfDeadlock,
        _ => Code::Deadlock,
    };
    let label = |pending: &Pending| run.run.threads[pending.thread.at()].label.clone();
    let name = |lock: LockId| run.run.locks[lock.at()].label.clone();
    let sides: Vec<String> = cycle
        .iter()
        .map(|(pending, _)| format!("{} waits for {}", label(pending), name(pending.want.lock)))
        .collect();
    let message = match cycle {
        [(pending, _)] => format!(
            "{} was left waiting for {}, which it holds itself",
            label(pending),
            name(pending.want.lock)
        ),
        _ => format!(
            "the run ended with threads waiting for each other: {}",
            super::draft::listed(&sides)
        ),
    };
    let mut draft = Draft::new(code, Certainty::Actual, message);
    for (at, (pending, _)) in cycle.iter().enumerate() {
        // What this side holds is what the side before waits for.
        let (_, held) = cycle[(at + cycle.len() - 1) % cycle.len()];
        draft.cycle.push(Side {
            holds: Some(lock_use(case.evidence, run, &held, None)),
            wants: Some(Wants::Lock(lock_use(
                case.evidence,
                run,
                &pending.want,
                None,
            ))),
            also_held: also_held(case.evidence, run, pending.chain, Some(held.lock)),
            ..side(case, run, pending.thread)
        });
    }
    draft
        .reasons
        .push("these requests were never answered".to_owned());
    draft.advice.push(match cycle.len() {
        1 => "release the first guard before, or pass it on instead of locking again".to_owned(),
        _ => "take these locks in one order everywhere".to_owned(),
    });
    let locks = cycle.iter().map(|(pending, _)| pending.want.lock);
    draft.locks = Some((run.id, crate::cycles::canonical(locks.collect())));
    draft
}
