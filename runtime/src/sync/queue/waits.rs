//! Putting and getting as futures: [`Put`] and [`Get`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::core::Work;
use super::fifo::{Queue, its_item};
use super::futures::{PutIn, TakeOut};
use super::refusal::{GetError, PutError};
use super::sides::Sides;
use super::store::Fifo;
use crate::sync::backend::{Backend, Tracked};
use crate::watch::Site;

/// Puts an item into a [`Queue`], as a future.
///
/// It keeps its item until it is ready: dropped before that, it has not put, and drops the item. When there is room,
/// this is kept for it until it is polled or dropped.
///
/// Without capacity ([`Queue::rendezvous`]) a consumer takes the item from the future while that waits, as from anybody.
/// A future that is dropped after that has put, though nobody has polled it since; [`take_back`](Put::take_back) tells.
#[must_use = "futures do nothing unless polled"]
pub struct Put<'a, T: Send, B: Backend = Tracked>(PutIn<'a, Fifo<T>, B, Sides<T, B>>);

/// Gets an item from a [`Queue`], as a future.
///
/// It takes an item only when it is ready. Dropped after it was woken for one, it wakes the next.
#[must_use = "futures do nothing unless polled"]
pub struct Get<'a, T: Send, B: Backend = Tracked>(TakeOut<'a, Fifo<T>, B, Sides<T, B>>);

impl<'a, T: Send, B: Backend> Put<'a, T, B> {
    pub(super) fn new(queue: &'a Queue<T, B>, item: T, at: Site) -> Put<'a, T, B> {
        Put(PutIn::new(&queue.core, Some(item), at))
    }

    /// Gives it up. The item, unless that was put.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use lockwise::sync::{Queue, block_on, within};
    ///
    /// let queue = Queue::bounded(1);
    /// block_on(async {
    ///     queue.put("full").unwrap();
    ///     let mut put = queue.put_async("too late");
    ///     assert_eq!(within(Duration::from_millis(5), &mut put).await, None);
    ///     assert_eq!(put.take_back(), Some("too late"));
    /// });
    /// ```
    #[must_use = "this is the item, if it was not put"]
    pub fn take_back(mut self) -> Option<T> {
        self.0.take_back().map(|entry| its_item(Some(entry)))
    }
}

impl<'a, T: Send, B: Backend> Get<'a, T, B> {
    pub(super) fn new(queue: &'a Queue<T, B>, work: Work, at: Site) -> Get<'a, T, B> {
        Get(TakeOut::new(&queue.core, work, at))
    }
}

impl<T: Send, B: Backend> Future for Put<'_, T, B> {
    type Output = Result<(), PutError<T>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), PutError<T>>> {
        let put = Pin::new(&mut self.0).poll(context);
        put.map(|put| match put {
            Ok(_) => Ok(()),
            Err(refused) => Err(refused.map(|entry| its_item(Some(entry)))),
        })
    }
}

impl<T: Send, B: Backend> Future for Get<'_, T, B> {
    type Output = Result<T, GetError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T, GetError>> {
        let got = Pin::new(&mut self.0).poll(context);
        got.map(|got| got.and_then(|entry| entry.ok_or(GetError::Stopped)))
    }
}

impl<T: Send, B: Backend> fmt::Debug for Put<'_, T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Put").field(&self.0).finish()
    }
}

impl<T: Send, B: Backend> fmt::Debug for Get<'_, T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Get").field(&self.0).finish()
    }
}
