//! Results in the order of what they were made from: [`Map`].

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use crate::sync::alarm::within;
use crate::sync::backend::{Backend, Tracked};
use crate::sync::promise::{Failure, Future};
use crate::sync::threads::Threads;

/// The results of [`ThreadPool::map`](super::ThreadPool::map), in the order of the items.
///
/// The first failure is the last result: what has not begun then is cancelled, and so it is when this is
/// dropped.
///
/// ```
/// use std::time::Duration;
///
/// use lockwise::sync::ThreadPool;
///
/// let pool = ThreadPool::new(2).unwrap();
/// let squares = pool.map(1..=3, |number| number * number).unwrap();
/// let squares: Result<Vec<u32>, _> = squares.within(Duration::from_secs(60)).collect();
/// assert_eq!(squares.unwrap(), [1, 4, 9]);
/// ```
#[must_use = "dropping the results cancels the work"]
pub struct Map<T: Send, B: Backend = Tracked> {
    results: VecDeque<Future<T, B>>,
    deadline: Option<Instant>,
}

impl<T: Send, B: Backend> Map<T, B> {
    pub(super) fn new() -> Map<T, B> {
        Map {
            results: VecDeque::new(),
            deadline: None,
        }
    }

    pub(super) fn push(&mut self, result: Future<T, B>) {
        self.results.push_back(result);
    }

    /// Gives all results this much time from now on. A result that is not there then is
    /// [`Failure::TimedOut`], and the last one.
    pub fn within(mut self, timeout: Duration) -> Map<T, B> {
        self.deadline = B::Threads::now().checked_add(timeout);
        self
    }

    /// The next result, as a future; nothing, if there is none left. Dropped before it is ready, it takes none.
    pub async fn next_async(&mut self) -> Option<Result<T, Failure>> {
        let next = self.results.front()?;
        match self.deadline {
            None => _ = next.done_async().await,
            Some(deadline) => {
                let left = deadline.saturating_duration_since(B::Threads::now());
                within(left, next.done_async()).await;
            }
        }
        let result = self.results.pop_front()?.try_get();
        Some(self.given(result.unwrap_or_else(|late| too_late(&late))))
    }

    /// A result that is given, and the last one if it is a failure.
    fn given(&mut self, result: Result<T, Failure>) -> Result<T, Failure> {
        if result.is_err() {
            self.cancel();
        }
        result
    }

    /// Cancels what has not begun, and forgets all results.
    fn cancel(&mut self) {
        for result in self.results.drain(..) {
            result.cancel();
        }
    }
}

/// What has not come in time: it is cancelled, if it has not begun.
fn too_late<T: Send, B: Backend>(late: &Future<T, B>) -> Result<T, Failure> {
    late.cancel();
    Err(Failure::TimedOut)
}

impl<T: Send, B: Backend> Iterator for Map<T, B> {
    type Item = Result<T, Failure>;

    #[track_caller]
    fn next(&mut self) -> Option<Result<T, Failure>> {
        let next = self.results.pop_front()?;
        let result = match self.deadline {
            None => next.wait(),
            Some(deadline) => next
                .wait_deadline(deadline)
                .unwrap_or_else(|late| too_late(&late)),
        };
        Some(self.given(result))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.results.len()))
    }
}

impl<T: Send, B: Backend> Drop for Map<T, B> {
    fn drop(&mut self) {
        self.cancel();
    }
}

impl<T: Send, B: Backend> fmt::Debug for Map<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map")
            .field("left", &self.results.len())
            .finish_non_exhaustive()
    }
}
