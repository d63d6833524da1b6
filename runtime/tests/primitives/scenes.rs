//! Threads that end while they hold a lock.
//!
//! The end-to-end tests run each of these in a process of its own, and ask the checker what it finds.

use lockwise::{Mutex, ReentrantMutex, thread};

#[test]
fn a_thread_that_ends_with_a_forgotten_guard() {
    let lock = Mutex::named("kept", 0);
    thread::scope(|scope| {
        let ends = || std::mem::forget(lock.lock());
        let builder = thread::Builder::new().name("careless".to_owned());
        let careless = builder.spawn_scoped(scope, ends).expect("there is room");
        careless.join().unwrap();
    });
    assert!(lock.is_locked());
}

#[test]
fn a_thread_that_forgets_a_guard_and_goes_on() {
    let (kept, other) = (ReentrantMutex::named("kept", 0), Mutex::named("other", 0));
    thread::scope(|scope| {
        let forgets = || {
            std::mem::forget(kept.lock());
            // Under what is kept, though no guard is left of it.
            *other.lock() += 1;
        };
        let builder = thread::Builder::new().name("careless".to_owned());
        let careless = builder.spawn_scoped(scope, forgets).expect("there is room");
        careless.join().unwrap();
    });
    assert!(kept.is_locked() && !other.is_locked());
}

#[test]
fn a_thread_that_gives_all_back() {
    let lock = Mutex::named("given back", 0);
    thread::scope(|scope| {
        scope.spawn(|| *lock.lock() += 1);
    });
    assert!(!lock.is_locked());
}
