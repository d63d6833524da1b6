//! Making a pool: [`PoolBuilder`].

use std::error::Error;
use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::sync::Arc;

use super::crew::{Crew, Initializer, Plan};
use super::threads::ThreadPool;
use crate::sync::backend::{Backend, Tracked};
use crate::watch::Site;

/// Why a pool was not made.
#[derive(Debug)]
pub enum BuildError {
    /// It would have no workers.
    NoWorkers,
    /// The system has no room for a thread.
    Spawn(io::Error),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BuildError::NoWorkers => "a pool needs a worker",
            BuildError::Spawn(_) => "cannot start a worker of the pool",
        })
    }
}

impl Error for BuildError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            BuildError::NoWorkers => None,
            BuildError::Spawn(error) => Some(error),
        }
    }
}

/// How a [`ThreadPool`] is to be.
///
/// ```
/// use lockwise::sync::ThreadPool;
/// use lockwise::thread;
///
/// let pool = ThreadPool::builder(4)
///     .name("press")
///     .grow_on_need()
///     .initializer(|| println!("a worker is ready"))
///     .build()
///     .unwrap();
/// assert_eq!(pool.workers(), 0);
/// let name = pool.submit(|| thread::current().name().map(str::to_owned)).unwrap();
/// assert_eq!(name.wait().unwrap().as_deref(), Some("press-0"));
/// ```
#[must_use = "a pool is made by `build`"]
pub struct PoolBuilder<B: Backend = Tracked> {
    workers: usize,
    grows: bool,
    name: Option<String>,
    stack_size: Option<usize>,
    initializer: Option<Initializer>,
    backend: PhantomData<B>,
}

impl<B: Backend> PoolBuilder<B> {
    pub(super) fn new(workers: usize) -> PoolBuilder<B> {
        PoolBuilder {
            workers,
            grows: false,
            name: None,
            stack_size: None,
            initializer: None,
            backend: PhantomData,
        }
    }

    /// Starts a worker only when there is a job and no worker waits for one.
    pub fn grow_on_need(mut self) -> PoolBuilder<B> {
        self.grows = true;
        self
    }

    /// Names the workers: this, a hyphen, and a number from 0.
    pub fn name(mut self, name: impl Into<String>) -> PoolBuilder<B> {
        self.name = Some(name.into());
        self
    }

    /// Sets the size of the workers' stacks, in bytes.
    pub fn stack_size(mut self, size: usize) -> PoolBuilder<B> {
        self.stack_size = Some(size);
        self
    }

    /// Runs this once on each worker, before its first job. If it panics the pool is broken: what has been
    /// submitted fails with [`Failure::Broken`](crate::sync::Failure::Broken), what will be is refused.
    pub fn initializer(mut self, initializer: impl Fn() + Send + Sync + 'static) -> PoolBuilder<B> {
        self.initializer = Some(Arc::new(initializer));
        self
    }

    /// Makes the pool. The caller is its creation site.
    ///
    /// # Errors
    ///
    /// If it would have no workers, or if one cannot be started.
    #[track_caller]
    pub fn build(self) -> Result<ThreadPool<B>, BuildError> {
        let born = Site::caller();
        if self.workers == 0 {
            return Err(BuildError::NoWorkers);
        }
        let crew = Crew::new(Plan {
            name: self.name,
            workers: self.workers,
            grows: self.grows,
            stack_size: self.stack_size,
            initializer: self.initializer,
            born,
        });
        // If one cannot be started, dropping the pool ends those that were.
        let pool = ThreadPool::of(crew);
        if !self.grows {
            for _ in 0..self.workers {
                pool.crew().start_one(born).map_err(BuildError::Spawn)?;
            }
        }
        Ok(pool)
    }
}

impl<B: Backend> fmt::Debug for PoolBuilder<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolBuilder")
            .field("workers", &self.workers)
            .field("grows", &self.grows)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
