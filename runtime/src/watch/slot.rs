//! What one thread holds, and what it knows.
//!
//! Each thread has a slot: its held set, its chunk of the log, and small tables of what it has
//! seen, so that nothing known costs a look at anything shared. Slots live outside the thread's
//! own storage, in memory that is never given back but used again by later threads, and all stand
//! in one table. The words of the held set are atomic: a plain load and store for the owner, and
//! readable for another thread that looks for who holds what.
//!
//! A thread's slot is found through one thread-local pointer that needs no destructor, so hooks
//! work inside the destructors of other thread-locals too. The slot is left by a destructor of the
//! system's thread-specific data, which runs after all of those.
//!
//! What it cannot see: a guard that was forgotten (`mem::forget`) keeps its entry until the thread
//! ends, because the lock really is held until then.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::{Cell, UnsafeCell};
use std::ffi::c_void;
use std::sync::atomic::Ordering::AcqRel;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering::Relaxed};

use super::account::Account;
use super::identity::{Identity, LockId};
use super::log::{self, Cursor, Op, Part};
use super::memory::{Pages, copy_text, mix};
use super::settings::Now;
use super::wait_for::{self, Wait};
use super::{hooks, platform, registry, settings};

mod entry;
mod held;
mod table;
mod telling;

pub(super) use self::entry::{At, HeldLock, How, Words, chain_key};
use self::held::HeldSet;
use self::table::Number;

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
    /// Its place in the table.
    number: Number,
    /// Where it stands in none: the slot made before this one that stands in none either.
    next: AtomicPtr<Slot>,
    taken: AtomicBool,
    /// The thread's number, from 1.
    pub(super) thread: AtomicU32,
    /// What was watched, and in which epoch, when this thread last looked; [`Now::NEVER`] while a hook is
    /// running a slow path, so that nested hooks take notice of `busy`.
    pub(super) seen: Cell<Now>,
    held: HeldSet,
    /// A hook is running a slow path: nested hooks do nothing.
    pub(super) busy: Cell<bool>,
    /// Requests are judged for a caller that must not panic.
    pub(super) quiet: Cell<bool>,
    /// The lock that was requested last for a caller that must not panic; 0 for none.
    pub(super) asks_for_guard: Cell<u64>,
    /// How many fork and join events this thread has had.
    pub(super) stretch: Cell<u32>,
    /// What `settings::now` was when this thread last forgot what was stale.
    epoch: Cell<Now>,
    /// The log generation in which this thread last told what it holds.
    generation: Cell<u32>,
    /// The lock that was requested last and the node of that request; 0 if not looked up.
    pub(super) pending_node: Cell<(u64, u32)>,
    /// The node under which this thread learned last, whatever it may mean by now.
    pub(super) learned_under: Cell<u32>,
    /// 1: the first thread of the process, 2: forked by us.
    flags: Cell<u8>,
    name: UnsafeCell<[u8; 256]>,
    name_len: Cell<usize>,
    numbers: Cell<(u64, u64)>,
    /// The word of a lock that this thread has numbered and not yet defined in the log; 0 for none.
    undefined: Cell<u64>,
    known: [Cell<u64>; KNOWN],
    /// Sites and their numbers, as parts of a record.
    sites: [Cell<(u64, u64)>; SITES],
    classes: [Cell<(u64, u32)>; CLASSES],
    /// After a fork: locks that this thread has defined in the new log.
    defined: [Cell<u64>; SITES],
    /// What the thread waits for.
    pub(super) wait: Wait,
    /// Of how many waits the stack may still be captured.
    walks_left: Cell<u16>,
    account: Account,
    cursor: Cursor,
}

/// Of how many waits of a thread the stack is captured, where nobody asked for more.
const WALKS_MAX: u16 = 256;

thread_local! {
    static SLOT: Cell<*const Slot> = const { Cell::new(std::ptr::null()) };
    /// The thread is about to be gone: what runs on it now is a handler of a signal, or a destructor of C.
    static ENDS: Cell<bool> = const { Cell::new(false) };
}

/// The next block of instance numbers.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// The slot of this thread; none if the system gives no memory.
#[inline]
pub(super) fn current() -> Option<&'static Slot> {
    let slot = SLOT.get();
    // SAFETY: the pointer is null or names a slot, and slots are never freed.
    let slot = unsafe { slot.as_ref() };
    slot.or_else(|| enter(None))
}

/// The slot of this thread, if it has one already.
#[inline]
pub(super) fn existing() -> Option<&'static Slot> {
    // SAFETY: the pointer is null or names a slot, and slots are never freed.
    unsafe { SLOT.get().as_ref() }
}

/// The slot of this thread, one of the watcher's own: what it does is not watched.
pub(super) fn of_ours() -> Option<&'static Slot> {
    let slot = existing().or_else(|| {
        let slot = enter(Some((super::order::number_of_ours(), None)))?;
        // No fork of it was seen.
        slot.flags.set(0);
        slot.account.forget();
        Some(slot)
    })?;
    slot.busy.set(true);
    slot.wait.set_ours();
    Some(slot)
}

