//! Checks off: a tag has no size and tells nobody.
//!
//! Same shape as the twin, so that call sites carry no condition.

use super::Wake;
use crate::watch::hooks::Ask;
use crate::watch::{Identity, Mode, Site};

/// A request, of which nothing is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked;

/// Nothing.
#[derive(Debug)]
pub(crate) struct Tag;

/// Runs `path`.
#[inline]
pub(crate) fn carrying<T>(_at: Site, path: impl FnOnce() -> T) -> T {
    path()
}

/// The caller.
#[inline]
pub(crate) fn effective(caller: Site) -> Site {
    caller
}

#[expect(
    clippy::unused_self,
    reason = "the twin tells the watcher; a tag without a size says nothing"
)]
impl Tag {
    /// Forgets the identity.
    #[inline]
    pub(crate) const fn new(_identity: Identity) -> Tag {
        Tag
    }

    /// None.
    #[inline]
    pub(crate) const fn identity(&self) -> Option<&Identity> {
        None
    }

    /// Nothing.
    #[inline]
    pub(crate) fn let_guards_be_sent(&self) {}

    /// Of no consequence.
    #[inline]
    pub(crate) fn mutex_mode(&self) -> Mode {
        Mode::Exclusive
    }

    /// Nothing.
    #[inline]
    pub(crate) fn request(&self, _mode: Mode, _at: Site) -> Asked {
        Asked
    }

    /// Nothing.
    #[inline]
    pub(crate) fn upgrading(&self, _at: Site) {}

    /// Nothing.
    #[inline]
    pub(crate) fn request_for_guard(&self, _mode: Mode, _at: Site) -> Asked {
        Asked
    }

    /// The caller.
    #[inline]
    pub(crate) fn request_through_trait(&self, _mode: Mode, caller: Site) -> (Asked, Site) {
        (Asked, caller)
    }

    /// Nothing.
    #[inline]
    pub(crate) fn blocked(&self, _mode: Mode, _ask: Ask, _at: Site) {}

    /// No.
    #[inline]
    pub(crate) fn blocked_reading(&self, _at: Site, _again: &mut dyn FnMut() -> bool) -> bool {
        false
    }

    /// Nothing.
    #[inline]
    pub(crate) fn letting_others_in(&self, _mode: Mode, _at: Site) {}

    /// Nothing.
    #[inline]
    pub(crate) fn unblocked() {}

    /// Nothing.
    #[inline]
    pub(crate) fn gave_up(&self) {}

    /// Nothing.
    #[inline]
    pub(crate) fn acquired(&self, _mode: Mode, _ask: Ask, _at: Site) {}

    /// Nothing.
    #[inline]
    pub(crate) fn acquired_at_once(&self, _asked: Asked, _mode: Mode, _at: Site) {}

    /// Nothing.
    #[inline]
    pub(crate) fn released(&self, _mode: Mode) {}

    /// Nothing.
    #[inline]
    pub(crate) fn changed_mode(&self, _from: Mode, _to: Mode, _at: Site) {}

    /// Nothing.
    #[inline]
    pub(crate) fn notified(&self, _who: Wake, _at: Site) {}

    /// Nothing.
    #[inline]
    pub(crate) fn arrived(&self, _parties: &Parties, _at: Site) {}

    /// Nothing.
    #[inline]
    pub(crate) fn passed(&self) {}

    /// Nothing.
    #[inline]
    pub(crate) fn pending(&self, _ask: Ask, _at: Site) {}

    /// Nothing.
    #[inline]
    pub(crate) fn pending_any(_at: Site) {}

    /// Nothing.
    #[inline]
    pub(crate) fn waits_no_more() {}

    /// Nobody watches.
    #[inline]
    pub(crate) fn owes(&self) -> bool {
        false
    }

    /// Nothing.
    #[inline]
    pub(crate) fn gives() {}

    /// Nothing.
    #[inline]
    pub(crate) fn pending_owed(&self, _ask: Ask, _at: Site) {}

    /// Nothing.
    #[inline]
    pub(crate) fn parks() {}

    /// Nothing.
    #[inline]
    pub(crate) fn unparks() {}

    /// Nothing.
    #[inline]
    pub(crate) fn obtained(&self, _ask: Ask, _at: Site) {}

    /// Nothing is recorded.
    #[inline]
    pub(crate) fn sees_all() -> bool {
        false
    }

    /// Nothing that is known of.
    #[inline]
    pub(crate) fn holds_nothing() -> bool {
        true
    }

    /// Nothing.
    #[inline]
    pub(crate) fn posted(&self, _units: u32, _at: Site) {}

    /// Nothing.
    #[inline]
    pub(crate) fn told(&self, _at: Site) {}

    /// Nothing.
    #[inline]
    pub(crate) fn found(&self, _at: Site) {}
}

/// Nothing.
#[derive(Debug)]
pub(crate) struct Parties;

impl Parties {
    /// Forgets the count.
    pub(crate) const fn new(_count: usize) -> Parties {
        Parties
    }
}
