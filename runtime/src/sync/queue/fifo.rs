//! [`Queue`]: first in, first out.

use std::fmt;
use std::future::Future;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use super::core::{Core, Guard, Work};
use super::futures::AllDone;
use super::how::How;
use super::iter::{Iter, TryIter};
use super::plain::is_large;
use super::putting::Putting;
use super::refusal::{GetError, PutError};
use super::sides::Sides;
use super::state::State;
use super::store::{Entry, Fifo};
use super::task::Task;
use super::waits::{Get, Put};
use crate::sync::backend::{Backend, Tracked};
use crate::sync::deadline::Deadline;
use crate::sync::poller::Room;
use crate::watch::Site;

/// A queue, first in, first out, with any number of producers and consumers.
///
/// - **Ordering**: items come out in the order in which they were put; those of one producer never change
///   places. What came before a put has happened for whoever gets the item.
/// - **Capacity**: none ([`new`](Queue::new)), some ([`bounded`](Queue::bounded)), or zero: then an item goes
///   from hand to hand ([`rendezvous`](Queue::rendezvous)), and a put ends when a consumer takes the item, or
///   waits for one.
/// - **Blocking, fairness**: a put waits for room, a get for an item. Puts that wait succeed in the order in which they
///   came, and a later put does not pass them. Gets that wait are woken in that order; a get that finds an
///   item takes it, though. Each has a `try_`, `_timeout`, `_deadline` and `_async` form. A future that waits is
///   told of its room in that order, and puts when it is polled then; dropped before, it has not put (see [`Put`]).
/// - **Close, drop**: [`close`](Queue::close) refuses puts, also those that wait, which get their items back;
///   what is queued can still be got. [`close_now`](Queue::close_now) hands what is queued to the caller.
///   Closing again changes nothing, and nothing is ever opened again. Nothing is lost: an item was got,
///   came back, was handed to who closed the queue, or is dropped with it.
/// - **Stops**: [`put_stop`](Queue::put_stop) stops one consumer, after all that was put before. It takes no
///   room, so a consumer may put it again for the next one. It comes after items of threads that wait for room, too,
///   but may come before those of futures.
/// - **Work**: [`get_task`](Queue::get_task) gives an item with a guard, and [`join`](Queue::join) waits until
///   all that was put is got and all guards are dropped. With `get` an item is done when it was got.
/// - **Panic, re-entrancy**: no code of the program runs under the lock of the queue; an item whose
///   destructor uses the very queue is fine. A guard dropped by a panic counts as done.
///
/// ```
/// use lockwise::sync::Queue;
/// use lockwise::thread;
///
/// static JOBS: Queue<u32> = Queue::new();
///
/// let consumer = thread::spawn(|| JOBS.iter().sum::<u32>());
/// for job in 1..=10 {
///     JOBS.put(job).unwrap();
/// }
/// JOBS.close();
/// assert_eq!(consumer.join().unwrap(), 55);
/// ```
///
/// A queue is shared as anything is: as a `static`, by reference, or in an [`Arc`](std::sync::Arc). Where the last
/// producer or consumer is to close it, [`split`](Queue::split) it.
pub struct Queue<T: Send, B: Backend = Tracked> {
    pub(super) core: Rows<T, B>,
}

/// What a queue is.
pub(super) type Rows<T, B> = Core<Fifo<T>, B, Sides<T, B>>;

impl<T: Send> Queue<T> {
    /// A queue without bound. The caller is its creation site.
    #[track_caller]
    pub const fn new() -> Queue<T> {
        Queue::tracked(None, Site::caller())
    }

    /// A queue with room for this many items.
    #[track_caller]
    pub const fn bounded(capacity: usize) -> Queue<T> {
        Queue::tracked(Some(capacity), Site::caller())
    }

    /// A queue that passes items from hand to hand.
    #[track_caller]
    pub const fn rendezvous() -> Queue<T> {
        Queue::tracked(Some(0), Site::caller())
    }

    const fn tracked(capacity: Option<usize>, born: Site) -> Queue<T> {
        let home = Sides::tracked(State::new(Fifo::new(), capacity), born);
        Queue {
            core: Core::at_home_tracked::<T>(home, capacity, born),
        }
    }
}

