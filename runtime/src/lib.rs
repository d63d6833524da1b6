//! Locks that know their order: deadlocks are reported before they happen.
//!
//! The locks here are those of `parking_lot` and `once_cell`, with the same methods, so that
//! changing `use` lines is enough. Each request is judged before its thread may block: against what
//! the thread holds already, against the ranks that the program declares, and against the orders in
//! which locks were taken so far. An order that can deadlock is therefore reported by a run that
//! did not hang.
//!
//! ```no_run
//! use lockwise::{Mutex, thread};
//!
//! struct Account {
//!     balance: Mutex<i64>,
//! }
//!
//! fn transfer(from: &Account, to: &Account, amount: i64) {
//!     let mut from = from.balance.lock();
//!     let mut to = to.balance.lock();
//!     *from -= amount;
//!     *to += amount;
//! }
//!
//! let ada = Account { balance: Mutex::named("balance", 100) };
//! let grace = Account { balance: Mutex::named("balance", 100) };
//!
//! // Now and then these two wait for each other for ever. Each run of the program says so:
//! // LW0003 lock-order-cycle, with both places where the second lock was requested.
//! thread::scope(|scope| {
//!     scope.spawn(|| transfer(&ada, &grace, 10));
//!     scope.spawn(|| transfer(&grace, &ada, 5));
//! });
//! ```
//!
//! What happens on a finding is chosen by [`set_reaction`] and [`set_callback`]; where the order of
//! locks is a rule, and not only learned, by [`set_order`].
//!
//! # Contents
//!
//! - [`Mutex`], [`FairMutex`], [`ReentrantMutex`] and [`RwLock`], with `parking_lot`'s guards:
//!   mapped, `Arc`, upgradable.
//! - [`acquire!`] and [`try_acquire!`]: several locks at once, in the one order of all locks.
//! - [`Condvar`], [`Barrier`] and [`Semaphore`]: waiting for other threads.
//! - [`Once`], [`OnceCell`] and [`Lazy`]: an object is held while it is initialised, and an
//!   initialiser that needs its own object panics instead of hanging.
//! - [`sync`]: what threads and tasks hand each other things with, built on these locks.
//! - [`Watched`]: any raw lock of [`lock_api`], watched.
//! - [`watch`]: what a finding is, and who a lock is.
//!
//! # Names and classes
//!
//! Locks that are made at the same place of the source form a *class*, and what is learned of one
//! holds for all. `named` constructors give a class a name, wherever its locks are made; `ranked`
//! ones declare its place in the order.
//!
//! # Off
//!
//! Without the feature `checks`, which is on by default, each type *is* the plain one: same size,
//! same guards, and nothing is watched. To watch only tests, depend on the crate with
//! `default-features = false` and once more under `[dev-dependencies]` with `features = ["checks"]`.
//!
//! # Limits
//!
//! - Guards are `lock_api`'s, so `MutexGuard::mutex` gives the `lock_api` mutex inside ours.
//! - `MutexGuard::unlocked` and its like take the lock again in a closure of `lock_api`: such an
//!   acquisition is judged, but its site lies there, and it never panics.
//! - No lock notices that it is dropped, so that ours can stand wherever theirs can.

pub mod acquire;
mod locks;
mod macros;
mod raw;
#[cfg(feature = "sources")]
pub mod sources;
#[cfg_attr(not(feature = "checks"), path = "stdsync/off.rs")]
pub mod stdsync;
pub mod sync;
mod tag;
#[cfg_attr(not(feature = "checks"), path = "thread/off.rs")]
pub mod thread;
mod waiting;
pub mod watch;

pub use lock_api;
pub use locks::{
    ArcFairMutexGuard, ArcMutexGuard, ArcReentrantMutexGuard, ArcRwLockReadGuard,
    ArcRwLockUpgradableReadGuard, ArcRwLockWriteGuard, Barrier, BarrierWaitResult, Condvar,
    FairMutex, FairMutexGuard, Lazy, MappedFairMutexGuard, MappedMutexGuard,
    MappedReentrantMutexGuard, MappedRwLockReadGuard, MappedRwLockWriteGuard, Mutex, MutexGuard,
    Once, OnceCell, OnceState, RawThreadId, ReentrantMutex, ReentrantMutexGuard, RwLock,
    RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard, Semaphore, SemaphoreAcquire,
    SemaphoreGuard, WaitTimeoutResult, const_fair_mutex, const_mutex, const_reentrant_mutex,
    const_rwlock,
};
pub use macros::{acquire, try_acquire};
pub use raw::{RawFairMutex, RawMutex, RawReentrantMutex, RawRwLock, Watched};
pub use watch::{
    Enforcement, Order, Rank, Reaction, describe_waits, set_callback, set_deadlock_reaction,
    set_enforcement, set_order, set_reaction,
};
