//! A process in which all threads wait for good, told by a thread of ours.
//!
//! Who could end a wait for a condition, a barrier, a semaphore or a channel is not known as a rule: any thread
//! that runs might. But if no thread runs, and none will by itself, nobody is left. A thread that begins to
//! wait looks whether all watched threads wait now; the last one starts or wakes the thread of ours. That
//! one lets a moment pass, as a wake-up may be on its way, and then asks the system, which alone knows:
//! all threads of the process, watched or not, must be asleep at one moment, each until another wakes it (see
//! `platform/asleep.rs`). Where the system cannot say that, nothing is told. A test runner, which says after a minute
//! that a test still runs, counts as one that sleeps: that wakes nobody.
//!
//! A watched thread may sleep where nobody watches: in a lock of C code, or in a crate that asks the system itself.
//! No hook tells of that, so the thread of ours, which the first wait of the process starts, looks by itself,
//! less and less often, up to once a second. It asks the system only if the very same waits last as the last time.
//! A thread that the watched program parks with `std::thread::park` may have been put to sleep on purpose: if all
//! that are known to wait sleep so, nothing is told.
//!
//! What it cannot see: a circle beside which other threads run, or wait for the outside world.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use super::super::finding::{Basis, Code, Finding, Side};
use super::super::mode::{Ask, Kind};
use super::super::platform::asleep::{self, Asleep};
use super::super::reaction::{self, Reaction};
use super::super::slot::{self, Slot, split};
use super::super::stack::Stack;
use super::super::wait_for::{self, Target, Waiting};
use super::super::{registry, settings};
use super::judging::{lock_use, log_finding, name_of};
use super::live::{thread_name, wants};

/// How long all must have waited before they are looked at, at first.
const FIRST: Duration = Duration::from_millis(2);
/// The same for a program in which all wait again and again, each time for a moment.
const BUSY: Duration = Duration::from_millis(40);
/// How often threads are looked at that wait on while something else runs or sleeps with a deadline.
const SLOW: Duration = Duration::from_secs(1);
/// When it is first looked beside threads of which it is not known that they wait.
const BESIDE: Duration = Duration::from_millis(20);
/// The most threads that a report describes.
const SIDES_MAX: usize = 16;

/// No thread of ours was started yet.
const NONE: u32 = 0;
/// It sleeps.
const IDLE: u32 = 1;
/// It looks, or is about to.
const LOOKS: u32 = 2;

static STATE: AtomicU32 = AtomicU32::new(NONE);

/// This thread has begun to wait, or ends. If no other runs, the thread of ours looks closer.
pub(in super::super) fn look_out() {
    if !asleep::IS_KNOWN || !is_wanted() {
        return;
    }
    if wait_for::all_wait() {
        if STATE.load(Relaxed) != LOOKS {
            have_it_looked_at();
        }
    } else if STATE.load(Relaxed) == NONE {
        have_it_look_around();
    }
}

/// Whether anybody would hear of it.
fn is_wanted() -> bool {
    settings::deadlock_reaction() != Reaction::Silent
        || settings::log_wanted()
        || reaction::has_callback()
}

#[cold]
fn have_it_looked_at() {
    match STATE.swap(LOOKS, SeqCst) {
        NONE if !asleep::start_thread(watch) => STATE.store(NONE, Relaxed),
        IDLE => asleep::wake(&STATE),
        _ => {}
    }
}

#[cold]
fn have_it_look_around() {
    let first = STATE.compare_exchange(NONE, IDLE, SeqCst, Relaxed).is_ok();
    if first && !asleep::start_thread(watch) {
        STATE.store(NONE, Relaxed);
    }
}

/// In the child of a fork only the forking thread lives.
pub(super) fn after_fork_in_child() {
    STATE.store(NONE, Relaxed);
    asleep::none_is_ours();
}

/// The body of the thread of ours.
fn watch() {
    asleep::this_is_ours();
    let Some(slot) = slot::of_ours() else { return };
    let mut patience = FIRST;
    let mut latest = Instant::now();
    let mut around = Around::new();
    loop {
        asleep::sleep_while(&STATE, IDLE, around.pause);
        if STATE.load(Relaxed) == IDLE {
            around.look(slot);
            continue;
        }
        if latest.elapsed() > SLOW {
            patience = FIRST;
        }
        patience = match look_at_all(slot, patience) {
            Ended::Told => FIRST,
            Ended::Runs => (patience * 2).min(BUSY),
        };
        latest = Instant::now();
        STATE.store(IDLE, SeqCst);
        // Who began to wait before that saw it looking.
        if wait_for::all_wait() && !all_told() {
            STATE.store(LOOKS, Relaxed);
        }
    }
}

/// Why the thread of ours does not look any longer.
enum Ended {
    /// A thread runs.
    Runs,
    /// That all wait was told.
    Told,
}

/// Looks at all threads until one runs, or they were told.
fn look_at_all(slot: &Slot, patience: Duration) -> Ended {
    let mut pause = patience;
    loop {
        thread::sleep(pause);
        let Some(waiting) = wait_for::all_waiting() else {
            return Ended::Runs;
        };
        if let Some(all) = stand_still(&waiting) {
            tell(slot, waiting, &all);
            return Ended::Told;
        }
        if all_told() {
            return Ended::Told;
        }
        pause = (pause * 2).min(SLOW);
    }
}

/// What the thread of ours does of itself, where it is not known of all threads that they wait.
struct Around {
    /// How long it sleeps before it looks again.
    pause: Duration,
    /// The waits that it saw the last time.
    seen: Vec<(u32, u64)>,
}

impl Around {
    fn new() -> Around {
        Around {
            pause: BESIDE,
            seen: Vec::new(),
        }
    }

