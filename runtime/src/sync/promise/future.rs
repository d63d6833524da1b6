//! The side that gets the result: [`Future`].

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::failure::{End, Failure};
use super::kept::Name;
use super::shared::{Outcome, Shared, Wait};
use crate::sync::backend::{Backend, Tracked};
use crate::sync::deadline::Deadline;
use crate::sync::queue::How;
use crate::waiting::Ticket;
use crate::watch::Site;

/// The right to get a result that a [`Promise`](super::Promise) was made for.
///
/// - **Once**: getting the result consumes the future; a wait that ends early gives the future back.
///   That it has ended can be waited for by any number of threads ([`wait_done`](Future::wait_done)).
/// - **Ends, panic**: with a value, or with a [`Failure`]: a panic, a cancellation, a promise that was dropped.
///   Each ends every wait.
/// - **Order**: what came before the result was given has happened for whoever gets it, or sees that it is there.
/// - **Blocking, fairness**: the waits block until there is an end; those who wait are woken in the order in which they
///   came.
/// - **Capacity, close**: there is one result, and any number of callbacks; an end is for ever.
/// - **Callbacks, re-entrancy**: they run once, whatever the end, in the order of their registration, on the thread that gives
///   the result, or at once if that has happened. No lock is held, so a callback may use this very
///   future. One that panics does not keep the others from running.
/// - **Cancel**: possible until the work begins; then the result is waited for, or the future dropped.
/// - **Drop**: a result that nobody took is dropped with the future; one that is given later goes back to
///   who gives it.
/// - It is a [`std::future::Future`] too, for any executor.
///
/// ```
/// use lockwise::sync::{Failure, Promise};
///
/// let (promise, future) = Promise::<u32>::new();
/// drop(promise);
/// assert!(matches!(future.wait(), Err(Failure::Dropped)));
/// ```
#[must_use = "the result is dropped with the future"]
pub struct Future<T: Send, B: Backend = Tracked> {
    shared: Arc<Shared<T, B>>,
    /// The result was taken: nothing is left to be dropped.
    is_taken: bool,
    /// The place of the task that awaits this.
    ticket: Ticket,
}

impl<T: Send, B: Backend> Future<T, B> {
    #[inline]
    pub(super) fn of(shared: Arc<Shared<T, B>>, ticket: Ticket) -> Future<T, B> {
        Future {
            shared,
            is_taken: false,
            ticket,
        }
    }

    /// Waits for the result.
    ///
    /// # Errors
    ///
    /// Why there is none. [`Failure::Deadlock`], at once, if it could never come.
    #[track_caller]
    pub fn wait(mut self) -> Result<T, Failure> {
        let at = Site::caller();
        let (this, how) = (&mut self, How::until(Deadline::Never, at));
        if let Some(outcome) = this.shared.take_at_once(&mut this.ticket, how) {
            this.is_taken = true;
            return outcome;
        }
        match self.shared.wait(Deadline::Never, at) {
            Wait::Stuck => Err(Failure::Deadlock),
            Wait::Ended | Wait::TimedOut => self.taken(at),
        }
    }

    /// Waits for the result, at most for `timeout`.
    ///
    /// # Errors
    ///
    /// The future, if there is no result yet.
    #[track_caller]
    pub fn wait_timeout(self, timeout: Duration) -> Result<Result<T, Failure>, Future<T, B>> {
        self.wait_until(Deadline::after::<B::Threads>(timeout), Site::caller())
    }

    /// Waits for the result, at most until `deadline`.
    ///
    /// # Errors
    ///
    /// The future, if there is no result yet.
    #[track_caller]
    pub fn wait_deadline(self, deadline: Instant) -> Result<Result<T, Failure>, Future<T, B>> {
        self.wait_until(Deadline::At(deadline), Site::caller())
    }

    pub(in crate::sync) fn wait_until(
        self,
        deadline: Deadline,
        at: Site,
    ) -> Result<Result<T, Failure>, Future<T, B>> {
        match self.shared.wait(deadline, at) {
            Wait::Ended => Ok(self.taken(at)),
            Wait::Stuck => Ok(Err(Failure::Deadlock)),
            Wait::TimedOut => Err(self),
        }
    }

    /// The result, if it is there.
    ///
    /// # Errors
    ///
    /// The future, if there is no result yet.
    #[track_caller]
    pub fn try_get(mut self) -> Result<Result<T, Failure>, Future<T, B>> {
        let at = Site::caller();
        let (this, how) = (&mut self, How::of_task(at, true));
        match this.shared.take_at_once(&mut this.ticket, how) {
            Some(outcome) => {
                self.is_taken = true;
                Ok(outcome)
            }
            None => Err(self),
        }
    }

    /// Waits until there is a result, and leaves it there. False, at once, if it could never come: see
    /// [`Failure::Deadlock`].
    #[track_caller]
    pub fn wait_done(&self) -> bool {
        self.shared.wait(Deadline::Never, Site::caller()) == Wait::Ended
    }

