//! [`std::thread`], with starting and joining threads watched.
//!
//! Who starts a thread, or has seen it end, knows that everything on the other side of that came
//! before or after: two halves of a lock cycle that are so ordered cannot meet, and waiting for a
//! thread while holding what that thread needs is a deadlock.
//!
//! ```
//! use lockwise::thread;
//!
//! let mut numbers = vec![1, 2, 3];
//! thread::scope(|scope| {
//!     scope.spawn(|| numbers.push(4));
//! });
//! assert_eq!(thread::spawn(move || numbers.len()).join().unwrap(), 4);
//! ```
//!
//! The folder uses std and `crate::watch` and nothing else, so that it can also be built under a
//! crate that stands in for std. A thread's end is not told here: the watcher sees it by itself.
//!
//! What it cannot see: threads started by other means.

mod builder;
mod handle;
#[cfg(lockwise_nightly)]
mod nightly;
mod parking;
mod scope;
mod sleeping;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

pub use std::thread::*;

pub use builder::{Builder, spawn};
pub use handle::JoinHandle;
#[allow(deprecated, reason = "std has it too")]
pub use parking::park_timeout_ms;
pub use parking::{Thread, current, park, park_timeout};
pub use scope::{Scope, ScopedJoinHandle, scope};
pub use sleeping::sleep;
#[allow(deprecated, reason = "std has it too")]
pub use sleeping::sleep_ms;