/// Gives this thread a slot. `born` is the thread's number if its fork was seen, and its name.
#[cold]
pub(super) fn enter(born: Option<(u32, Option<&str>)>) -> Option<&'static Slot> {
    settings::load();
    super::process::prepare();
    let slot = table::take_free().or_else(make)?;
    let pointer = std::ptr::from_ref(slot);
    SLOT.set(pointer);
    // If the system cannot tell the thread's end, the slot stays taken: a little memory is lost.
    let _ = platform::at_thread_end(leave, pointer.cast());
    slot.busy.set(true);
    let mut buffer = [0_u8; 256];
    let name = match born {
        // What the system calls a thread without a name is the name of the one that started it.
        Some((_, name)) => name.map(str::as_bytes),
        None if ENDS.get() => platform::name_at_end(&mut buffer),
        None => platform::thread_name(&mut buffer),
    };
    slot.set_name(name.unwrap_or_default());
    let (thread, flags) = if let Some((thread, _)) = born {
        (thread, 2)
    } else {
        let first = !ENDS.get() && platform::is_first_thread();
        (super::order::new_thread(slot.name(), None), u8::from(first))
    };
    slot.thread.store(thread, Relaxed);
    slot.flags.set(flags);
    slot.stretch.set(0);
    slot.epoch.set(Now::NEVER);
    slot.generation.set(log::generation());
    slot.cursor.restart();
    slot.wait.set_work_done(false);
    slot.walks_left.set(WALKS_MAX);
    slot.count_time();
    slot.busy.set(false);
    Some(slot)
}

/// A new slot.
fn make() -> Option<&'static Slot> {
    let layout = Layout::new::<Slot>();
    // SAFETY: a slot has a size.
    let raw = unsafe { Pages.alloc_zeroed(layout) };
    #[expect(clippy::cast_ptr_alignment, reason = "the layout is that of a slot")]
    let raw = raw.cast::<Slot>();
    if raw.is_null() {
        return None;
    }
    let fresh = Slot {
        number: Number::next(),
        next: AtomicPtr::new(std::ptr::null_mut()),
        taken: AtomicBool::new(true),
        thread: AtomicU32::new(0),
        seen: Cell::new(Now::NEVER),
        held: HeldSet::new(),
        busy: Cell::new(false),
        quiet: Cell::new(false),
        asks_for_guard: Cell::new(0),
        stretch: Cell::new(0),
        epoch: Cell::new(Now::NEVER),
        generation: Cell::new(0),
        pending_node: Cell::new((0, 0)),
        learned_under: Cell::new(0),
        flags: Cell::new(0),
        name: UnsafeCell::new([0; 256]),
        name_len: Cell::new(0),
        numbers: Cell::new((0, 0)),
        undefined: Cell::new(0),
        known: [const { Cell::new(0) }; KNOWN],
        sites: [const { Cell::new((0, 0)) }; SITES],
        classes: [const { Cell::new((0, 0)) }; CLASSES],
        defined: [const { Cell::new(0) }; SITES],
        wait: Wait::new(),
        walks_left: Cell::new(WALKS_MAX),
        account: Account::new(),
        cursor: Cursor::new(),
    };
    // SAFETY: `raw` was allocated with the layout of a slot, and nobody else refers to it.
    unsafe { raw.write(fresh) };
    // SAFETY: it was just written and is never freed.
    let slot = unsafe { &*raw };
    table::add(slot);
    Some(slot)
}

/// The thread has ended: its last words, then the slot is free for another.
extern "C" fn leave(slot: *mut c_void) {
    // SAFETY: this was given to `at_thread_end` by `enter`, and slots are never freed.
    let slot = unsafe { &*slot.cast::<Slot>().cast_const() };
    ENDS.set(true);
    slot.busy.set(true);
    slot.seen.set(Now::NEVER);
    slot.log(Op::End, |record| record);
    slot.cursor.leave();
    slot.wait.end();
    let now = wait_for::now();
    slot.account.close(now, slot.wait.waited_by(now));
    slot.held.clear();
    hooks::forget_posted(slot.thread.load(Relaxed));
    super::order::thread_ended(slot.thread.load(Relaxed));
    slot.busy.set(false);
    SLOT.set(std::ptr::null());
    table::leave(slot);
    hooks::thread_left();
}

/// The process ends, and with it all threads that are left.
pub(super) fn process_ends() {
    for slot in all() {
        let now = wait_for::now();
        slot.account
            .close_from_outside(now, slot.wait.waited_by(now));
    }
}

/// In the child of a fork only the forking thread lives, and its time begins anew.
pub(super) fn after_fork_in_child() {
    all().for_each(|slot| slot.account.forget());
    if let Some(slot) = existing() {
        super::order::all_ended_but(slot.thread.load(Relaxed));
        // What has a number is defined in its log when it is told of there.
        slot.undefined.set(0);
        slot.count_time();
    }
}

