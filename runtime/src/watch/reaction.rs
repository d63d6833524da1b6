//! What happens on a finding, and where the ascending rule binds.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use super::finding::{Code, Finding, Head, Stacks};
use super::{log, platform, settings};

/// How long a process that is to be ended hangs on before, if a watched process started it: a test that starts a
/// program which hangs, and looks whether it does, sees what it would see else.
const BEFORE_ITS_END: Duration = Duration::from_secs(5);

/// What happens when something is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Reaction {
    /// A report on standard error; the program goes on. The default. Where a log is written and this
    /// was not chosen but is the default, cycles and recursive reads are left to whoever judges the
    /// log, who knows more (barriers, for one); only what is about to happen is reported at once.
    Report = 0,
    /// A report, then a panic in the requesting thread, before it blocks and with nothing taken.
    Panic = 1,
    /// A report, then `abort`; five seconds later where a log is written and the process that started this one
    /// writes one beside it, as a test does that looks whether a program hangs.
    Abort = 2,
    /// Nothing but the log and the callback.
    Silent = 3,
}

/// Where the ascending rule binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Order {
    /// Locks taken through `acquire!`, and locks with a declared rank. The default.
    Declared = 0,
    /// Every lock.
    Every = 1,
    /// None: the order is only learned.
    Learn = 2,
}

/// What `acquire!` does when the ascending rule is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Enforcement {
    /// `acquire!` panics and `try_acquire!` returns the error, with nothing taken. The default.
    Refuse = 0,
    /// Both report and go on.
    Report = 1,
}

type Callback = Box<dyn Fn(&Finding) + Send + Sync>;

static HAS_CALLBACK: AtomicBool = AtomicBool::new(false);
static CALLBACK: RwLock<Option<Callback>> = RwLock::new(None);

/// Chooses where the ascending rule binds, from now on, for all threads.
pub fn set_order(order: Order) {
    settings::choose_order(order);
}

/// Chooses what happens on a finding, from now on, for all threads.
///
/// Findings of `acquire!` are its own matter: see [`set_enforcement`].
pub fn set_reaction(reaction: Reaction) {
    settings::choose_reaction(reaction);
}

/// Chooses what happens when threads wait for each other (LW0001), from now on, for all threads: the
/// same as on any finding, unless this or `LOCKWISE_ON_DEADLOCK` says otherwise.
///
/// A panic unwinds the thread that closed the circle, releases what it holds, and so lets the others
/// go on. Where it cannot unwind (at the end of a scope of threads, or in a guard that takes its lock
/// again) it is a report. So it is where all threads wait for good and none of them has closed a circle, as for a
/// notification or an item that nobody is left to give: that is seen from beside, and no thread is there to unwind.
pub fn set_deadlock_reaction(reaction: Reaction) {
    settings::choose_deadlock_reaction(reaction);
}

/// Chooses what `acquire!` and `try_acquire!` do when the ascending rule is broken.
pub fn set_enforcement(enforcement: Enforcement) {
    settings::choose_enforcement(enforcement);
}

/// Has `callback` called with each finding, before the reaction. A later one replaces it.
///
/// It runs on the thread that made the finding, before that thread blocks. Locks that it takes are
/// not watched. It must not call `set_callback`, and stacks are captured from now on, unless
/// `LOCKWISE_STACKS=0` is in the environment.
pub fn set_callback(callback: impl Fn(&Finding) + Send + Sync + 'static) {
    let old = CALLBACK
        .write()
        .unwrap_or_else(PoisonError::into_inner)
        .replace(Box::new(callback));
    HAS_CALLBACK.store(true, Relaxed);
    drop(old);
}

/// Whether the program wants to be called.
pub(super) fn has_callback() -> bool {
    HAS_CALLBACK.load(Relaxed)
}

/// Tells the program's callback.
pub(super) fn call_back(finding: &Finding) {
    if has_callback()
        && let Some(callback) = &*CALLBACK.read().unwrap_or_else(PoisonError::into_inner)
    {
        callback(finding);
    }
}

/// The same on a thread that must not unwind.
pub(super) fn call_back_quietly(finding: &Finding) {
    let told = catch_unwind(AssertUnwindSafe(|| call_back(finding)));
    if told.is_err() {
        platform::write_stderr(b"lockwise: the callback panicked\n");
    }
}

/// Writes the finding to standard error: its stacks in a second piece, as looking up the names of their functions may
/// take half a second, in a program that was not optimised.
pub(super) fn print(finding: &Finding) {
    let weight = if finding.is_serious() {
        ""
    } else {
        " (note: seen on one thread only)"
    };
    platform::write_stderr(format!("lockwise{weight}: {}\n", Head(finding)).as_bytes());
    let stacks = Stacks(finding).to_string();
    if let Some(stacks) = stacks.strip_prefix('\n') {
        platform::write_stderr(format!("{stacks}\n").as_bytes());
    }
}

/// Whether telling a deadlock may end in a panic: by choice, or by the callback.
pub(super) fn may_unwind() -> bool {
    has_callback() || settings::deadlock_reaction() == Reaction::Panic
}

/// Tells the callback and does what was chosen; a panic only if `quiet` is false.
///
/// # Panics
///
/// If that was chosen, or if the callback does.
#[track_caller]
pub(super) fn react(finding: &Finding, quiet: bool) {
    if quiet {
        // The caller holds a guard that would release what it does not hold if this unwound.
        call_back_quietly(finding);
    } else {
        call_back(finding);
    }
    let reaction = match finding.code {
        Code::Deadlock => settings::deadlock_reaction(),
        _ => settings::reaction(),
    };
    if reaction == Reaction::Silent {
        return;
    }
    let left_to_judge =
        settings::log_wanted() && !finding.basis.is_now() && !settings::reaction_was_chosen();
    if reaction == Reaction::Report && left_to_judge {
        return;
    }
    print(finding);
    if !finding.is_serious() {
        return;
    }
    match reaction {
        Reaction::Report | Reaction::Silent => {}
        Reaction::Abort => {
            if settings::log_wanted() && log::parent_writes_one() {
                std::thread::sleep(BEFORE_ITS_END);
            }
            std::process::abort()
        }
        Reaction::Panic => {
            // The panic is the caller's, but some paths lead through closures, which have none: so
            // the site stands in the message too. A second panic while unwinding would abort: the
            // report must do.
            assert!(
                quiet || std::thread::panicking(),
                "lockwise: {} {} at {}: {}",
                finding.code.text(),
                finding.code.name(),
                finding.sides[0].wants.site(),
                finding.message
            );
        }
    }
}
