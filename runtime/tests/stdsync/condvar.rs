//! [`Condvar`]: waiting, time-outs, poison.

use lockwise::stdsync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use crate::assert_same_as_std;

const LONG: Duration = Duration::from_secs(600);
const SHORT: Duration = Duration::from_millis(5);

#[test]
#[cfg_attr(miri, ignore = "too many rounds")]
fn two_threads_take_turns_for_thousands_of_rounds() {
    const ROUNDS: u32 = 5_000;
    let shared = Arc::new((Mutex::new(0_u32), Condvar::new()));
    let other = Arc::clone(&shared);
    let pong = thread::spawn(move || take_turns(&other, 1, ROUNDS));
    take_turns(&shared, 0, ROUNDS);
    pong.join().unwrap();
    assert_eq!(*shared.0.lock().unwrap(), 2 * ROUNDS);
}

fn take_turns((turn, changed): &(Mutex<u32>, Condvar), parity: u32, rounds: u32) {
    let mut turn = turn.lock().expect("nobody panics");
    for _ in 0..rounds {
        while *turn % 2 != parity {
            turn = changed.wait(turn).expect("nobody panics");
        }
        *turn += 1;
        changed.notify_one();
    }
}

#[test]
fn all_waiters_are_woken_at_once() {
    let (open, opened) = (Mutex::new(false), Condvar::new());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let open = opened.wait_while(open.lock().unwrap(), |open| !*open);
                assert!(*open.unwrap());
            });
        }
        *open.lock().unwrap() = true;
        opened.notify_all();
    });
}

#[test]
fn waiting_while_nothing_is_to_be_waited_for_returns_at_once() {
    let (mutex, condvar) = (Mutex::new(1), Condvar::new());
    let guard = condvar
        .wait_while(mutex.lock().unwrap(), |n| *n == 0)
        .unwrap();
    let (guard, result) = condvar
        .wait_timeout_while(guard, LONG, |n| *n == 0)
        .unwrap();
    assert!(!result.timed_out());
    assert!(mutex.try_lock().is_err());
    drop(guard);
    assert!(mutex.try_lock().is_ok());
}

#[test]
fn a_time_out_is_told_and_the_mutex_is_held_again() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let start = Instant::now();
    let (guard, result) = condvar
        .wait_timeout_while(mutex.lock().unwrap(), SHORT, |()| true)
        .unwrap();
    assert!(result.timed_out());
    assert!(start.elapsed() >= SHORT);
    assert!(mutex.try_lock().is_err());
    drop(guard);

    // No time at all is enough to look once.
    let mut looked = 0;
    let guard = mutex.lock().unwrap();
    let waited = condvar.wait_timeout_while(guard, Duration::ZERO, |()| {
        looked += 1;
        true
    });
    assert!(waited.unwrap().1.timed_out());
    assert!(looked >= 1);
}

#[test]
fn a_single_wait_ends_by_itself() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let mut guard = mutex.lock().unwrap();
    // A wait may end without reason, but not for ever.
    loop {
        let (again, result) = condvar.wait_timeout(guard, SHORT).unwrap();
        guard = again;
        if result.timed_out() {
            break;
        }
    }
    loop {
        #[expect(deprecated, reason = "it is tested")]
        let (again, notified) = condvar.wait_timeout_ms(guard, 5).unwrap();
        guard = again;
        if !notified {
            break;
        }
    }
    assert!(mutex.try_lock().is_err());
}

#[test]
fn a_notification_ends_a_timed_wait_early() {
    let (ready, changed) = (Mutex::new(false), Condvar::new());
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let waited = changed.wait_timeout_while(ready.lock().unwrap(), LONG, |ready| !*ready);
            let (ready, result) = waited.unwrap();
            (*ready, result.timed_out())
        });
        *ready.lock().unwrap() = true;
        changed.notify_one();
        assert_eq!(waiter.join().unwrap(), (true, false));
    });
}

#[test]
fn a_mutex_poisoned_meanwhile_is_held_all_the_same() {
    let shared = Arc::new((Mutex::new(0), Condvar::new()));
    let (about_to_wait, waits) = mpsc::channel();
    let other = Arc::clone(&shared);
    let waiter = thread::spawn(move || {
        let guard = other.0.lock().unwrap();
        about_to_wait.send(()).unwrap();
        let error = other.1.wait_while(guard, |n| *n == 0).unwrap_err();
        assert!(other.0.try_lock().is_err());
        *error.into_inner()
    });
    waits.recv().unwrap();
    let other = Arc::clone(&shared);
    let poisoner = thread::spawn(move || {
        // The waiter held the mutex when it said so: this thread gets it once the waiter waits.
        let mut n = other.0.lock().unwrap();
        *n = 7;
        other.1.notify_one();
        panic!("while it is held");
    });
    assert!(poisoner.join().is_err());
    assert_eq!(waiter.join().unwrap(), 7);
    let guard = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
    let (_guard, result) = shared
        .1
        .wait_timeout(guard, SHORT)
        .unwrap_err()
        .into_inner();
    let _either = result.timed_out();
}

#[test]
fn a_condition_that_panics_poisons_the_mutex() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let guard = mutex.lock().unwrap();
    crate::message_of(|| condvar.wait_while(guard, |()| panic!("in the condition")));
    assert!(mutex.is_poisoned());
    mutex.clear_poison();
    let guard = mutex.lock().unwrap();
    crate::message_of(|| condvar.wait_timeout_while(guard, LONG, |()| panic!("likewise")));
    assert!(mutex.is_poisoned());
    assert!(
        mutex
            .try_lock()
            .is_err_and(|error| error.to_string().contains("poisoned"))
    );
}

#[test]
fn it_looks_as_in_std() {
    assert_same_as_std!({
        let condvar = sync::Condvar::default();
        format!("{condvar:?} {condvar:#?}")
    });
}

#[test]
fn it_works_in_statics() {
    static READY: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());
    thread::scope(|scope| {
        scope.spawn(|| {
            *READY.0.lock().unwrap() = true;
            READY.1.notify_all();
        });
        drop(READY.1.wait_while(READY.0.lock().unwrap(), |ready| !*ready));
    });
}
