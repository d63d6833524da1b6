//! `lockwise::stdsync` behaves as `std::sync`, with checks on and off.

use std::panic::{AssertUnwindSafe, catch_unwind};

mod barrier;
mod condvar;
#[cfg(feature = "checks")]
mod found;
mod mpsc;
mod mutex;
mod named;
mod once;
#[cfg(not(feature = "checks"))]
mod plain;
mod rwlock;
#[path = "../same_traits/mod.rs"]
mod same_traits;
mod shape;
#[cfg(feature = "checks")]
mod watched;

/// Asserts that a block has the same outcome with our types and with those of std: what it calls
/// `sync` is the one module, then the other.
macro_rules! assert_same_as_std {
    ($block:block) => {{
        let ours = {
            #[allow(unused_imports, reason = "not every block names a type")]
            use lockwise::stdsync as sync;
            $block
        };
        let theirs = {
            #[allow(unused_imports, reason = "not every block names a type")]
            use std::sync;
            $block
        };
        assert_eq!(ours, theirs);
        ours
    }};
}
use assert_same_as_std;

/// Runs `f`, which panics, and returns what it panicked with.
fn message_of<T>(f: impl FnOnce() -> T) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).err().expect("it panics");
    match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => (*payload.downcast::<&str>().expect("a text")).to_owned(),
    }
}
