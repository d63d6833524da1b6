//! The one seam between lock types and the watcher.
//!
//! A lock type calls these functions around what it really does, in this order:
//!
//! ```text
//! lock        request → acquired_at_once, if the lock was free; else
//!             request → (try_again → blocked → unblocked, as long as the lock is not free) → acquired
//! try_lock    acquired(Ask::Try), only if it succeeded
//! lock_for    (blocked) → acquired(Ask::Timed) | gave_up
//! upgrade     upgrading → (blocked → unblocked) → changed_mode
//! unlock      released, then the real release
//! condvar     waiting → (the real wait) → woken
//! ```
//!
//! `request` judges *before* the thread may block, so that a report comes out even if the program
//! then hangs; by the user's choice it may panic, and then nothing was taken (`upgrading`, `waiting`
//! and, where threads wait for each other now, `blocked` and `joining` judge too; what was held before
//! is still held then). No other hook panics. Hooks take
//! no watched lock: while one runs on a thread, those that its allocator, its callback or its stack
//! capture cause on the same thread do nothing.
//!
//! Each hook touches only the thread's own slot and the lock's own words, unless a chain is new or
//! a chunk of the log is full.
//!
//! Under a program that knows nothing of us the fast path is not inlined: as part of each crate and of each
//! example of its documentation it would be compiled anew, and as a rule without optimisation.
//!
//! Here stand requests, acquisitions and releases, the fast path. `judging` says what is wrong with a new
//! chain, `ascending` with several requests at once, `asked` what an acquisition need not look up again;
//! `blocking` tells of a thread whose lock is not free, after `patience`, `live` what is wrong then, `stall` after
//! long, `standstill` when all have parked; `waits`, `threads` and `duties` are of what is no lock; `noting` is of
//! the log and of stacks, `holds` tells what is held, and `foreign` keeps what is released on another thread. `leaf` is
//! a short way for many new locks under one.

mod ascending;
mod asked;
mod blocking;
mod duties;
mod foreign;
mod holds;
mod judging;
mod leaf;
mod live;
mod noting;
mod patience;
mod stall;
mod standstill;
mod threads;
mod waits;

use std::sync::atomic::Ordering::Relaxed;

use super::finding::{Basis, Code};
use super::identity::{Identity, LockId, Rank};
pub use super::log::ALL_UNITS;
use super::log::{self, Op};
pub use super::mode::Ask;
use super::mode::Mode;
use super::own_lock;
use super::settings::{self, Now};
use super::site::Site;
use super::slot::{self, At, HeldLock, How, Slot, chain_key, split};
use super::stack::Stack;
use super::{order, reaction, registry};

pub use self::ascending::{Wanted, check_ascending};
pub use self::asked::Asked;
use self::asked::{Glance, glance};
pub use self::blocking::{
    blocked, blocked_outside, blocked_quietly, blocked_reading, gave_up, letting_others_in,
    unblocked, waits_no_more,
};
pub use self::duties::{gives, owes, parks, pending_owed, unparks};
use self::foreign::{FOREIGN_COUNT, drop_foreign};
pub(super) use self::foreign::{
    after_fork, after_fork_in_child, before_fork, forget_posted, is_posted, post_foreign_release,
};
pub use self::holds::{held_count, held_mode, held_since};
use self::judging::{SelfCheck, finding, first_time, judge_new, name_of, unless_sent};
use self::leaf::is_leaf;
use self::noting::{keep_stack, log_released, note_acquired, note_acquired_first};
pub use self::patience::try_again;
pub use self::stall::describe_waits;
pub(super) use self::stall::wait_for_signal;
pub(super) use self::standstill::look_out as thread_left;
pub use self::threads::{Birth, ThreadRef, forking, joined, joining, joining_work, work_done};
pub use self::waits::{
    arrived, found, full, notified, obtained, passed, pending, pending_any, posted, sleeps, told,
    waiting, woken,
};

/// The turn of an acquisition that a log did not see: it came before all that it did see.
const TURN_BEFORE: u32 = 0;

