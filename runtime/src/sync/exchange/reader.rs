//! The usual subscriber: a queue, and what happens when it is full: [`Reader`] and [`Slow`].

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::list::Listed;
use super::ring::{Ring, Seen};
use super::row::{Seat, SeatGuard};
use super::sink::{Delivering, Delivery, Sink, taken};
use crate::sync::backend::{Backend, Tracked};
use crate::sync::deadline::Deadline;
use crate::sync::queue::{Core, GetError, Guard, How, PutError, PutIn, TakeOut, Work};
use crate::watch::Site;

/// What happens to a message when a reader has as many as it may.
///
/// ```
/// use lockwise::sync::{Delivered, Exchange, ReadError, Slow};
///
/// let news = Exchange::new();
/// let [newest, gone] = [Slow::DropNewest(1), Slow::Disconnect(1)].map(|slow| news.reader(slow));
/// news.send("one");
/// let second = news.send("two");
/// assert_eq!(second, Delivered { taken: 0, dropped: 1, closed: 1 });
/// assert_eq!((newest.get(), newest.try_get()), (Ok("one"), Err(ReadError::Empty)));
/// assert_eq!((gone.get(), gone.get()), (Ok("one"), Err(ReadError::Closed)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Slow {
    /// That never is: there is no bound.
    Never,
    /// The sender waits, after it has served the others.
    Block(usize),
    /// The message is dropped.
    DropNewest(usize),
    /// The oldest one is dropped, and the reader learns how many were: [`ReadError::Lagged`].
    DropOldest(usize),
    /// The reader is detached; it still gets what it has.
    Disconnect(usize),
}

/// Why there is no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReadError {
    /// So many messages were dropped since the last one. The next one is there.
    Lagged(u64),
    /// There is none now (`try_get` only).
    Empty,
    /// None came in time.
    Timeout,
    /// None will come any more.
    Closed,
}

impl ReadError {
    /// How many messages were dropped, if that is it.
    pub fn lagged(self) -> Option<u64> {
        match self {
            ReadError::Lagged(count) => Some(count),
            _ => None,
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ReadError::Lagged(count) => return write!(f, "{count} messages were dropped"),
            ReadError::Empty => "there is no message",
            ReadError::Timeout => "no message came in time",
            ReadError::Closed => "no message will come any more",
        })
    }
}

impl Error for ReadError {}

/// The messages of an exchange, from the moment of subscription on.
///
/// - **Order**: messages of a sender come in the order in which they were sent.
/// - **Blocking, fairness**: a get waits for a message; threads that share a reader get each message once, and are woken
///   in the order in which they came.
/// - **Capacity**: its [`Slow`] says how many it keeps, and what happens when there is no room.
/// - **Close**: what it has can still be read when it was detached, or the exchange is gone.
/// - **Drop**: that ends the subscription, and frees a sender that waits for it; what is left is dropped with it.
/// - **Panic, re-entrancy**: no code of the program runs under a lock of ours, so a message whose destructor uses the
///   exchange is fine.
///
/// ```
/// use std::time::Duration;
///
/// use lockwise::sync::{Exchange, ReadError, Slow};
///
/// let news = Exchange::new();
/// let (all, latest) = (news.reader(Slow::Never), news.reader(Slow::DropOldest(1)));
/// news.send(1);
/// news.send(2);
/// assert_eq!((all.get(), all.get()), (Ok(1), Ok(2)));
/// assert_eq!(all.get_timeout(Duration::from_millis(1)), Err(ReadError::Timeout));
/// // How many it has missed, and then what it has kept.
/// assert_eq!((latest.get(), latest.get()), (Err(ReadError::Lagged(1)), Ok(2)));
/// drop(news);
/// assert_eq!(all.get(), Err(ReadError::Closed));
/// ```
pub struct Reader<T: Send, B: Backend = Tracked> {
    mailbox: Arc<Mailbox<T, B>>,
    /// Dropped after the mailbox was closed.
    _listed: Listed<T, B>,
}

/// The end of a reader at which the exchange puts messages in. Dropped, it says that none will come.
pub(super) struct Inlet<T: Send, B: Backend>(Arc<Mailbox<T, B>>);

/// What both have.
pub(super) struct Mailbox<T: Send, B: Backend> {
    core: Core<Ring<T>, B, Seat<T, B>>,
    slow: Slow,
}

