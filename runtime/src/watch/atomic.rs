//! The atomics of the wait-for graph.
//!
//! They stand here so that a model checker can put its own in their place: `tests/wait_for` compiles
//! `wait_for.rs` a second time, over the atomics of loom.

pub(super) use std::sync::atomic::{AtomicBool, AtomicU64, fence};

/// The count of something in the whole process. A model has one for each schedule.
pub(super) type Counter = AtomicU64;
