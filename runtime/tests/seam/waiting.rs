//! Conditions, barriers and channels.

use std::time::Duration;

use crate::stdsync::{self, Barrier, Condvar, Mutex, Named, TryLockError};
use crate::watch::{self, told};
use crate::{assert_told, panics};

#[test]
fn a_wait_gives_the_mutex_back_and_takes_it_again() {
    let (mutex, condvar) = (Mutex::named("m", false), Condvar::named("c", ()));
    std::thread::scope(|scope| {
        let mut ready = mutex.lock().unwrap();
        told();
        scope.spawn(|| {
            *mutex.lock().unwrap() = true;
            told();
            condvar.notify_one();
            condvar.notify_all();
            assert_told(&["notified c one", "notified c all"]);
        });
        while !*ready {
            ready = condvar.wait(ready).unwrap();
            assert_told(&["waiting c m Exclusive Wait", "woken c m Exclusive"]);
        }
        drop(ready);
        assert_told(&["released m Exclusive"]);
    });
}

#[test]
fn a_refused_wait_releases_the_mutex_as_any_panic_does() {
    let (mutex, condvar) = (Mutex::named("m", ()), Condvar::named("c", ()));
    let guard = mutex.lock().unwrap();
    told();
    watch::refuse_next();
    panics(|| condvar.wait(guard));
    assert_told(&["waiting c m Exclusive Wait", "released m Exclusive"]);
    assert!(mutex.is_poisoned());
    assert!(
        mutex
            .try_lock()
            .is_err_and(|error| matches!(error, TryLockError::Poisoned(_)))
    );
}

#[test]
fn a_timed_wait_is_told_as_such() {
    let (mutex, condvar) = (Mutex::named("m", ()), Condvar::named("c", ()));
    let guard = mutex.lock().unwrap();
    told();
    let (guard, _) = condvar.wait_timeout(guard, Duration::ZERO).unwrap();
    assert_told(&["waiting c m Exclusive Timed", "woken c m Exclusive"]);
    let waited = condvar.wait_timeout_while(guard, Duration::from_millis(1), |()| true);
    assert!(waited.unwrap().1.timed_out());
    // It may wake early and wait again, or have no time left to wait at all.
    let mut told = told();
    assert_eq!(told.pop().unwrap(), "released m Exclusive");
    for wait in told.chunks(2) {
        assert_eq!(wait, ["waiting c m Exclusive Timed", "woken c m Exclusive"]);
    }
}

#[test]
fn a_condition_that_panics_is_told_as_a_release() {
    let (mutex, condvar) = (Mutex::named("m", ()), Condvar::named("c", ()));
    let guard = mutex.lock().unwrap();
    told();
    panics(|| condvar.wait_while(guard, |()| panic!("in the condition")));
    assert_told(&["released m Exclusive"]);
}

#[test]
fn meeting_at_a_barrier_is_told_on_both_sides() {
    let barrier = Barrier::named("b", 2);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                barrier.wait();
                assert_told(&["arrived b of 2", "passed b"]);
            });
        }
    });
    Barrier::named("one", 0).wait();
    assert_told(&["arrived one of 1", "passed one"]);
}

#[test]
fn a_message_is_told_before_it_is_there_and_after_it_was_taken() {
    let (sender, receiver) = stdsync::mpsc::channel::<u8>();
    sender.send(1).unwrap();
    assert_told(&["posted Channel of u8 1"]);
    receiver.recv().unwrap();
    assert_told(&["obtained Channel of u8 1 Wait"]);
    receiver.try_recv().unwrap_err();
    assert_told(&[]);
    receiver.recv_timeout(Duration::ZERO).unwrap_err();
    assert_told(&["pending Channel of u8 Timed", "gave up Channel of u8"]);

    let (sender, receiver) = stdsync::mpsc::sync_channel::<u8>(1);
    sender.try_send(1).unwrap();
    sender.try_send(2).unwrap_err();
    receiver.try_recv().unwrap();
    assert_told(&["posted Channel of u8 1", "obtained Channel of u8 1 Try"]);
}

#[test]
fn waiting_for_a_message_is_told_before() {
    let (sender, receiver) = stdsync::mpsc::channel::<u8>();
    watch::when_blocked(move || sender.send(1).unwrap());
    receiver.recv().unwrap();
    assert_told(&[
        "pending Channel of u8 Wait",
        "posted Channel of u8 1",
        "posted Channel of std::sync::mpsc::Sender<u8> 1",
        "obtained Channel of u8 1 Wait",
    ]);
}

#[test]
fn the_end_of_each_sender_is_told_and_heard_of_once() {
    let (sender, receiver) = stdsync::mpsc::channel::<u8>();
    let second = sender.clone();
    drop((sender, second));
    let gone = "posted Channel of std::sync::mpsc::Sender<u8> 1";
    assert_told(&[gone, gone]);
    receiver.try_recv().unwrap_err();
    assert_told(&["obtained Channel of std::sync::mpsc::Sender<u8> 2 Try"]);
    receiver.iter().next();
    receiver.recv().unwrap_err();
    assert_told(&[]);
}
