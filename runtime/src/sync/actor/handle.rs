//! The right to send an actor messages: [`Handle`].

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::sync::atomic::Ordering::Release;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::ask::{AskError, Asking};
use super::cell::Cell;
use super::circle;
use super::exit::{Exit, JoinError, Status};
use super::mail::{Kind, Mail};
use crate::sync::backend::{Backend, Tracked};
use crate::sync::deadline::Deadline;
use crate::sync::event::Event;
use crate::sync::poller::Ended;
use crate::sync::promise::{self, Failure, Keeper, Kept, Promise};
use crate::sync::queue::{PutError, PutIn};
use crate::sync::threads::Threads;
use crate::watch::Site;

/// The right to send an actor messages, and to wait for its end. When the last handle is dropped the actor is
/// closed.
///
/// - **Sending, capacity, fairness**: sending never waits for an actor without bound. With one, it waits for room; senders
///   that wait are served in the order in which they came. An actor that sends to itself would wait for ever for room that
///   it alone makes: its message comes back, as [`SendError::Full`].
/// - **Close**: what was sent before is handled; what is sent after comes back. Closing again changes nothing,
///   and an actor may close itself.
/// - **Blocking**: only sending to a full mailbox, joining, and waiting for an answer.
/// - **Panic, drop, order, re-entrancy**: see [`Actor`](super::Actor). A message whose destructor uses a handle is fine.
/// - **Ask**: a message is made around a [`Promise`], and its [`Future`](promise::Future) is returned. If the actor ends without
///   an answer the future fails. An actor that waits for an answer of itself, or of one that waits for
///   it in turn (for an answer, or to join it), gets [`Failure::Deadlock`] at once: whoever closes the circle
///   is told, whether that is a child that asks its parent or the parent that joins its child.
///
/// ```
/// use lockwise::sync::{Actor, Context, Promise, start};
///
/// enum Counter {
///     Add(u32),
///     Total(Promise<u32>),
/// }
///
/// struct Count(u32);
///
/// impl Actor for Count {
///     type Message = Counter;
///
///     fn handle(&mut self, message: Counter, _: &Context<'_, Counter>) {
///         match message {
///             Counter::Add(number) => self.0 += number,
///             Counter::Total(reply) => drop(reply.set(self.0)),
///         }
///     }
/// }
///
/// let count = start(Count(0));
/// count.send(Counter::Add(5)).unwrap();
/// count.send(Counter::Add(2)).unwrap();
/// assert_eq!(count.ask(Counter::Total).unwrap().wait().unwrap(), 7);
/// ```
pub struct Handle<M: Send, B: Backend = Tracked>(Arc<Address<M, B>>);

/// A [`Handle`] that does not keep the actor open.
///
/// ```
/// use lockwise::sync::{Actor, Context, Exit, start};
///
/// struct Idle;
///
/// impl Actor for Idle {
///     type Message = ();
///
///     fn handle(&mut self, (): (), _: &Context<'_, ()>) {}
/// }
///
/// let handle = start(Idle);
/// let weak = handle.downgrade();
/// weak.upgrade().unwrap().send(()).unwrap();
/// drop(handle);
/// assert_eq!(weak.join(), Ok(Exit::Closed));
/// assert!(weak.upgrade().is_none());
/// ```
pub struct WeakHandle<M: Send, B: Backend = Tracked> {
    address: Weak<Address<M, B>>,
    cell: Arc<Cell<M, B>>,
}

/// What all handles have in common. Dropped with the last one.
struct Address<M: Send, B: Backend> {
    cell: Arc<Cell<M, B>>,
}

impl<M: Send, B: Backend> Drop for Address<M, B> {
    fn drop(&mut self) {
        self.cell.mailbox.close(self.cell.born);
    }
}

/// A message was not sent, and comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SendError<M> {
    /// The mailbox is full.
    Full(M),
    /// It was full for too long.
    Timeout(M),
    /// The actor takes no more messages.
    Closed(M),
}

impl<M> SendError<M> {
    /// The message.
    pub fn into_inner(self) -> M {
        match self {
            SendError::Full(message) | SendError::Timeout(message) | SendError::Closed(message) => {
                message
            }
        }
    }
}

