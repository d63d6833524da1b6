//! Waits under a lock that the other side needs, in runs that go well.
//!
//! The end-to-end tests run each of these in a process of its own, and ask the checker what it finds. Something
//! that the watcher does not see makes sure that nobody has to wait here.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use lockwise::stdsync::mpsc;
use lockwise::sync::{Future, Promise, Queue, Scheduler, Worker};
use lockwise::{Condvar, Mutex, thread};

/// A deadline that passes.
const SOON: Duration = Duration::from_millis(20);
/// One that does not.
const LATE: Duration = Duration::from_secs(60);

/// Returns when it has ended, without having been seen to find that.
fn look_on<T: Send>(job: &Future<T>) {
    let has_ended = Arc::new(OnceLock::new());
    let ends = Arc::clone(&has_ended);
    job.on_done(move |_| ends.set(()).expect("it ends once"));
    has_ended.wait();
}

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
    look_on(&job);
    let _held = RESULT.lock();
    job.wait().unwrap();
}

static APART: Mutex<u32> = Mutex::named("lock", 0);

#[test]
fn a_result_that_is_waited_for_without_the_lock() {
    let worker = Worker::new().unwrap();
    let job = worker.submit(|| work(&APART)).unwrap();
    look_on(&job);
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

static TIMED: Mutex<u32> = Mutex::named("lock", 0);

/// The worker cannot give its result before the deadline has passed.
#[test]
fn a_result_that_is_waited_for_under_the_lock_until_a_deadline() {
    let worker = Worker::new().unwrap();
    let held = TIMED.lock();
    let job = worker.submit(|| work(&TIMED)).unwrap();
    let job = job.wait_timeout(SOON).expect_err("it needs the lock");
    drop(held);
    job.wait().unwrap();
}

#[test]
fn an_item_that_is_got_under_the_lock_until_a_deadline() {
    let (lock, queue) = (Mutex::named("lock", 0), Queue::new());
    thread::scope(|scope| {
        let held = lock.lock();
        scope.spawn(|| {
            work(&lock);
            queue.put(1).unwrap();
        });
        queue
            .get_timeout(SOON)
            .expect_err("the other side needs the lock");
        drop(held);
        assert_eq!(queue.get(), Ok(1));
    });
}

#[test]
fn a_condition_that_is_waited_for_under_the_lock_until_a_deadline() {
    let (lock, state, changed) = (
        Mutex::named("lock", 0),
        Mutex::named("state", 0),
        Condvar::new(),
    );
    let begun = OnceLock::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            begun.wait();
            work(&lock);
            *state.lock() += 1;
            changed.notify_all();
        });
        let held = lock.lock();
        let mut told = state.lock();
        begun.set(()).unwrap();
        assert!(changed.wait_for(&mut told, SOON).timed_out());
        drop((told, held));
    });
}

static APART_TIMED: Mutex<u32> = Mutex::named("lock", 0);

/// The lock is free during the wait, and another that is held is nothing to the worker.
#[test]
fn a_result_that_is_waited_for_without_the_lock_until_a_deadline() {
    let other = Mutex::named("other", 0);
    let worker = Worker::new().unwrap();
    let begun = Arc::new(OnceLock::new());
    let until_begun = Arc::clone(&begun);
    let job = worker.submit(move || {
        until_begun.wait();
        work(&APART_TIMED);
    });
    *APART_TIMED.lock() += 1;
    let _held = other.lock();
    let job = job
        .unwrap()
        .wait_timeout(SOON)
        .expect_err("it has not begun");
    begun.set(()).unwrap();
    job.wait_timeout(LATE)
        .expect("it needs no lock of ours")
        .unwrap();
}

/// Lock, queue, result and the end of a thread: whoever holds the lock waits for an item of one that waits for a result
/// of one that waits for the end of one that needs the lock.
#[test]
fn a_chain_of_waits_under_the_lock() {
    let (lock, queue, done) = (Mutex::named("lock", 0), Queue::new(), OnceLock::new());
    let (promise, result) = Promise::new();
    thread::scope(|scope| {
        let works = scope.spawn(|| work(&lock));
        scope.spawn(move || {
            works.join().unwrap();
            promise.set(1).unwrap();
        });
        scope.spawn(|| {
            queue.put(result.wait().unwrap()).unwrap();
            done.set(()).unwrap();
        });
        done.wait();
        let held = lock.lock();
        assert_eq!((queue.get(), *held), (Ok(1), 1));
    });
}

