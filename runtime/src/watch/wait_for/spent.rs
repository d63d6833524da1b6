//! How long a thread has spent in watched waits, as the account of its time needs it.
//!
//! Nothing is counted, and no clock read, unless somebody is going to ask. The thread alone writes, any may
//! read. A wait that has just ended may be seen both as counted and as lasting: never is too little counted.

use std::cell::Cell;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// The time of one thread; in nanoseconds of the caller's clock.
pub(super) struct Spent {
    /// Somebody is going to ask.
    counts: Cell<bool>,
    /// When the wait began that lasts, or was taken up again; [`NONE`] between waits.
    from: AtomicU64,
    /// How long the waits lasted that are over.
    before: AtomicU64,
}

/// No time.
const NONE: u64 = u64::MAX;

impl Spent {
    /// No wait so far, and none counts.
    pub(super) const fn new() -> Spent {
        Spent {
            counts: Cell::new(false),
            from: AtomicU64::new(NONE),
            before: AtomicU64::new(0),
        }
    }

    /// Counts from nothing; called between waits.
    pub(super) fn restart(&self) {
        self.counts.set(true);
        self.before.store(0, Relaxed);
    }

    /// A wait begins, or lasts again.
    #[inline]
    pub(super) fn begin(&self, now: impl FnOnce() -> u64) {
        if self.counts.get() {
            self.from.store(now(), Relaxed);
        }
    }

    /// The wait is over, if there is one.
    #[inline]
    pub(super) fn end(&self, now: impl FnOnce() -> u64) {
        let from = self.from.load(Relaxed);
        if from != NONE {
            self.add(now().saturating_sub(from));
        }
    }

    #[cold]
    fn add(&self, waited: u64) {
        let before = self.before.load(Relaxed);
        self.before.store(before + waited, Relaxed);
        // Who sees that the wait is over sees it counted.
        self.from.store(NONE, Release);
    }

    /// The whole by time `now`, with a wait that lasts; asked by any thread.
    pub(super) fn by(&self, now: u64) -> u64 {
        // Of a wait that begins later nothing has passed, and so of none.
        let lasts = now.saturating_sub(self.from.load(Acquire));
        self.before.load(Relaxed) + lasts
    }
}

#[cfg(test)]
#[path = "spent/tests.rs"]
mod tests;
