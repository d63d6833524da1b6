//! Waiting for other things than a lock: conditions, barriers, semaphores, channels.

use std::any::type_name;

use super::super::identity::Identity;
use super::super::log::Op;
use super::super::mode::{Ask, Kind, Mode};
use super::super::site::Site;
use super::super::slot::{self, At, HeldLock, How, Slot};
use super::super::wait_for::Target;
use super::super::{reaction, registry};
use super::judging::{SelfCheck, judge};
use super::{
    Busy, catch_up, held_lock, hold, is_trace, keep_stack, live, logged, request_key, stall,
    tracing, unblocked, waits_no_more, watching, watching_a_wait,
};

/// The thread holds `lock` in `mode` and is about to give it back and to wait for `condvar`.
///
/// Judges the acquisition of `lock` that will follow.
///
/// # Panics
///
/// If that breaks a rule and the program chose to panic on that; `lock` is still held then.
#[track_caller]
pub fn waiting(condvar: &Identity, lock: &Identity, mode: Mode, ask: Ask, at: Site) {
    let Some(slot) = watching_a_wait() else {
        return;
    };
    let id = lock.id();
    let held = slot.find(id);
    slot.remove(id, Some(mode));
    if slot.depth() > 0 {
        judge_wait(slot, lock, mode, held, at);
    }
    if is_trace() {
        let _busy = Busy::new(slot);
        let (condvar_number, number) = (logged(slot, condvar), logged(slot, lock));
        let site = registry::site_number(slot, at);
        let turn = condvar.next_turn_shared();
        slot.log(Op::Waiting, |record| {
            record
                .number(condvar_number)
                .number(number)
                .small(ask as u8)
                .number(site)
                .number(turn)
        });
    }
    if ask == Ask::Wait {
        live::wait_for_condition(slot, condvar, lock, mode, at);
    } else {
        live::wait_alone();
    }
}

/// Judges the acquisition that ends a wait, while other locks stay held.
#[track_caller]
pub(super) fn judge_wait(
    slot: &Slot,
    lock: &Identity,
    mode: Mode,
    held: Option<HeldLock>,
    at: Site,
) {
    catch_up(slot);
    let want = held_lock(lock, mode, Ask::Wait, at);
    let key = request_key(slot.key(), want.lock, want.mode, want.ask, SelfCheck::Do);
    if slot.knows(key) {
        return;
    }
    let _busy = Busy::new(slot);
    if let Some(finding) = judge(slot, &want, key, SelfCheck::Do) {
        // The lock is held until the wait really begins, and after a panic too.
        if let Some(held) = held {
            slot.push(held);
        }
        reaction::react(&finding, false);
        slot.remove(want.lock, Some(mode));
    }
}

/// The wait is over and the thread holds `lock` again.
pub fn woken(condvar: &Identity, lock: &Identity, mode: Mode, at: Site) {
    unblocked();
    let Some(slot) = watching() else { return };
    hold(
        slot,
        lock,
        At::new(at, How::new(mode, Ask::Wait, lock.traits())),
    );
    // To the reader of the log this is no acquisition.
    slot.lose_track();
    if slot.seen.get().keeps_stacks() {
        keep_stack(slot);
    }
    if is_trace() {
        let _busy = Busy::new(slot);
        let (condvar_number, number) = (logged(slot, condvar), logged(slot, lock));
        let site = registry::site_number(slot, at);
        let turn = lock.next_turn_exclusive();
        slot.log(Op::Woken, |record| {
            record
                .number(condvar_number)
                .number(number)
                .how(mode, Ask::Wait)
                .number(site)
                .number(turn)
        });
    }
}

/// The thread is about to wake one waiter of `condvar`, or all of them.
pub fn notified(condvar: &Identity, all: bool, at: Site) {
    if let Some(slot) = tracing() {
        let _busy = Busy::new(slot);
        let number = logged(slot, condvar);
        let site = registry::site_number(slot, at);
        let turn = condvar.next_turn_shared();
        slot.log(Op::Notified, |record| {
            record
                .number(number)
                .small(u8::from(all))
                .number(site)
                .number(turn)
        });
    }
}

