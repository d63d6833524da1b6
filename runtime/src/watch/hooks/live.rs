//! Threads that wait for each other now, told by the one that closes the circle, before it parks.

use super::super::finding::{Basis, Code, Finding, LockUse, Side, Wants};
use super::super::identity::{Identity, LockId};
use super::super::log::Op;
use super::super::mode::{Ask, Mode};
use super::super::reaction::Reaction;
use super::super::settings;
use super::super::site::Site;
use super::super::slot::{self, HeldLock, Slot, split};
use super::super::stack::Stack;
use super::super::wait_for::{self, Behind, Kept, Member, Target, Teller};
use super::super::{order, reaction, registry};
use super::judging::{finding, lock_use, log_finding, name_of, text, wanted_stack};
use super::{Busy, is_trace, logged, stall, standstill, watching_a_wait};

/// Tells that the thread waits, and of the deadlock that this closes.
///
/// # Panics
///
/// If it closes one, `quiet` is false, and the program chose to panic.
#[track_caller]
pub(super) fn wait(slot: &'static Slot, target: Target, at: Site, quiet: bool) {
    let stack = stack(slot);
    let itself = waits_for_itself(slot, target, at, &stack);
    if let Some(finding) = &itself {
        // It was told as LW0002 when it was asked for; now only what ends it is left to be done.
        if matches!(
            settings::deadlock_reaction(),
            Reaction::Panic | Reaction::Abort
        ) {
            reaction::react(finding, quiet);
        }
    }
    slot.wait.begin(target, at, &stack);
    if itself.is_some() {
        slot.wait.set_told();
    }
    stall::look_out();
    search(slot, quiet);
    standstill::look_out();
}

/// The thread parks again for what it waits for.
///
/// # Panics
///
/// As [`wait`]: another thread may have parked in between, and then this one closes the circle.
#[track_caller]
pub(super) fn wait_on(slot: &'static Slot, kept: Kept) {
    slot.wait.begin_again(kept, &stack(slot));
    search(slot, false);
    standstill::look_out();
}

/// Tells the deadlocks that this thread's wait closes.
#[track_caller]
fn search(slot: &'static Slot, quiet: bool) {
    let teller = teller(quiet);
    while let Some(circle) = wait_for::deadlock(slot, teller) {
        tell(slot, &circle, teller, quiet);
    }
}

/// The same for a thread that waits already, to read, and may do so behind a writer that waits. `again` tries
/// the lock once more; true if that succeeded.
///
/// # Panics
///
/// As [`wait`].
#[track_caller]
pub(super) fn wait_behind_writers(
    slot: &'static Slot,
    quiet: bool,
    again: &mut dyn FnMut() -> bool,
) -> bool {
    let teller = teller(quiet);
    loop {
        match wait_for::deadlock_behind_writers(slot, teller, again) {
            Behind::Nothing => return false,
            Behind::Got => return true,
            Behind::Deadlock(circle) => tell(slot, &circle, teller, quiet),
        }
    }
}

/// Where the program stands, if that is to be told. Without a lock held only the end of this thread can be
/// waited for: no need to say where it is. A thread that has waited often is only looked at if stacks were asked for:
/// to walk one takes as long as to park.
fn stack(slot: &Slot) -> Stack {
    if slot.depth() > 0 && (settings::stacks_asked_for() || slot.may_walk()) {
        wanted_stack()
    } else {
        Stack::EMPTY
    }
}

fn teller(quiet: bool) -> Teller {
    if !quiet && reaction::may_unwind() {
        Teller::MayUnwind
    } else {
        Teller::Stays
    }
}

#[track_caller]
fn tell(slot: &Slot, circle: &[Member], teller: Teller, quiet: bool) {
    let finding = describe(circle);
    log_finding(slot, &finding);
    reaction::react(&finding, quiet);
    if teller == Teller::MayUnwind {
        // It did not. Meanwhile another circle may have been closed, which nobody saw.
        slot.wait.resume();
    }
}

/// The thread gives `lock` back and waits for `condvar`, then for the lock again.
///
/// That closes no circle now: so far this thread holds what it will wait for.
#[inline]
pub(super) fn wait_for_condition(
    slot: &Slot,
    condvar: &Identity,
    lock: &Identity,
    mode: Mode,
    at: Site,
) {
    let target = Target::Condition(condvar.id(), lock.id(), mode);
    slot.wait.begin_giving_back(target, at, &stack(slot));
    stall::look_out();
    standstill::look_out();
}

/// The thread lets others have `lock`, which it holds, and waits until it has it again.
pub(super) fn let_others_in(slot: &Slot, lock: &Identity, mode: Mode, at: Site) {
    let target = Target::Lock(lock.id(), mode);
    slot.wait.begin_giving_back(target, at, &Stack::EMPTY);
}

