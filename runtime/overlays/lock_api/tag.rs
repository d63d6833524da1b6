//! What a watched raw lock carries: who it is. Always on.

mod carried;
mod enabled;

pub(crate) use self::enabled::{Tag, carrying, effective};

/// Whom a notification wakes.
#[derive(Debug, Clone, Copy)]
#[allow(dead_code)]
pub(crate) enum Wake {
    /// One waiter, if there is one.
    One,
    /// Every waiter.
    All,
}
