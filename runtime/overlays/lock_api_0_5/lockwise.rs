//! The watched raw lock inside each lock of this crate, and what tells of its condition variables.

mod condvar;
mod made;
mod mutex;
mod rwlock;
mod watched;

pub(crate) use self::condvar::condvar;
pub(crate) use self::made::{identity, inside, mutex, reentrant_mutex, rwlock};
pub use self::watched::Watched;
use crate::guard::abort_on_panic;
use crate::watch::Site;

/// The raw lock that was watched.
#[inline]
pub(crate) fn into_inside<R>(watched: Watched<R>) -> R {
    watched.raw
}

/// Runs `path`, at whose end a lock is taken at `at`, and aborts the process if it unwinds.
#[inline]
pub(crate) fn aborting<T>(at: Site, path: impl FnOnce() -> T) -> T {
    abort_on_panic(|| crate::tag::carrying(at, path))
}
