//! Records of one byte, for what a thread does again and again.
//!
//! Most acquisitions are of a lock that the thread had a moment ago, taken at the same place in the code,
//! with nobody else in between; and most releases are of the lock that was taken last. Writer and reader both
//! remember the acquisitions of the segment, each in one of a few places, so that a byte can stand for one.
//! A byte of the log costs about half a nanosecond, since the system must give the page and write it out.
//!
//! What is remembered ends with the segment, so that each can be read by itself.

use std::cell::Cell;

use super::super::mode::{Ask, Mode};

/// How many acquisitions are remembered; a power of two.
pub(super) const PLACES: usize = 32;
/// The release of the lock that was acquired last and not yet released.
pub(super) const RELEASED: u8 = tag(PLACES as u8);
/// The acquisition in a place once more, after turns of others.
pub(super) const LATER: u8 = tag(PLACES as u8 + 1);

/// The first acquisition of the next new lock, like that before.
pub(super) const FIRST: u8 = tag(PLACES as u8 + 2);

/// Such an acquisition, and the release of that lock at once.
const FIRST_PASSED: u8 = tag(PLACES as u8 + 3);

/// The number of the record that says of the first place what [`FIRST_PASSED`] says of a new lock; those of the
/// next [`PASSING`] places follow, as many as there are numbers left.
const PASSED: u8 = PLACES as u8 + 4;
const PASSING: u8 = NUMBERS as u8 - PASSED;
/// How many brief records there are.
const NUMBERS: usize = 64;

/// The tag of a brief record: its number, and a bit that makes the count of ones even.
const fn tag(number: u8) -> u8 {
    let tag = 0x80 | number << 1;
    tag | (tag.count_ones() & 1) as u8
}

/// The tags of the places: of the acquisition, and of that with the release, 0 where no number is left for it.
const TAGS: [(u8, u8); PLACES] = {
    let mut tags = [(0, 0); PLACES];
    let mut at = 0;
    while at < PLACES as u8 {
        let passed = if at < PASSING { tag(PASSED + at) } else { 0 };
        tags[at as usize] = (tag(at), passed);
        at += 1;
    }
    tags
};

/// The tag of the first acquisition of the next new lock, and the one with its release.
pub(super) const FIRST_OR_PASSED: (u8, u8) = (FIRST, FIRST_PASSED);

/// The tag of the record of an acquisition alone, if this one tells of one and of the release of that lock.
pub(super) fn without_release(tag: u8) -> Option<u8> {
    if tag == FIRST_PASSED {
        return Some(FIRST);
    }
    let place = number(tag)?.checked_sub(PASSED)?;
    Some(TAGS[usize::from(place)].0)
}

/// The number in a brief record's tag; none if a bit of it is wrong.
pub(super) fn number(tag: u8) -> Option<u8> {
    tag.count_ones().is_multiple_of(2).then_some(tag >> 1 & 63)
}

/// What the writer remembers of its segment.
pub(super) struct Shown {
    places: [Place; PLACES],
    /// The locks that the thread holds above so many are those that the reader takes for the youngest, in the
    /// same order.
    known_above: Cell<usize>,
    /// The new lock that was acquired last.
    first: Place,
}

/// Above no lock that the thread holds is it known what the reader takes for the youngest.
const NOWHERE: usize = usize::MAX;

/// An acquisition that was recorded.
struct Place {
    /// The lock's word, 0 for none.
    lock: Cell<u64>,
    /// Where and how it was taken.
    at: Cell<u64>,
    turn: Cell<u32>,
}

impl Place {
    const fn new() -> Place {
        Place {
            lock: Cell::new(0),
            at: Cell::new(0),
            turn: Cell::new(0),
        }
    }
}

/// How an acquisition can be recorded that is not the next of its kind.
pub(super) enum Again {
    /// As that in this place, with a turn so much greater.
    Later(u8, u32),
    /// As one that is remembered in this place from now on.
    Anew(u8),
}

impl Shown {
    pub(super) const fn new() -> Shown {
        Shown {
            places: [const { Place::new() }; PLACES],
            known_above: Cell::new(NOWHERE),
            first: Place::new(),
        }
    }

    /// A segment begins.
    pub(super) fn clear(&self) {
        self.lose_track();
        self.first.lock.set(0);
        for place in &self.places {
            place.lock.set(0);
        }
    }

    /// The tag that stands for this acquisition, if it is one that is remembered, with the next turn, and the one
    /// that stands for it together with the release, 0 for none. The thread holds `below` locks that it has taken
    /// before.
    #[inline]
    pub(super) fn next(&self, below: usize, (lock, at, turn): (u64, u64, u32)) -> Option<(u8, u8)> {
        let number = number_of(lock, at);
        let place = &self.places[number];
        let next = place.lock.get() == lock
            && place.at.get() == at
            && place.turn.get().wrapping_add(1) == turn;
        next.then(|| {
            place.turn.set(turn);
            self.told_above(below);
            TAGS[number]
        })
    }

