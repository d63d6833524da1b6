//! What can be waited for among others: [`Source`].

use std::task::Waker;

use super::waits::Waits;
use crate::waiting::Ticket;

/// Something that is ready or not, and says when it may have got ready.
///
/// A queue, priority queue or reader is ready when there is something to be got, or it is closed; its
/// [`room`](crate::sync::Queue::room) when something can be put; an event when it is set; a future when
/// it has its result; the [end](crate::sync::Handle::ended) of an actor when it has come.
pub trait Source: Sync {
    /// How those wait who use it.
    #[doc(hidden)]
    fn waits(&self) -> Waits;

    /// Whether it is ready now. If not, `waker` is used when that may have changed, once.
    #[doc(hidden)]
    fn watch(&self, ticket: &mut Ticket, waker: &Waker) -> bool;

    /// Takes the waker back.
    #[doc(hidden)]
    fn unwatch(&self, ticket: &mut Ticket);
}
