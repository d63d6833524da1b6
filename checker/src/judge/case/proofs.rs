//! Looking for a proof that a cycle can be reached, cheap ways first; whatever finds one, the witness
//! check has the last word.

use std::collections::BTreeSet;

use super::super::closure::{self, Goal};
use super::super::explore::{Stuck, explore};
use super::super::forced::{self, Forced};
use super::super::model::Model;
use super::super::witness::{self, Step};
use super::RunCase;
use crate::cycles;
use crate::graph::Arc;
use crate::limits::{Limits, count};
use crate::trace::{LockId, Op, ThreadId};

/// A proof that a deadlock can be reached.
#[derive(Debug, Clone)]
pub(in crate::judge) struct Proof {
    /// The steps before the last requests.
    pub(in crate::judge) schedule: Vec<Step>,
    /// These requests, with their threads, each blocked by the next; maybe a queueing writer too.
    pub(in crate::judge) sides: Vec<(ThreadId, u32)>,
}

/// What came of looking for a proof.
#[derive(Debug)]
pub(in crate::judge) enum Outcome {
    /// There is one.
    Proved(Proof),
    /// All orders of the events were searched: there is none.
    Unreachable,
    /// What any order of the events must keep to shows that there is none, and the trace is taken to
    /// hold all that decides what its threads do.
    Never,
    /// The search was cut short.
    Unknown,
    /// The run has no events to search, only what was held at each request.
    NoEvents,
}

/// What all searches of a run together may still cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Budget {
    /// Events that schedules may take in.
    pub(super) steps: u64,
    /// Directed searches.
    pub(super) directed: u64,
}

impl Budget {
    pub(super) fn of(bounds: &Limits) -> Self {
        Budget {
            steps: bounds.proof_steps,
            directed: bounds.searches,
        }
    }

    /// What is left of it after this was taken.
    pub(super) fn less(self, taken: Budget) -> Self {
        Budget {
            steps: self.steps.saturating_sub(taken.steps),
            directed: self.directed.saturating_sub(taken.directed),
        }
    }

    /// Whether it is no less than another.
    pub(super) fn covers(self, other: Budget) -> bool {
        self.steps >= other.steps && self.directed >= other.directed
    }
}

/// A search for one pattern of a run.
#[derive(Debug)]
pub(in crate::judge) struct Search<'c, 'a> {
    pub(in crate::judge) case: &'c RunCase<'a>,
    /// What it may still cost.
    pub(super) left: Budget,
    /// Cycles whose search was cut short.
    pub(super) unproved: u64,
    /// Proofs that the witness check did not accept.
    pub(super) rejected: u64,
}

impl RunCase<'_> {
    /// Whether the witness check accepts a schedule, and all its sides are events of the run.
    pub(in crate::judge) fn accepts(&self, schedule: &[Step], sides: &[(ThreadId, u32)]) -> bool {
        !sides.iter().any(|&(_, event)| self.is_made_up(event))
            && witness::accepts(self.run, &self.history, self.timeline(), schedule, sides)
    }

    /// Whether locks, fork and join, and data that was recorded are all that orders the threads.
    fn is_decided_by_locks(&self) -> bool {
        *self.decided_by_locks.get_or_init(|| {
            self.run.complete
                && self.run.events.iter().all(|event| {
                    matches!(
                        event.op,
                        Op::Request { .. }
                            | Op::Acquire { .. }
                            | Op::Release { .. }
                            | Op::Fork { .. }
                            | Op::Join { .. }
                            | Op::Read { .. }
                            | Op::Write { .. }
                            | Op::End
                    )
                })
        })
    }

    /// A proof that a cycle can be reached, if a search for anything was made and found one.
    pub(in crate::judge) fn proved_by_search(&self, cycle: &[LockId]) -> Option<Proof> {
        let objects = self.objects(cycle);
        let mut stuck = self.found_already()?.stuck.iter();
        let stuck = stuck.find(|stuck| cycle_of(stuck).as_deref() == Some(&*objects))?;
        self.accepts(&stuck.schedule, &stuck.sides).then(|| Proof {
            schedule: stuck.schedule.clone(),
            sides: stuck.sides.clone(),
        })
    }

    /// The objects that stand for these lives, in the same order, the smallest first.
    fn objects(&self, cycle: &[LockId]) -> Vec<LockId> {
        let objects = cycle.iter().map(|lock| self.history.object[lock.at()]);
        cycles::canonical(objects.collect())
    }
}

