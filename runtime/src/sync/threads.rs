//! The threads that use the primitives, and their clock: [`Threads`].
//!
//! A backend says what a primitive is made of, this says who runs it. There is one kind of threads in a
//! program, [`OsThreads`]; the tests of this crate have another one, whose schedule and clock they choose.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use super::actor::Node;
use super::exchange::SubscriptionId;
use super::park::{Parker, Patience};
use super::promise::Keeper;
use super::thread_local::Visited;
use crate::tag::Tag;
#[cfg(not(feature = "checks"))]
use crate::thread::JoinAt;
use crate::thread::{self, JoinHandle};
use crate::watch::Site;

/// Threads, as the primitives start, park and know them, and their clock.
pub trait Threads: fmt::Debug + Send + Sync + Sized + 'static {
    /// A thread, as others wake it.
    type Thread: Send + Sync + 'static;
    /// A thread that was started.
    type Started: Send + 'static;

    /// This thread.
    fn current() -> Self::Thread;

    /// Ends the parking of a thread; the next one, if it does not park now.
    fn unpark(thread: &Self::Thread);

    /// Waits to be unparked. May end without that.
    fn park();

    /// [`park`](Threads::park), at most until `deadline`.
    fn park_until(deadline: Instant);

    /// Called before this thread parks, as often as it takes, until one of several objects is ready.
    #[inline]
    fn waits_for_any(_at: Site) {}

    /// Called when it does not wait for that any more.
    #[inline]
    fn waits_no_more() {}

    /// What the clock says.
    fn now() -> Instant;

    /// Lets other threads run for a moment.
    fn give_way();

    /// Called before this thread touches, without a lock, what others touch too.
    #[inline]
    fn step() {}

    /// Starts a thread.
    ///
    /// # Errors
    ///
    /// That of the system, if it has no room for another thread.
    fn start(
        described: Described,
        work: impl FnOnce() + Send + 'static,
    ) -> io::Result<Self::Started>;

    /// Waits until a thread has ended. What it panicked with was printed.
    fn join(started: Self::Started);

    /// [`join`](Threads::join), in the name of a place: that of who called us.
    fn join_at(started: Self::Started, at: Site) {
        let _ = at;
        Self::join(started);
    }

    /// A number that no other thread of the process has had.
    fn number() -> u64;

    /// Uses what the primitives keep for this thread. Nothing, if that is gone because the thread ends.
    fn with_own<R>(used: impl FnOnce(&Own<Self>) -> R) -> Option<R>;
}

/// How a thread is to be.
#[derive(Debug, Default)]
pub struct Described {
    /// Its name.
    pub name: Option<String>,
    /// The size of its stack, in bytes.
    pub stack_size: Option<usize>,
}

/// What the primitives keep for each thread.
pub struct Own<T: Threads> {
    /// How it waits, while it does not.
    pub(super) idle: Cell<Option<Parker<T>>>,
    /// What looking on before a wait was good for lately: first without, then with giving the processor away.
    pub(super) patience: Cell<[Patience; 2]>,
    /// The crew of the pool of which it is a worker.
    pub(super) crew: RefCell<Option<Arc<dyn Keeper>>>,
    /// As a worker, it counts as idle.
    pub(super) is_idle: Cell<bool>,
    /// The actor that runs on it.
    pub(super) actor: RefCell<Option<Arc<Node>>>,
    /// The subscribers that it is delivering to, the innermost delivery last.
    pub(super) delivering: RefCell<Vec<SubscriptionId>>,
    /// Which arm a `select!` asks first: another one each time.
    pub(super) first_arm: Cell<usize>,
    /// The objects in which it has left a value.
    pub(super) visited: RefCell<Visited>,
}

impl<T: Threads> Own<T> {
    /// What is kept for a thread that has not used a primitive.
    pub const fn new() -> Own<T> {
        Own {
            idle: Cell::new(None),
            patience: Cell::new([Patience::FULL; 2]),
            crew: RefCell::new(None),
            is_idle: Cell::new(false),
            actor: RefCell::new(None),
            delivering: RefCell::new(Vec::new()),
            first_arm: Cell::new(0),
            visited: RefCell::new(Visited::new()),
        }
    }
}

impl<T: Threads> Default for Own<T> {
    fn default() -> Own<T> {
        Own::new()
    }
}

impl<T: Threads> fmt::Debug for Own<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Own").finish_non_exhaustive()
    }
}

/// The threads of the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OsThreads;

thread_local! {
    static OWN: Own<OsThreads> = const { Own::new() };
    static NUMBER: Cell<u64> = const { Cell::new(0) };
}

impl Threads for OsThreads {
    type Thread = std::thread::Thread;
    type Started = JoinHandle<()>;

    fn current() -> std::thread::Thread {
        std::thread::current()
    }

    fn unpark(thread: &std::thread::Thread) {
        thread.unpark();
    }

    fn park() {
        Tag::parks();
        std::thread::park();
        Tag::unparks();
    }

    fn park_until(deadline: Instant) {
        let left = deadline.saturating_duration_since(Instant::now());
        if !left.is_zero() {
            std::thread::park_timeout(left);
        }
    }

    fn waits_for_any(at: Site) {
        Tag::pending_any(at);
    }

    fn waits_no_more() {
        Tag::waits_no_more();
    }

    #[inline]
    fn now() -> Instant {
        Instant::now()
    }

    fn give_way() {
        std::thread::yield_now();
    }

    fn start(
        described: Described,
        work: impl FnOnce() + Send + 'static,
    ) -> io::Result<JoinHandle<()>> {
        let mut builder = thread::Builder::new();
        if let Some(name) = described.name {
            builder = builder.name(name);
        }
        if let Some(size) = described.stack_size {
            builder = builder.stack_size(size);
        }
        builder.spawn(work)
    }

    fn join(started: JoinHandle<()>) {
        let _ = started.join();
    }

    fn join_at(started: JoinHandle<()>, at: Site) {
        let _ = started.join_at(at);
    }

    fn number() -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        if NUMBER.get() == 0 {
            NUMBER.set(NEXT.fetch_add(1, Relaxed));
        }
        NUMBER.get()
    }

    #[inline]
    fn with_own<R>(used: impl FnOnce(&Own<OsThreads>) -> R) -> Option<R> {
        OWN.try_with(used).ok()
    }
}