impl<T: Send, B: Backend> Inlet<T, B> {
    /// The inlet of a reader, with a seat that `seat` finds for so many messages to be kept, or to have room for.
    pub(super) fn new(
        slow: Slow,
        born: Site,
        seat: impl FnOnce(Option<usize>, Option<usize>) -> Seat<T, B>,
    ) -> Inlet<T, B> {
        // One at least: there is no reader who waits in a delivery.
        let (capacity, keeps) = match slow {
            Slow::Never => (None, None),
            Slow::DropOldest(keeps) => (None, Some(keeps.max(1))),
            Slow::Block(room) | Slow::DropNewest(room) | Slow::Disconnect(room) => {
                (Some(room.max(1)), None)
            }
        };
        Inlet(Arc::new(Mailbox {
            core: Core::at_home::<T>(seat(keeps, capacity), capacity, born),
            slow,
        }))
    }

    /// What the reader has of it.
    pub(super) fn mailbox(&self) -> Arc<Mailbox<T, B>> {
        Arc::clone(&self.0)
    }

    /// Where the reader sits.
    pub(super) fn seat(&self) -> &Seat<T, B> {
        self.0.core.home()
    }

    /// Takes the message, if that does not have to wait; otherwise it comes back.
    ///
    /// By value, as a message in memory would be written in parts and read as a whole.
    #[inline]
    pub(super) fn offer(&self, message: T) -> Result<Delivery, T> {
        let core = &self.0.core;
        match core.put_plainly(Seen::Message(message), core.born()) {
            Ok(None) => Ok(Delivery::Taken),
            Ok(Some(_)) => Ok(Delivery::Dropped),
            Err((state, taken)) => {
                let mut back = None;
                let delivery = self.put_locked(state, taken, &mut back, Wait::No);
                back.map_or(Ok(delivery), Err)
            }
        }
    }

    #[inline]
    fn put(&self, message: &mut Option<T>, wait: Wait) -> Delivery {
        let Some(taken) = message.take().map(Seen::Message) else {
            return Delivery::Taken;
        };
        let Mailbox { core, .. } = &*self.0;
        match core.put_plainly(taken, core.born()) {
            Ok(None) => Delivery::Taken,
            Ok(Some(_)) => Delivery::Dropped,
            Err((state, taken)) => self.put_locked(state, taken, message, wait),
        }
    }

    #[inline(never)]
    fn put_locked<'a>(
        &'a self,
        state: Guard<'a, Ring<T>, Seat<T, B>>,
        taken: Seen<T>,
        message: &mut Option<T>,
        wait: Wait,
    ) -> Delivery {
        let Mailbox { core, slow } = &*self.0;
        let at = core.born();
        let put = match wait {
            Wait::No => core.try_put_locked(state, taken, at),
            Wait::ForRoom => core.put_locked(state, taken, Deadline::Never, at),
        };
        match (put, slow) {
            (Ok(None), _) => Delivery::Taken,
            (Err(PutError::Closed(_)), _) => Delivery::Closed,
            (Err(refused), Slow::Block(_)) => {
                if let Seen::Message(back) = refused.into_inner() {
                    *message = Some(back);
                }
                Delivery::Full
            }
            (Err(_), Slow::Disconnect(_)) => {
                core.close(at);
                Delivery::Closed
            }
            (Ok(Some(_)) | Err(_), _) => Delivery::Dropped,
        }
    }
}

/// Whether a delivery may wait.
#[derive(Debug, Clone, Copy)]
enum Wait {
    No,
    ForRoom,
}

impl<T: Send, B: Backend> Sink<T> for Inlet<T, B> {
    fn try_deliver(&self, message: &mut Option<T>) -> Delivery {
        self.put(message, Wait::No)
    }

    fn deliver(&self, message: &mut Option<T>) -> Delivery {
        self.put(message, Wait::ForRoom)
    }

    /// Asked for only where there is no room, and that is to be waited for.
    fn deliver_async<'a>(&'a self, message: &'a mut Option<T>) -> Delivering<'a> {
        let core = &self.0.core;
        let message = message.take().map(Seen::Message);
        let putting = message.map(|message| PutIn::new(core, message, core.born()));
        Box::pin(async move {
            match putting {
                None => Delivery::Taken,
                Some(putting) => taken(putting.await.is_ok()),
            }
        })
    }
}

impl<T: Send, B: Backend> Drop for Inlet<T, B> {
    fn drop(&mut self) {
        self.0.core.close(self.0.core.born());
    }
}

impl<T: Send, B: Backend> Reader<T, B> {
    pub(super) fn new(mailbox: Arc<Mailbox<T, B>>, listed: Listed<T, B>) -> Reader<T, B> {
        Reader {
            mailbox,
            _listed: listed,
        }
    }

    /// The next message, waiting for it.
    ///
    /// # Errors
    ///
    /// [`ReadError::Lagged`], and the next call goes on; [`ReadError::Closed`], if it was detached, or the
    /// exchange is gone, and nothing is left.
    #[track_caller]
    pub fn get(&self) -> Result<T, ReadError> {
        self.get_at(Deadline::Never, Site::caller())
    }

