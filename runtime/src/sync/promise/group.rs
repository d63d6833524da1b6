//! Waiting for several results: [`wait_for`] and [`as_completed`].

use std::fmt;
use std::future::poll_fn;
use std::task::{Poll, Waker};
use std::time::Duration;

use super::failure::End;
use super::future::Future;
use super::kept::{NoEnd, Waiting};
use super::shared::{Shared, Wait};
use crate::sync::alarm::Alarm;
use crate::sync::backend::{Backend, Tracked};
use crate::sync::deadline::{Deadline, due_after};
use crate::sync::park::{self, ForAny};
use crate::waiting::Ticket;
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
/// A worker of a pool that waits for results of this very pool learns at once if these can never come: then they are
/// among those that have not ended, and waiting for one gives [`Failure::Deadlock`](super::Failure::Deadlock).
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
    let ends = if until == Until::All && timeout.is_none() {
        wait_for_each(&futures, at)
    } else {
        wait(&futures, deadline, at, |ends| until.is_enough(ends))
    };
    sorted(futures, ends)
}

/// [`wait_for`], as a future. Dropped before it is ready, it drops the futures; with a `timeout` it gives
/// them back.
#[track_caller]
pub fn wait_for_async<T: Send, B: Backend, I: IntoIterator<Item = Future<T, B>>>(
    futures: I,
    until: Until,
    timeout: Option<Duration>,
) -> impl std::future::Future<Output = Waited<T, B>> + use<T, B, I> {
    let at = Site::caller();
    let futures: Vec<_> = futures.into_iter().collect();
    let mut alarm = timeout.map(|timeout| Alarm::at(due_after::<B::Threads>(timeout)));
    async move {
        let mut ends = Group::new(&futures, false, at);
        poll_fn(|context| {
            let waker = context.waker();
            let late = |alarm: &mut Alarm| alarm.poll(waker).is_ready();
            if until.is_enough(ends.look(waker)) || alarm.as_mut().is_some_and(late) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        let ends = ends.leave();
        sorted(futures, ends)
    }
}

impl Until {
    fn is_enough(self, ends: &[Option<End>]) -> bool {
        let all = || ends.iter().all(Option::is_some);
        match self {
            Until::All => all(),
            Until::First => ends.is_empty() || ends.iter().any(Option::is_some),
            Until::FirstFailure => all() || ends.iter().flatten().any(|end| *end != End::Done),
        }
    }
}

/// The futures by whether they have ended.
fn sorted<T: Send, B: Backend>(futures: Vec<Future<T, B>>, ends: Vec<Option<End>>) -> Waited<T, B> {
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

/// Futures that are waited for together, and the ends of those that have ended. Dropped, it waits no more.
struct Group<'a, T: Send, B: Backend> {
    futures: &'a [Future<T, B>],
    tickets: Vec<Ticket>,
    ends: Vec<Option<End>>,
    timed: bool,
    at: Site,
}

impl<'a, T: Send, B: Backend> Group<'a, T, B> {
    fn new(futures: &'a [Future<T, B>], timed: bool, at: Site) -> Group<'a, T, B> {
        Group {
            futures,
            tickets: futures.iter().map(|_| Ticket::new()).collect(),
            ends: vec![None; futures.len()],
            timed,
            at,
        }
    }

    /// Those that have ended by now. The waker is used when another one does.
    fn look(&mut self, waker: &Waker) -> &[Option<End>] {
        self.each(|shared, ticket, timed, at| {
            let ended = shared.poll(ticket, waker, timed, at);
            ended.is_ready()
        });
        &self.ends
    }

    /// Looks one last time, and waits no more.
    fn leave(mut self) -> Vec<Option<End>> {
        self.each(|shared, ticket, timed, at| shared.leave(ticket, timed, at).is_some());
        std::mem::take(&mut self.ends)
    }

    /// Asks of each that has not ended whether it has.
    fn each(&mut self, has_ended: impl Fn(&Shared<T, B>, &mut Ticket, bool, Site) -> bool) {
        let each = self.futures.iter().zip(&mut self.tickets);
        for ((future, ticket), end) in each.zip(&mut self.ends) {
            let shared = future.shared();
            if end.is_none() && has_ended(shared, ticket, self.timed, self.at) {
                *end = shared.ended(self.at);
            }
        }
    }

    /// Says that this thread waits for one of those that have not ended, if one and the same keeps all of them.
    /// An error if none ever will.
    fn begin_wait(&self) -> Result<Option<Waiting>, NoEnd> {
        let ends = self.futures.iter().zip(&self.ends);
        let pending = ends.filter(|(_, end)| end.is_none());
        let pending: Vec<_> = pending.map(|(future, _)| future.shared()).collect();
        let Some(kept) = pending.first().map(|first| first.kept()) else {
            return Ok(None);
        };
        if !pending.iter().all(|it| it.kept().is_as(kept)) {
            return Ok(None);
        }
        let awaited = pending.iter().map(|pending| pending.awaited(self.at));
        Waiting::begin::<B::Threads>(kept, awaited).map(Some)
    }
}

impl<T: Send, B: Backend> Drop for Group<'_, T, B> {
    fn drop(&mut self) {
        for (future, ticket) in self.futures.iter().zip(&mut self.tickets) {
            future.shared().abandon_wait(ticket, self.timed, self.at);
        }
    }
}

/// Waits until `enough` of the ends, and returns them. Earlier if no other will ever come.
fn wait<T: Send, B: Backend>(
    futures: &[Future<T, B>],
    deadline: Deadline,
    at: Site,
    enough: impl Fn(&[Option<End>]) -> bool,
) -> Vec<Option<End>> {
    let timed = deadline.is_timed();
    let mut ends = Group::new(futures, timed, at);
    let (mut waiting, mut told) = (None, None);
    park::wait::<B::Threads, _>(deadline, |waker| {
        drop(waiting.take());
        if enough(ends.look(waker)) {
            return Poll::Ready(());
        }
        if !timed {
            match ends.begin_wait() {
                Ok(begun) => waiting = begun,
                Err(NoEnd) => return Poll::Ready(()),
            }
            told.get_or_insert_with(|| ForAny::<B::Threads>::begin(at));
        }
        Poll::Pending
    });
    drop((waiting, told));
    ends.leave()
}

/// Waits for the ends of all, one after the other: who keeps this thread waiting for one keeps it waiting for all, and
/// is known. Those that will never come are left out.
#[track_caller]
fn wait_for_each<T: Send, B: Backend>(futures: &[Future<T, B>], at: Site) -> Vec<Option<End>> {
    let mut ends = Vec::with_capacity(futures.len());
    for future in futures {
        let shared = future.shared();
        let has_ended = shared.wait(Deadline::Never, at) == Wait::Ended;
        ends.push(has_ended.then(|| shared.ended(at)).flatten());
    }
    ends
}

/// The futures in the order in which they end.
///
/// Each step waits for the next one. Of those that have ended meanwhile, the ones given first come first. If none
/// will ever end, see [`Failure::Deadlock`](super::Failure::Deadlock), they come as they are.
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
///
/// ```
/// use lockwise::sync::{Promise, as_completed};
///
/// let (one, first) = Promise::new();
/// let (two, second) = Promise::new();
/// let mut completed = as_completed([first, second]);
/// two.set(2).unwrap();
/// assert_eq!(completed.next().unwrap().wait().unwrap(), 2);
/// one.set(1).unwrap();
/// assert_eq!(completed.next().unwrap().wait().unwrap(), 1);
/// ```
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
        let ends = wait(&self.pending, Deadline::Never, self.at, |ends| {
            Until::First.is_enough(ends)
        });
        let at = ends.iter().position(Option::is_some).unwrap_or(0);
        Some(self.pending.remove(at))
    }
}

impl<T: Send, B: Backend> AsCompleted<T, B> {
    /// The next one, as a future; nothing, if there is none left. Dropped before it is ready, it takes none.
    pub async fn next_async(&mut self) -> Option<Future<T, B>> {
        if self.pending.is_empty() {
            return None;
        }
        let mut ends = Group::new(&self.pending, false, self.at);
        let at = poll_fn(|context| {
            let ended = ends.look(context.waker()).iter().position(Option::is_some);
            ended.map_or(Poll::Pending, Poll::Ready)
        })
        .await;
        drop(ends);
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
