//! What a run's threads can do next: the states that [`super::explore`] searches.
//!
//! A state says how far each thread is and what follows from that. Queues of writers are no part of
//! it: a writer that queues only keeps readers out, so whatever can be reached with writers queueing
//! early can also be reached with them queueing last, and whether a state *would* be a deadlock with
//! all blocked writers in their queues is asked of each state.

mod order;
mod state;

use lockwise::watch::Mode;
use rustc_hash::{FxHashMap, FxHashSet};

use self::order::unordered;
pub(super) use self::state::{Phase, State};
use super::timeline::{NONE, Timeline};
use super::witness::Step;
use crate::history::History;
use crate::trace::{Ask, LockId, Op, ResourceId, Run, Side, ThreadId};

/// What can wake those that wait for something other than a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Wake {
    Fork(ThreadId),
    Notify(ResourceId),
    Arrive(ResourceId),
    Post(ResourceId),
    /// Ends or begins a life of the lock, and so takes it from whoever holds it.
    Clear(LockId),
}

/// Why a thread cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    Lock {
        lock: LockId,
        mode: Mode,
        upgrade: bool,
    },
    Join(ThreadId),
    Wake(Wake),
}

/// The rules, for one run.
pub(super) struct Model<'a> {
    run: &'a Run,
    history: &'a History,
    timeline: &'a Timeline,
    /// Per thread, the number of events that it may execute.
    ends: Vec<u32>,
    /// Per kind of waking, the threads that do it, and the position of the last time that they do.
    wakers: FxHashMap<Wake, Vec<(ThreadId, u32)>>,
    /// Per object, whether only one thread ever touches it.
    private: Vec<bool>,
    /// What can come in another order than it did.
    unordered: FxHashSet<ResourceId>,
}

impl<'a> Model<'a> {
    /// The rules with each thread stopped after `ends` events.
    pub(super) fn new(
        run: &'a Run,
        history: &'a History,
        timeline: &'a Timeline,
        ends: Vec<u32>,
    ) -> Self {
        let mut wakers: FxHashMap<Wake, Vec<(ThreadId, u32)>> = FxHashMap::default();
        let mut user: Vec<Option<ThreadId>> = vec![None; run.locks.len()];
        let mut private = vec![true; run.locks.len()];
        for (at, event) in (0..).zip(&run.events) {
            let wake = match event.op {
                Op::Fork { child } => Some(Wake::Fork(child)),
                Op::Notify { condvar } | Op::NotifyAll { condvar } => Some(Wake::Notify(condvar)),
                Op::Barrier { barrier, .. } => Some(Wake::Arrive(barrier)),
                Op::Post { semaphore } => Some(Wake::Post(semaphore)),
                Op::Init { lock } | Op::Destroy { lock } => {
                    Some(Wake::Clear(history.object[lock.at()]))
                }
                _ => None,
            };
            if let Some(wake) = wake {
                let wakers = wakers.entry(wake).or_default();
                wakers.retain(|&(thread, _)| thread != event.thread);
                wakers.push((event.thread, timeline.before(at)));
            }
            if let Some(lock) = lock_of(&event.op) {
                let object = history.object[lock.at()].at();
                let first = *user[object].get_or_insert(event.thread);
                private[object] &= first == event.thread;
            }
        }
        let unordered = unordered(run, |resource| {
            let of = |wake| wakers.get(&wake).map_or(0, Vec::len);
            of(Wake::Post(resource)).max(of(Wake::Notify(resource)))
        });
        Model {
            run,
            history,
            timeline,
            ends,
            wakers,
            private,
            unordered,
        }
    }

    /// Nothing executed.
    pub(super) fn start(&self) -> State {
        let mut start = State::new(self.run.threads.len());
        start.units = (0..)
            .map(ResourceId)
            .zip(self.run.resources.iter().map(|resource| resource.units))
            .filter(|&(_, units)| units > 0)
            .collect();
        start
    }

    pub(super) fn threads(&self) -> impl Iterator<Item = ThreadId> + use<> {
        (0..self.run.threads.len()).map(ThreadId::from)
    }

