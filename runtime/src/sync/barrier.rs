//! Waiting for each other: [`Barrier`].

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::backend::{Backend, Flow, Lock, Tracked, TrackedFlow};
use super::deadline::Deadline;
use super::event::{Event, Waiter};
use super::leaf::LeafMutex;
use super::threads::Threads;
use crate::watch::Site;

/// A point that threads pass only together, and that can be broken.
///
/// [`crate::Barrier`] is std's; this one has an action, deadlines and [`abort`](Barrier::abort).
///
/// - **Rounds**: when as many threads wait as there are parties, the last one runs the action, with
///   no lock held, and then all pass; the barrier can be used again. Who comes while the action runs
///   belongs to the next round.
/// - **Ordering**: what each party did before has happened for all of them after.
/// - **Blocking, fairness**: only the waits block, until the round is full; all of a round pass, so there is no first or
///   last.
/// - **Capacity**: as many as there are parties, of which there is one at least.
/// - **Close, broken**: [`abort`](Barrier::abort), a wait that reaches its deadline, and an action that panics
///   break the barrier: all who wait, and all who come, get [`BrokenBarrier`], until
///   [`reset`](Barrier::reset). A reset breaks the round of those who wait, and nothing else. This is all that there
///   is of closing.
/// - **Panic**: that of the action goes on in the thread that ran it.
/// - **Drop**: a future of a wait that is dropped leaves the round, and does not break it.
/// - **Re-entrancy**: no lock is held while the action or a waker runs.
///
/// ```
/// use lockwise::sync::Barrier;
/// use lockwise::thread;
///
/// let barrier = Barrier::new(2);
/// thread::scope(|scope| {
///     scope.spawn(|| barrier.wait().unwrap());
///     barrier.wait().unwrap();
/// });
/// barrier.abort();
/// assert!(barrier.wait().is_err());
/// ```
pub struct Barrier<B: Backend = Tracked> {
    parties: usize,
    action: Option<Box<dyn Fn() + Send + Sync>>,
    state: B::Mutex<State<B>>,
    /// A unit per arrival; who comes last takes those of the others.
    arrived: B::Flow,
}

struct State<B: Backend> {
    /// The round that is filled now, once somebody has come, and how many have.
    round: Option<(Arc<Round<B>>, usize)>,
    is_broken: bool,
}

/// One use of the barrier.
struct Round<B: Backend> {
    passed: AtomicBool,
    /// Set when it is known whether the round has passed.
    over: Event<B>,
}

impl<B: Backend> Round<B> {
    fn end(&self, passed: bool) {
        B::Threads::step();
        self.passed.store(passed, Release);
        self.over.set();
    }

    /// How it has ended, once it is over.
    fn outcome(&self) -> Result<bool, BrokenBarrier> {
        B::Threads::step();
        if self.passed.load(Acquire) {
            Ok(false)
        } else {
            Err(BrokenBarrier)
        }
    }
}

/// The barrier was broken: not all parties came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrokenBarrier;

impl fmt::Display for BrokenBarrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the barrier is broken")
    }
}

impl Error for BrokenBarrier {}

impl Barrier {
    /// A barrier for this many threads; 0 is as good as 1. The caller is its creation site.
    #[track_caller]
    pub const fn new(parties: usize) -> Barrier {
        let born = Site::caller();
        Barrier {
            parties: if parties == 0 { 1 } else { parties },
            action: None,
            state: LeafMutex::of(
                State {
                    round: None,
                    is_broken: false,
                },
                born,
            ),
            arrived: TrackedFlow::of::<Barrier>(born),
        }
    }
}

impl<B: Backend> Barrier<B> {
    /// [`Barrier::new`], made of `B`.
    #[track_caller]
    pub fn new_in(parties: usize) -> Barrier<B> {
        let born = Site::caller();
        Barrier {
            parties: parties.max(1),
            action: None,
            state: B::Mutex::new_at(
                State {
                    round: None,
                    is_broken: false,
                },
                born,
            ),
            arrived: B::Flow::new_at(born, std::any::type_name::<Barrier>),
        }
    }

