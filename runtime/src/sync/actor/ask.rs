//! Asking an actor: a message with a promise in it.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::circle::{self, Node, Question, Waits};
use crate::sync::promise::{Failure, Keeper};
use crate::sync::threads::Threads;

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

impl Question {
    /// A question to an actor.
    pub(super) fn new<T: Threads>(node: &Arc<Node>) -> Arc<Question> {
        Arc::new(Question {
            node: Arc::clone(node),
            is_taken: AtomicBool::new(false),
            begin: circle::begin::<T>,
            end: circle::end::<T>,
        })
    }
}

impl Keeper for Question {
    fn begin_wait(self: Arc<Self>, mut results: Vec<Arc<AtomicBool>>) -> bool {
        // A question has one answer.
        let Some(come) = results.pop() else {
            return true;
        };
        (self.begin)(Waits {
            on: Arc::clone(&self.node),
            question: Some(Arc::clone(&self)),
            come,
        })
    }

    fn end_wait(&self) {
        (self.end)();
    }
}
