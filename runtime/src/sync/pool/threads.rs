//! [`ThreadPool`]: threads that do jobs.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::builder::{BuildError, PoolBuilder};
use super::crew::Crew;
use super::map::Map;
use super::refused::Refused;
use crate::sync::backend::{Backend, Lock, Tracked};
use crate::sync::deadline::Deadline;
use crate::sync::promise::{self, End, Planned};
use crate::watch::Site;

/// Threads that do jobs, in the order in which these were submitted, and give their results.
///
/// - **Results, panic**: [`submit`](ThreadPool::submit) gives a [`Future`](promise::Future). A job that panics fails its future with
///   the panic, and its worker goes on to the next job.
/// - **Blocking**: submitting never waits. [`join`](ThreadPool::join) waits until all that was submitted is
///   done; it can be called again, and by several threads.
/// - **Capacity**: none, for jobs; as many of them run as there are workers.
/// - **Order, fairness**: a job begins after all that were submitted before it, and never waits for a later one.
/// - **Workers** are started when the pool is made, or on need ([`PoolBuilder::grow_on_need`]).
/// - **Close, drop**: [`shutdown`](ThreadPool::shutdown) takes no more jobs, and does, cancels or leaves those that
///   have been submitted. Dropping the pool does them, and waits for that; but not inside one of its own
///   jobs, where that could not end, nor after [`Shutdown::Detach`] or [`detach`](ThreadPool::detach).
/// - **Re-entrancy**: a job may submit jobs, and wait for them as long as another worker is left to do
///   them. If all workers wait for results of their own pool, the last one to begin gets
///   [`Failure::Deadlock`](crate::sync::Failure::Deadlock) instead of a hang.
/// - **Locks**: no job runs with a lock of the pool held.
///
/// ```
/// use lockwise::sync::ThreadPool;
///
/// let pool = ThreadPool::new(2).unwrap();
/// let squares: Vec<_> = (1..=3).map(|n| pool.submit(move || n * n).unwrap()).collect();
/// let sum: u32 = squares.into_iter().map(|square| square.wait().unwrap()).sum();
/// assert_eq!(sum, 14);
/// ```
pub struct ThreadPool<B: Backend = Tracked> {
    crew: Arc<Crew<B>>,
    /// Dropping it waits for nobody.
    is_detached: AtomicBool,
}

/// What becomes of jobs that have been submitted when a pool is shut down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shutdown {
    /// They are done, and that is waited for.
    Finish,
    /// Those that have not begun are cancelled; the others are waited for.
    Cancel,
    /// They are done, and nobody waits, also when the pool is dropped.
    Detach,
}

impl ThreadPool {
    /// A pool of this many workers. The caller is its creation site.
    ///
    /// # Errors
    ///
    /// If there are to be no workers, or one cannot be started.
    #[track_caller]
    pub fn new(workers: usize) -> Result<ThreadPool, BuildError> {
        PoolBuilder::new(workers).build()
    }

    /// A pool of at most this many workers, to be described further.
    pub fn builder(workers: usize) -> PoolBuilder {
        PoolBuilder::new(workers)
    }
}

