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
