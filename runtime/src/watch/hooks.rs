//! The one seam between lock types and the watcher.
//!
//! A lock type calls these functions around what it really does, in this order:
//!
//! ```text
//! lock        request → (blocked, if the lock was not free) → acquired
//! try_lock    acquired(Ask::Try), only if it succeeded
//! lock_for    (blocked) → acquired(Ask::Timed) | gave_up
//! unlock      released, then the real release
//! condvar     waiting → (the real wait) → woken
//! ```
//!
//! `request` judges *before* the thread may block, so that a report comes out even if the program
//! then hangs; by the user's choice it may panic, and then nothing was taken. No other hook panics.
//! Hooks take no watched lock: while one runs on a thread, those that its allocator, its callback
//! or its stack capture cause on the same thread do nothing.

use super::identity::Identity;
use super::mode::Mode;
use super::site::Site;

/// How an acquisition asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Ask {
    /// Waits as long as it takes.
    Wait = 0,
    /// Does not wait.
    Try = 1,
    /// Waits until a deadline: it ends by itself, so it is never part of a deadlock for good.
    Timed = 2,
}

/// Judges a request before the thread may block.
///
/// # Panics
///
/// If the request breaks a rule and the program chose to panic on that.
#[inline]
pub fn request(lock: &Identity, mode: Mode, ask: Ask, at: Site) {
    let _ = (lock, mode, ask, at);
}

/// The lock was not free: the thread is about to park.
#[cold]
pub fn blocked(lock: &Identity, mode: Mode, ask: Ask, at: Site) {
    let _ = (lock, mode, ask, at);
}

/// The thread does not wait for the lock any more, and did not get it.
#[cold]
pub fn gave_up(lock: &Identity) {
    let _ = lock;
}

/// The thread got the lock. Called inside the critical section.
#[inline]
pub fn acquired(lock: &Identity, mode: Mode, ask: Ask, at: Site) {
    let _ = (lock, mode, ask, at);
}

/// The thread is about to give the lock back, which it holds in `mode`.
#[inline]
pub fn released(lock: &Identity, mode: Mode) {
    let _ = (lock, mode);
}

/// The thread holds the lock in mode `from` and now holds it in mode `to`: an upgrade that has
/// waited for the readers to leave, or a downgrade.
///
/// An upgrade that may block is first judged by [`request`] with [`Mode::Exclusive`], which knows
/// that the thread itself holds the lock upgradably.
pub fn changed_mode(lock: &Identity, from: Mode, to: Mode, at: Site) {
    let _ = (lock, from, to, at);
}

/// The thread holds `lock` in `mode` and is about to give it back and to wait for `condvar`.
///
/// Judges the acquisition of `lock` that will follow.
pub fn waiting(condvar: &Identity, lock: &Identity, mode: Mode, ask: Ask, at: Site) {
    let _ = (condvar, lock, mode, ask, at);
}

/// The wait is over and the thread holds `lock` again.
pub fn woken(condvar: &Identity, lock: &Identity, mode: Mode, at: Site) {
    let _ = (condvar, lock, mode, at);
}

/// The thread wakes one waiter of `condvar`, or all of them.
pub fn notified(condvar: &Identity, all: bool, at: Site) {
    let _ = (condvar, all, at);
}

/// The thread has arrived at a barrier of `parties` threads and may wait.
pub fn arrived(barrier: &Identity, parties: u32, at: Site) {
    let _ = (barrier, parties, at);
}

/// All parties have arrived, and the thread goes on.
pub fn passed(barrier: &Identity) {
    let _ = barrier;
}

/// The thread is about to put `units` into a semaphore.
pub fn posted(semaphore: &Identity, units: u32, at: Site) {
    let _ = (semaphore, units, at);
}

/// The thread is about to wait for a unit of a semaphore.
pub fn pending(semaphore: &Identity, ask: Ask, at: Site) {
    let _ = (semaphore, ask, at);
}

/// The thread has taken `units` from a semaphore.
pub fn obtained(semaphore: &Identity, units: u32, ask: Ask, at: Site) {
    let _ = (semaphore, units, ask, at);
}

/// The mode in which this thread holds the lock, if it does: the latest, if several times.
pub fn held_mode(lock: &Identity) -> Option<Mode> {
    let _ = lock;
    None
}

/// A thread that is about to be started: made by its parent, carried into it.
#[derive(Debug)]
pub struct Birth(u32);

/// A thread that was started, as its parent can join it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ThreadRef(u32);

impl Birth {
    /// The thread as its parent knows it.
    pub fn thread(&self) -> ThreadRef {
        ThreadRef(self.0)
    }

    /// Called first thing on the new thread.
    pub fn start(self, name: Option<&str>) {
        let _ = name;
    }
}

/// The thread is about to start another.
pub fn forking(at: Site) -> Birth {
    let _ = at;
    Birth(0)
}

/// The thread is about to wait until `thread` has ended.
pub fn joining(thread: ThreadRef, at: Site) {
    let _ = (thread, at);
}

/// `thread` has ended, and this thread knows.
pub fn joined(thread: ThreadRef, at: Site) {
    let _ = (thread, at);
}

/// What the ascending rule says of several requests at once, before any is made.
///
/// `wanted` is in ascending order of [`Identity::place`] and free of duplicates.
///
/// # Errors
///
/// The violation, already reported to whoever asked for reports, if a lock in `wanted` does not
/// come after the greatest lock that this thread holds. Re-entering a re-entrant lock is none.
pub fn check_ascending(wanted: &[(&Identity, Mode)], at: Site) -> Result<(), Box<super::Finding>> {
    let _ = (wanted, at);
    Ok(())
}
