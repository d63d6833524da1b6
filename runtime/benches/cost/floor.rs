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

use std::cell::Cell;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::shapes::{Condvar, Mutex, Party, RwLock};

/// The floor of level `order` over the plain locks of `P`, or with `TRACE` that of level `trace`.
pub(crate) struct Floor<P, const TRACE: bool>(PhantomData<P>);

impl<P: Party, const TRACE: bool> Party for Floor<P, TRACE> {
    type Mutex = FloorMutex<P::Mutex, TRACE>;
    type RwLock = FloorRwLock<P::RwLock, TRACE>;
    type Condvar = FloorCondvar<P::Condvar, TRACE>;
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

/// A lock that is held; dropping this notes that it is released.
pub(crate) struct Held<'a, const TRACE: bool>(&'a Known);

impl<'a, const TRACE: bool> Held<'a, TRACE> {
    #[inline]
    #[track_caller]
    fn of(known: &'a Known) -> Self {
        known.acquired::<TRACE>(Location::caller());
        Held(known)
    }
}

impl<const TRACE: bool> Drop for Held<'_, TRACE> {
    #[inline]
    fn drop(&mut self) {
        self.0.released::<TRACE>();
    }
}

/// The guard of a plain lock, and what is noted of it.
pub(crate) struct FloorGuard<'a, G, const TRACE: bool> {
    // Dropped in this order.
    held: Held<'a, TRACE>,
    plain: G,
}

impl<G: Deref<Target = u64>, const TRACE: bool> Deref for FloorGuard<'_, G, TRACE> {
    type Target = u64;

    #[inline]
    fn deref(&self) -> &u64 {
        &self.plain
    }
}

impl<G: DerefMut<Target = u64>, const TRACE: bool> DerefMut for FloorGuard<'_, G, TRACE> {
    #[inline]
    fn deref_mut(&mut self) -> &mut u64 {
        &mut self.plain
    }
}

pub(crate) struct FloorMutex<M, const TRACE: bool> {
    known: Known,
    plain: M,
}

impl<M: Mutex, const TRACE: bool> Mutex for FloorMutex<M, TRACE> {
    const THERE: bool = M::THERE;
    type Guard<'a> = FloorGuard<'a, M::Guard<'a>, TRACE>;

    #[inline]
    fn make() -> Self {
        FloorMutex {
            known: Known::new(),
            plain: M::make(),
        }
    }

    #[inline]
    #[track_caller]
    fn lock(&self) -> Self::Guard<'_> {
        self.known.request();
        let plain = self.plain.lock();
        FloorGuard {
            held: Held::of(&self.known),
            plain,
        }
    }
}

pub(crate) struct FloorRwLock<R, const TRACE: bool> {
    known: Known,
    plain: R,
}

impl<R: RwLock, const TRACE: bool> RwLock for FloorRwLock<R, TRACE> {
    const THERE: bool = R::THERE;
    type Read<'a> = FloorGuard<'a, R::Read<'a>, TRACE>;
    type Write<'a> = FloorGuard<'a, R::Write<'a>, TRACE>;

    fn make() -> Self {
        FloorRwLock {
            known: Known::new(),
            plain: R::make(),
        }
    }

    #[inline]
    #[track_caller]
    fn read(&self) -> Self::Read<'_> {
        self.known.request();
        let plain = self.plain.read();
        FloorGuard {
            held: Held::of(&self.known),
            plain,
        }
    }

    #[inline]
    #[track_caller]
    fn write(&self) -> Self::Write<'_> {
        self.known.request();
        let plain = self.plain.write();
        FloorGuard {
            held: Held::of(&self.known),
            plain,
        }
    }
}

pub(crate) struct FloorCondvar<C, const TRACE: bool>(C);

impl<M, C, const TRACE: bool> Condvar<FloorMutex<M, TRACE>> for FloorCondvar<C, TRACE>
where
    M: Mutex,
    C: Condvar<M>,
{
    const THERE: bool = C::THERE;

    fn make() -> Self {
        FloorCondvar(C::make())
    }

    #[inline]
    #[track_caller]
    fn wait<'a>(
        &self,
        guard: <FloorMutex<M, TRACE> as Mutex>::Guard<'a>,
    ) -> <FloorMutex<M, TRACE> as Mutex>::Guard<'a> {
        let FloorGuard { held, plain } = guard;
        let known = held.0;
        drop(held);
        let plain = self.0.wait(plain);
        FloorGuard {
            held: Held::of(known),
            plain,
        }
    }

    #[inline]
    fn notify(&self) {
        self.0.notify();
    }
}
