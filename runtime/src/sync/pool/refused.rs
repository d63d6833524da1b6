//! A job that was not taken: [`Refused`].

use std::error::Error;
use std::fmt;

/// A job was not taken, and comes back: the pool or the worker was shut down, or is broken.
///
/// ```
/// use lockwise::sync::{Refused, Shutdown, ThreadPool};
///
/// let pool = ThreadPool::new(1).unwrap();
/// pool.shutdown(Shutdown::Finish);
/// let Err(Refused(job)) = pool.submit(|| 2 + 2) else {
///     unreachable!("it takes no more jobs")
/// };
/// assert_eq!(job(), 4);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Refused<F>(pub F);

impl<F> fmt::Debug for Refused<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Refused(..)")
    }
}

impl<F> fmt::Display for Refused<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no more jobs are taken")
    }
}

impl<F> Error for Refused<F> {}
