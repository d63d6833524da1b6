//! The future of who asks as a task, which alone awaits it: [`Answer`].
//!
//! It does what [`Future`](super::Future) does, for less: nobody else can wait for it, and when the answer is there the
//! promise is usually gone, so that what both shared is taken apart without a lock.

use std::sync::Arc;
use std::task::{Poll, Waker};

use super::given::Promise;
use super::kept::Kept;
use super::shared::{Outcome, Shared};
use crate::sync::backend::Backend;
use crate::sync::queue::How;
use crate::waiting::{Ticket, Waiters};
use crate::watch::Site;

/// An answer that a task awaits from the beginning.
pub(in crate::sync) struct Answer<T: Send, B: Backend> {
    /// Nothing once it was given.
    shared: Option<Arc<Shared<T, B, ()>>>,
    ticket: Ticket,
}

impl<T: Send, B: Backend> Answer<T, B> {
    /// A promise, and its answer for a task that is woken by this waker when it is there.
    #[inline]
    pub(in crate::sync) fn new(born: Site, waker: &Waker) -> (Promise<T, B>, Answer<T, B>) {
        let (waiters, ticket) = Waiters::of_one(waker.clone());
        // Nobody keeps it: a task that awaits an answer keeps no thread waiting.
        let shared = Arc::new(Shared::of(waiters, born, Kept::ByAnybody, ()));
        let promise = Promise::with(Arc::clone(&shared));
        let shared = Some(shared);
        (promise, Answer { shared, ticket })
    }

    /// Whether it is there.
    #[inline]
    pub(in crate::sync) fn is_there(&self) -> bool {
        self.shared.as_ref().is_some_and(|its| its.has_ended())
    }

    /// The answer, or why there is none; otherwise the waker is used when there is.
    ///
    /// # Panics
    ///
    /// If it has been given.
    #[inline]
    pub(in crate::sync) fn poll(&mut self, waker: &Waker) -> Poll<Outcome<T>> {
        let shared = self.shared.take();
        let shared = shared.expect("a question is not polled after it has given its answer");
        let at = shared.born();
        let how = How::of_task(at, false);
        let outcome = if shared.has_ended() {
            match Arc::try_unwrap(shared) {
                Ok(alone) => alone.into_outcome(&mut self.ticket, how),
                // Who gave it is about to let go of it.
                Err(shared) => shared.take_locked(&mut self.ticket, how),
            }
        } else if shared.poll(&mut self.ticket, waker, false, at).is_ready() {
            shared.take(at)
        } else {
            self.shared = Some(shared);
            return Poll::Pending;
        };
        Poll::Ready(outcome.expect("an answer is taken once"))
    }
}

impl<T: Send, B: Backend> Drop for Answer<T, B> {
    #[inline]
    fn drop(&mut self) {
        if let Some(shared) = self.shared.take() {
            shared.abandon_wait(&mut self.ticket, false, shared.born());
            // What nobody took goes with what was shared, if the promise is gone already.
            if Arc::strong_count(&shared) > 1 {
                drop(shared.abandon());
            }
        }
    }
}
