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
}

/// Why there is no value.
pub enum Failure {
    /// What was to give it panicked with this.
    Panicked(Box<dyn Any + Send>),
    /// The future was cancelled before the work began.
    Cancelled,
    /// The promise was dropped without a value: the pool, the worker or the actor behind it has ended.
    Dropped,
}

impl Failure {
    /// The kind of end that this is.
    pub fn end(&self) -> End {
        match self {
            Failure::Panicked(_) => End::Panicked,
            Failure::Cancelled => End::Cancelled,
            Failure::Dropped => End::Dropped,
        }
    }

    /// The text of a panic, if it has one, as `panic!` makes it.
    pub fn message(&self) -> Option<&str> {
        match self {
            Failure::Panicked(payload) => text(&**payload),
            Failure::Cancelled | Failure::Dropped => None,
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
        match (self, self.message()) {
            (Failure::Panicked(_), Some(message)) => write!(f, "the work panicked: {message}"),
            (Failure::Panicked(_), None) => f.write_str("the work panicked"),
            (Failure::Cancelled, _) => f.write_str("the work was cancelled before it began"),
            (Failure::Dropped, _) => f.write_str("the promise was dropped without a value"),
        }
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Panicked(_) => f.debug_tuple("Panicked").field(&self.message()).finish(),
            Failure::Cancelled => f.write_str("Cancelled"),
            Failure::Dropped => f.write_str("Dropped"),
        }
    }
}

impl Error for Failure {}
