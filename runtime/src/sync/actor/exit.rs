//! How an actor ends: [`Exit`], [`Status`].

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// How an actor has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// It was closed, and has handled all that it was sent.
    Closed,
    /// It was killed.
    Killed,
    /// It panicked, with this text if it is one.
    Panicked(Arc<str>),
}

/// How far an actor is. It only ever goes forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Its thread is being started, or `on_start` runs.
    Starting,
    /// It handles messages.
    Running,
    /// It handles no more messages.
    Stopping,
    /// All of it is dropped.
    Stopped,
}

impl Status {
    pub(super) fn from_number(number: u8) -> Status {
        match number {
            0 => Status::Starting,
            1 => Status::Running,
            2 => Status::Stopping,
            _ => Status::Stopped,
        }
    }
}

/// Why the end of an actor was not waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinError {
    /// The actor would wait for itself.
    Itself,
    /// This thread is an actor, for which the other one waits in turn.
    Deadlock,
    /// It did not end in time.
    TimedOut,
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            JoinError::Itself => "an actor cannot wait for its own end",
            JoinError::Deadlock => "the actors would wait for each other",
            JoinError::TimedOut => "the actor did not end in time",
        })
    }
}

impl Error for JoinError {}
