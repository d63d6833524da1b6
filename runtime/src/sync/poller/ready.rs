//! [`Poller`]: which of several sources is ready.

use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use super::source::Source;
use super::waits::Waits;
use crate::sync::deadline::Deadline;
use crate::sync::threads::OsThreads;
use crate::waiting::Ticket;
use crate::watch::Site;

/// Waits until one of several sources is ready, and says which.
///
/// - **Level**: a source that is ready is told as long as it is. It may have been used up by another thread
///   by the time this one uses it: then it finds nothing, and waits again.
/// - **Fairness, order**: of several that are ready the one after the last one told is next.
/// - **Blocking**: only the waits block. Nothing is taken out of a source, so nothing is lost by a wait that ends
///   early, and there is no order but that of the turns.
/// - **Capacity**: none, for sources; one without sources has [nothing to wait for](NothingToWaitFor).
/// - **Panic, drop, re-entrancy**: a wait leaves nothing behind in its sources, however it ends, and holds no lock of
///   theirs; so a source may be used, and end, while it is waited for.
/// - **Close**: what is closed is ready, too, and stays so: [`remove`](Poller::remove) it. The same source may be added twice.
///
/// ```
/// use std::time::Duration;
///
/// use lockwise::sync::{Event, Poller, Queue};
///
/// let (jobs, stop) = (Queue::new(), Event::new());
/// jobs.put("job").unwrap();
///
/// let mut poller = Poller::new();
/// poller.add(&jobs, "jobs");
/// poller.add(&stop, "stop");
/// assert_eq!(poller.wait(), Ok(&"jobs"));
/// assert_eq!(jobs.try_get(), Ok("job"));
/// assert_eq!(poller.wait_timeout(Duration::from_millis(1)), None);
/// ```
pub struct Poller<'a, K> {
    sources: Vec<(&'a dyn Source, K)>,
    /// Who is asked first.
    next: usize,
}

/// A poller without sources would wait for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NothingToWaitFor;

impl fmt::Display for NothingToWaitFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is nothing to wait for")
    }
}

impl Error for NothingToWaitFor {}

impl<'a, K> Poller<'a, K> {
    /// A poller without sources.
    pub const fn new() -> Poller<'a, K> {
        Poller {
            sources: Vec::new(),
            next: 0,
        }
    }

    /// How many sources there are.
    pub fn len(&self) -> usize {
        self.sources.len()
    }

    /// Whether there is no source.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Adds a source; `key` is what is told when it is ready.
    pub fn add(&mut self, source: &'a dyn Source, key: K) {
        self.sources.push((source, key));
    }

    /// Takes out all sources of this key, such as one that was closed and would be ready for ever. How many there were.
    pub fn remove(&mut self, key: &K) -> usize
    where
        K: PartialEq,
    {
        let is_it = |(_, other): &(&dyn Source, K)| other == key;
        let told = self.next.min(self.sources.len());
        self.next = told - self.sources[..told].iter().filter(|it| is_it(it)).count();
        let before = self.sources.len();
        self.sources.retain(|it| !is_it(it));
        before - self.sources.len()
    }

    /// Waits until a source is ready.
    ///
    /// # Errors
    ///
    /// If there are no sources.
    #[track_caller]
    pub fn wait(&mut self) -> Result<&K, NothingToWaitFor> {
        if self.sources.is_empty() {
            return Err(NothingToWaitFor);
        }
        // Without a deadline there always is one in the end.
        self.ready(Deadline::Never, Site::caller())
            .ok_or(NothingToWaitFor)
    }

    /// [`wait`](Poller::wait), as a future. It can be dropped at any time.
    ///
    /// # Errors
    ///
    /// If there are no sources.
    pub async fn wait_async(&mut self) -> Result<&K, NothingToWaitFor> {
        if self.sources.is_empty() {
            return Err(NothingToWaitFor);
        }
        let mut looking = Looking::new(&self.sources, self.next);
        let found = poll_fn(|context| looking.look(context.waker())).await;
        drop(looking);
        self.next = found + 1;
        Ok(&self.sources[found].1)
    }

    /// Waits until a source is ready, at most for `timeout`; without sources that long.
    #[track_caller]
    pub fn wait_timeout(&mut self, timeout: Duration) -> Option<&K> {
        self.ready((self.waits().after)(timeout), Site::caller())
    }

    /// Waits until a source is ready, at most until `deadline`; without sources that long.
    #[track_caller]
    pub fn wait_deadline(&mut self, deadline: Instant) -> Option<&K> {
        self.ready(Deadline::At(deadline), Site::caller())
    }

    /// A source that is ready now, if one is.
    #[track_caller]
    pub fn poll(&mut self) -> Option<&K> {
        self.ready((self.waits().after)(Duration::ZERO), Site::caller())
    }

    /// How it waits: as the users of its sources do.
    fn waits(&self) -> Waits {
        let first = self.sources.first();
        first.map_or_else(Waits::of::<OsThreads>, |(source, _)| source.waits())
    }

    fn ready(&mut self, deadline: Deadline, at: Site) -> Option<&K> {
        let mut looking = Looking::new(&self.sources, self.next);
        let found = (self.waits().until)(deadline, at, &mut |waker| looking.look(waker));
        drop(looking);
        let found = found?;
        self.next = found + 1;
        Some(&self.sources[found].1)
    }
}

/// Sources that are looked at, and watched where they are not ready, until this is dropped.
struct Looking<'s, 'a, K> {
    sources: &'s [(&'a dyn Source, K)],
    tickets: Vec<Ticket>,
    /// Who is asked first.
    first: usize,
}

impl<'s, 'a, K> Looking<'s, 'a, K> {
    fn new(sources: &'s [(&'a dyn Source, K)], first: usize) -> Self {
        Looking {
            sources,
            tickets: sources.iter().map(|_| Ticket::new()).collect(),
            first,
        }
    }

    /// Which one is ready; if none, the waker is used when one may be.
    fn look(&mut self, waker: &Waker) -> Poll<usize> {
        let (count, first) = (self.sources.len(), self.first);
        let mut order = (0..count).map(|at| (first + at) % count);
        let ready = order.find(|&at| self.sources[at].0.watch(&mut self.tickets[at], waker));
        ready.map_or(Poll::Pending, Poll::Ready)
    }
}

impl<K> Drop for Looking<'_, '_, K> {
    fn drop(&mut self) {
        for ((source, _), ticket) in self.sources.iter().zip(&mut self.tickets) {
            source.unwatch(ticket);
        }
    }
}

impl<K> Default for Poller<'_, K> {
    fn default() -> Self {
        Poller::new()
    }
}

impl<K: fmt::Debug> fmt::Debug for Poller<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.sources.iter().map(|(_, key)| key);
        f.debug_list().entries(keys).finish()
    }
}
