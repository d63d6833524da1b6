//! What is done later, once the lock is given back: whom to wake, and which wakers to drop.
//!
//! A waker is foreign code: it is moved out of a primitive's state under the lock, and used and dropped
//! when nothing is held. If one of them panics the others are woken all the same, and whoever woke it
//! goes on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

/// Wakers to be used when no lock is held any more. Dropping it uses them.
///
/// Usually there is one at most to be used, and one to be dropped: that takes no memory, and next to nothing to
/// be dropped itself.
#[derive(Debug, Default)]
#[must_use = "dropped under a lock it would run foreign code there"]
pub(crate) struct Later {
    /// The usual one.
    first: Option<Waker>,
    /// One that was replaced or taken back: only dropped.
    old: Option<Waker>,
    /// What is beyond that, in order.
    more: Vec<More>,
}

/// A waker beyond the first ones.
#[derive(Debug)]
enum More {
    /// To be used.
    Use(Waker),
    /// Only to be dropped.
    Drop(Waker),
}

impl Later {
    /// Nobody.
    #[inline]
    pub(crate) const fn new() -> Later {
        Later {
            first: None,
            old: None,
            more: Vec::new(),
        }
    }

    /// Adds a waker, to be used after those that are there.
    #[inline]
    pub(crate) fn push(&mut self, waker: Waker) {
        if self.first.is_none() {
            self.first = Some(waker);
        } else {
            self.add(More::Use(waker));
        }
    }

    /// Adds a waker that is only to be dropped.
    #[inline]
    pub(crate) fn drop_later(&mut self, waker: Option<Waker>) {
        if let Some(waker) = waker {
            if self.old.is_none() {
                self.old = Some(waker);
            } else {
                self.add(More::Drop(waker));
            }
        }
    }

    #[cold]
    fn add(&mut self, more: More) {
        self.more.push(more);
    }

    /// Does it now. In place, as this was written just before: moving it would wait for these writes.
    #[inline]
    pub(crate) fn run(&mut self) {
        if self.first.is_some() {
            self.wake_each();
        }
        drop(self.old.take());
    }

    #[inline(never)]
    fn wake_each(&mut self) {
        if let Some(first) = self.first.take() {
            wake(first);
        }
        if !self.more.is_empty() {
            self.wake_more();
        }
    }

    #[cold]
    fn wake_more(&mut self) {
        for more in std::mem::take(&mut self.more) {
            match more {
                More::Use(waker) => wake(waker),
                // Its panic must not keep those behind it from being woken.
                More::Drop(waker) => drop(catch_unwind(AssertUnwindSafe(|| drop(waker)))),
            }
        }
    }
}

/// Uses a waker, with no lock held.
///
/// Whoever wakes may just have got something, which an unwinding would lose. The panic was printed, and it is no more
/// than a bug of the one who is to be woken.
#[inline]
pub(crate) fn wake(waker: Waker) {
    let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
}

impl Drop for Later {
    #[inline]
    fn drop(&mut self) {
        if self.first.is_some() {
            self.wake_each();
        }
    }
}