    /// The same barrier with an action, which the last one to come runs before anybody leaves.
    #[must_use]
    pub fn with_action(mut self, action: impl Fn() + Send + Sync + 'static) -> Barrier<B> {
        self.action = Some(Box::new(action));
        self
    }

    /// How many threads pass together.
    pub fn parties(&self) -> usize {
        self.parties
    }

    /// How many threads wait now: a hint.
    #[track_caller]
    pub fn waiting(&self) -> usize {
        let state = self.state.lock_at(Site::caller());
        state.round.as_ref().map_or(0, |(_, come)| *come)
    }

    /// Whether it is broken now.
    #[track_caller]
    pub fn is_broken(&self) -> bool {
        self.state.lock_at(Site::caller()).is_broken
    }

    /// Waits until all parties have come. Whether this thread came last, and so ran the action.
    ///
    /// # Errors
    ///
    /// If the barrier is broken, or gets broken.
    ///
    /// # Panics
    ///
    /// If this thread runs the action, and that panics.
    #[track_caller]
    pub fn wait(&self) -> Result<bool, BrokenBarrier> {
        self.wait_at(Deadline::Never, Site::caller())
    }

    /// [`Barrier::wait`] at most for `timeout`: then the barrier is broken, for all who wait.
    ///
    /// # Errors
    ///
    /// If the barrier is broken, or gets broken.
    ///
    /// # Panics
    ///
    /// As [`Barrier::wait`].
    #[track_caller]
    pub fn wait_timeout(&self, timeout: Duration) -> Result<bool, BrokenBarrier> {
        self.wait_at(Deadline::after::<B::Threads>(timeout), Site::caller())
    }

    /// [`Barrier::wait`] at most until `deadline`: then the barrier is broken, for all who wait.
    ///
    /// # Errors
    ///
    /// If the barrier is broken, or gets broken.
    ///
    /// # Panics
    ///
    /// As [`Barrier::wait`].
    #[track_caller]
    pub fn wait_deadline(&self, deadline: Instant) -> Result<bool, BrokenBarrier> {
        self.wait_at(Deadline::At(deadline), Site::caller())
    }