impl<'c, 'a> Search<'c, 'a> {
    pub(super) fn new(case: &'c RunCase<'a>, left: Budget) -> Self {
        Search {
            case,
            left,
            unproved: 0,
            rejected: 0,
        }
    }

    /// Looks for a proof that a cycle of locks can be reached by one of these choices of requests;
    /// `all` says whether they are all that there are.
    pub(in crate::judge) fn prove(
        &mut self,
        cycle: &[LockId],
        choices: &[Vec<Arc>],
        all: bool,
    ) -> Outcome {
        // What was recorded as a chain only has no events that a schedule could be made of.
        let seen = |arc: &Arc| {
            !self.case.history.dependencies[arc.dependency as usize]
                .events
                .is_empty()
        };
        let all = all && choices.len() < count(self.case.bounds.choices);
        let choices: Vec<&Vec<Arc>> = choices
            .iter()
            .filter(|arcs| arcs.iter().all(seen))
            .collect();
        if choices.is_empty() {
            return Outcome::NoEvents;
        }
        for arcs in &choices {
            if let Some(proof) = self.close(arcs) {
                return Outcome::Proved(proof);
            }
        }
        let mut never = all && self.case.is_decided_by_locks();
        for arcs in &choices {
            match self.force(arcs) {
                Outcome::Proved(proof) => return Outcome::Proved(proof),
                Outcome::Never => {}
                _ => never = false,
            }
        }
        if never {
            return Outcome::Never;
        }
        let objects = self.case.objects(cycle);
        let is_it = |stuck: &Stuck| cycle_of(stuck).as_deref() == Some(&*objects);
        let searched = self.search(is_it, |search| search.direct(choices.first()?, &objects));
        match searched {
            Outcome::Unreachable if self.case.is_decided_by_locks() => Outcome::Never,
            searched => searched,
        }
    }

    /// Looks for a schedule in which critical sections may change places, or shows that none is.
    fn force(&mut self, arcs: &[Arc]) -> Outcome {
        let patterns = arcs.iter().map(|arc| {
            let thread = self.case.history.dependencies[arc.dependency as usize].thread;
            let events =
                &self.case.patterns().events[self.case.pattern_of(arc.dependency) as usize];
            (thread, events.as_slice())
        });
        let goals: Vec<(ThreadId, &[u32])> = patterns.collect();
        let blocks = |at: usize| {
            let want = self.case.history.dependencies[arcs[at].dependency as usize].want;
            let next = arcs[(at + 1) % arcs.len()];
            let held = self.case.history.links[next.link.at()].held;
            held.mode.excludes(want.mode)
        };
        if !(0..arcs.len()).all(blocks) {
            return Outcome::Unknown;
        }
        let mut at = vec![0_usize; goals.len()];
        let mut never = true;
        // Whether each choice is tried, because it is not known which to pass over.
        let mut each = false;
        for _ in 0..count(self.case.bounds.reversals) {
            let now: Vec<(ThreadId, u32)> = goals
                .iter()
                .zip(&at)
                .map(|(&(thread, events), &at)| (thread, events[at]))
                .collect();
            let bounds = self.case.bounds;
            let forced = forced::solve(
                self.case.run,
                &self.case.history,
                self.case.timeline(),
                &now,
                bounds,
                &mut self.left.steps,
            );
            let past = match forced {
                Forced::Schedule(schedule) => {
                    if self.case.accepts(&schedule, &now) {
                        return Outcome::Proved(Proof {
                            schedule,
                            sides: now,
                        });
                    }
                    never = false;
                    None
                }
                Forced::Never(past) => past,
                Forced::Open => {
                    never = false;
                    None
                }
            };
            let moved = match past {
                // No earlier request of the others goes with this one of this thread.
                Some(past) if !each => {
                    let side = goals.iter().position(|(thread, _)| *thread == past);
                    side.is_some_and(|side| {
                        at[side] += 1;
                        at[side] < goals[side].1.len()
                    })
                }
                None if !each && goals.iter().any(|(_, events)| events.len() > 1) => {
                    each = true;
                    at.fill(0);
                    true
                }
                _ => next_of(&mut at, &goals),
            };
            if !moved {
                return if never {
                    Outcome::Never
                } else {
                    Outcome::Unknown
                };
            }
        }
        Outcome::Unknown
    }