    /// A thread's next event; `None` when it is through.
    pub(super) fn next(&self, state: &State, thread: ThreadId) -> Option<u32> {
        let at = state.done(thread) as usize;
        self.timeline.events_of[thread.at()].get(at).copied()
    }

    pub(super) fn op(&self, event: u32) -> &'a Op {
        &self.run.events[event as usize].op
    }

    /// The object that stands for all lives of a lock.
    pub(super) fn object(&self, lock: LockId) -> LockId {
        self.history.object[lock.at()]
    }

    fn is_started(&self, state: &State, thread: ThreadId) -> bool {
        let fork = self.timeline.forked_by[thread.at()];
        fork == NONE || self.is_done(state, fork)
    }

    fn is_done(&self, state: &State, event: u32) -> bool {
        let thread = self.run.events[event as usize].thread;
        self.timeline.before(event) < state.done(thread)
    }

    fn is_last(&self, state: &State, thread: ThreadId) -> bool {
        let events = &self.timeline.events_of[thread.at()];
        state.done(thread) as usize + 1 == events.len()
    }

    /// The begin of the wait that the thread is in, if it has a time limit.
    fn timed_wait(&self, state: &State, thread: ThreadId) -> Option<u32> {
        let last = state.done(thread).checked_sub(1)?;
        let begin = self.timeline.events_of[thread.at()][last as usize];
        matches!(self.op(begin), Op::WaitBegin { timed: true, .. }).then_some(begin)
    }

    /// Whether the thread is in a wait that nobody ended but the clock: what it does next is known for
    /// that end only, and after a wake-up for that.
    fn ran_out(&self, state: &State, thread: ThreadId) -> bool {
        let begin = self.timed_wait(state, thread);
        begin.is_some_and(|begin| !self.timeline.woken_by.contains_key(&begin))
    }

    /// The lock that the next event takes: object, mode, and whether it turns a hold into this.
    fn wanted(&self, state: &State, thread: ThreadId, event: u32) -> Option<(LockId, Mode, bool)> {
        match *self.op(event) {
            Op::Acquire { lock, mode, .. } => Some((self.object(lock), mode, false)),
            Op::Upgrade { lock } => Some((self.object(lock), Mode::Exclusive, true)),
            Op::WaitEnd { lock, .. } => {
                let woken = state.phase(thread) == Phase::Woken;
                let mode = self.timeline.retaken.get(&event).copied();
                (woken || self.ran_out(state, thread)).then(|| {
                    let mode = mode.unwrap_or(Mode::Exclusive);
                    (self.object(lock), mode, false)
                })
            }
            // A request that is the thread's last word was never granted.
            Op::Request { lock, mode } if self.is_last(state, thread) => {
                Some((self.object(lock), mode, false))
            }
            _ => None,
        }
    }

    /// All states that one step of one thread leads to. A step that cannot disturb any other thread
    /// stands alone: nothing is lost by taking it first.
    pub(super) fn steps(&self, state: &State) -> Vec<(Step, State)> {
        let mut steps = Vec::new();
        for thread in self.threads() {
            if state.done(thread) >= self.ends[thread.at()] {
                continue;
            }
            let Some(event) = self.next(state, thread) else {
                continue;
            };
            if !self.is_started(state, thread) {
                continue;
            }
            let before = steps.len();
            self.step(state, thread, event, &mut steps);
            if steps.len() == before + 1 && self.is_undisturbing(event) {
                let alone = steps.pop().expect("it was just pushed");
                return vec![alone];
            }
        }
        steps
    }

    /// Whether executing this event, now that it can be, only ever enables others.
    fn is_undisturbing(&self, event: u32) -> bool {
        match *self.op(event) {
            Op::Release { .. }
            | Op::Downgrade { .. }
            | Op::Fork { .. }
            | Op::Join { .. }
            | Op::Post { .. }
            | Op::Read { .. }
            | Op::Request { .. }
            | Op::PendTimed { .. }
            | Op::End => true,
            Op::Acquire { lock, .. } => self.private[self.object(lock).at()],
            _ => false,
        }
    }

    /// Adds the states after the next event of `thread`; none if it cannot go on.
    fn step(&self, state: &State, thread: ThreadId, event: u32, out: &mut Vec<(Step, State)>) {
        let mut next = state.clone();
        let mut wakes = None;
        if let Some(wanted) = self.wanted(state, thread, event) {
            if state.in_the_way(thread, wanted).next().is_some() {
                return;
            }
            let (lock, mode, upgrade) = wanted;
            if upgrade {
                next.held.retain(|hold| (hold.0, hold.1) != (lock, thread));
            }
            next.hold(lock, thread, mode);
        }
        match *self.op(event) {
            Op::Release { lock, side } => self.release(&mut next, thread, lock, side),
            Op::Downgrade { lock, mode } => {
                let lock = self.object(lock);
                let own = |hold: &(LockId, ThreadId, Mode)| (hold.0, hold.1) == (lock, thread);
                if let Some(at) = next.held.iter().rposition(own) {
                    next.held.remove(at);
                    next.hold(lock, thread, mode);
                }
            }
            Op::Join { child } => {
                if !self.is_started(state, child) || self.next(state, child).is_some() {
                    return;
                }
            }
            Op::WaitBegin { lock, .. } => {
                if let Some(&notify) = self.timeline.woken_by.get(&event)
                    && !self.run.complete
                    && self.is_done(state, notify)
                {
                    return;
                }
                let lock = self.object(lock);
                next.held.retain(|hold| (hold.0, hold.1) != (lock, thread));
                next.pass(thread);
                if !self.is_last(state, thread) {
                    next.enter(thread, Phase::Waits);
                }
                out.push((Step { thread, wakes }, next));
                return;
            }
            Op::WaitEnd { .. } if self.wanted(state, thread, event).is_none() => return,
            Op::Notify { condvar } => {
                let asleep = self.asleep(state, condvar);
                next.pass(thread);
                for &woken in &asleep {
                    let mut woke = next.clone();
                    woke.enter(woken, Phase::Woken);
                    wakes = Some(woken);
                    out.push((Step { thread, wakes }, woke));
                }
                if asleep.is_empty() {
                    out.push((Step { thread, wakes }, next));
                }
                return;
            }
            Op::NotifyAll { condvar } => {
                for woken in self.asleep(state, condvar) {
                    next.enter(woken, Phase::Woken);
                }
            }
            Op::Barrier { barrier, parties } => {
                if state.phase(thread) == Phase::Before {
                    self.arrive(&mut next, thread, barrier, parties);
                    out.push((Step { thread, wakes }, next));
                }
                return;
            }
            Op::Post { semaphore } => next.post(semaphore),
            Op::Pend { semaphore, .. } => {
                if next.pend(semaphore).is_none() {
                    return;
                }
            }
            Op::Init { lock } | Op::Destroy { lock } => {
                let lock = self.object(lock);
                next.held.retain(|hold| hold.0 != lock);
            }
            Op::Read { variable } => {
                if self.timeline.needs[event as usize] != state.last_write(variable) {
                    return;
                }
            }
            Op::Write { variable } => next.write(variable, event),
            Op::Acquire { .. }
            | Op::Upgrade { .. }
            | Op::Request { .. }
            | Op::WaitEnd { .. }
            | Op::PendTimed { .. }
            | Op::Fork { .. }
            | Op::End => {}
        }
        next.pass(thread);
        out.push((Step { thread, wakes }, next));
    }

    /// A release of what is not held has no effect.
    fn release(&self, state: &mut State, thread: ThreadId, lock: LockId, side: Side) {
        let lock = self.object(lock);
        let fits = |mode: Mode| match side {
            Side::Exclusive => mode.is_exclusive(),
            Side::Shared => !mode.is_exclusive(),
            Side::Held => true,
        };
        let own = |hold: &(LockId, ThreadId, Mode)| (hold.0, hold.1) == (lock, thread);
        let held = &state.held;
        let fitting = held.iter().rposition(|hold| own(hold) && fits(hold.2));
        if let Some(at) = fitting.or_else(|| held.iter().rposition(own)) {
            state.held.remove(at);
        }
    }

    fn asleep(&self, state: &State, condition: ResourceId) -> Vec<ThreadId> {
        self.waiting(
            state,
            |op| matches!(op, Op::WaitEnd { condvar, .. } if *condvar == condition),
        )
    }

    /// The threads that wait within such an event.
    fn waiting(&self, state: &State, such: impl Fn(&Op) -> bool) -> Vec<ThreadId> {
        self.threads()
            .filter(|&thread| state.phase(thread) == Phase::Waits)
            .filter(|&thread| {
                self.next(state, thread)
                    .is_some_and(|event| such(self.op(event)))
            })
            .collect()
    }

    fn arrive(&self, state: &mut State, thread: ThreadId, barrier: ResourceId, parties: u32) {
        state.enter(thread, Phase::Waits);
        let here = self.waiting(
            state,
            |op| matches!(op, Op::Barrier { barrier: b, .. } if *b == barrier),
        );
        if here.len() == parties as usize {
            for thread in here {
                state.pass(thread);
            }
        }
    }

    /// What keeps a thread from going on, if something does that may last.
    fn block(&self, state: &State, thread: ThreadId) -> Option<Block> {
        let event = self.next(state, thread)?;
        if !self.is_started(state, thread) {
            return Some(Block::Wake(Wake::Fork(thread)));
        }
        if let Some((lock, mode, upgrade)) = self.wanted(state, thread, event) {
            let tries = matches!(self.op(event), Op::Acquire { ask: Ask::Try, .. });
            return (!tries).then_some(Block::Lock {
                lock,
                mode,
                upgrade,
            });
        }
        match *self.op(event) {
            Op::Join { child } => Some(Block::Join(child)),
            // A time limit ends the wait sooner or later.
            Op::WaitEnd { .. } if self.timed_wait(state, thread).is_some() => None,
            Op::WaitEnd { condvar, .. } => Some(Block::Wake(Wake::Notify(condvar))),
            Op::Barrier { barrier, .. } if state.phase(thread) == Phase::Waits => {
                Some(Block::Wake(Wake::Arrive(barrier)))
            }
            Op::Pend {
                semaphore,
                ask: Ask::Wait,
            } => state
                .units
                .binary_search_by_key(&semaphore, |unit| unit.0)
                .is_err()
                .then_some(Block::Wake(Wake::Post(semaphore))),
            _ => None,
        }
    }

    /// The threads that can never go on, each with those that it waits for.
    pub(super) fn stuck(&self, state: &State) -> Vec<(ThreadId, Vec<ThreadId>)> {
        let mut blocked: Vec<Option<Block>> = self
            .threads()
            .map(|thread| self.block(state, thread))
            .collect();
        loop {
            let gone: Vec<ThreadId> = self
                .threads()
                .filter(|thread| blocked[thread.at()].is_some())
                .filter(|&thread| self.waits_for(state, thread, &blocked).is_none())
                .collect();
            if gone.is_empty() {
                break;
            }
            for thread in gone {
                blocked[thread.at()] = None;
            }
        }
        self.threads()
            .filter(|thread| blocked[thread.at()].is_some())
            .map(|thread| {
                let waits = self.waits_for(state, thread, &blocked);
                (thread, waits.unwrap_or_default())
            })
            .collect()
    }

    /// Whom a blocked thread waits for; `None` if not for ever, given who else is blocked.
    fn waits_for(
        &self,
        state: &State,
        thread: ThreadId,
        blocked: &[Option<Block>],
    ) -> Option<Vec<ThreadId>> {
        let is_stuck = |thread: ThreadId| blocked[thread.at()].is_some();
        match blocked[thread.at()]? {
            Block::Lock {
                lock,
                mode,
                upgrade,
            } => {
                let clears = self.still(state, Wake::Clear(lock));
                if clears.into_iter().any(|other| !is_stuck(other)) {
                    return None;
                }
                let mut waits = Vec::new();
                let mut for_ever = false;
                for holder in state.in_the_way(thread, (lock, mode, upgrade)) {
                    if is_stuck(holder) {
                        waits.push(holder);
                    }
                    let is_over = self.next(state, holder).is_none() && !self.run.goes_on();
                    for_ever |= is_stuck(holder) || is_over;
                }
                if matches!(mode, Mode::Shared | Mode::Upgradable) {
                    let queued = self.threads().filter(|&other| {
                        other != thread
                            && matches!(blocked[other.at()], Some(Block::Lock { lock: l, mode: m, .. })
                                if l == lock && m.is_exclusive() && self.queues(state, other))
                            && !state.lets_readers_pass(lock, other)
                    });
                    waits.extend(queued);
                    for_ever |= !waits.is_empty();
                }
                for_ever.then_some(waits)
            }
            Block::Join(child) => is_stuck(child).then(|| vec![child]),
            Block::Wake(wake) => {
                if self.may_come_later(wake) {
                    return None;
                }
                let mut waits = Vec::new();
                for waker in self.still(state, wake) {
                    if waker == thread {
                        continue;
                    }
                    if !is_stuck(waker) {
                        return None;
                    }
                    let at_it = blocked[waker.at()] == Some(Block::Wake(wake));
                    if !(at_it && matches!(wake, Wake::Arrive(_))) {
                        waits.push(waker);
                    }
                }
                match wake {
                    // It never runs, but a thread that has not begun stands in no circle.
                    Wake::Fork(_) => (!waits.is_empty()).then(Vec::new),
                    // It might have gone on in another way, unless it keeps back who would come.
                    Wake::Post(resource) | Wake::Notify(resource)
                        if self.unordered.contains(&resource) && !waits.is_empty() =>
                    {
                        let kept_back = waits.iter().any(|waker| {
                            matches!(blocked[waker.at()], Some(Block::Lock { lock, .. })
                                if state.holds(thread, lock))
                        });
                        kept_back.then_some(waits)
                    }
                    _ => Some(waits),
                }
            }
        }
    }

    /// Whether this may happen behind the end of the run.
    fn may_come_later(&self, wake: Wake) -> bool {
        match wake {
            Wake::Notify(resource) | Wake::Arrive(resource) | Wake::Post(resource) => {
                self.run.may_end_later(resource)
            }
            Wake::Fork(_) | Wake::Clear(_) => false,
        }
    }

    /// Whether a thread that has begun waits for something else than a lock or the end of a thread: it is left
    /// there in a state in which nobody can go on and no circle is. In a recorded program a thread may wait until
    /// the process ends, so there it counts only if it `waits` for nobody.
    pub(super) fn is_left(&self, state: &State, thread: ThreadId, waits: &[ThreadId]) -> bool {
        let block = self.block(state, thread);
        matches!(block, Some(Block::Wake(wake)) if !matches!(wake, Wake::Fork(_)))
            && (waits.is_empty() || self.run.complete)
    }

    /// The threads that have still to do this.
    fn still(&self, state: &State, wake: Wake) -> Vec<ThreadId> {
        let wakers = self.wakers.get(&wake).into_iter().flatten();
        wakers
            .filter(|&&(thread, last)| last >= state.done(thread))
            .map(|(thread, _)| *thread)
            .collect()
    }

    /// Whether a thread stands in the queue of the lock that it wants: not after a condition wait.
    fn queues(&self, state: &State, thread: ThreadId) -> bool {
        self.next(state, thread)
            .is_some_and(|event| !matches!(self.op(event), Op::WaitEnd { .. }))
    }

    /// What the next event of a thread waits for, as a key: the lock's object, or the event's own
    /// thread or resource.
    pub(super) fn waits_at(&self, state: &State, thread: ThreadId) -> Option<LockId> {
        match self.block(state, thread)? {
            Block::Lock { lock, .. } => Some(lock),
            Block::Join(_) | Block::Wake(_) => None,
        }
    }
}

/// The lock that an event names.
fn lock_of(op: &Op) -> Option<LockId> {
    match *op {
        Op::Request { lock, .. }
        | Op::Acquire { lock, .. }
        | Op::Release { lock, .. }
        | Op::Upgrade { lock }
        | Op::Downgrade { lock, .. }
        | Op::WaitBegin { lock, .. }
        | Op::WaitEnd { lock, .. }
        | Op::Init { lock }
        | Op::Destroy { lock } => Some(lock),
        _ => None,
    }
}
