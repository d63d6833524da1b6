//! The one seam between lock types and the watcher.
//!
//! A lock type calls these functions around what it really does, in this order:
//!
//! ```text
//! lock        request → (blocked, if the lock was not free) → acquired
//! try_lock    acquired(Ask::Try), only if it succeeded
//! lock_for    (blocked) → acquired(Ask::Timed) | gave_up
//! upgrade     upgrading → (blocked) → changed_mode
//! unlock      released, then the real release
//! condvar     waiting → (the real wait) → woken
//! ```
//!
//! `request` judges *before* the thread may block, so that a report comes out even if the program
//! then hangs; by the user's choice it may panic, and then nothing was taken (`upgrading` and
//! `waiting` judge too; what was held before is still held then). No other hook panics. Hooks take
//! no watched lock: while one runs on a thread, those that its allocator, its callback or its stack
//! capture cause on the same thread do nothing.
//!
//! Each hook touches only the thread's own slot and the lock's own words, unless a chain is new or
//! a chunk of the log is full.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::finding::{Basis, Code, Finding, LockUse, Side};
use super::identity::{Identity, LockId, Place, Rank};
use super::log::{self, Op};
use super::memory::{SysVec, hash_bytes, mix};
pub use super::mode::Ask;
use super::mode::Mode;
use super::own_lock::Guarded;
use super::reaction::{self, Enforcement, Order};
use super::settings::{self, Level};
use super::site::Site;
use super::slot::{self, HeldLock, Slot, chain_key, split};
use super::stack::Stack;
use super::{order, registry};

/// The turn of an acquisition that a log did not see: it came before all that it did see.
const TURN_BEFORE: u32 = 0;
/// Locks released by another thread than their holder: the holder's number and the lock.
static FOREIGN: Guarded<SysVec<(u32, LockId)>> = Guarded::new(SysVec::new());
/// How many of them wait for their holder to notice.
static FOREIGN_COUNT: AtomicU32 = AtomicU32::new(0);

/// Marks a slot as busy until it is dropped.
struct Busy<'a>(&'a Slot);

impl<'a> Busy<'a> {
    fn new(slot: &'a Slot) -> Self {
        slot.busy.set(true);
        Busy(slot)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.busy.set(false);
    }
}

/// This thread's slot, if it is to be watched now; what it knows is not stale.
#[inline]
fn watching() -> Option<&'static Slot> {
    let slot = slot::current()?;
    if slot.busy.get() || settings::level() == Level::Off {
        return None;
    }
    if slot.is_stale() {
        renew(slot);
    }
    Some(slot)
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
    if !slot.enters_log(log::generation()) || !is_trace() {
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
    settings::level() == Level::Trace && settings::log_wanted()
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
    let was_busy = slot.busy.replace(true);
    let word = slot.fresh_word(object);
    if is_trace() {
        define(slot, LockId(word), object);
    }
    slot.busy.set(was_busy);
    word
}

/// Judges a request before the thread may block.
///
/// # Panics
///
/// If the request breaks a rule and the program chose to panic on that.
#[inline]
#[track_caller]
pub fn request(lock: &Identity, mode: Mode, ask: Ask, at: Site) {
    if let Some(slot) = watching()
        && slot.depth() > 0
    {
        request_nested(slot, lock, mode, ask, at);
    }
}

/// Judges a request before the thread may block, and never panics: for callers that hold a guard
/// which would then release what it does not hold. A panic that the program chose is a report here.
pub fn request_quietly(lock: &Identity, mode: Mode, ask: Ask, at: Site) {
    if let Some(slot) = watching() {
        // Nothing below panics while it is set: `react` sees to that.
        slot.quiet.set(true);
        if slot.depth() > 0 {
            request_nested(slot, lock, mode, ask, at);
        }
        slot.quiet.set(false);
    }
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
        let reads_too = slot
            .all_held()
            .find(|held| held.lock == id && held.mode.is_shared());
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
            judge_if_new(slot, want, SelfCheck::Skip);
        }
    }
}

