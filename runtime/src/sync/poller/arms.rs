//! The arms of [`select!`](crate::select), which alone uses this.
#![doc(hidden)]

use std::fmt;
use std::sync::Arc;
use std::task::{Poll, Waker};

use super::source::Source;
use super::waits::Waits;
use crate::sync::actor::Handle;
use crate::sync::backend::Backend;
use crate::sync::event::Event;
use crate::sync::exchange::{ReadError, Reader};
use crate::sync::priority::{Priority, PriorityQueue};
use crate::sync::promise::{Failure, Future};
use crate::sync::queue::{GetError, PutError, Putting, Queue, Receiver, Sender};
use crate::waiting::Ticket;

pub use super::choice::{Limit, choose};

/// One of several things to be done, whichever can be done first.
pub trait Arm {
    /// How those wait who use it.
    fn waits(&self) -> Waits;

    /// Does it, if it can be done now.
    fn attempt(&mut self) -> bool;

    /// Whether it may be possible now; otherwise the waker is used when that may have changed.
    fn watch(&mut self, waker: &Waker) -> bool;

    /// Takes the waker back.
    fn unwatch(&mut self);

    /// Whether this is a put without capacity, which another select sees only if it is offered.
    fn can_be_offered(&self) -> bool {
        false
    }

    /// Offers the item: somebody may take it from now on. True if that is done already.
    fn offer(&mut self, waker: &Waker) -> bool {
        let _ = waker;
        false
    }

    /// Takes the offer back. True if somebody took it.
    fn withdraw(&mut self) -> bool {
        false
    }
}

/// Something to get from.
pub trait Gets: Source {
    /// What `try_get` gives.
    type Got;

    /// What there is, if it is not too early for that.
    fn try_take(&self) -> Option<Self::Got>;
}

macro_rules! gets {
    ($(($($generics:tt)*) $Source:ty, $error:ident, $T:ty;)*) => {$(
        impl<$($generics)*> Gets for $Source {
            type Got = Result<$T, $error>;

            fn try_take(&self) -> Option<Self::Got> {
                match self.try_get() {
                    Err($error::Empty) => None,
                    got => Some(got),
                }
            }
        }
    )*};
}

gets! {
    (T: Send, B: Backend) Queue<T, B>, GetError, T;
    (T: Send, B: Backend) Receiver<T, B>, GetError, T;
    (T: Send, P: Priority, B: Backend) PriorityQueue<T, P, B>, GetError, T;
    (T: Send, B: Backend) Reader<T, B>, ReadError, T;
}

/// So that an arm can name what is shared, or was lent, as it is.
macro_rules! pointers {
    ($(($($bound:tt)*) $Pointer:ty;)*) => {$(
        impl<S: Gets $($bound)*> Gets for $Pointer {
            type Got = S::Got;

            fn try_take(&self) -> Option<S::Got> {
                (**self).try_take()
            }
        }

        impl<S: Puts> Puts for $Pointer {
            type Item = S::Item;
            type Backend = S::Backend;

            fn queue(&self) -> &Queue<S::Item, S::Backend> {
                (**self).queue()
            }
        }
    )*};
}

pointers! {
    () &S;
    (+ Send) Arc<S>;
}

/// Something to put into.
pub trait Puts {
    type Item: Send;
    type Backend: Backend;

    fn queue(&self) -> &Queue<Self::Item, Self::Backend>;
}

impl<T: Send, B: Backend> Puts for Queue<T, B> {
    type Item = T;
    type Backend = B;

    fn queue(&self) -> &Queue<T, B> {
        self
    }
}

impl<T: Send, B: Backend> Puts for Sender<T, B> {
    type Item = T;
    type Backend = B;

    fn queue(&self) -> &Queue<T, B> {
        Sender::queue(self)
    }
}

/// `get(source)`.
#[derive(Debug)]
pub struct Get<'a, S: Gets> {
    source: &'a S,
    ticket: Ticket,
    got: Option<S::Got>,
}

/// `put(queue, item)`.
pub struct Put<'a, Q: Puts> {
    queue: &'a Queue<Q::Item, Q::Backend>,
    ticket: Ticket,
    putting: Putting<Option<Q::Item>>,
    outcome: Option<Result<(), PutError<Q::Item>>>,
}

/// `wait(event)`, and `ended(actor)`: its end is an event.
#[derive(Debug)]
pub struct Wait<'a, B: Backend> {
    event: &'a Event<B>,
    ticket: Ticket,
    is_set: bool,
}

/// `result(future)`.
#[derive(Debug)]
pub struct Done<'a, T: Send, B: Backend> {
    /// Taken when its result is.
    future: &'a mut Option<Future<T, B>>,
    ticket: Ticket,
    result: Option<Result<T, Failure>>,
}

