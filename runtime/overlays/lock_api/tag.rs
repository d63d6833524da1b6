//! What a watched raw lock carries: who it is. Always on.

mod carried;
mod enabled;

pub(crate) use self::enabled::{Asked, Tag, carrying, effective};

/// Whether guards that take their lock again never do so through a trait: they have ways of their own.
const GUARDS_ASK_APART: bool = true;

/// Whom a notification wakes.
#[derive(Debug, Clone, Copy)]
#[allow(dead_code)]
pub(crate) enum Wake {
    /// One waiter, if there is one.
    One,
    /// Every waiter.
    All,
}
