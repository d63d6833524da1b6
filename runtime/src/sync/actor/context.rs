//! What an actor knows of itself while it runs: [`Context`].

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Acquire;
use std::time::{Duration, Instant};

use super::cell::Cell;
use super::handle::{Handle, WeakHandle};
use super::timers::{Timer, Timers};
use crate::sync::backend::{Backend, Tracked};
use crate::sync::deadline::Deadline;
use crate::sync::queue::{GetError, Work};
use crate::sync::threads::Threads;
use crate::watch::Site;

/// An actor's view of itself.
///
/// ```
/// use std::time::Duration;
///
/// use lockwise::sync::{Actor, Context, Exit, start};
///
/// /// Counts down, a number at a time, and ends.
/// struct Countdown;
///
/// impl Actor for Countdown {
///     type Message = u32;
///
///     fn handle(&mut self, left: u32, context: &Context<'_, u32>) {
///         match left.checked_sub(1) {
///             Some(left) => drop(context.send_after(Duration::from_millis(1), left)),
///             None => context.close(),
///         }
///     }
/// }
///
/// let countdown = start(Countdown);
/// countdown.send(3).unwrap();
/// assert_eq!(countdown.join(), Ok(Exit::Closed));
/// ```
pub struct Context<'a, M: Send, B: Backend = Tracked> {
    cell: &'a Arc<Cell<M, B>>,
    me: &'a WeakHandle<M, B>,
    timers: &'a Timers<M>,
}

impl<'a, M: Send, B: Backend> Context<'a, M, B> {
    pub(super) fn new(
        cell: &'a Arc<Cell<M, B>>,
        me: &'a WeakHandle<M, B>,
        timers: &'a Timers<M>,
    ) -> Context<'a, M, B> {
        Context { cell, me, timers }
    }

    /// The next message, waiting for it: a message of its own that is due, an urgent one, or another.
    ///
    /// # Errors
    ///
    /// [`GetError::Closed`], if there will be no more: the actor is to end. Messages of its own that are not
    /// due yet do not keep it.
    #[track_caller]
    pub fn recv(&self) -> Result<M, GetError> {
        self.recv_until(Deadline::Never, Site::caller())
    }

    /// [`recv`](Context::recv), waiting at most for `timeout`.
    ///
    /// # Errors
    ///
    /// [`GetError::Timeout`], or as [`recv`](Context::recv).
    #[track_caller]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<M, GetError> {
        self.recv_until(Deadline::after::<B::Threads>(timeout), Site::caller())
    }

    /// [`recv`](Context::recv), waiting at most until `deadline`.
    ///
    /// # Errors
    ///
    /// [`GetError::Timeout`], or as [`recv`](Context::recv).
    #[track_caller]
    pub fn recv_deadline(&self, deadline: Instant) -> Result<M, GetError> {
        self.recv_until(Deadline::At(deadline), Site::caller())
    }

    /// The next message, if there is one.
    ///
    /// # Errors
    ///
    /// [`GetError::Empty`], or as [`recv`](Context::recv).
    #[track_caller]
    pub fn try_recv(&self) -> Result<M, GetError> {
        let now = Deadline::At(B::Threads::now());
        self.recv_until(now, Site::caller())
            .map_err(|error| match error {
                GetError::Timeout => GetError::Empty,
                other => other,
            })
    }

    fn recv_until(&self, deadline: Deadline, at: Site) -> Result<M, GetError> {
        self.cell.node.handles::<B::Threads>(0);
        loop {
            B::Threads::step();
            if self.cell.is_killed.load(Acquire) {
                return Err(GetError::Closed);
            }
            if let Some(message) = self.timers.due::<B::Threads>() {
                return Ok(message);
            }
            let timer = self.timers.first();
            let until = match (timer, deadline) {
                (Some(timer), Deadline::At(deadline)) => Deadline::At(timer.min(deadline)),
                (Some(timer), Deadline::Never) => Deadline::At(timer),
                (None, deadline) => deadline,
            };
            match self.cell.mailbox.get(Work::Done, until, at) {
                Ok(mail) => return Ok(self.cell.open(mail)),
                Err(GetError::Timeout) if until != deadline => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends itself a message, to come after `delay`. Messages for the same time come in the order in which they
    /// were sent. They do not outlive the actor, nor a restart.
    pub fn send_after(&self, delay: Duration, message: M) -> Timer {
        self.timers.add::<B::Threads>(delay, message)
    }

    /// Takes a message of its own back, if it has not come yet.
    pub fn cancel(&self, timer: Timer) -> Option<M> {
        self.timers.cancel(timer)
    }

    /// A handle to this actor, unless all are gone: then nobody can send it anything any more, not even itself. One
    /// that goes on by messages to itself keeps a handle, and ends by [closing](Context::close).
    pub fn handle(&self) -> Option<Handle<M, B>> {
        self.me.upgrade()
    }

    /// Takes no more messages; those that are there are handled.
    #[track_caller]
    pub fn close(&self) {
        self.cell.mailbox.close(Site::caller());
    }
}

impl<M: Send, B: Backend> fmt::Debug for Context<'_, M, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("timers", &self.timers.len())
            .finish_non_exhaustive()
    }
}
