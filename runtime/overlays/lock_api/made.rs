//! Who the locks of this crate are, by where they are made.

use std::any::type_name;

use crate::RwLock;
use crate::tag::Tag;
use crate::watch::{Identity, Kind, Site};

use super::Watched;

/// The raw lock of a mutex that protects a `T` and is made by the caller.
#[track_caller]
pub(crate) const fn mutex<R, T>(raw: R) -> Watched<R> {
    Watched::from_raw(raw, Identity::new(Kind::Mutex, Site::caller(), type_name::<T>))
}

/// The raw lock of a read-write lock that protects a `T` and is made by the caller.
#[track_caller]
pub(crate) const fn rwlock<R, T>(raw: R) -> Watched<R> {
    Watched::from_raw(raw, Identity::new(Kind::RwLock, Site::caller(), type_name::<T>))
}

/// The raw lock of a re-entrant mutex that protects a `T` and is made by the caller.
#[track_caller]
pub(crate) const fn reentrant_mutex<R, T>(raw: R) -> Watched<R> {
    Watched::from_raw(raw, Identity::new(Kind::ReentrantMutex, Site::caller(), type_name::<T>))
}

/// The raw lock that is watched.
#[inline]
pub(crate) const fn inside<R>(watched: &Watched<R>) -> &R {
    &watched.raw
}

/// Who a mutex is, for whoever unlocks its raw lock himself.
#[inline]
pub fn identity<R, T: ?Sized>(mutex: &crate::Mutex<R, T>) -> Option<&Identity> {
    mutex.raw.identity()
}

/// A lock that nobody has taken yet, as if it had been made at `at`: for whoever makes it in a closure,
/// which does not know the caller.
pub fn rwlock_at<R, T>(at: Site, mut lock: RwLock<R, T>) -> RwLock<R, T> {
    lock.raw.tag = Tag::new(Identity::new(Kind::RwLock, at, type_name::<T>));
    lock
}

/// Runs `path`, at whose end one lock of this crate is taken, at `at`.
#[inline]
pub fn carrying<T>(at: Site, path: impl FnOnce() -> T) -> T {
    crate::tag::carrying(at, path)
}
