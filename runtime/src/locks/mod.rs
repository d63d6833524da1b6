//! The locks, in the shapes of `parking_lot`.

mod constructors;
mod mutex;
mod reentrant;
mod rwlock;

pub use mutex::{
    ArcFairMutexGuard, ArcMutexGuard, FairMutex, FairMutexGuard, MappedFairMutexGuard,
    MappedMutexGuard, Mutex, MutexGuard, const_fair_mutex, const_mutex,
};
pub use reentrant::{
    ArcReentrantMutexGuard, MappedReentrantMutexGuard, RawThreadId, ReentrantMutex,
    ReentrantMutexGuard, const_reentrant_mutex,
};
pub use rwlock::{
    ArcRwLockReadGuard, ArcRwLockUpgradableReadGuard, ArcRwLockWriteGuard, MappedRwLockReadGuard,
    MappedRwLockWriteGuard, RwLock, RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard,
    const_rwlock,
};
