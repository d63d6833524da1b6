//! Checks off: our lock types are made of `parking_lot`'s raw locks, and sites are ignored.

use std::time::Instant;

use lock_api::{
    RawMutexTimed, RawRwLock as _, RawRwLockRecursive, RawRwLockTimed, RawRwLockUpgrade,
    RawRwLockUpgradeTimed,
};
pub use parking_lot::{RawFairMutex, RawMutex, RawMutex as RawReentrantMutex, RawRwLock};

use super::sited::{SitedMutex, SitedRwLock};
use crate::tag::Tag;
use crate::watch::hooks::Ask;
use crate::watch::{Identity, Site};

/// A plain raw mutex.
pub(crate) const fn mutex(_identity: Identity) -> RawMutex {
    lock_api::RawMutex::INIT
}

/// A plain raw fair mutex.
pub(crate) const fn fair_mutex(_identity: Identity) -> RawFairMutex {
    lock_api::RawMutex::INIT
}

/// A plain raw mutex.
pub(crate) const fn reentrant_mutex(_identity: Identity) -> RawReentrantMutex {
    lock_api::RawMutex::INIT
}

/// A plain raw read-write lock.
pub(crate) const fn rwlock(_identity: Identity) -> RawRwLock {
    lock_api::RawRwLock::INIT
}

/// Waits for a condition variable, by `wait` on the guard itself.
pub(crate) fn wait_on<T: ?Sized, U>(
    _condvar: &Tag,
    guard: &mut parking_lot::MutexGuard<'_, T>,
    _ask: Ask,
    _at: Site,
    wait: impl FnOnce(&mut parking_lot::MutexGuard<'_, T>) -> U,
) -> U {
    wait(guard)
}

impl<R: RawMutexTimed<Instant = Instant>> SitedMutex for R {
    #[inline]
    fn identity(&self) -> Option<&Identity> {
        None
    }

    #[inline]
    fn lock_at(&self, _at: Site) {
        self.lock();
    }

    #[inline]
    fn try_lock_at(&self, _at: Site) -> bool {
        self.try_lock()
    }

    #[inline]
    fn try_lock_until_at(&self, deadline: Instant, _at: Site) -> bool {
        self.try_lock_until(deadline)
    }
}

impl SitedRwLock for RawRwLock {
    #[inline]
    fn identity(&self) -> Option<&Identity> {
        None
    }

    #[inline]
    fn lock_shared_at(&self, _at: Site) {
        self.lock_shared();
    }

    #[inline]
    fn try_lock_shared_at(&self, _at: Site) -> bool {
        self.try_lock_shared()
    }

    #[inline]
    fn try_lock_shared_until_at(&self, deadline: Instant, _at: Site) -> bool {
        self.try_lock_shared_until(deadline)
    }

    #[inline]
    fn lock_shared_recursive_at(&self, _at: Site) {
        self.lock_shared_recursive();
    }

    #[inline]
    fn lock_exclusive_at(&self, _at: Site) {
        self.lock_exclusive();
    }

    #[inline]
    fn try_lock_exclusive_at(&self, _at: Site) -> bool {
        self.try_lock_exclusive()
    }

    #[inline]
    fn try_lock_exclusive_until_at(&self, deadline: Instant, _at: Site) -> bool {
        self.try_lock_exclusive_until(deadline)
    }

    #[inline]
    fn lock_upgradable_at(&self, _at: Site) {
        self.lock_upgradable();
    }

    #[inline]
    fn try_lock_upgradable_at(&self, _at: Site) -> bool {
        self.try_lock_upgradable()
    }

    #[inline]
    fn try_lock_upgradable_until_at(&self, deadline: Instant, _at: Site) -> bool {
        self.try_lock_upgradable_until(deadline)
    }
}
