use std::cell::Cell;
use std::task::Poll;
use std::time::Duration;

use super::{Look, PATIENCE_MAX, Patience, WAITS_WITHOUT, look_on, wait_looking};
use crate::sync::deadline::Deadline;
use crate::sync::threads::OsThreads;

/// How many of so many waits looked on, each in vain unless that `pays`.
fn looked(patience: &mut Patience, waits: i32, pays: bool) -> i32 {
    let looks = Cell::new(0);
    for _ in 0..waits {
        let seen = patience.look(|| {
            looks.set(looks.get() + 1);
            pays
        });
        assert!(!seen || pays);
    }
    looks.get()
}

#[test]
fn what_is_in_vain_is_left_be_for_a_while_and_then_tried_once() {
    let mut patience = Patience(PATIENCE_MAX);
    let long = 100 * PATIENCE_MAX;
    assert_eq!(looked(&mut patience, PATIENCE_MAX, false), PATIENCE_MAX);
    assert_eq!(looked(&mut patience, WAITS_WITHOUT + 1, false), 0);
    assert_eq!(looked(&mut patience, 1, false), 1);
    assert_eq!(looked(&mut patience, WAITS_WITHOUT + 1, false), 0);
    let rest = looked(&mut patience, long, false);
    assert!(rest <= long / WAITS_WITHOUT, "{rest} of {long}");
}

#[test]
fn what_pays_is_done_each_time() {
    let mut patience = Patience(PATIENCE_MAX);
    assert_eq!(looked(&mut patience, 1000, true), 1000);
}

#[test]
fn one_success_makes_up_for_what_was_in_vain() {
    let mut patience = Patience(PATIENCE_MAX);
    looked(&mut patience, PATIENCE_MAX + WAITS_WITHOUT + 1, false);
    assert_eq!(looked(&mut patience, 1, true), 1);
    assert_eq!(looked(&mut patience, PATIENCE_MAX, false), PATIENCE_MAX);
}

#[test]
fn nobody_looks_on_after_the_deadline() {
    let looks = Cell::new(0);
    let seen = look_on::<OsThreads>(
        Look::Both,
        Deadline::after::<OsThreads>(Duration::ZERO),
        || {
            looks.set(looks.get() + 1);
            true
        },
    );
    assert_eq!((seen, looks.get()), (false, 0));
}

#[test]
fn a_thread_that_is_woken_while_it_looks_on_tries_again() {
    for look in [
        None,
        Some(Look::Spin),
        Some(Look::GiveWay),
        Some(Look::Both),
    ] {
        let mut attempts = 0;
        let got = wait_looking::<OsThreads, _>(look, Deadline::Never, |waker| {
            attempts += 1;
            if attempts == 3 {
                return Poll::Ready(attempts);
            }
            waker.wake_by_ref();
            Poll::Pending
        });
        assert_eq!(got, Some(3), "{look:?}");
    }
}

#[test]
fn a_wait_that_nobody_ends_ends_at_its_deadline() {
    let deadline = Deadline::after::<OsThreads>(Duration::from_millis(5));
    let got: Option<()> =
        wait_looking::<OsThreads, _>(Some(Look::Both), deadline, |_| Poll::Pending);
    assert_eq!(got, None);
}
