//! With checks off the locks are std's own: they are nobody, and take no site.

use std::sync::{
    LockResult, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockResult,
};

use crate::watch::{Identity, Site};

/// What a watched mutex has.
pub(super) trait SitedMutex {
    /// What it protects.
    type Content: ?Sized;
    fn identity(&self) -> Option<&Identity>;
    fn lock_at(&self, at: Site) -> LockResult<MutexGuard<'_, Self::Content>>;
    fn try_lock_at(&self, at: Site) -> TryLockResult<MutexGuard<'_, Self::Content>>;
}

impl<T: ?Sized> SitedMutex for Mutex<T> {
    type Content = T;

    fn identity(&self) -> Option<&Identity> {
        None
    }

    #[inline]
    fn lock_at(&self, _at: Site) -> LockResult<MutexGuard<'_, T>> {
        self.lock()
    }

    #[inline]
    fn try_lock_at(&self, _at: Site) -> TryLockResult<MutexGuard<'_, T>> {
        self.try_lock()
    }
}

/// What a watched read-write lock has.
pub(super) trait SitedRwLock {
    /// What it protects.
    type Content: ?Sized;
    fn identity(&self) -> Option<&Identity>;
    fn read_at(&self, at: Site) -> LockResult<RwLockReadGuard<'_, Self::Content>>;
    fn try_read_at(&self, at: Site) -> TryLockResult<RwLockReadGuard<'_, Self::Content>>;
    fn write_at(&self, at: Site) -> LockResult<RwLockWriteGuard<'_, Self::Content>>;
    fn try_write_at(&self, at: Site) -> TryLockResult<RwLockWriteGuard<'_, Self::Content>>;
}

impl<T: ?Sized> SitedRwLock for RwLock<T> {
    type Content = T;

    fn identity(&self) -> Option<&Identity> {
        None
    }

    #[inline]
    fn read_at(&self, _at: Site) -> LockResult<RwLockReadGuard<'_, T>> {
        self.read()
    }

    #[inline]
    fn try_read_at(&self, _at: Site) -> TryLockResult<RwLockReadGuard<'_, T>> {
        self.try_read()
    }

    #[inline]
    fn write_at(&self, _at: Site) -> LockResult<RwLockWriteGuard<'_, T>> {
        self.write()
    }

    #[inline]
    fn try_write_at(&self, _at: Site) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        self.try_write()
    }
}
