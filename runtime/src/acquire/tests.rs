//! `ascend` against a slow, obvious model, and the macros on locks that record what happens.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::prelude::*;

use super::ascend::{LOCKS_MAX, Slot, Step, TryAcquireError, ascend};
use super::lock::{Acquire, Exclusive, Patience, Sealed};
use super::subject::Subject;
use super::want::Wanted;
use crate::watch::{Identity, Kind, Mode, Note, Rank, Site};
use crate::{acquire, try_acquire};

/// What became of a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Taken(u32),
    Released(u32),
}

/// How a lock answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    Free,
    Busy,
    Panics,
}

/// A lock that tells what happens to it.
struct Probe<'l> {
    rank: u32,
    manner: Cell<Manner>,
    identity: Identity,
    log: &'l RefCell<Vec<Event>>,
}

impl<'l> Probe<'l> {
    fn new(rank: u32, manner: Manner, log: &'l RefCell<Vec<Event>>) -> Self {
        Probe {
            rank,
            manner: Cell::new(manner),
            identity: Identity::new(Kind::Mutex, Site::caller(), || "()").ranked(Rank(rank)),
            log,
        }
    }
}

struct ProbeGuard<'a>(&'a Probe<'a>);

impl Drop for ProbeGuard<'_> {
    fn drop(&mut self) {
        self.0.log.borrow_mut().push(Event::Released(self.0.rank));
    }
}

impl Sealed for Probe<'_> {}

impl Acquire<Exclusive> for Probe<'_> {
    type Guard<'a>
        = ProbeGuard<'a>
    where
        Self: 'a;

    fn subject(&self) -> Subject<'_> {
        Subject::new(self, Some(&self.identity), Mode::Exclusive)
    }

    fn take(&self, _: Patience, _: Site) -> Option<ProbeGuard<'_>> {
        match self.manner.get() {
            Manner::Free => {
                self.log.borrow_mut().push(Event::Taken(self.rank));
                Some(ProbeGuard(self))
            }
            Manner::Busy => None,
            Manner::Panics => panic!("lock {} panics", self.rank),
        }
    }
}

/// How a call ends.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    AllTaken,
    Duplicate,
    /// The lock with this rank was not free.
    WouldBlock(u32),
    Panicked,
}

/// Notes whose lines are the ranks, so that an error names the lock.
static NOTES: [Note; LOCKS_MAX] = {
    let mut notes = [Note {
        file: "probe.rs",
        line: 0,
        column: 1,
        module: "probe",
        expression: "probe",
    }; LOCKS_MAX];
    let mut line = 0;
    while line < LOCKS_MAX {
        #[expect(clippy::cast_possible_truncation, reason = "there are twelve")]
        {
            notes[line].line = line as u32;
        }
        line += 1;
    }
    notes
};

/// What must happen when `wanted`, by index into `manners`, is acquired; and what is left taken at
/// the end is released by nobody.
fn model(manners: &[Manner], wanted: &[usize]) -> (Outcome, Vec<Event>) {
    let mut ascending = wanted.to_vec();
    ascending.sort_unstable();
    ascending.dedup();
    if ascending.len() < wanted.len() {
        return (Outcome::Duplicate, Vec::new());
    }
    let rank = |index: usize| u32::try_from(index).unwrap();
    let stop = ascending
        .iter()
        .position(|&index| manners[index] != Manner::Free);
    let taken = &ascending[..stop.unwrap_or(ascending.len())];
    let mut events: Vec<Event> = taken.iter().map(|&i| Event::Taken(rank(i))).collect();
    let Some(stop) = stop else {
        return (Outcome::AllTaken, events);
    };
    events.extend(taken.iter().rev().map(|&i| Event::Released(rank(i))));
    match manners[ascending[stop]] {
        Manner::Panics => (Outcome::Panicked, events),
        _ => (Outcome::WouldBlock(rank(ascending[stop])), events),
    }
}

