//! The shapes of [`std::sync`]: changing one `use` line is enough.
//!
//! ```
//! use lockwise::stdsync::{Arc, Mutex};
//!
//! let accounts = Arc::new(Mutex::new(vec![100, 200]));
//! accounts.lock().unwrap()[0] -= 10;
//! assert_eq!(*accounts.lock().unwrap(), [90, 200]);
//! ```
//!
//! Each type here is the one of std with an identity beside it, and calls the watcher around what
//! std really does. Poisoning, panics, `Debug` output, auto traits and variance are std's, because
//! std's own object does the work. Everything that neither locks nor waits ([`Arc`], [`atomic`], the
//! errors and results) *is* std's. [`Named`] adds names and ranks, which std does not have.
//!
//! The folder uses std and `crate::watch` and nothing else, so that it can also be built under a
//! crate that stands in for std. Bottom to top: `held` (the pattern of an acquisition), `mutex`,
//! `rwlock`, `condvar`, `barrier`, `mpsc`; `entry` (who initialises), `once`, `once_lock`,
//! `lazy_lock`; `nightly` (what std has behind features).
//!
//! What it cannot see: waiting for room in a bounded channel, and the moment for which `{:?}` holds a
//! lock.

mod barrier;
mod condvar;
mod entry;
mod held;
mod identify;
mod lazy_lock;
pub mod mpsc;
mod mutex;
mod named;
#[cfg(lockwise_nightly)]
mod nightly;
mod once;
mod once_lock;
mod rwlock;

pub use std::sync::*;

pub use barrier::Barrier;
pub use condvar::Condvar;
#[cfg(lockwise_overlay)]
pub use entry::{Entry, Inside};
pub use lazy_lock::LazyLock;
pub use mutex::{Mutex, MutexGuard};
pub use named::{Label, Named};
#[cfg(lockwise_nightly)]
pub use nightly::{MappedMutexGuard, MappedRwLockReadGuard, MappedRwLockWriteGuard};
#[expect(deprecated, reason = "std has it too")]
pub use once::ONCE_INIT;
pub use once::Once;
pub use once_lock::OnceLock;
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
