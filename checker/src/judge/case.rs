//! All that the rules look at: the evidence, replayed and made into graphs, and the proofs.

use std::cell::{Cell, OnceCell};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;

use super::Options;
use super::choice::{self, Strength};
use super::closure::{self, Goal};
use super::explore::{Found, Stuck, explore};
use super::forced::{self, Forced};
use super::model::Model;
use super::timeline::Timeline;
use super::witness::{self, Step};
use crate::cycles::{self, Cycles};
use crate::graph::{self, Arc, OrderGraph};
use crate::history::{Dependency, History, Subclass, histories};
use crate::trace::{Event, Evidence, Held, LockId, Op, Run, RunId, ThreadId};
use lockwise::watch::Mode;

/// The evidence, ready to be judged.
pub(super) struct Case<'a> {
    pub(super) evidence: &'a Evidence,
    pub(super) options: &'a Options,
    pub(super) runs: Vec<RunCase<'a>>,
    /// The graph over classes, and its cycles.
    pub(super) classes: OrderGraph<Subclass>,
    pub(super) class_cycles: Cycles<Subclass>,
}

impl<'a> Case<'a> {
    pub(super) fn new(evidence: &'a Evidence, options: &'a Options) -> Self {
        let histories = histories(evidence);
        let arcs = graph::Bounds {
            arcs_max: options.arcs_max,
        };
        let found = cycles::Bounds {
            cycles_max: options.cycles_max,
            steps_max: options.cycle_steps_max,
        };
        let classes = graph::classes(evidence, &histories, arcs);
        let class_cycles = cycles::cycles(&classes, found);
        let runs = evidence.runs.iter().zip(histories).enumerate();
        let runs = runs
            .map(|(at, (run, history))| {
                let id = RunId::from(at);
                let graph = graph::instances(id, &history, arcs);
                let cycles = cycles::cycles(&graph, found);
                RunCase {
                    id,
                    run,
                    options,
                    history,
                    graph,
                    cycles,
                    timeline: OnceCell::new(),
                    patterns: OnceCell::new(),
                    writes: OnceCell::new(),
                    found: OnceCell::new(),
                    proof_steps: Cell::new(options.proof_steps_max),
                    directed: Cell::new(options.directed_max),
                    unproved: Cell::new(0),
                    too_long: Cell::new(0),
                    unsearched: Cell::new(0),
                    rejected: Cell::new(0),
                }
            })
            .collect();
        Case {
            evidence,
            options,
            runs,
            classes,
            class_cycles,
        }
    }

    pub(super) fn run(&self, id: RunId) -> &RunCase<'a> {
        &self.runs[id.at()]
    }
}

/// Requests that are alike but for their sites and the time: same thread, same locks and modes held
/// and wanted. (Sync-preserving prediction calls them an abstract acquisition.)
#[derive(Default)]
struct Patterns {
    /// Per dependency, its pattern.
    of: Vec<u32>,
    /// Per pattern, its events in order.
    events: Vec<Vec<u32>>,
}

impl Patterns {
    fn of(history: &History) -> Self {
        let mut patterns = Patterns::default();
        let mut chain_of = HashMap::new();
        // Per chain, the number of the same chain without sites.
        let mut chains = vec![0_u32];
        for link in &history.links[1..] {
            let key = (chains[link.below.at()], link.held.lock, link.held.mode);
            let next = u32::try_from(chain_of.len() + 1).expect("there are fewer than links");
            chains.push(*chain_of.entry(key).or_insert(next));
        }
        let mut known = HashMap::new();
        for dependency in &history.dependencies {
            let want = (dependency.want.lock, dependency.want.mode);
            let key = (dependency.thread, chains[dependency.chain.at()], want);
            let next = u32::try_from(known.len()).expect("there are fewer than dependencies");
            let pattern = *known.entry(key).or_insert(next);
            if pattern == next {
                patterns.events.push(Vec::new());
            }
            patterns.of.push(pattern);
            patterns.events[pattern as usize].extend(&dependency.events);
        }
        for events in &mut patterns.events {
            events.sort_unstable();
        }
        patterns
    }
}