pub fn get<S: Gets>(source: &S) -> Get<'_, S> {
    Get {
        source,
        ticket: Ticket::new(),
        got: None,
    }
}

pub fn put<Q: Puts>(queue: &Q, item: Q::Item) -> Put<'_, Q> {
    Put {
        queue: queue.queue(),
        ticket: Ticket::new(),
        putting: Putting::new(Some(item)),
        outcome: None,
    }
}

pub fn wait<B: Backend>(event: &Event<B>) -> Wait<'_, B> {
    Wait {
        event,
        ticket: Ticket::new(),
        is_set: false,
    }
}

pub fn ended<M: Send, B: Backend>(actor: &Handle<M, B>) -> Wait<'_, B> {
    wait(actor.stopped())
}

pub fn result<T: Send, B: Backend>(future: &mut Option<Future<T, B>>) -> Done<'_, T, B> {
    Done {
        future,
        ticket: Ticket::new(),
        result: None,
    }
}

impl<Q: Puts> fmt::Debug for Put<'_, Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Put").field(self.queue).finish()
    }
}

impl<S: Gets> Get<'_, S> {
    pub fn take(&mut self) -> Option<S::Got> {
        self.got.take()
    }
}

impl<Q: Puts> Put<'_, Q> {
    pub fn take(&mut self) -> Option<Result<(), PutError<Q::Item>>> {
        self.outcome.take()
    }
}

impl<B: Backend> Wait<'_, B> {
    pub fn take(&mut self) -> Option<()> {
        self.is_set.then_some(())
    }
}

impl<T: Send, B: Backend> Done<'_, T, B> {
    pub fn take(&mut self) -> Option<Result<T, Failure>> {
        self.result.take()
    }
}

impl<S: Gets> Arm for Get<'_, S> {
    fn waits(&self) -> Waits {
        self.source.waits()
    }

    fn attempt(&mut self) -> bool {
        self.got = self.source.try_take();
        self.got.is_some()
    }

    fn watch(&mut self, waker: &Waker) -> bool {
        self.source.watch(&mut self.ticket, waker)
    }

    fn unwatch(&mut self) {
        self.source.unwatch(&mut self.ticket);
    }
}

impl<Q: Puts> Arm for Put<'_, Q> {
    fn waits(&self) -> Waits {
        self.queue.waits()
    }

    fn attempt(&mut self) -> bool {
        let Some(Some(item)) = self.putting.slot.take() else {
            return false;
        };
        match self.queue.try_put(item) {
            Err(PutError::Full(item)) => {
                self.putting.slot = Some(Some(item));
                false
            }
            put => {
                self.outcome = Some(put);
                true
            }
        }
    }

    fn watch(&mut self, waker: &Waker) -> bool {
        self.queue.room().watch(&mut self.ticket, waker)
    }

    fn unwatch(&mut self) {
        self.queue.room().unwatch(&mut self.ticket);
    }

    fn can_be_offered(&self) -> bool {
        self.queue.capacity() == Some(0)
    }

    fn offer(&mut self, waker: &Waker) -> bool {
        let put = self.queue.poll_put(&mut self.putting, waker);
        match put {
            Poll::Pending => false,
            Poll::Ready(put) => {
                self.outcome = Some(put);
                true
            }
        }
    }

    fn withdraw(&mut self) -> bool {
        if self.queue.withdraw(&mut self.putting) {
            self.outcome = Some(Ok(()));
        }
        self.outcome.is_some()
    }
}

impl<B: Backend> Arm for Wait<'_, B> {
    fn waits(&self) -> Waits {
        self.event.waits()
    }

    fn attempt(&mut self) -> bool {
        self.is_set |= self.event.is_set();
        self.is_set
    }

    /// Woken is as good as set, also if it was cleared since.
    fn watch(&mut self, waker: &Waker) -> bool {
        self.is_set |= self.event.watch(&mut self.ticket, waker);
        self.is_set
    }

    fn unwatch(&mut self) {
        self.event.unwatch(&mut self.ticket);
    }
}

impl<T: Send, B: Backend> Arm for Done<'_, T, B> {
    fn waits(&self) -> Waits {
        Waits::of::<B::Threads>()
    }

    fn attempt(&mut self) -> bool {
        if let Some(future) = self.future.take() {
            match future.try_get() {
                Ok(result) => self.result = Some(result),
                Err(future) => *self.future = Some(future),
            }
        }
        self.result.is_some()
    }

    fn watch(&mut self, waker: &Waker) -> bool {
        let future = self.future.as_ref();
        future.is_some_and(|future| future.watch(&mut self.ticket, waker))
    }

    fn unwatch(&mut self) {
        if let Some(future) = self.future {
            future.unwatch(&mut self.ticket);
        }
    }
}