    /// How to record this acquisition above `below` others, which is not the next one of its kind. It is remembered.
    pub(super) fn otherwise(&self, below: usize, (lock, at, turn): (u64, u64, u32)) -> Again {
        self.told_above(below);
        let number = number_of(lock, at);
        let place = &self.places[number];
        let number = number as u8;
        let since = turn.wrapping_sub(place.turn.replace(turn));
        if (place.lock.replace(lock), place.at.replace(at)) == (lock, at) {
            Again::Later(number, since)
        } else {
            Again::Anew(number)
        }
    }

    /// Whether this first acquisition of a lock, above `below` others, is like that of the lock before it, of the
    /// same class. It is remembered.
    #[inline]
    pub(super) fn is_next_first(&self, below: usize, (lock, at): (u64, u64)) -> bool {
        self.told_above(below);
        // The word of a lock of the same class, and with the next number.
        let next = self.first.lock.replace(lock).wrapping_add(1) == lock;
        (self.first.at.replace(at) == at) & next
    }

    /// The first acquisition was not recorded that way.
    pub(super) fn forget_first(&self) {
        self.first.lock.set(0);
        self.lose_track();
    }

    /// The acquisition for which this place was named was not recorded that way.
    pub(super) fn forget(&self, number: u8) {
        self.places[usize::from(number) % PLACES].lock.set(0);
        self.lose_track();
    }

    /// Whether the lock that the thread held as the youngest, above `below` others, and has released, is the one
    /// that the reader takes for that.
    #[inline]
    pub(super) fn released(&self, below: usize) -> bool {
        below >= self.known_above.get()
    }

    /// The reader is told of the lock above `below` others, which is the youngest.
    #[inline]
    fn told_above(&self, below: usize) {
        if self.known_above.get() > below {
            self.known_above.set(below);
        }
    }

    /// What the thread holds has changed in another way than at its young end, or without a record.
    #[inline]
    pub(super) fn lose_track(&self) {
        self.known_above.set(NOWHERE);
    }
}

/// The place for an acquisition: locks have numbers in a row, and sites stand in a row of structures of three
/// words.
#[inline]
fn number_of(lock: u64, at: u64) -> usize {
    (lock.wrapping_add(at >> 3)) as usize % PLACES
}

/// What the reader remembers of a segment.
#[derive(Debug, Clone, Default)]
pub(super) struct Remembered {
    places: [Option<Acquisition>; PLACES],
    /// The locks that were acquired and not released, the youngest last.
    open: Vec<u64>,
    /// The new lock that was acquired last, and its class.
    first: Option<(Acquisition, u32)>,
    /// Of a record that tells of an acquisition and the release of that lock the first half was read.
    releases: bool,
}

/// An acquisition that was recorded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Acquisition {
    pub(super) lock: u64,
    pub(super) mode: Mode,
    pub(super) ask: Ask,
    pub(super) site: u32,
    pub(super) turn: u32,
}

impl Remembered {
    /// An acquisition was recorded, to be remembered in a place if one is given.
    pub(super) fn acquired(&mut self, what: Acquisition, place: Option<u8>) -> Option<()> {
        self.open.push(what.lock);
        if let Some(place) = place {
            *self.places.get_mut(usize::from(place))? = Some(what);
        }
        Some(())
    }

    /// The acquisition in a place once more, with a turn so much greater; none if there is none.
    pub(super) fn again(&mut self, place: u8, since: u32) -> Option<Acquisition> {
        let what = self.places.get_mut(usize::from(place))?.as_mut()?;
        what.turn = what.turn.wrapping_add(since);
        self.open.push(what.lock);
        Some(*what)
    }

    /// The first acquisition of a lock of this class was recorded.
    pub(super) fn acquired_first(&mut self, what: Acquisition, class: u32) {
        self.open.push(what.lock);
        self.first = Some((what, class));
    }

    /// The first acquisition of the next new lock, and its class; none if there was none before.
    pub(super) fn next_first(&mut self) -> Option<(Acquisition, u32)> {
        let (what, _) = self.first.as_mut()?;
        what.lock += 1;
        self.open.push(what.lock);
        self.first
    }

    /// This lock was released.
    pub(super) fn released(&mut self, lock: u64) {
        if let Some(at) = self.open.iter().rposition(|&open| open == lock) {
            self.open.remove(at);
        }
    }

    /// The first half of a record that tells of an acquisition and the release of that lock is read now.
    pub(super) fn will_release(&mut self) {
        self.releases = true;
    }

    /// Whether it was, and the second half is to be read next: from now on it is.
    pub(super) fn has_to_release(&mut self) -> bool {
        std::mem::take(&mut self.releases)
    }

    /// The youngest lock was released; none if there is none.
    pub(super) fn youngest_released(&mut self) -> Option<u64> {
        self.open.pop()
    }
}

#[cfg(test)]
mod tests;