/// One run, replayed.
pub(super) struct RunCase<'a> {
    pub(super) id: RunId,
    pub(super) run: &'a Run,
    pub(super) options: &'a Options,
    pub(super) history: History,
    pub(super) graph: OrderGraph<LockId>,
    pub(super) cycles: Cycles<LockId>,
    timeline: OnceCell<Timeline>,
    patterns: OnceCell<Patterns>,
    /// Per object, the exclusive requests of each thread, in order.
    writes: OnceCell<BTreeMap<LockId, BTreeMap<ThreadId, Vec<u32>>>>,
    found: OnceCell<Option<Found>>,
    /// Events that closures may still take in.
    proof_steps: Cell<u64>,
    /// Directed searches that may still be made.
    directed: Cell<usize>,
    /// Cycles whose search was cut short.
    pub(super) unproved: Cell<u64>,
    /// Long cycles that were not judged, because shorter ones had used up the bound.
    pub(super) too_long: Cell<u64>,
    /// Components in which the search for cycles that can happen was cut short.
    pub(super) unsearched: Cell<u64>,
    /// Proofs that the witness check did not accept.
    pub(super) rejected: Cell<u64>,
}

/// A proof that a deadlock can be reached.
#[derive(Debug, Clone)]
pub(super) struct Proof {
    /// The steps before the last requests.
    pub(super) schedule: Vec<Step>,
    /// These requests, with their threads, each blocked by the next; maybe a queueing writer too.
    pub(super) sides: Vec<(ThreadId, u32)>,
}

/// What came of looking for a proof.
#[derive(Debug)]
pub(super) enum Outcome {
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

impl RunCase<'_> {
    /// Whether every acquisition was recorded, or new chains only.
    pub(super) fn has_acquisitions(&self) -> bool {
        let events = &self.run.events;
        events
            .iter()
            .any(|event| matches!(event.op, Op::Acquire { .. }))
    }

    /// Whether a thread other than these ever takes the lock exclusively.
    pub(super) fn writes_besides(&self, lock: LockId, threads: [ThreadId; 2]) -> bool {
        if !self.run.chains.is_empty() {
            // Chains do not show who takes a lock while holding none.
            return true;
        }
        let object = self.history.object[lock.at()];
        let writers = self.history.writers.get(&object).into_iter().flatten();
        writers.into_iter().any(|writer| !threads.contains(writer))
    }

    pub(super) fn timeline(&self) -> &Timeline {
        self.timeline.get_or_init(|| Timeline::of(self.run))
    }

    /// Whether threads wait for each other in other ways than by locks and a plain join.
    pub(super) fn has_waits(&self) -> bool {
        let mut joins = None;
        // What was held at a join is not known for sure if lives of locks end meanwhile.
        let lives = |event: &Event| matches!(event.op, Op::Init { .. } | Op::Destroy { .. });
        let events = &self.run.events;
        !self.history.held_waits.is_empty()
            || events.iter().any(|event| match event.op {
                Op::WaitBegin { .. } | Op::Barrier { .. } | Op::Pend { .. } => true,
                // Two threads that join might join each other.
                Op::Join { .. } => *joins.get_or_insert(event.thread) != event.thread,
                _ => false,
            })
            || (joins.is_some() && events.iter().any(lives))
    }

    /// The event of the same thread after this one.
    pub(super) fn event_after(&self, event: u32) -> Option<u32> {
        let timeline = self.timeline();
        let thread = self.run.events[event as usize].thread;
        let next = timeline.before(event) as usize + 1;
        timeline.events_of[thread.at()].get(next).copied()
    }

