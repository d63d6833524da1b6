//! The locks: `parking_lot`'s and `once_cell`'s shapes, watched.
//!
//! A file is a lock kind. Each has its state, the operations of the type that it stands for, and
//! what the watcher is told of them.

mod barrier;
mod condvar;
mod constructors;
mod gate;
mod lazy;
mod mutex;
mod once;
mod once_cell;
mod reentrant;
mod rwlock;
mod semaphore;

pub use barrier::{Barrier, BarrierWaitResult};
pub use condvar::{Condvar, WaitTimeoutResult};
pub use lazy::Lazy;
pub use mutex::{
    ArcFairMutexGuard, ArcMutexGuard, FairMutex, FairMutexGuard, MappedFairMutexGuard,
    MappedMutexGuard, Mutex, MutexGuard, const_fair_mutex, const_mutex,
};
pub use once::{Once, OnceState};
pub use once_cell::OnceCell;
pub use reentrant::{
    ArcReentrantMutexGuard, MappedReentrantMutexGuard, RawThreadId, ReentrantMutex,
    ReentrantMutexGuard, const_reentrant_mutex,
};
pub use rwlock::{
    ArcRwLockReadGuard, ArcRwLockUpgradableReadGuard, ArcRwLockWriteGuard, MappedRwLockReadGuard,
    MappedRwLockWriteGuard, RwLock, RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard,
    const_rwlock,
};
pub use semaphore::{Semaphore, SemaphoreAcquire, SemaphoreGuard};
