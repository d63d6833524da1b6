//! Threads that do jobs, and results of these: [`ThreadPool`] and [`Worker`].
//!
//! A pool is a queue of jobs and threads that take them; `stuck` sees when all of these wait for
//! jobs that only they could do.

mod builder;
mod crew;
mod map;
mod refused;
mod returns;
mod stuck;
mod threads;
mod unfinished;
mod worker;

pub use builder::{BuildError, PoolBuilder};
pub use map::Map;
pub use refused::Refused;
pub use threads::{Shutdown, ThreadPool};
pub use worker::Worker;
