//! `lockwise::thread` behaves as `std::thread`, with checks on and off.

use std::panic::{AssertUnwindSafe, catch_unwind};

mod join;
#[cfg(not(feature = "checks"))]
mod plain;
#[path = "../same_traits/mod.rs"]
mod same_traits;
mod scope;
mod shape;

/// Runs `f`, which panics, and returns what it panicked with.
fn message_of<T>(f: impl FnOnce() -> T) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).err().expect("it panics");
    text_of(payload)
}

/// The text that a thread panicked with.
fn text_of(payload: Box<dyn std::any::Any + Send>) -> String {
    match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => (*payload.downcast::<&str>().expect("a text")).to_owned(),
    }
}
