//! What threads owe each other, and waits that are taken up again.

use loom::sync::Arc;
use loom::thread;

use crate::watch::Mode;
use crate::watch::slot::{Slot, Slots};
use crate::{Lock, explore};

/// The lock that the one who waits for a result holds.
const HELD: u64 = 1;
/// Another lock that it may hold.
const UNDER: u64 = 2;
/// What one thread owes.
const RESULT: u64 = 21;
/// What another owes.
const OTHER: u64 = 22;

#[test]
fn two_that_owe_each_other() {
    explore(|| {
        let slots = Slots::new(2);
        let (one, two) = (slots.of(1), slots.of(2));
        let other = thread::spawn(move || {
            two.owe(RESULT);
            two.begin_owed(OTHER);
            two.closes()
        });
        one.owe(OTHER);
        one.begin_owed(RESULT);
        let told = [one.closes(), other.join().expect("it does not panic")];
        assert_eq!(told.iter().flatten().count(), 1, "{told:?}");
    });
}

#[test]
fn a_result_under_a_lock_that_the_work_needs() {
    explore(|| {
        let slots = Slots::new(2);
        let (one, two) = (slots.of(1), slots.of(2));
        let lock = Arc::new(Lock::free());
        let its_lock = Arc::clone(&lock);
        // It owes the result from the start, so that the other may rely on it.
        two.owe(RESULT);
        let works = thread::spawn(move || {
            if its_lock.try_take() {
                its_lock.give_back();
                two.give();
                return (true, None);
            }
            two.begin(HELD, Mode::Exclusive);
            (false, two.closes())
        });
        let has_lock = lock.try_take();
        if has_lock {
            one.push(HELD, Mode::Exclusive);
        }
        one.begin_owed(RESULT);
        let told = one.closes();
        let (given, other) = works.join().expect("it does not panic");
        let expected = usize::from(has_lock && !given);
        assert_eq!([told, other].iter().flatten().count(), expected);
    });
}

/// Who has given what it owed, or what it owed since last, keeps nobody waiting for that.
#[test]
fn work_that_is_done_before_its_thread_waits() {
    explore(|| {
        let slots = Slots::new(2);
        let (one, two) = (slots.of(1), slots.of(2));
        two.owe(OTHER);
        two.owe(RESULT);
        // It is woken later than any of this happens.
        two.begin(HELD + 1, Mode::Exclusive);
        let works = thread::spawn(move || {
            two.end();
            two.give();
            two.begin(HELD, Mode::Exclusive);
            two.closes()
        });
        one.push(HELD, Mode::Exclusive);
        one.begin_owed(RESULT);
        assert_eq!(one.closes(), None);
        assert_eq!(works.join().expect("it does not panic"), None);
    });
}

/// Two that wait for each other are told, also if a third that waits for one of them, and keeps the other waiting,
/// tells a circle of all three first, and breaks it by unwinding.
#[test]
fn two_that_are_left_behind_by_one_that_unwinds() {
    explore(|| {
        let slots = Slots::new(3);
        let (one, two, three) = (slots.of(1), slots.of(2), slots.of(3));
        one.push(HELD, Mode::Shared);
        one.push(UNDER, Mode::Exclusive);
        two.owe(RESULT);
        three.push(HELD, Mode::Shared);
        let works = thread::spawn(move || {
            two.begin(HELD, Mode::Exclusive);
            two.closes()
        });
        let unwinds = thread::spawn(move || {
            three.begin(UNDER, Mode::Exclusive);
            if three.closes_and_unwinds().is_some() {
                three.pop();
            }
        });
        one.begin_owed(RESULT);
        let told = [one.closes(), works.join().expect("it does not panic")];
        unwinds.join().expect("it does not panic");
        assert_eq!(told.iter().flatten().count(), 1, "{told:?}");
    });
}

/// A deadlock is told once, also if one of its threads was woken for nothing and parks again. How often a thread
/// has told is what `tells` says, each time that it has parked.
fn told_once(tells: fn(&'static Slot) -> usize) {
    explore(move || {
        let slots = Slots::new(2);
        let (one, two) = (slots.of(1), slots.of(2));
        two.owe(RESULT);
        one.owe(OTHER);
        let other = thread::spawn(move || {
            two.begin_owed(OTHER);
            tells(two)
        });
        one.begin_owed(RESULT);
        let told = tells(one);
        one.end();
        one.begin_again();
        let told = told + tells(one);
        assert_eq!(told + other.join().expect("it does not panic"), 1);
    });
}

#[test]
fn one_that_parks_again() {
    told_once(|slot| slot.closes().iter().len());
}

#[test]
fn one_that_parks_again_where_both_might_unwind() {
    told_once(Slot::closes_and_goes_on);
}
