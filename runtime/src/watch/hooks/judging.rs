//! What is wrong with a request, and how that is told. Only new chains come here.

use std::sync::atomic::Ordering::Relaxed;

use super::super::finding::{Basis, Code, Finding, LockUse, Side, Wants};
use super::super::identity::{LockId, Place};
use super::super::log::{Op, Record};
use super::super::memory::{hash_bytes, mix};
use super::super::mode::{Ask, Mode};
use super::super::reaction::{self, Order};
use super::super::settings;
use super::super::site::Site;
use super::super::slot::{HeldLock, Slot, chain_key, split};
use super::super::stack::Stack;
use super::super::{order, registry};
use super::{Busy, define_lock};

/// Whether a request of a lock that the thread holds already is judged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SelfCheck {
    Do,
    Skip,
}

#[cold]
#[track_caller]
pub(super) fn judge_new(slot: &Slot, want: &HeldLock, key: u64, check: SelfCheck) {
    let busy = Busy::new(slot);
    slot.pending_node.set((0, 0));
    if let Some(finding) = judge(slot, want, key, check) {
        reaction::react(&finding, slot.quiet.get());
    }
    drop(busy);
}

/// Judges a request in a context that this thread has not shown before in this stretch.
///
/// The request goes from hand to hand by reference: a copy would read at once, and in wide pieces, what has just been
/// written in small ones, and would have to wait for that.
pub(super) fn judge(slot: &Slot, want: &HeldLock, key: u64, check: SelfCheck) -> Option<Finding> {
    if check == SelfCheck::Do {
        if let Some(finding) = held_already(slot, want) {
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
    let violation = out_of_order(slot, want);
    let mut cycle = None;
    let (node, keeps) = order::learn(slot, want, &mut cycle);
    if (keeps || cycle.is_some()) && settings::stacks_wanted() {
        // Not under the lock of what was learned: to walk a stack takes others.
        let stack = Stack::capture();
        if keeps {
            order::keep_stack(slot, node, &stack);
        }
        if let Some(cycle) = &mut cycle {
            cycle.tell_stack(slot.thread.load(Relaxed), &stack);
        }
    }
    let chain = chain_key(slot.key(), want.lock, want.mode);
    slot.pending_node.set((chain, node));
    let cycle = cycle.as_ref().map(|cycle| {
        let told = describe_cycle(cycle, want);
        log_finding(slot, &told);
        cycle
            .sides
            .iter()
            .flatten()
            .for_each(|side| log_stack_of_another(slot, side));
        told
    });
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
pub(super) fn held_already(slot: &Slot, want: &HeldLock) -> Option<Finding> {
    if want.ask != Ask::Wait {
        return None;
    }
    let holds = slot.holds_of(want.lock).max_by_key(|held| {
        (
            held.mode.excludes(want.mode),
            held.mode.may_block(want.mode),
        )
    })?;
    let (code, basis, what) = if holds.mode.excludes(want.mode) {
        (
            Code::SelfDeadlock,
            Basis::Now,
            "and the one excludes the other: it waits for itself",
        )
    } else if !holds.mode.may_block(want.mode) {
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
    let stack = wanted_stack();
    Some(finding(slot, code, basis, holds, *want, &stack, message))
}

/// What a finding about a lock that the thread holds itself rests on: a guard that may be sent may
/// be with another thread, which releases it.
pub(super) fn unless_sent(holds: HeldLock, basis: Basis) -> (Basis, &'static str) {
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
pub(super) fn out_of_order(slot: &Slot, want: &HeldLock) -> Option<Finding> {
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
    if greatest.1 < place_of(want) {
        return None;
    }
    Some(order_violation(slot, greatest.0, *want, &wanted_stack()))
}

/// Where the program stands, if that is wanted.
pub(super) fn wanted_stack() -> Stack {
    if settings::stacks_wanted() {
        Stack::capture()
    } else {
        Stack::EMPTY
    }
}

pub(super) fn order_violation(
    slot: &Slot,
    holds: HeldLock,
    want: HeldLock,
    stack: &Stack,
) -> Finding {
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

pub(super) fn greatest(held: impl Iterator<Item = HeldLock>) -> Option<(HeldLock, Place)> {
    held.map(|held| (held, place_of(&held)))
        .max_by_key(|(_, place)| *place)
}

pub(super) fn place_of(held: &HeldLock) -> Place {
    let (_, class) = split(held.lock);
    // A lock whose class has no number (there were too many) is placed by where it was acquired.
    let born = registry::class(class).map_or(held.site, |class| class.born);
    Place {
        rank: held.rank,
        born,
        id: held.lock,
    }
}

pub(super) fn describe_cycle(cycle: &order::Cycle, want: &HeldLock) -> Finding {
    let sides: Vec<Side> = cycle.sides[..cycle.len]
        .iter()
        .flatten()
        .map(|side| Side {
            thread: side.thread,
            thread_name: text(&side.name),
            holds: Some(lock_use(side.holds)),
            wants: Wants::Lock(lock_use(side.wants)),
            ask: side.wants.ask,
            waited: None,
            stack: if side.stack_of == side.thread {
                side.stack
            } else {
                Stack::EMPTY
            },
            held_stack: Stack::EMPTY,
        })
        .collect();
    let names: Vec<String> = cycle.sides[..cycle.len]
        .iter()
        .flatten()
        .map(|side| name_of(side.wants.lock))
        .collect();
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

pub(super) fn finding(
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
        wants: Wants::Lock(lock_use(wants)),
        ask: wants.ask,
        waited: None,
        stack: *stack,
        held_stack: slot.stack_of(holds.lock),
    };
    Finding {
        code,
        basis,
        sides: vec![side],
        message,
    }
}

pub(super) fn lock_use(held: HeldLock) -> LockUse {
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

pub(super) fn name_of(lock: LockId) -> String {
    let (_, class) = split(lock);
    match registry::class(class) {
        Some(class) => match class.name {
            Some(name) => format!("{name}{lock}"),
            None => format!("{}{lock}", class.kind.name()),
        },
        None => format!("lock{lock}"),
    }
}

pub(super) fn text(bytes: &[u8]) -> Option<String> {
    let end = bytes
        .iter()
        .position(|&byte| byte == 0)
        .unwrap_or(bytes.len());
    (end > 0).then(|| String::from_utf8_lossy(&bytes[..end]).into_owned())
}

/// Lets a finding through that is about to happen, and of the others the first of a kind.
pub(super) fn first_time(slot: &Slot, finding: Finding) -> Option<Finding> {
    let side = &finding.sides[0];
    let mut hash = mix(finding.code as u64, u64::from(side.wants.site().line()));
    for site in side
        .holds
        .iter()
        .map(|holds| holds.site)
        .chain([side.wants.site()])
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

pub(super) fn log_finding(slot: &Slot, finding: &Finding) {
    if !settings::log_wanted() {
        return;
    }
    let told = finding.sides.iter().find_map(|side| match &side.wants {
        Wants::Lock(wanted) | Wants::Event(wanted) => Some((side, wanted)),
        // The record is about a lock or the like; that a thread waits for another's end is in the trace.
        Wants::Thread { .. } => None,
    });
    let Some((side, wanted)) = told else { return };
    let holds = side.holds.as_ref().map(|held| numbers(slot, held));
    let (lock, mode, at) = numbers(slot, wanted);
    let other = (side.thread != slot.thread.load(Relaxed)).then_some(side.thread);
    slot.log_texts(Op::Finding, |record| {
        let record = record.small(finding.code as u8).small(
            u8::from(holds.is_some())
                | u8::from(other.is_some()) << 1
                | u8::from(finding.basis == Basis::NobodyRuns) << 2,
        );
        let record = at_site(record, holds)
            .number(lock)
            .how(mode, side.ask)
            .number(at);
        let record = match other {
            Some(thread) => record.number(thread),
            None => record,
        };
        record.text(&finding.message)
    });
    if finding.code == Code::Deadlock && finding.sides.len() > 1 {
        finding.sides.iter().for_each(|side| log_side(slot, side));
    }
    finding.sides.iter().for_each(|side| log_stack(slot, side));
}

/// Writes one thread's part in the finding that was written last.
fn log_side(slot: &Slot, side: &Side) {
    let holds = side.holds.as_ref().map(|held| numbers(slot, held));
    let held = u8::from(holds.is_some());
    match &side.wants {
        Wants::Lock(wanted) | Wants::Event(wanted) => {
            let (lock, mode, at) = numbers(slot, wanted);
            slot.log(Op::Side, |record| {
                at_site(record.number(side.thread).small(held), holds)
                    .number(lock)
                    .how(mode, side.ask)
                    .number(at)
            });
        }
        Wants::Thread { thread, site, .. } => {
            let at = registry::site_number(slot, *site);
            slot.log(Op::Side, |record| {
                at_site(record.number(side.thread).small(held | 2), holds)
                    .number(*thread)
                    .number(at)
            });
        }
    }
}

/// What is held or asked for, as numbers that are defined in the log.
fn numbers(slot: &Slot, held: &LockUse) -> (u64, Mode, u32) {
    let (instance, class) = split(held.lock);
    registry::define_class(slot, class);
    // It may be defined nowhere: not at this level, not in this process after a fork, or not yet.
    define_lock(slot, held.lock, held.rank, held.sendable);
    (instance, held.mode, registry::site_number(slot, held.site))
}

fn at_site(record: Record, holds: Option<(u64, Mode, u32)>) -> Record {
    match holds {
        Some((held, held_in, since)) => record.number(held).how(held_in, Ask::Wait).number(since),
        None => record,
    }
}

/// Writes where a side asked for a lock, if that is known.
fn log_stack(slot: &Slot, side: &Side) {
    let (Wants::Lock(wanted) | Wants::Event(wanted)) = &side.wants else {
        return;
    };
    let held = side.holds.as_ref().map(|held| held.lock);
    write_stack(
        slot,
        side.thread,
        held,
        (wanted.lock, wanted.site),
        &side.stack,
    );
}

/// Writes where another thread asked for what a side asks for, if where that side asked was not kept.
fn log_stack_of_another(slot: &Slot, side: &order::CycleSide) {
    if settings::log_wanted() && side.stack_of != side.thread {
        let want = (side.wants.lock, side.wants.site);
        write_stack(
            slot,
            side.stack_of,
            Some(side.holds.lock),
            want,
            &side.stack,
        );
    }
}

fn write_stack(
    slot: &Slot,
    thread: u32,
    held: Option<LockId>,
    (lock, site): (LockId, Site),
    stack: &Stack,
) {
    let stack = stack.by_files();
    if !stack.is_empty() {
        let held = held.map_or(0, |held| split(held).0);
        let place = registry::site_number(slot, site);
        slot.log_texts(Op::Stack, |record| {
            let record = record.number(thread).number(held).number(split(lock).0);
            record.number(place).text(&stack)
        });
    }
}
