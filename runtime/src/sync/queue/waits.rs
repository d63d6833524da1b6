//! Putting and getting as futures: [`Put`] and [`Get`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::core::{Putting, Work};
use super::fifo::{Queue, its_item};
use super::refusal::{GetError, PutError};
use super::state::How;
use super::store::Entry;
use crate::sync::backend::{Backend, Tracked};
use crate::sync::waiters::Ticket;
use crate::watch::Site;

/// Puts an item into a [`Queue`], as a future.
///
/// It may wait for room with its item in the queue's row. Dropped while it does, it takes the item back.
#[must_use = "futures do nothing unless polled"]
pub struct Put<'a, T: Send, B: Backend = Tracked> {
    queue: &'a Queue<T, B>,
    putting: Putting<Entry<T>>,
    how: How,
}

/// Gets an item from a [`Queue`], as a future.
///
/// It takes an item only when it is ready. Dropped after it was woken for one, it later the next.
#[must_use = "futures do nothing unless polled"]
pub struct Get<'a, T: Send, B: Backend = Tracked> {
    queue: &'a Queue<T, B>,
    ticket: Ticket,
    how: How,
}

impl<'a, T: Send, B: Backend> Put<'a, T, B> {
    pub(super) fn new(queue: &'a Queue<T, B>, item: T, at: Site) -> Put<'a, T, B> {
        Put {
            queue,
            putting: Putting::new(Some(item)),
            how: How { at, timed: false },
        }
    }
}

impl<'a, T: Send, B: Backend> Get<'a, T, B> {
    pub(super) fn new(queue: &'a Queue<T, B>, at: Site) -> Get<'a, T, B> {
        Get {
            queue,
            ticket: Ticket::new(),
            how: How { at, timed: false },
        }
    }
}

/// Items are never pinned.
impl<T: Send, B: Backend> Unpin for Put<'_, T, B> {}

impl<T: Send, B: Backend> Future for Put<'_, T, B> {
    type Output = Result<(), PutError<T>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), PutError<T>>> {
        let this = self.get_mut();
        let core = &this.queue.core;
        let put = core.poll_put(&mut this.putting, context.waker(), this.how);
        put.map(|put| put.map_err(|refusal| refusal.of(its_item(this.putting.slot.take()))))
    }
}

impl<T: Send, B: Backend> Future for Get<'_, T, B> {
    type Output = Result<T, GetError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T, GetError>> {
        let this = self.get_mut();
        let core = &this.queue.core;
        let (mut slot, ticket) = (None, &mut this.ticket);
        let got = core.poll_get(&mut slot, ticket, context.waker(), Work::Done, this.how);
        got.map(|got| got.and_then(|()| slot.flatten().ok_or(GetError::Stopped)))
    }
}

impl<T: Send, B: Backend> Drop for Put<'_, T, B> {
    fn drop(&mut self) {
        self.queue.core.withdraw(&mut self.putting, self.how);
    }
}

impl<T: Send, B: Backend> Drop for Get<'_, T, B> {
    fn drop(&mut self) {
        if self.ticket.is_some() {
            self.queue.core.abandon_get(&mut self.ticket);
        }
    }
}

impl<T: Send, B: Backend> fmt::Debug for Put<'_, T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Put").field(self.queue).finish()
    }
}

impl<T: Send, B: Backend> fmt::Debug for Get<'_, T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Get").field(self.queue).finish()
    }
}
