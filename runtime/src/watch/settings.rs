//! What the environment asks for, read once.
//!
//! | variable | values | meaning |
//! | --- | --- | --- |
//! | `LOCKWISE_LEVEL` | `off`, `order`, `trace` | what is watched and recorded; `order` if not given |
//! | `LOCKWISE_LOG` | a directory | where each process writes its event log; none if not given |
//! | `LOCKWISE_LOG_MAX` | bytes, with `K`, `M` or `G` | the size at which a log, or all logs of a directory with a [`TOTAL`](super::log::TOTAL), falls from `trace` to `order`; 1G |
//! | `LOCKWISE_ON_FINDING` | `report`, `panic`, `abort`, `silent` | see [`Reaction`](super::Reaction) |
//! | `LOCKWISE_ON_DEADLOCK` | as above | the same for LW0001, when threads wait for each other; as above if not given |
//! | `LOCKWISE_STALL` | seconds | a thread that waits longer has all waiting threads described, once; never if not given |
//! | `LOCKWISE_DUMP` | `usr1`, `usr2` | the signal that has all waiting threads described; none if not given, and on Linux only |
//! | `LOCKWISE_ORDER` | `declared`, `every`, `learn` | see [`Order`](super::Order) |
//! | `LOCKWISE_ACQUIRE` | `refuse`, `report` | see [`Enforcement`](super::Enforcement) |
//! | `LOCKWISE_STACKS` | `0`, `1`, `all` | stacks of new edges and waits (if not given: if a callback is set or a log is written, and of the first 256 waits of a thread); `all`: and of each acquisition, for what is held in a deadlock, at some 10 µs each |
//!
//! What the program chooses by a call wins over the environment. A value that is not understood is
//! reported on standard error, once, and the default is taken.

use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64};
use std::time::Duration;

use super::platform;
use super::reaction::{Enforcement, Order, Reaction};

/// What is watched and recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Level {
    /// Nothing.
    Off = 0,
    /// Held sets and orders; the log holds new chains only.
    Order = 1,
    /// All events go to the log.
    Trace = 2,
}

static FORKED: AtomicBool = AtomicBool::new(false);
static LOADED: AtomicBool = AtomicBool::new(false);
static LEVEL: AtomicU8 = AtomicU8::new(Level::Order as u8);
static LOG: AtomicBool = AtomicBool::new(false);
static LOG_MAX: AtomicU64 = AtomicU64::new(1 << 30);
/// 0 not chosen, 1 off, 2 on, 3 of acquisitions too.
static STACKS: AtomicU8 = AtomicU8::new(0);
/// The reaction plus one; 0 not chosen.
static REACTION: AtomicU8 = AtomicU8::new(0);
/// The reaction to a deadlock plus one; 0 not chosen.
static DEADLOCK_REACTION: AtomicU8 = AtomicU8::new(0);
/// How long a thread may wait before that is told, in seconds; 0 for ever.
static STALL: AtomicU32 = AtomicU32::new(0);
/// The signal that asks for a description of all waits; 0 for none.
static DUMP: AtomicU8 = AtomicU8::new(0);
/// The order plus one; 0 not chosen.
static ORDER: AtomicU8 = AtomicU8::new(0);
/// The enforcement plus one; 0 not chosen.
static ENFORCEMENT: AtomicU8 = AtomicU8::new(0);
/// See [`Now`].
static NOW: AtomicU32 = AtomicU32::new(Now::EPOCH | Now::WATCHES);

/// What is watched now, and the epoch, in one word: a hook compares it with the one that its thread saw
/// last, and needs to look at nothing else as long as they are equal.
///
/// The epoch counts what makes per-thread knowledge stale: a fork, another level, forgotten chains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Now(u32);

impl Now {
    /// No word that [`now`] gives while something is watched.
    pub(super) const NEVER: Now = Now(0);

    const WATCHES: u32 = 1;
    const TRACES: u32 = 2;
    const FORKED: u32 = 4;
    const KEEPS: u32 = 8;
    /// One epoch.
    const EPOCH: u32 = 16;

    /// Whether anything is watched.
    pub(super) fn watches(self) -> bool {
        self.0 & Now::WATCHES != 0
    }

    /// Whether all events are recorded.
    #[inline]
    pub(super) fn traces(self) -> bool {
        self.0 & Now::TRACES != 0
    }

    /// Whether something is noted of each acquisition.
    #[inline]
    pub(super) fn notes(self) -> bool {
        self.0 & (Now::TRACES | Now::KEEPS) != 0
    }

    /// Whether the stack of each acquisition is kept as long as the lock is held.
    #[inline]
    pub(super) fn keeps_stacks(self) -> bool {
        self.0 & Now::KEEPS != 0
    }

    /// Whether all events are recorded, by a process that was not forked from one that is watched: what
    /// has a number is then defined in the log.
    #[inline]
    pub(super) fn traces_unforked(self) -> bool {
        self.0 & (Now::TRACES | Now::FORKED) == Now::TRACES
    }