impl<M> fmt::Debug for SendError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SendError::Full(_) => "Full(..)",
            SendError::Timeout(_) => "Timeout(..)",
            SendError::Closed(_) => "Closed(..)",
        })
    }
}

impl<M> fmt::Display for SendError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SendError::Full(_) => "the mailbox is full",
            SendError::Timeout(_) => "the mailbox was full for too long",
            SendError::Closed(_) => "the actor takes no more messages",
        })
    }
}

impl<M> Error for SendError<M> {}

impl<M: Send, B: Backend> Handle<M, B> {
    pub(super) fn of(cell: Arc<Cell<M, B>>) -> Handle<M, B> {
        Handle(Arc::new(Address { cell }))
    }

    /// Sends a message, waiting for room if the mailbox is bounded.
    ///
    /// # Errors
    ///
    /// [`SendError::Closed`], with the message; [`SendError::Full`], if the actor itself sends it and there is no room.
    #[track_caller]
    pub fn send(&self, message: M) -> Result<(), SendError<M>> {
        self.put(ordinary(message), Deadline::Never, Site::caller())
    }

    /// Sends a message if there is room.
    ///
    /// # Errors
    ///
    /// [`SendError::Full`] or [`SendError::Closed`], with the message.
    #[track_caller]
    pub fn try_send(&self, message: M) -> Result<(), SendError<M>> {
        let mailbox = &self.cell().mailbox;
        let sent = mailbox.try_put(ordinary(message), Site::caller());
        sent.map(drop).map_err(its_message)
    }

    /// [`send`](Handle::send), waiting at most for `timeout`.
    ///
    /// # Errors
    ///
    /// [`SendError::Timeout`] or [`SendError::Closed`], with the message.
    #[track_caller]
    pub fn send_timeout(&self, message: M, timeout: Duration) -> Result<(), SendError<M>> {
        self.put(
            ordinary(message),
            Deadline::after::<B::Threads>(timeout),
            Site::caller(),
        )
    }

    /// [`send`](Handle::send), waiting at most until `deadline`.
    ///
    /// # Errors
    ///
    /// [`SendError::Timeout`] or [`SendError::Closed`], with the message.
    #[track_caller]
    pub fn send_deadline(&self, message: M, deadline: Instant) -> Result<(), SendError<M>> {
        self.put(ordinary(message), Deadline::At(deadline), Site::caller())
    }