/// What really happens.
fn reality(manners: &[Manner], wanted: &[usize]) -> (Outcome, Vec<Event>) {
    let log = RefCell::new(Vec::new());
    let probes: Vec<Probe<'_>> = (0..)
        .zip(manners)
        .map(|(rank, &manner)| Probe::new(rank, manner, &log))
        .collect();
    let mut slots: Vec<Slot<'_, Probe<'_>, Exclusive>> = wanted
        .iter()
        .map(|&index| Slot::new(Wanted::new(&probes[index], &NOTES[index])))
        .collect();
    let mut steps: Vec<&mut dyn Step<'_>> = slots
        .iter_mut()
        .map(|slot| slot as &mut dyn Step<'_>)
        .collect();
    let result = catch_unwind(AssertUnwindSafe(|| ascend(&mut steps, Patience::None)));
    let events = log.borrow().clone();
    let outcome = match result {
        Ok(Ok(())) => Outcome::AllTaken,
        Ok(Err(TryAcquireError::Duplicate { .. })) => Outcome::Duplicate,
        Ok(Err(TryAcquireError::WouldBlock { lock })) => Outcome::WouldBlock(lock.line),
        Ok(Err(error)) => panic!("unexpected: {error}"),
        Err(_) => Outcome::Panicked,
    };
    (outcome, events)
}

fn manner() -> impl Strategy<Value = Manner> {
    prop_oneof![
        6 => Just(Manner::Free),
        1 => Just(Manner::Busy),
        1 => Just(Manner::Panics),
    ]
}

proptest! {
    #[test]
    fn whatever_is_wanted_happens_as_in_the_model(
        manners in prop::collection::vec(manner(), LOCKS_MAX),
        wanted in prop::sample::subsequence((0..LOCKS_MAX).collect::<Vec<_>>(), 0..=LOCKS_MAX)
            .prop_shuffle(),
        again in prop::option::weighted(0.2, 0..LOCKS_MAX),
    ) {
        let mut wanted = wanted;
        if wanted.len() < LOCKS_MAX {
            wanted.extend(again);
        }
        prop_assert_eq!(reality(&manners, &wanted), model(&manners, &wanted));
    }
}

/// Three locks of ascending rank, the last of which answers in its own manner.
fn with_probes(last: Manner, work: impl FnOnce([&Probe<'_>; 3])) -> Vec<Event> {
    let log = RefCell::new(Vec::new());
    work([
        &Probe::new(1, Manner::Free, &log),
        &Probe::new(2, Manner::Free, &log),
        &Probe::new(3, last, &log),
    ]);
    log.into_inner()
}

use Event::{Released, Taken};

#[test]
fn guards_come_in_argument_order_and_locks_are_taken_ascending() {
    let events = with_probes(Manner::Free, |[a, b, c]| {
        let (third, first, second) = acquire!(crate = crate, c, a, b);
        assert_eq!([third.0.rank, first.0.rank, second.0.rank], [3, 1, 2]);
        std::mem::forget((third, first, second));
    });
    assert_eq!(events, [Taken(1), Taken(2), Taken(3)]);
}

#[test]
fn guards_that_were_handed_out_are_released_by_their_owner_only() {
    let events = with_probes(Manner::Free, |[a, b, _]| {
        let guards = acquire!(crate = crate, b, a);
        drop(guards);
    });
    assert_eq!(events, [Taken(1), Taken(2), Released(2), Released(1)]);
}

#[test]
fn a_panic_on_the_way_releases_exactly_what_was_taken_descending() {
    let events = with_probes(Manner::Panics, |[a, b, c]| {
        let panic = catch_unwind(AssertUnwindSafe(|| drop(acquire!(crate = crate, c, b, a))));
        assert!(panic.is_err());
    });
    assert_eq!(events, [Taken(1), Taken(2), Released(2), Released(1)]);
}

#[test]
fn a_busy_lock_makes_try_acquire_release_all() {
    let events = with_probes(Manner::Busy, |[a, b, c]| {
        let Err(TryAcquireError::WouldBlock { lock }) = try_acquire!(crate = crate, c, a, b) else {
            panic!("the last one is busy");
        };
        assert_eq!(lock.expression, "c");
    });
    assert_eq!(events, [Taken(1), Taken(2), Released(2), Released(1)]);
}

#[test]
fn a_duplicate_is_refused_before_anything_is_taken() {
    let events = with_probes(Manner::Free, |[a, b, _]| {
        let again = a;
        let Err(TryAcquireError::Duplicate { first, second }) =
            try_acquire!(crate = crate, a, b, again)
        else {
            panic!("`a` and `again` are one lock");
        };
        assert_eq!([first.expression, second.expression], ["a", "again"]);
    });
    assert_eq!(events, []);
}
