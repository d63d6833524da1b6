//! Sync-preserving prediction: a schedule in polynomial time, where one exists that keeps the order
//! of the acquisitions of each lock.
//!
//! After Tunc, Mathur, Pavlogiannis and Viswanathan, *Sound Dynamic Deadlock Prediction in Linear
//! Time* (PLDI 2023), section 4, extended to modes, barriers, conditions and semaphores. Given one
//! event of each of several threads, [`reach`] finds the least set of events, a prefix of each
//! thread, that has all that comes before those events, all that these need (forks, joined threads,
//! wake-ups, writes that are read), and, for each lock, the release of every acquisition but those
//! that no later one in the set conflicts with. If the set contains none of the events themselves,
//! its events in the order of the run are a schedule after which all of them come next.
//!
//! Departures: the closing runs to a true fixpoint (the published implementation stops after one
//! sweep), by a work list that takes in each event once. A shared acquisition may stay open beside
//! others; an exclusive one closes all before it.
//!
//! It does not see deadlocks that need two acquisitions of one lock in the other order: these are
//! left to [`super::explore`].

use std::collections::HashMap;

use lockwise::watch::Mode;

use super::timeline::{NONE, Timeline};
use super::witness::Step;
use crate::history::History;
use crate::trace::{Op, ResourceId, Run, ThreadId};

/// One thread, and the events one of which it should come to stand before, in ascending order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Goal<'a> {
    /// Who.
    pub(super) thread: ThreadId,
    /// Before which events, as positions in [`Run::events`].
    pub(super) events: &'a [u32],
}

/// Which events have happened: a count per thread.
pub(super) type Prefix = Vec<u32>;

/// Finds a prefix after which each goal's thread stands before one of its events.
///
/// Returns that prefix and the event of each goal. Each event is taken in once, over all tries:
/// the set only grows from one try to the next. `steps` is lowered by one for each; at 0 the search
/// gives up.
pub(super) fn reach(
    run: &Run,
    history: &History,
    timeline: &Timeline,
    goals: &[Goal<'_>],
    steps: &mut u64,
) -> Option<(Prefix, Vec<u32>)> {
    let mut closure = Closure::new(run, history, timeline, true);
    let mut at = vec![0_usize; goals.len()];
    loop {
        for (goal, &at) in goals.iter().zip(&at) {
            let event = *goal.events.get(at)?;
            closure.require(goal.thread, timeline.before(event));
            closure.enter(goal.thread);
        }
        closure.close(steps)?;
        let mut settled = true;
        for (goal, at) in goals.iter().zip(&mut at) {
            let taken = closure.taken[goal.thread.at()];
            while timeline.before(*goal.events.get(*at)?) < taken {
                *at += 1;
                settled = false;
            }
        }
        if settled {
            let events = goals.iter().zip(&at).map(|(goal, &at)| goal.events[at]);
            return Some((closure.taken, events.collect()));
        }
    }
}

/// Finds the least prefix that the events before `goals` need, critical sections left as they are.
pub(super) fn needed(
    run: &Run,
    history: &History,
    timeline: &Timeline,
    goals: &[(ThreadId, u32)],
    steps: &mut u64,
) -> Option<Prefix> {
    let mut closure = Closure::new(run, history, timeline, false);
    for &(thread, event) in goals {
        closure.require(thread, timeline.before(event));
        closure.enter(thread);
    }
    closure.close(steps)?;
    Some(closure.taken)
}

/// The events of a prefix in the order of the run, as a schedule.
pub(super) fn schedule(run: &Run, timeline: &Timeline, prefix: &Prefix) -> Vec<Step> {
    let events = (0..).zip(&run.events).filter(|&(at, event)| {
        let position = timeline.before(at);
        // A request that was answered has the position of its answer, and is no step.
        let events = &timeline.events_of[event.thread.at()];
        position < prefix[event.thread.at()] && events[position as usize] == at
    });
    steps(run, timeline, events.map(|(at, _)| at))
}

/// Events in this order, as a schedule: each wake-up wakes whom it woke in the run, if that thread
/// sleeps then.
pub(super) fn steps(
    run: &Run,
    timeline: &Timeline,
    events: impl Iterator<Item = u32>,
) -> Vec<Step> {
    // Who sleeps, and on what.
    let mut asleep: HashMap<ResourceId, Vec<ThreadId>> = HashMap::new();
    let mut steps = Vec::new();
    for at in events {
        let event = &run.events[at as usize];
        let mut wakes = None;
        match event.op {
            Op::WaitBegin { condvar, .. } => {
                asleep.entry(condvar).or_default().push(event.thread);
            }
            Op::WaitEnd { condvar, .. } => {
                let asleep = asleep.entry(condvar).or_default();
                asleep.retain(|&thread| thread != event.thread);
            }
            Op::Notify { condvar } => {
                let asleep = asleep.entry(condvar).or_default();
                let woke = timeline.woke.get(&at);
                let choice = asleep.iter().position(|thread| Some(thread) == woke);
                if !asleep.is_empty() {
                    wakes = Some(asleep.remove(choice.unwrap_or(0)));
                }
            }
            Op::NotifyAll { condvar } => asleep.entry(condvar).or_default().clear(),
            _ => {}
        }
        steps.push(Step {
            thread: event.thread,
            wakes,
        });
    }
    steps
}

/// The acquisitions of one lock that are in the set.
#[derive(Debug, Default)]
struct Taken {
    /// Open so far, held exclusively.
    exclusive: Vec<u32>,
    /// Open so far, held in another mode.
    shared: Vec<u32>,
    /// The latest exclusive one, counted from 1; open or not.
    latest_exclusive: u32,
    /// The latest of all, counted from 1.
    latest: u32,
}

/// The growing set.
struct Closure<'a> {
    run: &'a Run,
    history: &'a History,
    timeline: &'a Timeline,
    /// Whether critical sections are closed.
    locks: bool,
    /// Per thread, how many of its events are wanted.
    wanted: Prefix,
    /// Per thread, how many of them were taken in.
    taken: Prefix,
    /// Whether the fork of a thread was asked for.
    entered: Vec<bool>,
    /// Threads with more wanted than taken.
    work: Vec<ThreadId>,
    /// Per object.
    of_lock: Vec<Taken>,
}

