//! Checks off: there is no gate.

use crate::watch::{Identity, Site};

/// Nothing.
#[derive(Debug)]
pub(crate) struct Gate;

/// Nothing.
#[derive(Debug)]
pub(crate) struct Inside;

impl Gate {
    /// Forgets the identity.
    #[inline]
    pub(crate) const fn new(_identity: Identity) -> Gate {
        Gate
    }

    /// None.
    #[inline]
    #[expect(clippy::unused_self, reason = "the twin has a lock")]
    pub(crate) const fn identity(&self) -> Option<&Identity> {
        None
    }

    /// Nothing.
    #[inline]
    #[expect(clippy::unused_self, reason = "the twin has a lock")]
    pub(crate) fn enter(&self, _at: Site) -> Inside {
        Inside
    }

    /// Waits.
    #[inline]
    #[expect(clippy::unused_self, reason = "the twin has a lock")]
    pub(crate) fn wait<T>(&self, _at: Site, wait: impl FnOnce() -> T) -> T {
        wait()
    }
}
