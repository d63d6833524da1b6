//! How a promise can end.

use std::any::Any;
use std::error::Error;
use std::fmt;

/// How a promise has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// There is a value.
    Done,
    /// What was to give it panicked.
    Panicked,
    /// The future was cancelled before the work began.
    Cancelled,
    /// The promise was dropped without a value.
    Dropped,
    /// The pool that was to give it could not set its workers up.
    Broken,
}

/// Why there is no value.
///
/// ```
/// use lockwise::sync::{Failure, Promise};
///
/// let (promise, future) = Promise::<u32>::new();
/// promise.fulfil(|| panic!("no luck"));
/// assert_eq!(future.wait().unwrap_err().message(), Some("no luck"));
/// let (promise, future) = Promise::<u32>::new();
/// drop(promise);
/// assert!(matches!(future.wait(), Err(Failure::Dropped)));
/// ```
pub enum Failure {
    /// What was to give it panicked with this.
    Panicked(Box<dyn Any + Send>),
    /// The future was cancelled before the work began.
    Cancelled,
    /// The promise was dropped without a value: the pool, the worker or the actor behind it has ended.
    Dropped,
    /// The pool that was to give it could not set its workers up.
    Broken,
    /// It did not come in time. It may still.
    TimedOut,
    /// It can never come. This thread is a worker of the pool that is to give it, and all workers of that pool wait for
    /// results of it; or it is an actor that asked itself, or one that waits for it in turn.
    Deadlock,
}

impl Failure {
    /// The text of a panic, if it has one, as `panic!` makes it.
    pub fn message(&self) -> Option<&str> {
        match self {
            Failure::Panicked(payload) => text(&**payload),
            _ => None,
        }
    }
}

/// The text that a panic was made of.
pub(in crate::sync) fn text(payload: &(dyn Any + Send)) -> Option<&str> {
    payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&'static str>().copied())
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Failure::Panicked(_) => match self.message() {
                Some(message) => return write!(f, "the work panicked: {message}"),
                None => "the work panicked",
            },
            Failure::Cancelled => "the work was cancelled before it began",
            Failure::Dropped => "the promise was dropped without a value",
            Failure::Broken => "the pool could not set its workers up",
            Failure::TimedOut => "the result did not come in time",
            Failure::Deadlock => "the result can never come: whoever could give it waits, too",
        })
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Panicked(_) => f.debug_tuple("Panicked").field(&self.message()).finish(),
            Failure::Cancelled => f.write_str("Cancelled"),
            Failure::Dropped => f.write_str("Dropped"),
            Failure::Broken => f.write_str("Broken"),
            Failure::TimedOut => f.write_str("TimedOut"),
            Failure::Deadlock => f.write_str("Deadlock"),
        }
    }
}

impl Error for Failure {}
