//! The atomics of the wait-for graph and of the held sets that it reads.
//!
//! They stand here so that a model checker can put its own in their place: `tests/wait_for` compiles
//! `wait_for.rs` and `slot/entry.rs` a second time, over the atomics of loom.

pub(super) use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, fence};

/// The count of something in the whole process. A model has one for each schedule.
pub(super) type Counter = AtomicU64;