impl<T: Send, B: Backend> Queue<T, B> {
    /// A queue without bound, made of `B`.
    #[track_caller]
    pub fn new_in() -> Queue<T, B> {
        Queue::new_at(None, Site::caller())
    }

    /// A queue with room for this many items, made of `B`.
    #[track_caller]
    pub fn bounded_in(capacity: usize) -> Queue<T, B> {
        Queue::new_at(Some(capacity), Site::caller())
    }

    pub(in crate::sync) fn new_at(capacity: Option<usize>, born: Site) -> Queue<T, B> {
        let home = Sides::new_at(State::new(Fifo::new(), capacity), born);
        Queue {
            core: Core::at_home::<T>(home, capacity, born),
        }
    }

    /// Puts an item in, waiting for room.
    ///
    /// # Errors
    ///
    /// [`PutError::Closed`], with the item, if the queue is closed, or is while this waits.
    #[inline]
    #[track_caller]
    pub fn put(&self, item: T) -> Result<(), PutError<T>> {
        self.put_at(item, Deadline::Never, Site::caller())
    }

    /// Puts an item in if there is room; without capacity, if a consumer waits for it.
    ///
    /// # Errors
    ///
    /// [`PutError::Full`] or [`PutError::Closed`], with the item.
    #[inline]
    #[track_caller]
    pub fn try_put(&self, item: T) -> Result<(), PutError<T>> {
        put(self.core.try_put(Some(item), Site::caller()))
    }

    /// [`put`](Queue::put), waiting at most for `timeout`.
    ///
    /// # Errors
    ///
    /// [`PutError::Timeout`] or [`PutError::Closed`], with the item.
    #[track_caller]
    pub fn put_timeout(&self, item: T, timeout: Duration) -> Result<(), PutError<T>> {
        self.put_at(item, Deadline::after::<B::Threads>(timeout), Site::caller())
    }

    /// [`put`](Queue::put), waiting at most until `deadline`.
    ///
    /// # Errors
    ///
    /// [`PutError::Timeout`] or [`PutError::Closed`], with the item.
    #[track_caller]
    pub fn put_deadline(&self, item: T, deadline: Instant) -> Result<(), PutError<T>> {
        self.put_at(item, Deadline::At(deadline), Site::caller())
    }

    /// Puts items in, in this order: as many as there is room for at once, the others as there is. Items of
    /// other producers may come between.
    ///
    /// All are made before the first is put: the iterator may use the queue, and has to end; if it panics nothing is put.
    ///
    /// # Errors
    ///
    /// [`PutError::Closed`], with the items that were not put.
    #[track_caller]
    pub fn put_many(&self, items: impl IntoIterator<Item = T>) -> Result<(), PutError<Vec<T>>> {
        let at = Site::caller();
        let mut items = items.into_iter().collect::<Vec<T>>().into_iter();
        while let Some(item) = items.next() {
            if let Err(refused) = self.put_at(item, Deadline::Never, at) {
                let rest = std::iter::once(refused.into_inner()).chain(items);
                return Err(PutError::Closed(rest.collect()));
            }
        }
        Ok(())
    }

