//! The functions that the macros call, one a form.
//!
//! The macros alone know the notes that they need; there is no other use for them.

use std::error::Error;
use std::fmt;
use std::time::{Duration, Instant};

use super::ascend::{Named, TryAcquireError};
use super::lock::Patience;
use super::together::Together;
use crate::watch::Note;

/// `acquire!(…)`.
///
/// # Panics
///
/// If two are the same lock, or one does not come after all that the thread holds.
#[doc(hidden)]
#[track_caller]
pub fn all<T: Together>(wanted: T) -> T::Guards {
    match wanted.take(Patience::Endless) {
        Ok(guards) => guards,
        Err(error) => refuse(&error),
    }
}

/// `acquire!(…; timeout …)`.
///
/// # Errors
///
/// If a lock was not free in time.
///
/// # Panics
///
/// As [`all`].
#[doc(hidden)]
#[track_caller]
pub fn all_within<T: Together>(wanted: T, timeout: Duration) -> Result<T::Guards, TimedOut> {
    match wanted.take(until(timeout)) {
        Ok(guards) => Ok(guards),
        Err(TryAcquireError::TimedOut { lock }) => Err(TimedOut { lock }),
        Err(error) => refuse(&error),
    }
}

/// `try_acquire!(…)`.
///
/// # Errors
///
/// See [`TryAcquireError`].
#[doc(hidden)]
pub fn try_all<T: Together>(wanted: T) -> Result<T::Guards, TryAcquireError> {
    wanted.take(Patience::None)
}

/// `try_acquire!(…; timeout …)`.
///
/// # Errors
///
/// See [`TryAcquireError`].
#[doc(hidden)]
pub fn try_all_within<T: Together>(
    wanted: T,
    timeout: Duration,
) -> Result<T::Guards, TryAcquireError> {
    wanted.take(until(timeout))
}

/// A time too far away for the clock is no limit.
fn until(timeout: Duration) -> Patience {
    match Instant::now().checked_add(timeout) {
        Some(deadline) => Patience::Until(deadline),
        None => Patience::Endless,
    }
}

#[cold]
#[track_caller]
fn refuse(error: &TryAcquireError) -> ! {
    match error {
        TryAcquireError::Order(finding) => panic!("acquire!: {finding}"),
        error => panic!("acquire!: {error}"),
    }
}

/// Why `acquire!` with a timeout gave no guards. Nothing is held because of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimedOut {
    /// Where the lock was asked for that was not free in time.
    pub lock: &'static Note,
}

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} was not free in time", Named(self.lock))
    }
}

impl Error for TimedOut {}
