//! [`std::sync::mpsc`], watched.
//!
//! A channel is told like a semaphore: a send puts a unit in before it really happens, and who has
//! received takes one out. Messages are received in the order in which they were sent, and so are
//! units matched. That all senders are gone is told the same way, on an object of its own: each
//! sender that is dropped puts a unit in, and the receiver that hears of it takes all of them.
//!
//! What it cannot see: in a log, that a send waits for room in a bounded channel (while the program runs it is
//! known as waiting); and that a receiver is gone.

use std::any::type_name;
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use crate::watch::hooks::{self, Ask};
use crate::watch::{Identity, Kind, Site};

use super::held::Waiting;

pub use std::sync::mpsc::*;

/// A channel without bound, as [`std::sync::mpsc::channel`].
#[must_use]
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = std::sync::mpsc::channel();
    let channel = Channel::of::<T>(Site::caller());
    let end = End(Arc::clone(&channel));
    let sender = Sender { end, inner: sender };
    let inner = receiver;
    (sender, Receiver { channel, inner })
}

/// A channel in which at most `bound` messages lie, as [`std::sync::mpsc::sync_channel`].
#[must_use]
#[track_caller]
pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
    let (sender, receiver) = std::sync::mpsc::sync_channel(bound);
    let channel = Channel::of::<T>(Site::caller());
    let end = End(Arc::clone(&channel));
    let sender = SyncSender { end, inner: sender };
    let inner = receiver;
    (sender, Receiver { channel, inner })
}

/// What both sides of a channel know of it.
struct Channel {
    messages: Identity,
    /// The senders that are gone.
    ended: Identity,
    /// How many these are, as far as the receiver has not heard of it.
    unheard: AtomicU32,
}

impl Channel {
    fn of<T>(born: Site) -> Arc<Channel> {
        Arc::new(Channel {
            messages: Identity::new(Kind::Channel, born, type_name::<T>),
            // By this type whoever judges the log knows that it tells of an end.
            ended: Identity::new(Kind::Channel, born, type_name::<std::sync::mpsc::Sender<T>>),
            unheard: AtomicU32::new(0),
        })
    }

    /// Tells that the receiver has learned that all senders are gone.
    fn over(&self, ask: Ask, at: Site) {
        let senders = self.unheard.swap(0, Relaxed);
        if senders > 0 {
            hooks::obtained(&self.ended, senders, ask, at);
        }
    }
}

/// One sender's hold on the channel. Dropping it tells that this sender is about to go.
struct End(Arc<Channel>);

impl Clone for End {
    fn clone(&self) -> End {
        End(Arc::clone(&self.0))
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let Channel { ended, unheard, .. } = &*self.0;
        // std's own count of senders, which goes down next, orders this before the receiver's look.
        unheard.fetch_add(1, Relaxed);
        hooks::posted(ended, 1, ended.class().born);
    }
}

/// The sending side of a [`channel`].
pub struct Sender<T> {
    // Dropped in this order.
    end: End,
    pub(super) inner: std::sync::mpsc::Sender<T>,
}

/// The sending side of a [`sync_channel`].
pub struct SyncSender<T> {
    // Dropped in this order.
    end: End,
    inner: std::sync::mpsc::SyncSender<T>,
}

/// The receiving side of a [`channel`] or [`sync_channel`].
pub struct Receiver<T> {
    channel: Arc<Channel>,
    pub(super) inner: std::sync::mpsc::Receiver<T>,
}

impl<T> Sender<T> {
    /// Sends `t`. Never waits.
    ///
    /// # Errors
    ///
    /// `t`, if the receiver is gone.
    #[track_caller]
    pub fn send(&self, t: T) -> Result<(), SendError<T>> {
        hooks::posted(&self.end.0.messages, 1, Site::caller());
        self.inner.send(t)
    }
}

impl<T> SyncSender<T> {
    /// Sends `t`, waiting until there is room for it; without any, until it is received.
    ///
    /// # Errors
    ///
    /// `t`, if the receiver is gone.
    #[track_caller]
    pub fn send(&self, t: T) -> Result<(), SendError<T>> {
        let (messages, at) = (&self.end.0.messages, Site::caller());
        hooks::posted(messages, 1, at);
        match self.inner.try_send(t) {
            Ok(()) => Ok(()),
            Err(TrySendError::Disconnected(t)) => Err(SendError(t)),
            Err(TrySendError::Full(t)) => {
                hooks::full(messages, at);
                let sent = self.inner.send(t);
                hooks::unblocked();
                sent
            }
        }
    }

    /// Sends `t` if there is room for it, or somebody who waits for it.
    ///
    /// # Errors
    ///
    /// `t`, if there is no room or the receiver is gone.
    #[track_caller]
    pub fn try_send(&self, t: T) -> Result<(), TrySendError<T>> {
        self.inner.try_send(t)?;
        // Told afterwards, as it often comes to nothing: who receives at once may be told first, and
        // then this send orders nothing.
        hooks::posted(&self.end.0.messages, 1, Site::caller());
        Ok(())
    }
}

