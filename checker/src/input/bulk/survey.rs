//! The first pass: which locks lie on cycles, and whether there is anything else to look at again.
//!
//! Readers call [`Survey::step`] and the like for what they meet most, straight from the bytes, and
//! hand over the rest as events. What is kept grows with threads, locks and pairs of locks.

use rustc_hash::FxHashSet;

use super::holdings::{Holdings, Released, Side};
use super::scc;
use crate::trace::{self, Ask, Event, LockId, Op, Run, ThreadId};

/// What a first pass wants to know more about.
#[derive(Debug, Default)]
pub(super) struct Suspects {
    /// Per lock, whether it lies on a cycle, or its class does.
    pub(super) on_cycle: Vec<bool>,
    /// Per lock, whether it does itself: only there is a proof to be had.
    pub(super) objects: Vec<bool>,
    /// Per lock, whether it lies on one only together with other runs; empty if there are none.
    pub(super) across: Vec<bool>,
    /// How many threads there are.
    pub(super) threads: usize,
    /// Locks that were held while their holder waited for something else than a lock.
    pub(super) waited_under: FxHashSet<LockId>,
    /// Locks that a thread took although it held them, and may.
    pub(super) reentered: FxHashSet<LockId>,
    /// Whether the events are all that decides what threads do ([`Run::complete`]).
    pub(super) complete: bool,
}

impl Suspects {
    /// Whether a lock lies on a cycle itself.
    pub(super) fn is_on_cycle(&self, lock: LockId) -> bool {
        self.objects.get(lock.at()).copied().unwrap_or(false)
    }

    /// Whether a lock or its class lies on a cycle, if need be together with other runs.
    pub(super) fn is_on_any(&self, lock: LockId) -> bool {
        let is_in = |locks: &[bool]| locks.get(lock.at()).copied().unwrap_or(false);
        is_in(&self.on_cycle) || is_in(&self.across)
    }
}

/// What a first pass has found out.
#[derive(Debug)]
pub struct Survey {
    holdings: Holdings,
    /// Forks and joins, in order.
    pub(super) forks: Vec<Event>,
    /// All events, those that are only counted too.
    pub(super) events: u64,
    /// Whether a lock was used wrongly, or may have been.
    pub(super) misused: bool,
    /// Locks that were held while their holder waited for something else than a lock.
    pub(super) waited_under: FxHashSet<LockId>,
    /// Whether threads waited for conditions.
    pub(super) has_conditions: bool,
    /// Whether threads waited for conditions, barriers or semaphores, or for anything but a lock while they
    /// held one.
    pub(super) has_waits: bool,
}

impl Survey {
    /// Nothing seen. `reentrant`: in this format a thread may take each lock that it holds.
    pub(super) fn new(pairs_max: usize, reentrant: bool) -> Self {
        Survey {
            holdings: Holdings::new(pairs_max, reentrant),
            forks: Vec::new(),
            events: 0,
            misused: false,
            waited_under: FxHashSet::default(),
            has_conditions: false,
            has_waits: false,
        }
    }

    /// Counts events that were told one by one, or have to do with no lock.
    #[inline]
    pub(crate) fn count(&mut self, events: u64) {
        self.events += events;
    }

    /// Makes room for a thread that was not met before.
    pub(crate) fn meet_thread(&mut self, thread: ThreadId) {
        self.holdings.thread(thread.0);
    }

    /// Makes room for a lock that was not met before.
    pub(crate) fn meet_lock(&mut self, lock: LockId) {
        self.holdings.lock(lock.0);
    }