    /// Tells this epoch from others.
    pub(super) fn epoch(self) -> u32 {
        self.0 / Now::EPOCH
    }
}

/// Whether the environment was read.
#[inline]
pub(super) fn is_loaded() -> bool {
    LOADED.load(Relaxed)
}

/// Reads the environment, if that was not done yet.
#[cold]
pub(super) fn load() {
    if LOADED.swap(true, Relaxed) {
        return;
    }
    if let Some(level) = choice(
        c"LOCKWISE_LEVEL",
        &[
            (b"off", Level::Off as u8),
            (b"order", Level::Order as u8),
            (b"trace", Level::Trace as u8),
        ],
    ) {
        LEVEL.store(level, Relaxed);
    }
    let reactions: [(&[u8], u8); 4] = [
        (b"report", Reaction::Report as u8 + 1),
        (b"panic", Reaction::Panic as u8 + 1),
        (b"abort", Reaction::Abort as u8 + 1),
        (b"silent", Reaction::Silent as u8 + 1),
    ];
    if let Some(reaction) = choice(c"LOCKWISE_ON_FINDING", &reactions) {
        let _ = REACTION.compare_exchange(0, reaction, Relaxed, Relaxed);
    }
    if let Some(reaction) = choice(c"LOCKWISE_ON_DEADLOCK", &reactions) {
        let _ = DEADLOCK_REACTION.compare_exchange(0, reaction, Relaxed, Relaxed);
    }
    if let Some(text) = platform::env(c"LOCKWISE_STALL").filter(|text| !text.is_empty()) {
        let seconds = std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.parse().ok());
        match seconds {
            Some(seconds) => STALL.store(seconds, Relaxed),
            None => complain(c"LOCKWISE_STALL"),
        }
    }
    // The numbers of Linux.
    if let Some(signal) = choice(c"LOCKWISE_DUMP", &[(b"usr1", 10), (b"usr2", 12)]) {
        DUMP.store(signal, Relaxed);
    }
    let orders: [(&[u8], u8); 3] = [
        (b"declared", Order::Declared as u8 + 1),
        (b"every", Order::Every as u8 + 1),
        (b"learn", Order::Learn as u8 + 1),
    ];
    if let Some(order) = choice(c"LOCKWISE_ORDER", &orders) {
        let _ = ORDER.compare_exchange(0, order, Relaxed, Relaxed);
    }
    let enforcements: [(&[u8], u8); 2] = [
        (b"refuse", Enforcement::Refuse as u8 + 1),
        (b"report", Enforcement::Report as u8 + 1),
    ];
    if let Some(enforcement) = choice(c"LOCKWISE_ACQUIRE", &enforcements) {
        let _ = ENFORCEMENT.compare_exchange(0, enforcement, Relaxed, Relaxed);
    }
    if let Some(stacks) = choice(c"LOCKWISE_STACKS", &[(b"0", 1), (b"1", 2), (b"all", 3)]) {
        STACKS.store(stacks, Relaxed);
    }
    let named = platform::env(c"LOCKWISE_LOG").is_some_and(|dir| !dir.is_empty());
    LOG.store(named && level() != Level::Off, Relaxed);
    new_epoch();
    if let Some(text) = platform::env(c"LOCKWISE_LOG_MAX") {
        match bytes(text) {
            Some(max) => LOG_MAX.store(max, Relaxed),
            None => complain(c"LOCKWISE_LOG_MAX"),
        }
    }
}

/// The value that belongs to what the variable says.
fn choice(name: &'static std::ffi::CStr, values: &[(&[u8], u8)]) -> Option<u8> {
    let text = platform::env(name).filter(|text| !text.is_empty())?;
    let found = values.iter().find(|(value, _)| *value == text);
    if found.is_none() {
        complain(name);
    }
    found.map(|(_, number)| *number)
}

/// A number of bytes, with an optional unit.
fn bytes(text: &[u8]) -> Option<u64> {
    let (digits, shift) = match text.split_last()? {
        (b'K' | b'k', digits) => (digits, 10),
        (b'M' | b'm', digits) => (digits, 20),
        (b'G' | b'g', digits) => (digits, 30),
        _ => (text, 0),
    };
    let number: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    number.checked_mul(1 << shift)
}

fn complain(name: &'static std::ffi::CStr) {
    let mut line = [0_u8; 128];
    let mut len = 0;
    for part in [
        b"lockwise: the value of ",
        name.to_bytes(),
        b" is not understood\n",
    ] {
        line[len..len + part.len()].copy_from_slice(part);
        len += part.len();
    }
    platform::write_stderr(&line[..len]);
}

/// What is watched and recorded now.
#[inline]
pub(super) fn level() -> Level {
    match LEVEL.load(Relaxed) {
        0 => Level::Off,
        1 => Level::Order,
        _ => Level::Trace,
    }
}

