//! What looks like a circle and is none: nothing is told.

use std::sync::{Arc, Barrier};
use std::time::Duration;

use lockwise::{Mutex, RwLock, thread};

use super::{caught, watch};

/// Runs both sides; neither may tell anything.
fn quiet(one: impl FnOnce(&Barrier) + Send + 'static, two: impl FnOnce(&Barrier) + Send + 'static) {
    watch();
    let met = Arc::new(Barrier::new(2));
    let met2 = Arc::clone(&met);
    let threads = [
        thread::spawn(move || caught(|| one(&met))),
        thread::spawn(move || caught(|| two(&met2))),
    ];
    for thread in threads {
        assert!(thread.join().expect("it was caught").is_none());
    }
}

#[test]
fn a_side_with_a_deadline() {
    let (a, b) = (Arc::new(Mutex::new(())), Arc::new(Mutex::new(())));
    let (a2, b2) = (Arc::clone(&a), Arc::clone(&b));
    quiet(
        move |met| {
            let _a = a.lock();
            met.wait();
            let _b = b.lock();
        },
        move |met| {
            let _b = b2.lock();
            met.wait();
            drop(a2.try_lock_for(Duration::from_millis(20)));
        },
    );
}

#[test]
fn a_side_that_only_tries() {
    let (a, b) = (Arc::new(Mutex::new(())), Arc::new(Mutex::new(())));
    let (a2, b2) = (Arc::clone(&a), Arc::clone(&b));
    quiet(
        move |met| {
            let _a = a.lock();
            met.wait();
            let _b = b.lock();
        },
        move |met| {
            let _b = b2.lock();
            met.wait();
            assert!(a2.try_lock().is_none());
        },
    );
}

#[test]
fn readers_of_what_the_other_reads() {
    let (a, b) = (Arc::new(RwLock::new(())), Arc::new(RwLock::new(())));
    let (a2, b2) = (Arc::clone(&a), Arc::clone(&b));
    quiet(
        move |met| {
            let _a = a.read();
            met.wait();
            let _b = b.read();
        },
        move |met| {
            let _b = b2.read();
            met.wait();
            let _a = a2.read();
        },
    );
}

#[test]
fn a_join_under_a_lock_that_the_thread_has_given_back() {
    watch();
    let lock = Arc::new(Mutex::new(()));
    let needs = Arc::clone(&lock);
    let worker = thread::spawn(move || caught(|| drop(needs.lock())));
    let told = caught(|| {
        drop(lock.lock());
        assert!(worker.join().expect("it was caught").is_none());
    });
    assert!(told.is_none());
}