impl<'a> Closure<'a> {
    fn new(run: &'a Run, history: &'a History, timeline: &'a Timeline, locks: bool) -> Self {
        Closure {
            run,
            history,
            timeline,
            locks,
            wanted: vec![0; run.threads.len()],
            taken: vec![0; run.threads.len()],
            entered: vec![false; run.threads.len()],
            work: Vec::new(),
            of_lock: run.locks.iter().map(|_| Taken::default()).collect(),
        }
    }

    /// Wants the first `count` events of a thread.
    fn require(&mut self, thread: ThreadId, count: u32) {
        let wanted = &mut self.wanted[thread.at()];
        if *wanted < count {
            *wanted = count;
            self.work.push(thread);
        }
    }

    /// Wants an event.
    fn require_event(&mut self, event: u32) {
        let thread = self.run.events[event as usize].thread;
        self.require(thread, self.timeline.before(event) + 1);
    }

    /// Wants a thread to be started.
    fn enter(&mut self, thread: ThreadId) {
        if std::mem::replace(&mut self.entered[thread.at()], true) {
            return;
        }
        let fork = self.timeline.forked_by[thread.at()];
        if fork != NONE {
            self.require_event(fork);
        }
    }

    /// Takes in all that is wanted, until nothing more is. `None`: it cannot be, or takes too long.
    fn close(&mut self, steps: &mut u64) -> Option<()> {
        while let Some(thread) = self.work.pop() {
            while self.taken[thread.at()] < self.wanted[thread.at()] {
                *steps = steps.checked_sub(1)?;
                let at = self.taken[thread.at()] as usize;
                let event = *self.timeline.events_of[thread.at()].get(at)?;
                self.taken[thread.at()] += 1;
                self.enter(thread);
                let need = self.timeline.needs[event as usize];
                if need != NONE {
                    self.require_event(need);
                }
                if self.locks {
                    self.acquisition(event)?;
                }
            }
        }
        Some(())
    }

    /// Keeps a lock's acquisitions apart once `event` is in the set.
    fn acquisition(&mut self, event: u32) -> Option<()> {
        let (lock, mode) = match self.run.events[event as usize].op {
            Op::Acquire { lock, mode, .. } => (lock, mode),
            Op::Upgrade { lock } | Op::WaitEnd { lock, .. } => (lock, Mode::Exclusive),
            _ => return Some(()),
        };
        let object = self.history.object[lock.at()];
        let taken = &mut self.of_lock[object.at()];
        let thread = self.run.events[event as usize].thread;
        let mut shut = Vec::new();
        let mut close_before = |open: &mut Vec<u32>| {
            open.retain(|&other| {
                if self.run.events[other as usize].thread == thread {
                    // What the thread has given back by now is not open any more.
                    let release = self.timeline.closes[other as usize];
                    return release == NONE
                        || self.timeline.before(release) >= self.taken[thread.at()];
                }
                let closes = other < event;
                if closes {
                    shut.push(other);
                }
                !closes
            });
        };
        close_before(&mut taken.exclusive);
        if mode.is_exclusive() {
            close_before(&mut taken.shared);
        }
        let later = if mode.is_exclusive() {
            taken.latest
        } else {
            taken.latest_exclusive
        };
        if later > event + 1 {
            shut.push(event);
        } else if mode.is_exclusive() {
            taken.exclusive.push(event);
        } else {
            taken.shared.push(event);
        }
        taken.latest = taken.latest.max(event + 1);
        if mode.is_exclusive() {
            taken.latest_exclusive = taken.latest_exclusive.max(event + 1);
        }
        for acquired in shut {
            let release = self.timeline.closes[acquired as usize];
            if release == NONE {
                return None;
            }
            self.require_event(release);
        }
        Some(())
    }
}