/// Marks a slot as busy until it is dropped.
struct Busy<'a> {
    slot: &'a Slot,
    was_busy: bool,
}

impl<'a> Busy<'a> {
    fn new(slot: &'a Slot) -> Self {
        slot.seen.set(Now::NEVER);
        let was_busy = slot.busy.replace(true);
        Busy { slot, was_busy }
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.slot.busy.set(self.was_busy);
        if !self.was_busy {
            // Whether that is stale is seen when it is compared.
            self.slot.seen.set(self.slot.epoch());
        }
    }
}

/// This thread's slot, if this can be told at a glance: it has one, no hook is running on it, and nothing
/// has changed since it looked. Second, what is watched.
#[inline]
fn at_a_glance() -> (Option<&'static Slot>, Now) {
    let now = settings::now();
    let slot = slot::existing().filter(|slot| slot.seen.get() == now);
    (slot, now)
}

/// This thread's slot, if it is to be watched now; what it knows is not stale.
#[inline]
fn watching() -> Option<&'static Slot> {
    match at_a_glance() {
        (Some(slot), _) => Some(slot),
        (None, _) => look_again(),
    }
}

/// The thread has no slot yet, or a hook is running on it, or something has changed.
#[cold]
#[inline(never)]
fn look_again() -> Option<&'static Slot> {
    let slot = slot::current()?;
    if slot.busy.get() || !settings::now().watches() {
        return None;
    }
    if slot.is_stale() {
        renew(slot);
    }
    slot.seen.set(slot.epoch());
    Some(slot)
}

/// The same for a thread that is about to wait for something. If it is in a hook already, it is a handler of a signal
/// that waits, and the sections of our own that it came into are kept until it has what it waits for.
fn watching_a_wait() -> Option<&'static Slot> {
    let slot = watching();
    if slot.is_none() {
        own_lock::waits();
    }
    slot
}

/// This thread's slot, if all events are recorded.
fn tracing() -> Option<&'static Slot> {
    watching().filter(|_| is_trace())
}

/// Forgets what is stale. In the child of a fork that is all that the parent's log knows, so what
/// this thread holds is told anew, before anything else that it does.
#[cold]
fn renew(slot: &Slot) {
    slot.refresh();
    if !slot.enters_log(log::generation()) || !slot.epoch().traces() {
        return;
    }
    let _busy = Busy::new(slot);
    for held in slot.all_held() {
        let (instance, _) = split(held.lock);
        define_lock(slot, held.lock, held.rank, held.sendable);
        let site = registry::site_number(slot, held.site);
        slot.log(Op::Acquired, |record| {
            record
                .number(instance)
                .how(held.mode, held.ask)
                .number(site)
                .number(TURN_BEFORE)
        });
    }
}

#[inline]
fn is_trace() -> bool {
    settings::now().traces()
}

/// Whether all events are recorded.
#[inline]
pub fn sees_all() -> bool {
    // It may be asked before anything else was told.
    if !settings::is_loaded() {
        settings::load();
    }
    is_trace()
}

/// The number of an object in the log, defined there if it was numbered before a fork.
fn logged(slot: &Slot, object: &Identity) -> u64 {
    let id = object.id();
    if log::generation() != 1 && slot.is_undefined_here(id) {
        define(slot, id, object);
    }
    id.instance()
}

fn define(slot: &Slot, id: LockId, object: &Identity) {
    define_lock(slot, id, object.rank(), object.guards_may_be_sent());
}

/// Defines a lock, or a semaphore by its units, in the log.
fn define_lock(slot: &Slot, id: LockId, rank: Option<Rank>, sendable: bool) {
    let (instance, class) = split(id);
    registry::define_class(slot, class);
    let rank = rank.map_or(0, |rank| u64::from(rank.0) + 1);
    let flags = if sendable { log::SENDABLE } else { 0 };
    slot.log(Op::DefLock, |record| {
        record.number(instance).number(class).number(rank | flags)
    });
}

