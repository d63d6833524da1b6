//! Who the locks of this crate are, by where they are made.

use std::any::type_name;

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
