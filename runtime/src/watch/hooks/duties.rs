//! What a thread owes to others, and waiting for that: results of work, which can come from nobody but the
//! thread that does it.
//!
//! Whoever waits for such a thing parks now and then and looks in between, under locks of its own. It
//! counts as waiting only while it parks: [`parks`] to [`unparks`].

use super::super::identity::Identity;
use super::super::mode::Ask;
use super::super::site::Site;
use super::super::slot;
use super::super::wait_for::Target;
use super::threads::EndsWait;
use super::{Busy, live, waits, watching, watching_a_wait};

/// This thread begins to work for what stands behind `object`: nobody else can give it, and this thread does
/// not before that work is done. False if nobody watches; else [`gives`] must follow, on this thread.
#[must_use]
pub fn owes(object: &Identity) -> bool {
    let Some(slot) = watching() else { return false };
    slot.wait.owe(key(object));
    true
}

/// The work for what this thread owes since last is done; it is about to be given.
pub fn gives() {
    if let Some(slot) = slot::existing() {
        slot.wait.give();
    }
}

/// The thread is about to wait for what somebody may owe: as [`pending`](super::pending), but it is part of
/// circles.
///
/// # Panics
///
/// If it closes a circle of threads that wait for each other and the program chose to panic then.
#[track_caller]
pub fn pending_owed(object: &Identity, ask: Ask, at: Site) {
    waits::log_pending(object, ask, at);
    if ask != Ask::Wait {
        return;
    }
    if let Some(slot) = watching_a_wait() {
        let _busy = Busy::new(slot);
        let target = Target::Owed(object.id(), key(object));
        // From now on it may be told on the way to the wait, also by unwinding.
        let _waits = EndsWait(slot);
        live::wait(slot, target, at, false);
        slot.wait.keep(target, at);
    }
}

/// The thread, which has said what it waits for, parks.
///
/// # Panics
///
/// As [`pending_owed`]: what is told there and what is told here was not closed at the same time.
#[track_caller]
pub fn parks() {
    if let Some(slot) = slot::existing()
        && let Some(kept) = slot.wait.kept()
        && let Some(slot) = watching_a_wait()
    {
        let _busy = Busy::new(slot);
        let waits = EndsWait(slot);
        live::wait_on(slot, kept);
        std::mem::forget(waits);
    }
}

/// The thread does not park any more.
pub fn unparks() {
    if let Some(slot) = slot::existing()
        && slot.wait.kept().is_some()
    {
        slot.wait.end();
    }
}

/// What is owed is told by its address. It lives as long as somebody owes it or waits for it.
fn key(object: &Identity) -> u64 {
    std::ptr::from_ref(object).addr() as u64
}
