//! What one thread holds, and what it knows.
//!
//! Each thread has a slot: its held set, its chunk of the log, and small tables of what it has
//! seen, so that nothing known costs a look at anything shared. Slots live outside the thread's
//! own storage, in memory that is never given back but used again by later threads, and all stand
//! in one list. The words of the held set are atomic: a plain load and store for the owner, and
//! readable for another thread that looks for who holds what.
//!
//! A thread's slot is found through one thread-local pointer that needs no destructor, so hooks
//! work inside the destructors of other thread-locals too. The slot is left by a destructor of the
//! system's thread-specific data, which runs after all of those.
//!
//! What it cannot see: a guard that was forgotten (`mem::forget`) keeps its entry until the thread
//! ends, because the lock really is held until then.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, UnsafeCell};
use std::ffi::c_void;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Release};
use std::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed,
};

use super::identity::{Identity, LockId};
use super::log::{self, Cursor, Op, Record, Writer};
use super::memory::copy_text;
use super::mode::Mode;
use super::wait_for::Wait;
use super::{hooks, platform, registry, settings};

mod entry;

use self::entry::Entry;
pub(super) use self::entry::{HeldLock, Words, chain_key};

/// How many chains a thread remembers; a power of two. A forgotten one costs a slow path.
const KNOWN: usize = 1024;
/// How many sites and classes a thread remembers; powers of two.
const SITES: usize = 256;
const CLASSES: usize = 64;
/// How many instance numbers a thread takes at once.
const NUMBERS: u64 = 256;
/// The bits of a lock's word that number the instance; the bits above number its class.
const INSTANCE_BITS: u32 = 40;

/// The state of one thread.
pub(super) struct Slot {
    /// The slot made before this one.
    next: AtomicPtr<Slot>,
    taken: AtomicBool,
    /// The thread's number, from 1.
    pub(super) thread: AtomicU32,
    /// How many entries are in use.
    depth: AtomicUsize,
    entries: AtomicPtr<Entry>,
    capacity: Cell<usize>,
    /// A hook is running a slow path: nested hooks do nothing.
    pub(super) busy: Cell<bool>,
    /// Requests are judged for a caller that must not panic.
    pub(super) quiet: Cell<bool>,
    /// The lock that was requested last for a caller that must not panic; 0 for none.
    pub(super) asks_for_guard: Cell<u64>,
    /// How many fork and join events this thread has had.
    pub(super) stretch: Cell<u32>,
    /// What `settings::epoch` was when this thread last looked.
    epoch: Cell<u32>,
    /// The log generation in which this thread last told what it holds.
    generation: Cell<u32>,
    /// The lock that was requested last and the node of that request; 0 if not looked up.
    pub(super) pending_node: Cell<(u64, u32)>,
    /// 1: the first thread of the process, 2: forked by us.
    flags: Cell<u8>,
    name: UnsafeCell<[u8; 256]>,
    name_len: Cell<usize>,
    numbers: Cell<(u64, u64)>,
    known: [Cell<u64>; KNOWN],
    sites: [Cell<(u64, u32)>; SITES],
    classes: [Cell<(u64, u32)>; CLASSES],
    /// After a fork: locks that this thread has defined in the new log.
    defined: [Cell<u64>; SITES],
    /// What the thread waits for.
    pub(super) wait: Wait,
    cursor: Cursor,
}

thread_local! {
    static SLOT: Cell<*const Slot> = const { Cell::new(std::ptr::null()) };
}

/// The next block of instance numbers.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// All slots ever made.
static ALL: AtomicPtr<Slot> = AtomicPtr::new(std::ptr::null_mut());

/// The slot of this thread; none if the system gives no memory.
#[inline]
pub(super) fn current() -> Option<&'static Slot> {
    let slot = SLOT.get();
    // SAFETY: the pointer is null or names a slot, and slots are never freed.
    let slot = unsafe { slot.as_ref() };
    slot.or_else(|| enter(None))
}

