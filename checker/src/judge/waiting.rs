//! LW0006: a wait for a thread, condition, barrier or semaphore that closes a circle.
//!
//! Small runs are searched exhaustively, and what that finds is certain. Where it was cut short,
//! each wait under a lock is looked at on its own: if the thread that would end the wait first asks
//! for that lock, it is a finding, and certain if a schedule can be made for it.
//!
//! So is each wait with a deadline, in runs of any size. It ends by itself, so that is a risk and no deadlock:
//! never more than possible.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::case::{Case, Proof, RunCase, Search, cycle_of};
use super::closure::Goal;
use super::conditioned::conditioned;
use super::draft::{Draft, also_held, lock_use, resource_use, show, side};
use super::explore::Stuck;
use super::reached::sides;
use super::standing::standing;
use super::witness::Step;
use crate::finding::{Basis, Certainty, Code, ResourceUse, Side, Wants};
use crate::history::{ChainId, Dependency, HeldWait};
use crate::trace::{Ask, Held, LockId, Op, ResourceId, RunId, ThreadId};

pub(super) fn judge(case: &Case<'_>, drafts: &mut Vec<Draft>) {
    for run in case.runs.iter().filter(|run| run.has_waits()) {
        let found = run.found();
        for stuck in found.into_iter().flat_map(|found| &found.stuck) {
            if cycle_of(stuck).is_none() {
                drafts.extend(reached(case, run, stuck));
            }
        }
        if !found.is_some_and(|found| found.complete) {
            let wakers = wakers(run);
            let waits: Vec<(RunId, &HeldWait)> = run
                .history
                .held_waits
                .iter()
                .map(|wait| (run.id, wait))
                .collect();
            let under_lock = |search: &mut Search<'_, '_>, wait: &&HeldWait| {
                under_lock(case, search, wait, &wakers)
            };
            drafts.extend(case.each(&waits, under_lock).into_iter().flatten());
        }
    }
    for run in &case.runs {
        let conditions = run.history.held_waits.iter();
        let conditions = conditions.filter(|wait| is_timed(run, wait));
        let mut waits = conditions.chain(&run.history.timed_waits).peekable();
        if waits.peek().is_some() {
            let wakers = wakers(run);
            drafts.extend(waits.filter_map(|wait| until_deadline(case, run, wait, &wakers)));
        }
    }
}

/// A deadlock that the exhaustive search reached.
fn reached(case: &Case<'_>, run: &RunCase<'_>, stuck: &Stuck) -> Option<Draft> {
    if !run.accepts(&stuck.schedule, &stuck.sides) {
        return None;
    }
    let mut draft = draft(sides(case, run, stuck));
    match proved(run, &stuck.schedule, &stuck.sides) {
        Ok(schedule) => certain(&mut draft, run, &schedule),
        Err(unseen) => {
            draft.basis = Some(Basis::SameInstances);
            draft.reasons.push(unseen);
        }
    }
    Some(draft)
}

/// The schedule that proves such a circle, or why there is none.
fn proved(
    run: &RunCase<'_>,
    schedule: &[Step],
    sides: &[(ThreadId, u32)],
) -> Result<Vec<Step>, String> {
    match conditioned(run, schedule, sides) {
        Some(why) => Err(why),
        None => standing(run, schedule, sides),
    }
}

fn certain(draft: &mut Draft, run: &RunCase<'_>, schedule: &[Step]) {
    draft.certainty = Certainty::Certain;
    draft.basis = None;
    draft.reasons = vec![
        "the schedule is a legal order of the observed events, and after it each side waits for \
         the next"
            .to_owned(),
    ];
    show(draft, run, schedule);
}

