//! Something that has happened: [`Event`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::backend::{Backend, Duty, Flow, Lock, Tracked, TrackedFlow};
use super::deadline::Deadline;
use super::leaf::LeafMutex;
use super::park;
use super::threads::Threads;
use crate::waiting::{Later, Ticket, Waiters};
use crate::watch::Site;

/// A flag that threads and tasks can wait for.
///
/// - **Sticky, fairness**: [`set`](Event::set) wakes all who wait, in the order in which they came, and whoever
///   comes later passes at once, until [`clear`](Event::clear).
/// - **Counted**: who waited when it was set returns, even if it is cleared before they run.
/// - **Ordering**: what came before a `set` has happened for whoever it wakes or lets pass.
/// - **Blocking**: only the waits block. Waiting for an event that is set takes no lock. Where all events are recorded
///   it is known that it was found set, so that two orders of locks which nothing but that keeps apart are at most
///   `possible`.
/// - **Capacity, close, re-entrancy**: any number may wait, there is nothing to close, and a waker may use the very
///   event.
/// - **Panic, drop**: there is nothing that a panic could leave half done; a wait that ends early (by
///   its deadline, or because its future is dropped) leaves nothing behind.
///
/// ```
/// use lockwise::sync::Event;
/// use lockwise::thread;
///
/// static STARTED: Event = Event::new();
///
/// let countdown = thread::spawn(|| {
///     STARTED.set();
/// });
/// STARTED.wait();
/// assert!(STARTED.is_set());
/// # countdown.join().unwrap();
/// ```
///
/// A condition for tasks, which must not keep a lock across an `await`, is an event beside a mutex: whoever changes the
/// value sets it and clears it, and who waits looks at the value first and again when it is woken. To miss no change, the
/// wait begins (is polled) before the look.
///
/// ```
/// use std::future::poll_fn;
/// use std::pin::pin;
/// use std::rc::Rc;
/// use std::task::Poll;
///
/// use lockwise::Mutex;
/// use lockwise::sync::{Event, Scheduler, yield_now};
///
/// let shared = Rc::new((Mutex::new(0), Event::new()));
/// let scheduler = Scheduler::new();
/// let waits = Rc::clone(&shared);
/// let seen = scheduler.spawn(async move {
///     let (value, changed) = &*waits;
///     loop {
///         let mut change = pin!(changed.wait_async());
///         let is_set = poll_fn(|context| Poll::Ready(change.as_mut().poll(context).is_ready())).await;
///         let now = *value.lock();
///         if now >= 2 {
///             return now;
///         }
///         if !is_set {
///             change.await;
///         }
///     }
/// });
/// let _ = scheduler.spawn(async move {
///     let (value, changed) = &*shared;
///     for _ in 0..2 {
///         yield_now().await;
///         *value.lock() += 1;
///         changed.set();
///         changed.clear();
///     }
/// });
/// scheduler.run().unwrap();
/// assert_eq!(seen.result().wait().unwrap(), 2);
/// ```
pub struct Event<B: Backend = Tracked> {
    /// What the state says, to be read without the lock: [`CLEAR`], [`SET`] or [`TOLD`].
    set: AtomicU8,
    state: B::Mutex<State>,
    flow: B::Flow,
    born: Site,
}

/// Not set.
const CLEAR: u8 = 0;
/// Set.
const SET: u8 = 1;
/// Set, and the watcher was told of it.
const TOLD: u8 = 2;

#[derive(Debug)]
struct State {
    is_set: bool,
    /// How often it was set: a waiter passes once this has changed.
    sets: u64,
    waiters: Waiters,
}

impl State {
    const fn new() -> State {
        State {
            is_set: false,
            sets: 0,
            waiters: Waiters::new(),
        }
    }

    /// Whether the waiter may pass.
    fn passes(&self, waiter: &Waiter) -> Option<Passed> {
        if waiter.ticket.is_some() && self.sets != waiter.sets {
            return Some(Passed::Woken);
        }
        self.is_set.then_some(Passed::Found)
    }
}

/// A waiter between its attempts.
#[derive(Debug)]
pub(super) struct Waiter {
    ticket: Ticket,
    /// How often the event had been set when it came.
    sets: u64,
}

/// How a waiter came to pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passed {
    /// It waited, and was woken.
    Woken,
    /// The event was set when it came.
    Found,
}