    /// Waits until there is a result, at most for `timeout`. Whether there is.
    #[track_caller]
    pub fn wait_done_timeout(&self, timeout: Duration) -> bool {
        self.shared
            .wait(Deadline::after::<B::Threads>(timeout), Site::caller())
            == Wait::Ended
    }

    /// Waits until there is a result, at most until `deadline`. Whether there is.
    #[track_caller]
    pub fn wait_done_deadline(&self, deadline: Instant) -> bool {
        self.shared.wait(Deadline::At(deadline), Site::caller()) == Wait::Ended
    }

    /// [`wait_done`](Future::wait_done), as a future: how it has ended. It can be dropped at any time.
    #[track_caller]
    pub fn done_async(&self) -> impl std::future::Future<Output = End> + use<'_, T, B> {
        let mut waiting = Done {
            shared: &self.shared,
            ticket: Ticket::new(),
            at: Site::caller(),
        };
        poll_fn(move |context| waiting.poll(context.waker()))
    }

    /// Whether there is a result.
    #[track_caller]
    pub fn is_done(&self) -> bool {
        self.shared.is_found(Site::caller())
    }

    /// How it has ended, if it has.
    #[track_caller]
    pub fn ended(&self) -> Option<End> {
        self.shared.ended(Site::caller())
    }

    /// Runs `callback` when it has ended, whatever the end; at once, if it has. Its panic is printed, and goes no
    /// further.
    #[track_caller]
    pub fn on_done(&self, callback: impl FnOnce(End) + Send + 'static) {
        self.shared.on_done(Box::new(callback), Site::caller());
    }

    /// Cancels the work, unless it has begun. Whether that could be done.
    #[track_caller]
    pub fn cancel(&self) -> bool {
        self.shared.cancel(Site::caller())
    }

    /// Whether it has ended; otherwise the waker is used when it has.
    pub(in crate::sync) fn watch_done(&self, ticket: &mut Ticket, waker: &Waker) -> bool {
        let at = self.shared.born();
        self.shared.poll(ticket, waker, true, at).is_ready()
    }

    /// Takes such a waker back.
    pub(in crate::sync) fn unwatch_done(&self, ticket: &mut Ticket) {
        self.shared.abandon_wait(ticket, true, self.shared.born());
    }

    /// Tells its promise from all others.
    pub(in crate::sync) fn name(&self) -> Name {
        self.shared.name()
    }

    pub(super) fn shared(&self) -> &Shared<T, B> {
        &self.shared
    }

    /// The outcome of what has ended.
    fn taken(mut self, at: Site) -> Outcome<T> {
        let outcome = self.shared.take(at);
        self.is_taken = true;
        outcome.expect("a result is taken once, since that consumes the future")
    }
}

/// Waits, as a task, until there is a result.
struct Done<'a, T: Send, B: Backend> {
    shared: &'a Shared<T, B>,
    ticket: Ticket,
    at: Site,
}

impl<T: Send, B: Backend> Done<'_, T, B> {
    fn poll(&mut self, waker: &Waker) -> Poll<End> {
        let ended = self.shared.poll(&mut self.ticket, waker, false, self.at);
        ended.map(|_| {
            let end = self.shared.ended(self.at);
            end.expect("what has ended stays so")
        })
    }
}

impl<T: Send, B: Backend> Drop for Done<'_, T, B> {
    fn drop(&mut self) {
        self.shared.abandon_wait(&mut self.ticket, false, self.at);
    }
}

impl<T: Send, B: Backend> std::future::Future for Future<T, B> {
    type Output = Result<T, Failure>;

    /// # Panics
    ///
    /// If polled again after it has given the result.
    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T, Failure>> {
        let this = &mut *self;
        let at = this.shared.born();
        let how = How::of_task(at, false);
        if let Some(outcome) = this.shared.take_at_once(&mut this.ticket, how) {
            this.is_taken = true;
            return Poll::Ready(outcome);
        }
        let ended = this
            .shared
            .poll(&mut this.ticket, context.waker(), false, at);
        ended.map(|_| {
            let outcome = this.shared.take(at);
            this.is_taken = true;
            outcome.expect("a future is not polled after it has given its result")
        })
    }
}

impl<T: Send, B: Backend> Drop for Future<T, B> {
    fn drop(&mut self) {
        let at = self.shared.born();
        self.shared.abandon_wait(&mut self.ticket, false, at);
        // If nobody else is left, or will be, a value that nobody took goes with what was shared.
        if !self.is_taken && Arc::strong_count(&self.shared) > 1 && !self.shared.goes_with_work() {
            drop(self.shared.abandon());
        }
    }
}

impl<T: Send, B: Backend> fmt::Debug for Future<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Future").finish_non_exhaustive()
    }
}
