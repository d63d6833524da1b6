//! Several locks at once, in the one order of all locks: what `acquire!` and `try_acquire!` call.
//!
//! Threads that take all they need at once, in one order, cannot wait for each other in a circle.
//! Every lock has its place in such an order: rank, else creation site, then instance number (with
//! `checks` off, where locks carry nothing, its address). So a call sorts what it wants, refuses a
//! lock that is wanted twice, asks once whether all of it comes after what the thread already
//! holds, takes the locks ascending, and gives their guards back in the order in which they were
//! written.
//!
//! What it releases itself, because a later lock was not free in time or panicked, goes descending.
//! A guard that was handed out is the caller's, and is released when it is dropped: named by
//! `let (a, b) = …` the last one first, in a tuple dropped as a whole the first one first. That
//! order cannot cause a deadlock, for a release never waits. A plain tuple could do it otherwise
//! only if each guard knew the others, and each access paid for it.
//!
//! Bottom to top: `subject` (who a lock is), `lock` (what can be taken, and how), `locks` and
//! `std_locks` (the types that can), `want` (a lock asked for), `ascend` (sort, check, take,
//! release), `together` (tuples), `call` (the four functions, and their errors).
//!
//! What it cannot see: an expression in the arguments may itself take a lock and hold it as long as
//! the statement lasts; then that lock is one that the thread already holds.

mod ascend;
mod call;
mod lock;
mod locks;
mod std_locks;
mod subject;
mod together;
mod want;

#[cfg(test)]
mod tests;

pub use ascend::TryAcquireError;
pub use call::{TimedOut, all, all_within, try_all, try_all_within};
pub use lock::{Acquire, Exclusive, Read, Upgradable, Write};
#[doc(hidden)]
pub use together::Together;
#[doc(hidden)]
pub use want::{WantExclusive, WantRead, WantUpgradable, WantWrite, Wanted};

pub use crate::watch::{Finding, Note};