impl Waiter {
    pub(super) const fn new() -> Waiter {
        Waiter {
            ticket: Ticket::new(),
            sets: 0,
        }
    }
}

impl Event {
    /// An event that is not set. The caller is its creation site.
    #[track_caller]
    pub const fn new() -> Event {
        let born = Site::caller();
        Event {
            set: AtomicU8::new(CLEAR),
            state: LeafMutex::of(State::new(), born),
            flow: TrackedFlow::of::<Event>(born),
            born,
        }
    }
}

impl<B: Backend> Event<B> {
    /// An event that is not set, made of `B`.
    #[track_caller]
    pub fn new_in() -> Event<B> {
        let born = Site::caller();
        Event {
            set: AtomicU8::new(CLEAR),
            state: B::Mutex::new_at(State::new(), born),
            flow: B::Flow::new_at(born, std::any::type_name::<Event>),
            born,
        }
    }

    /// Whether it is set now. Who sees that it is comes after whoever set it, as if it had waited for that.
    #[inline]
    #[track_caller]
    pub fn is_set(&self) -> bool {
        B::Threads::step();
        let set = self.set.load(Acquire);
        // This one first: the usual look has one thing to ask.
        if set == SET {
            return true;
        }
        let is_told = set == TOLD;
        if is_told {
            self.flow.found(Site::caller());
        }
        is_told
    }

    /// Sets it and wakes all who wait. Whether it was not set before.
    #[track_caller]
    pub fn set(&self) -> bool {
        let at = Site::caller();
        let mut later = Later::new();
        let mut state = self.state.lock_at(at);
        let news = !state.is_set;
        self.flow.told(at);
        if news {
            state.is_set = true;
            state.sets += 1;
            let waiting = u32::try_from(state.waiters.waiting()).unwrap_or(u32::MAX);
            if waiting > 0 {
                self.flow.posted(waiting, at);
            }
            state.waiters.choose_all(&mut later);
            B::Threads::step();
            // Who looks need not ask whether anybody is told, then.
            let set = if self.flow.is_told() { TOLD } else { SET };
            self.set.store(set, Release);
        }
        drop(state);
        later.run();
        news
    }

    /// Takes it back: who waits from now on waits for the next [`set`](Event::set). Whether it was set.
    #[track_caller]
    pub fn clear(&self) -> bool {
        let mut state = self.state.lock_at(Site::caller());
        B::Threads::step();
        self.set.store(CLEAR, Release);
        std::mem::replace(&mut state.is_set, false)
    }

    /// Waits until it is set.
    #[inline]
    #[track_caller]
    pub fn wait(&self) {
        if !self.is_set() {
            self.wait_at(Deadline::Never, Site::caller());
        }
    }

