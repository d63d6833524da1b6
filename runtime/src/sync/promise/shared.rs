//! What both sides share.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::task::{Poll, Waker};

use super::failure::{End, Failure};
use super::kept::{Awaited, Kept, Name, NoEnd, Waiting};
use crate::sync::backend::{Backend, Duty, Flow, Lock};
use crate::sync::deadline::Deadline;
use crate::sync::park::{self, Look};
use crate::sync::queue::How;
use crate::sync::threads::Threads;
use crate::waiting::{Later, Ticket, Waiters, wake};
use crate::watch::Site;

/// What came of the work.
pub(super) type Outcome<T> = Result<T, Failure>;

/// What runs when a promise has ended.
pub(super) type Callback = Box<dyn FnOnce(End) + Send>;

/// A promise and its future. The value is behind the one leaf lock; it moves in and out, and is never
/// dropped or looked at there. Behind it lies what only the promise knows of: see [`planned`](super::planned).
pub(super) struct Shared<T: Send, B: Backend, W: ?Sized = dyn Send + Sync> {
    state: B::Mutex<State<T>>,
    flow: B::Flow,
    born: Site,
    /// What the stage says, to be read without the lock.
    has_ended: AtomicBool,
    kept: Kept,
    /// The work that gives the value, where that lies here.
    pub(super) work: W,
}

/// The worker that does the work, and is told how far its result is.
pub(in crate::sync) trait Host {
    /// The result is about to be given: as soon as it is, the worker is free.
    fn almost_free(&self);

    /// But callbacks run first.
    fn still_busy(&self);
}

/// A waiter that leaves its place when this is dropped, if it has one: by unwinding, out of a wait that closes a
/// circle.
struct Queued<'a, T: Send, B: Backend, W: ?Sized>(&'a Shared<T, B, W>, Ticket);

impl<T: Send, B: Backend, W: ?Sized> Drop for Queued<'_, T, B, W> {
    fn drop(&mut self) {
        if self.1.is_some() {
            let mut later = Later::new();
            let mut state = self.0.state.lock_at(self.0.born);
            state.leave(&mut self.1, &mut later);
            drop(state);
            self.0.flow.gave_up();
        }
    }
}

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// There is a result.
    Ended,
    /// The deadline came.
    TimedOut,
    /// It would never end.
    Stuck,
}

struct State<T> {
    stage: Stage,
    /// The outcome, from the end until it is taken.
    outcome: Option<Outcome<T>>,
    /// Nobody will take the value.
    is_abandoned: bool,
    /// Those who wait for the end.
    waiters: Waiters,
    /// What else is to be told of it; made for the first of that, as it is seldom.
    interested: Option<Box<Interested>>,
    /// Units that were posted and not taken.
    units: u32,
}

/// What is to be told of the end, apart from those who wait for it.
#[derive(Default)]
struct Interested {
    callbacks: Vec<Callback>,
    /// Set when it ends: made when somebody waits whom the keeper may have to look after.
    told: Option<Arc<AtomicBool>>,
}

impl Interested {
    /// Runs the callbacks, on the thread of `host`.
    #[cold]
    fn call_back(self, end: End, host: Option<&dyn Host>) {
        if !self.callbacks.is_empty()
            && let Some(host) = host
        {
            host.still_busy();
        }
        for callback in self.callbacks {
            call(callback, end);
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Pending,
    /// The work has begun: it cannot be cancelled any more.
    Running,
    Ended(End),
}

/// Whether the watcher was told that a thread knows of the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// It took a unit.
    Unit,
    /// Others have taken all.
    Nothing,
}

impl<T> State<T> {
    /// Whether it has ended, and whether there is a unit to be told of for this.
    #[inline]
    fn has_ended(&mut self) -> Option<Told> {
        if !matches!(self.stage, Stage::Ended(_)) {
            return None;
        }
        if self.units == 0 {
            return Some(Told::Nothing);
        }
        self.units -= 1;
        Some(Told::Unit)
    }

    /// What is to be told of the end.
    fn interested(&mut self) -> &mut Interested {
        self.interested.get_or_insert_default()
    }

    /// A waiter leaves, if it has come.
    #[inline]
    fn leave(&mut self, ticket: &mut Ticket, later: &mut Later) {
        self.waiters.leave(ticket, later);
    }

    /// A waiter leaves with the outcome, and with whether there is a unit to be told of.
    #[inline]
    fn take_out(
        &mut self,
        ticket: &mut Ticket,
        later: &mut Later,
    ) -> (Option<Told>, Option<Outcome<T>>) {
        self.leave(ticket, later);
        (self.has_ended(), self.outcome.take())
    }
}

impl<T: Send, B: Backend, W> Shared<T, B, W> {
    #[inline]
    pub(super) fn new(born: Site, kept: Kept, work: W) -> Shared<T, B, W> {
        Shared::of(Waiters::new(), born, kept, work)
    }