    /// The requests of a thread.
    pub(super) fn requests_of(&self, thread: ThreadId) -> impl Iterator<Item = &Dependency> {
        let all = self.history.dependencies.iter();
        all.filter(move |dependency| dependency.thread == thread)
    }

    /// What the thread of an event holds before it, by the thread's own events, oldest first.
    pub(super) fn at_event(&self, event: u32) -> Vec<Held> {
        let timeline = self.timeline();
        let thread = self.run.events[event as usize].thread;
        let before = timeline.before(event) as usize;
        let mut held: Vec<(u32, Held)> = Vec::new();
        for &at in &timeline.events_of[thread.at()][..before] {
            let site = self.run.events[at as usize].site;
            let taken = match self.run.events[at as usize].op {
                Op::Acquire { lock, mode, .. } => Some((lock, mode)),
                Op::Upgrade { lock } | Op::WaitEnd { lock, .. } => Some((lock, Mode::Exclusive)),
                _ => None,
            };
            if let Some((lock, mode)) = taken {
                held.retain(|(_, held)| held.lock != lock || held.mode != Mode::Upgradable);
                held.push((at, Held { lock, mode, site }));
            }
            held.retain(|&(acquired, _)| timeline.closes[acquired as usize] != at);
        }
        held.into_iter().map(|(_, held)| held).collect()
    }

    /// The pattern that a dependency is of.
    pub(super) fn pattern_of(&self, dependency: u32) -> u32 {
        self.patterns().of[dependency as usize]
    }

    fn patterns(&self) -> &Patterns {
        self.patterns.get_or_init(|| Patterns::of(&self.history))
    }

    /// The exclusive requests for a lock, by thread.
    fn writes(&self, lock: LockId) -> Option<&BTreeMap<ThreadId, Vec<u32>>> {
        let writes = self.writes.get_or_init(|| {
            let mut writes: BTreeMap<LockId, BTreeMap<ThreadId, Vec<u32>>> = BTreeMap::new();
            for dependency in &self.history.dependencies {
                // After a condition wait a thread does not queue: it may be overtaken.
                let queued = dependency.events.iter().copied().filter(|&event| {
                    !matches!(self.run.events[event as usize].op, Op::WaitEnd { .. })
                });
                if dependency.want.mode.is_exclusive() {
                    let object = self.history.object[dependency.want.lock.at()];
                    let of_thread = writes.entry(object).or_default();
                    of_thread
                        .entry(dependency.thread)
                        .or_default()
                        .extend(queued);
                }
            }
            for events in writes.values_mut().flat_map(BTreeMap::values_mut) {
                events.sort_unstable();
            }
            writes
        });
        writes.get(&self.history.object[lock.at()])
    }

    /// The search over all orders of the events; `None` if there are too many events for it.
    pub(super) fn found(&self) -> Option<&Found> {
        self.found
            .get_or_init(|| {
                let events = self.run.events.len();
                let options = self.options;
                let threads = self.run.threads.len();
                if events == 0
                    || events > options.search_events_max
                    || threads > options.search_threads_max
                {
                    return None;
                }
                let timeline = self.timeline();
                let ends = timeline.events_of.iter();
                let ends = ends.map(|events| u32::try_from(events.len()).unwrap_or(u32::MAX));
                let model = Model::new(self.run, &self.history, timeline, ends.collect());
                Some(explore(&model, self.options.search_words_max, |_| false))
            })
            .as_ref()
    }

    /// What that search found, if it was made; it is made where locks have several lives.
    pub(super) fn found_already(&self) -> Option<&Found> {
        if self.run.locks.iter().any(|lock| lock.former.is_some()) {
            return self.found();
        }
        self.found.get()?.as_ref()
    }

    /// Whether the witness check accepts a schedule.
    pub(super) fn accepts(&self, schedule: &[Step], sides: &[(ThreadId, u32)]) -> bool {
        witness::accepts(self.run, &self.history, self.timeline(), schedule, sides)
    }

