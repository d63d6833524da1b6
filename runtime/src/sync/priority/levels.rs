//! Items by priority, and by the order in which they were put.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::super::queue::Store;

/// The place of an item: highest priority first, then the order of the puts.
pub(super) type Place = (Reverse<i128>, u64);

/// An item and its place.
pub(in crate::sync) struct Placed<T> {
    pub(super) place: Place,
    pub(super) item: T,
}

/// Items by place. Only places are compared, which are numbers.
pub(in crate::sync) struct Levels<T>(BTreeMap<Place, T>);

impl<T> Levels<T> {
    pub(super) const fn new() -> Levels<T> {
        Levels(BTreeMap::new())
    }

    /// Takes an item out of its place.
    pub(super) fn remove(&mut self, place: Place) -> Option<T> {
        self.0.remove(&place)
    }

    /// Puts an item into another place.
    pub(super) fn insert(&mut self, place: Place, item: T) {
        self.0.insert(place, item);
    }

    /// The place of the item that would come last.
    pub(super) fn last(&self) -> Option<Place> {
        self.0.last_key_value().map(|(place, _)| *place)
    }
}

impl<T> Store for Levels<T> {
    type Entry = Placed<T>;

    #[inline]
    fn counts(_entry: &Placed<T>) -> bool {
        true
    }

    #[inline]
    fn push(&mut self, slot: &mut Option<Placed<T>>) {
        if let Some(Placed { place, item }) = slot.take() {
            self.0.insert(place, item);
        }
    }

    #[inline]
    fn pop(&mut self, slot: &mut Option<Placed<T>>) -> bool {
        *slot = self
            .0
            .pop_first()
            .map(|(place, item)| Placed { place, item });
        slot.is_some()
    }

    #[inline]
    fn len(&self) -> usize {
        self.0.len()
    }

    #[inline]
    fn total(&self) -> usize {
        self.0.len()
    }
}
