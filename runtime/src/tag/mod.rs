//! What a watched object carries beside its state: who it is, or, with checks off, nothing.
//!
//! Every lock type asks its [`Tag`] to tell the watcher what it does, and never calls the watcher
//! itself. So switching the checks off replaces this one module by a twin of the same shape, whose
//! tag has no size and whose calls are empty.

#[cfg(feature = "checks")]
mod carried;
#[cfg(not(feature = "checks"))]
mod disabled;
#[cfg(feature = "checks")]
mod enabled;

#[cfg(not(feature = "checks"))]
pub(crate) use disabled::{Asked, Parties, Tag, carrying, effective};
#[cfg(feature = "checks")]
pub(crate) use enabled::{Asked, Parties, Tag, carrying, effective};

/// Whether guards that take their lock again never do so through a trait of `lock_api`.
#[cfg(feature = "checks")]
const GUARDS_ASK_APART: bool = false;

/// Whom a notification wakes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wake {
    /// One waiter, if there is one.
    One,
    /// Every waiter.
    All,
}
