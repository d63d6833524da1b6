//! How long a thread was blocked outside of anything that is watched.
//!
//! A thread that neither runs nor is ready to run is blocked: asleep, in input or output, in a lock or a
//! channel. The system says how long it ran and how long it was ready; what is left of its time, less
//! what it spent in watched waits, it was blocked elsewhere. The sums stand in the header of the log, so that
//! "nothing found" can be said with how much was not seen.
//!
//! The sums are not too great: where the system does not tell two kinds of time apart (ready to run before the
//! thread was first seen, or after it was woken from a watched wait) the time is left out. A page that is read
//! from disk counts as input.
//!
//! What it cannot see: threads that were never seen, and those that live when a process is killed or aborts.
//! Where the system does not tell ([`clocks`](super::platform::clocks)) nothing is counted.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};

use super::log;
use super::platform::clocks;

/// Less than this, in nanoseconds, is not worth asking the system how long the thread was ready.
const WORTH_ASKING: u64 = 1_000_000;

/// The time of one thread. Its owner writes it, and whoever ends the process reads it.
pub(super) struct Account {
    /// The thread as the system numbers it; 0 if nothing is counted.
    number: AtomicU32,
    /// When it was first seen, in nanoseconds of the caller's clock.
    began: AtomicU64,
    /// How long it had run by then, in nanoseconds.
    ran: AtomicU64,
    is_closed: AtomicBool,
}

impl Account {
    /// Nothing is counted yet.
    pub(super) const fn new() -> Account {
        Account {
            number: AtomicU32::new(0),
            began: AtomicU64::new(0),
            ran: AtomicU64::new(0),
            is_closed: AtomicBool::new(true),
        }
    }

    /// Begins to count the thread that calls, at time `now`.
    pub(super) fn open(&self, now: u64) {
        let Some((number, ran)) = clocks::this_thread().zip(clocks::this_thread_ran()) else {
            return self.forget();
        };
        self.began.store(now, Relaxed);
        self.ran.store(ran, Relaxed);
        self.number.store(number, Relaxed);
        // Who sees it open sees the rest.
        self.is_closed.store(false, Release);
    }

    /// Counts no more, and forgets what was counted.
    pub(super) fn forget(&self) {
        self.is_closed.store(true, Relaxed);
    }

    /// The thread ends, and calls this at time `now`. It has spent `waited` nanoseconds in watched waits.
    pub(super) fn close(&self, now: u64, waited: u64) {
        if self.is_closed.swap(true, Relaxed) {
            return;
        }
        let Some(ran) = clocks::this_thread_ran() else {
            return;
        };
        let away = self.blocked(now, ran, waited);
        if away < WORTH_ASKING {
            log::count_blocked(0, waited);
            return;
        }
        if let Some((_, ready)) = clocks::ran_and_ready(self.number.load(Relaxed)) {
            log::count_blocked(away.saturating_sub(ready), waited);
        }
    }

    /// The process ends, and with it this thread, which need not be the one that calls.
    pub(super) fn close_from_outside(&self, now: u64, waited: u64) {
        if self.is_closed.load(Acquire) {
            return;
        }
        // A thread that has just ended has closed its own.
        let Some((ran, ready)) = clocks::ran_and_ready(self.number.load(Relaxed)) else {
            return;
        };
        if !self.is_closed.swap(true, Relaxed) {
            let away = self.blocked(now, ran, waited);
            log::count_blocked(away.saturating_sub(ready), waited);
        }
    }

    /// The time since the thread was first seen in which it did not run and was in no watched wait.
    fn blocked(&self, now: u64, ran: u64, waited: u64) -> u64 {
        let lived = now.saturating_sub(self.began.load(Relaxed));
        let ran = ran.saturating_sub(self.ran.load(Relaxed));
        lived.saturating_sub(ran).saturating_sub(waited)
    }
}
