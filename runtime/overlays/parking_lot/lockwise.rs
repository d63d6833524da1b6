//! Watching what goes past lock_api.

use std::time::Instant;

use lockwise_core::stdsync::Entry;
use lockwise_core::watch::hooks::{self, Ask};
use lockwise_core::watch::{Identity, Kind, Mode, Site};

use crate::condvar::{Condvar, WaitTimeoutResult};
use crate::mutex::Mutex;
use crate::raw_mutex::RawMutex;

fn nothing() -> &'static str {
    "()"
}

/// Who a condition variable is that the caller makes.
#[track_caller]
pub(crate) const fn condvar() -> Identity {
    Identity::new(Kind::Condvar, Site::caller(), nothing)
}

/// The way to a one-time initialisation that the caller makes.
#[track_caller]
pub(crate) const fn once() -> Entry {
    Entry::new(Identity::new(Kind::Once, Site::caller(), nothing))
}

/// Tells, when dropped, that a wait is over, also if it unwinds.
struct Woken<'a>(&'a Identity, &'a Identity, Site);

impl Drop for Woken<'_> {
    fn drop(&mut self) {
        hooks::woken(self.0, self.1, Mode::Exclusive, self.2);
    }
}

impl Condvar {
    #[track_caller]
    pub(crate) fn watched_wait<T: ?Sized>(
        &self,
        lock: &Mutex<T>,
        raw: &RawMutex,
        timeout: Option<Instant>,
    ) -> WaitTimeoutResult {
        let at = Site::caller();
        let Some(lock) = lock_api::lockwise::identity(lock) else {
            return self.wait_until_internal(raw, timeout);
        };
        let ask = if timeout.is_some() {
            Ask::Timed
        } else {
            Ask::Wait
        };
        hooks::waiting(&self.identity, lock, Mode::Exclusive, ask, at);
        let _woken = Woken(&self.identity, lock, at);
        self.wait_until_internal(raw, timeout)
    }

    #[inline]
    #[track_caller]
    pub(crate) fn watched_notify(&self, all: bool) {
        hooks::notified(&self.identity, all, Site::caller());
    }
}
