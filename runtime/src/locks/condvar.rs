//! Waiting for a condition: `parking_lot`'s `Condvar`, watched.
//!
//! What it cannot see: who will notify. That a thread waits while it holds a lock which the
//! notifier needs is found from the notifications of the whole run, not here.

use std::any::type_name;
use std::fmt;
use std::time::{Duration, Instant};

use super::mutex::MutexGuard;
use crate::raw::wait_on;
use crate::tag::{Tag, Wake};
use crate::watch::hooks::Ask;
use crate::watch::{Identity, Kind, Site};

/// A condition that threads wait for while they give a [`Mutex`](crate::Mutex) back.
///
/// It has the methods of `parking_lot::Condvar`, and that one inside: the same fairness, the same
/// counts of woken threads, and no spurious wake-ups. All threads that wait at the same time must
/// use the same mutex.
///
/// - **Ordering, fairness**: those who wait are woken in the order in which they came.
/// - **Blocking**: only the waits block; a notification of nobody is not kept.
/// - **Capacity, close**: any number may wait; there is nothing to close.
/// - **Panic, drop**: a panic in a predicate goes on with the mutex taken, whose guard gives it back.
/// - **Re-entrancy**: predicates run with the mutex held, and must not take it again.
///
/// ```
/// use std::thread;
///
/// use lockwise::{Condvar, Mutex};
///
/// let (ready, changed) = (Mutex::new(false), Condvar::new());
/// thread::scope(|scope| {
///     scope.spawn(|| {
///         *ready.lock() = true;
///         changed.notify_one();
///     });
///     let mut ready = ready.lock();
///     changed.wait_while(&mut ready, |ready| !*ready);
///     assert!(*ready);
/// });
/// ```
pub struct Condvar {
    tag: Tag,
    condvar: parking_lot::Condvar,
}

impl Condvar {
    /// Makes a condition variable that nobody waits for. The caller is its creation site.
    #[inline]
    #[track_caller]
    pub const fn new() -> Condvar {
        Condvar::with_identity(Condvar::identity_at(Site::caller()))
    }

    /// Makes a condition variable of the class `name`.
    #[inline]
    #[track_caller]
    pub const fn named(name: &'static str) -> Condvar {
        Condvar::with_identity(Condvar::identity_at(Site::caller()).named(name))
    }

    /// Wakes one waiting thread, if there is one, and says whether there was.
    #[inline]
    #[track_caller]
    pub fn notify_one(&self) -> bool {
        self.tag.notified(Wake::One, Site::caller());
        self.condvar.notify_one()
    }

    /// Wakes all waiting threads, and says how many there were.
    #[inline]
    #[track_caller]
    pub fn notify_all(&self) -> usize {
        self.tag.notified(Wake::All, Site::caller());
        self.condvar.notify_all()
    }

    /// Gives the mutex back, waits until notified, and takes the mutex again.
    ///
    /// # Panics
    ///
    /// If another thread waits with another mutex.
    #[inline]
    #[track_caller]
    pub fn wait<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>) {
        wait_on(&self.tag, guard, Ask::Wait, Site::caller(), |guard| {
            self.condvar.wait(guard);
        });
    }

    /// [`Condvar::wait`] until `deadline` at the latest.
    ///
    /// # Panics
    ///
    /// If another thread waits with another mutex.
    #[inline]
    #[track_caller]
    pub fn wait_until<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        deadline: Instant,
    ) -> WaitTimeoutResult {
        wait_on(&self.tag, guard, Ask::Timed, Site::caller(), |guard| {
            self.condvar.wait_until(guard, deadline).into()
        })
    }

    /// [`Condvar::wait`] for `timeout` at most.
    ///
    /// # Panics
    ///
    /// If another thread waits with another mutex.
    #[inline]
    #[track_caller]
    pub fn wait_for<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        timeout: Duration,
    ) -> WaitTimeoutResult {
        wait_on(&self.tag, guard, Ask::Timed, Site::caller(), |guard| {
            self.condvar.wait_for(guard, timeout).into()
        })
    }

    /// Waits as long as `condition` is true of the value.
    ///
    /// # Panics
    ///
    /// If another thread waits with another mutex, or if `condition` panics.
    #[inline]
    #[track_caller]
    pub fn wait_while<T, F>(&self, guard: &mut MutexGuard<'_, T>, mut condition: F)
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        while condition(&mut **guard) {
            self.wait(guard);
        }
    }

    /// [`Condvar::wait_while`] until `deadline` at the latest.
    ///
    /// # Panics
    ///
    /// As [`Condvar::wait_while`].
    #[inline]
    #[track_caller]
    pub fn wait_while_until<T, F>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        mut condition: F,
        deadline: Instant,
    ) -> WaitTimeoutResult
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        // As in `parking_lot`: the condition is not asked again after the deadline.
        while condition(&mut **guard) {
            if self.wait_until(guard, deadline).timed_out() {
                return WaitTimeoutResult(true);
            }
        }
        WaitTimeoutResult(false)
    }

    /// [`Condvar::wait_while`] for `timeout` at most.
    ///
    /// # Panics
    ///
    /// As [`Condvar::wait_while`].
    #[inline]
    #[track_caller]
    pub fn wait_while_for<T, F>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        condition: F,
        timeout: Duration,
    ) -> WaitTimeoutResult
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        // A deadline too far away to be written down is none.
        if let Some(deadline) = Instant::now().checked_add(timeout) {
            self.wait_while_until(guard, condition, deadline)
        } else {
            self.wait_while(guard, condition);
            WaitTimeoutResult(false)
        }
    }

    /// Who the object is; nobody, if checks are off.
    #[inline]
    pub fn identity(&self) -> Option<&Identity> {
        self.tag.identity()
    }

    const fn identity_at(born: Site) -> Identity {
        Identity::new(Kind::Condvar, born, type_name::<()>)
    }

    const fn with_identity(identity: Identity) -> Condvar {
        Condvar {
            tag: Tag::new(identity),
            condvar: parking_lot::Condvar::new(),
        }
    }
}

impl Default for Condvar {
    #[inline]
    #[track_caller]
    fn default() -> Condvar {
        Condvar::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.condvar, f)
    }
}

/// Whether a wait with a deadline ended because of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether the deadline passed before a notification came.
    #[inline]
    pub fn timed_out(self) -> bool {
        self.0
    }
}

impl From<parking_lot::WaitTimeoutResult> for WaitTimeoutResult {
    #[inline]
    fn from(result: parking_lot::WaitTimeoutResult) -> WaitTimeoutResult {
        WaitTimeoutResult(result.timed_out())
    }
}
