//! Asking an actor: a message with a promise in it.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::handle::its_message;
use super::mail::Mails;
use crate::sync::backend::Backend;
use crate::sync::promise::{self, Failure};
use crate::sync::queue::PutIn;

/// Why there is no answer.
pub enum AskError<M> {
    /// The actor takes no more messages; this one comes back.
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
            AskError::Refused(_) => f.write_str("the actor takes no more messages"),
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

/// Sends a question, and waits for the answer. Written out, as a state is moved into an `async` block, and out again,
/// that costs as much as the lock of a mailbox.
pub(super) struct Asking<'a, M: Send, R: Send, B: Backend> {
    sending: PutIn<'a, Mails<M>, B>,
    is_sent: bool,
    answer: promise::Future<R, B>,
}

impl<'a, M: Send, R: Send, B: Backend> Asking<'a, M, R, B> {
    #[inline]
    pub(super) fn new(
        sending: PutIn<'a, Mails<M>, B>,
        answer: promise::Future<R, B>,
    ) -> Asking<'a, M, R, B> {
        Asking {
            sending,
            is_sent: false,
            answer,
        }
    }
}

/// Messages and answers are never pinned.
impl<M: Send, R: Send, B: Backend> Unpin for Asking<'_, M, R, B> {}

impl<M: Send, R: Send, B: Backend> Future for Asking<'_, M, R, B> {
    type Output = Result<R, AskError<M>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<R, AskError<M>>> {
        let this = &mut *self;
        if !this.is_sent {
            match Pin::new(&mut this.sending).poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(refused)) => {
                    let message = its_message(refused).into_inner();
                    return Poll::Ready(Err(AskError::Refused(message)));
                }
                Poll::Ready(Ok(_)) => this.is_sent = true,
            }
        }
        let answer = Pin::new(&mut this.answer).poll(context);
        answer.map(|answer| answer.map_err(AskError::Failed))
    }
}
