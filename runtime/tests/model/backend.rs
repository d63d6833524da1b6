//! A backend of which `shuttle` chooses the schedule, and whose clock it moves.
//!
//! Threads are tasks that run one at a time. Each access to a lock, and each step that a primitive announces
//! (`Threads::step`), is a place where another one may go on. The clock stands still until a thread of its own,
//! the keeper, gets its turn: then the earliest deadline of all that are waited for has come. So a deadline may
//! come at once, in the midst of what others do, or not before all others wait, and each schedule can be played
//! again. Accesses to atomics are seen in one order by all: weaker orders are not explored.
//!
//! It also watches the rules: a lock that is taken, or a thread that parks, while the thread has a lock of this
//! backend is a failure.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::{Arc, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use lockwise::sync::{Backend, Described, Lock, NoFlow, Own, Threads};
use lockwise::watch::Site;
use shuttle::sync::atomic::AtomicBool;
use shuttle::thread::{self, Thread};

/// The backend.
#[derive(Debug)]
pub(crate) struct Model;

impl Backend for Model {
    type Mutex<T: Send> = ModelMutex<T>;
    type Flow = NoFlow;
    type Threads = Tasks;
}

shuttle::thread_local! {
    /// How many locks of this backend the thread has.
    static HELD: Cell<usize> = Cell::new(0);
    static OWN: Own<Tasks> = Own::new();
    static NUMBER: Cell<u64> = Cell::new(0);
}

/// To be called from code of the program, wherever that may run.
pub(crate) fn assert_nothing_held() {
    // Once the thread's locals are gone it has no lock.
    let held = HELD.try_with(Cell::get).unwrap_or(0);
    assert!(
        held == 0 || std::thread::panicking(),
        "under a lock of ours"
    );
}

/// A mutex of `shuttle`, which a panic does not poison.
#[derive(Debug)]
pub(crate) struct ModelMutex<T>(shuttle::sync::Mutex<T>);

/// The right to use what is in a [`ModelMutex`].
pub(crate) struct ModelGuard<'a, T>(Option<shuttle::sync::MutexGuard<'a, T>>);

impl<'a, T> ModelGuard<'a, T> {
    fn of(guard: shuttle::sync::MutexGuard<'a, T>) -> ModelGuard<'a, T> {
        let _ = HELD.try_with(|held| held.set(held.get() + 1));
        ModelGuard(Some(guard))
    }
}

impl<T: Send> Lock<T> for ModelMutex<T> {
    type Guard<'a>
        = ModelGuard<'a, T>
    where
        T: 'a;

    fn new_at(value: T, _born: Site) -> Self {
        ModelMutex(shuttle::sync::Mutex::new(value))
    }

    fn lock_at(&self, _at: Site) -> ModelGuard<'_, T> {
        assert_nothing_held();
        ModelGuard::of(self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn try_lock_at(&self, _at: Site) -> Option<ModelGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(guard) => Some(ModelGuard::of(guard)),
            Err(TryLockError::Poisoned(poisoned)) => Some(ModelGuard::of(poisoned.into_inner())),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn get_mut(&mut self) -> &mut T {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Deref for ModelGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("it is taken by drop")
    }
}

impl<T> DerefMut for ModelGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("it is taken by drop")
    }
}

impl<T> Drop for ModelGuard<'_, T> {
    fn drop(&mut self) {
        drop(self.0.take());
        let _ = HELD.try_with(|held| held.set(held.get() - 1));
    }
}

/// What the clock says, and who waits until when.
struct Clock {
    now: Instant,
    /// By deadline, and by a number that is used once.
    timers: BTreeMap<(Instant, u64), Thread>,
    next: u64,
    /// The keeper, while it parks.
    keeper: Option<Thread>,
    is_over: bool,
}

std::thread_local! {
    /// The clock of the execution: all its tasks run on one thread of the system.
    static CLOCK: RefCell<Option<Clock>> = const { RefCell::new(None) };
}

fn with_clock<R>(used: impl FnOnce(&mut Clock) -> R) -> R {
    CLOCK.with_borrow_mut(|clock| used(clock.as_mut().expect("an execution has begun")))
}

/// Wakes the keeper, if it parks.
fn wake_keeper() {
    if let Some(keeper) = with_clock(|clock| clock.keeper.take()) {
        keeper.unpark();
    }
}

