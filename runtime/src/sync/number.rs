//! Numbers that tell objects from all others, also from those that are gone: [`Number`].

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// A number that nobody else has had. It starts at 1.
pub(super) fn fresh() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Relaxed)
}

/// The number of an object that may be made in a constant, where none can be had: it gets one when somebody asks.
#[derive(Debug)]
pub(super) struct Number(AtomicU64);

impl Number {
    /// None yet.
    pub(super) const fn new() -> Number {
        Number(AtomicU64::new(0))
    }

    /// The number, which is never 0 and stays the same.
    #[inline]
    pub(super) fn get(&self) -> u64 {
        match self.0.load(Relaxed) {
            0 => self.settle(),
            number => number,
        }
    }

    /// Whether this is the number, if there is one yet.
    pub(super) fn is(&self, number: u64) -> bool {
        self.0.load(Relaxed) == number
    }

    #[cold]
    fn settle(&self) -> u64 {
        let own = fresh();
        let settled = self.0.compare_exchange(0, own, Relaxed, Relaxed);
        settled.map_or_else(|other| other, |_| own)
    }
}
