//! Until when a wait lasts.

use std::time::{Duration, Instant};

use super::threads::Threads;

/// Until when a wait lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deadline {
    /// As long as it takes.
    Never,
    /// Until then. What is ready by then is got, also if that is past.
    At(Instant),
}

impl Deadline {
    /// In this time. A time too far away to be written down never comes.
    pub(super) fn after<T: Threads>(timeout: Duration) -> Deadline {
        T::now()
            .checked_add(timeout)
            .map_or(Deadline::Never, Deadline::At)
    }

    /// Whether it ends by itself.
    pub(super) fn is_timed(self) -> bool {
        self != Deadline::Never
    }

    /// Whether it has come.
    pub(super) fn is_past<T: Threads>(self) -> bool {
        match self {
            Deadline::Never => false,
            Deadline::At(deadline) => deadline <= T::now(),
        }
    }
}

/// When `delay` from now is. What is too far away to be written down is as late as can be, within a factor of
/// two: nobody is left to see it.
pub(super) fn due_after<T: Threads>(mut delay: Duration) -> Instant {
    let now = T::now();
    loop {
        if let Some(due) = now.checked_add(delay) {
            return due;
        }
        delay /= 2;
    }
}
