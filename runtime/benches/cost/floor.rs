//! The least that any watcher of orders must do: what this machine asks for it, whoever writes it.
//!
//! A thread-local row of held locks, sixteen bytes each (which lock, and where it was taken), and in
//! each lock one word that says in which context it was asked for last, so that a known order needs
//! neither a hash nor a table. A lock has a number that no other ever has, given at first use by one atomic
//! exchange, and an order that a lock does not know is a row in a table that all threads share. With `TRACE` each
//! event is also one store of sixteen bytes into a ring.
//!
//! It finds nothing: a new order goes unjudged and cannot be looked up, threads are not told apart, nothing is
//! ever full, nobody knows who waits.

use std::cell::{Cell, UnsafeCell};
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use lock_api::{RawMutex as _, RawRwLock as _};

use crate::shapes::{Absent, Mutex, Party, RwLock};

/// The floor of level `order`, or with `TRACE` that of level `trace`.
pub(crate) enum Floor<const TRACE: bool> {}

impl<const TRACE: bool> Party for Floor<TRACE> {
    type Mutex = FloorMutex<TRACE>;
    type RwLock = FloorRwLock<TRACE>;
    type Condvar = Absent;
}

/// How many locks a thread can hold.
const HELD: usize = 64;
/// How many events the ring has.
const RING: usize = 4096;

/// All orders that were new, as pairs of context and lock.
static ORDERS: parking_lot::Mutex<Vec<(u64, u64)>> = parking_lot::Mutex::new(Vec::new());
/// After how many orders all are forgotten, as in the watcher itself.
const ORDERS_MAX: usize = 1 << 18;
/// The next block of numbers.
static NEXT: AtomicU64 = AtomicU64::new(1);
/// How many numbers a thread takes at once.
const NUMBERS: u64 = 256;

struct Thread {
    next_number: Cell<u64>,
    depth: Cell<usize>,
    held: [Cell<(u64, &'static Location<'static>)>; HELD],
    at: Cell<usize>,
    ring: [Cell<(u64, u64)>; RING],
}

thread_local! {
    static THREAD: Thread = const {
        Thread {
            next_number: Cell::new(0),
            depth: Cell::new(0),
            held: [const { Cell::new((0, Location::caller())) }; HELD],
            at: Cell::new(0),
            ring: [const { Cell::new((0, 0)) }; RING],
        }
    };
}

/// What the floor keeps in a lock: its number, 0 before first use, and the context in which it was asked for
/// last.
struct Known {
    number: AtomicU64,
    after: AtomicU64,
}

impl Known {
    const fn new() -> Known {
        Known {
            number: AtomicU64::new(0),
            after: AtomicU64::new(0),
        }
    }

    #[inline]
    fn number(&self) -> u64 {
        match self.number.load(Relaxed) {
            0 => self.give_number(),
            number => number,
        }
    }

    #[cold]
    fn give_number(&self) -> u64 {
        let fresh = THREAD.with(|thread| {
            let mut next = thread.next_number.get();
            if next.is_multiple_of(NUMBERS) {
                next = NEXT.fetch_add(1, Relaxed) * NUMBERS;
            }
            thread.next_number.set(next + 1);
            next
        });
        let taken = self.number.compare_exchange(0, fresh, Relaxed, Relaxed);
        taken.map_or_else(|winner| winner, |_| fresh)
    }

    #[inline]
    fn request(&self) {
        THREAD.with(|thread| {
            let depth = thread.depth.get();
            if depth > 0 {
                let context = thread.held[(depth - 1) % HELD].get().0 ^ (depth as u64) << 56;
                if self.after.load(Relaxed) != context {
                    self.learn(context);
                }
            }
        });
    }

    #[cold]
    fn learn(&self, context: u64) {
        let mut orders = ORDERS.lock();
        if orders.len() == ORDERS_MAX {
            orders.clear();
        }
        orders.push((context, self.number()));
        self.after.store(context, Relaxed);
    }

    #[inline]
    fn acquired<const TRACE: bool>(&self, at: &'static Location<'static>) {
        THREAD.with(|thread| {
            let depth = thread.depth.get();
            thread.held[depth % HELD].set((self.number(), at));
            thread.depth.set(depth + 1);
            if TRACE {
                self.event(thread, std::ptr::from_ref(at).addr() as u64);
            }
        });
    }

    #[inline]
    fn released<const TRACE: bool>(&self) {
        THREAD.with(|thread| {
            let depth = thread.depth.get();
            if thread.held[depth.wrapping_sub(1) % HELD].get().0 == self.number() {
                thread.depth.set(depth - 1);
            }
            if TRACE {
                self.event(thread, 0);
            }
        });
    }

    #[inline]
    fn event(&self, thread: &Thread, what: u64) {
        let at = thread.at.get();
        thread.ring[at % RING].set((self.number(), what));
        thread.at.set(at + 1);
    }
}

