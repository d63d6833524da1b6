//! How the threads wait that use a source: [`Waits`].

use std::task::{Poll, Waker};
use std::time::Duration;

use crate::sync::deadline::Deadline;
use crate::sync::park::{self, ForAny};
use crate::sync::threads::Threads;
use crate::watch::Site;

/// A look at several sources, which says what it has found.
type Look<'a> = &'a mut dyn FnMut(&Waker) -> Poll<usize>;

/// What depends on the threads, where sources of any backend are waited for together.
#[derive(Debug, Clone, Copy)]
pub struct Waits {
    pub(super) until: fn(Deadline, Site, Look<'_>) -> Option<usize>,
    pub(super) after: fn(Duration) -> Deadline,
    /// A number that is one higher each time that this thread asks.
    pub(super) turn: fn() -> usize,
}

impl Waits {
    pub(super) fn of<T: Threads>() -> Waits {
        Waits {
            until: |deadline, at, look| {
                let mut waiting = None;
                park::wait::<T, _>(deadline, |waker| {
                    let found = look(waker);
                    if found.is_pending() && !deadline.is_timed() {
                        waiting.get_or_insert_with(|| ForAny::<T>::begin(at));
                    }
                    found
                })
            },
            after: Deadline::after::<T>,
            turn: || {
                let turn = T::with_own(|own| own.first_arm.replace(own.first_arm.get() + 1));
                turn.unwrap_or(0)
            },
        }
    }
}
