//! A counting semaphore.
//!
//! It counts units: to *acquire* takes one and waits while there is none, to *release* puts some in.
//! Whoever releases need not have acquired, so a semaphore can be a permit (guards give back what
//! they took) as well as a signal (one thread releases, another acquires and forgets the guard).
//!
//! Because of that nobody *holds* a semaphore: the watcher sees who waits and who posted, and never
//! takes the order of a semaphore among locks for a proof of anything.
//!
//! A thread that comes while a unit is free takes it, also ahead of threads that have been woken but
//! do not run yet; so it is not fair.

use std::any::type_name;
use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::tag::Tag;
use crate::waiting::{Later, Left, Ticket, Waiters};
use crate::watch::hooks::Ask;
use crate::watch::{Identity, Kind, Site};

/// A number of units, which threads take and put back.
///
/// - **Ordering**: what came before a unit was put back has happened for whoever takes it.
/// - **Blocking**: taking one waits for a free unit, and has `try_`, timed and `_async` forms; putting back never waits.
/// - **Capacity, close**: whatever is put in; there is nothing to close.
/// - **Fairness**: whoever comes when a unit is free takes it, also before others that wait.
/// - **Panic, drop**: a [`SemaphoreGuard`] puts its unit back, also when a panic drops it; a future that is dropped takes
///   none.
/// - **Re-entrancy**: a thread may take several units; one that waits for more than there are waits for itself.
///
/// ```
/// use lockwise::Semaphore;
///
/// static CONNECTIONS: Semaphore = Semaphore::named("connections", 2);
///
/// let first = CONNECTIONS.acquire();
/// let second = CONNECTIONS.acquire();
/// assert!(CONNECTIONS.try_acquire().is_none());
/// drop(first);
/// assert_eq!(CONNECTIONS.available(), 1);
/// # drop(second);
/// ```
pub struct Semaphore {
    tag: Tag,
    /// The free units. Not watched, and held for a moment only.
    units: parking_lot::Mutex<Units>,
    /// Notified when units are put in.
    freed: parking_lot::Condvar,
}

/// The free units, and the tasks that wait for one.
struct Units {
    free: u32,
    tasks: Waiters,
}

/// A unit of a [`Semaphore`] that a task waits for: see [`Semaphore::acquire_async`].
#[must_use = "futures do nothing unless polled"]
pub struct SemaphoreAcquire<'a> {
    semaphore: &'a Semaphore,
    /// Its place among the tasks, once it has queued up.
    ticket: Ticket,
    at: Site,
}

/// A unit taken from a [`Semaphore`]; dropping it puts the unit back.
#[derive(Debug)]
#[must_use = "if unused the unit goes back at once"]
pub struct SemaphoreGuard<'a> {
    semaphore: &'a Semaphore,
    /// Where it was acquired; also told as the site of its release, as `drop` has no caller.
    at: Site,
}

impl Semaphore {
    /// Makes a semaphore with this many free units. The caller is its creation site.
    #[inline]
    #[track_caller]
    pub const fn new(units: u32) -> Semaphore {
        Semaphore::with_identity(Semaphore::identity_at(Site::caller()), units)
    }

    /// Makes a semaphore of the class `name`.
    #[inline]
    #[track_caller]
    pub const fn named(name: &'static str, units: u32) -> Semaphore {
        Semaphore::with_identity(Semaphore::identity_at(Site::caller()).named(name), units)
    }

