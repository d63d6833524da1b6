//! Putting, getting and joining as futures, for a queue of any order: what users see is made of these.
//!
//! Each can be dropped at any time. A put that was not ready has not put then, and gives the room that was kept for it
//! on; a get that was woken for an entry and has not taken it wakes the next one.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::core::{Core, Work};
use super::home::{Home, Own};
use super::how::How;
use super::plain::outcome;
use super::putting::Putting;
use super::refusal::{GetError, PutError, Refusal};
use super::store::Store;
use crate::sync::backend::Backend;
use crate::waiting::Ticket;
use crate::watch::Site;

/// Puts an entry in, waiting for room. Gives what it has displaced, or what was refused.
pub(in crate::sync) struct PutIn<
    'a,
    S: Store<Entry: Send> + Send,
    B: Backend,
    H: Home<S> = Own<S, B>,
> {
    core: &'a Core<S, B, H>,
    putting: Putting<S::Entry>,
    how: How,
}

/// Takes the next entry out, waiting for it.
pub(in crate::sync) struct TakeOut<
    'a,
    S: Store<Entry: Send> + Send,
    B: Backend,
    H: Home<S> = Own<S, B>,
> {
    core: &'a Core<S, B, H>,
    ticket: Ticket,
    work: Work,
    how: How,
}

/// Waits until all that was put is done.
pub(in crate::sync) struct AllDone<
    'a,
    S: Store<Entry: Send> + Send,
    B: Backend,
    H: Home<S> = Own<S, B>,
> {
    core: &'a Core<S, B, H>,
    ticket: Ticket,
    at: Site,
}

impl<'a, S: Store<Entry: Send> + Send, B: Backend, H: Home<S>> PutIn<'a, S, B, H> {
    #[inline]
    pub(in crate::sync) fn new(core: &'a Core<S, B, H>, entry: S::Entry, at: Site) -> Self {
        PutIn {
            core,
            putting: Putting::of_future(entry),
            how: How::of_task(at, false),
        }
    }
}

impl<S: Store<Entry: Send> + Send, B: Backend, H: Home<S>> PutIn<'_, S, B, H> {
    /// Gives it up: its entry, unless that was put.
    pub(super) fn take_back(&mut self) -> Option<S::Entry> {
        self.core.withdraw(&mut self.putting, self.how);
        self.putting.slot.take()
    }

    /// What it has come to: what was displaced, or refused, is in the slot.
    fn outcome(
        &mut self,
        put: Result<(), Refusal>,
    ) -> Result<Option<S::Entry>, PutError<S::Entry>> {
        outcome(put, self.putting.slot.take())
    }
}

impl<'a, S: Store<Entry: Send> + Send, B: Backend, H: Home<S>> TakeOut<'a, S, B, H> {
    pub(in crate::sync) fn new(core: &'a Core<S, B, H>, work: Work, at: Site) -> Self {
        TakeOut {
            core,
            ticket: Ticket::new(),
            work,
            how: How::of_task(at, false),
        }
    }
}

impl<'a, S: Store<Entry: Send> + Send, B: Backend, H: Home<S>> AllDone<'a, S, B, H> {
    pub(in crate::sync) fn new(core: &'a Core<S, B, H>, at: Site) -> Self {
        AllDone {
            core,
            ticket: Ticket::new(),
            at,
        }
    }
}

/// Entries are never pinned.
impl<S: Store<Entry: Send> + Send, B: Backend, H: Home<S>> Unpin for PutIn<'_, S, B, H> {}

impl<S: Store<Entry: Send> + Send, B: Backend, H: Home<S>> Future for PutIn<'_, S, B, H> {
    type Output = Result<Option<S::Entry>, PutError<S::Entry>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if !this.putting.waits() {
            let (core, at) = (this.core, this.how.at);
            let slot = &mut this.putting.slot;
            let put = core.put_among_others(core.lock_to_put(at), slot, at);
            match put {
                Err(Refusal::Full) => {}
                put => return Poll::Ready(this.outcome(put.map(drop))),
            }
        }
        let put = this
            .core
            .poll_put(&mut this.putting, context.waker(), this.how);
        put.map(|put| this.outcome(put))
    }
}

impl<S: Store<Entry: Send> + Send, B: Backend, H: Home<S>> Future for TakeOut<'_, S, B, H> {
    type Output = Result<S::Entry, GetError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if !this.ticket.is_some()
            && !this.core.seems_empty()
            && let Ok(entry) = this.core.get_plainly(this.work, this.how)
        {
            return Poll::Ready(Ok(entry));
        }
        let (mut slot, ticket) = (None, &mut this.ticket);
        let got = this
            .core
            .poll_get(&mut slot, ticket, context.waker(), this.work, this.how);
        got.map(|got| got.map(|()| slot.expect("what was got is in the slot")))
    }
}

impl<S: Store<Entry: Send> + Send, B: Backend, H: Home<S>> Future for AllDone<'_, S, B, H> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let done = this
            .core
            .poll_join(&mut this.ticket, context.waker(), this.at);
        if done.is_ready() {
            this.core.leave_join(&mut this.ticket, false, this.at);
        }
        done
    }
}

impl<S: Store<Entry: Send> + Send, B: Backend, H: Home<S>> Drop for PutIn<'_, S, B, H> {
    fn drop(&mut self) {
        self.core.withdraw(&mut self.putting, self.how);
    }
}

impl<S: Store<Entry: Send> + Send, B: Backend, H: Home<S>> Drop for TakeOut<'_, S, B, H> {
    fn drop(&mut self) {
        if self.ticket.is_some() {
            self.core.abandon_get(&mut self.ticket);
        }
    }
}

impl<S: Store<Entry: Send> + Send, B: Backend, H: Home<S>> Drop for AllDone<'_, S, B, H> {
    fn drop(&mut self) {
        if self.ticket.is_some() {
            self.core.leave_join(&mut self.ticket, false, self.at);
        }
    }
}

/// Shows the queue, under the name of the future.
macro_rules! shows_its_queue {
    ($($name:ident)*) => {$(
        impl<S: Store<Entry: Send> + Send, B: Backend, H: Home<S>> fmt::Debug for $name<'_, S, B, H> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.core.debug(stringify!($name), f)
            }
        }
    )*};
}
shows_its_queue!(PutIn TakeOut AllDone);
