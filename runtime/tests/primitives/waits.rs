//! Waits under a lock that the other side needs, in runs that go well.
//!
//! The end-to-end tests run each of these in a process of its own, and ask the checker what it finds. Something
//! that the watcher does not see makes sure that nobody has to wait here.

use std::sync::{Arc, OnceLock};

use lockwise::sync::{Promise, Queue, Worker};
use lockwise::{Mutex, thread};

/// What the other side does: it needs the lock.
fn work(lock: &Mutex<u32>) {
    *lock.lock() += 1;
}

#[test]
fn an_item_that_is_got_under_the_lock() {
    let (lock, queue, done) = (Mutex::named("lock", 0), Queue::new(), OnceLock::new());
    thread::scope(|scope| {
        scope.spawn(|| {
            work(&lock);
            queue.put(1).unwrap();
            done.set(()).unwrap();
        });
        done.wait();
        let held = lock.lock();
        assert_eq!((queue.get(), *held), (Ok(1), 1));
    });
}

static RESULT: Mutex<u32> = Mutex::named("lock", 0);

#[test]
fn a_result_that_is_waited_for_under_the_lock() {
    let worker = Worker::new().unwrap();
    let job = worker.submit(|| work(&RESULT)).unwrap();
    while !job.is_done() {
        thread::yield_now();
    }
    let _held = RESULT.lock();
    job.wait().unwrap();
}

static APART: Mutex<u32> = Mutex::named("lock", 0);

#[test]
fn a_result_that_is_waited_for_without_the_lock() {
    let worker = Worker::new().unwrap();
    let job = worker.submit(|| work(&APART)).unwrap();
    while !job.is_done() {
        thread::yield_now();
    }
    *APART.lock() += 1;
    job.wait().unwrap();
    assert_eq!(*APART.lock(), 2);
}

/// The promise is still in use when its result is taken, which needs the lock of both then.
#[test]
fn a_result_that_is_taken_while_its_promise_is_there() {
    let (promise, result) = Promise::new();
    let taken = Arc::new(OnceLock::new());
    let until_taken = Arc::clone(&taken);
    result.on_done(move |_| {
        until_taken.wait();
    });
    let giver = thread::spawn(move || promise.set(1).unwrap());
    while !result.is_done() {
        thread::yield_now();
    }
    assert_eq!(result.wait().unwrap(), 1);
    taken.set(()).unwrap();
    giver.join().unwrap();
}