    /// Waits until it is set, at most for `timeout`. Whether it was set.
    #[inline]
    #[track_caller]
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        self.is_set() || self.wait_at(Deadline::after::<B::Threads>(timeout), Site::caller())
    }

    /// Waits until it is set, at most until `deadline`. Whether it was set.
    #[inline]
    #[track_caller]
    pub fn wait_deadline(&self, deadline: Instant) -> bool {
        self.is_set() || self.wait_at(Deadline::At(deadline), Site::caller())
    }

    /// A future that ends when it is set.
    #[track_caller]
    pub fn wait_async(&self) -> EventWait<'_, B> {
        EventWait {
            event: self,
            waiter: Waiter::new(),
            at: Site::caller(),
        }
    }

    /// Whether it is set, or was since the ticket was made; otherwise the waker is used when it is.
    pub(super) fn watch_set(&self, ticket: &mut Ticket, waker: &Waker) -> bool {
        let (waker, mut later) = (waker.clone(), Later::new());
        let mut state = self.state.lock_at(self.born);
        let passes = state.is_set || state.waiters.is_chosen(ticket);
        if passes {
            state.waiters.leave(ticket, &mut later);
            later.drop_later(Some(waker));
        } else {
            state.waiters.enter(ticket, waker, &mut later);
        }
        drop(state);
        if passes {
            self.flow.found(self.born);
        }
        passes
    }

    /// Takes such a waker back.
    pub(super) fn unwatch_set(&self, ticket: &mut Ticket) {
        if ticket.is_some() {
            let mut later = Later::new();
            let mut state = self.state.lock_at(self.born);
            state.waiters.leave(ticket, &mut later);
        }
    }

    /// This thread alone sets the event, and has other work to do before; until the result is dropped.
    pub(super) fn duty(&self) -> Duty<'_, B::Flow> {
        Duty::begin(&self.flow)
    }

    #[cold]
    pub(super) fn wait_at(&self, deadline: Deadline, at: Site) -> bool {
        self.flow.pending(deadline.is_timed(), at);
        self.wait_on(deadline, at)
    }

    /// The same for an event that only a thread sets which has said so ([`duty`](Event::duty)).
    #[track_caller]
    pub(super) fn wait_for_work(&self, deadline: Deadline, at: Site) -> bool {
        self.flow.pending_work(deadline.is_timed(), at);
        self.wait_on(deadline, at)
    }

    fn wait_on(&self, deadline: Deadline, at: Site) -> bool {
        let timed = deadline.is_timed();
        let mut waiter = Waiter::new();
        let passed =
            park::wait::<B::Threads, _>(deadline, |waker| self.poll(&mut waiter, waker, timed, at));
        let passed = passed.or_else(|| self.leave(&mut waiter, timed, at));
        if passed != Some(Passed::Woken) {
            self.flow.gave_up();
        }
        passed.is_some()
    }

    /// Whether the waiter may pass; otherwise it queues up.
    pub(super) fn poll(
        &self,
        waiter: &mut Waiter,
        waker: &Waker,
        timed: bool,
        at: Site,
    ) -> Poll<Passed> {
        let (waker, mut later) = (waker.clone(), Later::new());
        let mut state = self.state.lock_at(at);
        if let Some(passed) = state.passes(waiter) {
            state.waiters.leave(&mut waiter.ticket, &mut later);
            drop(state);
            return Poll::Ready(self.told(passed, timed, at));
        }
        if !waiter.ticket.is_some() {
            waiter.sets = state.sets;
        }
        state.waiters.enter(&mut waiter.ticket, waker, &mut later);
        drop(state);
        Poll::Pending
    }

    /// Takes a waiter back. Whether it might have passed.
    pub(super) fn leave(&self, waiter: &mut Waiter, timed: bool, at: Site) -> Option<Passed> {
        let mut later = Later::new();
        let mut state = self.state.lock_at(at);
        let passed = state.passes(waiter);
        state.waiters.leave(&mut waiter.ticket, &mut later);
        drop(state);
        passed.map(|passed| self.told(passed, timed, at))
    }

    /// Tells how a waiter came to pass, when the lock is given back: it did not wait with that.
    fn told(&self, passed: Passed, timed: bool, at: Site) -> Passed {
        match passed {
            Passed::Woken => self.flow.obtained(timed, at),
            Passed::Found => self.flow.found(at),
        }
        passed
    }
}

impl Default for Event {
    #[track_caller]
    fn default() -> Event {
        Event::new()
    }
}

impl<B: Backend> fmt::Debug for Event<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Event");
        shown.field("is_set", &(self.set.load(Acquire) != CLEAR));
        let state = self.state.try_lock_at(self.born);
        match state.map(|state| state.waiters.waiting()) {
            Some(waiting) => shown.field("waiting", &waiting),
            None => shown.field("waiting", &format_args!("<locked>")),
        };
        shown.finish_non_exhaustive()
    }
}

/// Waits for an [`Event`], as a future. It can be dropped at any time.
#[must_use = "futures do nothing unless polled"]
pub struct EventWait<'a, B: Backend = Tracked> {
    event: &'a Event<B>,
    waiter: Waiter,
    at: Site,
}

impl<B: Backend> Future for EventWait<'_, B> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if !this.waiter.ticket.is_some() && this.event.is_set() {
            return Poll::Ready(());
        }
        let passed = this
            .event
            .poll(&mut this.waiter, context.waker(), false, this.at);
        passed.map(|_| ())
    }
}

impl<B: Backend> Drop for EventWait<'_, B> {
    fn drop(&mut self) {
        if self.waiter.ticket.is_some() {
            let _ = self.event.leave(&mut self.waiter, false, self.at);
        }
    }
}

impl<B: Backend> fmt::Debug for EventWait<'_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventWait").finish_non_exhaustive()
    }
}