/// A fresh word for an object that is used for the first time.
pub(super) fn fresh_word(object: &Identity) -> u64 {
    let Some(slot) = slot::current() else {
        return 1;
    };
    let _busy = Busy::new(slot);
    let word = slot.fresh_word(object);
    if is_trace() {
        if object.traits() == 0 && log::generation() == 1 {
            slot.define_later(LockId(word));
        } else {
            define(slot, LockId(word), object);
        }
    }
    word
}

/// Judges a request before the thread may block.
///
/// # Panics
///
/// If the request breaks a rule and the program chose to panic on that.
#[cfg_attr(not(lockwise_overlay), inline)]
#[cfg_attr(lockwise_overlay, inline(never))]
#[track_caller]
pub fn request(lock: &Identity, mode: Mode, ask: Ask, at: Site) -> Asked {
    let Some(slot) = watching() else {
        return Asked(None);
    };
    match glance(slot, lock, mode, ask) {
        Some(glance) => Asked(Some(glance)),
        None => Asked(request_unknown(slot, lock, mode, ask, at)),
    }
}

/// Judges a request before the thread may block, and never panics: for callers that hold a guard
/// which would then release what it does not hold. A panic that the program chose is a report here.
pub fn request_quietly(lock: &Identity, mode: Mode, ask: Ask, at: Site) -> Asked {
    let Some(slot) = watching() else {
        return Asked(None);
    };
    // Nothing below panics while it is set: `react` sees to that.
    slot.quiet.set(true);
    slot.asks_for_guard.set(lock.id().0);
    let glance = glance(slot, lock, mode, ask);
    if glance.is_none() {
        request_unknown(slot, lock, mode, ask, at);
    }
    slot.quiet.set(false);
    Asked(glance)
}

/// Judges the upgrade of a lock that this thread holds upgradably, before it may block.
///
/// # Panics
///
/// If the request breaks a rule and the program chose to panic on that.
#[track_caller]
pub fn upgrading(lock: &Identity, at: Site) {
    if let Some(slot) = watching() {
        let id = lock.id();
        let want = held_lock(lock, Mode::Exclusive, Ask::Wait, at);
        let reads_too = slot.holds_of(id).find(|held| held.mode.is_shared());
        if let Some(holds) = reads_too {
            let _busy = Busy::new(slot);
            let (basis, unless) = unless_sent(holds, Basis::Now);
            let message = format!(
                "this thread reads {} and upgrades another hold of it: it waits for itself{unless}",
                name_of(id)
            );
            let found = finding(
                slot,
                Code::SelfDeadlock,
                basis,
                holds,
                want,
                &Stack::EMPTY,
                message,
            );
            if let Some(found) = first_time(slot, found) {
                reaction::react(&found, false);
            }
        } else if slot.all_held().any(|held| held.lock != id) {
            catch_up(slot);
            judge_if_new(slot, want, SelfCheck::Skip);
        }
    }
}

/// A request of which it is not seen in the lock that it was judged. What it gives is seen there then.
#[inline(never)]
#[track_caller]
fn request_unknown(
    slot: &'static Slot,
    lock: &Identity,
    mode: Mode,
    ask: Ask,
    at: Site,
) -> Option<Glance> {
    catch_up(slot);
    if mode == Mode::Reentrant && lock.owner() == slot.thread.load(Relaxed) {
        return None;
    }
    if mode == Mode::Exclusive
        && ask == Ask::Wait
        && lock.word() == 0
        && let Some(parent) = order::likely_hub(slot)
        && is_leaf(slot, parent, lock, at)
    {
        let key = slot.key_above();
        lock.set_known_after(key);
        return Some(Glance { slot, key });
    }
    judge_if_new(slot, held_lock(lock, mode, ask, at), SelfCheck::Do);
    None
}

fn held_lock(lock: &Identity, mode: Mode, ask: Ask, site: Site) -> HeldLock {
    HeldLock {
        lock: lock.id(),
        mode,
        ask,
        again: false,
        sendable: lock.guards_may_be_sent(),
        rank: lock.rank(),
        site,
    }
}

#[track_caller]
fn judge_if_new(slot: &Slot, want: HeldLock, check: SelfCheck) {
    let key = request_key(slot.key(), want.lock, want.mode, want.ask, check);
    if !slot.knows(key) {
        judge_new(slot, &want, key, check);
    }
}

