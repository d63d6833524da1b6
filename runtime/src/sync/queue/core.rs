//! Putting, getting, joining and closing: how one waits for what happens under the lock.

use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Poll, Waker};

use super::home::{Home, Own};
use super::how::How;
use super::putting::{Keeps, Putting};
use super::refusal::{GetError, Refusal};
use super::state::{End, Fate, Flows, Phase, State};
use super::store::Store;
use crate::sync::backend::{Backend, Flow, Tracked, TrackedFlow};
use crate::sync::deadline::Deadline;
use crate::sync::park::{self, Look};
use crate::sync::threads::Threads;
use crate::waiting::{Later, Left, Ticket};
use crate::watch::Site;

/// A queue of any order.
pub(in crate::sync) struct Core<S: Store<Entry: Send> + Send, B: Backend, H: Home<S> = Own<S, B>> {
    home: H,
    capacity: Option<usize>,
    flows: Flows<B>,
    born: Site,
    entries: PhantomData<fn(S)>,
}

/// When an entry that was got is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sync) enum Work {
    /// As soon as it was got.
    Done,
    /// When whoever got it says so.
    Kept,
}

/// What a get has found.
#[derive(Debug, Clone, Copy)]
enum Found {
    Got,
    Empty,
    /// And whether there is a unit of the end for this one.
    Closed {
        has_unit: bool,
    },
}

/// The guard of a queue's state.
pub(in crate::sync) type Guard<'a, S, H> = <H as Home<S>>::Guard<'a>;

impl<S: Store<Entry: Send> + Send> Core<S, Tracked> {
    /// A queue of watched locks, of `T`s.
    pub(in crate::sync) const fn tracked<T>(
        store: S,
        capacity: Option<usize>,
        born: Site,
    ) -> Core<S, Tracked> {
        let home = Own::tracked(State::new(store, capacity), born);
        Core::at_home_tracked::<T>(home, capacity, born)
    }
}

impl<S: Store<Entry: Send> + Send, H: Home<S>> Core<S, Tracked, H> {
    /// [`at_home`](Core::at_home) in a constant.
    pub(super) const fn at_home_tracked<T>(
        home: H,
        capacity: Option<usize>,
        born: Site,
    ) -> Core<S, Tracked, H> {
        Core {
            home,
            capacity,
            flows: Flows {
                entries: TrackedFlow::of::<T>(born),
                room: TrackedFlow::of::<T>(born),
                end: TrackedFlow::of::<T>(born),
                done: TrackedFlow::of::<T>(born),
            },
            born,
            entries: PhantomData,
        }
    }
}

impl<S: Store<Entry: Send> + Send, B: Backend> Core<S, B> {
    pub(in crate::sync) fn new_at<T>(store: S, capacity: Option<usize>, born: Site) -> Core<S, B> {
        let home = Own::new_at(State::new(store, capacity), born);
        Core::at_home::<T>(home, capacity, born)
    }
}

impl<S: Store<Entry: Send> + Send, B: Backend, H: Home<S>> Core<S, B, H> {
    /// A queue of `T`s whose state is there.
    pub(in crate::sync) fn at_home<T>(
        home: H,
        capacity: Option<usize>,
        born: Site,
    ) -> Core<S, B, H> {
        let flow = || B::Flow::new_at(born, std::any::type_name::<T>);
        Core {
            home,
            capacity,
            flows: Flows {
                entries: flow(),
                room: flow(),
                end: flow(),
                done: flow(),
            },
            born,
            entries: PhantomData,
        }
    }

    pub(in crate::sync) fn home(&self) -> &H {
        &self.home
    }

    pub(in crate::sync) fn born(&self) -> Site {
        self.born
    }

    pub(in crate::sync) fn flows(&self) -> &Flows<B> {
        &self.flows
    }

