//! What is told though it is no deadlock, and what is not told as it may be none: the blind spots that README names.

use std::mem;
use std::sync::Arc;

use lockwise::sync::{Event, Promise, Queue};
use lockwise::{Mutex, thread};

use super::{caught, named, until_it_waits, until_waited_for, watch};

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

/// One thread waits for something under a lock, and who would give it waits for the lock. A third one, of which nobody
/// could know, gives it: the same circle is a deadlock until then.
fn rescued(waits: impl FnOnce() + Send + 'static, gives: impl Fn() + Send + Sync + 'static) {
    watch();
    let lock = Arc::new(Mutex::named("held over a wait", ()));
    let its_lock = Arc::clone(&lock);
    let waits = named("waits under a lock", move || {
        caught(|| {
            let _held = its_lock.lock();
            waits();
        })
    });
    until_it_waits("waits under a lock");
    let gives = Arc::new(gives);
    let would_give = Arc::clone(&gives);
    let other = named("would give it", move || {
        caught(|| {
            let _held = lock.lock();
            would_give();
        })
    });
    until_it_waits("would give it");
    gives();
    assert!(waits.join().expect("it was caught").is_none());
    assert!(other.join().expect("it was caught").is_none());
}

#[test]
fn a_lock_and_a_queue_or_an_event_or_a_promise_of_which_a_third_thread_knows_are_not_told() {
    let queue = Arc::new(Queue::new());
    let gets = Arc::clone(&queue);
    rescued(
        move || assert_eq!(gets.get(), Ok(1)),
        move || queue.put(1).unwrap(),
    );
    let event = Arc::new(Event::new());
    let seen = Arc::clone(&event);
    rescued(
        move || seen.wait(),
        move || {
            event.set();
        },
    );
    let (promise, future) = Promise::new();
    let promise = std::sync::Mutex::new(Some(promise));
    rescued(
        move || assert_eq!(future.wait().unwrap(), 1),
        move || {
            if let Some(promise) = promise.lock().unwrap().take() {
                promise.set(1).unwrap();
            }
        },
    );
}