/// The one who is asked gets the questions in either order, and answers whoever has asked.
#[test]
fn questions_of_two_threads_under_the_lock() {
    let (lock, questions) = (Mutex::named("lock", 0), Queue::<Promise<u32>>::new());
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..2 {
                questions.get().unwrap().set(1).unwrap();
            }
        });
        for _ in 0..2 {
            scope.spawn(|| {
                let mut held = lock.lock();
                let (promise, answer) = Promise::new();
                questions.put(promise).unwrap();
                *held += answer.wait().unwrap();
            });
        }
    });
    assert_eq!(*lock.lock(), 2);
}

/// While one task waits its thread goes on with the other, which gives the result.
#[test]
fn a_task_waits_beside_one_that_gives_a_result() {
    let (lock, items, put) = (
        Mutex::named("lock", 0),
        Arc::new(Queue::new()),
        OnceLock::new(),
    );
    let (promise, result) = Promise::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            work(&lock);
            items.put(1).unwrap();
            put.set(()).unwrap();
        });
        scope.spawn(|| {
            put.wait();
            let (scheduler, items) = (Scheduler::new(), Arc::clone(&items));
            let got = scheduler.spawn(async move { items.get_async().await });
            let gives = scheduler.spawn(async move { promise.set(1) });
            scheduler.run().unwrap();
            assert_eq!(got.result().wait().unwrap(), Ok(1));
            assert_eq!(gives.result().wait().unwrap(), Ok(()));
        });
        put.wait();
        let held = lock.lock();
        assert_eq!((result.wait().unwrap(), *held), (1, 1));
    });
}

/// Both of those who answer look into one receiver, and either answers whoever has asked.
#[test]
fn questions_to_two_threads_under_the_lock() {
    let lock = Mutex::named("lock", 0);
    let (questions, asked) = mpsc::channel::<mpsc::Sender<u32>>();
    let asked = Mutex::named("receiver", asked);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let question = asked.lock().recv();
                    let Ok(answers) = question else { break };
                    answers.send(1).unwrap();
                }
            });
        }
        for questions in [questions.clone(), questions] {
            scope.spawn(|| {
                let mut held = lock.lock();
                let (answers, answer) = mpsc::channel();
                { questions }.send(answers).unwrap();
                *held += answer.recv().unwrap();
            });
        }
    });
    assert_eq!(*lock.lock(), 2);
}

/// The questions lie in a list of the program's own, and a condition tells of them.
#[test]
fn questions_in_a_list_under_the_lock() {
    let lock = Mutex::named("lock", 0);
    let (list, more) = (Mutex::named("list", Vec::new()), Condvar::new());
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..2 {
                let mut questions = list.lock();
                more.wait_while(&mut questions, |questions| questions.is_empty());
                let answers: mpsc::Sender<u32> = questions.pop().unwrap();
                drop(questions);
                answers.send(1).unwrap();
            }
        });
        for _ in 0..2 {
            scope.spawn(|| {
                let mut held = lock.lock();
                let (answers, answer) = mpsc::channel();
                list.lock().push(answers);
                more.notify_one();
                *held += answer.recv().unwrap();
            });
        }
    });
    assert_eq!(*lock.lock(), 2);
}

/// One of two who put items in needs the lock, and the other one tells of its item.
#[test]
fn items_of_two_that_are_got_under_the_lock() {
    let (lock, items, told) = (Mutex::named("lock", 0), Queue::new(), Queue::new());
    let done = OnceLock::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            work(&lock);
            items.put(1).unwrap();
            done.set(()).unwrap();
        });
        scope.spawn(|| {
            items.put(2).unwrap();
            told.get().unwrap();
        });
        done.wait();
        let held = lock.lock();
        let first = items.get().unwrap();
        told.put(()).unwrap();
        assert_eq!((first + items.get().unwrap(), *held), (3, 1));
    });
}