    /// Looks whether the others sleep as well, if those that wait have waited since the last time.
    fn look(&mut self, slot: &Slot) {
        self.pause = (self.pause * 2).min(SLOW);
        let waiting = wait_for::waiting();
        let now: Vec<_> = waiting.iter().map(Waiting::key).collect();
        let last = now == self.seen && !waiting.iter().any(Waiting::was_told);
        self.seen = now;
        // Where none waits there is nobody to be told of.
        if last
            && !waiting.is_empty()
            && let Some(all) = stand_still(&waiting)
        {
            tell(slot, waiting, &all);
        }
    }
}

/// Tells of a standstill, once.
fn tell(slot: &Slot, waiting: Vec<Waiting>, all: &Asleep) {
    let told: Vec<bool> = waiting.iter().map(Waiting::tell).collect();
    // One that is part of a deadlock that was told may be why the others wait.
    if !told.contains(&true) {
        let finding = describe(waiting, all);
        log_finding(slot, &finding);
        reaction::react(&finding, true);
    }
}

fn all_told() -> bool {
    wait_for::all_waiting().is_some_and(|waiting| waiting.iter().all(Waiting::was_told))
}

/// Whether these threads wait for good, and with them all others of the process.
fn stand_still(waiting: &[Waiting]) -> Option<Asleep> {
    let parked = |waiting: &Waiting| match waiting.target {
        Target::Event(object) => {
            registry::class(split(object).1).is_none_or(|class| class.kind == Kind::Parking)
        }
        _ => false,
    };
    if waiting.iter().all(parked) {
        return None;
    }
    let all = Asleep::look()?;
    let joins = waiting
        .iter()
        .filter(|waiting| matches!(waiting.target, Target::Thread(_)));
    // Only a join sleeps so that another process might wake it, by the looks of it.
    let proved = all.shared() <= joins.count()
        && Asleep::look().as_ref() == Some(&all)
        && waiting.iter().all(Waiting::lasts);
    proved.then_some(all)
}

/// Describes them, in an order in which each that is kept waiting by another of them stands before that.
fn describe(mut waiting: Vec<Waiting>, all: &Asleep) -> Finding {
    let watched = waiting.len();
    let mut row: Vec<Waiting> = Vec::new();
    while !waiting.is_empty() {
        let next = row
            .last()
            .and_then(|last| waiting.iter().position(|other| other.keeps(last)));
        row.push(waiting.swap_remove(next.unwrap_or_else(|| first(&waiting))));
    }
    row.truncate(SIDES_MAX);
    let mut waits: Vec<String> = row.iter().map(|thread| sentence(thread, &row)).collect();
    if watched > row.len() {
        waits.push(format!("{} more wait", watched - row.len()));
    }
    let runner = usize::from(all.run_tests());
    let unwatched = all.len().saturating_sub(watched + runner);
    if unwatched > 0 {
        waits.push(format!("{unwatched} more sleep where nobody watches"));
    }
    if runner > 0 {
        waits.push(String::from("the test runner waits for its tests"));
    }
    Finding {
        code: Code::Deadlock,
        basis: Basis::NobodyRuns,
        message: format!(
            "all threads of the process wait, for ever, and nobody is left to wake one: {}",
            waits.join("; ")
        ),
        sides: row.iter().map(|thread| side(thread, &row)).collect(),
    }
}

/// The one to begin with: one that holds something while it waits, and for no thread's end.
fn first(waiting: &[Waiting]) -> usize {
    let rank = |thread: &Waiting| {
        let joins = matches!(thread.target, Target::Thread(_) | Target::Work(_));
        let is_wanted = waiting.iter().any(|other| thread.keeps(other));
        (joins, !is_wanted, thread.holds.is_empty())
    };
    let ranked = waiting.iter().enumerate();
    ranked
        .min_by_key(|(at, thread)| (rank(thread), *at))
        .map_or(0, |(at, _)| at)
}

fn sentence(thread: &Waiting, row: &[Waiting]) -> String {
    let label = |thread: &Waiting| super::stall::label(thread.thread);
    let who = label(thread);
    let keeper = row.iter().find(|other| other.keeps(thread));
    let held = keeper.map_or(String::new(), |keeper| {
        format!(", which {} holds", label(keeper))
    });
    match thread.target {
        Target::Lock(lock, _) => format!("{who} waits for {}{held}", name_of(lock)),
        Target::Condition(condvar, lock, _) if keeper.is_some() => {
            format!(
                "{who} waits for {}, then for {}{held}",
                name_of(condvar),
                name_of(lock)
            )
        }
        Target::Owed(object, _) => {
            let works = keeper.map_or(String::new(), |keeper| {
                format!(", which {} works for", label(keeper))
            });
            format!("{who} waits for {}{works}", name_of(object))
        }
        Target::Condition(object, ..) | Target::Event(object) | Target::Timed(object, _) => {
            format!("{who} waits for {}", name_of(object))
        }
        Target::Thread(other) | Target::Work(other) => {
            format!("{who} waits for the end of {}", super::stall::label(other))
        }
    }
}

fn side(thread: &Waiting, row: &[Waiting]) -> Side {
    let wanted = row.iter().find_map(|other| thread.holds_against(other));
    let target = match thread.target {
        Target::Condition(condvar, ..) => Target::Event(condvar),
        target => target,
    };
    Side {
        thread: thread.thread,
        thread_name: thread_name(thread.thread),
        holds: wanted.or(thread.holds.last().copied()).map(lock_use),
        wants: wants(target, thread.at),
        ask: Ask::Wait,
        waited: Some(thread.waited),
        stack: thread.stack,
        held_stack: Stack::EMPTY,
    }
}