    /// Looks for a proof that a cycle of locks can be reached by one of these choices of requests;
    /// `all` says whether they are all that there are.
    pub(super) fn prove(&self, cycle: &[LockId], choices: &[Vec<Arc>], all: bool) -> Outcome {
        // What was recorded as a chain only has no events that a schedule could be made of.
        let seen = |arc: &Arc| {
            !self.history.dependencies[arc.dependency as usize]
                .events
                .is_empty()
        };
        let all = all && choices.len() < choice::CHOICES_MAX;
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
        let mut never = all && self.is_decided_by_locks();
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
        let objects = self.objects(cycle);
        let is_it = |stuck: &Stuck| cycle_of(stuck).as_deref() == Some(&*objects);
        let searched = self.search(is_it, |case| case.direct(choices.first()?, &objects));
        match searched {
            Outcome::Unreachable if self.is_decided_by_locks() => Outcome::Never,
            searched => searched,
        }
    }

    /// Whether locks, fork and join, and data that was recorded are all that orders the threads.
    fn is_decided_by_locks(&self) -> bool {
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
    }

    /// Looks for a schedule in which critical sections may change places, or shows that none is.
    fn force(&self, arcs: &[Arc]) -> Outcome {
        let patterns = arcs.iter().map(|arc| {
            let thread = self.history.dependencies[arc.dependency as usize].thread;
            let events = &self.patterns().events[self.pattern_of(arc.dependency) as usize];
            (thread, events.as_slice())
        });
        let goals: Vec<(ThreadId, &[u32])> = patterns.collect();
        let blocks = |at: usize| {
            let want = self.history.dependencies[arcs[at].dependency as usize].want;
            let next = arcs[(at + 1) % arcs.len()];
            let held = self.history.links[next.link.at()].held;
            held.mode.excludes(want.mode)
        };
        if !(0..arcs.len()).all(blocks) {
            return Outcome::Unknown;
        }
        let mut at = vec![0_usize; goals.len()];
        let mut never = true;
        // Whether each choice is tried, because it is not known which to pass over.
        let mut each = false;
        for _ in 0..FORCED_MAX {
            let now: Vec<(ThreadId, u32)> = goals
                .iter()
                .zip(&at)
                .map(|(&(thread, events), &at)| (thread, events[at]))
                .collect();
            let mut steps = self.proof_steps.get();
            let forced = forced::solve(self.run, &self.history, self.timeline(), &now, &mut steps);
            self.proof_steps.set(steps);
            let past = match forced {
                Forced::Schedule(schedule) => {
                    if self.accepts(&schedule, &now) {
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

    /// A proof that a cycle can be reached, if a search for anything was made and found one.
    pub(super) fn proved_by_search(&self, cycle: &[LockId]) -> Option<Proof> {
        let objects = self.objects(cycle);
        let mut stuck = self.found_already()?.stuck.iter();
        let stuck = stuck.find(|stuck| cycle_of(stuck).as_deref() == Some(&*objects))?;
        self.accepts(&stuck.schedule, &stuck.sides).then(|| Proof {
            schedule: stuck.schedule.clone(),
            sides: stuck.sides.clone(),
        })
    }

    /// Looks for a proof that a thread can block itself by a request.
    pub(super) fn prove_recursion(&self, lock: LockId, dependency: u32, excluded: bool) -> Outcome {
        let Some(dependency) = self.history.dependencies.get(dependency as usize) else {
            return Outcome::NoEvents;
        };
        if dependency.events.is_empty() {
            return Outcome::NoEvents;
        }
        let own = Goal {
            thread: dependency.thread,
            events: &dependency.events,
        };
        let writers = self.writes(lock).into_iter().flatten();
        let mut tries: Vec<Vec<Goal<'_>>> = writers
            .filter(|(thread, _)| **thread != dependency.thread)
            .take(WRITERS_MAX)
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
        let objects = self.objects(&[lock]);
        let is_it = |stuck: &Stuck| {
            let mut sides = stuck.sides.iter();
            cycle_of(stuck).as_deref() == Some(&*objects)
                && sides.any(|(thread, event)| {
                    *thread == dependency.thread && dependency.events.contains(event)
                })
        };
        self.search(is_it, |_| None)
    }

    /// The objects that stand for these lives, in the same order, the smallest first.
    fn objects(&self, cycle: &[LockId]) -> Vec<LockId> {
        let objects = cycle.iter().map(|lock| self.history.object[lock.at()]);
        cycles::canonical(objects.collect())
    }

    /// Looks in the search over all orders, and beside it if that was cut short.
    fn search(
        &self,
        is_it: impl Fn(&Stuck) -> bool,
        beside: impl Fn(&Self) -> Option<Proof>,
    ) -> Outcome {
        let found = self.found();
        let stuck = found.into_iter().flat_map(|found| &found.stuck);
        let mut rejected = false;
        for stuck in stuck.filter(|stuck| is_it(stuck)) {
            if self.accepts(&stuck.schedule, &stuck.sides) {
                return Outcome::Proved(Proof {
                    schedule: stuck.schedule.clone(),
                    sides: stuck.sides.clone(),
                });
            }
            rejected = true;
        }
        if rejected {
            self.rejected.set(self.rejected.get() + 1);
            return Outcome::Unknown;
        }
        if found.is_some_and(|found| found.complete) {
            return Outcome::Unreachable;
        }
        if let Some(proof) = beside(self) {
            return Outcome::Proved(proof);
        }
        self.unproved.set(self.unproved.get() + 1);
        Outcome::Unknown
    }

    /// Looks for a sync-preserving schedule for one choice of requests.
    fn close(&self, arcs: &[Arc]) -> Option<Proof> {
        let sides: Vec<Goal<'_>> = arcs
            .iter()
            .map(|arc| Goal {
                thread: self.history.dependencies[arc.dependency as usize].thread,
                events: &self.patterns().events[self.pattern_of(arc.dependency) as usize],
            })
            .collect();
        // Where a reader waits for a reader, a writer must stand between them.
        let between: Vec<LockId> = (0..arcs.len())
            .filter_map(|at| {
                let want = self.history.dependencies[arcs[at].dependency as usize].want;
                let next = arcs[(at + 1) % arcs.len()];
                let held = self.history.links[next.link.at()].held;
                (!held.mode.excludes(want.mode)).then_some(want.lock)
            })
            .collect();
        for pick in 0..WRITERS_MAX {
            let mut goals = sides.clone();
            for &lock in &between {
                let writers = self.writes(lock).into_iter().flatten();
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
    pub(super) fn meet(&self, goals: &[Goal<'_>], arrives: &BTreeSet<ThreadId>) -> Option<Proof> {
        let timeline = self.timeline();
        let mut steps = self.proof_steps.get();
        let reached = closure::reach(self.run, &self.history, timeline, goals, &mut steps);
        self.proof_steps.set(steps);
        let (prefix, events) = reached?;
        let mut schedule = closure::schedule(self.run, timeline, &prefix);
        schedule.extend(arrives.iter().map(|&thread| Step {
            thread,
            wakes: None,
        }));
        let sides: Vec<(ThreadId, u32)> =
            goals.iter().map(|goal| goal.thread).zip(events).collect();
        self.accepts(&schedule, &sides)
            .then_some(Proof { schedule, sides })
    }

    /// Searches only what one choice of requests needs: its threads up to these requests, the others
    /// as far as they must go and then until they hold nothing.
    fn direct(&self, arcs: &[Arc], objects: &[LockId]) -> Option<Proof> {
        self.directed.set(self.directed.get().checked_sub(1)?);
        let timeline = self.timeline();
        let goals: Vec<(ThreadId, u32)> = arcs
            .iter()
            .map(|arc| &self.history.dependencies[arc.dependency as usize])
            .map(|dependency| (dependency.thread, dependency.first()))
            .collect();
        let mut steps = self.proof_steps.get();
        let ends = closure::needed(self.run, &self.history, timeline, &goals, &mut steps);
        self.proof_steps.set(steps);
        let mut ends = ends?;
        for (thread, events) in timeline.events_of.iter().enumerate() {
            if goals.iter().any(|(goal, _)| goal.at() == thread) {
                continue;
            }
            let mut open = 0_i64;
            let mut end = 0;
            for (at, &event) in (1..).zip(events) {
                match self.run.events[event as usize].op {
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
        let model = Model::new(self.run, &self.history, timeline, ends);
        let words = self.options.search_words_max / 4;
        let is_it = |stuck: &Stuck| cycle_of(stuck).as_deref() == Some(objects);
        let found = explore(&model, words, is_it);
        let stuck = found.stuck.into_iter().find(is_it)?;
        self.accepts(&stuck.schedule, &stuck.sides)
            .then_some(Proof {
                schedule: stuck.schedule,
                sides: stuck.sides,
            })
    }

    /// A cycle of this strength in a component, which the shortest-cycle search may have missed.
    pub(super) fn sought(&self, component: &[LockId], strength: Strength) -> Option<Vec<LockId>> {
        let mut sought = None;
        self.seek(component, strength, &mut |cycle| {
            sought = Some(cycle);
            ControlFlow::Break(())
        });
        sought
    }

    /// Cycles whose sides can meet, one at least through each edge that has one; those whose edges
    /// all lie on cycles in `known` are left out.
    pub(super) fn cover(&self, component: &[LockId], known: &[&Vec<LockId>]) -> Vec<Vec<LockId>> {
        let covered: HashSet<(LockId, LockId)> =
            known.iter().flat_map(|cycle| edges_of(cycle)).collect();
        let inside: HashSet<LockId> = component.iter().copied().collect();
        let between = component.iter().flat_map(|&from| {
            let to = self.graph.arcs_from(from, |to| inside.contains(&to));
            to.into_iter().map(move |(to, _)| (from, to))
        });
        let mut open: HashSet<(LockId, LockId)> = between
            .filter(|edge| !covered.contains(edge))
            .filter(|&(from, to)| self.graph.edge(from, to).is_some_and(|edge| edge.apart))
            .collect();
        let mut found = Vec::new();
        if !open.is_empty() {
            self.seek(component, Strength::Apart, &mut |cycle| {
                if edges_of(&cycle).any(|edge| open.remove(&edge)) {
                    edges_of(&cycle).for_each(|edge| {
                        open.remove(&edge);
                    });
                    found.push(cycle);
                }
                if open.is_empty() {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });
        }
        found
    }

    /// Looks at all cycles of this strength in a component, the smallest lock of each first.
    fn seek(
        &self,
        component: &[LockId],
        strength: Strength,
        found: &mut dyn FnMut(Vec<LockId>) -> ControlFlow<()>,
    ) {
        let steps = self.options.seek_steps_max;
        let mut canonical = |cycle| found(cycles::canonical(cycle));
        if choice::seek(self, component, strength, steps, &mut canonical).is_err() {
            self.unsearched.set(self.unsearched.get() + 1);
        }
    }
}

/// The edges of a cycle of locks.
fn edges_of(cycle: &[LockId]) -> impl Iterator<Item = (LockId, LockId)> + '_ {
    let next = cycle.iter().cycle().skip(1);
    cycle.iter().copied().zip(next.copied())
}

/// Choices of requests, of one pattern, for which a schedule is looked for that moves sections.
const FORCED_MAX: usize = 64;

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

/// Writers that are tried between two readers.
const WRITERS_MAX: usize = 4;

/// The objects of a deadlock that is made of locks alone, in canonical order.
pub(super) fn cycle_of(stuck: &Stuck) -> Option<Vec<LockId>> {
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