pub(crate) struct FloorMutex<const TRACE: bool> {
    known: Known,
    raw: parking_lot::RawMutex,
    value: UnsafeCell<u64>,
}

// SAFETY: `raw` hands the value to one thread at a time.
unsafe impl<const TRACE: bool> Sync for FloorMutex<TRACE> {}

pub(crate) struct FloorGuard<'a, const TRACE: bool>(&'a FloorMutex<TRACE>);

impl<const TRACE: bool> Mutex for FloorMutex<TRACE> {
    type Guard<'a> = FloorGuard<'a, TRACE>;

    #[inline]
    fn make() -> Self {
        FloorMutex {
            known: Known::new(),
            raw: parking_lot::RawMutex::INIT,
            value: UnsafeCell::new(0),
        }
    }

    #[inline]
    #[track_caller]
    fn lock(&self) -> FloorGuard<'_, TRACE> {
        self.known.request();
        self.raw.lock();
        self.known.acquired::<TRACE>(Location::caller());
        FloorGuard(self)
    }
}

impl<const TRACE: bool> Drop for FloorGuard<'_, TRACE> {
    #[inline]
    fn drop(&mut self) {
        self.0.known.released::<TRACE>();
        // SAFETY: this guard exists, so its thread holds `raw`.
        unsafe { self.0.raw.unlock() }
    }
}

impl<const TRACE: bool> Deref for FloorGuard<'_, TRACE> {
    type Target = u64;

    #[inline]
    fn deref(&self) -> &u64 {
        // SAFETY: this guard exists, so its thread holds `raw`, and borrowing `self` keeps it so.
        unsafe { &*self.0.value.get() }
    }
}

impl<const TRACE: bool> DerefMut for FloorGuard<'_, TRACE> {
    #[inline]
    fn deref_mut(&mut self) -> &mut u64 {
        // SAFETY: as above, and `self` is borrowed exclusively.
        unsafe { &mut *self.0.value.get() }
    }
}

pub(crate) struct FloorRwLock<const TRACE: bool> {
    known: Known,
    raw: parking_lot::RawRwLock,
    value: UnsafeCell<u64>,
}

// SAFETY: `raw` hands the value to one writer or to readers only.
unsafe impl<const TRACE: bool> Sync for FloorRwLock<TRACE> {}

pub(crate) struct FloorRead<'a, const TRACE: bool>(&'a FloorRwLock<TRACE>);
pub(crate) struct FloorWrite<'a, const TRACE: bool>(&'a FloorRwLock<TRACE>);

impl<const TRACE: bool> RwLock for FloorRwLock<TRACE> {
    type Read<'a> = FloorRead<'a, TRACE>;
    type Write<'a> = FloorWrite<'a, TRACE>;

    fn make() -> Self {
        FloorRwLock {
            known: Known::new(),
            raw: parking_lot::RawRwLock::INIT,
            value: UnsafeCell::new(0),
        }
    }

    #[inline]
    #[track_caller]
    fn read(&self) -> FloorRead<'_, TRACE> {
        self.known.request();
        self.raw.lock_shared();
        self.known.acquired::<TRACE>(Location::caller());
        FloorRead(self)
    }

    #[inline]
    #[track_caller]
    fn write(&self) -> FloorWrite<'_, TRACE> {
        self.known.request();
        self.raw.lock_exclusive();
        self.known.acquired::<TRACE>(Location::caller());
        FloorWrite(self)
    }
}

impl<const TRACE: bool> Drop for FloorRead<'_, TRACE> {
    #[inline]
    fn drop(&mut self) {
        self.0.known.released::<TRACE>();
        // SAFETY: this guard exists, so its thread holds `raw` shared.
        unsafe { self.0.raw.unlock_shared() }
    }
}

impl<const TRACE: bool> Drop for FloorWrite<'_, TRACE> {
    #[inline]
    fn drop(&mut self) {
        self.0.known.released::<TRACE>();
        // SAFETY: this guard exists, so its thread holds `raw` exclusively.
        unsafe { self.0.raw.unlock_exclusive() }
    }
}

impl<const TRACE: bool> Deref for FloorRead<'_, TRACE> {
    type Target = u64;

    #[inline]
    fn deref(&self) -> &u64 {
        // SAFETY: this guard exists, so its thread holds `raw` shared, and nobody writes meanwhile.
        unsafe { &*self.0.value.get() }
    }
}

impl<const TRACE: bool> Deref for FloorWrite<'_, TRACE> {
    type Target = u64;

    #[inline]
    fn deref(&self) -> &u64 {
        // SAFETY: this guard exists, so its thread holds `raw` exclusively.
        unsafe { &*self.0.value.get() }
    }
}

impl<const TRACE: bool> DerefMut for FloorWrite<'_, TRACE> {
    #[inline]
    fn deref_mut(&mut self) -> &mut u64 {
        // SAFETY: as above, and `self` is borrowed exclusively.
        unsafe { &mut *self.0.value.get() }
    }
}
