//! What a thread holds: a row of entries, the oldest first.
//!
//! The first few stand in the slot itself, the others in an array that grows without limit. Releases
//! come in any order. Other threads may read the row at any time.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicUsize};

use super::super::identity::LockId;
use super::super::memory::Pages;
use super::super::mode::Mode;
use super::super::stack::{SharedStack, Stack};
use super::Slot;
use super::entry::{At, Entry, HeldLock, Words};

/// How many entries stand in the slot itself.
const INLINE: usize = 32;

/// What a thread holds.
pub(super) struct HeldSet {
    /// How many entries are in use.
    depth: AtomicUsize,
    /// The chain of a thread that holds nothing: its own, and another one in each stretch and epoch, so
    /// that no chain of any other is taken for one of its.
    base: Cell<u64>,
    /// The oldest entries.
    first: [Entry; INLINE],
    /// The entries after these; the first place of the array holds how many there are, and the address of the array
    /// that it has replaced. Null as long as none was needed.
    more: AtomicPtr<Entry>,
    /// How many entries there is room for.
    capacity: Cell<usize>,
    /// The stacks of the acquisitions of the oldest entries, a row as long as `first`; null unless they are
    /// kept.
    stacks: AtomicPtr<SharedStack>,
    /// What was held as the oldest when that was last looked up, as the two words of its entry without the
    /// site, and its node.
    bottom: Cell<(u64, u64, u32)>,
}

impl HeldSet {
    pub(super) const fn new() -> HeldSet {
        HeldSet {
            depth: AtomicUsize::new(0),
            base: Cell::new(1),
            first: [const { Entry::new() }; INLINE],
            more: AtomicPtr::new(std::ptr::null_mut()),
            capacity: Cell::new(INLINE),
            stacks: AtomicPtr::new(std::ptr::null_mut()),
            bottom: Cell::new((0, 0, 0)),
        }
    }

    /// Forgets all entries: the thread has ended.
    pub(super) fn clear(&self) {
        self.depth.store(0, Relaxed);
    }

    #[inline]
    fn entry(&self, at: usize) -> &Entry {
        debug_assert!(
            at < self.capacity.get(),
            "only places that there are are asked for"
        );
        match self.first.get(at) {
            Some(entry) => entry,
            // SAFETY: `at` is less than the capacity and not less than `INLINE`.
            None => unsafe { self.later(at) },
        }
    }

    /// The place for an entry that does not stand in the slot itself.
    ///
    /// # Safety
    ///
    /// `at` must be less than the capacity and not less than `INLINE`.
    unsafe fn later(&self, at: usize) -> &Entry {
        let more = self.more.load(Relaxed);
        // SAFETY: the capacity is `INLINE` and the length of the array, whose first place is the header.
        let entry = unsafe { more.add(at - INLINE + 1) };
        // SAFETY: arrays are allocated as zeros, which are valid entries, and never freed.
        unsafe { &*entry }
    }

    #[cold]
    fn grow(&self) -> bool {
        let old = self.capacity.get() - INLINE;
        let room = (old * 2).max(INLINE);
        let Ok(layout) = Layout::array::<Entry>(room + 1) else {
            return false;
        };
        // SAFETY: the layout's size is not zero. Zeroed entries are valid ones.
        let fresh = unsafe { Pages.alloc_zeroed(layout) };
        #[expect(clippy::cast_ptr_alignment, reason = "the layout is that of entries")]
        let fresh = fresh.cast::<Entry>();
        if fresh.is_null() {
            return false;
        }
        // SAFETY: the array has at least one entry, zeroed and thus valid.
        let header = unsafe { &*fresh };
        header.lock.store(room as u64, Relaxed);
        for at in 0..old {
            let from = self.entry(INLINE + at);
            // SAFETY: `at < room`, and the array has one entry more than that.
            let to = unsafe { fresh.add(at + 1) };
            // SAFETY: as for the header.
            let to = unsafe { &*to };
            to.copy(from);
            to.below.store(from.below.load(Relaxed), Relaxed);
            to.node.store(from.node.load(Relaxed), Relaxed);
        }
        // The old array stays allocated: another thread may be reading it. All old arrays of a
        // slot together are smaller than the new one, whose header says where the last one is, so that
        // nobody who looks for lost memory takes it for that.
        let outgrown = self.more.load(Relaxed).expose_provenance();
        header.below.store(outgrown as u64, Relaxed);
        self.more.store(fresh, Release);
        self.capacity.set(INLINE + room);
        true
    }