impl<B: Backend> ThreadPool<B> {
    /// [`ThreadPool::new`], made of `B`.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn new_in(workers: usize) -> Result<ThreadPool<B>, BuildError> {
        PoolBuilder::new(workers).build()
    }

    /// [`ThreadPool::builder`], made of `B`.
    pub fn builder_in(workers: usize) -> PoolBuilder<B> {
        PoolBuilder::new(workers)
    }

    pub(super) fn of(crew: Arc<Crew<B>>) -> ThreadPool<B> {
        ThreadPool {
            crew,
            is_detached: AtomicBool::new(false),
        }
    }

    pub(super) fn crew(&self) -> &Arc<Crew<B>> {
        &self.crew
    }

    /// Has `work` done by a worker.
    ///
    /// # Errors
    ///
    /// The work, if the pool was shut down or is broken.
    #[track_caller]
    pub fn submit<F, T>(&self, work: F) -> Result<promise::Future<T, B>, Refused<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let at = Site::caller();
        self.crew.returns.drop_one();
        let (job, future) = Planned::new(at, self.crew.keeps(), work);
        self.crew.unfinished.add();
        match self.crew.jobs.put(job) {
            Ok(()) => {
                self.crew.need_one(at);
                Ok(future)
            }
            Err(refused) => {
                let work = refused.into_inner().into_work::<F, T, B>();
                self.crew.unfinished.finish();
                Err(Refused(work))
            }
        }
    }

    /// Has `work` done for each item, and gives the results in the order of the items.
    ///
    /// All items are submitted before this returns. The first failure ends the results and cancels what has
    /// not begun; so does dropping them.
    ///
    /// # Errors
    ///
    /// If the pool was shut down or is broken.
    #[track_caller]
    pub fn map<I, F, T>(&self, items: I, work: F) -> Result<Map<T, B>, Refused<()>>
    where
        I: IntoIterator<Item: Send + 'static>,
        F: Fn(I::Item) -> T + Send + Sync + 'static,
        T: Send + 'static,
    {
        let work = Arc::new(work);
        let mut results = Map::new();
        for item in items {
            let work = Arc::clone(&work);
            match self.submit(move || work(item)) {
                Ok(future) => results.push(future),
                Err(_) => return Err(Refused(())),
            }
        }
        Ok(results)
    }

    /// Waits until all that was submitted is done.
    ///
    /// # Panics
    ///
    /// In a job of this very pool, which could not end.
    #[track_caller]
    pub fn join(&self) {
        self.assert_elsewhere();
        let at = Site::caller();
        self.crew.unfinished.join(Deadline::Never, at);
    }

    #[track_caller]
    fn assert_elsewhere(&self) {
        assert!(
            !self.crew.is_here(),
            "a job cannot wait until its own pool is done"
        );
    }

    /// [`join`](ThreadPool::join), at most for `timeout`. Whether all was done. In a job of this very pool that is false
    /// when the time is up, as the job itself is not done; it does not panic.
    #[track_caller]
    pub fn join_timeout(&self, timeout: Duration) -> bool {
        let deadline = Deadline::after::<B::Threads>(timeout);
        self.crew.unfinished.join(deadline, Site::caller())
    }

    /// [`join`](ThreadPool::join), at most until `deadline`. Whether all was done; as
    /// [`join_timeout`](ThreadPool::join_timeout) in a job of this very pool.
    #[track_caller]
    pub fn join_deadline(&self, deadline: Instant) -> bool {
        let deadline = Deadline::At(deadline);
        self.crew.unfinished.join(deadline, Site::caller())
    }

    /// [`join`](ThreadPool::join), as a future. It can be dropped at any time.
    ///
    /// # Panics
    ///
    /// As [`join`](ThreadPool::join), when this is called.
    #[track_caller]
    pub fn join_async(&self) -> impl Future<Output = ()> + use<'_, B> {
        self.assert_elsewhere();
        self.crew.unfinished.join_async(Site::caller())
    }

    /// Takes no more jobs, and ends the workers when there is nothing left to do.
    ///
    /// Inside one of its own jobs it does not wait. Again it does what it did not do before.
    #[track_caller]
    pub fn shutdown(&self, how: Shutdown) {
        self.shutdown_at(how, Site::caller());
    }

    fn shutdown_at(&self, how: Shutdown, at: Site) {
        self.begin_shutdown(how, at);
        if how != Shutdown::Detach && !self.crew.is_here() {
            self.crew.join(at);
        }
    }

    /// [`shutdown`](ThreadPool::shutdown), as a future that ends when the workers have; with
    /// [`Shutdown::Detach`] at once. The pool is shut down when this is called, also if the future is dropped.
    #[track_caller]
    pub fn shutdown_async(&self, how: Shutdown) -> impl Future<Output = ()> + use<'_, B> {
        let at = Site::caller();
        self.begin_shutdown(how, at);
        async move {
            if how != Shutdown::Detach && !self.crew.is_here() {
                self.crew.ended.wait_async().await;
                // They have done all that they had to, and are about to end.
                self.crew.join(at);
            }
        }
    }

    fn begin_shutdown(&self, how: Shutdown, at: Site) {
        match how {
            Shutdown::Cancel => self.crew.give_up(End::Cancelled, at),
            Shutdown::Finish => self.crew.close(at),
            Shutdown::Detach => {
                // For the drop, which comes after whatever is done with the pool.
                self.is_detached.store(true, Relaxed);
                self.crew.close(at);
            }
        }
    }

    /// Takes no more jobs, and waits for nobody yet.
    pub(super) fn close(&self, at: Site) {
        self.begin_shutdown(Shutdown::Finish, at);
    }

    /// Drops the handle only: what was submitted is done, and nobody waits for that.
    pub fn detach(self) {
        self.is_detached.store(true, Relaxed);
    }

    /// Whether it takes no more jobs.
    #[track_caller]
    pub fn is_closed(&self) -> bool {
        self.crew.jobs.is_closed()
    }

    /// How many jobs wait for a worker: a hint.
    #[track_caller]
    pub fn queued(&self) -> usize {
        self.crew.jobs.len()
    }

    /// How many workers there are now: a hint.
    #[track_caller]
    pub fn workers(&self) -> usize {
        self.crew.state.lock_at(Site::caller()).alive()
    }
}

impl<B: Backend> Drop for ThreadPool<B> {
    /// Where that is done is not known here: the place at which the pool was made stands for it.
    fn drop(&mut self) {
        let how = if *self.is_detached.get_mut() {
            Shutdown::Detach
        } else {
            Shutdown::Finish
        };
        self.shutdown_at(how, self.crew.plan.born);
    }
}

impl<B: Backend> fmt::Debug for ThreadPool<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPool")
            .field("jobs", &self.crew.jobs)
            .finish_non_exhaustive()
    }
}