impl Slot {
    /// Begins to count the time of the thread, which calls this, if there is a log to tell it.
    fn count_time(&self) {
        if settings::log_wanted() {
            self.wait.count_waited();
            self.account.open(wait_for::now());
        }
    }

    /// Takes the slot, if nobody has it.
    fn take(&self) -> bool {
        !self.taken.load(Relaxed)
            && self
                .taken
                .compare_exchange(false, true, AcqRel, Relaxed)
                .is_ok()
    }

    /// Whether a thread has this slot.
    pub(super) fn is_taken(&self) -> bool {
        self.taken.load(Relaxed)
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

    /// Forgets all chains: a new stretch begins, or a new epoch.
    ///
    /// What stands in locks cannot be taken back, so the chains get other hashes.
    pub(super) fn forget_chains(&self) {
        for known in &self.known {
            known.set(0);
        }
        let here = u64::from(self.thread.load(Relaxed)) << 32 | u64::from(self.stretch.get());
        self.rebase(mix(here, u64::from(self.epoch.get().epoch())) | 1);
    }

    /// What was watched when this thread last forgot what was stale.
    pub(super) fn epoch(&self) -> Now {
        self.epoch.get()
    }

    /// Whether what this thread knows is stale.
    pub(super) fn is_stale(&self) -> bool {
        self.epoch.get() != settings::now()
    }

    /// Forgets what is stale.
    #[cold]
    pub(super) fn refresh(&self) {
        self.epoch.set(settings::now());
        self.cursor.leave_the_parents();
        // What it took meanwhile was told to nobody, if nothing was recorded.
        self.cursor.lose_track();
        self.forget_chains();
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
        super::order::thread_ended(self.thread.swap(thread, Relaxed));
        self.flags.set(2);
        self.stretch.set(0);
        self.forget_chains();
        self.cursor.restart();
    }

    /// The number of a site as part of a record, if this thread has met the site lately.
    #[inline]
    pub(super) fn site_part(&self, word: u64) -> Option<Part> {
        let (cached, part) = self.sites[(word >> 3) as usize % SITES].get();
        (cached == word).then_some(Part::unpack(part))
    }

    /// The number of a site, if this thread has met it lately.
    pub(super) fn cached_site(&self, word: u64) -> Option<u32> {
        self.site_part(word).map(Part::read)
    }

    /// Remembers the number of a site, if it is not one of a great many.
    pub(super) fn cache_site(&self, word: u64, number: u32) {
        const MANY: u32 = 1 << 21;
        if number < MANY {
            let part = Part::number(number.into()).pack();
            self.sites[(word >> 3) as usize % SITES].set((word, part));
        }
    }

    /// A fresh word for a lock: class and instance number.
    pub(super) fn fresh_word(&self, lock: &Identity) -> u64 {
        let key = lock.class_key();
        let place = &self.classes[key as usize % CLASSES];
        let class = match place.get() {
            (cached, class) if cached == key => class,
            _ => {
                let class = registry::class_number(self, &lock.class());
                if let Some(class) = class {
                    place.set((key, class));
                }
                class.unwrap_or(0)
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
        word(class, number)
    }

    /// The same, if the thread has met the class lately and has numbers left. The class is defined in the log
    /// then, if there is one.
    #[inline]
    pub(super) fn fresh_word_at_hand(&self, lock: &Identity) -> Option<u64> {
        let key = lock.class_key();
        let (cached, class) = self.classes[key as usize % CLASSES].get();
        let (next, end) = self.numbers.get();
        if cached != key || next >= end {
            return None;
        }
        self.numbers.set((next + 1, end));
        Some(word(class, next))
    }

    /// Whether the stack of one more wait may be captured; it counts then.
    pub(super) fn may_walk(&self) -> bool {
        let left = self.walks_left.get();
        self.walks_left.set(left.saturating_sub(1));
        left > 0
    }

    /// The thread's name, empty if it has none.
    pub(super) fn name(&self) -> &str {
        std::str::from_utf8(self.name_bytes()).unwrap_or_default()
    }

    #[inline]
    fn name_bytes(&self) -> &[u8] {
        // SAFETY: only this thread touches the name, and nobody keeps a reference over `set_name`,
        // which `enter` calls before the slot is used.
        let bytes = unsafe { &*self.name.get() };
        bytes.get(..self.name_len.get()).unwrap_or_default()
    }

    fn set_name(&self, name: &[u8]) {
        // SAFETY: only this thread touches the name, and no reference to it exists now.
        let bytes = unsafe { &mut *self.name.get() };
        self.name_len.set(copy_text(name, bytes).len());
    }
}

/// The slots of all threads that live.
pub(super) fn all() -> impl Iterator<Item = &'static Slot> {
    table::taken()
}

/// The word of a lock.
#[inline]
fn word(class: u32, number: u64) -> u64 {
    u64::from(class) << INSTANCE_BITS | number & ((1 << INSTANCE_BITS) - 1)
}

/// The number of the instance in a lock's word, and the number of its class.
#[inline]
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