    /// [`send`](Handle::send), as a future. Dropped before it is ready, it has not sent, and drops the message.
    ///
    /// # Errors
    ///
    /// [`SendError::Closed`], with the message.
    #[track_caller]
    pub fn send_async(
        &self,
        message: M,
    ) -> impl Future<Output = Result<(), SendError<M>>> + use<'_, M, B> {
        let sending = PutIn::new(&self.cell().mailbox, ordinary(message), Site::caller());
        async move { sending.await.map(drop).map_err(its_message) }
    }

    /// Sends a message that comes before all that are not urgent. It takes no room and never waits.
    ///
    /// # Errors
    ///
    /// [`SendError::Closed`], with the message.
    #[track_caller]
    pub fn send_urgent(&self, message: M) -> Result<(), SendError<M>> {
        let mail = Mail {
            message,
            kind: Kind::URGENT,
        };
        self.put(mail, Deadline::Never, Site::caller())
    }

    /// Sends the message that `make` makes around a promise, and returns the future of that.
    ///
    /// # Errors
    ///
    /// As [`send`](Handle::send).
    #[track_caller]
    pub fn ask<R: Send>(
        &self,
        make: impl FnOnce(Promise<R, B>) -> M,
    ) -> Result<promise::Future<R, B>, SendError<M>> {
        self.ask_at(make, Deadline::Never, Site::caller())
    }

    /// Asks and waits for the answer, both together at most for `timeout`. An answer that comes later is
    /// dropped.
    ///
    /// # Errors
    ///
    /// The message, if it was not sent; otherwise why there is no answer: [`Failure::TimedOut`], or
    /// [`Failure::Dropped`] if the actor ended or does not want to answer.
    #[track_caller]
    pub fn ask_timeout<R: Send>(
        &self,
        make: impl FnOnce(Promise<R, B>) -> M,
        timeout: Duration,
    ) -> Result<R, AskError<M>> {
        let (deadline, at) = (Deadline::after::<B::Threads>(timeout), Site::caller());
        let future = self
            .ask_at(make, deadline, at)
            .map_err(|refused| AskError::Refused(refused.into_inner()))?;
        let answer = future.wait_until(deadline, at);
        answer
            .unwrap_or(Err(Failure::TimedOut))
            .map_err(AskError::Failed)
    }

    fn ask_at<R: Send>(
        &self,
        make: impl FnOnce(Promise<R, B>) -> M,
        deadline: Deadline,
        at: Site,
    ) -> Result<promise::Future<R, B>, SendError<M>> {
        let keeper = Arc::clone(&self.cell().node) as Arc<dyn Keeper>;
        let (promise, future) = Promise::new_at(at, Kept::By(keeper));
        let kind = Kind::question(future.name());
        let message = make(promise);
        let mail = Mail { message, kind };
        self.put(mail, deadline, at)?;
        Ok(future)
    }

    /// Asks, waiting for room if the mailbox is bounded, and gives the answer, as a future. The message is made when
    /// that is first polled. Dropped before the message is sent, it takes that back and drops it; dropped later, the
    /// answer goes back to who gives it.
    ///
    /// # Errors
    ///
    /// The message, if it was not sent; otherwise why there is no answer.
    #[inline]
    #[track_caller]
    pub fn ask_async<R: Send, F: FnOnce(Promise<R, B>) -> M>(
        &self,
        make: F,
    ) -> impl Future<Output = Result<R, AskError<M>>> + use<'_, M, B, R, F> {
        Asking::new(&self.cell().mailbox, make, Site::caller())
    }

    /// Takes no more messages; those that were sent are handled. Whether it was open.
    #[track_caller]
    pub fn close(&self) -> bool {
        self.cell().mailbox.close(Site::caller())
    }

    /// Ends the actor after the message that it is handling, and returns those that it will not handle.
    #[track_caller]
    pub fn kill(&self) -> Vec<M> {
        B::Threads::step();
        self.cell().is_killed.store(true, Release);
        let left = self.cell().mailbox.close_now(Site::caller());
        left.into_iter().map(|mail| mail.message).collect()
    }

    /// Waits until the actor has ended and all of it is dropped; how it ended.
    ///
    /// # Errors
    ///
    /// If that could never be: the actor joins itself, or one that waits for it.
    #[track_caller]
    pub fn join(&self) -> Result<Exit, JoinError> {
        self.cell().join(Deadline::Never, Site::caller())
    }

    /// [`join`](Handle::join), at most for `timeout`.
    ///
    /// # Errors
    ///
    /// [`JoinError::TimedOut`], or as [`join`](Handle::join).
    #[track_caller]
    pub fn join_timeout(&self, timeout: Duration) -> Result<Exit, JoinError> {
        self.cell()
            .join(Deadline::after::<B::Threads>(timeout), Site::caller())
    }

    /// [`join`](Handle::join), at most until `deadline`.
    ///
    /// # Errors
    ///
    /// [`JoinError::TimedOut`], or as [`join`](Handle::join).
    #[track_caller]
    pub fn join_deadline(&self, deadline: Instant) -> Result<Exit, JoinError> {
        self.cell().join(Deadline::At(deadline), Site::caller())
    }

    /// [`join`](Handle::join), as a future. It can be dropped at any time.
    ///
    /// # Errors
    ///
    /// If it is polled by the actor itself. Circles of several actors are not seen.
    #[track_caller]
    pub fn join_async(&self) -> impl Future<Output = Result<Exit, JoinError>> + use<'_, M, B> {
        self.cell().join_async(Site::caller())
    }

    /// How far the actor is.
    #[track_caller]
    pub fn status(&self) -> Status {
        self.cell().status(Site::caller())
    }

    /// Whether it takes no more messages.
    #[track_caller]
    pub fn is_closed(&self) -> bool {
        self.cell().mailbox.is_closed(Site::caller())
    }

    /// How many messages the mailbox has room for, if that is bounded.
    pub fn capacity(&self) -> Option<usize> {
        self.cell().mailbox.capacity()
    }

    /// How many messages wait that are not urgent: a hint.
    #[track_caller]
    pub fn len(&self) -> usize {
        self.cell().mailbox.len(Site::caller())
    }

    /// Whether no message waits that is not urgent: a hint.
    #[track_caller]
    pub fn is_empty(&self) -> bool {
        self.cell().mailbox.len(Site::caller()) == 0
    }

    /// The end of the actor, for a [`Poller`](crate::sync::Poller).
    pub fn ended(&self) -> Ended<'_, M, B> {
        Ended(self)
    }

    pub(in crate::sync) fn stopped(&self) -> &Event<B> {
        &self.cell().stopped
    }

    /// A handle that does not keep the actor open.
    pub fn downgrade(&self) -> WeakHandle<M, B> {
        WeakHandle {
            address: Arc::downgrade(&self.0),
            cell: Arc::clone(self.cell()),
        }
    }

    fn cell(&self) -> &Arc<Cell<M, B>> {
        &self.0.cell
    }

    fn put(&self, mail: Mail<M>, deadline: Deadline, at: Site) -> Result<(), SendError<M>> {
        let mailbox = &self.cell().mailbox;
        let sent = if deadline == Deadline::Never && self.keeps_itself_waiting() {
            mailbox.try_put(mail, at)
        } else {
            mailbox.put(mail, deadline, at)
        };
        sent.map(drop).map_err(its_message)
    }

    /// Whether this is the actor itself, which alone makes room in its mailbox.
    fn keeps_itself_waiting(&self) -> bool {
        self.capacity().is_some() && circle::is_here::<B::Threads>(&self.cell().node)
    }
}

