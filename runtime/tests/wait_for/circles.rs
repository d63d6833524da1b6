//! Circles that close: one of the threads tells, in each schedule.

use loom::sync::Arc;
use loom::sync::atomic::AtomicBool;
use loom::sync::atomic::Ordering::{Acquire, Release};
use loom::thread;

use crate::watch::Mode;
use crate::watch::slot::{Slot, Slots};
use crate::{Lock, explore};

/// What became of a thread.
#[derive(Debug, Clone, PartialEq)]
enum End {
    /// It went through.
    Through,
    /// It parked.
    Parked,
    /// It told that these threads wait for each other.
    Told(Vec<u32>),
}

/// Takes `first` and, inside it, `second`.
fn nested(slot: &'static Slot, locks: &[Lock], first: usize, second: usize) -> End {
    for lock in [first, second] {
        if !locks[lock].try_take() {
            slot.begin(lock as u64, Mode::Exclusive);
            return match slot.closes() {
                Some(circle) => End::Told(circle),
                None => End::Parked,
            };
        }
        slot.push(lock as u64, Mode::Exclusive);
    }
    for lock in [second, first] {
        slot.pop();
        locks[lock].give_back();
    }
    End::Through
}

/// Runs `threads` that each take a lock and the next one, in a circle, and checks what was told.
fn circle(threads: usize) {
    explore(move || {
        let slots = Slots::new(u32::try_from(threads).expect("there are few"));
        let locks: Arc<Vec<Lock>> = Arc::new((0..threads).map(|_| Lock::free()).collect());
        let ends: Vec<End> = (0..threads)
            .map(|at| {
                let (slot, locks) = (slots.of(at + 1), Arc::clone(&locks));
                thread::spawn(move || nested(slot, &locks, at, (at + 1) % threads))
            })
            .collect::<Vec<_>>()
            .into_iter()
            .map(|thread| thread.join().expect("it does not panic"))
            .collect();
        let told: Vec<&Vec<u32>> = ends
            .iter()
            .filter_map(|end| match end {
                End::Told(circle) => Some(circle),
                End::Through | End::Parked => None,
            })
            .collect();
        if ends.contains(&End::Through) {
            assert_eq!(told, Vec::<&Vec<u32>>::new());
        } else {
            assert_eq!(told.len(), 1, "a deadlock is told once");
            assert_eq!(told[0].len(), threads);
        }
    });
}

#[test]
pub(crate) fn two_at_once() {
    circle(2);
}

#[test]
fn three_at_once() {
    circle(3);
}

#[test]
fn a_join_and_a_lock_at_once() {
    explore(|| {
        let slots = Slots::new(2);
        let (one, two) = (slots.of(1), slots.of(2));
        let other = thread::spawn(move || {
            two.begin(7, Mode::Exclusive);
            two.closes()
        });
        one.push(7, Mode::Exclusive);
        one.begin_join(2);
        let told = [one.closes(), other.join().expect("it does not panic")];
        assert_eq!(told.iter().flatten().count(), 1, "{told:?}");
    });
}

#[test]
fn a_writer_and_a_reader_at_once() {
    explore(|| {
        let slots = Slots::new(2);
        let (one, two) = (slots.of(1), slots.of(2));
        let other = thread::spawn(move || {
            two.push(1, Mode::Shared);
            two.begin(2, Mode::Exclusive);
            two.closes()
        });
        one.push(2, Mode::Upgradable);
        one.begin(1, Mode::Exclusive);
        let told = [one.closes(), other.join().expect("it does not panic")];
        assert_eq!(told.iter().flatten().count(), 1, "{told:?}");
    });
}

#[test]
fn a_condition_whose_mutex_the_waker_keeps() {
    explore(|| {
        let slots = Slots::new(3);
        let (one, two, three) = (slots.of(1), slots.of(2), slots.of(3));
        let mutex = Arc::new(Lock::free());
        assert!(mutex.try_take());
        // It waits for a condition while it holds something else, and looks for nothing.
        let given_back = Arc::clone(&mutex);
        let waiter = thread::spawn(move || {
            one.push(1, Mode::Exclusive);
            one.begin_condition(9, 7, Mode::Exclusive);
            given_back.give_back();
        });
        // It takes the mutex of the condition and waits for a third thread.
        let waker = thread::spawn(move || {
            if !mutex.try_take() {
                return None;
            }
            two.push(7, Mode::Exclusive);
            two.begin(2, Mode::Exclusive);
            Some(two.closes())
        });
        // Which waits for what the first one holds.
        three.push(2, Mode::Exclusive);
        three.begin(1, Mode::Exclusive);
        let told = three.closes();
        waiter.join().expect("it does not panic");
        match waker.join().expect("it does not panic") {
            None => assert_eq!(told, None),
            Some(other) => {
                assert_eq!([told, other].iter().flatten().count(), 1);
            }
        }
    });
}

#[test]
fn behind_a_writer_that_waits() {
    explore(|| {
        let slots = Slots::new(2);
        let (reader, writer) = (slots.of(1), slots.of(2));
        let shut = Arc::new(AtomicBool::new(false));
        let shuts = Arc::clone(&shut);
        reader.push(1, Mode::Shared);
        let other = thread::spawn(move || {
            writer.begin(1, Mode::Exclusive);
            let told = writer.closes();
            shuts.store(true, Release);
            told
        });
        if shut.load(Acquire) {
            reader.begin(1, Mode::Shared);
            let told = reader.closes_behind_writers(&mut || !shut.load(Acquire));
            assert!(told, "the reader came last");
        }
        // That one waits for a reader that does not wait for anything, or not for anything of its.
        assert_eq!(other.join().expect("it does not panic"), None);
    });
}
