//! What an actor knows of itself while it runs: [`Context`].

use std::cell::{Cell as StdCell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::time::{Duration, Instant};

use super::cell::Cell;
use super::handle::{Handle, WeakHandle};
use super::mail::Mail;
use crate::sync::backend::{Backend, Tracked};
use crate::sync::deadline::Deadline;
use crate::sync::queue::{GetError, Work};
use crate::sync::threads::Threads;
use crate::watch::Site;

/// An actor's view of itself.
pub struct Context<'a, M: Send, B: Backend = Tracked> {
    cell: &'a Arc<Cell<M, B>>,
    me: &'a WeakHandle<M, B>,
    /// Messages to itself, by the time when they are due.
    timers: RefCell<BTreeMap<(Instant, u64), M>>,
    next_timer: StdCell<u64>,
}

/// A message that an actor has sent to itself for later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Timer(Instant, u64);

impl<'a, M: Send, B: Backend> Context<'a, M, B> {
    pub(super) fn new(cell: &'a Arc<Cell<M, B>>, me: &'a WeakHandle<M, B>) -> Context<'a, M, B> {
        Context {
            cell,
            me,
            timers: RefCell::default(),
            next_timer: StdCell::new(0),
        }
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
        self.cell.node.handles::<B::Threads>(None);
        loop {
            B::Threads::step();
            if self.cell.is_killed.load(Acquire) {
                return Err(GetError::Closed);
            }
            if let Some(message) = self.due() {
                return Ok(message);
            }
            let timer = self.timers.borrow().first_key_value().map(|(key, _)| key.0);
            let until = match (timer, deadline) {
                (Some(timer), Deadline::At(deadline)) => Deadline::At(timer.min(deadline)),
                (Some(timer), Deadline::Never) => Deadline::At(timer),
                (None, deadline) => deadline,
            };
            match self.cell.mailbox.get(Work::Done, until, at) {
                Ok(mail) => return Ok(self.open(mail)),
                Err(GetError::Timeout) if until != deadline => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes a message out of its mail.
    fn open(&self, mail: Mail<M>) -> M {
        if let Some(question) = mail.asked {
            // First told that it is handled, so that nobody sees it neither here nor there.
            self.cell
                .node
                .handles::<B::Threads>(Some(Arc::clone(&question)));
            B::Threads::step();
            question.store(true, Release);
        }
        mail.message
    }

    /// A message of its own that is due.
    fn due(&self) -> Option<M> {
        let mut timers = self.timers.borrow_mut();
        let first = timers.first_entry()?;
        (first.key().0 <= B::Threads::now()).then(|| first.remove())
    }

    /// Sends itself a message, to come after `delay`. Messages for the same time come in the order in which they
    /// were sent. They do not outlive the actor, nor a restart.
    pub fn send_after(&self, delay: Duration, message: M) -> Timer {
        // What is too far away to be written down comes when nobody is left to see it.
        let far = Duration::from_secs(60 * 60 * 24 * 365);
        let now = B::Threads::now();
        let due = now.checked_add(delay).unwrap_or(now + far);
        let number = self.next_timer.get();
        self.next_timer.set(number + 1);
        self.timers.borrow_mut().insert((due, number), message);
        Timer(due, number)
    }

    /// Takes a message of its own back, if it has not come yet.
    pub fn cancel(&self, timer: Timer) -> Option<M> {
        self.timers.borrow_mut().remove(&(timer.0, timer.1))
    }

    /// A handle to this actor, unless all are gone: then nobody can send it anything any more.
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
            .field("timers", &self.timers.borrow().len())
            .finish_non_exhaustive()
    }
}