    /// [`get`](Reader::get), waiting at most for `timeout`.
    ///
    /// # Errors
    ///
    /// [`ReadError::Timeout`], or as [`get`](Reader::get).
    #[track_caller]
    pub fn get_timeout(&self, timeout: Duration) -> Result<T, ReadError> {
        self.get_at(Deadline::after::<B::Threads>(timeout), Site::caller())
    }

    /// [`get`](Reader::get), waiting at most until `deadline`.
    ///
    /// # Errors
    ///
    /// [`ReadError::Timeout`], or as [`get`](Reader::get).
    #[track_caller]
    pub fn get_deadline(&self, deadline: Instant) -> Result<T, ReadError> {
        self.get_at(Deadline::At(deadline), Site::caller())
    }

    /// The next message, if there is one.
    ///
    /// # Errors
    ///
    /// [`ReadError::Empty`], or as [`get`](Reader::get).
    #[track_caller]
    #[inline]
    pub fn try_get(&self) -> Result<T, ReadError> {
        let at = Site::caller();
        match self.mailbox.core.home().get_quietly(at) {
            Ok(message) => Ok(message),
            Err(state) => self.try_get_with(state, How::of_task(at, true)),
        }
    }

    #[inline(never)]
    fn try_get_with<'a>(
        &'a self,
        state: Option<SeatGuard<'a, T, B>>,
        how: How,
    ) -> Result<T, ReadError> {
        let core = &self.mailbox.core;
        let taken = match state {
            Some(state) => core.take_plainly(state, Work::Done),
            None => Err(core.lock(how.at)),
        };
        seen(taken.or_else(|state| core.try_get_locked(state, Work::Done, how)))
    }

    /// A future of the next message. Dropped before it is ready, it takes none.
    #[track_caller]
    pub fn get_async(&self) -> Read<'_, T, B> {
        Read(TakeOut::new(&self.mailbox.core, Work::Done, Site::caller()))
    }

    /// How many messages are there: a hint.
    #[track_caller]
    pub fn len(&self) -> usize {
        self.mailbox.core.len(Site::caller())
    }

    /// Whether no message is there: a hint.
    #[track_caller]
    pub fn is_empty(&self) -> bool {
        self.mailbox.core.len(Site::caller()) == 0
    }

    pub(in crate::sync) fn core(&self) -> &Core<Ring<T>, B, Seat<T, B>> {
        &self.mailbox.core
    }

    #[inline]
    fn get_at(&self, deadline: Deadline, at: Site) -> Result<T, ReadError> {
        match self.mailbox.core.home().get_quietly(at) {
            Ok(message) => Ok(message),
            Err(state) => self.get_with(state, deadline, at),
        }
    }

    #[inline(never)]
    fn get_with<'a>(
        &'a self,
        state: Option<SeatGuard<'a, T, B>>,
        deadline: Deadline,
        at: Site,
    ) -> Result<T, ReadError> {
        let core = &self.mailbox.core;
        let taken = match state {
            Some(state) => core.take_plainly(state, Work::Done),
            None => Err(core.lock(at)),
        };
        seen(taken.or_else(|state| core.get_locked(state, Work::Done, deadline, at)))
    }
}

/// What a reader sees.
fn seen<T>(got: Result<Seen<T>, GetError>) -> Result<T, ReadError> {
    match got {
        Ok(Seen::Message(message)) => Ok(message),
        Ok(Seen::Lagged(count)) => Err(ReadError::Lagged(count)),
        Err(GetError::Empty) => Err(ReadError::Empty),
        Err(GetError::Timeout) => Err(ReadError::Timeout),
        Err(GetError::Closed | GetError::Stopped) => Err(ReadError::Closed),
    }
}

impl<T: Send, B: Backend> Drop for Reader<T, B> {
    fn drop(&mut self) {
        drop(self.mailbox.core.close_now(self.mailbox.core.born()));
    }
}

impl<T: Send, B: Backend> fmt::Debug for Reader<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.mailbox.core.debug("Reader", f)
    }
}

/// The next message of a [`Reader`], as a future. It takes one only when it is ready; dropped after it was woken
/// for one, it wakes the next.
#[must_use = "futures do nothing unless polled"]
pub struct Read<'a, T: Send, B: Backend = Tracked>(TakeOut<'a, Ring<T>, B, Seat<T, B>>);

impl<T: Send, B: Backend> Future for Read<'_, T, B> {
    type Output = Result<T, ReadError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T, ReadError>> {
        Pin::new(&mut self.0).poll(context).map(seen)
    }
}

impl<T: Send, B: Backend> fmt::Debug for Read<'_, T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Read").field(&self.0).finish()
    }
}
