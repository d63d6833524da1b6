//! Systems that do not say whether all threads of a process sleep.

use std::sync::atomic::AtomicU32;
use std::time::Duration;

/// Whether the system can say it.
pub(crate) const IS_KNOWN: bool = false;

/// Nothing that is ever seen.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asleep {}

impl Asleep {
    /// Nothing.
    pub(crate) fn look() -> Option<Asleep> {
        None
    }

    /// There is none of these.
    pub(crate) fn len(&self) -> usize {
        match *self {}
    }

    /// There is none of these.
    pub(crate) fn run_tests(&self) -> bool {
        match *self {}
    }

    /// There is none of these.
    pub(crate) fn shared(&self) -> usize {
        match *self {}
    }
}

/// Nothing.
pub(crate) fn this_is_ours() {}

/// Nothing.
pub(crate) fn none_is_ours() {}

/// Starts nothing.
pub(crate) fn start_thread(_body: fn()) -> bool {
    false
}

/// Nobody sleeps here.
pub(crate) fn sleep_while(_word: &AtomicU32, _value: u32, _at_most: Duration) {}

/// Nobody sleeps here.
pub(crate) fn wake(_word: &AtomicU32) {}