/// The slot of this thread, if it has one already.
pub(super) fn existing() -> Option<&'static Slot> {
    // SAFETY: the pointer is null or names a slot, and slots are never freed.
    unsafe { SLOT.get().as_ref() }
}

/// Gives this thread a slot. `born` is the thread's number if its fork was seen, and its name.
#[cold]
pub(super) fn enter(born: Option<(u32, Option<&str>)>) -> Option<&'static Slot> {
    settings::load();
    super::process::prepare();
    let slot = take_free().or_else(make)?;
    let pointer = std::ptr::from_ref(slot);
    SLOT.set(pointer);
    // If the system cannot tell the thread's end, the slot stays taken: a little memory is lost.
    let _ = platform::at_thread_end(leave, pointer.cast());
    slot.busy.set(true);
    let mut buffer = [0_u8; 256];
    let name = match born {
        // What the system calls a thread without a name is the name of the one that started it.
        Some((_, name)) => name.map(str::as_bytes),
        None => platform::thread_name(&mut buffer),
    };
    slot.set_name(name.unwrap_or_default());
    let (thread, flags) = if let Some((thread, _)) = born {
        (thread, 2)
    } else {
        let first = platform::is_first_thread();
        (super::order::new_thread(slot.name(), None), u8::from(first))
    };
    slot.thread.store(thread, Relaxed);
    slot.flags.set(flags);
    slot.stretch.set(0);
    slot.epoch.set(0);
    slot.generation.set(log::generation());
    slot.cursor.restart();
    slot.wait.set_work_done(false);
    slot.busy.set(false);
    Some(slot)
}

/// A slot that an ended thread has left.
fn take_free() -> Option<&'static Slot> {
    let mut at = ALL.load(Acquire);
    // SAFETY: the list holds slots, which are never freed.
    while let Some(slot) = unsafe { at.as_ref() } {
        if !slot.taken.load(Relaxed)
            && slot
                .taken
                .compare_exchange(false, true, AcqRel, Relaxed)
                .is_ok()
        {
            return Some(slot);
        }
        at = slot.next.load(Relaxed);
    }
    None
}

/// A new slot.
fn make() -> Option<&'static Slot> {
    let layout = Layout::new::<Slot>();
    // SAFETY: a slot has a size.
    let raw = unsafe { System.alloc_zeroed(layout) };
    #[expect(clippy::cast_ptr_alignment, reason = "the layout is that of a slot")]
    let raw = raw.cast::<Slot>();
    if raw.is_null() {
        return None;
    }
    let fresh = Slot {
        next: AtomicPtr::new(std::ptr::null_mut()),
        taken: AtomicBool::new(true),
        thread: AtomicU32::new(0),
        depth: AtomicUsize::new(0),
        entries: AtomicPtr::new(std::ptr::null_mut()),
        capacity: Cell::new(0),
        busy: Cell::new(false),
        quiet: Cell::new(false),
        asks_for_guard: Cell::new(0),
        stretch: Cell::new(0),
        epoch: Cell::new(0),
        generation: Cell::new(0),
        pending_node: Cell::new((0, 0)),
        flags: Cell::new(0),
        name: UnsafeCell::new([0; 256]),
        name_len: Cell::new(0),
        numbers: Cell::new((0, 0)),
        known: [const { Cell::new(0) }; KNOWN],
        sites: [const { Cell::new((0, 0)) }; SITES],
        classes: [const { Cell::new((0, 0)) }; CLASSES],
        defined: [const { Cell::new(0) }; SITES],
        wait: Wait::new(),
        cursor: Cursor::new(),
    };
    // SAFETY: `raw` was allocated with the layout of a slot, and nobody else refers to it.
    unsafe { raw.write(fresh) };
    // SAFETY: it was just written and is never freed.
    let slot = unsafe { &*raw };
    let mut head = ALL.load(Relaxed);
    loop {
        slot.next.store(head, Relaxed);
        match ALL.compare_exchange_weak(head, raw, Release, Relaxed) {
            Ok(_) => return Some(slot),
            Err(other) => head = other,
        }
    }
}

