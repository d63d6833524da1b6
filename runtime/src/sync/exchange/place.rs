//! What lies in the seats of a row: [`Places`].

use std::ops::{Index, IndexMut};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use super::copies::FEW;
use super::ring::Ring;
use crate::sync::queue::State;

/// What lies in a seat.
pub(super) struct Place<T> {
    pub(super) state: State<Ring<T>>,
    pub(super) marks: Arc<Marks>,
}

/// What is known of a reader besides its state. Changed under the lock of its row only.
#[derive(Default)]
pub(super) struct Marks {
    /// How many entries there were in its queue when that was last looked at.
    pub(super) total: AtomicUsize,
    /// The number of the message of the table of which it takes its copy next.
    pub(super) next: AtomicUsize,
    /// The end of the table when all that was in there was last put into the queue.
    pub(super) seen: AtomicUsize,
}

/// The places of a row, by their numbers.
pub(super) struct Places<T> {
    pub(super) first: [Place<T>; FEW],
    /// Those behind, up to the last one that is taken.
    others: Vec<Place<T>>,
}

impl<T> Place<T> {
    pub(super) fn vacant() -> Place<T> {
        Place {
            state: State::new(Ring::new(None), None),
            marks: Arc::default(),
        }
    }
}

impl<T> Places<T> {
    pub(super) fn new() -> Places<T> {
        Places {
            first: std::array::from_fn(|_| Place::vacant()),
            others: Vec::new(),
        }
    }

    /// Puts something into a place, the first one behind all others at most, and returns what was there.
    pub(super) fn put(&mut self, number: usize, place: Place<T>) -> Option<Place<T>> {
        if number < FEW + self.others.len() {
            return Some(std::mem::replace(&mut self[number], place));
        }
        self.others.push(place);
        None
    }

    /// Forgets places from this number on, which are vacant.
    pub(super) fn forget_from(&mut self, number: usize) {
        self.others.truncate(number.saturating_sub(FEW));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Place<T>> {
        self.first.iter().chain(&self.others)
    }
}

impl<T> Index<usize> for Places<T> {
    type Output = Place<T>;

    #[inline]
    fn index(&self, number: usize) -> &Place<T> {
        match self.first.get(number) {
            Some(place) => place,
            None => &self.others[number - FEW],
        }
    }
}

impl<T> IndexMut<usize> for Places<T> {
    #[inline]
    fn index_mut(&mut self, number: usize) -> &mut Place<T> {
        match self.first.get_mut(number) {
            Some(place) => place,
            None => &mut self.others[number - FEW],
        }
    }
}
