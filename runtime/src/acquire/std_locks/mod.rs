//! The locks in the shapes of std, one line for each mode that each can be taken in.
//!
//! An element of the tuple is what the lock's own method returns: a `LockResult`, so that nobody
//! takes a poisoned lock without saying so. A poisoned lock is held like any other.
//!
//! std cannot wait for a lock until some time, so a timeout tries again and again. A lock that is
//! seldom free for long may therefore be missed.

#[cfg(not(feature = "checks"))]
mod off;

use std::sync::{LockResult, TryLockError, TryLockResult};
use std::thread;
use std::time::{Duration, Instant};

use super::lock::{Acquire, Exclusive, Patience, Read, Sealed, Write};
use super::subject::Subject;
use crate::stdsync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
use crate::watch::{Mode, Site};

#[cfg(not(feature = "checks"))]
use off::{SitedMutex as _, SitedRwLock as _};

macro_rules! acquire {
    ($($Lock:ident in $Tag:ident as $mode:ident: $Guard:ident, $wait:ident, $attempt:ident;)*) => {$(
        impl<T: ?Sized> Acquire<$Tag> for $Lock<T> {
            type Guard<'a>
                = LockResult<$Guard<'a, T>>
            where
                Self: 'a;

            #[inline]
            fn subject(&self) -> Subject<'_> {
                Subject::new(self, self.identity(), Mode::$mode)
            }

            #[inline]
            fn take(&self, patience: Patience, at: Site) -> Option<Self::Guard<'_>> {
                match patience {
                    Patience::Endless => Some(self.$wait(at)),
                    Patience::None => taken(self.$attempt(at)),
                    Patience::Until(deadline) => retry(deadline, || taken(self.$attempt(at))),
                }
            }
        }
    )*};
}

impl<T: ?Sized> Sealed for Mutex<T> {}
impl<T: ?Sized> Sealed for RwLock<T> {}

acquire! {
    Mutex in Exclusive as Exclusive: MutexGuard, lock_at, try_lock_at;
    RwLock in Exclusive as Exclusive: RwLockWriteGuard, write_at, try_write_at;
    RwLock in Write as Exclusive: RwLockWriteGuard, write_at, try_write_at;
    RwLock in Read as Shared: RwLockReadGuard, read_at, try_read_at;
}

/// A lock that could be had, poisoned or not.
fn taken<G>(result: TryLockResult<G>) -> Option<LockResult<G>> {
    match result {
        Ok(guard) => Some(Ok(guard)),
        Err(TryLockError::Poisoned(poisoned)) => Some(Err(poisoned)),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// The longest sleep between two tries: what a lock may have been free for unseen.
const PAUSE_MAX: Duration = Duration::from_millis(1);

/// Tries until the deadline, and at least once, at growing intervals.
fn retry<G>(deadline: Instant, attempt: impl Fn() -> Option<G>) -> Option<G> {
    let mut pause = Duration::from_micros(10);
    loop {
        if let Some(guard) = attempt() {
            return Some(guard);
        }
        let left = deadline.checked_duration_since(Instant::now())?;
        thread::sleep(pause.min(left));
        pause = PAUSE_MAX.min(pause * 2);
    }
}
