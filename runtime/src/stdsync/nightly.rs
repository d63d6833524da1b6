//! What std has behind features, for programs that a nightly compiler builds.
//!
//! The features are asked for by the root of the overlay, once for all: whether a program may use them
//! is between it and the real std, which it sees too. What they are called, and what they do, is that
//! of the nightly compilers of 2026; an overlay that does not compile with them is built without, and then
//! a program that uses them is not watched.

mod cells;
mod channels;
mod mapped;
mod values;

pub use mapped::{MappedMutexGuard, MappedRwLockReadGuard, MappedRwLockWriteGuard};
