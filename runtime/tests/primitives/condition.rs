//! [`lockwise::Condvar`], by the cases of the list.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use lockwise::thread;
use lockwise::{Condvar, Mutex};

use super::{LONG, SHORT, until};

#[test]
fn notify_all_wakes_all() {
    let (count, changed) = (Mutex::new(0), Condvar::new());
    thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| {
                let mut count = count.lock();
                *count += 1;
                changed.wait(&mut count);
                *count -= 1;
            });
        }
        until(|| *count.lock() == 10);
        // Under the lock, so all of them wait.
        let held = count.lock();
        assert_eq!(changed.notify_all(), 10);
        drop(held);
    });
    assert_eq!(*count.lock(), 0);
}

#[test]
fn notify_before_wait_is_lost() {
    let (lock, changed) = (Mutex::new(()), Condvar::new());
    assert!(!changed.notify_one());
    assert_eq!(changed.notify_all(), 0);
    assert!(changed.wait_for(&mut lock.lock(), SHORT).timed_out());
}

#[test]
fn wait_timeout() {
    let (lock, changed) = (Mutex::new(()), Condvar::new());
    let start = Instant::now();
    let mut held = lock.lock();
    assert!(changed.wait_for(&mut held, SHORT).timed_out());
    assert!(start.elapsed() >= SHORT);
    assert!(lock.is_locked());
    drop(held);
    assert!(!lock.is_locked());
}

#[test]
fn wait_while() {
    let (ready, changed) = (Mutex::new(false), Condvar::new());
    changed.wait_while(&mut ready.lock(), |ready| *ready);
    assert!(
        changed
            .wait_while_for(&mut ready.lock(), |ready| !*ready, SHORT)
            .timed_out()
    );
    thread::scope(|scope| {
        let waits = scope.spawn(|| {
            let mut held = ready.lock();
            changed.wait_while(&mut held, |ready| !*ready);
            *held
        });
        // Wakes that say nothing do not leak out.
        for _ in 0..10 {
            changed.notify_all();
            thread::yield_now();
        }
        assert!(!waits.is_finished());
        *ready.lock() = true;
        changed.notify_all();
        assert!(waits.join().unwrap());
    });
    assert!(
        !changed
            .wait_while_for(&mut ready.lock(), |ready| !*ready, Duration::ZERO)
            .timed_out()
    );
}

#[test]
fn two_mutexes_refused() {
    let (one, two, changed) = (Mutex::new((false, false)), Mutex::new(()), Condvar::new());
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut held = one.lock();
            held.0 = true;
            changed.wait_while(&mut held, |(_, done)| !*done);
        });
        // Seen under its lock, so it waits.
        until(|| one.lock().0);
        let waits = || changed.wait_for(&mut two.lock(), LONG);
        assert!(catch_unwind(AssertUnwindSafe(waits)).is_err());
        one.lock().1 = true;
        changed.notify_all();
    });
}

#[test]
fn issue_129_timeout_storm() {
    const WAKES: u32 = 200;
    let (count, changed) = (Mutex::new(0), Condvar::new());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut count = count.lock();
                while *count < WAKES {
                    changed.wait_for(&mut count, Duration::from_micros(50));
                }
            });
        }
        for _ in 0..WAKES {
            *count.lock() += 1;
            changed.notify_one();
        }
    });
    assert_eq!(*count.lock(), WAKES);
}

#[test]
fn huge_timeout() {
    let (ready, changed) = (Mutex::new(false), Condvar::new());
    thread::scope(|scope| {
        let waits = scope.spawn(|| {
            let mut held = ready.lock();
            let late = changed.wait_while_for(&mut held, |ready| !*ready, Duration::MAX);
            late.timed_out()
        });
        *ready.lock() = true;
        changed.notify_all();
        assert!(!waits.join().unwrap());
    });
    assert!(LONG < Duration::MAX);
}
