//! One thread that does jobs: [`Worker`].

use std::fmt;
use std::future::Future;
use std::time::Duration;

use super::builder::BuildError;
use super::refused::Refused;
use super::threads::{Shutdown, ThreadPool};
use crate::sync::backend::{Backend, Tracked};
use crate::sync::promise;
use crate::watch::Site;

/// A thread that does jobs one after the other, and gives their results.
///
/// It is a [`ThreadPool`] of one, and promises what that does: a job that waits for another job of its own worker gets
/// [`Failure::Deadlock`](crate::sync::Failure::Deadlock). A result can be read after the worker has ended.
///
/// - **Order, fairness**: jobs run in the order in which they were submitted, whoever submitted them.
/// - **Panic**: that of a job goes into its result, and the worker goes on.
/// - **Capacity, blocking**: any number of jobs wait, so submitting never does; joining and the results do.
/// - **Close**: no more jobs are taken, and those that were are done ([`close`](Worker::close)) or cancelled
///   ([`cancel`](Worker::cancel)). A job that comes later is given back.
/// - **Drop**: the jobs are done, and that is waited for, but by a job of its own.
/// - **Re-entrancy**: a job may submit, close and cancel; one that joins its own worker panics.
///
/// ```
/// use lockwise::sync::Worker;
///
/// let worker = Worker::new().unwrap();
/// let power = worker.submit(|| 2_u32.pow(3)).unwrap();
/// worker.close();
/// worker.join();
/// assert_eq!(power.wait().unwrap(), 8);
/// ```
pub struct Worker<B: Backend = Tracked>(ThreadPool<B>);

impl Worker {
    /// A worker. The caller is its creation site.
    ///
    /// # Errors
    ///
    /// If the system has no room for a thread.
    #[track_caller]
    pub fn new() -> Result<Worker, BuildError> {
        Worker::new_in()
    }
}

impl<B: Backend> Worker<B> {
    /// [`Worker::new`], made of `B`.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn new_in() -> Result<Worker<B>, BuildError> {
        ThreadPool::new_in(1).map(Worker)
    }

    /// Has `work` done.
    ///
    /// # Errors
    ///
    /// The work, if the worker was closed.
    #[track_caller]
    pub fn submit<F, T>(&self, work: F) -> Result<promise::Future<T, B>, Refused<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.0.submit(work)
    }

    /// Takes no more jobs; those that were submitted are done, which dropping the worker still waits for.
    #[track_caller]
    pub fn close(&self) {
        self.0.close(Site::caller());
    }

    /// Takes no more jobs, and cancels those that have not begun.
    #[track_caller]
    pub fn cancel(&self) {
        self.0.shutdown(Shutdown::Cancel);
    }

    /// [`cancel`](Worker::cancel), as a future that ends when the thread has. What has not begun is cancelled when this
    /// is called, also if the future is dropped.
    #[track_caller]
    pub fn cancel_async(&self) -> impl Future<Output = ()> + use<'_, B> {
        self.0.shutdown_async(Shutdown::Cancel)
    }

    /// Whether it takes no more jobs.
    #[track_caller]
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// How many jobs wait: a hint.
    #[track_caller]
    pub fn queued(&self) -> usize {
        self.0.queued()
    }

    /// Waits until all that was submitted is done, at most for `timeout`. Whether it was.
    #[track_caller]
    pub fn join_timeout(&self, timeout: Duration) -> bool {
        self.0.join_timeout(timeout)
    }

    /// [`join`](Worker::join), as a future. It can be dropped at any time.
    ///
    /// # Panics
    ///
    /// As [`join`](Worker::join), when this is called.
    #[track_caller]
    pub fn join_async(&self) -> impl Future<Output = ()> + use<'_, B> {
        let is_closed = self.0.is_closed();
        let ended = is_closed.then(|| self.0.shutdown_async(Shutdown::Finish));
        let done = (!is_closed).then(|| self.0.join_async());
        async move {
            if let Some(ended) = ended {
                ended.await;
            }
            if let Some(done) = done {
                done.await;
            }
        }
    }

    /// Waits until all that was submitted is done; if it was closed, also until the thread has ended.
    ///
    /// # Panics
    ///
    /// In a job of this very worker, unless it was closed: then that does not wait.
    #[track_caller]
    pub fn join(&self) {
        if self.0.is_closed() {
            self.0.shutdown(Shutdown::Finish);
        } else {
            self.0.join();
        }
    }
}

impl<B: Backend> fmt::Debug for Worker<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Worker").field(&self.0).finish()
    }
}