    /// Looks for a proof that a thread can block itself by a request.
    pub(in crate::judge) fn prove_recursion(
        &mut self,
        lock: LockId,
        dependency: u32,
        excluded: bool,
    ) -> Outcome {
        let Some(dependency) = self.case.history.dependencies.get(dependency as usize) else {
            return Outcome::NoEvents;
        };
        if dependency.events.is_empty() {
            return Outcome::NoEvents;
        }
        let own = Goal {
            thread: dependency.thread,
            events: &dependency.events,
        };
        let writers = self.case.writes(lock).into_iter().flatten();
        let mut tries: Vec<Vec<Goal<'_>>> = writers
            .filter(|(thread, _)| **thread != dependency.thread)
            .take(count(self.case.bounds.proof_writers))
            .map(|(&thread, events)| vec![own, Goal { thread, events }])
            .collect();
        if excluded {
            tries = vec![vec![own]];
        }
        for goals in &tries {
            if let Some(proof) = self.meet(goals, &BTreeSet::new()) {
                return Outcome::Proved(proof);
            }
        }
        let objects = self.case.objects(&[lock]);
        let is_it = |stuck: &Stuck| {
            let mut sides = stuck.sides.iter();
            cycle_of(stuck).as_deref() == Some(&*objects)
                && sides.any(|(thread, event)| {
                    *thread == dependency.thread && dependency.events.contains(event)
                })
        };
        self.search(is_it, |_| None)
    }

    /// Looks in the search over all orders, and beside it if that was cut short.
    fn search(
        &mut self,
        is_it: impl Fn(&Stuck) -> bool,
        beside: impl Fn(&mut Self) -> Option<Proof>,
    ) -> Outcome {
        let found = self.case.found();
        let stuck = found.into_iter().flat_map(|found| &found.stuck);
        let mut rejected = false;
        for stuck in stuck.filter(|stuck| is_it(stuck)) {
            if self.case.accepts(&stuck.schedule, &stuck.sides) {
                return Outcome::Proved(Proof {
                    schedule: stuck.schedule.clone(),
                    sides: stuck.sides.clone(),
                });
            }
            rejected = true;
        }
        if rejected {
            self.rejected += 1;
            return Outcome::Unknown;
        }
        if found.is_some_and(|found| found.complete) {
            return Outcome::Unreachable;
        }
        if let Some(proof) = beside(self) {
            return Outcome::Proved(proof);
        }
        self.unproved += 1;
        Outcome::Unknown
    }

    /// Looks for a sync-preserving schedule for one choice of requests.
    fn close(&mut self, arcs: &[Arc]) -> Option<Proof> {
        let sides: Vec<Goal<'_>> = arcs
            .iter()
            .map(|arc| Goal {
                thread: self.case.history.dependencies[arc.dependency as usize].thread,
                events: &self.case.patterns().events[self.case.pattern_of(arc.dependency) as usize],
            })
            .collect();
        // Where a reader waits for a reader, a writer must stand between them.
        let between: Vec<LockId> = (0..arcs.len())
            .filter_map(|at| {
                let want = self.case.history.dependencies[arcs[at].dependency as usize].want;
                let next = arcs[(at + 1) % arcs.len()];
                let held = self.case.history.links[next.link.at()].held;
                (!held.mode.excludes(want.mode)).then_some(want.lock)
            })
            .collect();
        for pick in 0..count(self.case.bounds.proof_writers).max(1) {
            let mut goals = sides.clone();
            for &lock in &between {
                let writers = self.case.writes(lock).into_iter().flatten();
                let free: Vec<_> = writers
                    .filter(|(thread, _)| goals.iter().all(|goal| goal.thread != **thread))
                    .collect();
                let &(&thread, events) = free.get(pick).or(free.last())?;
                goals.push(Goal { thread, events });
            }
            if let Some(proof) = self.meet(&goals, &BTreeSet::new()) {
                return Some(proof);
            }
            if between.is_empty() {
                break;
            }
        }
        None
    }