    /// A promise that somebody waits for from the beginning, which needs no lock.
    #[inline]
    pub(super) fn of(waiters: Waiters, born: Site, kept: Kept, work: W) -> Shared<T, B, W> {
        Shared {
            state: B::Mutex::new_at(
                State {
                    stage: Stage::Pending,
                    outcome: None,
                    is_abandoned: false,
                    waiters,
                    interested: None,
                    units: 0,
                },
                born,
            ),
            flow: B::Flow::new_at(born, std::any::type_name::<T>),
            born,
            has_ended: AtomicBool::new(false),
            kept,
            work,
        }
    }
}

impl<T: Send, B: Backend> Shared<T, B, ()> {
    /// The outcome of what has ended, for the only one who is left, and has the only ticket that there ever was: it
    /// leaves.
    #[inline]
    pub(super) fn into_outcome(mut self, ticket: &mut Ticket, how: How) -> Option<Outcome<T>> {
        *ticket = Ticket::new();
        let state = self.state.get_mut();
        let (told, outcome) = (state.has_ended(), state.outcome.take());
        self.was_there(told, how);
        outcome
    }
}

impl<T: Send, B: Backend, W: ?Sized> Shared<T, B, W> {
    pub(super) fn born(&self) -> Site {
        self.born
    }

    pub(super) fn name(&self) -> Name {
        Name::of(&self.state)
    }

    /// This thread does the work, until the result is dropped.
    pub(super) fn duty(&self) -> Duty<'_, B::Flow> {
        Duty::begin(&self.flow)
    }

    /// The work begins. False if it has ended already, by being cancelled.
    pub(super) fn start(&self, at: Site) -> bool {
        let mut state = self.state.lock_at(at);
        match state.stage {
            Stage::Pending => {
                state.stage = Stage::Running;
                true
            }
            Stage::Running => true,
            Stage::Ended(_) => false,
        }
    }

    /// Ends it with this value, which comes back if nobody wants it, or if it has ended already. This is
    /// [`end`](Shared::end) for what is usual: a value that is written once, and where it belongs.
    #[inline]
    pub(super) fn give(&self, value: T, at: Site) -> Result<(), T> {
        let mut state = self.state.lock_at(at);
        if matches!(state.stage, Stage::Ended(_)) {
            return Err(value);
        }
        if state.is_abandoned {
            self.finish(state, End::Done, None, at);
            return Err(value);
        }
        state.outcome = Some(Ok(value));
        self.finish(state, End::Done, None, at);
        Ok(())
    }

    /// Ends it. The outcome comes back if nobody wants it, or if it has ended already.
    pub(super) fn end(
        &self,
        end: End,
        outcome: Outcome<T>,
        host: Option<&dyn Host>,
        at: Site,
    ) -> Result<(), Outcome<T>> {
        let mut state = self.state.lock_at(at);
        if matches!(state.stage, Stage::Ended(_)) {
            return Err(outcome);
        }
        let back = if state.is_abandoned {
            Err(outcome)
        } else {
            // Nothing is replaced: it has one outcome.
            state.outcome = Some(outcome);
            Ok(())
        };
        self.finish(state, end, host, at);
        back
    }

    /// [`start`](Shared::start) for the only one who is left.
    pub(super) fn start_alone(&mut self) -> bool {
        !matches!(self.state.get_mut().stage, Stage::Ended(_))
    }

    /// [`end`](Shared::end) for the only one who is left, and stays so: there is nobody to take the value.
    pub(super) fn end_alone(&mut self, end: End, host: Option<&dyn Host>, at: Site) {
        *self.has_ended.get_mut() = true;
        let state = self.state.get_mut();
        state.stage = Stage::Ended(end);
        let interested = state.interested.take();
        self.flow.posted(1, at);
        if let Some(interested) = interested {
            interested.call_back(end, host);
        }
    }

    /// Ends it as cancelled, unless the work has begun.
    pub(super) fn cancel(&self, at: Site) -> bool {
        let mut state = self.state.lock_at(at);
        if state.stage != Stage::Pending {
            return false;
        }
        state.outcome = Some(Err(Failure::Cancelled));
        self.finish(state, End::Cancelled, None, at);
        true
    }

    /// It has ended so, and has its outcome: tells all whom that concerns.
    fn finish(
        &self,
        mut state: <B::Mutex<State<T>> as Lock<State<T>>>::Guard<'_>,
        end: End,
        host: Option<&dyn Host>,
        at: Site,
    ) {
        B::Threads::step();
        self.flow.told(at);
        self.has_ended.store(true, Release);
        state.stage = Stage::Ended(end);
        if state.interested.is_some() || !state.waiters.one_waits_at_most() {
            return self.tell_all(state, end, host, at);
        }
        let waker = state.waiters.choose();
        state.units = 1;
        self.flow.posted(1, at);
        drop(state);
        if let Some(waker) = waker {
            wake(waker);
        }
    }