/// A thread that waits for what it holds itself. What it holds upgradably it may be upgrading.
fn waits_for_itself(slot: &Slot, target: Target, at: Site, stack: &Stack) -> Option<Finding> {
    let Target::Lock(lock, mode) = target else {
        return None;
    };
    let holds = slot
        .holds_against(lock, mode)
        .filter(|holds| holds.mode != Mode::Upgradable)?;
    let want = HeldLock {
        lock,
        mode,
        ask: Ask::Wait,
        again: false,
        site: at,
        ..holds
    };
    let message = format!(
        "this thread waits for {}, which it holds itself, for ever",
        name_of(lock)
    );
    Some(finding(
        slot,
        Code::Deadlock,
        Basis::Now,
        holds,
        want,
        stack,
        message,
    ))
}

/// Tells that the thread waits for a barrier, a semaphore or a channel: that closes no circle that is known.
#[cold]
pub(super) fn wait_for_event(object: &Identity, ask: Ask, at: Site) {
    if ask == Ask::Wait
        && let Some(slot) = watching_a_wait()
    {
        let _busy = Busy::new(slot);
        let target = Target::Event(object.id());
        slot.wait.begin_giving_back(target, at, &stack(slot));
        stall::look_out();
        standstill::look_out();
    } else if ask == Ask::Timed {
        wait_alone();
    }
}

/// The thread waits until a deadline for a notification, a barrier, a semaphore or a channel.
#[cold]
pub(super) fn wait_alone() {
    if let Some(slot) = watching_a_wait() {
        slot.wait.begin_alone();
    }
}

/// A thread that waits for this lock. Dropping this, by a panic, says that it does so no more.
pub(super) struct Unwinding<'a>(pub(super) &'a Identity);

impl Drop for Unwinding<'_> {
    fn drop(&mut self) {
        let Some(slot) = slot::existing() else { return };
        slot.wait.end();
        if is_trace() {
            let number = logged(slot, self.0);
            slot.log(Op::GaveUp, |record| record.number(number));
        }
    }
}

fn describe(cycle: &[Member]) -> Finding {
    let sides: Vec<Side> = cycle.iter().map(side).collect();
    let waits: Vec<String> = (0..sides.len())
        .map(|at| {
            let (waiter, next) = (sides[at].label(), sides[(at + 1) % sides.len()].label());
            let holds = cycle[(at + 1) % sides.len()].holds.is_some();
            match cycle[at].target {
                Target::Owed(object, _) => {
                    format!(
                        "{waiter} waits for {}, which {next} works for",
                        name_of(object)
                    )
                }
                Target::Lock(lock, _) if !holds => {
                    let lock = name_of(lock);
                    format!("{waiter} waits to read {lock} behind {next}, which waits to write it")
                }
                Target::Condition(condvar, lock, _) => {
                    let (condvar, lock) = (name_of(condvar), name_of(lock));
                    format!("{waiter} waits for {condvar}, then for {lock}, which {next} holds")
                }
                Target::Lock(lock, _) | Target::Event(lock) | Target::Timed(lock, _) => {
                    format!("{waiter} waits for {}, which {next} holds", name_of(lock))
                }
                Target::Thread(_) | Target::Work(_) => {
                    format!("{waiter} waits for the end of {next}")
                }
            }
        })
        .collect();
    Finding {
        code: Code::Deadlock,
        basis: Basis::Now,
        message: format!(
            "threads wait for each other, for ever: {}",
            waits.join("; ")
        ),
        sides,
    }
}

fn side(member: &Member) -> Side {
    Side {
        thread: member.thread,
        thread_name: thread_name(member.thread),
        holds: member.holds.map(lock_use),
        wants: wants(member.target, member.at),
        ask: Ask::Wait,
        waited: Some(member.waited),
        stack: member.stack,
        held_stack: member.held_stack,
    }
}

/// What a thread waits for, as a finding names it.
pub(super) fn wants(target: Target, at: Site) -> Wants {
    match target {
        Target::Lock(lock, mode) | Target::Condition(_, lock, mode) => wanted(lock, mode, at),
        Target::Owed(object, _) | Target::Event(object) | Target::Timed(object, _) => {
            event(object, at)
        }
        Target::Thread(thread) | Target::Work(thread) => Wants::Thread {
            thread,
            thread_name: thread_name(thread),
            site: at,
        },
    }
}

fn wanted(lock: LockId, mode: Mode, site: Site) -> Wants {
    Wants::Lock(asked_for(lock, mode, site))
}

/// What is no lock.
pub(super) fn event(object: LockId, site: Site) -> Wants {
    Wants::Event(asked_for(object, Mode::Exclusive, site))
}

fn asked_for(lock: LockId, mode: Mode, site: Site) -> LockUse {
    LockUse {
        lock,
        class: registry::class(split(lock).1),
        rank: None,
        mode,
        sendable: false,
        site,
    }
}

/// The name of a thread, if it has one.
pub(super) fn thread_name(thread: u32) -> Option<String> {
    text(&order::thread_name(thread))
}
