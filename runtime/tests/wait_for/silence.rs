//! What is no deadlock is told in no schedule.

use loom::sync::Arc;
use loom::sync::atomic::AtomicBool;
use loom::sync::atomic::Ordering::Relaxed;
use loom::thread;

use crate::watch::Mode;
use crate::watch::slot::{Slot, Slots};
use crate::{explore, latest_search};

/// The lock that one thread holds while it waits for the other.
const HELD: u64 = 1;
/// The lock that it waits for.
const WANTED: u64 = 2;
/// Something else that the other waits for.
const OTHER: u64 = 3;

#[test]
pub(crate) fn one_wait_after_the_other() {
    explore(|| {
        let slots = Slots::new(2);
        let (one, two) = (slots.of(1), slots.of(2));
        two.push(WANTED, Mode::Exclusive);
        two.begin(OTHER, Mode::Exclusive);
        let other = thread::spawn(move || {
            // A third thread gives back what this one waits for; only when this one has released what the
            // first one wants, it waits for what that holds.
            two.end();
            two.pop();
            two.begin(HELD, Mode::Exclusive);
            two.closes()
        });
        one.push(HELD, Mode::Exclusive);
        one.begin(WANTED, Mode::Exclusive);
        assert_eq!(one.closes(), None);
        assert_eq!(other.join().expect("it does not panic"), None);
    });
}

#[test]
fn a_wait_that_a_third_thread_has_ended() {
    explore(|| {
        let slots = Slots::new(3);
        let (one, two, three) = (slots.of(1), slots.of(2), slots.of(3));
        // It is woken later than any of this happens.
        two.push(WANTED, Mode::Exclusive);
        two.begin(OTHER, Mode::Exclusive);
        three.push(OTHER, Mode::Exclusive);
        let third = thread::spawn(move || {
            three.pop();
            three.begin(HELD, Mode::Exclusive);
            three.closes()
        });
        one.push(HELD, Mode::Exclusive);
        one.begin(WANTED, Mode::Exclusive);
        assert_eq!(one.closes(), None);
        assert_eq!(third.join().expect("it does not panic"), None);
    });
}

#[test]
fn a_side_with_a_deadline() {
    explore(|| {
        let slots = Slots::new(2);
        let (one, two) = (slots.of(1), slots.of(2));
        two.push(WANTED, Mode::Exclusive);
        let other = thread::spawn(move || {
            // It asks for what the first one holds, and does not say so, as it gives up in the end.
            two.pop();
            two.begin(OTHER, Mode::Exclusive);
            two.closes()
        });
        one.push(HELD, Mode::Exclusive);
        one.begin(WANTED, Mode::Exclusive);
        assert_eq!(one.closes(), None);
        assert_eq!(other.join().expect("it does not panic"), None);
    });
}

#[test]
fn readers_of_what_the_other_reads() {
    explore(|| {
        let slots = Slots::new(2);
        let (one, two) = (slots.of(1), slots.of(2));
        let other = thread::spawn(move || {
            two.push(WANTED, Mode::Shared);
            two.begin(HELD, Mode::Shared);
            two.closes()
        });
        one.push(HELD, Mode::Shared);
        one.begin(WANTED, Mode::Shared);
        assert_eq!(one.closes(), None);
        assert_eq!(other.join().expect("it does not panic"), None);
    });
}

/// Two circles share the first thread, which tells one of them by `tells` and unwinds. What it held, the third
/// thread then gets: it must not tell the other circle any more.
pub(crate) fn circles_with_one_that_unwinds(tells: fn(&'static Slot) -> Option<Vec<u32>>) {
    explore(move || {
        let slots = Slots::new(3);
        let (one, two, three) = (slots.of(1), slots.of(2), slots.of(3));
        two.push(WANTED, Mode::Shared);
        two.begin(HELD, Mode::Exclusive);
        three.push(WANTED, Mode::Shared);
        one.push(HELD, Mode::Exclusive);
        one.push(OTHER, Mode::Exclusive);
        let third = thread::spawn(move || {
            three.begin(OTHER, Mode::Exclusive);
            three.closes().map(|_| latest_search())
        });
        one.begin(WANTED, Mode::Exclusive);
        let told = tells(one);
        let search = latest_search();
        one.pop();
        one.pop();
        assert!(told.is_some(), "the second thread waits already");
        let third = third.join().expect("it does not panic");
        assert!(
            third.is_none_or(|third| third < search),
            "told after the first thread has unwound"
        );
    });
}

#[test]
fn circles_with_one_that_has_unwound() {
    circles_with_one_that_unwinds(Slot::closes_and_unwinds);
}

/// A reader reads again behind a writer that waits for good, or behind one that has a deadline and goes. Only
/// the first is a deadlock, and only once it shuts readers out.
#[test]
pub(crate) fn behind_a_writer_that_may_give_up() {
    explore(|| {
        let slots = Slots::new(3);
        let (reader, waits, gives_up) = (slots.of(1), slots.of(2), slots.of(3));
        // Whether the real lock is shut by the one writer, and by the other.
        let shut = Arc::new([AtomicBool::new(false), AtomicBool::new(false)]);
        let (shut2, shut3) = (Arc::clone(&shut), Arc::clone(&shut));
        reader.push(WANTED, Mode::Shared);
        waits.begin(WANTED, Mode::Exclusive);
        let second = thread::spawn(move || shut2[0].store(true, Relaxed));
        let third = thread::spawn(move || {
            gives_up.begin_timed(WANTED, Mode::Exclusive);
            shut3[1].store(true, Relaxed);
            shut3[1].store(false, Relaxed);
            gives_up.end();
        });
        reader.begin(WANTED, Mode::Shared);
        let mut shut_for_good = false;
        let told = reader.closes_behind_writers(&mut || {
            shut_for_good = shut[0].load(Relaxed);
            !shut_for_good && !shut[1].load(Relaxed)
        });
        assert!(!told || shut_for_good, "it shall get the lock");
        second.join().expect("it does not panic");
        third.join().expect("it does not panic");
    });
}