#[track_caller]
fn request_nested(slot: &Slot, lock: &Identity, mode: Mode, ask: Ask, at: Site) {
    if mode == Mode::Reentrant && lock.owner() == slot.thread.load(Relaxed) {
        return;
    }
    judge_if_new(slot, held_lock(lock, mode, ask, at), SelfCheck::Do);
}

#[inline]
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

/// Whether a request of a lock that the thread holds already is judged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SelfCheck {
    Do,
    Skip,
}

#[inline]
#[track_caller]
fn judge_if_new(slot: &Slot, want: HeldLock, check: SelfCheck) {
    catch_up(slot);
    // An upgrade is judged otherwise than a request of the same mode: it must not make that known.
    let how = want.ask as u32 + if check == SelfCheck::Skip { 8 } else { 0 };
    let key = chain_key(slot.key(), want.lock, want.mode, false).rotate_left(how);
    if !slot.knows(key) {
        judge_new(slot, want, key, check);
    }
}

/// Takes notice of what other threads did that concerns this one.
#[inline]
fn catch_up(slot: &Slot) {
    if FOREIGN_COUNT.load(Relaxed) != 0 {
        drop_foreign(slot);
    }
}

#[cold]
#[track_caller]
fn judge_new(slot: &Slot, want: HeldLock, key: u64, check: SelfCheck) {
    let busy = Busy::new(slot);
    slot.pending_node.set((0, 0));
    if let Some(finding) = judge(slot, want, key, check) {
        reaction::react(&finding, slot.quiet.get());
    }
    drop(busy);
}

/// Judges a request in a context that this thread has not shown before in this stretch.
fn judge(slot: &Slot, want: HeldLock, key: u64, check: SelfCheck) -> Option<Finding> {
    let stack = if settings::stacks_wanted() {
        Stack::capture()
    } else {
        Stack::EMPTY
    };
    if check == SelfCheck::Do {
        if let Some(finding) = held_already(slot, want, &stack) {
            if settings::reaction() != reaction::Reaction::Panic && finding.basis != Basis::Now {
                slot.remember(key);
            }
            return first_time(slot, finding);
        }
        // A recursive read that waits for nobody orders nothing either.
        if want.mode == Mode::RecursiveShared && slot.find(want.lock).is_some() {
            slot.remember(key);
            return None;
        }
    }
    let violation = out_of_order(slot, want, &stack);
    let (node, cycle) = order::learn(slot, want, &stack);
    let chain = chain_key(slot.key(), want.lock, want.mode, false);
    slot.pending_node.set((chain, node));
    let cycle = cycle.map(|cycle| describe_cycle(&cycle, want));
    if let Some(cycle) = &cycle {
        log_finding(slot, cycle);
    }
    let Some(violation) = violation else {
        slot.remember(key);
        return cycle;
    };
    if settings::reaction() != reaction::Reaction::Panic {
        slot.remember(key);
    }
    // The cycle is found once only, the violation each time it is asked for.
    match (first_time(slot, violation), cycle) {
        (Some(violation), Some(cycle)) => {
            reaction::react(&cycle, true);
            Some(violation)
        }
        (violation, cycle) => violation.or(cycle),
    }
}

/// The request of a lock that this thread holds already, if that can block it.
fn held_already(slot: &Slot, want: HeldLock, stack: &Stack) -> Option<Finding> {
    if want.ask != Ask::Wait {
        return None;
    }
    let holds = slot
        .all_held()
        .filter(|held| held.lock == want.lock)
        .max_by_key(|held| held.mode.excludes(want.mode))?;
    let (code, basis, what) = if holds.mode.excludes(want.mode) {
        (
            Code::SelfDeadlock,
            Basis::Now,
            "and the one excludes the other: it waits for itself",
        )
    } else if want.mode == Mode::RecursiveShared {
        return None;
    } else {
        (
            Code::RecursiveRead,
            Basis::SameInstances,
            "again: a writer that waits in between blocks both",
        )
    };
    let (basis, unless) = unless_sent(holds, basis);
    let message = format!(
        "this thread holds {} in mode {} and requests it in mode {}, {what}{unless}",
        name_of(want.lock),
        holds.mode.name(),
        want.mode.name(),
    );
    Some(finding(slot, code, basis, holds, want, stack, message))
}

