//! The watcher: everything that sees and judges an acquisition.
//!
//! This folder has no dependencies and names nothing outside itself, so that it can also be built
//! alone (its root is this file) and stand under other lock types than those of this crate.

mod mode;

pub use mode::{Kind, Mode};
