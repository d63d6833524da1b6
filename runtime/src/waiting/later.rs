//! What is done later, once the lock is given back: whom to wake, and which wakers to drop.
//!
//! A waker is foreign code: it is moved out of a primitive's state under the lock, and used and dropped
//! when nothing is held. If one of them panics the others are woken all the same, and whoever woke it
//! goes on.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

/// Wakers to be used when no lock is held any more. Dropping it uses them.
#[derive(Debug, Default)]
#[must_use = "dropped under a lock it would run foreign code there"]
pub(crate) struct Later {
    /// The usual one, for which nothing is allocated.
    first: Option<Waker>,
    /// The others, in order.
    rest: VecDeque<Waker>,
    /// Wakers that were replaced or taken back: only dropped.
    pub(crate) old: Vec<Waker>,
}

impl Later {
    /// Nobody.
    pub(crate) const fn new() -> Later {
        Later {
            first: None,
            rest: VecDeque::new(),
            old: Vec::new(),
        }
    }

    /// Adds a waker, to be used after those that are there.
    #[inline]
    pub(crate) fn push(&mut self, waker: Waker) {
        if self.first.is_none() && self.rest.is_empty() {
            self.first = Some(waker);
        } else {
            self.rest.push_back(waker);
        }
    }

    /// Adds a waker that is only to be dropped.
    #[inline]
    pub(crate) fn drop_later(&mut self, waker: Option<Waker>) {
        if let Some(waker) = waker {
            self.old.push(waker);
        }
    }

    /// Does it now.
    #[inline]
    pub(crate) fn run(self) {
        drop(self);
    }

    #[cold]
    fn wake_each(&mut self) {
        while let Some(waker) = self.first.take().or_else(|| self.rest.pop_front()) {
            // Whoever wakes may just have got something, which an unwinding would lose. The panic
            // was printed, and it is no more than a bug of the one who is to be woken.
            let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
        }
    }
}

impl Drop for Later {
    #[inline]
    fn drop(&mut self) {
        if self.first.is_some() {
            self.wake_each();
        }
    }
}
