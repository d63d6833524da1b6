use std::cell::Cell;
use std::task::Poll;
use std::time::Duration;

use super::{LONG_MAX, Look, Patience, SHORT_MAX, Seen, WITHOUT, look_on, wait_looking};
use crate::sync::deadline::Deadline;
use crate::sync::threads::OsThreads;

/// How each of so many waits looks on, if looks see that: not at all, for a short time or for a long one.
fn looks(patience: &mut Patience, waits: u32, short: Seen, long: Seen) -> Vec<&'static str> {
    let look = |_| {
        let mut how = "not";
        let seen = patience.look(|is_long| {
            how = if is_long { "long" } else { "short" };
            if is_long { long } else { short }
        });
        let due = match how {
            "not" => Seen::Nothing,
            "short" => short,
            _ => long,
        };
        assert_eq!(seen, due != Seen::Nothing);
        how
    };
    (0..waits).map(look).collect()
}

/// The same, told by how often in a row.
fn runs(patience: &mut Patience, waits: u32, short: Seen, long: Seen) -> Vec<(&'static str, u32)> {
    let mut runs: Vec<(&'static str, u32)> = Vec::new();
    for how in looks(patience, waits, short, long) {
        match runs.last_mut() {
            Some((last, times)) if *last == how => *times += 1,
            _ => runs.push((how, 1)),
        }
    }
    runs
}

#[test]
fn what_is_in_vain_is_tried_once_more_for_long_and_then_left_be_for_a_while() {
    let mut patience = Patience::FULL;
    let waits = SHORT_MAX + 2 * (1 + WITHOUT);
    let seen = runs(&mut patience, waits, Seen::Nothing, Seen::Nothing);
    let cycle = [("long", 1), ("not", WITHOUT)];
    let due = [&[("short", SHORT_MAX)][..], &cycle, &cycle].concat();
    assert_eq!(seen, due);
}

#[test]
fn what_pays_is_done_each_time_and_for_a_short_time() {
    let mut patience = Patience::FULL;
    let seen = runs(&mut patience, 1000, Seen::Soon, Seen::Nothing);
    assert_eq!(seen, [("short", 1000)]);
}

#[test]
fn what_comes_late_is_waited_for_until_the_other_side_has_tried_that_too() {
    let mut patience = Patience::FULL;
    let waits = SHORT_MAX + LONG_MAX + WITHOUT;
    let seen = runs(&mut patience, waits, Seen::Nothing, Seen::Late);
    let due = [("short", SHORT_MAX), ("long", LONG_MAX), ("not", WITHOUT)];
    assert_eq!(seen, due);
    const { assert!(LONG_MAX > WITHOUT) };
}

#[test]
#[cfg_attr(miri, ignore = "too many rounds")]
fn two_that_ask_each_other_find_each_other_awake_whatever_they_saw_before() {
    // Who looks on gets his answer soon if the other one looks on too, and late if that has to be woken.
    for lead in 0..1000 {
        let mut sides = [Patience::FULL; 2];
        looks(&mut sides[0], lead, Seen::Nothing, Seen::Nothing);
        looks(&mut sides[1], lead * 7 % 601, Seen::Nothing, Seen::Nothing);
        let mut other_is_awake = false;
        let mut turn = 0;
        while sides != [Patience::FULL; 2] {
            assert!(turn < 2000, "{lead}: {sides:?}");
            let mut looked = false;
            sides[turn % 2].look(|is_long| {
                looked = true;
                match (other_is_awake, is_long) {
                    (true, _) => Seen::Soon,
                    (false, true) => Seen::Late,
                    (false, false) => Seen::Nothing,
                }
            });
            other_is_awake = looked;
            turn += 1;
        }
    }
}

#[test]
fn one_success_makes_up_for_what_was_in_vain() {
    for waits in 0..600 {
        let mut patience = Patience::FULL;
        looks(&mut patience, waits, Seen::Nothing, Seen::Nothing);
        looks(&mut patience, WITHOUT + 1, Seen::Soon, Seen::Soon);
        assert_eq!(patience, Patience::FULL);
    }
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
