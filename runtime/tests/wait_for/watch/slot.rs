//! What one thread of a model holds: a row of entries that are written and read as the real ones are, by
//! plain stores and loads.

use std::cell::RefCell;

use loom::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed};

use super::identity::LockId;
use super::mode::Mode;
use super::site::Site;
use super::stack::Stack;
use super::wait_for::{self, Behind, Member, Target, Teller, Wait};

/// One held lock.
struct Entry {
    lock: AtomicU64,
    mode: AtomicU64,
}

/// A copy of an entry, which fits together only if nobody wrote meanwhile.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words {
    lock: u64,
    mode: u64,
}

/// What such a copy means.
#[derive(Debug, Clone, Copy)]
pub(super) struct HeldLock {
    pub(super) lock: LockId,
    pub(super) mode: Mode,
}

impl Entry {
    fn new() -> Entry {
        Entry {
            lock: AtomicU64::new(0),
            mode: AtomicU64::new(0),
        }
    }

    fn words(&self) -> Words {
        Words {
            lock: self.lock.load(Relaxed),
            mode: self.mode.load(Relaxed),
        }
    }

    fn is_against(&self, lock: LockId, wanted: Mode) -> bool {
        self.lock.load(Relaxed) == lock.0
            && Mode::from_number(self.mode.load(Relaxed) as u8)
                .is_some_and(|mode| mode.excludes(wanted))
    }
}

impl Words {
    /// As of the real one.
    ///
    /// # Safety
    ///
    /// They must fit together.
    pub(super) unsafe fn read(self) -> HeldLock {
        HeldLock {
            lock: LockId(self.lock),
            mode: Mode::from_number(self.mode as u8).expect("it was written so"),
        }
    }
}

/// What is owed, whatever its key.
const OWED: u64 = 100;
/// The most locks that a thread of a model holds.
const ROOM: usize = 2;

pub(crate) struct Slot {
    pub(super) thread: AtomicU32,
    pub(super) wait: Wait,
    depth: AtomicUsize,
    entries: [Entry; ROOM],
}

thread_local! {
    /// The slots of the schedule that runs. All its threads run on one thread of the system.
    static ALL: RefCell<Vec<&'static Slot>> = const { RefCell::new(Vec::new()) };
}

pub(super) fn all() -> impl Iterator<Item = &'static Slot> {
    ALL.with_borrow(Clone::clone).into_iter()
}

/// Slots for the threads 1 to `threads` of one schedule, which are freed when this is dropped.
pub(crate) struct Slots(Vec<*mut Slot>);

impl Slots {
    pub(crate) fn new(threads: u32) -> Slots {
        let slots: Vec<*mut Slot> = (1..=threads)
            .map(|thread| {
                Box::into_raw(Box::new(Slot {
                    thread: AtomicU32::new(thread),
                    wait: Wait::new(),
                    depth: AtomicUsize::new(0),
                    entries: [Entry::new(), Entry::new()],
                }))
            })
            .collect();
        // SAFETY: they were just made, and whoever has these references has ended when they are freed.
        let all = slots.iter().map(|slot| unsafe { &**slot }).collect();
        ALL.set(all);
        Slots(slots)
    }

    pub(crate) fn of(&self, thread: usize) -> &'static Slot {
        // SAFETY: it was made by `new`; a schedule drops its slots when its threads have been joined.
        unsafe { &*self.0[thread - 1] }
    }
}

impl Drop for Slots {
    fn drop(&mut self) {
        ALL.set(Vec::new());
        for &slot in &self.0 {
            // SAFETY: it came from a box, and the threads of the schedule have been joined.
            drop(unsafe { Box::from_raw(slot) });
        }
    }
}

impl Slot {
    /// The thread has taken a lock: as the real slot writes it.
    pub(crate) fn push(&self, lock: u64, mode: Mode) {
        let depth = self.depth.load(Relaxed);
        let entry = &self.entries[depth];
        entry.lock.store(lock, Relaxed);
        entry.mode.store(mode as u64, Relaxed);
        self.depth.store(depth + 1, Relaxed);
    }

    /// The thread is about to give back the lock that it took last.
    pub(crate) fn pop(&self) {
        let depth = self.depth.load(Relaxed);
        self.depth.store(depth - 1, Relaxed);
    }

