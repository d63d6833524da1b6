//! Checks witnesses: replays a schedule and says whether it ends in a cyclic wait.
//!
//! This is the last word on every `certain`: whatever found a schedule, it counts only if this
//! accepts it. It is kept apart from the searches and as plain as can be, so that one can believe it.
//!
//! Each step executes the next event of one thread, if that event could be executed then: locks in
//! all modes, forks and joins, condition waits, barriers, semaphores, and reads that see the same
//! write as in the run. After the last step, the threads that can never go on are those left when
//! all are removed that can move, or that wait for one that can. A request for a shared lock also
//! waits for a writer that waits (every blocked writer may be in the queue by then). Where the run is a
//! part of one, what its threads may do behind its end counts as what they can do.

use std::collections::{BTreeMap, BTreeSet};

use lockwise::watch::Mode;

use super::timeline::{NONE, Timeline};
use crate::history::History;
use crate::trace::{Ask, LockId, Op, ResourceId, Run, Side, ThreadId, VariableId};

/// One step of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// The thread that executes its next event.
    pub(super) thread: ThreadId,
    /// If that event wakes one of several sleepers: which.
    pub(super) wakes: Option<ThreadId>,
}

/// Whether `schedule` is legal and ends with the threads of `stuck`, each before the event given,
/// in one cycle of waits.
pub(super) fn accepts(
    run: &Run,
    history: &History,
    timeline: &Timeline,
    schedule: &[Step],
    stuck: &[(ThreadId, u32)],
) -> bool {
    let mut replay = Replay::new(run, history, timeline);
    schedule.iter().all(|&step| replay.step(step).is_some())
        && !stuck.is_empty()
        && stuck
            .iter()
            .all(|&(thread, event)| replay.next(thread) == Some(event))
        && replay.in_one_cycle(stuck)
}

/// Where a thread is within its next event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Before it.
    Before,
    /// Asleep, or at a barrier.
    Waits,
    /// Woken: it wants its lock back.
    Woken,
}

/// The state of a replayed schedule.
struct Replay<'a> {
    run: &'a Run,
    history: &'a History,
    timeline: &'a Timeline,
    done: Vec<usize>,
    phase: Vec<Phase>,
    started: Vec<bool>,
    held: BTreeMap<LockId, Vec<(ThreadId, Mode)>>,
    units: BTreeMap<ResourceId, u64>,
    written: BTreeMap<VariableId, u32>,
}

impl<'a> Replay<'a> {
    fn new(run: &'a Run, history: &'a History, timeline: &'a Timeline) -> Self {
        Replay {
            run,
            history,
            timeline,
            done: vec![0; run.threads.len()],
            phase: vec![Phase::Before; run.threads.len()],
            started: timeline.forked_by.iter().map(|&by| by == NONE).collect(),
            held: BTreeMap::new(),
            units: (0..)
                .map(ResourceId)
                .zip(run.resources.iter().map(|resource| resource.units.into()))
                .collect(),
            written: BTreeMap::new(),
        }
    }

    /// The next event of a thread; `None` when it is through.
    fn next(&self, thread: ThreadId) -> Option<u32> {
        let events = &self.timeline.events_of[thread.at()];
        events.get(self.done[thread.at()]).copied()
    }

