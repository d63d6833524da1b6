//! How the threads wait that use a source: [`Waits`].

use std::task::{Poll, Waker};
use std::time::Duration;

use crate::sync::deadline::Deadline;
use crate::sync::park;
use crate::sync::threads::Threads;

/// A look at several sources, which says what it has found.
type Look<'a> = &'a mut dyn FnMut(&Waker) -> Poll<usize>;

/// What depends on the threads, where sources of any backend are waited for together.
#[derive(Debug, Clone, Copy)]
pub struct Waits {
    pub(super) until: fn(Deadline, Look<'_>) -> Option<usize>,
    pub(super) after: fn(Duration) -> Deadline,
    /// A number that is one higher each time that this thread asks.
    pub(super) turn: fn() -> usize,
}

impl Waits {
    pub(super) fn of<T: Threads>() -> Waits {
        Waits {
            until: |deadline, look| park::wait::<T, _>(deadline, look),
            after: Deadline::after::<T>,
            turn: || {
                let turn = T::with_own(|own| own.first_arm.replace(own.first_arm.get() + 1));
                turn.unwrap_or(0)
            },
        }
    }
}
