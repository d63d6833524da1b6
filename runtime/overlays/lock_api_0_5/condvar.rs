//! Waiting for a condition variable, which gives back a raw mutex past its watched one.

use crate::watch::hooks::{self, Ask};
use crate::watch::{Identity, Kind, Mode, Site};
use crate::{Condvar, Mutex};

use super::identity;

/// Who a condition variable is that the caller makes.
#[track_caller]
pub(crate) const fn condvar() -> Identity {
    fn nothing() -> &'static str {
        "()"
    }
    Identity::new(Kind::Condvar, Site::caller(), nothing)
}

/// A wait. Tells, when dropped, that it is over, also if it unwinds.
pub(crate) struct Waiting<'a> {
    condvar: &'a Identity,
    lock: &'a Identity,
    at: Site,
}

impl Drop for Waiting<'_> {
    #[inline]
    fn drop(&mut self) {
        hooks::woken(self.condvar, self.lock, Mode::Exclusive, self.at);
    }
}

impl<C> Condvar<C> {
    /// Tells that the caller waits with `mutex`, which it holds, until the result is dropped.
    #[inline]
    #[track_caller]
    pub(crate) fn waiting<'a, R, T: ?Sized>(
        &'a self,
        mutex: &'a Mutex<R, T>,
        ask: Ask,
    ) -> Option<Waiting<'a>> {
        let (condvar, lock, at) = (&self.identity, identity(mutex)?, Site::caller());
        hooks::waiting(condvar, lock, Mode::Exclusive, ask, at);
        Some(Waiting { condvar, lock, at })
    }

    /// Tells that the caller wakes one waiter, or all.
    #[inline]
    #[track_caller]
    pub(crate) fn notified(&self, all: bool) {
        hooks::notified(&self.identity, all, Site::caller());
    }
}