/// The thread has ended: its last words, then the slot is free for another.
extern "C" fn leave(slot: *mut c_void) {
    // SAFETY: this was given to `at_thread_end` by `enter`, and slots are never freed.
    let slot = unsafe { &*slot.cast::<Slot>().cast_const() };
    slot.busy.set(true);
    slot.log(Op::End, |record| record);
    slot.cursor.leave();
    slot.wait.end();
    slot.depth.store(0, Relaxed);
    hooks::forget_posted(slot.thread.load(Relaxed));
    slot.busy.set(false);
    SLOT.set(std::ptr::null());
    slot.taken.store(false, Release);
    hooks::thread_left();
}

impl Slot {
    /// Whether a thread has this slot.
    pub(super) fn is_taken(&self) -> bool {
        self.taken.load(Relaxed)
    }

    /// What the thread holds, oldest first.
    pub(super) fn depth(&self) -> usize {
        self.depth.load(Relaxed)
    }

    #[inline]
    fn entry(&self, at: usize) -> &Entry {
        debug_assert!(at < self.depth(), "only held entries are asked for");
        // SAFETY: `at < depth <= capacity`.
        unsafe { self.place(at) }
    }

    /// The place for the entry at `at`, in use or not.
    ///
    /// # Safety
    ///
    /// `at` must be less than the capacity.
    #[inline]
    unsafe fn place(&self, at: usize) -> &Entry {
        // The first entry of the array holds its capacity.
        let entries = self.entries.load(Relaxed);
        // SAFETY: the caller promises that the place lies inside the array.
        let entry = unsafe { entries.add(at + 1) };
        // SAFETY: arrays are allocated as zeros, which are valid entries, and never freed.
        unsafe { &*entry }
    }

    /// The held lock at `at`, from the oldest.
    pub(super) fn held(&self, at: usize) -> HeldLock {
        let words = self.entry(at).words();
        // SAFETY: the words were written by `push` on this thread.
        unsafe { words.read() }
    }

