//! `acquire!` and `try_acquire!` as a user sees them, with checks on and off.

mod account;
#[path = "../compiled/mod.rs"]
mod compiled;
mod expressions;
mod guards;
mod mistakes;
mod notes;
#[cfg(feature = "checks")]
mod order;
mod refusals;
mod threads;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

/// The message of the panic that `work` ends with.
fn panic_of(work: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(work)).expect_err("it should panic");
    *panic.downcast().expect("the message is formatted")
}

/// Runs `work` on a thread that holds nothing.
fn elsewhere<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    thread::scope(|scope| scope.spawn(work).join()).expect("it should not panic")
}
