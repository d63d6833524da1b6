//! Waiting for several results: [`wait_for`] and [`as_completed`].

use std::fmt;
use std::task::Poll;
use std::time::Duration;

use super::failure::End;
use super::future::Future;
use crate::sync::backend::{Backend, Tracked};
use crate::sync::deadline::Deadline;
use crate::sync::park;
use crate::sync::waiters::Ticket;
use crate::watch::Site;

/// How long [`wait_for`] waits, unless its time is over before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Until {
    /// Until all have ended.
    All,
    /// Until one has ended.
    First,
    /// Until one has ended without a value, or all have ended.
    FirstFailure,
}

/// Futures by whether they have ended, each in the order in which they were given.
#[derive(Debug)]
pub struct Waited<T: Send, B: Backend = Tracked> {
    /// These have: [`Future::wait`] does not wait.
    pub done: Vec<Future<T, B>>,
    /// These have not, when it was looked.
    pub pending: Vec<Future<T, B>>,
}

/// Waits until `until` is true of the futures, for `timeout` at most if there is one.
///
/// ```
/// use std::time::Duration;
///
/// use lockwise::sync::{Promise, Until, wait_for};
///
/// let (one, first) = Promise::new();
/// let (_two, second) = Promise::new();
/// one.set(1).unwrap();
/// let waited = wait_for([first, second], Until::First, None);
/// assert_eq!((waited.done.len(), waited.pending.len()), (1, 1));
/// let waited = wait_for(waited.pending, Until::All, Some(Duration::from_millis(1)));
/// assert_eq!(waited.pending.len(), 1);
/// ```
#[track_caller]
pub fn wait_for<T: Send, B: Backend>(
    futures: impl IntoIterator<Item = Future<T, B>>,
    until: Until,
    timeout: Option<Duration>,
) -> Waited<T, B> {
    let at = Site::caller();
    let futures: Vec<_> = futures.into_iter().collect();
    let deadline = timeout.map_or(Deadline::Never, Deadline::after::<B::Threads>);
    let enough = |ends: &[Option<End>]| match until {
        Until::All => ends.iter().all(Option::is_some),
        Until::First => ends.is_empty() || ends.iter().any(Option::is_some),
        Until::FirstFailure => {
            ends.iter().all(Option::is_some) || ends.iter().flatten().any(|end| *end != End::Done)
        }
    };
    let ends = wait(&futures, deadline, at, enough);
    let mut waited = Waited {
        done: Vec::new(),
        pending: Vec::new(),
    };
    for (future, end) in futures.into_iter().zip(ends) {
        if end.is_some() {
            waited.done.push(future);
        } else {
            waited.pending.push(future);
        }
    }
    waited
}

/// Waits until `enough` of the ends, and returns them.
fn wait<T: Send, B: Backend>(
    futures: &[Future<T, B>],
    deadline: Deadline,
    at: Site,
    enough: impl Fn(&[Option<End>]) -> bool,
) -> Vec<Option<End>> {
    let mut tickets: Vec<_> = futures.iter().map(|_| Ticket::new()).collect();
    let mut ends = vec![None; futures.len()];
    park::wait::<B::Threads, _>(deadline, |waker| {
        for ((future, ticket), end) in futures.iter().zip(&mut tickets).zip(&mut ends) {
            if end.is_none()
                && future
                    .shared()
                    .poll(ticket, waker, deadline.is_timed(), at)
                    .is_ready()
            {
                *end = future.shared().ended(at);
            }
        }
        if enough(&ends) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    });
    for ((future, ticket), end) in futures.iter().zip(&mut tickets).zip(&mut ends) {
        if end.is_none()
            && future
                .shared()
                .leave(ticket, deadline.is_timed(), at)
                .is_some()
        {
            *end = future.shared().ended(at);
        }
    }
    ends
}

/// The futures in the order in which they end.
///
/// Each step waits for the next one. Of those that have ended meanwhile, the ones given first come first.
#[track_caller]
pub fn as_completed<T: Send, B: Backend>(
    futures: impl IntoIterator<Item = Future<T, B>>,
) -> AsCompleted<T, B> {
    AsCompleted {
        pending: futures.into_iter().collect(),
        at: Site::caller(),
    }
}

/// Futures in the order in which they end: see [`as_completed`].
#[must_use = "iterators do nothing unless consumed"]
pub struct AsCompleted<T: Send, B: Backend = Tracked> {
    pending: Vec<Future<T, B>>,
    at: Site,
}

impl<T: Send, B: Backend> Iterator for AsCompleted<T, B> {
    type Item = Future<T, B>;

    fn next(&mut self) -> Option<Future<T, B>> {
        if self.pending.is_empty() {
            return None;
        }
        let any = |ends: &[Option<End>]| ends.iter().any(Option::is_some);
        let ends = wait(&self.pending, Deadline::Never, self.at, any);
        let at = ends.iter().position(Option::is_some)?;
        Some(self.pending.remove(at))
    }
}

impl<T: Send, B: Backend> fmt::Debug for AsCompleted<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsCompleted")
            .field("pending", &self.pending.len())
            .finish_non_exhaustive()
    }
}
