//! The items of a queue, one after the other: [`Iter`] and [`TryIter`].

use std::fmt;

use super::core::Work;
use super::fifo::Queue;
use crate::sync::backend::{Backend, Tracked};
use crate::sync::deadline::Deadline;
use crate::watch::Site;

/// The items of a [`Queue`], waiting for each. Left early, the rest stays queued.
pub struct Iter<'a, T: Send, B: Backend = Tracked> {
    queue: &'a Queue<T, B>,
    at: Site,
}

/// The items that a [`Queue`] has now.
pub struct TryIter<'a, T: Send, B: Backend = Tracked> {
    queue: &'a Queue<T, B>,
    at: Site,
}

impl<'a, T: Send, B: Backend> Iter<'a, T, B> {
    pub(super) fn new(queue: &'a Queue<T, B>, at: Site) -> Iter<'a, T, B> {
        Iter { queue, at }
    }
}

impl<'a, T: Send, B: Backend> TryIter<'a, T, B> {
    pub(super) fn new(queue: &'a Queue<T, B>, at: Site) -> TryIter<'a, T, B> {
        TryIter { queue, at }
    }
}

impl<T: Send, B: Backend> Iterator for Iter<'_, T, B> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.queue.get_at(Work::Done, Deadline::Never, self.at).ok()
    }
}

impl<T: Send, B: Backend> Iterator for TryIter<'_, T, B> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.queue.try_get_at(self.at).ok()
    }
}

impl<T: Send, B: Backend> fmt::Debug for Iter<'_, T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Iter").field(self.queue).finish()
    }
}

impl<T: Send, B: Backend> fmt::Debug for TryIter<'_, T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TryIter").field(self.queue).finish()
    }
}
