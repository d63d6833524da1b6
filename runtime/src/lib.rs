//! Locks that know their order.

pub mod acquire;
mod locks;
mod macros;
mod raw;
#[cfg_attr(not(feature = "checks"), path = "stdsync/off.rs")]
pub mod stdsync;
mod tag;
#[cfg_attr(not(feature = "checks"), path = "thread/off.rs")]
pub mod thread;
pub mod watch;

pub use lock_api;
pub use locks::{
    ArcFairMutexGuard, ArcMutexGuard, ArcReentrantMutexGuard, ArcRwLockReadGuard,
    ArcRwLockUpgradableReadGuard, ArcRwLockWriteGuard, FairMutex, FairMutexGuard,
    MappedFairMutexGuard, MappedMutexGuard, MappedReentrantMutexGuard, MappedRwLockReadGuard,
    MappedRwLockWriteGuard, Mutex, MutexGuard, RawThreadId, ReentrantMutex, ReentrantMutexGuard,
    RwLock, RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard, const_fair_mutex,
    const_mutex, const_reentrant_mutex, const_rwlock,
};
pub use macros::{acquire, try_acquire};
pub use raw::{RawFairMutex, RawMutex, RawReentrantMutex, RawRwLock, Watched};
pub use watch::{Order, Rank, Reaction, set_callback, set_order, set_reaction};
