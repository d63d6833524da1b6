//! Taking a read-write lock for writing.

use std::mem::ManuallyDrop;
use std::ptr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::constructors::inner_arc;
use super::{ArcRwLockWriteGuard, Inner, RwLock, RwLockWriteGuard};
use crate::raw::SitedRwLock;
use crate::tag::carrying;
use crate::watch::Site;

impl<T: ?Sized> RwLock<T> {
    /// Waits until nobody holds the lock and takes it for writing.
    ///
    /// # Panics
    ///
    /// If the request breaks a rule and the program chose to panic on that; nothing is taken then.
    #[inline]
    #[track_caller]
    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.write_at(Site::caller())
    }

    /// Takes the lock for writing if nobody holds it.
    #[inline]
    #[track_caller]
    pub fn try_write(&self) -> Option<RwLockWriteGuard<'_, T>> {
        self.try_write_at(Site::caller())
    }

    /// Takes the lock for writing if within `timeout` nobody holds it.
    #[inline]
    #[track_caller]
    pub fn try_write_for(&self, timeout: Duration) -> Option<RwLockWriteGuard<'_, T>> {
        self.0.try_write_for(timeout)
    }

    /// Takes the lock for writing if before `deadline` nobody holds it.
    #[inline]
    #[track_caller]
    pub fn try_write_until(&self, deadline: Instant) -> Option<RwLockWriteGuard<'_, T>> {
        self.try_write_until_at(deadline, Site::caller())
    }

    /// [`RwLock::write`], with a guard that owns a count.
    ///
    /// # Panics
    ///
    /// As [`RwLock::write`].
    #[inline]
    #[track_caller]
    pub fn write_arc(self: &Arc<Self>) -> ArcRwLockWriteGuard<T> {
        let inner = inner_arc!(self, Inner<T>);
        carrying(Site::caller(), || inner.write_arc())
    }

    /// [`RwLock::try_write`], with a guard that owns a count.
    #[inline]
    #[track_caller]
    pub fn try_write_arc(self: &Arc<Self>) -> Option<ArcRwLockWriteGuard<T>> {
        inner_arc!(self, Inner<T>).try_write_arc()
    }

    /// [`RwLock::try_write_for`], with a guard that owns a count.
    #[inline]
    #[track_caller]
    pub fn try_write_arc_for(
        self: &Arc<Self>,
        timeout: Duration,
    ) -> Option<ArcRwLockWriteGuard<T>> {
        inner_arc!(self, Inner<T>).try_write_arc_for(timeout)
    }

    /// [`RwLock::try_write_until`], with a guard that owns a count.
    #[inline]
    #[track_caller]
    pub fn try_write_arc_until(
        self: &Arc<Self>,
        deadline: Instant,
    ) -> Option<ArcRwLockWriteGuard<T>> {
        inner_arc!(self, Inner<T>).try_write_arc_until(deadline)
    }

    /// [`RwLock::write`], as if called from `at`.
    #[doc(hidden)]
    #[inline]
    #[track_caller]
    pub fn write_at(&self, at: Site) -> RwLockWriteGuard<'_, T> {
        self.sited().lock_exclusive_at(at);
        // SAFETY: the lock was just taken in this mode, and nobody else made a guard for that.
        unsafe { self.0.make_write_guard_unchecked() }
    }

    /// [`RwLock::try_write`], as if called from `at`.
    #[doc(hidden)]
    #[inline]
    pub fn try_write_at(&self, at: Site) -> Option<RwLockWriteGuard<'_, T>> {
        self.sited().try_lock_exclusive_at(at).then(|| {
            // SAFETY: the lock was just taken in this mode, and nobody else made a guard for that.
            unsafe { self.0.make_write_guard_unchecked() }
        })
    }

    /// [`RwLock::try_write_until`], as if called from `at`.
    #[doc(hidden)]
    #[inline]
    pub fn try_write_until_at(
        &self,
        deadline: Instant,
        at: Site,
    ) -> Option<RwLockWriteGuard<'_, T>> {
        let sited = self.sited();
        sited.try_lock_exclusive_until_at(deadline, at).then(|| {
            // SAFETY: the lock was just taken in this mode, and nobody else made a guard for that.
            unsafe { self.0.make_write_guard_unchecked() }
        })
    }
}
