//! Getting as a future: [`GetHighest`].

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::key::Priority;
use super::levels::Levels;
use super::queue::PriorityQueue;
use crate::sync::backend::{Backend, Tracked};
use crate::sync::queue::{GetError, TakeOut, Work};
use crate::watch::Site;

/// Gets the highest item of a [`PriorityQueue`], as a future.
///
/// It takes an item only when it is ready. Dropped after it was woken for one, it wakes the next.
#[must_use = "futures do nothing unless polled"]
pub struct GetHighest<'a, T: Send, P: Priority = i64, B: Backend = Tracked> {
    taking: TakeOut<'a, Levels<T>, B>,
    priorities: PhantomData<fn(P)>,
}

impl<'a, T: Send, P: Priority, B: Backend> GetHighest<'a, T, P, B> {
    pub(super) fn new(queue: &'a PriorityQueue<T, P, B>, at: Site) -> Self {
        GetHighest {
            taking: TakeOut::new(&queue.core, Work::Done, at),
            priorities: PhantomData,
        }
    }
}

impl<T: Send, P: Priority, B: Backend> Future for GetHighest<'_, T, P, B> {
    type Output = Result<T, GetError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T, GetError>> {
        let got = Pin::new(&mut self.taking).poll(context);
        got.map(|got| got.map(|placed| placed.item))
    }
}

impl<T: Send, P: Priority, B: Backend> fmt::Debug for GetHighest<'_, T, P, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GetHighest").field(&self.taking).finish()
    }
}
