//! All threads that wait, as they were at one moment.

use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::time::Duration;

use super::super::atomic::fence;
use super::super::identity::LockId;
use super::super::mode::Mode;
use super::super::site::Site;
use super::super::slot::{self, HeldLock, Slot};
use super::super::stack::Stack;
use super::{Target, now};

/// A thread that waits, as it was at one moment.
pub(in super::super) struct Waiting {
    pub(in super::super) thread: u32,
    pub(in super::super) target: Target,
    pub(in super::super) at: Site,
    pub(in super::super) waited: Duration,
    pub(in super::super) holds: Vec<HeldLock>,
    pub(in super::super) stack: Stack,
    slot: &'static Slot,
    turn: u64,
}

/// All threads that wait now.
pub(in super::super) fn waiting() -> Vec<Waiting> {
    slot::all().filter_map(Waiting::of).collect()
}

/// Whether all threads wait for good, at about this time.
pub(in super::super) fn all_wait() -> bool {
    /// The thread that was last seen to run: the first to be looked at, as it may still do so.
    static RUNS: AtomicPtr<Slot> = AtomicPtr::new(std::ptr::null_mut());
    // Whoever else begins to wait now sees this thread's wait, or this thread sees that.
    fence(SeqCst);
    // SAFETY: null, or a slot that was in the list, as whoever stored this had read it from there; slots are never
    // freed.
    let latest = unsafe { RUNS.load(Acquire).as_ref() };
    if latest.is_some_and(|slot| slot.is_taken() && slot.wait.runs()) {
        return false;
    }
    let Some(slot) = slot::all().find(|slot| slot.wait.runs()) else {
        return true;
    };
    // Who follows it sees the slot as it was made.
    RUNS.store(std::ptr::from_ref(slot).cast_mut(), Release);
    false
}

/// All threads, if all wait for good.
pub(in super::super) fn all_waiting() -> Option<Vec<Waiting>> {
    slot::all()
        .filter(|slot| !slot.wait.is_ours.load(Relaxed))
        .map(Waiting::of)
        .collect()
}

/// The threads that hold a lock so that nobody else can get it in this mode, at about this time.
pub(in super::super) fn holders(lock: LockId, mode: Mode) -> Vec<u32> {
    slot::all()
        .filter(|slot| slot.keeps_out(lock, mode))
        .map(|slot| slot.thread.load(Relaxed))
        .collect()
}

impl Waiting {
    /// Whether the thread still waits, and has since.
    pub(in super::super) fn lasts(&self) -> bool {
        self.slot.wait.lasts(self.turn)
    }

    /// Which wait of which thread this is.
    pub(in super::super) fn key(&self) -> (u32, u64) {
        (self.thread, self.turn)
    }

    /// Whether this wait was told as part of a deadlock.
    pub(in super::super) fn was_told(&self) -> bool {
        self.slot.wait.told.load(Relaxed) == self.turn
    }

    /// The same. It is taken for told from now on.
    pub(in super::super) fn tell(&self) -> bool {
        let wait = &self.slot.wait;
        let was_told = wait.told.swap(self.turn, Relaxed) == self.turn;
        if !was_told {
            wait.told_by.store(0, Relaxed);
        }
        was_told
    }

    /// Whether this thread keeps `other` waiting.
    pub(in super::super) fn keeps(&self, other: &Waiting) -> bool {
        !std::ptr::eq(self.slot, other.slot) && self.holds_against(other).is_some()
            || match other.target {
                Target::Thread(thread) | Target::Work(thread) => thread == self.thread,
                Target::Owed(_, key) => self.slot.wait.owes(key),
                _ => false,
            }
    }

    /// What this thread holds that `other` waits for.
    pub(in super::super) fn holds_against(&self, other: &Waiting) -> Option<HeldLock> {
        let (Target::Lock(lock, mode) | Target::Condition(_, lock, mode)) = other.target else {
            return None;
        };
        let mut held = self.holds.iter();
        held.find(|held| held.lock == lock && held.mode.excludes(mode))
            .copied()
    }

    fn of(slot: &'static Slot) -> Option<Waiting> {
        let (turn, target) = slot.wait.read()?;
        if matches!(target, Target::Timed(..)) {
            return None;
        }
        let thread = slot.thread.load(Relaxed);
        let (site, since) = (&slot.wait.site, &slot.wait.since);
        let (site, since) = (site.load(Relaxed), since.load(Relaxed));
        let words: Vec<_> = slot.words_from_outside().collect();
        let stack = slot.wait.stack.load();
        if !slot.wait.lasts(turn) {
            return None;
        }
        Some(Waiting {
            thread,
            target,
            // SAFETY: the word was packed by `begin`, and its wait lasted while it was read.
            at: unsafe { Site::unpack(site) },
            waited: Duration::from_nanos(now().saturating_sub(since)),
            // SAFETY: the wait lasted while the words were read, so that they are what `push` wrote.
            holds: words
                .into_iter()
                .map(|words| unsafe { words.read() })
                .collect(),
            stack,
            slot,
            turn,
        })
    }

    /// Whether this wait has not been told as a stall yet. It is taken for told from now on.
    pub(in super::super) fn is_news(&self) -> bool {
        self.slot.wait.told_as_stall.swap(self.turn, Relaxed) != self.turn
    }
}
