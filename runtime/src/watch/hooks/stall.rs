//! Threads that wait for longer than the user likes: a watchdog, only if asked for, and a description
//! of all that wait, at any time.
//!
//! The watchdog is a thread of ours that looks at the slots now and then. It starts with the first wait
//! and is not watched. A stall is no proof of anything: it says who waits for whom, and for how long.

use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use super::super::finding::{Basis, Code, Finding, Side, ThreadLabel};
use super::super::mode::Ask;
use super::super::stack::Stack;
use super::super::wait_for::{self, Target, Waiting};
use super::super::{platform, reaction, settings, slot};
use super::judging::{lock_use, log_finding, name_of};
use super::live::{thread_name, wants};

/// How often the watchdog looks within the limit.
const LOOKS: u32 = 4;

static STARTED: AtomicBool = AtomicBool::new(false);

/// Starts the watchdog, if one is wanted and none runs.
#[inline]
pub(super) fn look_out() {
    if let Some(limit) = settings::stall()
        && !STARTED.load(Relaxed)
    {
        start(limit);
    }
}

/// In the child of a fork only the forking thread lives.
pub(in super::super) fn after_fork_in_child() {
    STARTED.store(false, Relaxed);
    super::standstill::after_fork_in_child();
}

#[cold]
fn start(limit: Duration) {
    if STARTED.swap(true, Relaxed) {
        return;
    }
    let started = thread::Builder::new()
        .name("lockwise-stall".to_owned())
        .spawn(move || watch(limit));
    if started.is_err() {
        platform::write_stderr(b"lockwise: the system has no thread for LOCKWISE_STALL\n");
    }
}

fn watch(limit: Duration) {
    platform::asleep::this_is_ours();
    let Some(slot) = slot::of_ours() else { return };
    loop {
        thread::sleep(limit / LOOKS);
        let waiting = wait_for::waiting();
        let news: Vec<&Waiting> = waiting
            .iter()
            .filter(|waiting| waiting.waited >= limit)
            .filter(|waiting| waiting.is_news())
            .collect();
        for waiting in &news {
            let finding = stalled(waiting, limit);
            log_finding(slot, &finding);
            reaction::call_back_quietly(&finding);
        }
        if !news.is_empty() {
            let mut report = format!(
                "lockwise: LW0009 stall: a thread has waited for more than {} s; all that wait now:\n",
                limit.as_secs_f64()
            );
            describe(&waiting, &mut report);
            platform::write_stderr(report.as_bytes());
        }
    }
}

/// Has a thread of ours wait for the signal that asks for a description, if one is wanted. Called before `main`,
/// so that all threads of the program hold the signal back.
pub(in super::super) fn wait_for_signal() {
    if let Some(signal) = settings::dump() {
        platform::signal::hold_back(signal);
        if !platform::asleep::start_thread(describe_on_signal) {
            platform::write_stderr(b"lockwise: there is no thread for LOCKWISE_DUMP\n");
        }
    }
}

fn describe_on_signal() {
    platform::asleep::this_is_ours();
    let (Some(_), Some(signal)) = (slot::of_ours(), settings::dump()) else {
        return;
    };
    while platform::signal::wait(signal) {
        let mut report = "lockwise: all that wait now:\n".to_owned();
        describe(&wait_for::waiting(), &mut report);
        platform::write_stderr(report.as_bytes());
    }
}

/// One thread that waits too long, as a finding.
fn stalled(waiting: &Waiting, limit: Duration) -> Finding {
    let side = Side {
        thread: waiting.thread,
        thread_name: thread_name(waiting.thread),
        holds: waiting.holds.last().copied().map(lock_use),
        wants: wants(waiting.target, waiting.at),
        ask: Ask::Wait,
        waited: Some(waiting.waited),
        stack: waiting.stack,
        held_stack: Stack::EMPTY,
    };
    let mut message = format!("{} waits for ", side.label());
    what(waiting, &mut message);
    held_by(waiting, &mut message);
    let _ = write!(message, ", for more than {} s", limit.as_secs_f64());
    Finding {
        code: Code::Stall,
        basis: Basis::Now,
        message,
        sides: vec![side],
    }
}

/// Describes all watched threads that wait now, a line each: for what, since when, who holds that, and
/// what the thread holds itself; below it the stack of the wait, if there is one. Empty if none waits.
///
/// Waits with a deadline are not in it.
pub fn describe_waits() -> String {
    let mut text = String::new();
    describe(&wait_for::waiting(), &mut text);
    text
}

fn describe(waiting: &[Waiting], into: &mut String) {
    for thread in waiting {
        let _ = write!(into, "  {} waits for ", label(thread.thread));
        what(thread, into);
        let waited = thread.waited.as_secs_f64();
        let _ = write!(into, " at {}, since {waited:.3} s", thread.at);
        held_by(thread, into);
        for held in &thread.holds {
            let _ = write!(into, "; holds {}", lock_use(*held));
        }
        into.push('\n');
        for line in thread.stack.lines() {
            let _ = writeln!(into, "    {line}");
        }
    }
}

/// Says what a thread waits for.
fn what(thread: &Waiting, into: &mut String) {
    let _ = match thread.target {
        Target::Lock(lock, mode) => write!(into, "{} [{}]", name_of(lock), mode.name()),
        Target::Condition(object, lock, _) => {
            write!(into, "{}, then for {}", name_of(object), name_of(lock))
        }
        Target::Owed(object, _) | Target::Event(object) | Target::Timed(object, _) => {
            write!(into, "{}", name_of(object))
        }
        Target::Thread(other) | Target::Work(other) => {
            write!(into, "the end of {}", label(other))
        }
    };
}

/// Says who else holds the lock that a thread waits for.
fn held_by(thread: &Waiting, into: &mut String) {
    let (Target::Lock(lock, mode) | Target::Condition(_, lock, mode)) = thread.target else {
        return;
    };
    let holders = wait_for::holders(lock, mode).into_iter();
    for holder in holders.filter(|holder| *holder != thread.thread) {
        let _ = write!(into, ", held by {}", label(holder));
    }
}

pub(super) fn label(thread: u32) -> String {
    ThreadLabel(thread, thread_name(thread).as_deref()).to_string()
}