/// What a finding about a lock that the thread holds itself rests on: a guard that may be sent may
/// be with another thread, which releases it.
fn unless_sent(holds: HeldLock, basis: Basis) -> (Basis, &'static str) {
    if holds.sendable {
        (
            Basis::OneThread,
            ", unless the guard was sent to another thread",
        )
    } else {
        (basis, "")
    }
}

/// The breach of the ascending rule, where the rule binds this lock.
fn out_of_order(slot: &Slot, want: HeldLock, stack: &Stack) -> Option<Finding> {
    if want.ask != Ask::Wait {
        return None;
    }
    let greatest = match settings::order() {
        Order::Learn => return None,
        Order::Declared => {
            want.rank?;
            greatest(slot.all_held().filter(|held| held.rank.is_some()))?
        }
        Order::Every => greatest(slot.all_held())?,
    };
    if greatest.1 < place_of(&want) {
        return None;
    }
    Some(order_violation(slot, greatest.0, want, stack))
}

fn order_violation(slot: &Slot, holds: HeldLock, want: HeldLock, stack: &Stack) -> Finding {
    let message = match (holds.rank, want.rank) {
        _ if holds.lock == want.lock => {
            format!(
                "{} is requested while this thread holds it already",
                name_of(want.lock)
            )
        }
        (Some(above), Some(rank)) => format!(
            "{} of rank {} is requested while {} of rank {} is held: ranks must ascend",
            name_of(want.lock),
            rank.0,
            name_of(holds.lock),
            above.0
        ),
        _ => format!(
            "{} is requested while {} is held, which comes after it in the order of locks",
            name_of(want.lock),
            name_of(holds.lock)
        ),
    };
    finding(
        slot,
        Code::OrderViolation,
        Basis::Now,
        holds,
        want,
        stack,
        message,
    )
}

fn greatest(held: impl Iterator<Item = HeldLock>) -> Option<(HeldLock, Place)> {
    held.map(|held| (held, place_of(&held)))
        .max_by_key(|(_, place)| *place)
}

fn place_of(held: &HeldLock) -> Place {
    let (_, class) = split(held.lock);
    // A lock whose class has no number (there were too many) is placed by where it was acquired.
    let born = registry::class(class).map_or(held.site, |class| class.born);
    Place {
        rank: held.rank,
        born,
        id: held.lock,
    }
}

fn describe_cycle(cycle: &order::Cycle, want: HeldLock) -> Finding {
    let sides: Vec<Side> = cycle.sides[..cycle.len]
        .iter()
        .flatten()
        .map(|side| Side {
            thread: side.thread,
            thread_name: text(&side.name),
            holds: Some(lock_use(side.holds)),
            wants: lock_use(side.wants),
            ask: side.wants.ask,
            stack: side.stack,
        })
        .collect();
    let names: Vec<String> = sides.iter().map(|side| name_of(side.wants.lock)).collect();
    let message = format!(
        "{} is requested here, and elsewhere while it was held {} was requested, in orders that close a cycle",
        name_of(want.lock),
        names[1..].join(", then "),
    );
    let basis = if cycle.one_thread {
        Basis::OneThread
    } else {
        Basis::SameInstances
    };
    Finding {
        code: Code::LockOrderCycle,
        basis,
        sides,
        message,
    }
}