    /// The stacks of the oldest entries, if they are kept.
    fn stacks(&self) -> Option<&[SharedStack]> {
        let row = self.stacks.load(Acquire);
        // SAFETY: null or a row of that length, allocated as zeros, which are valid, and never freed.
        (!row.is_null()).then(|| unsafe { std::slice::from_raw_parts(row, INLINE) })
    }

    /// Makes the row of stacks, if the system gives memory.
    fn make_stacks(&self) {
        let Ok(layout) = Layout::array::<SharedStack>(INLINE) else {
            return;
        };
        // SAFETY: the layout's size is not zero.
        let row = unsafe { Pages.alloc_zeroed(layout) };
        self.stacks.store(row.cast(), Release);
    }

    /// The entries, maybe another thread's, at about this time, oldest first.
    fn entries_from_outside(&self) -> impl Iterator<Item = &Entry> {
        let depth = self.depth.load(Relaxed);
        let more = self.more.load(Acquire);
        // SAFETY: null or an array, whose first entry is its header; arrays are never freed.
        let header = unsafe { more.as_ref() };
        // The depth may belong to a newer and longer array than the one that was loaded.
        let room = header.map_or(0, |header| header.lock.load(Relaxed) as usize);
        let later = depth.saturating_sub(INLINE).min(room);
        let later = (1..=later).map(move |at| {
            // SAFETY: `at` is at most the capacity that the array's own header names.
            let entry = unsafe { more.add(at) };
            // SAFETY: arrays hold valid entries and are never freed.
            unsafe { &*entry }
        });
        self.first[..depth.min(INLINE)].iter().chain(later)
    }
}

impl Slot {
    /// How many locks the thread holds, one held twice counting twice.
    #[inline]
    pub(in super::super) fn depth(&self) -> usize {
        self.held.depth.load(Relaxed)
    }

    /// The held lock at `at`, from the oldest.
    pub(in super::super) fn held(&self, at: usize) -> HeldLock {
        let words = self.held.entry(at).words();
        // SAFETY: the words were written by `push` on this thread.
        unsafe { words.read() }
    }