fn draft(sides: Vec<Side>) -> Draft {
    let told: Vec<String> = sides
        .iter()
        .map(|side| {
            let waits = match &side.wants {
                Some(Wants::Lock(lock)) => lock.lock.clone(),
                Some(Wants::Resource(resource)) => told(resource),
                None => "something".to_owned(),
            };
            match &side.holds {
                Some(holds) => {
                    format!("{} holds {} and waits for {waits}", side.thread, holds.lock)
                }
                None => format!("{} waits for {waits}", side.thread),
            }
        })
        .collect();
    let message = format!("threads wait in a circle: {}", told.join("; "));
    let mut draft = Draft::new(Code::WaitWhileHolding, Certainty::Possible, message);
    draft.cycle = sides;
    draft.advice.push(
        "release the lock before the wait, or let whoever ends the wait do so without that lock"
            .to_owned(),
    );
    draft
}

/// `the end of T1`, `condition C`.
fn told(resource: &ResourceUse) -> String {
    match resource.resource.as_str() {
        "join" => format!("the end of {}", resource.name),
        "condvar" => format!("condition {}", resource.name),
        "park" => "its unparking".to_owned(),
        other => format!("{other} {}", resource.name),
    }
}

/// What ends a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Waker {
    Notify(ResourceId),
    Arrive(ResourceId),
    Post(ResourceId),
}

/// Per resource and thread, the last event that ends waits for it.
type Wakers = HashMap<Waker, BTreeMap<ThreadId, u32>>;

fn wakers(run: &RunCase<'_>) -> Wakers {
    let mut wakers = Wakers::new();
    for (at, event) in (0..).zip(&run.run.events) {
        let waker = match event.op {
            Op::Notify { condvar } | Op::NotifyAll { condvar } => Waker::Notify(condvar),
            Op::Barrier { barrier, .. } => Waker::Arrive(barrier),
            Op::Post { semaphore } => Waker::Post(semaphore),
            _ => continue,
        };
        wakers.entry(waker).or_default().insert(event.thread, at);
    }
    wakers
}

/// The threads that must end before `child` does: itself, and whom it joins, and whom these join.
fn joined(run: &RunCase<'_>, child: ThreadId) -> Vec<(ThreadId, u32)> {
    let mut all = BTreeSet::from([child]);
    let mut open = vec![child];
    while let Some(thread) = open.pop() {
        for &event in &run.timeline().events_of[thread.at()] {
            if let Op::Join { child } = run.run.events[event as usize].op
                && all.insert(child)
            {
                open.push(child);
            }
        }
    }
    all.into_iter().map(|thread| (thread, u32::MAX)).collect()
}

/// A wait under a lock that the thread which ends the wait asks for first.
fn under_lock(
    case: &Case<'_>,
    search: &mut Search<'_, '_>,
    wait: &HeldWait,
    wakers: &Wakers,
) -> Option<Draft> {
    let run = search.case;
    if is_timed(run, wait) {
        return None;
    }
    let (held, asks) = asked_for(run, wait, wakers)?;
    let mut draft = of_two(case, run, wait, held, asks);
    let proof = prove(search, wait, asks);
    match proof.map(|proof| proved(run, &proof.schedule, &proof.sides)) {
        Some(Ok(schedule)) => certain(&mut draft, run, &schedule),
        unproved => {
            draft.basis = Some(Basis::SameInstances);
            draft.reasons.push(
                "the lock is held during the wait, and the thread that ends the wait asks for it; \
                 whether the observed events can end so is open"
                    .to_owned(),
            );
            draft.reasons.extend(unproved.and_then(Result::err));
        }
    }
    Some(draft)
}

/// A wait under such a lock that has a deadline.
fn until_deadline(
    case: &Case<'_>,
    run: &RunCase<'_>,
    wait: &HeldWait,
    wakers: &Wakers,
) -> Option<Draft> {
    let (held, asks) = asked_for(run, wait, wakers)?;
    let mut draft = of_two(case, run, wait, held, asks);
    draft.message = draft.message.replacen(
        "threads wait in a circle",
        "threads can wait in a circle until a deadline",
        1,
    );
    draft.basis = Some(Basis::SameInstances);
    draft.reasons.push(
        "the lock is held during the wait, and the thread that would end the wait asks for it: \
         the wait is in vain then, and both go on at its deadline"
            .to_owned(),
    );
    Some(draft)
}

