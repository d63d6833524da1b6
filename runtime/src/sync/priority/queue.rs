//! [`PriorityQueue`]: highest first.

use std::cmp::Reverse;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::awaited::GetHighest;
use super::key::Priority;
use super::levels::{Levels, Place, Placed};
use crate::sync::backend::{Backend, Flow, Tracked};
use crate::sync::deadline::Deadline;
use crate::sync::number::Number;
use crate::sync::queue::{Core, GetError, How, PutError, PutIn, Work};
use crate::sync::threads::Threads;
use crate::waiting::Later;
use crate::watch::Site;

/// A queue that gives what has the highest priority first.
///
/// - **Ordering**: highest first; among equals in the order in which they were put. Items are never compared,
///   and need no order. A get takes what is highest when it takes it, not what was when it was woken.
/// - **Blocking**: a get waits for an item, a put for room. Gets that wait are woken in the order in which they came.
/// - **Fairness**: there is none among priorities. What is low is not served while higher comes; nothing grows with age.
/// - **Capacity**: none, or some. A put that finds no room waits ([`put`](PriorityQueue::put)), is refused
///   ([`try_put`](PriorityQueue::try_put)) or pushes the lowest out
///   ([`put_evicting`](PriorityQueue::put_evicting)). Puts that wait get room in the order in which they came,
///   whatever their priority.
/// - **Tokens**: a put gives a [`Token`], with which exactly that item can be taken out again, or get another
///   priority.
/// - **Close, panic, drop, re-entrancy**: as [`Queue`](crate::sync::Queue).
///
/// ```
/// use lockwise::sync::PriorityQueue;
///
/// let jobs = PriorityQueue::new();
/// jobs.put("tidy up", 1).unwrap();
/// let fire = jobs.put("put out the fire", 9).unwrap();
/// jobs.put("have tea", 1).unwrap();
///
/// assert_eq!(jobs.get(), Ok("put out the fire"));
/// assert_eq!(jobs.cancel(&fire), None);
/// assert_eq!(jobs.get(), Ok("tidy up"));
/// assert_eq!(jobs.get(), Ok("have tea"));
/// ```
pub struct PriorityQueue<T: Send, P: Priority = i64, B: Backend = Tracked> {
    pub(super) core: Core<Levels<T>, B>,
    /// The number of the next put.
    next: AtomicU64,
    /// Its own, for its tokens.
    own: Number,
    priorities: PhantomData<fn(P)>,
}

/// Which item of a [`PriorityQueue`] was put.
///
/// ```
/// use lockwise::sync::PriorityQueue;
///
/// let queue = PriorityQueue::new();
/// let (one, mut two) = (queue.put("one", 1).unwrap(), queue.put("two", 1).unwrap());
/// assert!(queue.change_priority(&mut two, 5));
/// assert_eq!(queue.cancel(&one), Some("one"));
/// assert_eq!(queue.cancel(&one), None);
/// assert_eq!(queue.get(), Ok("two"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Token {
    key: i128,
    number: u64,
    /// The number of the queue.
    queue: u64,
}

impl Token {
    fn place(&self) -> Place {
        (Reverse(self.key), self.number)
    }
}

impl<T: Send, P: Priority> PriorityQueue<T, P> {
    /// A queue without bound. The caller is its creation site.
    #[track_caller]
    pub const fn new() -> PriorityQueue<T, P> {
        PriorityQueue::tracked(None, Site::caller())
    }

    /// A queue with room for this many items. Zero counts as one.
    #[track_caller]
    pub const fn bounded(capacity: usize) -> PriorityQueue<T, P> {
        let capacity = if capacity == 0 { 1 } else { capacity };
        PriorityQueue::tracked(Some(capacity), Site::caller())
    }

    const fn tracked(capacity: Option<usize>, born: Site) -> PriorityQueue<T, P> {
        PriorityQueue {
            core: Core::tracked::<T>(Levels::new(), capacity, born),
            next: AtomicU64::new(0),
            own: Number::new(),
            priorities: PhantomData,
        }
    }
}

impl<T: Send, P: Priority, B: Backend> PriorityQueue<T, P, B> {
    /// A queue without bound, made of `B`.
    #[track_caller]
    pub fn new_in() -> PriorityQueue<T, P, B> {
        PriorityQueue::of(None, 0, Site::caller())
    }

    /// A queue with room for this many items, made of `B`. Zero counts as one.
    #[track_caller]
    pub fn bounded_in(capacity: usize) -> PriorityQueue<T, P, B> {
        PriorityQueue::of(Some(capacity.max(1)), 0, Site::caller())
    }

    /// A queue that has had this many puts already: for tests of what happens at the end of numbers.
    #[doc(hidden)]
    #[track_caller]
    pub fn numbered_from(number: u64) -> PriorityQueue<T, P, B> {
        PriorityQueue::of(None, number, Site::caller())
    }

    fn of(capacity: Option<usize>, number: u64, born: Site) -> PriorityQueue<T, P, B> {
        PriorityQueue {
            core: Core::new_at::<T>(Levels::new(), capacity, born),
            next: AtomicU64::new(number),
            own: Number::new(),
            priorities: PhantomData,
        }
    }

