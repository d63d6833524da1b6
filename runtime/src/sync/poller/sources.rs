//! The sources.

use std::fmt;
use std::sync::Arc;
use std::task::Waker;

use super::source::Source;
use super::waits::Waits;
use crate::sync::actor::Handle;
use crate::sync::backend::{Backend, Tracked};
use crate::sync::event::Event;
use crate::sync::exchange::Reader;
use crate::sync::priority::{Priority, PriorityQueue};
use crate::sync::promise::Future;
use crate::sync::queue::{End, Queue, Receiver};
use crate::waiting::Ticket;

/// The room of a queue, as a [`Source`].
pub struct Room<'a, T: Send, B: Backend = Tracked>(pub(in crate::sync) &'a Queue<T, B>);

/// The end of an actor, as a [`Source`].
pub struct Ended<'a, M: Send, B: Backend = Tracked>(pub(in crate::sync) &'a Handle<M, B>);

/// Hands both methods on to something inside.
macro_rules! sources {
    ($(($($generics:tt)*) $Source:ty, $this:ident => $watch:expr, $unwatch:expr;)*) => {$(
        impl<$($generics)*> Source for $Source {
            fn waits(&self) -> Waits {
                Waits::of::<B::Threads>()
            }

            fn watch(&self, ticket: &mut Ticket, waker: &Waker) -> bool {
                let $this = self;
                $watch(ticket, waker)
            }

            fn unwatch(&self, ticket: &mut Ticket) {
                let $this = self;
                $unwatch(ticket);
            }
        }
    )*};
}

sources! {
    (B: Backend) Event<B>, this =>
        |ticket, waker| this.watch_set(ticket, waker), |ticket| this.unwatch_set(ticket);
    (T: Send, B: Backend) Queue<T, B>, this =>
        |ticket, waker| this.core().watch(End::Get, ticket, waker), |ticket| this.core().unwatch(End::Get, ticket);
    (T: Send, B: Backend) Receiver<T, B>, this =>
        |ticket, waker| this.queue().watch(ticket, waker), |ticket| this.queue().unwatch(ticket);
    (T: Send, P: Priority, B: Backend) PriorityQueue<T, P, B>, this =>
        |ticket, waker| this.core().watch(End::Get, ticket, waker), |ticket| this.core().unwatch(End::Get, ticket);
    (T: Send, B: Backend) Reader<T, B>, this =>
        |ticket, waker| this.core().watch(End::Get, ticket, waker), |ticket| this.core().unwatch(End::Get, ticket);
    (T: Send, B: Backend) Future<T, B>, this =>
        |ticket, waker| this.watch_done(ticket, waker), |ticket| this.unwatch_done(ticket);
    (T: Send, B: Backend) Room<'_, T, B>, this =>
        |ticket, waker| this.0.core().watch(End::Put, ticket, waker), |ticket| this.0.core().unwatch(End::Put, ticket);
    (M: Send, B: Backend) Ended<'_, M, B>, this =>
        |ticket, waker| this.0.stopped().watch(ticket, waker), |ticket| this.0.stopped().unwatch(ticket);
}

/// Hands all on to what a pointer points to.
macro_rules! pointers {
    ($(($($bound:tt)*) $Pointer:ty;)*) => {$(
        impl<S: Source + ?Sized $($bound)*> Source for $Pointer {
            fn waits(&self) -> Waits {
                (**self).waits()
            }

            fn watch(&self, ticket: &mut Ticket, waker: &Waker) -> bool {
                (**self).watch(ticket, waker)
            }

            fn unwatch(&self, ticket: &mut Ticket) {
                (**self).unwatch(ticket);
            }
        }
    )*};
}

pointers! {
    () &S;
    (+ Send) Arc<S>;
}

impl<T: Send, B: Backend> fmt::Debug for Room<'_, T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Room").field(self.0).finish()
    }
}

impl<M: Send, B: Backend> fmt::Debug for Ended<'_, M, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ended").field(self.0).finish()
    }
}