    /// [`Barrier::wait`], as a future. It comes to the barrier when it is first polled; dropped before it is
    /// ready it goes away again, and the barrier waits for another one in its place.
    ///
    /// # Panics
    ///
    /// As [`Barrier::wait`], when it is polled.
    #[track_caller]
    pub fn wait_async(&self) -> BarrierWait<'_, B> {
        BarrierWait {
            barrier: self,
            come: None,
            at: Site::caller(),
        }
    }

    /// Breaks the barrier, until it is [`reset`](Barrier::reset).
    #[track_caller]
    pub fn abort(&self) {
        self.break_round(true, Site::caller());
    }

    /// Makes the barrier as good as new. Who waits gets [`BrokenBarrier`].
    #[track_caller]
    pub fn reset(&self) {
        self.break_round(false, Site::caller());
    }

    fn break_round(&self, is_broken: bool, at: Site) {
        let mut state = self.state.lock_at(at);
        state.is_broken = is_broken;
        let round = state.round.take();
        drop(state);
        if let Some((round, _)) = round {
            round.end(false);
        }
    }

    #[track_caller]
    fn wait_at(&self, deadline: Deadline, at: Site) -> Result<bool, BrokenBarrier> {
        let Some(round) = self.arrive(deadline.is_timed(), at)? else {
            return Ok(true);
        };
        if !round.over.wait_at(deadline, at) && !self.give_up(&round, at) {
            // All have come: only the action is waited for.
            round.over.wait_at(Deadline::Never, at);
        }
        round.outcome()
    }

    /// One more has come. Nothing if that was the last one, and the round is over.
    #[track_caller]
    fn arrive(&self, timed: bool, at: Site) -> Result<Option<Arc<Round<B>>>, BrokenBarrier> {
        let mut state = self.state.lock_at(at);
        if state.is_broken {
            return Err(BrokenBarrier);
        }
        let (round, come) = state.round.take().unwrap_or_else(|| {
            let round = Round {
                passed: AtomicBool::new(false),
                over: Event::new_in(),
            };
            (Arc::new(round), 0)
        });
        if come + 1 == self.parties {
            drop(state);
            for _ in 0..come {
                self.arrived.obtained(timed, at);
            }
            self.lead(&round, at);
            return Ok(None);
        }
        self.arrived.posted(1, at);
        state.round = Some((Arc::clone(&round), come + 1));
        Ok(Some(round))
    }

    /// Takes an arrival back, unless its round is over, or all have come.
    fn unarrive(&self, round: &Arc<Round<B>>, at: Site) {
        let mut state = self.state.lock_at(at);
        if let Some((now, come)) = &mut state.round
            && Arc::ptr_eq(now, round)
        {
            *come -= 1;
            let left = (*come == 0).then(|| state.round.take());
            drop(state);
            drop(left);
            self.arrived.obtained(true, at);
        }
    }

    /// Runs the action and lets the others of the round go.
    fn lead(&self, round: &Round<B>, at: Site) {
        let action = self.action.as_ref();
        let ran = action.map_or(Ok(()), |action| catch_unwind(AssertUnwindSafe(action)));
        if let Err(panic) = ran {
            self.break_round(true, at);
            round.end(false);
            resume_unwind(panic);
        }
        round.end(true);
    }

    /// The deadline came: the barrier breaks, unless all have come.
    fn give_up(&self, round: &Arc<Round<B>>, at: Site) -> bool {
        let mut state = self.state.lock_at(at);
        let filling = |(now, _): &mut (Arc<Round<B>>, usize)| Arc::ptr_eq(now, round);
        let broken = state.round.take_if(filling);
        if broken.is_some() {
            state.is_broken = true;
        }
        drop(state);
        if let Some((round, _)) = &broken {
            round.end(false);
        }
        broken.is_some() || round.over.is_set()
    }
}

impl<B: Backend> fmt::Debug for Barrier<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier")
            .field("parties", &self.parties)
            .finish_non_exhaustive()
    }
}

/// Waits at a [`Barrier`], as a future: see [`Barrier::wait_async`].
#[must_use = "futures do nothing unless polled"]
pub struct BarrierWait<'a, B: Backend = Tracked> {
    barrier: &'a Barrier<B>,
    /// The round to which it has come, and its place among those who wait for the end of that.
    come: Option<(Arc<Round<B>>, Waiter)>,
    at: Site,
}

impl<B: Backend> Future for BarrierWait<'_, B> {
    type Output = Result<bool, BrokenBarrier>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let (round, waiter) = match &mut this.come {
            Some(come) => come,
            come @ None => match this.barrier.arrive(false, this.at) {
                Err(broken) => return Poll::Ready(Err(broken)),
                Ok(None) => return Poll::Ready(Ok(true)),
                Ok(Some(round)) => come.insert((round, Waiter::new())),
            },
        };
        if round
            .over
            .poll(waiter, context.waker(), false, this.at)
            .is_pending()
        {
            return Poll::Pending;
        }
        let outcome = round.outcome();
        this.come = None;
        Poll::Ready(outcome)
    }
}

impl<B: Backend> Drop for BarrierWait<'_, B> {
    fn drop(&mut self) {
        if let Some((round, waiter)) = &mut self.come {
            let _ = round.over.leave(waiter, false, self.at);
            self.barrier.unarrive(round, self.at);
        }
    }
}

impl<B: Backend> fmt::Debug for BarrierWait<'_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BarrierWait").field(self.barrier).finish()
    }
}
