//! [`Scheduler`]: who has the next turn.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{AcqRel, Release};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use super::turns::{Sleep, Sleepers};
use crate::sync::deadline::{Deadline, due_after};
use crate::sync::promise::{self, Failure, Promise};
use crate::sync::queue::{Queue, Work};
use crate::sync::threads::OsThreads;
use crate::watch::Site;

/// Tasks that take turns on one thread, instead of a thread for each.
///
/// - **Turns, order, fairness**: first come, first served. A task runs until it waits, yields or ends, so none starves another
///   that yields, and what tasks share needs no lock.
/// - **Waiting**: on whatever is a future: those of this module ([`Queue::get_async`], [`Event::wait_async`],
///   results, …), [`sleep`](Scheduler::sleep), or any other. Other threads may wake a task.
/// - **Blocking**: [`run`](Scheduler::run) keeps its thread until all tasks are over. A task that blocks in place of
///   waiting as a future keeps all others waiting.
/// - **Capacity, close**: any number of tasks; there is nothing to close, and a run may follow a run.
/// - **Re-entrancy**: a task may spawn and cancel tasks, but not run its scheduler.
/// - **Spawn, drop**: also from a task. Dropping the [handle](ScheduledTask) lets the task run on;
///   [`cancel`](ScheduledTask::cancel) drops it where it stands, with its destructors.
/// - **Panic**: that of a task ends that task, and is its result. That of a destructor, of a result that nobody wants
///   or of what a task holds, is printed, and the others go on.
///
/// [`Queue::get_async`]: crate::sync::Queue::get_async
/// [`Event::wait_async`]: crate::sync::Event::wait_async
///
/// ```
/// use lockwise::sync::{Queue, Scheduler, yield_now};
///
/// static LINE: Queue<u32> = Queue::bounded(1);
///
/// let scheduler = Scheduler::new();
/// scheduler.spawn(async {
///     for number in 1..=3 {
///         LINE.put_async(number).await.unwrap();
///         yield_now().await;
///     }
///     LINE.close();
/// });
/// let sum = scheduler.spawn(async {
///     let mut sum = 0;
///     while let Ok(number) = LINE.get_async().await {
///         sum += number;
///     }
///     sum
/// });
/// scheduler.run().unwrap();
/// assert_eq!(sum.result().wait().unwrap(), 6);
/// ```
#[derive(Clone)]
pub struct Scheduler(Rc<Inner>);

struct Inner {
    /// The tasks by number; nothing while one has its turn.
    tasks: RefCell<BTreeMap<u64, Option<Running>>>,
    next: Cell<u64>,
    /// The numbers of those that have been woken.
    ready: Arc<Queue<u64>>,
    sleepers: Rc<Sleepers>,
    /// Somebody runs it.
    runs: Cell<bool>,
}

/// The run of a scheduler, until this is dropped.
struct Run<'a>(&'a Cell<bool>);

impl Drop for Run<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// A task that is not over.
struct Running {
    future: Pin<Box<dyn Future<Output = ()>>>,
    turn: Arc<Turn>,
}

/// What wakes a task.
struct Turn {
    number: u64,
    /// It is in the row of those that are ready.
    is_ready: AtomicBool,
    ready: Arc<Queue<u64>>,
}

impl Wake for Turn {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_ready.swap(true, AcqRel) {
            // Closed only when the scheduler is gone, and the task with it.
            let _ = self.ready.put(self.number);
        }
    }
}

/// Tasks are left that nobody can wake: nobody has their wakers, and none of them sleeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stuck {
    /// How many.
    pub tasks: usize,
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} tasks wait for what nobody will tell them",
            self.tasks
        )
    }
}

impl Error for Stuck {}

/// A task of a [`Scheduler`].
///
/// ```
/// use lockwise::sync::{Scheduler, yield_now};
///
/// let scheduler = Scheduler::new();
/// let five = scheduler.spawn(async { 5 });
/// let never = scheduler.spawn(async {
///     loop {
///         yield_now().await;
///     }
/// });
/// let ends = scheduler.spawn(async move {
///     let five = five.result().await.unwrap();
///     let never: Result<(), _> = never.cancel();
///     (five, never.is_err())
/// });
/// scheduler.run().unwrap();
/// assert_eq!(ends.result().wait().unwrap(), (5, true));
/// ```
pub struct ScheduledTask<T: Send> {
    number: u64,
    scheduler: Scheduler,
    result: promise::Future<T>,
}

impl Scheduler {
    /// A scheduler without tasks. The caller is its creation site.
    #[track_caller]
    pub fn new() -> Scheduler {
        Scheduler(Rc::new(Inner {
            tasks: RefCell::default(),
            next: Cell::new(0),
            ready: Arc::new(Queue::new_at(None, Site::caller())),
            sleepers: Rc::default(),
            runs: Cell::new(false),
        }))
    }

