//! Whether a proof stands although the start of a thread, or what woke it, was not seen.
//!
//! Threads that the standard library is not asked for (those of a test harness, of a C library) are
//! first seen when they take a lock. Something may have had to happen before they were started, and
//! a schedule cannot respect what nobody recorded. It stands all the same if nothing of that sort can
//! matter: if all sides descend from *one* such thread, which together are a family, the rest of the
//! schedule can be put before the family's first step, and nobody outside ever waits for anything
//! while holding a lock that the family takes in the schedule. Whatever had to happen before the
//! first start has then happened, or can happen, and the family is on its own.
//!
//! A thread that came back from parking and was unparked by nobody that was seen is given no proof of
//! what it did then.
//!
//! Of an input with places that are not understood nothing is proved: each may have been what keeps the sides
//! apart.
//!
//! Sides of two families are never proved: a harness starts a test when another has ended, or not,
//! as it likes. A side whose family begins at the start of the program needs none of this.
//!
//! What it cannot see: a thread that the family starts behind our back and whose sections the schedule
//! contains. That is order forced by what is not watched, which no proof knows of.

use std::collections::BTreeSet;

use super::case::RunCase;
use super::timeline::NONE;
use super::witness::Step;
use crate::trace::{LockId, Op, ResourceId, ThreadId};

/// The schedule that stands for `schedule`, with the same last requests; or why there is none.
pub(super) fn standing(
    run: &RunCase<'_>,
    schedule: &[Step],
    sides: &[(ThreadId, u32)],
) -> Result<Vec<Step>, String> {
    if let Some(why) = woken_unseen(run, schedule, sides) {
        return Err(why);
    }
    if run.run.holes > 0 {
        return Err(format!(
            "{} of the input not understood, and that may be what keeps the sides apart",
            match run.run.holes {
                1 => "one place is".to_owned(),
                holes => format!("{holes} places are"),
            }
        ));
    }
    let tops: BTreeSet<ThreadId> = sides.iter().map(|&(thread, _)| top(run, thread)).collect();
    let Some(&unseen) = tops
        .iter()
        .find(|top| !run.run.threads[top.at()].start_seen)
    else {
        return Ok(schedule.to_vec());
    };
    let why = || {
        format!(
            "the start of thread {} was not seen, so what it does may be ordered in a way that is not recorded",
            run.run.threads[unseen.at()].label
        )
    };
    if tops.len() > 1 {
        return Err(why());
    }
    let family: Vec<bool> = (0..run.run.threads.len())
        .map(|thread| top(run, ThreadId::from(thread)) == unseen)
        .collect();
    let (own, others): (Vec<Step>, Vec<Step>) =
        schedule.iter().partition(|step| family[step.thread.at()]);
    let schedule: Vec<Step> = others.into_iter().chain(own).collect();
    if run.accepts(&schedule, sides) && is_alone(run, &family, &schedule, sides) {
        Ok(schedule)
    } else {
        Err(why())
    }
}

/// Why there is no proof, if a thread of the schedule was woken by what is not watched before it is
/// through with it.
fn woken_unseen(run: &RunCase<'_>, schedule: &[Step], sides: &[(ThreadId, u32)]) -> Option<String> {
    if run.run.woken_unseen.is_empty() {
        return None;
    }
    let mut steps = vec![0_usize; run.run.threads.len()];
    for step in schedule {
        steps[step.thread.at()] += 1;
    }
    // A side has come back too when it stands before its last request.
    for (thread, _) in sides {
        steps[thread.at()] += 1;
    }
    let events_of = &run.timeline().events_of;
    let (thread, _) = run.run.woken_unseen.iter().find(|&&(thread, before)| {
        let events = &events_of[thread.at()][..steps[thread.at()]];
        events.last().is_some_and(|&last| last as usize >= before)
    })?;
    Some(format!(
        "thread {} was parked and came back, and nobody was seen to unpark it: it may have waited for \
         what is not recorded",
        run.run.threads[thread.at()].label
    ))
}

/// The thread from which one descends, as far as starts were seen.
fn top(run: &RunCase<'_>, mut thread: ThreadId) -> ThreadId {
    let forked_by = &run.timeline().forked_by;
    // A thread is started once, and by one that was started before.
    for _ in 0..run.run.threads.len() {
        match forked_by[thread.at()] {
            NONE => break,
            fork => thread = run.run.events[fork as usize].thread,
        }
    }
    thread
}

/// Whether nobody outside the family keeps it from these steps for longer than a section that waits
/// for nothing.
fn is_alone(
    run: &RunCase<'_>,
    family: &[bool],
    schedule: &[Step],
    sides: &[(ThreadId, u32)],
) -> bool {
    let timeline = run.timeline();
    let mut locks: BTreeSet<LockId> = BTreeSet::new();
    let mut resources: BTreeSet<ResourceId> = BTreeSet::new();
    let mut done = vec![0_usize; family.len()];
    let steps = schedule.iter().map(|step| {
        let at = &mut done[step.thread.at()];
        *at += 1;
        (step.thread, timeline.events_of[step.thread.at()][*at - 1])
    });
    let steps: Vec<(ThreadId, u32)> = steps.collect();
    let own = steps.iter().filter(|(thread, _)| family[thread.at()]);
    for &(_, event) in own.chain(sides) {
        let op = &run.run.events[event as usize].op;
        locks.extend(lock_of(op).map(|lock| run.history.object[lock.at()]));
        resources.extend(op.resource());
    }
    let holds = |chain| {
        let mut links = run.history.chain(chain);
        links.any(|(_, link)| locks.contains(&run.history.object[link.held.lock.at()]))
    };
    let outside = |thread: ThreadId| !family[thread.at()];
    let mut requests = run.history.dependencies.iter();
    let mut waits = run.history.held_waits.iter();
    let thread_of = |event: u32| run.run.events[event as usize].thread;
    !requests.any(|request| outside(request.thread) && holds(request.chain))
        && !waits.any(|wait| outside(thread_of(wait.event)) && holds(wait.chain))
        && (resources.is_empty()
            || !run.run.events.iter().any(|event| {
                outside(event.thread)
                    && event
                        .op
                        .resource()
                        .is_some_and(|used| resources.contains(&used))
            }))
}

/// The lock that an event takes.
fn lock_of(op: &Op) -> Option<LockId> {
    match *op {
        Op::Acquire { lock, .. }
        | Op::Request { lock, .. }
        | Op::Upgrade { lock }
        | Op::WaitEnd { lock, .. } => Some(lock),
        _ => None,
    }
}