/// What a thread remembers of a request under the chain `below`, once it was judged.
///
/// An upgrade is judged otherwise than a request of the same mode: it must not make that known.
#[inline]
fn request_key(below: u64, lock: LockId, mode: Mode, ask: Ask, check: SelfCheck) -> u64 {
    let how = ask as u32 + if check == SelfCheck::Skip { 8 } else { 0 };
    chain_key(below, lock, mode).rotate_left(how)
}

/// Takes notice of what other threads did that concerns this one.
#[inline]
fn catch_up(slot: &Slot) {
    if has_to_catch_up() {
        drop_foreign(slot);
    }
}

#[inline]
fn has_to_catch_up() -> bool {
    FOREIGN_COUNT.load(Relaxed) != 0
}

/// The thread got the lock. Called inside the critical section.
#[cfg_attr(not(lockwise_overlay), inline)]
#[cfg_attr(lockwise_overlay, inline(never))]
pub fn acquired(lock: &Identity, mode: Mode, ask: Ask, at: Site) {
    if ask == Ask::Timed {
        unblocked();
    }
    let (slot, now) = at_a_glance();
    let at = At::new(at, How::new(mode, ask, lock.traits()));
    match slot {
        Some(slot) if mode != Mode::Reentrant => {
            let word = lock.id().0;
            if slot.depth() > 0 {
                acquired_above(slot, lock, at);
                return;
            }
            slot.push_first((word, at, lock.rank_word()));
            if now.notes() {
                note_acquired(slot, lock, at);
            }
        }
        _ => acquired_otherwise(lock, at),
    }
}

/// The thread got the lock, which it had `asked` for, to be waited for, and had not to wait. It has told of
/// nothing in between. Called inside the critical section.
#[cfg_attr(not(lockwise_overlay), inline)]
#[cfg_attr(lockwise_overlay, inline(never))]
pub fn acquired_at_once(asked: Asked, lock: &Identity, mode: Mode, at: Site) {
    let at = At::new(at, How::new(mode, Ask::Wait, lock.traits()));
    match asked.0 {
        Some(Glance { slot, key }) if mode != Mode::Reentrant => {
            let what = (lock.word(), at, lock.rank_word());
            if what.0 == 0 {
                return acquired_first(slot, lock, at, key);
            }
            if key == 0 {
                slot.push_first(what);
            } else if !slot.push_inline(what, key) {
                return acquired_otherwise(lock, at);
            }
            if slot.seen.get().notes() {
                note_acquired(slot, lock, at);
            }
        }
        _ => acquired_otherwise(lock, at),
    }
}

/// The same for a lock that had no number when it was looked at. `key` is the chain of what is held, 0 for
/// nothing.
#[inline(never)]
fn acquired_first(slot: &Slot, lock: &Identity, at: At, key: u64) {
    let fresh = (key == 0 && at.is_unmarked())
        .then(|| slot.fresh_word_at_hand(lock))
        .flatten();
    let Some(fresh) = fresh.filter(|&fresh| lock.take_word(fresh)) else {
        return acquired_otherwise(lock, at);
    };
    slot.push_first((fresh, at, 0));
    if slot.seen.get().notes() {
        note_acquired_first(slot, lock, at);
    }
}

/// An acquisition of which not all can be told at a glance.
#[inline(never)]
fn acquired_otherwise(lock: &Identity, at: At) {
    if let Some(slot) = watching() {
        let at = hold(slot, lock, at);
        if settings::now().notes() {
            note_acquired(slot, lock, at);
        }
    }
}

/// The acquisition of a plain lock that has a number, while others are held.
#[inline(never)]
fn acquired_above(slot: &Slot, lock: &Identity, at: At) {
    let key = slot.key_above();
    let has_node = slot.pending_node.get().0 != 0;
    if has_node || !slot.push_inline((lock.word(), at, lock.rank_word()), key) {
        acquired_otherwise(lock, at);
    } else if at.is_plain() && !lock.is_known_after(key) {
        acquired_unknown(slot, lock, key, at);
    } else if slot.seen.get().notes() {
        note_acquired(slot, lock, at);
    }
}