impl<T> Receiver<T> {
    /// The next message, if one is there.
    ///
    /// # Errors
    ///
    /// That there is none, or will not be any more.
    #[track_caller]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.try_recv_at(Ask::Try, Site::caller())
    }

    /// The next message, waiting for it.
    ///
    /// # Errors
    ///
    /// That there will not be any more.
    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        self.recv_at(Site::caller())
    }

    /// The next message, waiting for it at most for `timeout`.
    ///
    /// # Errors
    ///
    /// That none came in time, or that there will not be any more.
    #[track_caller]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        self.recv_within(Site::caller(), |inner| inner.recv_timeout(timeout))
    }

    /// The next message, waiting for it by `wait`, which knows how long.
    pub(super) fn recv_within(
        &self,
        at: Site,
        wait: impl FnOnce(&std::sync::mpsc::Receiver<T>) -> Result<T, RecvTimeoutError>,
    ) -> Result<T, RecvTimeoutError> {
        match self.try_recv_at(Ask::Timed, at) {
            Ok(message) => Ok(message),
            Err(TryRecvError::Disconnected) => Err(RecvTimeoutError::Disconnected),
            Err(TryRecvError::Empty) => {
                let received = self.park(Ask::Timed, at, wait);
                if matches!(received, Err(RecvTimeoutError::Disconnected)) {
                    self.channel.over(Ask::Timed, at);
                }
                received
            }
        }
    }

    /// All messages that will be there, waiting for each.
    #[track_caller]
    pub fn iter(&self) -> Iter<'_, T> {
        Iter {
            rx: self,
            at: Site::caller(),
        }
    }

    /// All messages that are there.
    #[track_caller]
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter {
            rx: self,
            at: Site::caller(),
        }
    }

    fn recv_at(&self, at: Site) -> Result<T, RecvError> {
        match self.try_recv_at(Ask::Wait, at) {
            Ok(message) => Ok(message),
            Err(TryRecvError::Disconnected) => Err(RecvError),
            Err(TryRecvError::Empty) => {
                let received = self.park(Ask::Wait, at, std::sync::mpsc::Receiver::recv);
                if received.is_err() {
                    self.channel.over(Ask::Wait, at);
                }
                received
            }
        }
    }

    /// Takes a message if one is there. `ask` says what the thread does otherwise.
    fn try_recv_at(&self, ask: Ask, at: Site) -> Result<T, TryRecvError> {
        let received = self.inner.try_recv();
        match &received {
            Ok(_) => hooks::obtained(&self.channel.messages, 1, ask, at),
            Err(TryRecvError::Disconnected) => self.channel.over(ask, at),
            Err(TryRecvError::Empty) => {}
        }
        received
    }

    /// Waits with `wait`.
    #[cold]
    fn park<E>(
        &self,
        ask: Ask,
        at: Site,
        wait: impl FnOnce(&std::sync::mpsc::Receiver<T>) -> Result<T, E>,
    ) -> Result<T, E> {
        let messages = &self.channel.messages;
        hooks::pending(messages, ask, at);
        let waiting = Waiting(messages);
        let message = wait(&self.inner)?;
        mem::forget(waiting);
        hooks::obtained(messages, 1, ask, at);
        Ok(message)
    }
}

/// The messages of a [`Receiver`], waiting for each, as [`std::sync::mpsc::Iter`].
pub struct Iter<'a, T> {
    rx: &'a Receiver<T>,
    at: Site,
}

/// The messages that a [`Receiver`] has now, as [`std::sync::mpsc::TryIter`].
pub struct TryIter<'a, T> {
    rx: &'a Receiver<T>,
    at: Site,
}

/// The messages of a [`Receiver`] that it owns, waiting for each, as [`std::sync::mpsc::IntoIter`].
pub struct IntoIter<T> {
    rx: Receiver<T>,
    at: Site,
}

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.rx.recv_at(self.at).ok()
    }
}

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.rx.try_recv_at(Ask::Try, self.at).ok()
    }
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.rx.recv_at(self.at).ok()
    }
}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    #[track_caller]
    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    #[track_caller]
    fn into_iter(self) -> IntoIter<T> {
        IntoIter {
            rx: self,
            at: Site::caller(),
        }
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Sender<T> {
        Sender {
            end: self.end.clone(),
            inner: self.inner.clone(),
        }
    }
}

impl<T> Clone for SyncSender<T> {
    fn clone(&self) -> SyncSender<T> {
        SyncSender {
            end: self.end.clone(),
            inner: self.inner.clone(),
        }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T> fmt::Debug for SyncSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

// Those of std are derived: bound by `T`, and without the site.

impl<T: fmt::Debug> fmt::Debug for Iter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").field("rx", &self.rx).finish()
    }
}

impl<T: fmt::Debug> fmt::Debug for TryIter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryIter").field("rx", &self.rx).finish()
    }
}

#[expect(clippy::missing_fields_in_debug, reason = "std has no such field")]
impl<T: fmt::Debug> fmt::Debug for IntoIter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntoIter").field("rx", &self.rx).finish()
    }
}