fn finding(
    slot: &Slot,
    code: Code,
    basis: Basis,
    holds: HeldLock,
    wants: HeldLock,
    stack: &Stack,
    message: String,
) -> Finding {
    let side = Side {
        thread: slot.thread.load(Relaxed),
        thread_name: (!slot.name().is_empty()).then(|| slot.name().to_owned()),
        holds: Some(lock_use(holds)),
        wants: lock_use(wants),
        ask: wants.ask,
        stack: *stack,
    };
    Finding {
        code,
        basis,
        sides: vec![side],
        message,
    }
}

fn lock_use(held: HeldLock) -> LockUse {
    let (_, class) = split(held.lock);
    LockUse {
        lock: held.lock,
        class: registry::class(class),
        rank: held.rank,
        mode: held.mode,
        sendable: held.sendable,
        site: held.site,
    }
}

fn name_of(lock: LockId) -> String {
    let (_, class) = split(lock);
    match registry::class(class) {
        Some(class) => match class.name {
            Some(name) => format!("{name}{lock}"),
            None => format!("{}{lock}", class.kind.name()),
        },
        None => format!("lock{lock}"),
    }
}

fn text(bytes: &[u8]) -> Option<String> {
    let end = bytes
        .iter()
        .position(|&byte| byte == 0)
        .unwrap_or(bytes.len());
    (end > 0).then(|| String::from_utf8_lossy(&bytes[..end]).into_owned())
}

/// Lets a finding through that is about to happen, and of the others the first of a kind.
fn first_time(slot: &Slot, finding: Finding) -> Option<Finding> {
    let side = &finding.sides[0];
    let mut hash = mix(finding.code as u64, u64::from(side.wants.site.line()));
    for site in side
        .holds
        .iter()
        .map(|holds| holds.site)
        .chain([side.wants.site])
    {
        hash = hash_bytes(mix(hash, u64::from(site.line())), site.file().as_bytes());
        hash = mix(hash, u64::from(site.column()));
    }
    let fresh = order::is_first_report(hash);
    if fresh {
        log_finding(slot, &finding);
    }
    let stops = settings::reaction() == reaction::Reaction::Panic && finding.basis == Basis::Now;
    (fresh || stops).then_some(finding)
}

fn log_finding(slot: &Slot, finding: &Finding) {
    if !settings::log_wanted() {
        return;
    }
    let side = &finding.sides[0];
    let numbers = |held: &LockUse| {
        let (instance, class) = split(held.lock);
        registry::define_class(slot, class);
        // At this level and after a fork locks are not defined when they are numbered.
        if settings::level() == Level::Order || log::generation() != 1 {
            define_lock(slot, held.lock, held.rank, held.sendable);
        }
        (instance, held.mode, registry::site_number(slot, held.site))
    };
    let holds = side.holds.as_ref().map(numbers);
    let (lock, mode, at) = numbers(&side.wants);
    slot.log_texts(Op::Finding, |record| {
        let record = record
            .small(finding.code as u8)
            .small(u8::from(holds.is_some()));
        let record = match holds {
            Some((held, held_in, since)) => {
                record.number(held).how(held_in, Ask::Wait).number(since)
            }
            None => record,
        };
        record
            .number(lock)
            .how(mode, side.ask)
            .number(at)
            .text(&finding.message)
    });
}

/// The lock was not free: the thread is about to park.
#[cold]
pub fn blocked(lock: &Identity, mode: Mode, ask: Ask, at: Site) {
    if let Some(slot) = tracing() {
        let _busy = Busy::new(slot);
        let number = logged(slot, lock);
        let site = registry::site_number(slot, at);
        slot.log(Op::Request, |record| {
            record.number(number).how(mode, ask).number(site)
        });
    }
}

/// The thread does not wait for the lock any more, and did not get it.
#[cold]
pub fn gave_up(lock: &Identity) {
    if let Some(slot) = tracing() {
        let _busy = Busy::new(slot);
        let number = logged(slot, lock);
        slot.log(Op::GaveUp, |record| record.number(number));
    }
}

