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
//! What it cannot see: threads started by other means, and parking. [`Thread`] is std's own type, got
//! from std's own [`current`], so nobody is told of [`Thread::unpark`], and [`park`] alone would say
//! only half. Two halves of a lock cycle that are ordered by an unparking may be taken for certain to
//! meet, and parking while holding a lock that the unparking thread needs is not found.

mod builder;
mod handle;
mod scope;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

pub use std::thread::*;

pub use builder::{Builder, spawn};
pub use handle::JoinHandle;
pub use scope::{Scope, ScopedJoinHandle, scope};