    /// The thread is about to park, and says so.
    pub(crate) fn begin(&self, lock: u64, mode: Mode) {
        self.wait
            .begin(Target::Lock(LockId(lock), mode), Site::caller(), &Stack);
    }

    /// The thread gives `lock` back and waits for `condvar`.
    pub(crate) fn begin_condition(&self, condvar: u64, lock: u64, mode: Mode) {
        let target = Target::Condition(LockId(condvar), LockId(lock), mode);
        self.wait.begin_giving_back(target, Site::caller(), &Stack);
    }

    /// The thread is about to ask for a lock until a deadline.
    pub(crate) fn begin_timed(&self, lock: u64, mode: Mode) {
        self.wait.begin_timed(LockId(lock), mode, Site::caller());
    }

    /// Whether this thread's wait closes a deadlock behind a writer.
    pub(crate) fn closes_behind_writers(&'static self, again: &mut dyn FnMut() -> bool) -> bool {
        let found = wait_for::deadlock_behind_writers(self, Teller::Stays, again);
        matches!(found, Behind::Deadlock(_))
    }

    /// The thread is about to wait for the end of another.
    pub(crate) fn begin_join(&self, thread: u32) {
        self.wait
            .begin(Target::Thread(thread), Site::caller(), &Stack);
    }

    /// From now on the thread works for what has this key.
    pub(crate) fn owe(&self, key: u64) {
        self.wait.owe(key);
    }

    /// The work for what it owes since last is done.
    pub(crate) fn give(&self) {
        self.wait.give();
    }

    /// The thread parks, for what somebody owes under this key, as often as it likes.
    pub(crate) fn begin_owed(&self, key: u64) {
        let (target, at) = (Target::Owed(LockId(OWED), key), Site::caller());
        self.wait.begin(target, at, &Stack);
        self.wait.keep(target, at);
    }

    /// The thread, which has stopped waiting to look what it can have, parks for the same again.
    pub(crate) fn begin_again(&self) {
        let kept = self.wait.kept().expect("it has parked before");
        self.wait.begin_again(kept, &Stack);
    }

    /// The thread has what it waited for, or looks whether it can have it.
    pub(crate) fn end(&self) {
        self.wait.end();
    }

    /// The threads of the deadlock that this thread's wait closes.
    pub(crate) fn closes(&'static self) -> Option<Vec<u32>> {
        threads(wait_for::deadlock(self, Teller::Stays))
    }

    /// The same for a thread that then unwinds, and so does not wait any more when it is told.
    pub(crate) fn closes_and_unwinds(&'static self) -> Option<Vec<u32>> {
        threads(wait_for::deadlock(self, Teller::MayUnwind))
    }

    /// The same for a thread that might have unwound, and waits on. How many deadlocks it has told.
    pub(crate) fn closes_and_goes_on(&'static self) -> usize {
        let mut told = 0;
        while wait_for::deadlock(self, Teller::MayUnwind).is_some() {
            self.wait.resume();
            told += 1;
        }
        told
    }

    #[expect(clippy::unused_self, reason = "the real one has a state")]
    pub(super) fn is_taken(&self) -> bool {
        true
    }

    fn entries_from_outside(&self) -> impl Iterator<Item = &Entry> {
        self.entries[..self.depth.load(Relaxed)].iter()
    }

    pub(super) fn words_from_outside(&self) -> impl Iterator<Item = Words> {
        self.entries_from_outside().map(Entry::words)
    }

    pub(super) fn keeps_out(&self, lock: LockId, wanted: Mode) -> bool {
        self.entries_from_outside()
            .any(|entry| entry.is_against(lock, wanted))
    }

    pub(super) fn words_against(&self, lock: LockId, wanted: Mode) -> Option<Words> {
        self.entries_from_outside()
            .find(|entry| entry.is_against(lock, wanted))
            .map(Entry::words)
    }

    #[expect(clippy::unused_self, reason = "the real one has a state")]
    pub(super) fn stack_against(&self, _lock: LockId, _wanted: Mode) -> Stack {
        Stack::EMPTY
    }
}

fn threads(circle: Option<Vec<Member>>) -> Option<Vec<u32>> {
    Some(circle?.iter().map(|member| member.thread).collect())
}