    fn op(&self, event: u32) -> &'a Op {
        &self.run.events[event as usize].op
    }

    fn threads(&self) -> impl Iterator<Item = ThreadId> + use<> {
        (0..self.done.len()).map(ThreadId::from)
    }

    /// Which lock a thread would have to take now, and in which mode.
    fn wanted(&self, thread: ThreadId, event: u32) -> Option<(LockId, Mode)> {
        let object = |lock: LockId| self.history.object[lock.at()];
        match *self.op(event) {
            Op::Acquire { lock, mode, .. } => Some((object(lock), mode)),
            Op::Upgrade { lock } => Some((object(lock), Mode::Exclusive)),
            Op::WaitEnd { lock, .. } if self.phase[thread.at()] == Phase::Woken => {
                let mode = self.timeline.retaken.get(&event).copied();
                Some((object(lock), mode.unwrap_or(Mode::Exclusive)))
            }
            // A request that is the thread's last word was never granted.
            Op::Request { lock, mode } if self.is_last(thread) => Some((object(lock), mode)),
            _ => None,
        }
    }

    fn is_last(&self, thread: ThreadId) -> bool {
        self.done[thread.at()] + 1 == self.timeline.events_of[thread.at()].len()
    }

    /// Those that hold `lock` in a mode that keeps this request out.
    fn in_the_way(
        &self,
        thread: ThreadId,
        event: u32,
        lock: LockId,
        mode: Mode,
    ) -> impl Iterator<Item = ThreadId> {
        let upgrade = matches!(self.op(event), Op::Upgrade { .. });
        let holders = self.held.get(&lock).into_iter().flatten();
        holders
            .filter(move |&&(holder, held)| {
                let own = holder == thread;
                let reenters = own && held == Mode::Reentrant && mode == Mode::Reentrant;
                let upgrades = own && upgrade && held == Mode::Upgradable;
                held.excludes(mode) && !reenters && !upgrades
            })
            .map(|&(holder, _)| holder)
    }

    /// Executes the next event of a thread, if it can be executed now.
    fn step(&mut self, step: Step) -> Option<()> {
        let thread = step.thread;
        let event = self.next(thread).filter(|_| self.started[thread.at()])?;
        if let Some((lock, mode)) = self.wanted(thread, event) {
            if self.in_the_way(thread, event, lock, mode).next().is_some() {
                return None;
            }
            let holders = self.held.entry(lock).or_default();
            if matches!(self.run.events[event as usize].op, Op::Upgrade { .. }) {
                holders.retain(|&(holder, _)| holder != thread);
            }
            holders.push((thread, mode));
            self.advance(thread);
            return Some(());
        }
        match *self.op(event) {
            Op::Release { lock, side } => self.release(thread, lock, side),
            Op::Downgrade { lock, mode } => {
                let holders = self.holders(lock);
                if let Some(hold) = holders.iter_mut().find(|hold| hold.0 == thread) {
                    hold.1 = mode;
                }
            }
            Op::Fork { child } => self.started[child.at()] = true,
            Op::Join { child } => {
                if !self.started[child.at()] || self.next(child).is_some() {
                    return None;
                }
            }
            Op::WaitBegin { lock, .. } => {
                if let Some(&notify) = self.timeline.woken_by.get(&event)
                    && !self.run.complete
                    && self.is_done(notify)
                {
                    return None;
                }
                self.holders(lock).retain(|hold| hold.0 != thread);
                self.advance(thread);
                if self.next(thread).is_some() {
                    self.phase[thread.at()] = Phase::Waits;
                }
                return Some(());
            }
            Op::WaitEnd { .. } => {
                // Asleep: only a wait whose time ran out ends by itself, and then wants its lock.
                if self.ran_out(thread) {
                    self.phase[thread.at()] = Phase::Woken;
                    return self.step(step);
                }
                return None;
            }
            Op::Notify { condvar } => {
                let asleep = self.asleep(condvar);
                match step.wakes {
                    Some(woken) if asleep.contains(&woken) => {
                        self.phase[woken.at()] = Phase::Woken;
                    }
                    None if asleep.is_empty() => {}
                    _ => return None,
                }
            }
            Op::NotifyAll { condvar } => {
                for woken in self.asleep(condvar) {
                    self.phase[woken.at()] = Phase::Woken;
                }
            }
            Op::Barrier { barrier, parties } => return self.arrive(thread, barrier, parties),
            Op::Post { semaphore } => *self.units.entry(semaphore).or_default() += 1,
            Op::Pend { semaphore, .. } => {
                let units = self.units.entry(semaphore).or_default();
                *units = units.checked_sub(1)?;
            }
            Op::Init { lock } | Op::Destroy { lock } => self.holders(lock).clear(),
            Op::Read { variable } => {
                let last = self.written.get(&variable).copied().unwrap_or(NONE);
                if self.timeline.needs[event as usize] != last {
                    return None;
                }
            }
            Op::Write { variable } => {
                self.written.insert(variable, event);
            }
            Op::Acquire { .. }
            | Op::Upgrade { .. }
            | Op::Request { .. }
            | Op::PendTimed { .. }
            | Op::End => {}
        }
        self.advance(thread);
        Some(())
    }

    fn advance(&mut self, thread: ThreadId) {
        self.done[thread.at()] += 1;
        self.phase[thread.at()] = Phase::Before;
    }

    fn is_done(&self, event: u32) -> bool {
        let thread = self.run.events[event as usize].thread;
        (self.timeline.position[event as usize] as usize) < self.done[thread.at()]
    }

    fn holders(&mut self, lock: LockId) -> &mut Vec<(ThreadId, Mode)> {
        let object = self.history.object[lock.at()];
        self.held.entry(object).or_default()
    }

    /// A release of what is not held has no effect.
    fn release(&mut self, thread: ThreadId, lock: LockId, side: Side) {
        let holders = self.holders(lock);
        let fits = |mode: Mode| match side {
            Side::Exclusive => mode.is_exclusive(),
            Side::Shared => !mode.is_exclusive(),
            Side::Held => true,
        };
        let hold = holders
            .iter()
            .rposition(|&(holder, mode)| holder == thread && fits(mode))
            .or_else(|| holders.iter().rposition(|&(holder, _)| holder == thread));
        if let Some(hold) = hold {
            holders.remove(hold);
        }
    }

    fn is_timed(&self, thread: ThreadId) -> bool {
        self.timed_wait(thread).is_some()
    }

    /// Whether the thread is in a wait that nobody ended but the clock: what it does next is known for
    /// that end only, and after a wake-up for that.
    fn ran_out(&self, thread: ThreadId) -> bool {
        let begin = self.timed_wait(thread);
        begin.is_some_and(|begin| !self.timeline.woken_by.contains_key(&begin))
    }

    /// The begin of the wait that the thread is in, if it has a time limit.
    fn timed_wait(&self, thread: ThreadId) -> Option<u32> {
        let last = self.done[thread.at()].checked_sub(1)?;
        let begin = self.timeline.events_of[thread.at()][last];
        matches!(self.op(begin), Op::WaitBegin { timed: true, .. }).then_some(begin)
    }

    fn asleep(&self, condition: ResourceId) -> Vec<ThreadId> {
        self.threads()
            .filter(|&thread| self.phase[thread.at()] == Phase::Waits)
            .filter(|&thread| {
                self.next(thread).is_some_and(|event| {
                    matches!(self.op(event), Op::WaitEnd { condvar, .. } if *condvar == condition)
                })
            })
            .collect()
    }

    fn arrive(&mut self, thread: ThreadId, barrier: ResourceId, parties: u32) -> Option<()> {
        if self.phase[thread.at()] == Phase::Waits {
            return None;
        }
        self.phase[thread.at()] = Phase::Waits;
        let here: Vec<ThreadId> = self
            .threads()
            .filter(|&other| self.phase[other.at()] == Phase::Waits)
            .filter(|&other| {
                self.next(other).is_some_and(|event| {
                    matches!(self.op(event), Op::Barrier { barrier: b, .. } if *b == barrier)
                })
            })
            .collect();
        if here.len() == parties as usize {
            for other in here {
                self.advance(other);
            }
        }
        Some(())
    }

    /// Whether some event that a thread has still to execute is such.
    fn still(&self, thread: ThreadId, such: impl Fn(&Op) -> bool) -> bool {
        self.timeline.events_of[thread.at()][self.done[thread.at()]..]
            .iter()
            .any(|&event| such(self.op(event)))
    }

    /// Whom a thread waits for within `stuck`; `None` if it need not wait for ever.
    fn waits_for(
        &self,
        thread: ThreadId,
        stuck: &BTreeSet<ThreadId>,
    ) -> Option<BTreeSet<ThreadId>> {
        let event = self.next(thread)?;
        if !self.started[thread.at()] {
            return self.wakers(
                thread,
                stuck,
                |op| matches!(op, Op::Fork { child } if *child == thread),
            );
        }
        if let Some((lock, mode)) = self.wanted(thread, event) {
            if matches!(self.op(event), Op::Acquire { ask: Ask::Try, .. }) {
                return None;
            }
            // Who ends or begins a life of the lock takes it from its holders.
            let clears = |op: &Op| match op {
                Op::Init { lock: l } | Op::Destroy { lock: l } => {
                    self.history.object[l.at()] == lock
                }
                _ => false,
            };
            if self.timeline.has_lives {
                self.wakers(thread, stuck, clears)?;
            }
            let mut for_ever = false;
            let mut waits = BTreeSet::new();
            for holder in self.in_the_way(thread, event, lock, mode) {
                let is_over = self.next(holder).is_none() && !self.run.goes_on();
                for_ever |= stuck.contains(&holder) || is_over;
                waits.extend(stuck.get(&holder));
            }
            if matches!(mode, Mode::Shared | Mode::Upgradable) {
                let queue = stuck.iter().filter(|&&other| {
                    other != thread
                        && self.queues(other).is_some_and(|queued| queued == lock)
                        && !self.lets_readers_pass(lock, other)
                });
                waits.extend(queue);
                for_ever |= !waits.is_empty();
            }
            return for_ever.then_some(waits);
        }
        let waited_for = self.op(event).resource();
        if waited_for.is_some_and(|resource| self.run.may_end_later(resource)) {
            return None;
        }
        match *self.op(event) {
            Op::Join { child } => {
                let waits = stuck.get(&child).copied()?;
                Some(BTreeSet::from([waits]))
            }
            Op::WaitEnd { condvar, .. } if !self.is_timed(thread) => {
                self.wakers(thread, stuck, |op| match op {
                    Op::Notify { condvar: c } | Op::NotifyAll { condvar: c } => *c == condvar,
                    _ => false,
                })
            }
            Op::Barrier { barrier, .. } if self.phase[thread.at()] == Phase::Waits => {
                let mut waits = self.wakers(
                    thread,
                    stuck,
                    |op| matches!(op, Op::Barrier { barrier: b, .. } if *b == barrier),
                )?;
                waits.retain(|&other| {
                    self.phase[other.at()] != Phase::Waits
                    || !self.next(other).is_some_and(|event| {
                        matches!(self.op(event), Op::Barrier { barrier: b, .. } if *b == barrier)
                    })
                });
                Some(waits)
            }
            Op::Pend {
                semaphore,
                ask: Ask::Wait,
            } if self.units.get(&semaphore).is_none_or(|&units| units == 0) => self.wakers(
                thread,
                stuck,
                |op| matches!(op, Op::Post { semaphore: s } if *s == semaphore),
            ),
            _ => None,
        }
    }

    /// The lock for which a thread queues as a writer, so that new readers wait behind it.
    fn queues(&self, thread: ThreadId) -> Option<LockId> {
        let event = self.next(thread)?;
        let asks = match self.op(event) {
            Op::Acquire { ask, mode, .. } => *ask == Ask::Wait && mode.is_exclusive(),
            Op::Request { mode, .. } => mode.is_exclusive(),
            Op::Upgrade { .. } => true,
            _ => false,
        };
        let (lock, _) = self.wanted(thread, event)?;
        asks.then_some(lock)
    }

    /// Whether readers pass a writer that queues for `lock`: not itself, but another, holds it upgradable, and the
    /// writer waits for that one first.
    fn lets_readers_pass(&self, lock: LockId, writer: ThreadId) -> bool {
        let mut holders = self.held.get(&lock).into_iter().flatten();
        holders.any(|&(holder, held)| held == Mode::Upgradable && holder != writer)
    }

    /// The members of `stuck` that could still do what wakes `thread`; `None` if another could.
    fn wakers(
        &self,
        thread: ThreadId,
        stuck: &BTreeSet<ThreadId>,
        such: impl Fn(&Op) -> bool,
    ) -> Option<BTreeSet<ThreadId>> {
        let mut wakers = BTreeSet::new();
        for other in self.threads() {
            if other != thread && self.still(other, &such) {
                wakers.insert(*stuck.get(&other)?);
            }
        }
        Some(wakers)
    }

    /// Whether all of `sides` wait for each other in one cycle.
    ///
    /// Threads that wait for none but each other can never go on, whatever the rest does: so the
    /// sides alone are tried first, and then all threads.
    fn in_one_cycle(&self, sides: &[(ThreadId, u32)]) -> bool {
        let alone = sides.iter().map(|&(thread, _)| thread).collect();
        let all = self.threads();
        self.cycle_within(sides, alone)
            || self.cycle_within(sides, all.filter(|&t| self.next(t).is_some()).collect())
    }

    fn cycle_within(&self, sides: &[(ThreadId, u32)], mut stuck: BTreeSet<ThreadId>) -> bool {
        let waits = loop {
            let waits: BTreeMap<ThreadId, BTreeSet<ThreadId>> = stuck
                .iter()
                .filter_map(|&thread| Some((thread, self.waits_for(thread, &stuck)?)))
                .collect();
            if waits.len() == stuck.len() {
                break waits;
            }
            stuck = waits.into_keys().collect();
        };
        // Each side must be reached from the first, over at least one wait, and reach it.
        let mut waited_for: BTreeMap<ThreadId, BTreeSet<ThreadId>> = BTreeMap::new();
        for (&thread, of_thread) in &waits {
            for &next in of_thread {
                waited_for.entry(next).or_default().insert(thread);
            }
        }
        let first = sides[0].0;
        let (ahead, behind) = (reached(&waits, first), reached(&waited_for, first));
        let mut all = sides.iter().map(|(thread, _)| thread);
        all.all(|thread| ahead.contains(thread) && behind.contains(thread))
    }
}

/// All that can be reached from a thread over at least one edge.
fn reached(edges: &BTreeMap<ThreadId, BTreeSet<ThreadId>>, from: ThreadId) -> BTreeSet<ThreadId> {
    let mut reached = BTreeSet::new();
    let mut work = vec![from];
    while let Some(thread) = work.pop() {
        for &next in edges.get(&thread).into_iter().flatten() {
            if reached.insert(next) {
                work.push(next);
            }
        }
    }
    reached
}
