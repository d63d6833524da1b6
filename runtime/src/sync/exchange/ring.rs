//! The messages of a reader that may lag behind.

use std::collections::VecDeque;

use crate::sync::queue::Store;

/// What a reader sees.
pub(in crate::sync) enum Seen<T> {
    Message(T),
    /// So many were dropped before the next one.
    Lagged(u64),
}

/// The youngest messages, as many as there is room for.
pub(in crate::sync) struct Ring<T> {
    row: VecDeque<T>,
    /// How many are kept; all, if nothing.
    keeps: Option<usize>,
    /// How many were dropped since the reader last looked.
    lagged: u64,
}

impl<T> Ring<T> {
    pub(super) fn new(keeps: Option<usize>) -> Ring<T> {
        Ring {
            row: VecDeque::new(),
            keeps,
            lagged: 0,
        }
    }

    /// Whether nothing is ever dropped.
    #[inline]
    pub(super) fn keeps_all(&self) -> bool {
        self.keeps.is_none()
    }

    /// Puts a message in that displaces none. Whether it is the only one.
    #[inline]
    pub(super) fn push_kept(&mut self, message: T) -> bool {
        let only = self.row.is_empty();
        self.row.push_back(message);
        only
    }

    /// Takes a message out where none was dropped. And whether there is none any more.
    #[inline]
    pub(super) fn pop_kept(&mut self) -> (Option<T>, bool) {
        let message = self.row.pop_front();
        (message, self.row.is_empty())
    }

    /// Puts a message in, and returns the one that had to go for it.
    #[inline]
    pub(super) fn push_message(&mut self, message: T) -> Option<T> {
        let mut displaced = None;
        if self.keeps.is_some_and(|keeps| self.row.len() >= keeps) {
            displaced = self.row.pop_front();
            self.lagged += 1;
        }
        self.row.push_back(message);
        displaced
    }
}

impl<T> Store for Ring<T> {
    type Entry = Seen<T>;

    #[inline]
    fn counts(_entry: &Seen<T>) -> bool {
        true
    }

    /// Leaves the message in the slot that had to go for the new one, to be dropped outside the lock.
    #[inline]
    fn push(&mut self, slot: &mut Option<Seen<T>>) {
        let Some(Seen::Message(message)) = slot.take() else {
            return;
        };
        *slot = self.push_message(message).map(Seen::Message);
    }

    #[inline]
    fn pop(&mut self, slot: &mut Option<Seen<T>>) -> bool {
        *slot = match std::mem::take(&mut self.lagged) {
            0 => self.row.pop_front().map(Seen::Message),
            lagged => Some(Seen::Lagged(lagged)),
        };
        slot.is_some()
    }

    #[inline]
    fn len(&self) -> usize {
        self.row.len()
    }

    #[inline]
    fn total(&self) -> usize {
        self.row.len() + usize::from(self.lagged > 0)
    }
}
