//! `Condvar`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use lockwise::{Condvar, Mutex, MutexGuard};

/// Far enough away that no test reaches it.
fn far() -> Instant {
    Instant::now() + Duration::from_secs(600)
}

#[test]
#[cfg_attr(miri, ignore = "too many rounds")]
fn no_wake_up_is_lost_in_ping_pong() {
    const ROUNDS: u32 = 5_000;
    let (turn, changed) = (Mutex::new(0_u32), Condvar::new());
    let play = |parity: u32| {
        for _ in 0..ROUNDS {
            let mut turn = turn.lock();
            while *turn % 2 != parity {
                changed.wait(&mut turn);
            }
            *turn += 1;
            changed.notify_one();
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| play(0));
        play(1);
    });
    assert_eq!(turn.into_inner(), 2 * ROUNDS);
}

#[test]
#[cfg_attr(miri, ignore = "too many rounds")]
fn no_wake_up_is_lost_among_many() {
    const EACH: u32 = 2_000;
    static QUEUE: Mutex<Vec<u32>> = Mutex::new(Vec::new());
    static FILLED: Condvar = Condvar::named("filled");
    static EMPTIED: Condvar = Condvar::new();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for item in 0..EACH {
                    let mut queue = QUEUE.lock();
                    EMPTIED.wait_while(&mut queue, |queue| queue.len() == 2);
                    queue.push(item);
                    FILLED.notify_one();
                }
            });
            scope.spawn(|| {
                for _ in 0..EACH {
                    let mut queue = QUEUE.lock();
                    while queue.is_empty() {
                        assert!(!FILLED.wait_until(&mut queue, far()).timed_out());
                    }
                    queue.pop();
                    // Outside of the mutex, which is as good.
                    drop(queue);
                    EMPTIED.notify_one();
                }
            });
        }
    });
    assert!(QUEUE.lock().is_empty());
}

#[test]
fn notifying_tells_how_many_were_woken() {
    const WAITERS: usize = 4;
    let condvar = Condvar::new();
    let lock = Mutex::new((0, false));
    assert!(!condvar.notify_one());
    assert_eq!(condvar.notify_all(), 0);
    let (ready, is_ready) = channel();
    thread::scope(|scope| {
        for _ in 0..WAITERS {
            let ready = ready.clone();
            let (condvar, lock) = (&condvar, &lock);
            scope.spawn(move || {
                let mut state = lock.lock();
                state.0 += 1;
                if state.0 == WAITERS {
                    ready.send(()).unwrap();
                }
                condvar.wait_while(&mut state, |state| !state.1);
            });
        }
        is_ready.recv().unwrap();
        // The last one waits as soon as the mutex can be had.
        let mut state = lock.lock();
        assert!(condvar.notify_one(), "one goes round its loop again");
        state.1 = true;
        // Those still waiting, and perhaps the one that was just moved to the mutex's queue.
        assert_eq!(condvar.notify_all(), WAITERS - 1);
    });
    assert!(!condvar.notify_one());
}

#[test]
fn waits_end_at_their_deadline_with_the_mutex_held() {
    let (lock, condvar) = (Mutex::new(0), Condvar::default());
    let short = Duration::from_millis(1);
    let mut guard = lock.lock();
    assert!(condvar.wait_for(&mut guard, short).timed_out());
    assert!(condvar.wait_until(&mut guard, Instant::now()).timed_out());
    assert!(
        condvar
            .wait_while_for(&mut guard, |_| true, short)
            .timed_out()
    );
    let soon = Instant::now() + short;
    assert!(
        condvar
            .wait_while_until(&mut guard, |_| true, soon)
            .timed_out()
    );
    assert!(lock.try_lock().is_none());
    // What holds already is not waited for.
    assert!(
        !condvar
            .wait_while_for(&mut guard, |_| false, short)
            .timed_out()
    );
    assert!(
        !condvar
            .wait_while_for(&mut guard, |_| false, Duration::MAX)
            .timed_out()
    );
    condvar.wait_while(&mut guard, |value| {
        *value += 1;
        *value < 1
    });
    assert_eq!(*guard, 1);
}

#[test]
fn waiting_gives_the_mutex_back() {
    let (lock, condvar) = (Mutex::new(false), Condvar::new());
    thread::scope(|scope| {
        let mut guard = lock.lock();
        scope.spawn(|| {
            *lock.lock() = true;
            condvar.notify_all();
        });
        while !*guard {
            condvar.wait_for(&mut guard, Duration::MAX);
        }
    });
}

#[test]
fn a_second_mutex_is_refused_with_both_still_usable() {
    let (first, second, condvar) = (Mutex::new(false), Mutex::new(()), Condvar::new());
    thread::scope(|scope| {
        let mut guard = first.lock();
        let other = scope.spawn(|| {
            // Had as soon as the first thread waits.
            drop(first.lock());
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                condvar.wait(&mut second.lock());
            }));
            *first.lock() = true;
            condvar.notify_one();
            panicked
        });
        condvar.wait_while(&mut guard, |done| !*done);
        drop(guard);
        let panic = other.join().unwrap().unwrap_err();
        let message = panic.downcast_ref::<&str>().copied();
        assert_eq!(
            message,
            Some("attempted to use a condition variable with more than one mutex")
        );
    });
    assert!(!first.is_locked() && !second.is_locked());
    // One after the other is fine.
    let short = Duration::from_millis(1);
    assert!(condvar.wait_for(&mut second.lock(), short).timed_out());
}

#[test]
fn the_value_may_be_unsized_and_the_condition_may_panic() {
    let lock: Box<Mutex<[u8]>> = Box::new(Mutex::new([1, 2]));
    let condvar = Condvar::new();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let mut guard: MutexGuard<'_, [u8]> = lock.lock();
        condvar.wait_while(&mut guard, |bytes| bytes[2] == 0);
    }));
    assert!(panicked.is_err());
    assert!(!lock.is_locked());
    assert_eq!(format!("{condvar:?}"), "Condvar { .. }");
}