/// Falls from `trace` to `order`, because the log is full.
pub(super) fn fall_to_order() {
    LEVEL.store(Level::Order as u8, Relaxed);
    new_epoch();
}

/// Whether a log is to be written.
#[inline]
pub(super) fn log_wanted() -> bool {
    LOG.load(Relaxed)
}

/// Gives the log up.
pub(super) fn log_failed() {
    LOG.store(false, Relaxed);
    new_epoch();
}

/// Watches nothing any more, because what is known is not true any more.
pub(super) fn stop() {
    LEVEL.store(Level::Off as u8, Relaxed);
    log_failed();
}

/// The size at which a log falls from `trace` to `order`, in bytes.
pub(super) fn log_max() -> u64 {
    LOG_MAX.load(Relaxed)
}

/// Whether stacks of new edges are captured.
pub(super) fn stacks_wanted() -> bool {
    match STACKS.load(Relaxed) {
        0 => log_wanted() || super::reaction::has_callback(),
        chosen => chosen >= 2,
    }
}

/// Whether the user has asked for stacks.
pub(super) fn stacks_asked_for() -> bool {
    STACKS.load(Relaxed) >= 2
}

/// How long a thread may wait before that is told; none if it may for ever.
#[inline]
pub(super) fn stall() -> Option<Duration> {
    let seconds = STALL.load(Relaxed);
    (seconds != 0).then(|| Duration::from_secs(u64::from(seconds)))
}

/// The signal that asks for a description of all waits.
pub(super) fn dump() -> Option<u8> {
    let signal = DUMP.load(Relaxed);
    (signal != 0).then_some(signal)
}

/// What happens on a finding.
pub(super) fn reaction() -> Reaction {
    reaction_of(REACTION.load(Relaxed))
}

/// Chooses what happens when threads wait for each other.
pub(super) fn choose_deadlock_reaction(reaction: Reaction) {
    DEADLOCK_REACTION.store(reaction as u8 + 1, Relaxed);
}

/// What happens when threads wait for each other.
pub(super) fn deadlock_reaction() -> Reaction {
    match DEADLOCK_REACTION.load(Relaxed) {
        0 => reaction(),
        chosen => reaction_of(chosen),
    }
}

fn reaction_of(chosen: u8) -> Reaction {
    match chosen {
        0 | 1 => Reaction::Report,
        2 => Reaction::Panic,
        3 => Reaction::Abort,
        _ => Reaction::Silent,
    }
}

/// Whether the program or the environment chose what happens on a finding.
pub(super) fn reaction_was_chosen() -> bool {
    REACTION.load(Relaxed) != 0
}

/// Chooses what happens on a finding.
pub(super) fn choose_reaction(reaction: Reaction) {
    REACTION.store(reaction as u8 + 1, Relaxed);
}

/// What `acquire!` does when the ascending rule is broken.
pub(super) fn enforcement() -> Enforcement {
    if ENFORCEMENT.load(Relaxed) == 2 {
        Enforcement::Report
    } else {
        Enforcement::Refuse
    }
}

/// Chooses what `acquire!` does when the ascending rule is broken.
pub(super) fn choose_enforcement(enforcement: Enforcement) {
    ENFORCEMENT.store(enforcement as u8 + 1, Relaxed);
}

/// Where the ascending rule binds.
#[inline]
pub(super) fn order() -> Order {
    match ORDER.load(Relaxed) {
        0 | 1 => Order::Declared,
        2 => Order::Every,
        _ => Order::Learn,
    }
}

/// Chooses where the ascending rule binds. Chains judged under the old rule are judged again.
pub(super) fn choose_order(order: Order) {
    ORDER.store(order as u8 + 1, Relaxed);
    new_epoch();
}

/// What is watched now, and the current epoch; what a thread knows from another one is stale.
#[inline]
pub(super) fn now() -> Now {
    Now(NOW.load(Relaxed))
}

/// Says that this process was forked from one that is watched, and makes all per-thread knowledge stale.
pub(super) fn forked() {
    FORKED.store(true, Relaxed);
    new_epoch();
}

/// Makes all per-thread knowledge stale, and says what is watched from now on.
pub(super) fn new_epoch() {
    let next = |now: u32| {
        // Read after `now` was: whoever changes them comes here afterwards, so that the last word of
        // all knows of every change.
        let watches = match (level(), log_wanted()) {
            (Level::Off, _) => 0,
            (Level::Trace, true) => Now::WATCHES | Now::TRACES,
            _ => Now::WATCHES,
        };
        let forked = if FORKED.load(Relaxed) { Now::FORKED } else { 0 };
        let kept = STACKS.load(Relaxed) == 3 && watches != 0;
        let watches = watches | forked | if kept { Now::KEEPS } else { 0 };
        Some((now & !(Now::EPOCH - 1)).wrapping_add(Now::EPOCH) | watches)
    };
    // The closure gives a word for each word, so this cannot fail.
    let _ = NOW.fetch_update(AcqRel, Acquire, next);
}