    /// Waits until a unit is free and takes it.
    #[track_caller]
    pub fn acquire(&self) -> SemaphoreGuard<'_> {
        let at = Site::caller();
        self.tag.pending(Ask::Wait, at);
        let mut units = self.units.lock();
        self.freed.wait_while(&mut units, |units| units.free == 0);
        self.take(&mut units, Ask::Wait, at)
    }

    /// A future that takes a unit, for any executor. Dropped before it is ready, it takes none; dropped after it was
    /// woken for one, it wakes the next task.
    ///
    /// ```
    /// use lockwise::Semaphore;
    /// use lockwise::sync::block_on;
    ///
    /// let permits = Semaphore::new(1);
    /// let permit = block_on(permits.acquire_async());
    /// assert_eq!(permits.available(), 0);
    /// # drop(permit);
    /// ```
    #[track_caller]
    pub fn acquire_async(&self) -> SemaphoreAcquire<'_> {
        SemaphoreAcquire {
            semaphore: self,
            ticket: Ticket::new(),
            at: Site::caller(),
        }
    }

    /// Takes a unit if one is free.
    #[track_caller]
    pub fn try_acquire(&self) -> Option<SemaphoreGuard<'_>> {
        self.attempt(Ask::Try, Site::caller())
    }

    /// Takes a unit if one becomes free within `timeout`.
    #[track_caller]
    pub fn try_acquire_for(&self, timeout: Duration) -> Option<SemaphoreGuard<'_>> {
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.try_acquire_until(deadline),
            None => Some(self.acquire()),
        }
    }

    /// Takes a unit if one becomes free before `deadline`.
    #[track_caller]
    pub fn try_acquire_until(&self, deadline: Instant) -> Option<SemaphoreGuard<'_>> {
        let at = Site::caller();
        if let Some(guard) = self.attempt(Ask::Timed, at) {
            return Some(guard);
        }
        self.tag.pending(Ask::Timed, at);
        let mut units = self.units.lock();
        self.freed
            .wait_while_until(&mut units, |units| units.free == 0, deadline);
        if units.free == 0 {
            self.tag.gave_up();
            return None;
        }
        Some(self.take(&mut units, Ask::Timed, at))
    }

    /// Puts units in, and wakes as many waiting threads.
    ///
    /// # Panics
    ///
    /// If there were more than `u32::MAX` units then; none is put in.
    #[track_caller]
    pub fn release(&self, count: u32) {
        self.put(count, Site::caller());
    }

    /// How many units are free now.
    pub fn available(&self) -> u32 {
        self.units.lock().free
    }

    /// Takes a unit if there is one.
    fn attempt(&self, ask: Ask, at: Site) -> Option<SemaphoreGuard<'_>> {
        let mut units = self.units.lock();
        (units.free > 0).then(|| self.take(&mut units, ask, at))
    }

    /// Takes a unit, of which there is at least one.
    fn take(&self, units: &mut Units, ask: Ask, at: Site) -> SemaphoreGuard<'_> {
        units.free -= 1;
        self.tag.obtained(ask, at);
        SemaphoreGuard {
            semaphore: self,
            at,
        }
    }

    /// Puts units in, told while nobody can take them yet.
    fn put(&self, count: u32, at: Site) {
        let mut later = Later::new();
        let mut units = self.units.lock();
        let sum = units
            .free
            .checked_add(count)
            .expect("a semaphore holds at most u32::MAX units");
        self.tag.posted(count, at);
        units.free = sum;
        // A task and a thread may be woken for one unit; one of them waits again.
        let most = usize::try_from(count).unwrap_or(usize::MAX);
        for _ in 0..units.tasks.waiting().min(most) {
            units.tasks.choose_one(&mut later);
        }
        drop(units);
        match count {
            0 => {}
            1 => drop(self.freed.notify_one()),
            _ => drop(self.freed.notify_all()),
        }
        later.run();
    }

    /// Who the object is; nobody, if checks are off.
    #[inline]
    pub fn identity(&self) -> Option<&Identity> {
        self.tag.identity()
    }

    const fn identity_at(born: Site) -> Identity {
        Identity::new(Kind::Semaphore, born, type_name::<()>)
    }

    const fn with_identity(identity: Identity, units: u32) -> Semaphore {
        Semaphore {
            tag: Tag::new(identity.with_units(units)),
            units: parking_lot::const_mutex(Units {
                free: units,
                tasks: Waiters::new(),
            }),
            freed: parking_lot::Condvar::new(),
        }
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("available", &self.available())
            .finish()
    }
}

impl<'a> Future for SemaphoreAcquire<'a> {
    type Output = SemaphoreGuard<'a>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<SemaphoreGuard<'a>> {
        let this = &mut *self;
        let semaphore = this.semaphore;
        let (waker, mut later) = (context.waker().clone(), Later::new());
        let mut units = semaphore.units.lock();
        if units.free > 0 {
            units.tasks.leave(&mut this.ticket, &mut later);
            let guard = semaphore.take(&mut units, Ask::Wait, this.at);
            drop(units);
            return Poll::Ready(guard);
        }
        units.tasks.enter(&mut this.ticket, waker, &mut later);
        drop(units);
        Poll::Pending
    }
}

impl Drop for SemaphoreAcquire<'_> {
    fn drop(&mut self) {
        if !self.ticket.is_some() {
            return;
        }
        let mut later = Later::new();
        let mut units = self.semaphore.units.lock();
        let left = units.tasks.leave(&mut self.ticket, &mut later);
        if left == Left::Chosen && units.free > 0 {
            // It was woken, and does not take what it was woken for.
            units.tasks.choose_one(&mut later);
        }
        drop(units);
        later.run();
    }
}

impl fmt::Debug for SemaphoreAcquire<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SemaphoreAcquire")
            .field(self.semaphore)
            .finish()
    }
}

impl SemaphoreGuard<'_> {
    /// Keeps the unit for good: it does not go back.
    pub fn forget(self) {
        mem::forget(self);
    }
}

impl Drop for SemaphoreGuard<'_> {
    fn drop(&mut self) {
        self.semaphore.put(1, self.at);
    }
}