/// Lets deadlines come, the earliest first, each at some time, until the execution is over.
fn keep_time() {
    loop {
        let first = with_clock(|clock| {
            let first = clock.timers.pop_first();
            if let Some(((deadline, _), _)) = &first {
                clock.now = clock.now.max(*deadline);
            } else if !clock.is_over {
                clock.keeper = Some(thread::current());
            }
            first.map(|(_, waiter)| waiter).ok_or(clock.is_over)
        });
        match first {
            Ok(waiter) => waiter.unpark(),
            Err(true) => return,
            Err(false) => thread::park(),
        }
    }
}

/// Runs one execution, with a clock.
pub(crate) fn execution(scenario: impl FnOnce()) {
    CLOCK.set(Some(Clock {
        now: Instant::now(),
        timers: BTreeMap::new(),
        next: 0,
        keeper: None,
        is_over: false,
    }));
    let keeper = thread::spawn(keep_time);
    scenario();
    with_clock(|clock| clock.is_over = true);
    wake_keeper();
    keeper.join().expect("it does not panic");
}

/// Whether a thread has done its work, and who waits for that.
///
/// In `shuttle` the end of a scope wakes its opener also where that joins another thread; parking can
/// be looked after.
#[derive(Debug, Default)]
pub(crate) struct Finish {
    is_finished: AtomicBool,
    /// Held for a moment only, in which no other thread goes on.
    waiter: std::sync::Mutex<Option<Thread>>,
}

/// Tasks of `shuttle`.
#[derive(Debug)]
pub(crate) struct Tasks;

impl Threads for Tasks {
    type Thread = Thread;
    type Started = Arc<Finish>;

    fn current() -> Thread {
        thread::current()
    }

    fn unpark(thread: &Thread) {
        thread.unpark();
    }

    fn park() {
        assert_nothing_held();
        thread::park();
    }

    fn park_until(deadline: Instant) {
        assert_nothing_held();
        let timer = with_clock(|clock| {
            clock.next += 1;
            let timer = (deadline, clock.next);
            clock.timers.insert(timer, thread::current());
            timer
        });
        wake_keeper();
        thread::park();
        with_clock(|clock| clock.timers.remove(&timer));
    }

    fn now() -> Instant {
        with_clock(|clock| clock.now)
    }

    fn give_way() {
        thread::yield_now();
    }

    fn step() {
        // A place to go elsewhere, and no yielding: that would be taken for waiting.
        std::thread_local! {
            static PLACE: AtomicBool = const { AtomicBool::new(false) };
        }
        let _ = PLACE.with(|place| place.load(SeqCst));
    }

    fn start(
        described: Described,
        work: impl FnOnce() + Send + 'static,
    ) -> io::Result<Arc<Finish>> {
        let mut builder = thread::Builder::new();
        if let Some(name) = described.name {
            builder = builder.name(name);
        }
        let finish = Arc::<Finish>::default();
        let tells = Arc::clone(&finish);
        builder.spawn(move || {
            work();
            tells.is_finished.store(true, SeqCst);
            let waiter = tells.waiter.lock().expect("nobody panics here").take();
            if let Some(waiter) = waiter {
                waiter.unpark();
            }
        })?;
        Ok(finish)
    }

    fn join(started: Arc<Finish>) {
        while !started.is_finished.load(SeqCst) {
            let me = Some(thread::current());
            *started.waiter.lock().expect("nobody panics here") = me;
            if !started.is_finished.load(SeqCst) {
                thread::park();
            }
        }
    }

    fn number() -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = |of: &Cell<u64>| {
            if of.get() == 0 {
                of.set(NEXT.fetch_add(1, Relaxed));
            }
            of.get()
        };
        // What comes after the end of the locals gets a number for itself.
        NUMBER
            .try_with(number)
            .unwrap_or_else(|_| NEXT.fetch_add(1, Relaxed))
    }

    fn with_own<R>(used: impl FnOnce(&Own<Tasks>) -> R) -> Option<R> {
        OWN.try_with(used).ok()
    }
}

/// A time that is not reached before all others wait, or much sooner: that is what is explored.
pub(crate) const SOME_TIME: Duration = Duration::from_millis(5);
