//! What the locks promise, watched or not: the same tests run with and without the feature
//! `checks`, and must say the same.
//!
//! Threads wait for each other by channels, barriers and the locks themselves, never by sleeping.

mod auto_traits;
mod barrier;
mod condvar;
mod foreign;
mod lazy;
mod mutex;
mod once;
mod once_cell;
mod reentrant;
mod rwlock;
mod semaphore;

#[cfg(not(feature = "checks"))]
mod plain;
#[cfg(feature = "checks")]
mod reentry;
#[cfg(feature = "checks")]
mod watched;