    /// All held locks, oldest first.
    pub(super) fn all_held(&self) -> impl DoubleEndedIterator<Item = HeldLock> + '_ {
        (0..self.depth()).map(|at| self.held(at))
    }

    /// The chain of all held locks, as a hash; 0 if none is held.
    #[inline]
    pub(super) fn key(&self) -> u64 {
        match self.depth() {
            0 => 0,
            depth => self.entry(depth - 1).key.load(Relaxed),
        }
    }

    /// The node of the entry at `at`, if it was looked up.
    pub(super) fn node(&self, at: usize) -> u32 {
        self.entry(at).node.load(Relaxed)
    }

    /// Remembers the node of the entry at `at`.
    pub(super) fn set_node(&self, at: usize, node: u32) {
        self.entry(at).node.store(node, Relaxed);
    }

    /// Adds a held lock as the youngest.
    #[inline]
    pub(super) fn push(&self, held: HeldLock, node: u32) {
        let depth = self.depth();
        if depth == self.capacity.get() && !self.grow() {
            return;
        }
        let before = self.key();
        // SAFETY: `depth < capacity`, else it would have grown.
        let entry = unsafe { self.place(depth) };
        entry.lock.store(held.lock.0, Relaxed);
        entry.site.store(held.site.pack(), Relaxed);
        entry.meta.store(held.meta(), Relaxed);
        entry
            .key
            .store(chain_key(before, held.lock, held.mode, held.again), Relaxed);
        entry.node.store(node, Relaxed);
        self.depth.store(depth + 1, Relaxed);
    }

    #[cold]
    fn grow(&self) -> bool {
        let capacity = (self.capacity.get() * 2).max(32);
        let Ok(layout) = Layout::array::<Entry>(capacity + 1) else {
            return false;
        };
        // SAFETY: the layout's size is not zero. Zeroed entries are valid ones.
        let fresh = unsafe { System.alloc_zeroed(layout) };
        #[expect(clippy::cast_ptr_alignment, reason = "the layout is that of entries")]
        let fresh = fresh.cast::<Entry>();
        if fresh.is_null() {
            return false;
        }
        // SAFETY: the array has at least one entry, zeroed and thus valid.
        let header = unsafe { &*fresh };
        header.lock.store(capacity as u64, Relaxed);
        for at in 0..self.depth() {
            let old = self.entry(at);
            // SAFETY: `at < capacity`, and the array has one entry more than that.
            let new = unsafe { fresh.add(at + 1) };
            // SAFETY: as for the header.
            let new = unsafe { &*new };
            new.lock.store(old.lock.load(Relaxed), Relaxed);
            new.site.store(old.site.load(Relaxed), Relaxed);
            new.meta.store(old.meta.load(Relaxed), Relaxed);
            new.key.store(old.key.load(Relaxed), Relaxed);
            new.node.store(old.node.load(Relaxed), Relaxed);
        }
        // The old array stays allocated: another thread may be reading it. All old arrays of a
        // slot together are smaller than the new one.
        self.entries.store(fresh, Release);
        self.capacity.set(capacity);
        true
    }

    /// Takes out the youngest entry of this lock (in this mode, if given), wherever it stands.
    ///
    /// False if there is none.
    #[inline]
    pub(super) fn remove(&self, lock: LockId, mode: Option<Mode>) -> bool {
        let depth = self.depth();
        for at in (0..depth).rev() {
            let entry = self.entry(at);
            if entry.lock.load(Relaxed) != lock.0 {
                continue;
            }
            if mode.is_some_and(|mode| entry.meta.load(Relaxed) & 0xff != mode as u64) {
                continue;
            }
            if at + 1 == depth {
                self.depth.store(at, Relaxed);
            } else {
                self.close_gap(at);
            }
            return true;
        }
        false
    }

    /// Moves the entries above `gap` down by one and computes their chains anew.
    #[cold]
    fn close_gap(&self, gap: usize) {
        let depth = self.depth();
        for at in gap + 1..depth {
            let (from, to) = (self.entry(at), self.entry(at - 1));
            to.lock.store(from.lock.load(Relaxed), Relaxed);
            to.site.store(from.site.load(Relaxed), Relaxed);
            to.meta.store(from.meta.load(Relaxed), Relaxed);
        }
        self.depth.store(depth - 1, Relaxed);
        self.rekey(gap);
    }

    /// Computes the chains of the entries from `from` on, whose nodes are not known any more.
    pub(super) fn rekey(&self, from: usize) {
        let mut key = if from == 0 {
            0
        } else {
            self.entry(from - 1).key.load(Relaxed)
        };
        for at in from..self.depth() {
            let held = self.held(at);
            key = chain_key(key, held.lock, held.mode, held.again);
            self.entry(at).key.store(key, Relaxed);
            self.set_node(at, 0);
        }
    }

    /// The youngest entry of this lock.
    pub(super) fn find(&self, lock: LockId) -> Option<HeldLock> {
        (0..self.depth())
            .rev()
            .find(|&at| self.entry(at).lock.load(Relaxed) == lock.0)
            .map(|at| self.held(at))
    }

    /// Turns the youngest entry of this lock in mode `from` into one in mode `to`.
    pub(super) fn change_mode(&self, lock: LockId, from: Mode, to: Mode) {
        for at in (0..self.depth()).rev() {
            let held = self.held(at);
            if held.lock == lock && held.mode == from {
                self.entry(at)
                    .meta
                    .store(HeldLock { mode: to, ..held }.meta(), Relaxed);
                self.rekey(at);
                return;
            }
        }
    }

    /// Whether this thread has seen the chain before, in this stretch and epoch.
    #[inline]
    pub(super) fn knows(&self, key: u64) -> bool {
        self.known[key as usize % KNOWN].get() == key
    }

    /// Remembers a chain.
    pub(super) fn remember(&self, key: u64) {
        self.known[key as usize % KNOWN].set(key);
    }

    /// Forgets all chains: a new stretch begins.
    pub(super) fn forget_chains(&self) {
        for known in &self.known {
            known.set(0);
        }
    }

    /// Whether what this thread knows is stale.
    #[inline]
    pub(super) fn is_stale(&self) -> bool {
        self.epoch.get() != settings::epoch()
    }

    /// Forgets what is stale.
    #[cold]
    pub(super) fn refresh(&self) {
        self.epoch.set(settings::epoch());
        self.forget_chains();
        for at in 0..self.depth() {
            self.set_node(at, 0);
        }
        self.pending_node.set((0, 0));
        for site in &self.sites {
            site.set((0, 0));
        }
        for class in &self.classes {
            class.set((0, 0));
        }
        for lock in &self.defined {
            lock.set(0);
        }
    }

    /// Whether the log of this generation is one that this thread has not written to yet. It counts
    /// as one that it has from now on.
    pub(super) fn enters_log(&self, generation: u32) -> bool {
        self.generation.replace(generation) != generation
    }

    /// After a fork: whether this thread has not yet defined the lock in the new log. It is taken
    /// for defined from now on.
    pub(super) fn is_undefined_here(&self, lock: LockId) -> bool {
        let place = &self.defined[lock.0 as usize % SITES];
        place.replace(lock.0) != lock.0
    }

    /// The thread that this slot belongs to turns out to be one whose fork was seen.
    pub(super) fn become_thread(&self, thread: u32) {
        // What it did so far was done by nobody else; that one ends here.
        self.log(Op::End, |record| record);
        self.cursor.leave();
        self.thread.store(thread, Relaxed);
        self.flags.set(2);
        self.stretch.set(0);
        self.forget_chains();
        self.cursor.restart();
    }

    /// The number of a site, if this thread has met it lately.
    #[inline]
    pub(super) fn cached_site(&self, word: u64) -> Option<u32> {
        let (cached, number) = self.sites[(word >> 3) as usize % SITES].get();
        (cached == word).then_some(number)
    }

    /// Remembers the number of a site.
    pub(super) fn cache_site(&self, word: u64, number: u32) {
        self.sites[(word >> 3) as usize % SITES].set((word, number));
    }

    /// A fresh word for a lock: class and instance number.
    pub(super) fn fresh_word(&self, lock: &Identity) -> u64 {
        let key = lock.class_key();
        let place = &self.classes[key as usize % CLASSES];
        let class = match place.get() {
            (cached, class) if cached == key => class,
            _ => {
                let class = registry::class_number(self, &lock.class());
                place.set((key, class));
                class
            }
        };
        let (next, end) = self.numbers.get();
        let number = if next < end {
            self.numbers.set((next + 1, end));
            next
        } else {
            let block = NEXT.fetch_add(NUMBERS, Relaxed);
            self.numbers.set((block + 1, block + NUMBERS));
            block
        };
        u64::from(class) << INSTANCE_BITS | number & ((1 << INSTANCE_BITS) - 1)
    }

    /// The held locks of this slot, maybe another thread's, at about this time, oldest first: the
    /// words of the entries.
    fn entries_from_outside(&self) -> impl Iterator<Item = &'static Entry> + use<> {
        let entries = self.entries.load(Acquire);
        // SAFETY: null or an array, whose first entry is its header; arrays are never freed.
        let header = unsafe { entries.as_ref() };
        // The depth may belong to a newer and longer array than the one that was loaded.
        let depth = header.map_or(0, |header| {
            self.depth().min(header.lock.load(Relaxed) as usize)
        });
        (1..=depth).map(move |at| {
            // SAFETY: `at` is at most the capacity that the array's own header names.
            let entry = unsafe { entries.add(at) };
            // SAFETY: arrays hold valid entries and are never freed.
            unsafe { &*entry }
        })
    }

    /// What this slot, maybe another thread's, holds at about this time.
    pub(super) fn words_from_outside(&self) -> impl Iterator<Item = Words> + use<> {
        self.entries_from_outside().map(Entry::words)
    }

    /// Whether this slot, maybe another thread's, holds the lock at about this time.
    fn holds_from_outside(&self, lock: LockId) -> bool {
        self.entries_from_outside()
            .any(|entry| entry.lock.load(Relaxed) == lock.0)
    }

    /// Whether this slot, maybe another thread's, holds the lock so that nobody else can get it in
    /// `wanted` before this thread releases it. Its guard is not one that may be sent away.
    pub(super) fn keeps_out(&self, lock: LockId, wanted: Mode) -> bool {
        self.entries_from_outside()
            .any(|entry| entry.lock.load(Relaxed) == lock.0 && entry.keeps_out(wanted))
    }

    /// What [`Slot::keeps_out`] has seen, at about this time.
    pub(super) fn words_against(&self, lock: LockId, wanted: Mode) -> Option<Words> {
        self.entries_from_outside()
            .find(|entry| entry.lock.load(Relaxed) == lock.0 && entry.keeps_out(wanted))
            .map(Entry::words)
    }

    /// What this thread itself holds so that it cannot get the lock in `wanted`.
    pub(super) fn holds_against(&self, lock: LockId, wanted: Mode) -> Option<HeldLock> {
        self.all_held()
            .find(|held| held.lock == lock && held.mode.excludes(wanted) && !held.sendable)
    }

    /// The thread's name, empty if it has none.
    pub(super) fn name(&self) -> &str {
        // SAFETY: only this thread touches the name, and nobody keeps a reference over `set_name`,
        // which `enter` calls before the slot is used.
        let bytes = unsafe { &*self.name.get() };
        std::str::from_utf8(&bytes[..self.name_len.get()]).unwrap_or_default()
    }

    fn set_name(&self, name: &[u8]) {
        // SAFETY: only this thread touches the name, and no reference to it exists now.
        let bytes = unsafe { &mut *self.name.get() };
        self.name_len.set(copy_text(name, bytes).len());
    }

    fn writer(&self) -> Writer<'_> {
        Writer {
            thread: self.thread.load(Relaxed),
            flags: self.flags.get(),
            name: self.name(),
        }
    }

    /// Writes a record without texts into the log, if there is one.
    #[inline]
    pub(super) fn log(&self, op: Op, fill: impl FnOnce(Record) -> Record) {
        if settings::log_wanted() {
            self.cursor.plain(self.writer(), op, fill);
        }
    }

    /// Writes a record with texts into the log, if there is one.
    pub(super) fn log_texts(&self, op: Op, fill: impl FnOnce(Record) -> Record) {
        if settings::log_wanted() {
            self.cursor.texts(self.writer(), op, fill);
        }
    }
}

/// The slots of all threads that live.
pub(super) fn all() -> impl Iterator<Item = &'static Slot> {
    // SAFETY: the list holds slots, which are never freed.
    let first = unsafe { ALL.load(Acquire).as_ref() };
    std::iter::successors(first, |slot: &&'static Slot| {
        // SAFETY: as above.
        unsafe { slot.next.load(Relaxed).as_ref() }
    })
    .filter(|slot| slot.taken.load(Relaxed))
}

/// The number of the instance in a lock's word, and the number of its class.
pub(super) fn split(word: LockId) -> (u64, u32) {
    (
        word.0 & ((1 << INSTANCE_BITS) - 1),
        (word.0 >> INSTANCE_BITS) as u32,
    )
}

/// Another thread than the holder has released the lock: tells the holder's slot.
///
/// Finds the holder by looking through all slots; a rare event.
pub(super) fn released_elsewhere(lock: LockId) {
    if let Some(holder) = all().find(|slot| slot.holds_from_outside(lock)) {
        hooks::post_foreign_release(holder.thread.load(Relaxed), lock);
    }
}