/// The thread got the lock. Called inside the critical section.
#[inline]
pub fn acquired(lock: &Identity, mode: Mode, ask: Ask, at: Site) {
    if let Some(slot) = watching() {
        hold(slot, lock, mode, ask, at);
        if is_trace() {
            log_acquired(slot, lock, mode, ask, at);
        }
    }
}

#[inline]
fn hold(slot: &Slot, lock: &Identity, mode: Mode, ask: Ask, site: Site) {
    let thread = slot.thread.load(Relaxed);
    let again = mode == Mode::Reentrant && lock.owner() == thread;
    let held = HeldLock {
        lock: lock.id(),
        mode,
        ask,
        again,
        sendable: lock.guards_may_be_sent(),
        rank: lock.rank(),
        site,
    };
    let (chain, node) = slot.pending_node.replace((0, 0));
    let same = chain == chain_key(slot.key(), held.lock, held.mode, held.again);
    slot.push(held, if same { node } else { 0 });
    if mode.is_exclusive() {
        lock.set_owner(thread);
    }
}

fn log_acquired(slot: &Slot, lock: &Identity, mode: Mode, ask: Ask, at: Site) {
    let _busy = Busy::new(slot);
    let number = logged(slot, lock);
    let site = registry::site_number(slot, at);
    let turn = if mode.is_exclusive() {
        lock.next_turn_exclusive()
    } else {
        lock.next_turn_shared()
    };
    slot.log(Op::Acquired, |record| {
        record
            .number(number)
            .how(mode, ask)
            .number(site)
            .number(turn)
    });
}

/// The thread is about to give the lock back, which it holds in `mode`.
#[inline]
pub fn released(lock: &Identity, mode: Mode) {
    let Some(slot) = watching() else { return };
    let Some(id) = lock.known_id() else { return };
    if !slot.remove(id, Some(mode)) && !slot.remove(id, None) {
        released_by_another(slot, lock, id);
        return;
    }
    if mode.is_exclusive() && (mode != Mode::Reentrant || slot.find(id).is_none()) {
        lock.set_owner(0);
    }
    if is_trace() {
        log_released(slot, lock);
    }
}

