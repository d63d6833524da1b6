//! A raw mutex on which a condition variable of `parking_lot` can wait.
//!
//! `parking_lot::Condvar` takes only guards of `parking_lot::Mutex`, whatever they guard. So the
//! raw lock under our mutex is a whole such mutex, of nothing, and waiting hands its guard to
//! `parking_lot`'s own condition variable: same queue, same requeueing, same panic when two mutexes
//! meet at one condition variable, and no wake-up can be lost in between because there is no
//! in-between.

use std::panic::RefUnwindSafe;
use std::time::{Duration, Instant};

use lock_api::{RawMutex, RawMutexFair, RawMutexTimed};

/// A mutex of nothing, used as a raw mutex.
#[derive(Debug)]
pub struct Waitable(pub(super) parking_lot::Mutex<()>);

/// There is no data that a panic could leave half changed.
impl RefUnwindSafe for Waitable {}

impl Waitable {
    /// The raw mutex inside.
    #[inline]
    fn raw(&self) -> &parking_lot::RawMutex {
        // SAFETY: it is released only through the unsafe methods below, whose callers hold it; no
        // guard of the mutex of nothing is ever dropped.
        unsafe { self.0.raw() }
    }
}

// SAFETY: exclusivity is that of `parking_lot::RawMutex`, to which everything is handed on.
unsafe impl RawMutex for Waitable {
    const INIT: Self = Waitable(parking_lot::Mutex::new(()));

    type GuardMarker = <parking_lot::RawMutex as RawMutex>::GuardMarker;

    #[inline]
    fn lock(&self) {
        self.raw().lock();
    }

    #[inline]
    fn try_lock(&self) -> bool {
        self.raw().try_lock()
    }

    #[inline]
    unsafe fn unlock(&self) {
        // SAFETY: the caller holds this lock in the current context, and that is to hold the raw.
        unsafe { self.raw().unlock() }
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.raw().is_locked()
    }
}

// SAFETY: as for `RawMutex`.
unsafe impl RawMutexFair for Waitable {
    #[inline]
    unsafe fn unlock_fair(&self) {
        // SAFETY: the caller holds this lock in the current context, and that is to hold the raw.
        unsafe { self.raw().unlock_fair() }
    }

    #[inline]
    unsafe fn bump(&self) {
        // SAFETY: the caller holds this lock in the current context, and that is to hold the raw.
        unsafe { self.raw().bump() }
    }
}

// SAFETY: as for `RawMutex`.
unsafe impl RawMutexTimed for Waitable {
    type Duration = Duration;
    type Instant = Instant;

    #[inline]
    fn try_lock_for(&self, timeout: Duration) -> bool {
        self.raw().try_lock_for(timeout)
    }

    #[inline]
    fn try_lock_until(&self, deadline: Instant) -> bool {
        self.raw().try_lock_until(deadline)
    }
}