    /// [`finish`](Shared::finish) where several wait, or callbacks.
    #[inline(never)]
    fn tell_all(
        &self,
        mut state: <B::Mutex<State<T>> as Lock<State<T>>>::Guard<'_>,
        end: End,
        host: Option<&dyn Host>,
        at: Site,
    ) {
        let mut later = Later::new();
        let waiting = state.waiters.waiting();
        state.waiters.choose_all(&mut later);
        let interested = state.interested.take();
        if let Some(interested) = &interested
            && let Some(told) = &interested.told
        {
            B::Threads::step();
            told.store(true, Release);
        }
        // One for each who waits, and one for somebody who comes later.
        state.units = u32::try_from(waiting.max(1)).unwrap_or(u32::MAX);
        self.flow.posted(state.units, at);
        drop(state);
        later.run();
        if let Some(interested) = interested {
            interested.call_back(end, host);
        }
    }

    /// Runs `callback` when it has ended: now, if it has.
    pub(super) fn on_done(&self, callback: Callback, at: Site) {
        let mut state = self.state.lock_at(at);
        if let Stage::Ended(end) = state.stage {
            drop(state);
            call(callback, end);
        } else {
            state.interested().callbacks.push(callback);
        }
    }

    /// How it has ended, if it has.
    pub(super) fn ended(&self, at: Site) -> Option<End> {
        match self.state.lock_at(at).stage {
            Stage::Ended(end) => Some(end),
            Stage::Pending | Stage::Running => None,
        }
    }

    /// Nobody will take the value: one that is there is given back, to be dropped.
    pub(super) fn abandon(&self) -> Option<Outcome<T>> {
        let mut state = self.state.lock_at(self.born);
        state.is_abandoned = true;
        state.outcome.take()
    }

    /// Whether a value that is given from now on goes with what was shared, since that has the work with it.
    pub(super) fn goes_with_work(&self) -> bool {
        matches!(self.kept, Kept::ByCrew(_)) && !self.has_ended()
    }

    /// Whether somebody may take the value.
    pub(super) fn is_wanted(&self, at: Site) -> bool {
        let state = self.state.lock_at(at);
        !state.is_abandoned && !matches!(state.stage, Stage::Ended(_))
    }

    /// Whether it has ended.
    #[inline]
    pub(super) fn has_ended(&self) -> bool {
        B::Threads::step();
        self.has_ended.load(Acquire)
    }

    /// Whether it has ended. Who sees that it has comes after that, as if it had waited.
    pub(super) fn is_found(&self, at: Site) -> bool {
        let has_ended = self.has_ended();
        if has_ended {
            self.flow.found(at);
        }
        has_ended
    }

    /// The outcome, taken as by a wait, if it has ended; the waiter leaves then. It can be taken once. If the
    /// promise is gone already nobody else can come, and no lock is needed.
    #[inline]
    pub(super) fn take_at_once(
        self: &mut Arc<Self>,
        ticket: &mut Ticket,
        how: How,
    ) -> Option<Outcome<T>> {
        if !self.has_ended() {
            return None;
        }
        let mut later = Later::new();
        // No lock is held behind this: what the watcher is told of next would else have been got under it.
        let Some(alone) = Arc::get_mut(self) else {
            return self.take_locked(ticket, how);
        };
        let (told, outcome) = alone.state.get_mut().take_out(ticket, &mut later);
        self.was_there(told, how);
        outcome
    }

    /// Somebody came when it had ended.
    #[inline]
    fn was_there(&self, told: Option<Told>, how: How) {
        match told {
            Some(Told::Unit) if self.flow.is_told() => {
                if how.by_thread {
                    self.flow.obtained_in_order(how.timed, how.at);
                } else {
                    self.flow.obtained(how.timed, how.at);
                }
            }
            Some(Told::Nothing) => self.flow.found(how.at),
            _ => {}
        }
    }

    /// The outcome of what has ended, if it was not taken; the waiter leaves then.
    pub(super) fn take_locked(&self, ticket: &mut Ticket, how: How) -> Option<Outcome<T>> {
        let mut later = Later::new();
        let mut state = self.state.lock_at(how.at);
        let (told, outcome) = state.take_out(ticket, &mut later);
        drop(state);
        self.was_there(told, how);
        outcome
    }

