//! The watched raw lock inside each lock of this crate, and what overlays of its users need.

mod made;
mod mutex;
mod rwlock;
mod watched;

use crate::watch::{Mode, Site};
use crate::{RawMutex, RawRwLock, RawRwLockUpgrade};

pub use self::made::{carrying, identity, rwlock_at};
pub(crate) use self::made::{inside, mutex, reentrant_mutex, rwlock};
pub use self::watched::Watched;

// A guard's `unlocked` takes the lock again in a closure, which does not know the caller. The guard
// exists, so that such a request never panics.

impl<R: RawMutex> Watched<R> {
    /// Takes the mutex again for its guard.
    #[inline]
    pub(crate) fn relock(&self, at: Site) {
        let mode = self.tag.mutex_mode();
        let asked = self.tag.request_for_guard(mode, at);
        self.acquire(asked, mode, at, R::try_lock, R::lock);
    }
}

impl<R: RawRwLock> Watched<R> {
    /// Takes the lock shared again for its guard.
    #[inline]
    pub(crate) fn relock_shared(&self, at: Site) {
        let asked = self.tag.request_for_guard(Mode::Shared, at);
        self.acquire(asked, Mode::Shared, at, R::try_lock_shared, R::lock_shared);
    }

    /// Takes the lock exclusively again for its guard.
    #[inline]
    pub(crate) fn relock_exclusive(&self, at: Site) {
        let asked = self.tag.request_for_guard(Mode::Exclusive, at);
        self.acquire(asked, Mode::Exclusive, at, R::try_lock_exclusive, R::lock_exclusive);
    }
}

impl<R: RawRwLockUpgrade> Watched<R> {
    /// Takes the lock upgradably again for its guard.
    #[inline]
    pub(crate) fn relock_upgradable(&self, at: Site) {
        let asked = self.tag.request_for_guard(Mode::Upgradable, at);
        self.acquire(asked, Mode::Upgradable, at, R::try_lock_upgradable, R::lock_upgradable);
    }
}
