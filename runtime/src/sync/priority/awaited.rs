//! Getting as a future: [`GetHighest`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::key::Priority;
use super::queue::{PriorityQueue, its_item};
use crate::sync::backend::{Backend, Tracked};
use crate::sync::queue::{GetError, How, Work};
use crate::sync::waiters::Ticket;
use crate::watch::Site;

/// Gets the highest item of a [`PriorityQueue`], as a future.
///
/// It takes an item only when it is ready. Dropped after it was woken for one, it later the next.
#[must_use = "futures do nothing unless polled"]
pub struct GetHighest<'a, T: Send, P: Priority = i64, B: Backend = Tracked> {
    queue: &'a PriorityQueue<T, P, B>,
    ticket: Ticket,
    how: How,
}

impl<'a, T: Send, P: Priority, B: Backend> GetHighest<'a, T, P, B> {
    pub(super) fn new(queue: &'a PriorityQueue<T, P, B>, at: Site) -> Self {
        GetHighest {
            queue,
            ticket: Ticket::new(),
            how: How { at, timed: false },
        }
    }
}

impl<T: Send, P: Priority, B: Backend> Future for GetHighest<'_, T, P, B> {
    type Output = Result<T, GetError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T, GetError>> {
        let this = self.get_mut();
        let core = &this.queue.core;
        let (mut slot, ticket) = (None, &mut this.ticket);
        let got = core.poll_get(&mut slot, ticket, context.waker(), Work::Done, this.how);
        got.map(|got| got.map(|()| its_item(slot)))
    }
}

impl<T: Send, P: Priority, B: Backend> Drop for GetHighest<'_, T, P, B> {
    fn drop(&mut self) {
        if self.ticket.is_some() {
            self.queue.core.abandon_get(&mut self.ticket);
        }
    }
}

impl<T: Send, P: Priority, B: Backend> fmt::Debug for GetHighest<'_, T, P, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GetHighest").field(self.queue).finish()
    }
}