    /// Adds a task. It has its first turn when [`run`](Scheduler::run) comes to it.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> ScheduledTask<F::Output>
    where
        F: Future<Output: Send> + 'static,
    {
        let (promise, result) = Promise::new();
        let number = self.0.next.replace(self.0.next.get() + 1);
        let turn = Arc::new(Turn {
            number,
            is_ready: AtomicBool::new(false),
            ready: Arc::clone(&self.0.ready),
        });
        let running = Running {
            future: Box::pin(kept(promise, future)),
            turn: Arc::clone(&turn),
        };
        self.0.tasks.borrow_mut().insert(number, Some(running));
        turn.wake();
        ScheduledTask {
            number,
            scheduler: self.clone(),
            result,
        }
    }

    /// A future that ends after `time`. Only tasks of this scheduler are woken by it.
    pub fn sleep(&self, time: Duration) -> Sleep {
        Sleep::new(Rc::clone(&self.0.sleepers), due_after::<OsThreads>(time))
    }

    /// Runs the tasks until all are over.
    ///
    /// # Errors
    ///
    /// If tasks are left that nobody can wake. (That nobody *will* cannot be seen: a queue that only a task
    /// of this scheduler would put into has their wakers.)
    ///
    /// # Panics
    ///
    /// If a task runs it.
    #[track_caller]
    pub fn run(&self) -> Result<(), Stuck> {
        let at = Site::caller();
        let runs = self.0.runs.replace(true);
        assert!(!runs, "a scheduler is not run by one of its tasks");
        let _run = Run(&self.0.runs);
        while !self.0.tasks.borrow().is_empty() {
            self.0.sleepers.wake();
            match self.0.ready.try_get() {
                Ok(number) => self.turn(number),
                Err(_) => self.wait(at)?,
            }
        }
        Ok(())
    }

    /// Waits until a task is ready.
    fn wait(&self, at: Site) -> Result<(), Stuck> {
        let first = self.0.sleepers.first();
        if first.is_none() {
            let tasks = self.0.tasks.borrow();
            let held = |running: &Running| Arc::strong_count(&running.turn) > 1;
            let lost = !tasks.values().flatten().any(held);
            // Who had a waker and used it has dropped it since.
            if lost && self.0.ready.is_empty() {
                return Err(Stuck { tasks: tasks.len() });
            }
        }
        let deadline = first.map_or(Deadline::Never, Deadline::At);
        if let Ok(number) = self.0.ready.get_at(Work::Done, deadline, at) {
            self.turn(number);
        }
        Ok(())
    }

    /// Lets a task have its turn.
    fn turn(&self, number: u64) {
        let running = match self.0.tasks.borrow_mut().get_mut(&number) {
            Some(place) => place.take(),
            None => return,
        };
        let mut running = running.expect("a task has one turn at a time");
        running.turn.is_ready.store(false, Release);
        let waker = Waker::from(Arc::clone(&running.turn));
        let future = running.future.as_mut();
        let poll = || future.poll(&mut Context::from_waker(&waker)).is_ready();
        // The panic of a task is its result; what is left is that of a destructor, which ends its task too.
        let over = catch_unwind(AssertUnwindSafe(poll)).unwrap_or(true);
        drop(waker);
        let rest = if over {
            self.0.tasks.borrow_mut().remove(&number);
            Some(running)
        } else {
            match self.0.tasks.borrow_mut().get_mut(&number) {
                Some(place) => {
                    *place = Some(running);
                    None
                }
                // It was cancelled in its own turn.
                None => Some(running),
            }
        };
        // No destructor ends the run: its panic was printed.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(rest)));
    }
}

/// Does the work of a task, and gives its result or its panic.
async fn kept<F: Future<Output: Send>>(promise: Promise<F::Output>, future: F) {
    let mut future = pin!(future);
    let polled = std::future::poll_fn(|context| {
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(payload) => Poll::Ready(Err(payload)),
        }
    });
    match polled.await {
        // Nobody wants it, perhaps.
        Ok(output) => drop(promise.set(output)),
        Err(payload) => promise.panicked(payload),
    }
}

impl<T: Send> ScheduledTask<T> {
    /// Its result, to be awaited, or waited for by another thread, or after the run.
    pub fn result(self) -> promise::Future<T> {
        self.result
    }

    /// Whether it is over.
    #[track_caller]
    pub fn is_done(&self) -> bool {
        self.result.is_done()
    }

    /// Drops the task where it stands, unless it is over: then this gives its result.
    ///
    /// # Errors
    ///
    /// [`Failure::Dropped`], if it was not over; or that of the task.
    pub fn cancel(self) -> Result<T, Failure> {
        let running = self.scheduler.0.tasks.borrow_mut().remove(&self.number);
        drop(running);
        // In its own turn it is dropped at the end of that.
        self.result.try_get().unwrap_or(Err(Failure::Dropped))
    }
}

impl Default for Scheduler {
    #[track_caller]
    fn default() -> Scheduler {
        Scheduler::new()
    }
}

impl fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheduler")
            .field("tasks", &self.0.tasks.borrow().len())
            .finish_non_exhaustive()
    }
}

impl<T: Send> fmt::Debug for ScheduledTask<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScheduledTask")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}
