//! All that the rules look at: the evidence, replayed and made into graphs; `proofs` looks for proofs.

mod patterns;
mod proofs;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, OnceLock};

use lockwise::watch::Mode;

use super::explore::{Found, explore};
use super::model::Model;
use super::timeline::Timeline;
use crate::cycles::{self, Cycles};
use crate::graph::{self, OrderGraph};
use crate::history::{Dependency, History, Subclass, histories};
use crate::limits::{Limits, count};
use crate::trace::{Event, Evidence, Held, LockId, Op, Run, RunId, ThreadId};

use self::proofs::Budget;
pub(super) use self::proofs::{Outcome, Proof, Search, cycle_of};

/// The evidence, ready to be judged.
pub(super) struct Case<'a> {
    pub(super) evidence: &'a Evidence,
    pub(super) bounds: &'a Limits,
    pub(super) runs: Vec<RunCase<'a>>,
    /// The graph over classes, and its cycles.
    pub(super) classes: OrderGraph<Subclass>,
    pub(super) class_cycles: Cycles<Subclass>,
}

impl<'a> Case<'a> {
    pub(super) fn new(evidence: &'a Evidence, bounds: &'a Limits) -> Self {
        let histories = histories(evidence);
        let arcs = graph::Bounds {
            arcs_max: count(bounds.arcs),
            far_steps_max: bounds.far_steps,
        };
        let found = cycles::Bounds {
            cycles_max: count(bounds.cycles),
            steps_max: bounds.cycle_steps,
            counted_max: bounds.cycle_counts,
        };
        let classes = graph::classes(evidence, &histories, arcs);
        let class_cycles = cycles::cycles(&classes, found);
        let runs = evidence.runs.iter().zip(histories).enumerate();
        let mut runs: Vec<RunCase<'a>> = runs
            .map(|(at, (run, history))| {
                let id = RunId::from(at);
                let graph = graph::instances(id, &history, arcs);
                let cycles = cycles::cycles(&graph, found);
                RunCase {
                    id,
                    run,
                    bounds,
                    history,
                    graph,
                    cycles,
                    timeline: OnceLock::new(),
                    patterns: OnceLock::new(),
                    writes: OnceLock::new(),
                    found: OnceLock::new(),
                    search_words: bounds.search_words,
                    decided_by_locks: OnceLock::new(),
                    left: Mutex::new(Budget::of(bounds)),
                    unproved: AtomicU64::new(0),
                    too_long: AtomicU64::new(0),
                    unsearched: AtomicU64::new(0),
                    rejected: AtomicU64::new(0),
                }
            })
            .collect();
        share(bounds, &mut runs);
        Case {
            evidence,
            bounds,
            runs,
            classes,
            class_cycles,
        }
    }

    pub(super) fn run(&self, id: RunId) -> &RunCase<'a> {
        &self.runs[id.at()]
    }
}

/// What the search of one run may take, however many there are, in words of four bytes: enough for a few threads that
/// do some ten things each.
pub(super) const SHARE_MIN: u64 = 20_000;

/// Shares what the searches of recorded programs may cost in all. Each process is a run of its own, and a suite
/// may have hundreds, most of which merely wait for a message or two.
fn share(bounds: &Limits, runs: &mut [RunCase<'_>]) {
    let shares = [(false, bounds.search_words_all), (true, bounds.wait_words)];
    for (merely_waits, all) in shares {
        let is_of =
            |run: &&mut RunCase<'_>| !run.run.complete && run.merely_waits() == merely_waits;
        let searched = |run: &RunCase<'_>| run.has_waits() || !run.cycles.cycles.is_empty();
        let count = runs.iter_mut().filter(is_of).filter(|run| searched(run));
        let each = (all / (count.count() as u64).max(1)).max(SHARE_MIN);
        for run in runs.iter_mut().filter(is_of) {
            run.search_words = run.search_words.min(each);
        }
    }
}

/// Requests that are alike but for their sites and the time: same thread, same locks and modes held
/// and wanted. (Sync-preserving prediction calls them an abstract acquisition.)
#[derive(Debug, Default)]
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
#[derive(Debug)]
pub(super) struct RunCase<'a> {
    pub(super) id: RunId,
    pub(super) run: &'a Run,
    pub(super) bounds: &'a Limits,
    pub(super) history: History,
    pub(super) graph: OrderGraph<LockId>,
    pub(super) cycles: Cycles<LockId>,
    timeline: OnceLock<Timeline>,
    patterns: OnceLock<Patterns>,
    /// Per object, the exclusive requests of each thread, in order.
    writes: OnceLock<BTreeMap<LockId, BTreeMap<ThreadId, Vec<u32>>>>,
    found: OnceLock<Option<Found>>,
    /// The memory that this search may take, in words of four bytes.
    pub(super) search_words: u64,
    decided_by_locks: OnceLock<bool>,
    /// What searches may still cost.
    left: Mutex<Budget>,
    /// Cycles whose search was cut short.
    pub(super) unproved: AtomicU64,
    /// Long cycles that were not judged, because shorter ones had used up the bound.
    pub(super) too_long: AtomicU64,
    /// Components in which the search for cycles that can happen was cut short.
    pub(super) unsearched: AtomicU64,
    /// Proofs that the witness check did not accept.
    pub(super) rejected: AtomicU64,
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

    /// Whether an event of an excerpt is none of the run's.
    pub(super) fn is_made_up(&self, event: u32) -> bool {
        self.run.made_up.binary_search(&event).is_ok()
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

    /// Whether the search over all orders of the events can show no more than circles of waits and lost wake-ups:
    /// no two locks are taken in two orders, none twice by one thread, and nothing is held at a wait.
    fn merely_waits(&self) -> bool {
        self.cycles.cycles.is_empty()
            && self.history.recursions.is_empty()
            && self.history.held_waits.is_empty()
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
                let bounds = self.bounds;
                let threads = self.run.threads.len();
                // Of a run that is not kept whole it would be wrong.
                let partial = self.run.events_seen > 0;
                if events == 0
                    || partial
                    || events > count(bounds.search_events)
                    || threads > count(bounds.search_threads)
                {
                    return None;
                }
                let timeline = self.timeline();
                let ends = timeline.events_of.iter();
                let ends = ends.map(|events| u32::try_from(events.len()).unwrap_or(u32::MAX));
                let model = Model::new(self.run, &self.history, timeline, ends.collect());
                Some(explore(&model, self.search_words, |_| false))
            })
            .as_ref()
    }

    /// Whether that search was to show who can wait for whom or for ever, and was not made to its end. A run that is
    /// not kept whole has its own limits.
    pub(super) fn waits_unsearched(&self) -> bool {
        self.has_waits()
            && self.run.events_seen == 0
            && !self.found().is_some_and(|found| found.complete)
    }

    /// What that search found, if it was made; it is made where locks have several lives.
    pub(super) fn found_already(&self) -> Option<&Found> {
        if self.run.locks.iter().any(|lock| lock.former.is_some()) {
            return self.found();
        }
        self.found.get()?.as_ref()
    }
}
