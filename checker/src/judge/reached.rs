//! Deadlocks over locks that the exhaustive search reached and no other rule has named.
//!
//! There are few: a cycle that is not the shortest through any of its edges, and one over locks that
//! lived one after the other in the order seen, but need not have. They are LW0003, LW0002 or LW0004
//! like those that the graph shows.

use std::collections::BTreeSet;

use lockwise::watch::Mode;

use super::case::{Case, RunCase, cycle_of};
use super::draft::{Draft, lock_use, resource_use, show, side};
use super::explore::Stuck;
use super::order_cycle::message;
use super::standing::standing;
use crate::cycles::canonical;
use crate::finding::{Basis, Certainty, Code, Side, Wants};
use crate::trace::{Held, LockId, Op};

pub(super) fn judge(case: &Case<'_>, drafts: &mut Vec<Draft>) {
    for run in &case.runs {
        let known: BTreeSet<Vec<LockId>> = drafts
            .iter()
            .filter(|draft| draft.certainty >= Certainty::Certain)
            .filter_map(|draft| draft.locks.as_ref())
            .filter(|(id, _)| *id == run.id)
            .map(|(_, locks)| {
                let objects = locks.iter().map(|lock| run.history.object[lock.at()]);
                canonical(objects.collect())
            })
            .collect();
        for stuck in run
            .found_already()
            .into_iter()
            .flat_map(|found| &found.stuck)
        {
            let objects = cycle_of(stuck).filter(|objects| !known.contains(objects));
            if let Some(objects) = objects
                && run.accepts(&stuck.schedule, &stuck.sides)
            {
                drafts.push(draft(case, run, stuck, objects));
            }
        }
    }
}

fn draft(case: &Case<'_>, run: &RunCase<'_>, stuck: &Stuck, objects: Vec<LockId>) -> Draft {
    let mut sides = sides(case, run, stuck);
    let mut queues = stuck.queues.iter();
    sides.retain(|_| queues.next() == Some(&false));
    let mut draft = Draft::new(Code::LockOrderCycle, Certainty::Certain, message(&sides));
    if let [side] = sides.as_slice() {
        let excluded = stuck.sides.len() == 1;
        draft.code = if excluded {
            Code::SelfDeadlock
        } else {
            Code::RecursiveRead
        };
        draft.message = format!("{} asks for a lock that it holds itself", side.thread);
    }
    draft.cycle = sides;
    match standing(run, &stuck.schedule, &stuck.sides) {
        Err(unseen) => {
            draft.certainty = Certainty::Possible;
            draft.basis = Some(Basis::SameInstances);
            draft.reasons.push(unseen);
        }
        Ok(schedule) => {
            show(&mut draft, run, &schedule);
            draft.reasons.push(
                "the schedule is a legal order of the observed events, and after it each side waits \
                 for the next"
                    .to_owned(),
            );
        }
    }
    draft
        .advice
        .push("take these locks in one order everywhere".to_owned());
    draft.locks = Some((run.id, objects));
    draft
}

/// The sides of a deadlock that the search reached, each with what the side before waits for.
pub(super) fn sides(case: &Case<'_>, run: &RunCase<'_>, stuck: &Stuck) -> Vec<Side> {
    let count = stuck.sides.len();
    let sides = stuck.sides.iter().enumerate();
    sides
        .map(|(at, &(thread, event))| {
            let held_for = stuck.locks[(at + count - 1) % count];
            let at_event = run.at_event(event);
            let held = at_event
                .iter()
                .rev()
                .find(|held| Some(run.history.object[held.lock.at()]) == held_for);
            let others = at_event.iter();
            let others = others.filter(|other| Some(other.lock) != held.map(|held| held.lock));
            Side {
                holds: held.map(|held| lock_use(case.evidence, run, held, None)),
                wants: wants(case, run, event),
                also_held: others
                    .map(|other| lock_use(case.evidence, run, other, None))
                    .collect(),
                ..side(case, run, thread)
            }
        })
        .collect()
}

/// What a thread waits for at an event.
fn wants(case: &Case<'_>, run: &RunCase<'_>, event: u32) -> Option<Wants> {
    let of = &run.run.events[event as usize];
    let (lock, mode) = match of.op {
        Op::Acquire { lock, mode, .. } | Op::Request { lock, mode } => (lock, mode),
        Op::Upgrade { lock } => (lock, Mode::Exclusive),
        _ => return resource_use(case, run, event).map(Wants::Resource),
    };
    let want = Held {
        lock,
        mode,
        site: of.site,
    };
    Some(Wants::Lock(lock_use(case.evidence, run, &want, None)))
}