    /// [`put_many`](Queue::put_many), as a future. Dropped before it is ready, it drops the items that were not
    /// put.
    ///
    /// # Errors
    ///
    /// [`PutError::Closed`], with the items that were not put.
    #[track_caller]
    pub fn put_many_async<I: IntoIterator<Item = T>>(
        &self,
        items: I,
    ) -> impl Future<Output = Result<(), PutError<Vec<T>>>> + use<'_, T, B, I> {
        let at = Site::caller();
        let mut items = items.into_iter().collect::<Vec<T>>().into_iter();
        async move {
            while let Some(item) = items.next() {
                if let Err(refused) = Put::new(self, item, at).await {
                    let rest = std::iter::once(refused.into_inner()).chain(items);
                    return Err(PutError::Closed(rest.collect()));
                }
            }
            Ok(())
        }
    }

    /// A future that puts an item in. Dropped before it is ready, it has not put, and drops the item;
    /// [`take_back`](Put::take_back) gives that back. Without capacity that differs, see [`Put`].
    #[track_caller]
    pub fn put_async(&self, item: T) -> Put<'_, T, B> {
        Put::new(self, item, Site::caller())
    }

    /// Puts a stop in: the one consumer that gets it learns [`GetError::Stopped`]. Never waits.
    ///
    /// # Errors
    ///
    /// [`PutError::Closed`]: then all consumers learn that anyway.
    #[track_caller]
    pub fn put_stop(&self) -> Result<(), PutError<()>> {
        let put = self.core.try_put(None, Site::caller());
        put.map(drop).map_err(|refused| refused.map(drop))
    }

    /// Gets the next item, waiting for it.
    ///
    /// # Errors
    ///
    /// [`GetError::Stopped`], if a stop was next; [`GetError::Closed`], if nothing will come any more.
    #[inline]
    #[track_caller]
    pub fn get(&self) -> Result<T, GetError> {
        self.get_at(Work::Done, Deadline::Never, Site::caller())
    }

    /// Gets the next item if there is one.
    ///
    /// # Errors
    ///
    /// [`GetError::Empty`], or as [`get`](Queue::get).
    #[inline]
    #[track_caller]
    pub fn try_get(&self) -> Result<T, GetError> {
        self.try_get_at(Site::caller())
    }

    /// [`get`](Queue::get), waiting at most for `timeout`.
    ///
    /// # Errors
    ///
    /// [`GetError::Timeout`], or as [`get`](Queue::get).
    #[track_caller]
    pub fn get_timeout(&self, timeout: Duration) -> Result<T, GetError> {
        self.get_at(
            Work::Done,
            Deadline::after::<B::Threads>(timeout),
            Site::caller(),
        )
    }

    /// [`get`](Queue::get), waiting at most until `deadline`.
    ///
    /// # Errors
    ///
    /// [`GetError::Timeout`], or as [`get`](Queue::get).
    #[track_caller]
    pub fn get_deadline(&self, deadline: Instant) -> Result<T, GetError> {
        self.get_at(Work::Done, Deadline::At(deadline), Site::caller())
    }

    /// A future of the next item. Dropped before it is ready, it takes none.
    #[track_caller]
    pub fn get_async(&self) -> Get<'_, T, B> {
        Get::new(self, Work::Done, Site::caller())
    }

    /// Gets the next item, waiting for it, with a guard: until that is dropped the item is not done.
    ///
    /// # Errors
    ///
    /// As [`get`](Queue::get).
    #[track_caller]
    pub fn get_task(&self) -> Result<Task<'_, T, B>, GetError> {
        self.get_task_at(Deadline::Never, Site::caller())
    }

    /// [`get_task`](Queue::get_task), if there is an item.
    ///
    /// # Errors
    ///
    /// [`GetError::Empty`], or as [`get`](Queue::get).
    #[track_caller]
    pub fn try_get_task(&self) -> Result<Task<'_, T, B>, GetError> {
        let at = Site::caller();
        let how = How::of_task(at, true);
        let item = self.core.try_get(Work::Kept, how)?;
        let item = item.ok_or(GetError::Stopped)?;
        Ok(Task::new(self, item, at))
    }

    /// [`get_task`](Queue::get_task), waiting at most for `timeout`.
    ///
    /// # Errors
    ///
    /// [`GetError::Timeout`], or as [`get`](Queue::get).
    #[track_caller]
    pub fn get_task_timeout(&self, timeout: Duration) -> Result<Task<'_, T, B>, GetError> {
        self.get_task_at(Deadline::after::<B::Threads>(timeout), Site::caller())
    }

    /// [`get_task`](Queue::get_task), waiting at most until `deadline`.
    ///
    /// # Errors
    ///
    /// [`GetError::Timeout`], or as [`get`](Queue::get).
    #[track_caller]
    pub fn get_task_deadline(&self, deadline: Instant) -> Result<Task<'_, T, B>, GetError> {
        self.get_task_at(Deadline::At(deadline), Site::caller())
    }

    /// [`get_task`](Queue::get_task), as a future. Dropped before it is ready, it takes no item.
    ///
    /// # Errors
    ///
    /// As [`get`](Queue::get).
    #[track_caller]
    pub fn get_task_async(
        &self,
    ) -> impl Future<Output = Result<Task<'_, T, B>, GetError>> + use<'_, T, B> {
        let at = Site::caller();
        async move {
            let item = Get::new(self, Work::Kept, at).await?;
            Ok(Task::new(self, item, at))
        }
    }

    /// Waits until all that was put is done.
    ///
    /// Closing does not end this by itself: what is queued has still to be got. `close_now` counts what
    /// it takes out as done; a guard that is alive has still to be dropped.
    #[track_caller]
    pub fn join(&self) {
        self.core.join(Deadline::Never, Site::caller());
    }

    /// [`join`](Queue::join), at most for `timeout`. Whether all was done.
    #[track_caller]
    pub fn join_timeout(&self, timeout: Duration) -> bool {
        self.core
            .join(Deadline::after::<B::Threads>(timeout), Site::caller())
    }

    /// [`join`](Queue::join), at most until `deadline`. Whether all was done.
    #[track_caller]
    pub fn join_deadline(&self, deadline: Instant) -> bool {
        self.core.join(Deadline::At(deadline), Site::caller())
    }

    /// [`join`](Queue::join), as a future. It can be dropped at any time.
    #[track_caller]
    pub fn join_async(&self) -> impl Future<Output = ()> + use<'_, T, B> {
        AllDone::new(&self.core, Site::caller())
    }

    /// Closes the queue: nothing can be put any more. Whether it was open.
    #[track_caller]
    pub fn close(&self) -> bool {
        self.core.close(Site::caller())
    }

    /// Closes the queue and takes out what is left in it. Stops are left out.
    #[track_caller]
    pub fn close_now(&self) -> Vec<T> {
        let entries = self.core.close_now(Site::caller());
        entries.into_iter().flatten().collect()
    }

    /// Whether the queue is closed; it may still have items.
    #[track_caller]
    pub fn is_closed(&self) -> bool {
        self.core.is_closed(Site::caller())
    }

    /// How many items are queued: a hint. Those that wait for room are not.
    #[track_caller]
    pub fn len(&self) -> usize {
        self.core.len(Site::caller())
    }

    /// Whether no item is queued: a hint.
    #[track_caller]
    pub fn is_empty(&self) -> bool {
        self.core.len(Site::caller()) == 0
    }

    /// Whether there is no room: a hint. Without capacity there never is.
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

    /// The room of this queue, for a [`Poller`](crate::sync::Poller): ready when something can be put.
    pub fn room(&self) -> Room<'_, T, B> {
        Room(self)
    }

    /// The items, waiting for each, until the queue is closed and empty or a stop comes.
    #[track_caller]
    pub fn iter(&self) -> Iter<'_, T, B> {
        Iter::new(self, Site::caller())
    }

    /// The items that are there, up to the first stop.
    #[track_caller]
    pub fn try_iter(&self) -> TryIter<'_, T, B> {
        TryIter::new(self, Site::caller())
    }

    pub(in crate::sync) fn core(&self) -> &Rows<T, B> {
        &self.core
    }

    /// Offers an item, for `select!`.
    pub(in crate::sync) fn poll_put(
        &self,
        putting: &mut Putting<Entry<T>>,
        waker: &Waker,
    ) -> Poll<Result<(), PutError<T>>> {
        let how = How::of_task(self.core.born(), true);
        let put = self.core.poll_put(putting, waker, how);
        put.map(|put| put.map_err(|refusal| refusal.of(its_item(putting.slot.take()))))
    }

    /// Takes such an offer back. Whether it was accepted.
    pub(in crate::sync) fn withdraw(&self, putting: &mut Putting<Entry<T>>) -> bool {
        let how = How::of_task(self.core.born(), true);
        self.core.withdraw(putting, how);
        putting.was_admitted()
    }

    #[inline]
    pub(in crate::sync) fn put_at(
        &self,
        item: T,
        deadline: Deadline,
        at: Site,
    ) -> Result<(), PutError<T>> {
        if is_large::<T>() {
            self.put_large(item, deadline, at)
        } else {
            self.put_small(item, deadline, at)
        }
    }

    // Each has a frame of its own, so that a large item is not in the way of itself.
    #[inline]
    fn put_small(&self, item: T, deadline: Deadline, at: Site) -> Result<(), PutError<T>> {
        match self.core.put_plainly(Some(item), at) {
            Ok(_) => Ok(()),
            Err((state, entry)) => self.put_locked(state, entry, deadline, at),
        }
    }

    #[inline(never)]
    fn put_locked<'a>(
        &'a self,
        state: Guard<'a, Fifo<T>, Sides<T, B>>,
        entry: Entry<T>,
        deadline: Deadline,
        at: Site,
    ) -> Result<(), PutError<T>> {
        put(self.core.put_locked(state, entry, deadline, at))
    }

    fn put_large(&self, item: T, deadline: Deadline, at: Site) -> Result<(), PutError<T>> {
        let mut slot = Some(Some(item));
        let put = self.core.put_slot(&mut slot, deadline, at);
        put.map_err(|refusal| refusal.of(its_item(slot)))
    }

    #[inline]
    pub(in crate::sync) fn get_at(
        &self,
        work: Work,
        deadline: Deadline,
        at: Site,
    ) -> Result<T, GetError> {
        if is_large::<T>() {
            self.get_large(work, deadline, at)
        } else {
            self.get_small(work, deadline, at)
        }
    }

    #[inline]
    fn get_small(&self, work: Work, deadline: Deadline, at: Site) -> Result<T, GetError> {
        match self.core.get_plainly(work, How::until(deadline, at)) {
            Ok(Some(item)) => Ok(item),
            Ok(None) => Err(GetError::Stopped),
            Err(state) => self.get_locked(state, work, deadline, at),
        }
    }

    #[inline(never)]
    fn get_locked<'a>(
        &'a self,
        state: Guard<'a, Fifo<T>, Sides<T, B>>,
        work: Work,
        deadline: Deadline,
        at: Site,
    ) -> Result<T, GetError> {
        let entry = self.core.get_locked(state, work, deadline, at)?;
        entry.ok_or(GetError::Stopped)
    }

    fn get_large(&self, work: Work, deadline: Deadline, at: Site) -> Result<T, GetError> {
        let mut slot = None;
        self.core.get_slot(&mut slot, work, deadline, at)?;
        slot.flatten().ok_or(GetError::Stopped)
    }

    #[inline]
    pub(super) fn try_get_at(&self, at: Site) -> Result<T, GetError> {
        let how = How::of_task(at, true);
        let entry = self.core.try_get(Work::Done, how)?;
        entry.ok_or(GetError::Stopped)
    }

    fn get_task_at(&self, deadline: Deadline, at: Site) -> Result<Task<'_, T, B>, GetError> {
        let item = self.get_at(Work::Kept, deadline, at)?;
        Ok(Task::new(self, item, at))
    }
}

/// What a put of an item has come to.
#[inline]
fn put<T>(put: Result<Option<Entry<T>>, PutError<Entry<T>>>) -> Result<(), PutError<T>> {
    match put {
        Ok(_) => Ok(()),
        Err(refused) => Err(refused.map(|entry| its_item(Some(entry)))),
    }
}

/// The item that was refused.
pub(super) fn its_item<T>(slot: Option<Entry<T>>) -> T {
    let item = slot.flatten();
    item.expect("what is refused stays in its slot, and an item was put there")
}

impl<T: Send> Default for Queue<T> {
    #[track_caller]
    fn default() -> Queue<T> {
        Queue::new()
    }
}

impl<'a, T: Send, B: Backend> IntoIterator for &'a Queue<T, B> {
    type Item = T;
    type IntoIter = Iter<'a, T, B>;

    #[track_caller]
    fn into_iter(self) -> Iter<'a, T, B> {
        self.iter()
    }
}

impl<T: Send, B: Backend> fmt::Debug for Queue<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.core.debug("Queue", f)
    }
}
