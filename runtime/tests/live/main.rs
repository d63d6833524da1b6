//! Threads that wait for each other are told by the one that closes the circle, before it parks.
//!
//! A test binary of its own, because the reaction is the whole process'. A deadlock ends here by a panic
//! in the closing thread, which lets the others go on: so a deadlock that is not found hangs the test,
//! and one that is found where there is none is counted.

#![cfg(feature = "checks")]

mod blind;
mod kinds;
mod mixed;
mod owed;
mod programs;
mod silence;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, Once, PoisonError};
use std::thread::ThreadId;

use lockwise::watch::{Code, Finding};
use lockwise::{Reaction, describe_waits, set_callback, set_deadlock_reaction, set_reaction};

/// The deadlocks that were told, with the thread that told them.
static TOLD: Mutex<Vec<(ThreadId, Finding)>> = Mutex::new(Vec::new());

/// Has deadlocks panic, and all of them remembered.
fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        set_reaction(Reaction::Silent);
        set_deadlock_reaction(Reaction::Panic);
        set_callback(|finding| {
            if finding.code == Code::Deadlock {
                let told = (std::thread::current().id(), finding.clone());
                TOLD.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(told);
                programs::check(finding);
            }
        });
    });
}

/// Runs `side` and returns what it told, if it closed a circle.
fn caught(side: impl FnOnce()) -> Option<Finding> {
    let Err(panic) = catch_unwind(AssertUnwindSafe(side)) else {
        return None;
    };
    let Some(message) = panic.downcast_ref::<String>() else {
        // What a lazy value says whose initialiser was stopped.
        assert!(
            panic
                .downcast_ref::<&str>()
                .is_some_and(|text| text.contains("poisoned"))
        );
        return None;
    };
    assert!(message.contains("LW0001"), "{message}");
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    let me = std::thread::current().id();
    let at = told.iter().position(|(thread, _)| *thread == me);
    Some(told.remove(at.expect("it was told before the panic")).1)
}

/// Goes on when a thread waits for what has this name.
fn until_waited_for(name: &str, threads: usize) {
    let waits = format!("waits for {name}");
    while describe_waits().matches(&waits).count() < threads {
        std::thread::yield_now();
    }
}

/// Goes on when the thread with this name waits.
fn until_it_waits(thread: &str) {
    let waits = format!("thread \"{thread}\" waits for");
    while !describe_waits().contains(&waits) {
        std::thread::yield_now();
    }
}

/// Runs `body` on a thread with this name.
fn named<T: Send + 'static>(
    name: &str,
    body: impl FnOnce() -> T + Send + 'static,
) -> lockwise::thread::JoinHandle<T> {
    let named = lockwise::thread::Builder::new().name(name.to_owned());
    named.spawn(body).expect("the system has threads")
}