    /// Looks for a sync-preserving schedule after which all goals' threads wait for each other.
    ///
    /// Threads in `arrives` take one more step then: they arrive at a barrier and wait there.
    pub(in crate::judge) fn meet(
        &mut self,
        goals: &[Goal<'_>],
        arrives: &BTreeSet<ThreadId>,
    ) -> Option<Proof> {
        let timeline = self.case.timeline();
        let reached = closure::reach(
            self.case.run,
            &self.case.history,
            timeline,
            goals,
            &mut self.left.steps,
        );
        let (prefix, events) = reached?;
        let mut schedule = closure::schedule(self.case.run, timeline, &prefix);
        schedule.extend(arrives.iter().map(|&thread| Step {
            thread,
            wakes: None,
        }));
        let sides: Vec<(ThreadId, u32)> =
            goals.iter().map(|goal| goal.thread).zip(events).collect();
        self.case
            .accepts(&schedule, &sides)
            .then_some(Proof { schedule, sides })
    }

    /// Searches only what one choice of requests needs: its threads up to these requests, the others
    /// as far as they must go and then until they hold nothing.
    fn direct(&mut self, arcs: &[Arc], objects: &[LockId]) -> Option<Proof> {
        self.left.directed = self.left.directed.checked_sub(1)?;
        let timeline = self.case.timeline();
        let goals: Vec<(ThreadId, u32)> = arcs
            .iter()
            .map(|arc| &self.case.history.dependencies[arc.dependency as usize])
            .map(|dependency| (dependency.thread, dependency.first()))
            .collect();
        let ends = closure::needed(
            self.case.run,
            &self.case.history,
            timeline,
            &goals,
            &mut self.left.steps,
        );
        let mut ends = ends?;
        for (thread, events) in timeline.events_of.iter().enumerate() {
            if goals.iter().any(|(goal, _)| goal.at() == thread) {
                continue;
            }
            let mut open = 0_i64;
            let mut end = 0;
            for (at, &event) in (1..).zip(events) {
                match self.case.run.events[event as usize].op {
                    Op::Acquire { .. } | Op::WaitEnd { .. } => open += 1,
                    Op::Release { .. } | Op::WaitBegin { .. } => open -= 1,
                    _ => {}
                }
                if at >= ends[thread] && open <= 0 {
                    end = at;
                    break;
                }
            }
            if ends[thread] > 0 {
                ends[thread] = ends[thread].max(end);
            }
        }
        let model = Model::new(self.case.run, &self.case.history, timeline, ends);
        let words = self.case.bounds.search_words / 4;
        let is_it = |stuck: &Stuck| cycle_of(stuck).as_deref() == Some(objects);
        let found = explore(&model, words, is_it);
        let stuck = found.stuck.into_iter().find(is_it)?;
        self.case
            .accepts(&stuck.schedule, &stuck.sides)
            .then_some(Proof {
                schedule: stuck.schedule,
                sides: stuck.sides,
            })
    }
}

/// The next choice of one event for each side; `false` if there is none.
fn next_of(at: &mut [usize], goals: &[(ThreadId, &[u32])]) -> bool {
    for (at, (_, events)) in at.iter_mut().zip(goals) {
        *at += 1;
        if *at < events.len() {
            return true;
        }
        *at = 0;
    }
    false
}

/// The objects of a deadlock that is made of locks alone, in canonical order.
pub(in crate::judge) fn cycle_of(stuck: &Stuck) -> Option<Vec<LockId>> {
    let mut objects = Vec::new();
    for (lock, queues) in stuck.locks.iter().zip(&stuck.queues) {
        let lock = (*lock)?;
        if !queues {
            objects.push(lock);
        }
    }
    // A side that queues waits for the same lock as the side behind it: that lock stands once.
    objects.dedup();
    if objects.len() > 1 && objects.first() == objects.last() {
        objects.pop();
    }
    Some(cycles::canonical(objects))
}