    /// All held locks, oldest first.
    pub(in super::super) fn all_held(&self) -> impl DoubleEndedIterator<Item = HeldLock> + '_ {
        (0..self.depth()).map(|at| self.held(at))
    }

    /// All holds of this lock, oldest first.
    pub(in super::super) fn holds_of(
        &self,
        lock: LockId,
    ) -> impl DoubleEndedIterator<Item = HeldLock> + '_ {
        (0..self.depth())
            .filter(move |&at| self.held.entry(at).lock.load(Relaxed) == lock.0)
            .map(|at| self.held(at))
    }

    /// The chain of all held locks, as a hash that is this thread's own.
    #[inline]
    pub(in super::super) fn key(&self) -> u64 {
        match self.depth() {
            0 => self.held.base.get(),
            _ => self.key_above(),
        }
    }

    /// The same where something is held.
    #[inline]
    pub(in super::super) fn key_above(&self) -> u64 {
        self.held.entry(self.depth() - 1).chain()
    }

    /// The node of the entry at `at`; 0 if it was not looked up.
    pub(in super::super) fn node(&self, at: usize) -> u32 {
        if at > 0 {
            return self.held.entry(at).node.load(Relaxed);
        }
        let (lock, how, node) = self.held.bottom.get();
        if (lock, how) == self.bottom() {
            node
        } else {
            0
        }
    }

    /// Remembers the node of the entry at `at`.
    pub(in super::super) fn set_node(&self, at: usize, node: u32) {
        if at > 0 {
            self.held.entry(at).node.store(node, Relaxed);
        } else {
            let (lock, how) = self.bottom();
            self.held.bottom.set((lock, how, node));
        }
    }

    /// What its node says of the oldest entry: lock, mode and ask.
    fn bottom(&self) -> (u64, u64) {
        let oldest = &self.held.first[0];
        let lock = oldest.lock.load(Relaxed);
        (lock, oldest.at().how_logged().into())
    }

    /// Adds a lock as the only one held.
    #[inline]
    pub(in super::super) fn push_first(&self, what: (u64, At, u32)) {
        debug_assert_eq!(self.depth(), 0, "nothing is held");
        self.held.first[0].set(what);
        self.held.depth.store(1, Relaxed);
    }

    /// Adds a lock as the youngest, if there is room for it in the slot itself; `key` is the chain of what
    /// is held, and the node of the new entry is not known.
    #[inline]
    pub(in super::super) fn push_inline(&self, what: (u64, At, u32), key: u64) -> bool {
        let depth = self.depth();
        let Some(entry) = self.held.first.get(depth) else {
            return false;
        };
        entry.set(what);
        entry.below.store(key, Relaxed);
        entry.node.store(0, Relaxed);
        self.held.depth.store(depth + 1, Relaxed);
        true
    }

    /// Adds a lock as the youngest; `key` is the chain of what is held.
    pub(in super::super) fn push_above(&self, what: (u64, At, u32), key: u64, node: u32) {
        let depth = self.depth();
        self.cursor.lose_track();
        if depth == self.held.capacity.get() && !self.held.grow() {
            return;
        }
        let entry = self.held.entry(depth);
        entry.set(what);
        entry.below.store(key, Relaxed);
        entry.node.store(node, Relaxed);
        self.held.depth.store(depth + 1, Relaxed);
    }

    /// Adds a held lock as the youngest, beside others.
    pub(in super::super) fn push(&self, held: HeldLock) {
        let rank = held.rank.map_or(0, |rank| rank.0);
        self.push_above((held.lock.0, held.at(), rank), self.key_above(), 0);
    }

    /// Takes out the youngest entry, if it is of this lock in this mode and stands in the slot itself.
    #[inline]
    pub(in super::super) fn pop(&self, lock: u64, mode: Mode) -> bool {
        let at = self.depth().wrapping_sub(1);
        let Some(entry) = self.held.first.get(at) else {
            return false;
        };
        let fits = entry.lock.load(Relaxed) == lock && entry.at().is_in(mode);
        if fits {
            self.held.depth.store(at, Relaxed);
        }
        fits
    }

    /// Takes out the youngest entry of this lock (in this mode, if given), wherever it stands.
    ///
    /// False if there is none.
    pub(in super::super) fn remove(&self, lock: LockId, mode: Option<Mode>) -> bool {
        let found = (0..self.depth()).rev().find(|&at| {
            let entry = self.held.entry(at);
            let fits = |mode| entry.at().is_in(mode);
            entry.lock.load(Relaxed) == lock.0 && mode.is_none_or(fits)
        });
        if let Some(at) = found {
            self.close_gap(at);
        }
        found.is_some()
    }

    /// Moves the entries above `gap` down by one and computes their chains anew.
    fn close_gap(&self, gap: usize) {
        let depth = self.depth();
        self.cursor.lose_track();
        for at in gap + 1..depth {
            self.held.entry(at - 1).copy(self.held.entry(at));
        }
        if let Some(stacks) = self.held.stacks() {
            for at in gap + 1..depth.min(INLINE) {
                stacks[at - 1].store(&stacks[at].load());
            }
        }
        self.held.depth.store(depth - 1, Relaxed);
        self.rekey(gap);
    }

    /// Computes the chains of the entries from `from` on, whose nodes are not known any more.
    pub(super) fn rekey(&self, from: usize) {
        let mut key = match from {
            0 => self.held.base.get(),
            _ => self.held.entry(from - 1).chain(),
        };
        for at in from..self.depth() {
            let entry = self.held.entry(at);
            entry.below.store(key, Relaxed);
            key = entry.chain();
            self.set_node(at, 0);
        }
    }

    /// Makes all chains others than they were.
    pub(super) fn rebase(&self, base: u64) {
        self.held.base.set(base);
        self.held.first[0].below.store(base, Relaxed);
        self.held.bottom.set((0, 0, 0));
        self.rekey(0);
    }

    /// The youngest entry of this lock.
    pub(in super::super) fn find(&self, lock: LockId) -> Option<HeldLock> {
        self.holds_of(lock).next_back()
    }

    /// Turns the youngest entry of this lock in mode `from` into one in mode `to`.
    pub(in super::super) fn change_mode(&self, lock: LockId, from: Mode, to: Mode) {
        for at in (0..self.depth()).rev() {
            let held = self.held(at);
            if held.lock == lock && held.mode == from {
                let rank = held.rank.map_or(0, |rank| rank.0);
                let changed = HeldLock { mode: to, ..held };
                self.held.entry(at).set((lock.0, changed.at(), rank));
                self.rekey(at);
                return;
            }
        }
    }

    /// What this slot, maybe another thread's, holds at about this time.
    pub(in super::super) fn words_from_outside(&self) -> impl Iterator<Item = Words> {
        self.held.entries_from_outside().map(Entry::words)
    }

    /// Whether this slot, maybe another thread's, holds the lock at about this time.
    pub(super) fn holds_from_outside(&self, lock: LockId) -> bool {
        self.held
            .entries_from_outside()
            .any(|entry| entry.lock.load(Relaxed) == lock.0)
    }

    /// Whether this slot, maybe another thread's, holds the lock so that nobody else can get it in
    /// `wanted` before this thread releases it. Its guard is not one that may be sent away.
    pub(in super::super) fn keeps_out(&self, lock: LockId, wanted: Mode) -> bool {
        self.held
            .entries_from_outside()
            .any(|entry| entry.lock.load(Relaxed) == lock.0 && entry.keeps_out(wanted))
    }

    /// What [`Slot::keeps_out`] has seen, at about this time.
    pub(in super::super) fn words_against(&self, lock: LockId, wanted: Mode) -> Option<Words> {
        self.held
            .entries_from_outside()
            .find(|entry| entry.lock.load(Relaxed) == lock.0 && entry.keeps_out(wanted))
            .map(Entry::words)
    }

    /// Keeps the stack of the acquisition of the youngest entry, unless many are held.
    pub(in super::super) fn keep_stack(&self, stack: &Stack) {
        if self.held.stacks().is_none() {
            self.held.make_stacks();
        }
        let at = self.depth().wrapping_sub(1);
        if let Some(place) = self.held.stacks().and_then(|stacks| stacks.get(at)) {
            place.store(stack);
        }
    }

    /// The stack of what [`Slot::keeps_out`] has seen, if it is kept.
    pub(in super::super) fn stack_against(&self, lock: LockId, wanted: Mode) -> Stack {
        self.stack_where(|entry| entry.lock.load(Relaxed) == lock.0 && entry.keeps_out(wanted))
    }

    /// The stack at which this thread took the lock, if it is kept.
    pub(in super::super) fn stack_of(&self, lock: LockId) -> Stack {
        self.stack_where(|entry| entry.lock.load(Relaxed) == lock.0)
    }

    fn stack_where(&self, fits: impl FnMut(&Entry) -> bool) -> Stack {
        let Some(stacks) = self.held.stacks() else {
            return Stack::EMPTY;
        };
        let at = self.held.entries_from_outside().position(fits);
        at.and_then(|at| stacks.get(at))
            .map_or(Stack::EMPTY, SharedStack::load)
    }

    /// What this thread itself holds so that it cannot get the lock in `wanted`.
    pub(in super::super) fn holds_against(&self, lock: LockId, wanted: Mode) -> Option<HeldLock> {
        self.holds_of(lock)
            .find(|held| held.mode.excludes(wanted) && !held.sendable)
    }
}