fn log_released(slot: &Slot, lock: &Identity) {
    let _busy = Busy::new(slot);
    let number = logged(slot, lock);
    slot.log(Op::Released, |record| record.number(number));
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

/// Has `holder` forget that it holds `lock`, when it looks next.
pub(super) fn post_foreign_release(holder: u32, lock: LockId) {
    FOREIGN.with(|foreign| {
        if foreign.push((holder, lock)) {
            FOREIGN_COUNT.store(foreign.len() as u32, Relaxed);
        }
    });
}

#[cold]
fn drop_foreign(slot: &Slot) {
    let thread = slot.thread.load(Relaxed);
    FOREIGN.with(|foreign| {
        for &(holder, lock) in foreign.iter() {
            if holder == thread {
                slot.remove(lock, None);
            }
        }
    });
    keep_posted(|holder| holder != thread);
}

/// The thread holds the lock in mode `from` and now holds it in mode `to`: an upgrade that has
/// waited for the readers to leave, or a downgrade.
pub fn changed_mode(lock: &Identity, from: Mode, to: Mode, at: Site) {
    let Some(slot) = watching() else { return };
    let _busy = Busy::new(slot);
    let id = lock.id();
    slot.change_mode(id, from, to);
    lock.set_owner(if to.is_exclusive() {
        slot.thread.load(Relaxed)
    } else {
        0
    });
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

/// The thread holds `lock` in `mode` and is about to give it back and to wait for `condvar`.
///
/// Judges the acquisition of `lock` that will follow.
///
/// # Panics
///
/// If that breaks a rule and the program chose to panic on that; `lock` is still held then.
#[track_caller]
pub fn waiting(condvar: &Identity, lock: &Identity, mode: Mode, ask: Ask, at: Site) {
    let Some(slot) = watching() else { return };
    let id = lock.id();
    let held = slot.find(id);
    slot.remove(id, Some(mode));
    if slot.depth() > 0 {
        judge_wait(slot, lock, mode, held, at);
    }
    if mode.is_exclusive() {
        lock.set_owner(0);
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
}

/// Judges the acquisition that ends a wait, while other locks stay held.
#[track_caller]
fn judge_wait(slot: &Slot, lock: &Identity, mode: Mode, held: Option<HeldLock>, at: Site) {
    catch_up(slot);
    let want = held_lock(lock, mode, Ask::Wait, at);
    let key = chain_key(slot.key(), want.lock, want.mode, false);
    if slot.knows(key) {
        return;
    }
    let _busy = Busy::new(slot);
    if let Some(finding) = judge(slot, want, key, SelfCheck::Do) {
        // The lock is held until the wait really begins, and after a panic too.
        if let Some(held) = held {
            slot.push(held, 0);
        }
        reaction::react(&finding, false);
        slot.remove(want.lock, Some(mode));
    }
}

/// The wait is over and the thread holds `lock` again.
pub fn woken(condvar: &Identity, lock: &Identity, mode: Mode, at: Site) {
    let Some(slot) = watching() else { return };
    hold(slot, lock, mode, Ask::Wait, at);
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
}

/// All parties have arrived, and the thread goes on.
pub fn passed(barrier: &Identity) {
    if let Some(slot) = tracing() {
        let _busy = Busy::new(slot);
        let number = logged(slot, barrier);
        let turn = barrier.next_turn_shared();
        slot.log(Op::Passed, |record| record.number(number).number(turn));
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

/// The thread is about to wait for a unit of a semaphore.
pub fn pending(semaphore: &Identity, ask: Ask, at: Site) {
    if let Some(slot) = tracing() {
        let _busy = Busy::new(slot);
        let number = logged(slot, semaphore);
        let site = registry::site_number(slot, at);
        slot.log(Op::Pending, |record| {
            record.number(number).small(ask as u8).number(site)
        });
    }
}

/// The thread has taken `units` from a semaphore.
pub fn obtained(semaphore: &Identity, units: u32, ask: Ask, at: Site) {
    if let Some(slot) = tracing() {
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
}

/// The mode in which this thread holds the lock, if it does: the latest, if several times.
pub fn held_mode(lock: &Identity) -> Option<Mode> {
    let slot = slot::existing()?;
    if FOREIGN_COUNT.load(Relaxed) != 0 {
        drop_foreign(slot);
    }
    slot.find(lock.known_id()?).map(|held| held.mode)
}

/// Forgets what was posted to a thread that ends.
pub(super) fn forget_posted(thread: u32) {
    if FOREIGN_COUNT.load(Relaxed) != 0 {
        keep_posted(|holder| holder != thread);
    }
}

/// Takes the lock of what is posted before a fork.
pub(super) fn before_fork() {
    FOREIGN.take();
}

/// Gives it back afterwards, in the parent and in the child.
pub(super) fn after_fork() {
    FOREIGN.give_back();
}

/// In the child of a fork only the forking thread lives.
pub(super) fn after_fork_in_child() {
    let me = slot::existing().map_or(0, |slot| slot.thread.load(Relaxed));
    keep_posted(|holder| holder == me);
}

/// Forgets what was posted to threads that `keep` does not want.
fn keep_posted(keep: impl Fn(u32) -> bool) {
    FOREIGN.with(|foreign| {
        let mut kept = 0;
        for at in 0..foreign.len() {
            if keep(foreign[at].0) {
                foreign[kept] = foreign[at];
                kept += 1;
            }
        }
        foreign.truncate(kept);
        FOREIGN_COUNT.store(kept as u32, Relaxed);
    });
}

/// Where this thread acquired the lock, if it holds it: the latest, if several times.
pub fn held_since(lock: &Identity) -> Option<Site> {
    slot::existing()?
        .find(lock.known_id()?)
        .map(|held| held.site)
}

/// How many locks this thread holds, a lock held twice counting twice.
pub fn held_count() -> usize {
    slot::existing().map_or(0, Slot::depth)
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
        if self.0 == 0 {
            return;
        }
        if let Some(name) = name {
            order::name_thread(self.0, name);
        }
        match slot::existing() {
            None => {
                slot::enter(Some((self.0, name)));
            }
            // Something on this thread took a lock before we were called.
            Some(slot) => slot.become_thread(self.0),
        }
    }
}

/// The thread is about to start another.
pub fn forking(at: Site) -> Birth {
    let Some(slot) = watching() else {
        return Birth(0);
    };
    let _busy = Busy::new(slot);
    let me = slot.thread.load(Relaxed);
    let child = order::new_thread("", Some((me, slot.stretch.get())));
    let site = registry::site_number(slot, at);
    slot.log(Op::Fork, |record| record.number(child).number(site));
    next_stretch(slot);
    Birth(child)
}

/// The thread is about to wait until `thread` has ended.
pub fn joining(thread: ThreadRef, at: Site) {
    if let Some(slot) = tracing() {
        let _busy = Busy::new(slot);
        let site = registry::site_number(slot, at);
        slot.log(Op::Joining, |record| record.number(thread.0).number(site));
    }
}

/// `thread` has ended, and this thread knows.
pub fn joined(thread: ThreadRef, at: Site) {
    let Some(slot) = watching() else { return };
    if thread.0 == 0 {
        return;
    }
    let _busy = Busy::new(slot);
    order::joined(thread.0, slot.thread.load(Relaxed), slot.stretch.get());
    let site = registry::site_number(slot, at);
    slot.log(Op::Join, |record| record.number(thread.0).number(site));
    next_stretch(slot);
}

/// A fork or join ends a stretch: what was seen before it is evidence of its own.
fn next_stretch(slot: &Slot) {
    slot.stretch.set(slot.stretch.get().wrapping_add(1));
    slot.forget_chains();
}

/// A lock that is about to be asked for: which, in which mode, and where.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The lock.
    pub lock: &'a Identity,
    /// The mode.
    pub mode: Mode,
    /// The acquisition site.
    pub at: Site,
}

/// What the ascending rule says of several requests at once, before any is made.
///
/// `wanted` is in ascending order of [`Identity::place`] and free of duplicates; all of it asks in
/// the way of `ask`.
///
/// # Errors
///
/// The violation, if a lock in `wanted` does not come after the greatest lock that this thread
/// holds, unless the rule binds nothing or is only to be reported. The callback and the log know
/// of it already. Re-entering a re-entrant lock is none.
pub fn check_ascending(wanted: &[Wanted<'_>], ask: Ask) -> Result<(), Box<Finding>> {
    let Some(slot) = watching() else {
        return Ok(());
    };
    if slot.depth() == 0 || wanted.is_empty() || settings::order() == Order::Learn {
        return Ok(());
    }
    catch_up(slot);
    let _busy = Busy::new(slot);
    let me = slot.thread.load(Relaxed);
    let Some((holds, place)) = greatest(slot.all_held()) else {
        return Ok(());
    };
    let offending = wanted.iter().find(|wanted| {
        let re_entry = wanted.mode == Mode::Reentrant && wanted.lock.owner() == me;
        !re_entry && wanted.lock.place() <= place
    });
    let Some(&Wanted { lock, mode, at }) = offending else {
        return Ok(());
    };
    let stack = if settings::stacks_wanted() {
        Stack::capture()
    } else {
        Stack::EMPTY
    };
    let want = held_lock(lock, mode, ask, at);
    // Where it is held already, that says more than the greatest lock does.
    let holds = slot.find(want.lock).unwrap_or(holds);
    let violation = order_violation(slot, holds, want, &stack);
    log_finding(slot, &violation);
    reaction::call_back(&violation);
    match settings::enforcement() {
        Enforcement::Refuse => Err(Box::new(violation)),
        Enforcement::Report => {
            reaction::print(&violation);
            Ok(())
        }
    }
}
