//! Why nothing was put or got.

use std::error::Error;
use std::fmt;

/// Why something was not put. It comes back with that.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum PutError<T> {
    /// There is no room now (`try_` methods only).
    Full(T),
    /// There was no room in time.
    Timeout(T),
    /// The queue is closed.
    Closed(T),
}

/// Why an entry was not put, which stays where it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sync) enum Refusal {
    Full,
    Timeout,
    Closed,
}

impl Refusal {
    /// The same with what was refused.
    pub(in crate::sync) fn of<T>(self, item: T) -> PutError<T> {
        match self {
            Refusal::Full => PutError::Full(item),
            Refusal::Timeout => PutError::Timeout(item),
            Refusal::Closed => PutError::Closed(item),
        }
    }
}

impl<T> PutError<T> {
    /// The same of a part of what was refused, or of something made of it.
    pub(in crate::sync) fn map<U>(self, f: impl FnOnce(T) -> U) -> PutError<U> {
        match self {
            PutError::Full(item) => PutError::Full(f(item)),
            PutError::Timeout(item) => PutError::Timeout(f(item)),
            PutError::Closed(item) => PutError::Closed(f(item)),
        }
    }

    /// What was not put.
    pub fn into_inner(self) -> T {
        match self {
            PutError::Full(item) | PutError::Timeout(item) | PutError::Closed(item) => item,
        }
    }

    /// Whether the queue is closed.
    pub fn is_closed(&self) -> bool {
        matches!(self, PutError::Closed(_))
    }

    fn reason(&self) -> &'static str {
        match self {
            PutError::Full(_) => "the queue is full",
            PutError::Timeout(_) => "the queue was full for too long",
            PutError::Closed(_) => "the queue is closed",
        }
    }
}

impl<T> fmt::Debug for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PutError::Full(_) => "Full(..)",
            PutError::Timeout(_) => "Timeout(..)",
            PutError::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> fmt::Display for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl<T> Error for PutError<T> {}

/// Why nothing was got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GetError {
    /// There is nothing now (`try_` methods only).
    Empty,
    /// Nothing came in time.
    Timeout,
    /// A stop came, which was put for one consumer.
    Stopped,
    /// The queue is closed and nothing is left in it.
    Closed,
}

impl fmt::Display for GetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            GetError::Empty => "the queue is empty",
            GetError::Timeout => "the queue was empty for too long",
            GetError::Stopped => "the consumer is to stop",
            GetError::Closed => "the queue is closed",
        })
    }
}

impl Error for GetError {}
