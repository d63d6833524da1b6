//! Threads that wait for longer than the user likes: a watchdog, only if asked for, and a description
//! of all that wait, at any time.
//!
//! The watchdog is a thread of ours that looks at the slots now and then. It starts with the first wait
//! and is not watched. A stall is no proof of anything: it says who waits for whom, and for how long.

use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use super::super::finding::ThreadLabel;
use super::super::mode::Mode;
use super::super::wait_for::{self, Target, Waiting};
use super::super::{platform, settings};
use super::judging::{lock_use, name_of};
use super::live::thread_name;

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
    loop {
        thread::sleep(limit / LOOKS);
        let waiting = wait_for::waiting();
        let mut news = waiting
            .iter()
            .filter(|waiting| waiting.waited >= limit)
            // Each is marked, also if one is enough to say so.
            .filter(|waiting| waiting.is_news());
        if news.next().is_some() {
            news.for_each(drop);
            let mut report = format!(
                "lockwise: LW0009 stall: a thread has waited for more than {} s; all that wait now:\n",
                limit.as_secs_f64()
            );
            describe(&waiting, &mut report);
            platform::write_stderr(report.as_bytes());
        }
    }
}

/// Describes all watched threads that wait now, a line each: for what, since when, who holds that, and
/// what the thread holds itself. Empty if none waits.
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
        let waited = thread.waited.as_secs_f64();
        let _ = write!(into, " at {}, since {waited:.3} s", thread.at);
        if let Target::Lock(lock, mode) | Target::Condition(_, lock, mode) = thread.target {
            held_by(thread.thread, lock, mode, into);
        }
        for held in &thread.holds {
            let _ = write!(into, "; holds {}", lock_use(*held));
        }
        into.push('\n');
    }
}

/// Says who else holds the lock.
fn held_by(thread: u32, lock: super::LockId, mode: Mode, into: &mut String) {
    let holders = wait_for::holders(lock, mode);
    for holder in holders.into_iter().filter(|holder| *holder != thread) {
        let _ = write!(into, ", held by {}", label(holder));
    }
}

pub(super) fn label(thread: u32) -> String {
    ThreadLabel(thread, thread_name(thread).as_deref()).to_string()
}