/// The acquisition of a lock that does not know yet that it was asked for under the chain `key`.
#[inline(never)]
fn acquired_unknown(slot: &Slot, lock: &Identity, key: u64, at: At) {
    show(slot, lock, key, at);
    if slot.seen.get().notes() {
        note_acquired(slot, lock, at);
    }
}

/// Puts a lock into the held set, and says how it is held there.
fn hold(slot: &Slot, lock: &Identity, at: At) -> At {
    let mut at = at;
    let mode = at.mode();
    if mode == Mode::Reentrant {
        let thread = slot.thread.load(Relaxed);
        at = at.again(lock.owner() == thread);
        lock.set_owner(thread);
    }
    let id = lock.id();
    let what = (id.0, at, lock.rank_word());
    if slot.depth() == 0 {
        slot.push_first(what);
    } else {
        let key = slot.key_above();
        let (chain, node) = slot.pending_node.replace((0, 0));
        let same = !at.is_again() && chain == chain_key(key, id, mode);
        slot.push_above(what, key, if same { node } else { 0 });
        if at.is_plain() {
            show(slot, lock, key, at);
        }
    }
    at
}

/// Has a lock know that this thread asked for it under the chain `key`, if that was judged. Only who has
/// the lock alone writes into it, and writes what it itself has shown.
fn show(slot: &Slot, lock: &Identity, key: u64, at: At) {
    if slot.knows(request_key(
        key,
        lock.id(),
        at.mode(),
        at.ask(),
        SelfCheck::Do,
    )) {
        lock.set_known_after(key);
    }
}

/// The thread is about to give the lock back, which it holds in `mode`.
#[cfg_attr(not(lockwise_overlay), inline)]
#[cfg_attr(lockwise_overlay, inline(never))]
pub fn released(lock: &Identity, mode: Mode) {
    match at_a_glance() {
        (Some(slot), now) if mode != Mode::Reentrant && slot.pop(lock.word(), mode) => {
            if now.traces() && !slot.log_youngest_released() {
                log_released(slot, lock);
            }
        }
        _ => released_otherwise(lock, mode),
    }
}

/// A release that is not that of the youngest hold of a plain lock.
#[inline(never)]
fn released_otherwise(lock: &Identity, mode: Mode) {
    let Some(slot) = watching() else { return };
    let Some(id) = lock.known_id() else { return };
    if !slot.remove(id, Some(mode)) && !slot.remove(id, None) {
        released_by_another(slot, lock, id);
        return;
    }
    if mode == Mode::Reentrant && slot.find(id).is_none() {
        lock.set_owner(0);
    }
    if is_trace() {
        log_released(slot, lock);
    }
}

/// This thread gives back what another holds: a guard that was sent away, or a forced unlock.
#[cold]
fn released_by_another(slot: &Slot, lock: &Identity, id: LockId) {
    let _busy = Busy::new(slot);
    // Looked up among the threads that live: the owner that the lock names may have ended.
    slot::released_elsewhere(id);
    lock.set_owner(0);
    if is_trace() {
        let number = logged(slot, lock);
        slot.log(Op::Released, |record| record.number(number));
    }
}

/// The thread holds the lock in mode `from` and now holds it in mode `to`: an upgrade that has
/// waited for the readers to leave, or a downgrade.
pub fn changed_mode(lock: &Identity, from: Mode, to: Mode, at: Site) {
    // A timed upgrade may have waited.
    unblocked();
    let Some(slot) = watching() else { return };
    let _busy = Busy::new(slot);
    let id = lock.id();
    slot.change_mode(id, from, to);
    if is_trace() {
        let number = logged(slot, lock);
        let site = registry::site_number(slot, at);
        let turn = lock.next_turn_shared();
        slot.log(Op::Changed, |record| {
            record
                .number(number)
                .small(from as u8)
                .small(to as u8)
                .number(site)
                .number(turn)
        });
    }
}