    /// A thread waits for a lock and gets it exclusively if `takes`, else it gives it back. Both were met
    /// before; it is not counted here.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "a call for each event would cost as much as its work"
    )]
    pub(crate) fn step(&mut self, thread: ThreadId, lock: LockId, takes: bool) {
        self.misused |= self.holdings.step(thread.0, lock.0, takes) != Released::Well;
    }

    /// A thread asks for a lock. Both were met before.
    #[inline]
    pub(crate) fn request(&mut self, thread: ThreadId, lock: LockId) {
        self.holdings.request(thread.0, lock.0);
    }

    /// Whether the thread holds the lock.
    pub(crate) fn holds(&self, thread: ThreadId, lock: LockId) -> bool {
        self.holdings.holds(thread.0, lock.0)
    }

    /// The pairs of a held and a wanted lock that reach, one by way of another, what all pairs reach.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (LockId, LockId)> + Clone + '_ {
        let pairs = self.holdings.pairs.iter();
        // What stands for holding nothing leads to all and is led to by none.
        let pairs = pairs.filter(|&(held, _)| held > 0);
        pairs.map(|(held, want)| (LockId(held - 1), LockId(want - 1)))
    }

    /// Pairs of locks that were left out.
    pub(super) fn left_out(&self) -> u64 {
        self.holdings.pairs.left_out
    }

    /// Takes all events out of the run.
    pub(crate) fn take_from(&mut self, run: &mut Run) {
        run.events.drain(..).for_each(|event| self.take(&event));
    }

    /// Takes in any event.
    fn take(&mut self, event: &Event) {
        self.events += 1;
        let thread = event.thread.0;
        self.holdings.thread(thread);
        match event.op {
            Op::Acquire {
                lock,
                mode,
                ask,
                class,
            } => {
                // Whether the ordering lock is held is for the second pass to say.
                self.misused |= class.nest.is_some();
                self.holdings.lock(lock.0);
                let side = side_of(mode);
                self.holdings
                    .acquire_somehow(thread, lock.0, side, ask == Ask::Wait);
            }
            Op::Request { lock, .. } => {
                self.holdings.lock(lock.0);
                self.holdings.request(thread, lock.0);
            }
            Op::Release { lock, side } => {
                let side = match side {
                    trace::Side::Exclusive => Side::Exclusive,
                    trace::Side::Shared => Side::Shared,
                    trace::Side::Held => Side::Any,
                };
                self.give_back(thread, lock, side);
            }
            Op::Upgrade { lock } => {
                self.holdings.lock(lock.0);
                self.holdings.ask_for_more(thread, lock.0);
                self.holdings.change(thread, lock.0, Side::Exclusive);
            }
            Op::Downgrade { lock, mode } => {
                self.holdings.lock(lock.0);
                self.holdings.change(thread, lock.0, side_of(mode));
            }
            Op::WaitBegin { lock, .. } => {
                self.has_conditions = true;
                self.has_waits = true;
                self.give_back(thread, lock, Side::Any);
                self.wait(thread);
            }
            Op::WaitEnd { lock, .. } => {
                self.holdings.lock(lock.0);
                self.holdings
                    .acquire_somehow(thread, lock.0, Side::Exclusive, true);
            }
            Op::Barrier { .. } | Op::Pend { ask: Ask::Wait, .. } => {
                self.has_waits = true;
                self.wait(thread);
            }
            Op::Fork { .. } => self.forks.push(event.clone()),
            Op::Join { child } => {
                self.forks.push(event.clone());
                self.wait(thread);
                self.misused |= self.holdings.holds_some(child.0);
            }
            Op::End => self.misused |= self.holdings.holds_some(thread),
            Op::Init { lock } | Op::Destroy { lock } => {
                // Which of these are wrong is for the second pass to say.
                self.misused = true;
                self.holdings.lock(lock.0);
                self.holdings.free(lock.0);
            }
            Op::PendTimed { .. } => self.wait(thread),
            Op::Pend { ask: Ask::Try, .. }
            | Op::Notify { .. }
            | Op::NotifyAll { .. }
            | Op::Post { .. }
            | Op::Read { .. }
            | Op::Write { .. } => {}
        }
    }

    /// A thread waits for something else than a lock.
    fn wait(&mut self, thread: u32) {
        let held = self.holdings.held(thread).map(LockId);
        self.waited_under.extend(held);
        self.has_waits |= !self.waited_under.is_empty();
    }

    fn give_back(&mut self, thread: u32, lock: LockId, side: Side) {
        self.holdings.lock(lock.0);
        let released = self.holdings.release_somehow(thread, lock.0, side);
        self.misused |= released != Released::Well;
    }

    /// All is seen.
    pub(super) fn finish(&mut self) {
        self.holdings.note_requests();
    }

    /// Whether it ends with threads that wait for a lock and hold another.
    pub(super) fn is_stuck(&self) -> bool {
        self.holdings.is_stuck()
    }

    /// What there is to look at again. `run` has all locks and classes.
    pub(super) fn suspects(&self, run: &Run) -> Suspects {
        let reentered = self.holdings.reentered.iter().copied();
        Suspects {
            on_cycle: self.on_cycle(run),
            across: Vec::new(),
            objects: self.objects_on_cycle(run),
            threads: run.threads.len(),
            waited_under: self.waited_under.clone(),
            complete: run.complete,
            reentered: reentered
                .chain(self.holdings.reenters())
                .map(LockId)
                .collect(),
        }
    }

    /// Per lock, whether it lies on a cycle, or its class does.
    fn on_cycle(&self, run: &Run) -> Vec<bool> {
        let class = |lock: LockId| run.locks[lock.at()].class.0;
        self.cycles(class, run)
    }

    /// Per lock, whether it lies on a cycle itself, all lives of an object being one.
    fn objects_on_cycle(&self, run: &Run) -> Vec<bool> {
        // A life has a greater number than the one before it.
        let mut objects: Vec<u32> = Vec::with_capacity(run.locks.len());
        for (at, lock) in (0..).zip(&run.locks) {
            let former = lock.former.and_then(|former| objects.get(former.at()));
            objects.push(former.copied().unwrap_or(at));
        }
        self.cycles(|lock| objects[lock.at()], run)
    }

    /// Per lock, whether what it counts as lies on a cycle.
    fn cycles(&self, node: impl Fn(LockId) -> u32 + Copy, run: &Run) -> Vec<bool> {
        let locks = || (0..run.locks.len()).map(LockId::from);
        let apart = locks().all(|lock| node(lock) == lock.0);
        if let Some(pairs) = self.holdings.pairs.as_bits().filter(|_| apart) {
            let on_cycle = scc::on_cycle(&pairs);
            // In the pairs each has one more, and one that was never wanted may lie beyond them.
            let of_lock = |lock: LockId| on_cycle.get(lock.at() + 1).copied();
            return locks().map(|lock| of_lock(lock).unwrap_or(false)).collect();
        }
        let ends = self.pairs();
        let ends = ends.map(|(held, want)| (node(held), node(want)));
        let nodes = locks().map(|lock| node(lock) as usize + 1);
        let nodes = nodes.max().unwrap_or(0);
        let on_cycle = scc::on_cycle(&scc::Rows::new(nodes, ends));
        locks().map(|lock| on_cycle[node(lock) as usize]).collect()
    }

    /// A pair of locks for each two classes of which there is one.
    pub(super) fn orders(&self, run: &Run) -> Vec<(LockId, LockId)> {
        one_for_each(self.pairs().collect(), run)
    }
}

/// One of the pairs for each two classes.
fn one_for_each(mut pairs: Vec<(LockId, LockId)>, run: &Run) -> Vec<(LockId, LockId)> {
    let class = |lock: LockId| run.locks[lock.at()].class;
    let classes = |&(held, want): &(LockId, LockId)| (class(held), class(want));
    pairs.sort_unstable_by_key(classes);
    pairs.dedup_by_key(|pair| classes(pair));
    pairs
}

/// The same for a run that is kept whole.
pub(super) fn orders_of(run: &Run) -> Vec<(LockId, LockId)> {
    let mut survey = Survey::new(usize::MAX, false);
    run.events.iter().for_each(|event| survey.take(event));
    let mut pairs: Vec<_> = survey.pairs().collect();
    for chain in &run.chains {
        pairs.extend(run.held_in(chain).map(|held| (held.lock, chain.want.lock)));
    }
    one_for_each(pairs, run)
}

fn side_of(mode: lockwise::watch::Mode) -> Side {
    if mode.is_exclusive() {
        Side::Exclusive
    } else {
        Side::Shared
    }
}