/// Whether a wait ends at a deadline.
fn is_timed(run: &RunCase<'_>, wait: &HeldWait) -> bool {
    matches!(
        run.run.events[wait.event as usize].op,
        Op::WaitBegin { timed: true, .. } | Op::PendTimed { .. }
    )
}

/// The lock held during a wait that the thread which ends the wait asks for first, and that request.
fn asked_for<'a>(
    run: &'a RunCase<'_>,
    wait: &HeldWait,
    wakers: &Wakers,
) -> Option<(Held, &'a Dependency)> {
    let event = &run.run.events[wait.event as usize];
    let of = |waker| {
        let found = wakers.get(&waker).into_iter().flatten();
        found.map(|(&thread, &at)| (thread, at)).collect()
    };
    // The threads that end the wait, and by when they have done so.
    let wakers: Vec<(ThreadId, u32)> = match event.op {
        Op::Join { child } => joined(run, child),
        Op::WaitBegin { condvar, .. } => of(Waker::Notify(condvar)),
        Op::Barrier { barrier, .. } => of(Waker::Arrive(barrier)),
        Op::Pend {
            semaphore,
            ask: Ask::Wait,
        }
        | Op::PendTimed { semaphore } => of(Waker::Post(semaphore)),
        _ => return None,
    };
    let held: BTreeMap<LockId, Held> = run
        .history
        .chain(wait.chain)
        .map(|(_, link)| (link.held.lock, link.held))
        .collect();
    let others = wakers.iter().filter(|(waker, _)| *waker != event.thread);
    others
        .filter_map(|&(waker, by)| {
            let mut asks = run.requests_of(waker).filter(|dependency| {
                let first = dependency.first() < by;
                let other = (event.thread, wait.stretch);
                let held = held.get(&dependency.want.lock);
                let stretches = &run.history.stretches;
                first
                    && held.is_some_and(|held| held.mode.excludes(dependency.want.mode))
                    && stretches
                        .ordered((waker, dependency.stretch), other)
                        .is_none()
            });
            asks.next()
        })
        .map(|asks| (held[&asks.want.lock], asks))
        .next()
}

/// A wait under a lock, and the request of whoever would end it.
fn of_two(
    case: &Case<'_>,
    run: &RunCase<'_>,
    wait: &HeldWait,
    held: Held,
    asks: &Dependency,
) -> Draft {
    let event = &run.run.events[wait.event as usize];
    let waiting = resource_use(case, run, wait.event);
    let others = |chain: ChainId, but| also_held(case.evidence, run, chain, but);
    draft(vec![
        Side {
            holds: Some(lock_use(case.evidence, run, &held, None)),
            wants: waiting.map(Wants::Resource),
            also_held: others(wait.chain, Some(held.lock)),
            ..side(case, run, event.thread)
        },
        Side {
            wants: Some(Wants::Lock(lock_use(
                case.evidence,
                run,
                &asks.want,
                Some(asks.class),
            ))),
            also_held: others(asks.chain, None),
            ..side(case, run, asks.thread)
        },
    ])
}

fn prove(search: &mut Search<'_, '_>, wait: &HeldWait, asks: &Dependency) -> Option<Proof> {
    let run = search.case;
    let event = &run.run.events[wait.event as usize];
    let own = match event.op {
        // The thread sleeps once the wait has begun: it stands before the end of it.
        Op::WaitBegin { .. } => run.event_after(wait.event)?,
        _ => wait.event,
    };
    let goals = [
        Goal {
            thread: event.thread,
            events: &[own],
        },
        Goal {
            thread: asks.thread,
            events: &asks.events,
        },
    ];
    let arrives: BTreeSet<ThreadId> = match event.op {
        Op::Barrier { .. } => BTreeSet::from([event.thread]),
        _ => BTreeSet::new(),
    };
    search.meet(&goals, &arrives)
}
