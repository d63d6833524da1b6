//! What is noted of acquisitions and releases beside the held set: records in the log, and stacks.

use super::super::identity::{Identity, LockId};
use super::super::log::{Op, Part};
use super::super::registry;
use super::super::slot::{At, Slot, split};
use super::super::stack::Stack;
use super::{Busy, define, is_trace, logged};

/// Tells the log of the acquisition of what is held as the youngest now, and keeps its stack, as is wanted.
#[inline(never)]
pub(super) fn note_acquired(slot: &Slot, lock: &Identity, at: At) {
    if slot.seen.get().keeps_stacks() {
        return note_acquired_with_stack(slot, lock, at);
    }
    log_acquired(slot, lock, at);
}

/// The same where stacks are kept. It stands apart so that what is done mostly needs no room on the stack.
#[cold]
#[inline(never)]
fn note_acquired_with_stack(slot: &Slot, lock: &Identity, at: At) {
    if keeps_and_logs(slot) {
        log_acquired(slot, lock, at);
    }
}

/// Tells the log of the acquisition of what is held as the youngest now.
#[inline]
fn log_acquired(slot: &Slot, lock: &Identity, at: At) {
    let turn = lock.next_turn(at.is_shared());
    if !slot.log_acquired_next(lock.word(), at, turn) {
        log_acquired_anew(slot, lock, at, turn);
    }
}

/// The same for the first acquisition of a lock, which is not defined in the log.
#[inline(never)]
pub(super) fn note_acquired_first(slot: &Slot, lock: &Identity, at: At) {
    if !keeps_and_logs(slot) {
        return;
    }
    let turn = lock.next_turn(at.is_shared());
    log_acquired_first(slot, lock, at, turn);
}

fn log_acquired_first(slot: &Slot, lock: &Identity, at: At, turn: u32) {
    let first = turn == 1 && slot.seen.get().traces_unforked();
    if !first || !slot.log_acquired_first(lock.word(), at) {
        let busy = Busy::new(slot);
        define(slot, LockId(lock.word()), lock);
        drop(busy);
        log_acquired_late(slot, lock, at, turn);
    }
}

/// Keeps the stack of the acquisition of what is held as the youngest now, if that is wanted. Whether the log is
/// to be told of it: one of both is wanted.
#[inline]
fn keeps_and_logs(slot: &Slot) -> bool {
    if !slot.seen.get().keeps_stacks() {
        return true;
    }
    keep_stack(slot);
    is_trace()
}

/// Keeps the stack of the acquisition of what is held as the youngest now.
#[cold]
#[inline(never)]
pub(super) fn keep_stack(slot: &Slot) {
    let _busy = Busy::new(slot);
    slot.keep_stack(&Stack::capture());
}

/// Tells the log of an acquisition unlike those before it.
#[inline(never)]
fn log_acquired_anew(slot: &Slot, lock: &Identity, at: At, turn: u32) {
    if slot.defines_first(lock.word()) {
        return log_acquired_first(slot, lock, at, turn);
    }
    let number = split(LockId(lock.word())).0;
    let parts = || {
        let unforked = slot.seen.get().traces_unforked();
        slot.acquired_part(number, at).filter(|_| unforked)
    };
    if !slot.log_acquired(lock.word(), at, turn, parts) {
        log_acquired_late(slot, lock, at, turn);
    }
}

#[cold]
#[inline(never)]
fn log_acquired_late(slot: &Slot, lock: &Identity, at: At, turn: u32) {
    let _busy = Busy::new(slot);
    let number = logged(slot, lock);
    // SAFETY: hooks make such words, of sites.
    let site = registry::site_number(slot, unsafe { at.site() });
    slot.log(Op::Acquired, |record| {
        record
            .number(number)
            .small(at.how_logged())
            .number(site)
            .number(turn)
    });
}

/// Tells the log of the release of a lock that it may not take for the youngest one.
#[inline(never)]
pub(super) fn log_released(slot: &Slot, lock: &Identity) {
    let number = split(LockId(lock.word())).0;
    let known = slot.seen.get().traces_unforked() && Part::takes(number);
    if !known || !slot.log_short(Op::Released, Part::number(number), Part::EMPTY) {
        log_released_otherwise(slot, lock);
    }
}

#[cold]
#[inline(never)]
fn log_released_otherwise(slot: &Slot, lock: &Identity) {
    let _busy = Busy::new(slot);
    let number = logged(slot, lock);
    slot.log(Op::Released, |record| record.number(number));
}
