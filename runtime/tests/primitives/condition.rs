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
fn spurious_not_leaked() {
    // How often the predicate was asked, and what it is to say.
    let (asked, changed) = (Mutex::new((0, false)), Condvar::new());
    thread::scope(|scope| {
        let waits = scope.spawn(|| {
            let mut asked = asked.lock();
            changed.wait_while(&mut asked, |(times, over)| {
                *times += 1;
                !*over
            });
            *asked
        });
        // Wakes that say nothing: each has the predicate asked again, and none leaks out.
        for wakes in 1..=10 {
            until(|| asked.lock().0 >= wakes);
            changed.notify_all();
        }
        until(|| asked.lock().0 > 10);
        assert!(!waits.is_finished());
        asked.lock().1 = true;
        changed.notify_all();
        let (times, over) = waits.join().unwrap();
        assert!(times > 11 && over);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn requeue() {
    use std::fs::{read_link, read_to_string};
    /// What the system says of a thread: `S` if it sleeps, `R` if it runs.
    fn state(thread: &std::path::Path) -> char {
        let said = read_to_string(std::path::Path::new("/proc").join(thread).join("stat"));
        let said = said.expect("the thread lives");
        let (_, after_name) = said.rsplit_once(')').expect("the name is in brackets");
        after_name.trim_start().chars().next().expect("a state")
    }
    let (place, changed) = (Mutex::new(None), Condvar::new());
    thread::scope(|scope| {
        let waits = scope.spawn(|| {
            let mut held = place.lock();
            *held = Some(read_link("/proc/thread-self").expect("this thread lives"));
            changed.wait(&mut held);
        });
        until(|| place.lock().is_some());
        let held = place.lock();
        let waiter = held.clone().expect("it was there");
        assert!(changed.notify_one());
        // It has been told, and the lock is not free: it sleeps until that is.
        until(|| state(&waiter) == 'S');
        for _ in 0..200 {
            thread::yield_now();
            assert_eq!(state(&waiter), 'S');
        }
        assert!(!waits.is_finished());
        drop(held);
        waits.join().unwrap();
    });
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
    for huge in [Duration::from_millis(u64::MAX), Duration::MAX] {
        // Whether it was asked, and what it says.
        let (ready, changed) = (Mutex::new((false, false)), Condvar::new());
        thread::scope(|scope| {
            let waits = scope.spawn(|| {
                let mut held = ready.lock();
                let not_ready = |state: &mut (bool, bool)| {
                    state.0 = true;
                    !state.1
                };
                let late = changed.wait_while_for(&mut held, not_ready, huge);
                late.timed_out()
            });
            // Seen under its lock, so it waits.
            until(|| ready.lock().0);
            assert!(!waits.is_finished());
            ready.lock().1 = true;
            changed.notify_all();
            assert!(!waits.join().unwrap());
        });
    }
}