/// The thread has arrived at a barrier of `parties` threads and may wait.
pub fn arrived(barrier: &Identity, parties: u32, at: Site) {
    if let Some(slot) = tracing() {
        let _busy = Busy::new(slot);
        let number = logged(slot, barrier);
        let site = registry::site_number(slot, at);
        let turn = barrier.next_turn_shared();
        slot.log(Op::Arrived, |record| {
            record
                .number(number)
                .number(parties)
                .number(site)
                .number(turn)
        });
    }
    live::wait_for_event(barrier, Ask::Wait, at);
}

/// All parties have arrived, and the thread goes on.
pub fn passed(barrier: &Identity) {
    unblocked();
    if let Some(slot) = tracing() {
        let _busy = Busy::new(slot);
        let number = logged(slot, barrier);
        let turn = barrier.next_turn_shared();
        slot.log(Op::Passed, |record| record.number(number).number(turn));
    }
}

/// The channel is full: the thread is about to wait for room, which ends when it is told as
/// [`unblocked`](super::unblocked). No record is made of that.
pub fn full(channel: &Identity, at: Site) {
    live::wait_for_event(channel, Ask::Wait, at);
}

/// The thread is about to sleep, which ends when it is told as [`unblocked`](super::unblocked). No record is
/// made of that.
pub fn sleeps() {
    if let Some(slot) = slot::existing() {
        slot.wait.begin_alone();
    }
}

/// The thread is about to put `units` into a semaphore.
pub fn posted(semaphore: &Identity, units: u32, at: Site) {
    if let Some(slot) = tracing() {
        let _busy = Busy::new(slot);
        let number = logged(slot, semaphore);
        let site = registry::site_number(slot, at);
        let turn = semaphore.next_turn_shared();
        slot.log(Op::Posted, |record| {
            record
                .number(number)
                .number(units)
                .number(site)
                .number(turn)
        });
    }
}

/// What others wait for at `object`, or look for there, is there from now on, and nobody takes anything of it away.
/// Told before anybody can find it there.
pub fn told(object: &Identity, at: Site) {
    posted(object, 0, at);
}

/// The thread has found at `object` what others wait for: it comes after all that was [`told`] of it so far.
pub fn found(object: &Identity, at: Site) {
    if let Some(slot) = tracing() {
        log_obtained(slot, object, 0, Ask::Try, at);
    }
}

/// The thread is about to wait, whenever it parks, until one of several objects is ready, however long that takes.
/// That ends when it is told as [`waits_no_more`]. No record is made of either.
#[cold]
pub fn pending_any(at: Site) {
    /// Whatever several objects are waited for.
    static ANY: Identity =
        Identity::new(Kind::Channel, Site::caller(), type_name::<()>).named("one of several");
    if let Some(slot) = watching_a_wait() {
        let _busy = Busy::new(slot);
        stall::look_out();
        slot.wait.keep(Target::Event(ANY.id()), at);
    }
}

/// The thread is about to wait for a unit of a semaphore.
pub fn pending(semaphore: &Identity, ask: Ask, at: Site) {
    log_pending(semaphore, ask, at);
    live::wait_for_event(semaphore, ask, at);
    if ask == Ask::Wait
        && let Some(slot) = watching_a_wait()
    {
        slot.wait.keep(Target::Event(semaphore.id()), at);
    }
}

pub(super) fn log_pending(semaphore: &Identity, ask: Ask, at: Site) {
    if let Some(slot) = tracing() {
        let _busy = Busy::new(slot);
        let number = logged(slot, semaphore);
        let site = registry::site_number(slot, at);
        slot.log(Op::Pending, |record| {
            record.number(number).small(ask as u8).number(site)
        });
    }
}

/// The thread has taken `units` from a semaphore, or [`ALL_UNITS`](super::ALL_UNITS).
pub fn obtained(semaphore: &Identity, units: u32, ask: Ask, at: Site) {
    waits_no_more();
    if let Some(slot) = tracing() {
        log_obtained(slot, semaphore, units, ask, at);
    }
}

fn log_obtained(slot: &Slot, semaphore: &Identity, units: u32, ask: Ask, at: Site) {
    let _busy = Busy::new(slot);
    let number = logged(slot, semaphore);
    let site = registry::site_number(slot, at);
    let turn = semaphore.next_turn_shared();
    slot.log(Op::Obtained, |record| {
        record
            .number(number)
            .number(units)
            .small(ask as u8)
            .number(site)
            .number(turn)
    });
}