pub(super) fn ordinary<M>(message: M) -> Mail<M> {
    Mail {
        message,
        kind: Kind::ORDINARY,
    }
}

/// The message that was refused.
pub(super) fn its_message<M>(refused: PutError<Mail<M>>) -> SendError<M> {
    match refused {
        PutError::Full(mail) => SendError::Full(mail.message),
        PutError::Timeout(mail) => SendError::Timeout(mail.message),
        PutError::Closed(mail) => SendError::Closed(mail.message),
    }
}

impl<M: Send, B: Backend> WeakHandle<M, B> {
    /// A handle, unless all are gone.
    pub fn upgrade(&self) -> Option<Handle<M, B>> {
        self.address.upgrade().map(Handle)
    }

    /// How far the actor is.
    #[track_caller]
    pub fn status(&self) -> Status {
        self.cell.status(Site::caller())
    }

    /// [`Handle::join`].
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn join(&self) -> Result<Exit, JoinError> {
        self.cell.join(Deadline::Never, Site::caller())
    }

    /// [`Handle::join_timeout`].
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn join_timeout(&self, timeout: Duration) -> Result<Exit, JoinError> {
        self.cell
            .join(Deadline::after::<B::Threads>(timeout), Site::caller())
    }

    /// [`Handle::join_deadline`].
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn join_deadline(&self, deadline: Instant) -> Result<Exit, JoinError> {
        self.cell.join(Deadline::At(deadline), Site::caller())
    }

    /// [`Handle::join_async`].
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn join_async(&self) -> impl Future<Output = Result<Exit, JoinError>> + use<'_, M, B> {
        self.cell.join_async(Site::caller())
    }

    /// Whether the actor takes no more messages.
    #[track_caller]
    pub fn is_closed(&self) -> bool {
        self.cell.mailbox.is_closed(Site::caller())
    }
}

impl<M: Send, B: Backend> Clone for Handle<M, B> {
    fn clone(&self) -> Handle<M, B> {
        Handle(Arc::clone(&self.0))
    }
}

impl<M: Send, B: Backend> Clone for WeakHandle<M, B> {
    fn clone(&self) -> WeakHandle<M, B> {
        WeakHandle {
            address: Weak::clone(&self.address),
            cell: Arc::clone(&self.cell),
        }
    }
}

impl<M: Send, B: Backend> fmt::Debug for Handle<M, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

impl<M: Send, B: Backend> fmt::Debug for WeakHandle<M, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakHandle")
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}