    /// Puts an item in, waiting for room.
    ///
    /// # Errors
    ///
    /// [`PutError::Closed`], with the item, if the queue is closed, or is while this waits.
    ///
    /// # Panics
    ///
    /// If `priority` does when it is asked; nothing is put then. After 2^64 puts.
    #[track_caller]
    pub fn put(&self, item: T, priority: P) -> Result<Token, PutError<T>> {
        self.put_at(item, priority, Deadline::Never, Site::caller())
    }

    /// [`put`](PriorityQueue::put), waiting at most for `timeout`.
    ///
    /// # Errors
    ///
    /// [`PutError::Timeout`] or [`PutError::Closed`], with the item.
    #[track_caller]
    pub fn put_timeout(
        &self,
        item: T,
        priority: P,
        timeout: Duration,
    ) -> Result<Token, PutError<T>> {
        let deadline = Deadline::after::<B::Threads>(timeout);
        self.put_at(item, priority, deadline, Site::caller())
    }

    /// [`put`](PriorityQueue::put), waiting at most until `deadline`.
    ///
    /// # Errors
    ///
    /// [`PutError::Timeout`] or [`PutError::Closed`], with the item.
    #[track_caller]
    pub fn put_deadline(
        &self,
        item: T,
        priority: P,
        deadline: Instant,
    ) -> Result<Token, PutError<T>> {
        self.put_at(item, priority, Deadline::At(deadline), Site::caller())
    }