    /// Waits until it has ended.
    pub(super) fn wait(&self, deadline: Deadline, at: Site) -> Wait {
        let ready = || self.has_ended.load(Acquire);
        if !self.has_ended() && !park::look_on::<B::Threads>(Look::Both, deadline, ready) {
            return self.wait_parked(deadline, at);
        }
        let told = self.state.lock_at(at).has_ended();
        self.was_there(told, How::until(deadline, at));
        Wait::Ended
    }

    fn wait_parked(&self, deadline: Deadline, at: Site) -> Wait {
        let timed = deadline.is_timed();
        let waiting = match (!timed).then(|| self.begin_wait(at)) {
            None => None,
            Some(Ok(waiting)) => Some(waiting),
            Some(Err(NoEnd)) => return Wait::Stuck,
        };
        self.flow.pending_work(timed, at);
        let mut queued = Queued(self, Ticket::new());
        let ended = park::wait_looking::<B::Threads, _>(None, deadline, |waker| {
            self.look(&mut queued.1, waker, at)
        });
        let ended = ended.or_else(|| self.give_up(&mut queued.1, at));
        drop((queued, waiting));
        if ended == Some(Told::Unit) {
            self.flow.obtained_in_order(timed, at);
        } else {
            self.flow.gave_up();
        }
        if ended == Some(Told::Nothing) {
            self.flow.found(at);
        }
        if ended.is_some() {
            Wait::Ended
        } else {
            Wait::TimedOut
        }
    }

    /// This thread is about to wait for it, however long that takes.
    fn begin_wait(&self, at: Site) -> Result<Waiting, NoEnd> {
        Waiting::begin::<B::Threads>(&self.kept, std::iter::once_with(|| self.awaited(at)))
    }

    /// Its name, and what is set when it ends.
    pub(super) fn awaited(&self, at: Site) -> Awaited {
        (self.name(), self.told_of_end(at))
    }

    /// Who is to keep it, if somebody has a say in waits for it.
    pub(super) fn kept(&self) -> &Kept {
        &self.kept
    }

    /// What is set when it ends, or is set already.
    fn told_of_end(&self, at: Site) -> Arc<AtomicBool> {
        let new = Arc::default();
        let mut state = self.state.lock_at(at);
        let told = Arc::clone(state.interested().told.get_or_insert(new));
        if matches!(state.stage, Stage::Ended(_)) {
            B::Threads::step();
            told.store(true, Release);
        }
        told
    }

    /// Whether it has ended; otherwise the waiter queues up.
    pub(super) fn poll(
        &self,
        ticket: &mut Ticket,
        waker: &Waker,
        timed: bool,
        at: Site,
    ) -> Poll<Told> {
        let ended = self.look(ticket, waker, at);
        ended.map(|told| self.told(told, timed, at))
    }

    /// The same, and the watcher is not told yet.
    fn look(&self, ticket: &mut Ticket, waker: &Waker, at: Site) -> Poll<Told> {
        let (waker, mut later) = (waker.clone(), Later::new());
        let mut state = self.state.lock_at(at);
        if let Some(told) = state.has_ended() {
            state.leave(ticket, &mut later);
            return Poll::Ready(told);
        }
        state.waiters.enter(ticket, waker, &mut later);
        drop(state);
        Poll::Pending
    }

    /// Takes a waiter back. Whether it has ended meanwhile.
    pub(super) fn leave(&self, ticket: &mut Ticket, timed: bool, at: Site) -> Option<Told> {
        let ended = self.give_up(ticket, at);
        ended.map(|told| self.told(told, timed, at))
    }

    /// The same, and the watcher is not told yet.
    fn give_up(&self, ticket: &mut Ticket, at: Site) -> Option<Told> {
        let mut later = Later::new();
        let mut state = self.state.lock_at(at);
        state.leave(ticket, &mut later);
        state.has_ended()
    }

    /// Takes a waiter back that wants nothing any more, if it has queued up.
    pub(super) fn abandon_wait(&self, ticket: &mut Ticket, timed: bool, at: Site) {
        if ticket.is_some() {
            let _ = self.leave(ticket, timed, at);
        }
    }

    /// Tells that this thread knows of the end, when the lock is given back: it did not wait with that.
    fn told(&self, told: Told, timed: bool, at: Site) -> Told {
        match told {
            Told::Unit => self.flow.obtained(timed, at),
            Told::Nothing => self.flow.found(at),
        }
        told
    }

    /// The outcome, if it has ended. It can be taken once.
    pub(super) fn take(&self, at: Site) -> Option<Outcome<T>> {
        self.state.lock_at(at).outcome.take()
    }
}

/// Runs a callback. Its panic has been printed, and must not keep the others from running.
fn call(callback: Callback, end: End) {
    let run = std::panic::AssertUnwindSafe(|| callback(end));
    let _ = std::panic::catch_unwind(run);
}
