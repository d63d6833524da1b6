//! Raw locks: what stands between `lock_api` and the locks of `parking_lot`.
//!
//! [`Watched`] wraps any raw lock of `lock_api` 0.4 and tells the watcher what it does; `mutex` and
//! `rwlock` are its trait impls. The twins say what our own lock types are made of: watched raw
//! locks, or with checks off the plain ones of `parking_lot`, so that their guards are
//! `parking_lot`'s guards too.

#[cfg(not(feature = "checks"))]
mod disabled;
#[cfg(feature = "checks")]
mod enabled;
mod mutex;
mod rwlock;
mod sited;
#[cfg(feature = "checks")]
mod waitable;
mod watched;

#[cfg(not(feature = "checks"))]
pub use disabled::{RawFairMutex, RawMutex, RawReentrantMutex, RawRwLock};
#[cfg(not(feature = "checks"))]
pub(crate) use disabled::{fair_mutex, mutex, reentrant_mutex, rwlock, wait_on};
#[cfg(feature = "checks")]
pub use enabled::{RawFairMutex, RawMutex, RawReentrantMutex, RawRwLock};
#[cfg(feature = "checks")]
pub(crate) use enabled::{fair_mutex, mutex, reentrant_mutex, rwlock, wait_on};
pub(crate) use sited::{SitedMutex, SitedRwLock};
pub use watched::Watched;
