//! What is told though it is no deadlock: the blind spots that README names.

use std::mem;
use std::sync::Arc;

use lockwise::{Mutex, thread};

use super::{caught, until_waited_for, watch};

/// The guard is forgotten, and another thread frees the lock: as far as anybody sees, its first holder has it.
#[test]
fn a_lock_that_another_thread_frees_by_force() {
    watch();
    let lock = Arc::new(Mutex::named("freed by force", ()));
    mem::forget(lock.lock());
    let told = caught(|| drop(lock.lock()));
    assert!(told.is_some());

    // A third one may wait for it, and gets it.
    let waits = Arc::clone(&lock);
    let third = thread::spawn(move || caught(|| drop(waits.lock())));
    until_waited_for("freed by force", 1);
    let frees = Arc::clone(&lock);
    let other = thread::spawn(move || {
        // SAFETY: the guard of the first thread was forgotten, so that nobody else unlocks it.
        unsafe { frees.force_unlock() };
    });
    other.join().unwrap();
    assert!(third.join().expect("it was caught").is_none());
}
