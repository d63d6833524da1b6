//! Hooks of a thread whose lock is not free: it is about to park, parks, and has what it waited for or gives up.

use super::super::identity::Identity;
use super::super::log::Op;
use super::super::mode::{Ask, Mode};
use super::super::registry;
use super::super::site::Site;
use super::super::slot::{self, Slot};
use super::super::wait_for::Target;
use super::{Busy, is_trace, live, logged, tracing, watching_a_wait};

/// The lock was not free: the thread is about to park. If that closes a circle of threads that wait
/// for each other, this is told now.
///
/// # Panics
///
/// If it does and the program chose to panic on that. What was held before is still held then; a
/// caller that holds a guard of this very lock has come through [`request_quietly`](super::request_quietly), and then it
/// does not panic.
#[cold]
#[track_caller]
pub fn blocked(lock: &Identity, mode: Mode, ask: Ask, at: Site) {
    let Some(slot) = watching_a_wait() else {
        return;
    };
    let quiet = slot.asks_for_guard.replace(0) == lock.id().0;
    about_to_park(slot, lock, mode, ask, at, quiet);
}

/// The same for callers that must not unwind now.
#[cold]
pub fn blocked_quietly(lock: &Identity, mode: Mode, ask: Ask, at: Site) {
    if let Some(slot) = watching_a_wait() {
        about_to_park(slot, lock, mode, ask, at, true);
    }
}

/// The same for a thread that asks to read, from a lock whose readers are shut out by nothing else than
/// writers that hold it or wait for it. `again` tries the lock once more; true if that succeeded, and then
/// the thread has it and does not wait.
///
/// # Panics
///
/// As [`blocked`].
#[cold]
#[track_caller]
pub fn blocked_reading(lock: &Identity, at: Site, again: &mut dyn FnMut() -> bool) -> bool {
    let Some(slot) = watching_a_wait() else {
        return false;
    };
    let quiet = slot.asks_for_guard.replace(0) == lock.id().0;
    about_to_park(slot, lock, Mode::Shared, Ask::Wait, at, quiet);
    let _busy = Busy::new(slot);
    let waiting = live::Unwinding(lock);
    let got = live::wait_behind_writers(slot, quiet, again);
    std::mem::forget(waiting);
    got
}

/// The thread holds `lock` and lets others have it: the watcher was told of its release, and of the
/// request. It waits, if it must, until it is [`unblocked`].
#[cold]
pub fn letting_others_in(lock: &Identity, mode: Mode, at: Site) {
    if let Some(slot) = watching_a_wait() {
        live::let_others_in(slot, lock, mode, at);
    }
}

/// The thread is about to wait until another has initialised an object, without going in to do so. A
/// panic of that other may end the wait too, so it is part of no deadlock.
#[cold]
pub fn blocked_outside(object: &Identity, at: Site) {
    if let Some(slot) = tracing() {
        let _busy = Busy::new(slot);
        log_request(slot, object, Mode::Exclusive, Ask::Wait, at);
    }
    live::wait_for_event(object, Ask::Wait, at);
}

fn log_request(slot: &Slot, lock: &Identity, mode: Mode, ask: Ask, at: Site) {
    let number = logged(slot, lock);
    let site = registry::site_number(slot, at);
    slot.log(Op::Request, |record| {
        record.number(number).how(mode, ask).number(site)
    });
}

#[track_caller]
fn about_to_park(
    slot: &'static Slot,
    lock: &Identity,
    mode: Mode,
    ask: Ask,
    at: Site,
    quiet: bool,
) {
    let _busy = Busy::new(slot);
    if is_trace() {
        log_request(slot, lock, mode, ask, at);
    }
    if ask == Ask::Wait {
        // If this unwinds the lock is not waited for any more.
        let waiting = live::Unwinding(lock);
        live::wait(slot, Target::Lock(lock.id(), mode), at, quiet);
        std::mem::forget(waiting);
    } else {
        slot.wait.begin_timed(lock.id(), mode, at);
    }
}

/// The thread has what it waited for, and has not told so yet.
#[cold]
pub fn unblocked() {
    if let Some(slot) = slot::existing() {
        slot.wait.end();
    }
}

/// The same, and it does not wait for that again when it parks.
#[inline]
pub fn waits_no_more() {
    if let Some(slot) = slot::existing() {
        slot.wait.end();
        slot.wait.keep_nothing();
    }
}

/// The thread does not wait for the lock any more, and did not get it.
#[cold]
pub fn gave_up(lock: &Identity) {
    waits_no_more();
    if let Some(slot) = tracing() {
        let _busy = Busy::new(slot);
        let number = logged(slot, lock);
        slot.log(Op::GaveUp, |record| record.number(number));
    }
}