    #[inline]
    pub(in crate::sync) fn lock(&self, at: Site) -> Guard<'_, S, H> {
        self.home.lock(at)
    }

    /// The lock, unless somebody is told of it, and of each unit.
    #[inline]
    pub(super) fn lock_untold(&self, at: Site) -> Option<Guard<'_, S, H>> {
        self.is_untold().then(|| self.home.lock_untold(at))
    }

    /// Whether nobody is told of the lock, and of each unit.
    #[inline]
    pub(super) fn is_untold(&self) -> bool {
        !self.flows.entries.is_told()
    }

    /// The lock, for who does not look at the entries.
    #[inline]
    pub(super) fn lock_to_put(&self, at: Site) -> Guard<'_, S, H> {
        self.home.lock_to_put(at)
    }

    /// Gives the lock back.
    #[inline]
    pub(in crate::sync) fn release(&self, state: Guard<'_, S, H>) {
        self.total().store(state.store.total(), Relaxed);
        drop(state);
    }

    /// Whether there was no entry when the lock was last given back: a hint, for who looks under the lock anyway.
    #[inline]
    pub(in crate::sync) fn seems_empty(&self) -> bool {
        self.seen_total() == 0
    }

    /// How many entries there were then: the same hint.
    #[inline]
    pub(in crate::sync) fn seen_total(&self) -> usize {
        B::Threads::step();
        self.home.lent() + self.total().load(Relaxed)
    }

    /// How many entries there were when the lock was last given back.
    #[inline]
    pub(super) fn total(&self) -> &AtomicUsize {
        self.home.total()
    }

    pub(in crate::sync) fn try_lock(&self, at: Site) -> Option<Guard<'_, S, H>> {
        self.home.try_lock(at)
    }

    /// Puts if there is room, and tells whom it concerns. Whether that has passed by others that had to wait.
    #[inline(never)]
    pub(in crate::sync) fn put_among_others(
        &self,
        mut state: Guard<'_, S, H>,
        slot: &mut Option<S::Entry>,
        at: Site,
    ) -> Result<bool, Refusal> {
        let mut later = Later::new();
        if !state.is_open() {
            return Err(Refusal::Closed);
        }
        if !state.has_room() && slot.as_ref().is_some_and(S::counts) {
            self.home.count_lent(&mut state);
            if !state.has_room() {
                return Err(Refusal::Full);
            }
        }
        state.put(slot, &self.flows, at, &mut later);
        let passes_by = state.passes_by();
        self.release(state);
        later.run();
        Ok(passes_by)
    }

    #[cold]
    pub(super) fn put_later(
        &self,
        slot: &mut Option<S::Entry>,
        look: Look,
        deadline: Deadline,
        at: Site,
    ) -> Result<(), Refusal> {
        let how = How::until(deadline, at);
        self.flows.room.pending(how.timed, at);
        let mut putting = Putting::of(slot.take(), Keeps::Nothing);
        let put = park::wait_looking::<B::Threads, _>(Some(look), deadline, |waker| {
            self.poll_put(&mut putting, waker, how)
        });
        let put = put.unwrap_or_else(|| {
            self.withdraw(&mut putting, how);
            if putting.was_admitted {
                Ok(())
            } else {
                Err(Refusal::Timeout)
            }
        });
        if !putting.was_admitted {
            self.flows.room.gave_up();
        }
        *slot = putting.slot.take();
        put
    }

    /// Whether the entry is in, or refused; otherwise it waits for room.
    pub(in crate::sync) fn poll_put(
        &self,
        putting: &mut Putting<S::Entry>,
        waker: &Waker,
        how: How,
    ) -> Poll<Result<(), Refusal>> {
        let (waker, mut later) = (waker.clone(), Later::new());
        let mut state = self.lock(how.at);
        let (slot, flows) = (&mut putting.slot, &self.flows);
        let mut was_told_of_room = false;
        let poll = if let Some(number) = putting.waits {
            let fate = state.fate(number, slot, waker, flows, how.at, &mut later);
            if !matches!(fate, Fate::Waits) {
                putting.waits = None;
            }
            match fate {
                Fate::Waits => Poll::Pending,
                Fate::Accepted => {
                    putting.was_admitted = true;
                    was_told_of_room = true;
                    Poll::Ready(Ok(()))
                }
                Fate::Refused { had_room } => {
                    was_told_of_room = had_room;
                    Poll::Ready(Err(Refusal::Closed))
                }
            }
        } else if !state.is_open() {
            Poll::Ready(Err(Refusal::Closed))
        } else if state.has_room() || !slot.as_ref().is_some_and(S::counts) {
            state.put(slot, flows, how.at, &mut later);
            Poll::Ready(Ok(()))
        } else {
            let keeps = putting.keeps;
            let number = state.wait_for_room(slot, keeps, waker, flows, how.at, &mut later);
            putting.waits = Some(number);
            Poll::Pending
        };
        self.release(state);
        later.run();
        if was_told_of_room {
            self.flows.room.obtained(how.timed, how.at);
        }
        poll
    }

    /// Takes a put back: its entry is in its slot again, unless it was accepted.
    pub(in crate::sync) fn withdraw(&self, putting: &mut Putting<S::Entry>, how: How) {
        let Some(number) = putting.waits.take() else {
            return;
        };
        let mut later = Later::new();
        let mut state = self.lock(how.at);
        let flows = &self.flows;
        let withdrawn = state.withdraw(number, &mut putting.slot, flows, how.at, &mut later);
        self.release(state);
        later.run();
        if !withdrawn {
            flows.room.obtained(how.timed, how.at);
            putting.was_admitted = putting.slot.is_none();
        }
    }

    /// Gets the next entry, into the slot, if there is one, and tells whom it concerns.
    #[inline(never)]
    pub(super) fn get_among_others(
        &self,
        mut state: Guard<'_, S, H>,
        slot: &mut Option<S::Entry>,
        work: Work,
        how: How,
    ) -> Result<(), GetError> {
        let mut later = Later::new();
        let found = self.look(&mut state, slot, work, how.at, &mut later);
        self.release(state);
        later.run();
        self.told(found, how)
    }

    /// The next entry, under the lock.
    fn look(
        &self,
        state: &mut State<S>,
        slot: &mut Option<S::Entry>,
        work: Work,
        at: Site,
        later: &mut Later,
    ) -> Found {
        if state.take(slot, &self.flows, at, later) {
            if slot.as_ref().is_some_and(S::counts) {
                match work {
                    Work::Done => state.finished(&self.flows, at, later),
                    Work::Kept => state.keep(),
                }
            }
            return Found::Got;
        }
        if state.is_open() {
            return Found::Empty;
        }
        Found::Closed {
            has_unit: state.take_end_unit(),
        }
    }

    /// Tells what a look has given, when the lock is given back: this thread did not wait with that.
    fn told(&self, found: Found, how: How) -> Result<(), GetError> {
        match found {
            Found::Got => {
                let entries = &self.flows.entries;
                if S::IN_ORDER && how.by_thread {
                    entries.obtained_in_order(how.timed, how.at);
                } else {
                    entries.obtained(how.timed, how.at);
                }
                Ok(())
            }
            Found::Empty => Err(GetError::Empty),
            Found::Closed { has_unit } => {
                if has_unit {
                    self.flows.end.obtained(how.timed, how.at);
                }
                Err(GetError::Closed)
            }
        }
    }

    #[cold]
    pub(super) fn get_later(
        &self,
        slot: &mut Option<S::Entry>,
        work: Work,
        look: Option<Look>,
        deadline: Deadline,
        how: How,
    ) -> Result<(), GetError> {
        self.flows.entries.pending(how.timed, how.at);
        let mut ticket = Ticket::new();
        let got = park::wait_looking::<B::Threads, _>(look, deadline, |waker| {
            self.poll_get(slot, &mut ticket, waker, work, how)
        });
        let got = got.unwrap_or_else(|| self.last_look(slot, &mut ticket, work, how));
        if got.is_err() {
            self.flows.entries.gave_up();
        }
        got
    }

    /// Gets the next entry; otherwise the waiter queues up.
    pub(in crate::sync) fn poll_get(
        &self,
        slot: &mut Option<S::Entry>,
        ticket: &mut Ticket,
        waker: &Waker,
        work: Work,
        how: How,
    ) -> Poll<Result<(), GetError>> {
        let (waker, mut later) = (waker.clone(), Later::new());
        let mut state = self.lock(how.at);
        let found = self.look(&mut state, slot, work, how.at, &mut later);
        if matches!(found, Found::Empty) {
            state.wait_for_entry(ticket, waker, &mut later);
        } else {
            state.leave_get(ticket, &mut later);
            later.drop_later(Some(waker));
        }
        self.release(state);
        later.run();
        match self.told(found, how) {
            Err(GetError::Empty) => Poll::Pending,
            got => Poll::Ready(got),
        }
    }

    /// Takes a waiter back, whose deadline has come; what is there by now it gets.
    fn last_look(
        &self,
        slot: &mut Option<S::Entry>,
        ticket: &mut Ticket,
        work: Work,
        how: How,
    ) -> Result<(), GetError> {
        let mut later = Later::new();
        let mut state = self.lock(how.at);
        let found = self.look(&mut state, slot, work, how.at, &mut later);
        state.leave_get(ticket, &mut later);
        self.release(state);
        later.run();
        match self.told(found, how) {
            Err(GetError::Empty) => Err(GetError::Timeout),
            got => got,
        }
    }

    /// Takes a waiter back that wants nothing any more.
    pub(in crate::sync) fn abandon_get(&self, ticket: &mut Ticket) {
        let mut later = Later::new();
        let mut state = self.lock(self.born);
        state.abandon_get(ticket, &mut later);
        self.release(state);
        later.run();
    }

    /// Whether something can be done at this end, or never will be; otherwise the waker is used when that may have
    /// changed.
    pub(in crate::sync) fn watch(&self, end: End, ticket: &mut Ticket, waker: &Waker) -> bool {
        let (waker, mut later) = (waker.clone(), Later::new());
        let mut state = self.lock(self.born);
        let ready = state.is_ready(end);
        let watchers = state.watchers(end);
        if ready {
            watchers.leave(ticket, &mut later);
            later.drop_later(Some(waker));
        } else {
            watchers.enter(ticket, waker, &mut later);
        }
        ready
    }

    /// Takes such a waker back.
    pub(in crate::sync) fn unwatch(&self, end: End, ticket: &mut Ticket) {
        if ticket.is_some() {
            let mut later = Later::new();
            let mut state = self.lock(self.born);
            state.watchers(end).leave(ticket, &mut later);
        }
    }

    /// One entry that was kept is done.
    pub(in crate::sync) fn finish(&self, at: Site) {
        let mut later = Later::new();
        let mut state = self.lock(at);
        state.finish_kept(&self.flows, at, &mut later);
        self.release(state);
        later.run();
    }

    /// Waits until all that was put is done. Whether it is.
    pub(in crate::sync) fn join(&self, deadline: Deadline, at: Site) -> bool {
        if self.lock(at).is_done() {
            self.flows.done.found(at);
            return true;
        }
        let timed = deadline.is_timed();
        self.flows.done.pending_work(timed, at);
        let mut ticket = Ticket::new();
        park::wait::<B::Threads, _>(deadline, |waker| self.poll_join(&mut ticket, waker, at));
        let (joined, left) = self.leave_join(&mut ticket, timed, at);
        if left == Left::Waiting {
            self.flows.done.gave_up();
        }
        joined
    }

    /// A join waits no more. Whether all is done, or was since it came, and whether it was told of that.
    pub(super) fn leave_join(&self, ticket: &mut Ticket, timed: bool, at: Site) -> (bool, Left) {
        let mut later = Later::new();
        let mut state = self.lock(at);
        let joined = state.is_joined(ticket);
        let left = state.leave_join(ticket, &mut later);
        drop(state);
        if left == Left::Chosen {
            self.flows.done.obtained(timed, at);
        } else if joined {
            self.flows.done.found(at);
        }
        (joined, left)
    }

    /// Whether a join may go on; otherwise it queues up.
    pub(super) fn poll_join(&self, ticket: &mut Ticket, waker: &Waker, at: Site) -> Poll<()> {
        let (waker, mut later) = (waker.clone(), Later::new());
        let mut state = self.lock(at);
        if state.is_joined(ticket) {
            return Poll::Ready(());
        }
        state.wait_for_done(ticket, waker, &mut later);
        drop(state);
        Poll::Pending
    }

    /// Closes the queue; false if it was.
    pub(in crate::sync) fn close(&self, at: Site) -> bool {
        let mut later = Later::new();
        let mut state = self.lock(at);
        let news = state.close(&self.flows, at, &mut later);
        self.release(state);
        later.run();
        news
    }

    /// Closes the queue and takes out what is left, which counts as done.
    pub(in crate::sync) fn close_now(&self, at: Site) -> Vec<S::Entry> {
        let mut later = Later::new();
        let mut state = self.lock(at);
        state.close(&self.flows, at, &mut later);
        state.phase = Phase::Emptied;
        let mut entries = Vec::new();
        let mut slot = None;
        while state.store.pop(&mut slot) {
            entries.extend(slot.take());
        }
        state.finished(&self.flows, at, &mut later);
        self.release(state);
        later.run();
        entries
    }

    /// How many entries there are that count.
    pub(in crate::sync) fn len(&self, at: Site) -> usize {
        let state = self.home.lock_to_put(at);
        // What is lent does count.
        self.home.lent() + state.store.len()
    }

    pub(in crate::sync) fn capacity(&self) -> Option<usize> {
        self.capacity
    }

    pub(in crate::sync) fn is_closed(&self, at: Site) -> bool {
        !self.lock_to_put(at).is_open()
    }

    /// Shows how many entries there are, and how many threads, tasks and pollers wait, unless that would have to wait.
    pub(in crate::sync) fn debug(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct(name);
        match self.try_lock(self.born) {
            Some(state) => {
                let len = self.home.lent() + state.store.len();
                let closed = !state.is_open();
                let waiting = state.waiting();
                drop(state);
                shown.field("len", &len).field("closed", &closed);
                shown.field("waiting", &waiting).finish()
            }
            None => shown.field("len", &format_args!("<locked>")).finish(),
        }
    }
}
