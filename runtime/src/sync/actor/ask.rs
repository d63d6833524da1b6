//! Asking an actor: a message with a promise in it.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use super::handle::{its_message, ordinary};
use super::mail::Mails;
use crate::sync::backend::Backend;
use crate::sync::promise::{Answer, Failure, Promise};
use crate::sync::queue::{Core, PutError, PutIn};
use crate::watch::Site;

/// Why there is no answer.
pub enum AskError<M> {
    /// The message was not sent and comes back: the actor takes no more, or there was no room in time.
    Refused(M),
    /// There was no answer.
    Failed(Failure),
}

impl<M> fmt::Debug for AskError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AskError::Refused(_) => f.write_str("Refused(..)"),
            AskError::Failed(failure) => f.debug_tuple("Failed").field(failure).finish(),
        }
    }
}

impl<M> fmt::Display for AskError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AskError::Refused(_) => f.write_str("the message was not sent to the actor"),
            AskError::Failed(_) => f.write_str("the actor gave no answer"),
        }
    }
}

impl<M> Error for AskError<M> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            AskError::Refused(_) => None,
            AskError::Failed(failure) => Some(failure),
        }
    }
}

/// Asks, and waits for the answer.
///
/// The question is made when this is first polled, and goes from there into the mailbox: to be carried here it would be
/// moved there and back, which costs as much as a lock.
pub(super) struct Asking<'a, M: Send, R: Send, B: Backend, F> {
    mailbox: &'a Core<Mails<M>, B>,
    at: Site,
    /// Makes the question, once.
    make: Option<F>,
    /// The answer, unless there will be none. Dropped before the question, whose end would else wake the task.
    answer: Option<Answer<R, B>>,
    /// The question, while it waits for room.
    sending: Option<PutIn<'a, Mails<M>, B>>,
}

impl<'a, M: Send, R: Send, B: Backend, F: FnOnce(Promise<R, B>) -> M> Asking<'a, M, R, B, F> {
    #[inline]
    pub(super) fn new(mailbox: &'a Core<Mails<M>, B>, make: F, at: Site) -> Self {
        Asking {
            mailbox,
            at,
            make: Some(make),
            answer: None,
            sending: None,
        }
    }

    /// Makes the question, whose answer wakes the task, and sends it if there is room. The message, if there never
    /// will be.
    #[inline]
    fn ask(&mut self, make: F, waker: &Waker) -> Result<(), M> {
        let (promise, answer) = Answer::new(self.at, waker);
        self.answer = Some(answer);
        let (mailbox, at) = (self.mailbox, self.at);
        match mailbox.try_put_waking(ordinary(make(promise)), at) {
            Ok(_) => Ok(()),
            Err(PutError::Full(mail)) => {
                self.sending = Some(PutIn::new(mailbox, mail, at));
                Ok(())
            }
            Err(refused) => {
                self.answer = None;
                Err(its_message(refused).into_inner())
            }
        }
    }

    /// Waits for room.
    #[cold]
    fn send(&mut self, context: &mut Context<'_>) -> Poll<Result<(), M>> {
        let Some(sending) = &mut self.sending else {
            return Poll::Ready(Ok(()));
        };
        let sent = ready!(Pin::new(sending).poll(context));
        if sent.is_err() {
            self.answer = None;
        }
        self.sending = None;
        Poll::Ready(
            sent.map(drop)
                .map_err(|refused| its_message(refused).into_inner()),
        )
    }
}

/// What makes the question is never pinned, nor are questions and answers.
impl<M: Send, R: Send, B: Backend, F> Unpin for Asking<'_, M, R, B, F> {}

impl<M: Send, R: Send, B: Backend, F: FnOnce(Promise<R, B>) -> M> Future
    for Asking<'_, M, R, B, F>
{
    type Output = Result<R, AskError<M>>;

    /// # Panics
    ///
    /// If polled again after it has given the answer, or said why there is none.
    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<R, AskError<M>>> {
        let this = &mut *self;
        if let Some(make) = this.make.take() {
            if let Err(message) = this.ask(make, context.waker()) {
                return Poll::Ready(Err(AskError::Refused(message)));
            }
            if this.sending.is_none() && !this.answer.as_ref().is_some_and(Answer::is_there) {
                return Poll::Pending;
            }
        }
        if this.sending.is_some()
            && let Err(message) = ready!(this.send(context))
        {
            return Poll::Ready(Err(AskError::Refused(message)));
        }
        let answer = this.answer.as_mut();
        let answer = answer.expect("it is made with the question, before this is polled again");
        answer.poll(context.waker()).map_err(AskError::Failed)
    }
}