    /// [`put`](PriorityQueue::put), as a future. Dropped before it is ready, it has not put, and drops the item. Room
    /// that there is for it is kept until it is polled or dropped.
    ///
    /// # Errors
    ///
    /// [`PutError::Closed`], with the item.
    ///
    /// # Panics
    ///
    /// As [`put`](PriorityQueue::put), when this is called.
    #[track_caller]
    pub fn put_async(
        &self,
        item: T,
        priority: P,
    ) -> impl Future<Output = Result<Token, PutError<T>>> + use<'_, T, P, B> {
        let token = self.token(priority);
        let putting = PutIn::new(&self.core, placed(&token, item), Site::caller());
        async move { its_token(putting.await, token) }
    }

    /// Puts an item in if there is room.
    ///
    /// # Errors
    ///
    /// [`PutError::Full`] or [`PutError::Closed`], with the item.
    #[track_caller]
    pub fn try_put(&self, item: T, priority: P) -> Result<Token, PutError<T>> {
        let token = self.token(priority);
        let put = self.core.try_put(placed(&token, item), Site::caller());
        its_token(put, token)
    }

    /// Puts an item in, in place of the lowest one if there is no room, which is returned: of several lowest,
    /// the one that was put last.
    ///
    /// # Errors
    ///
    /// [`PutError::Full`], with the item, if it is not higher than the lowest one; [`PutError::Closed`].
    #[track_caller]
    pub fn put_evicting(&self, item: T, priority: P) -> Result<(Token, Option<T>), PutError<T>> {
        let at = Site::caller();
        let token = self.token(priority);
        let mut later = Later::new();
        let mut state = self.core.lock(at);
        if !state.is_open() {
            return Err(PutError::Closed(item));
        }
        let mut slot = Some(placed(&token, item));
        let mut evicted = None;
        if state.has_room() {
            state.put(&mut slot, self.core.flows(), at, &mut later);
        } else {
            match state.store.last() {
                Some(last) if last.0.0 < token.key => evicted = state.store.remove(last),
                _ => {
                    return Err(PutError::Full(its_placed(slot).item));
                }
            }
            // In its place, ahead of puts that wait: the room is its own.
            let entries = self.core.flows().entries();
            entries.obtained(true, at);
            entries.posted(1, at);
            state.replace(&mut slot, &mut later);
        }
        self.core.release(state);
        later.run();
        Ok((token, evicted))
    }

    /// Gets the highest item, waiting for one.
    ///
    /// # Errors
    ///
    /// [`GetError::Closed`], if nothing will come any more.
    #[track_caller]
    pub fn get(&self) -> Result<T, GetError> {
        self.get_at(Deadline::Never, Site::caller())
    }

    /// [`get`](PriorityQueue::get), waiting at most for `timeout`.
    ///
    /// # Errors
    ///
    /// [`GetError::Timeout`], or as [`get`](PriorityQueue::get).
    #[track_caller]
    pub fn get_timeout(&self, timeout: Duration) -> Result<T, GetError> {
        self.get_at(Deadline::after::<B::Threads>(timeout), Site::caller())
    }

    /// [`get`](PriorityQueue::get), waiting at most until `deadline`.
    ///
    /// # Errors
    ///
    /// [`GetError::Timeout`], or as [`get`](PriorityQueue::get).
    #[track_caller]
    pub fn get_deadline(&self, deadline: Instant) -> Result<T, GetError> {
        self.get_at(Deadline::At(deadline), Site::caller())
    }

    /// Gets the highest item if there is one.
    ///
    /// # Errors
    ///
    /// [`GetError::Empty`], or as [`get`](PriorityQueue::get).
    #[track_caller]
    pub fn try_get(&self) -> Result<T, GetError> {
        let how = How::of_task(Site::caller(), true);
        let placed = self.core.try_get(Work::Done, how)?;
        Ok(placed.item)
    }

    /// A future of the highest item. Dropped before it is ready, it takes none.
    #[track_caller]
    pub fn get_async(&self) -> GetHighest<'_, T, P, B> {
        GetHighest::new(self, Site::caller())
    }

    /// Takes exactly this item out again, if it is still there. A token of another queue names none of this one.
    #[track_caller]
    pub fn cancel(&self, token: &Token) -> Option<T> {
        let at = Site::caller();
        if !self.own.is(token.queue) {
            return None;
        }
        let mut later = Later::new();
        let mut state = self.core.lock(at);
        let item = state.store.remove(token.place());
        if item.is_some() {
            self.core.flows().entries().obtained(true, at);
            state.finished(self.core.flows(), at, &mut later);
            state.made_room(self.core.flows(), at, &mut later);
        }
        self.core.release(state);
        later.run();
        item
    }

    /// Gives exactly this item another priority, if it is still there; the token is that of the new place.
    /// Among equals it keeps the order in which it was put.
    #[track_caller]
    pub fn change_priority(&self, token: &mut Token, priority: P) -> bool {
        let key = priority.key();
        if !self.own.is(token.queue) {
            return false;
        }
        let mut state = self.core.lock(Site::caller());
        let Some(item) = state.store.remove(token.place()) else {
            return false;
        };
        token.key = key;
        state.store.insert(token.place(), item);
        true
    }

    /// Takes out all that is there, highest first.
    #[track_caller]
    pub fn drain(&self) -> Vec<T> {
        std::iter::from_fn(|| self.try_get().ok()).collect()
    }

    /// Closes the queue: nothing can be put any more. Whether it was open.
    #[track_caller]
    pub fn close(&self) -> bool {
        self.core.close(Site::caller())
    }

    /// Closes the queue and takes out what is left in it, highest first.
    #[track_caller]
    pub fn close_now(&self) -> Vec<T> {
        let left = self.core.close_now(Site::caller());
        left.into_iter().map(|placed| placed.item).collect()
    }

    /// Whether the queue is closed; it may still have items.
    #[track_caller]
    pub fn is_closed(&self) -> bool {
        self.core.is_closed(Site::caller())
    }

    /// How many items are queued: a hint.
    #[track_caller]
    pub fn len(&self) -> usize {
        self.core.len(Site::caller())
    }

    /// Whether no item is queued: a hint.
    #[track_caller]
    pub fn is_empty(&self) -> bool {
        self.core.len(Site::caller()) == 0
    }

    /// Whether there is no room: a hint.
    #[track_caller]
    pub fn is_full(&self) -> bool {
        let at = Site::caller();
        self.capacity()
            .is_some_and(|capacity| self.core.len(at) >= capacity)
    }

    /// How many items there is room for, if that is bounded.
    #[track_caller]
    pub fn capacity(&self) -> Option<usize> {
        self.core.capacity()
    }

    pub(in crate::sync) fn core(&self) -> &Core<Levels<T>, B> {
        &self.core
    }

    /// The place of an item that is put now.
    fn token(&self, priority: P) -> Token {
        let key = priority.key();
        B::Threads::step();
        let next = self
            .next
            .fetch_update(Relaxed, Relaxed, |number| number.checked_add(1));
        let number = next.expect("no queue has more than 2^64 puts");
        let queue = self.own.get();
        Token { key, number, queue }
    }

    fn put_at(
        &self,
        item: T,
        priority: P,
        deadline: Deadline,
        at: Site,
    ) -> Result<Token, PutError<T>> {
        let token = self.token(priority);
        its_token(self.core.put(placed(&token, item), deadline, at), token)
    }

    fn get_at(&self, deadline: Deadline, at: Site) -> Result<T, GetError> {
        let placed = self.core.get(Work::Done, deadline, at)?;
        Ok(placed.item)
    }
}

fn placed<T>(token: &Token, item: T) -> Placed<T> {
    Placed {
        place: token.place(),
        item,
    }
}

/// What was refused.
fn its_placed<T>(slot: Option<Placed<T>>) -> Placed<T> {
    slot.expect("what is refused stays in its slot")
}

/// What a put has come to: the token of the item, or the item.
fn its_token<T, D>(
    put: Result<D, PutError<Placed<T>>>,
    token: Token,
) -> Result<Token, PutError<T>> {
    match put {
        Ok(_) => Ok(token),
        Err(refused) => Err(refused.map(|placed| placed.item)),
    }
}

impl<T: Send, P: Priority> Default for PriorityQueue<T, P> {
    #[track_caller]
    fn default() -> PriorityQueue<T, P> {
        PriorityQueue::new()
    }
}

impl<T: Send, P: Priority, B: Backend> fmt::Debug for PriorityQueue<T, P, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.core.debug("PriorityQueue", f)
    }
}
