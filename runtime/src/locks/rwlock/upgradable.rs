//! Taking a read-write lock for reading, with the right to become its writer.

use std::mem::ManuallyDrop;
use std::ptr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::constructors::inner_arc;
use super::{ArcRwLockUpgradableReadGuard, Inner, RwLock, RwLockUpgradableReadGuard};
use crate::raw::SitedRwLock;
use crate::tag::carrying;
use crate::watch::Site;

impl<T: ?Sized> RwLock<T> {
    /// Waits until there is no writer nor another upgradable reader, and takes the lock upgradably.
    ///
    /// # Panics
    ///
    /// If the request breaks a rule and the program chose to panic on that; nothing is taken then.
    #[inline]
    #[track_caller]
    pub fn upgradable_read(&self) -> RwLockUpgradableReadGuard<'_, T> {
        self.upgradable_read_at(Site::caller())
    }

    /// Takes the lock upgradably if there is no writer nor another upgradable reader.
    #[inline]
    #[track_caller]
    pub fn try_upgradable_read(&self) -> Option<RwLockUpgradableReadGuard<'_, T>> {
        self.try_upgradable_read_at(Site::caller())
    }

    /// Takes the lock upgradably if within `timeout` that is possible.
    #[inline]
    #[track_caller]
    pub fn try_upgradable_read_for(
        &self,
        timeout: Duration,
    ) -> Option<RwLockUpgradableReadGuard<'_, T>> {
        self.0.try_upgradable_read_for(timeout)
    }

    /// Takes the lock upgradably if before `deadline` that is possible.
    #[inline]
    #[track_caller]
    pub fn try_upgradable_read_until(
        &self,
        deadline: Instant,
    ) -> Option<RwLockUpgradableReadGuard<'_, T>> {
        self.try_upgradable_read_until_at(deadline, Site::caller())
    }

    /// [`RwLock::upgradable_read`], with a guard that owns a count.
    ///
    /// # Panics
    ///
    /// As [`RwLock::upgradable_read`].
    #[inline]
    #[track_caller]
    pub fn upgradable_read_arc(self: &Arc<Self>) -> ArcRwLockUpgradableReadGuard<T> {
        let inner = inner_arc!(self, Inner<T>);
        carrying(Site::caller(), || inner.upgradable_read_arc())
    }

    /// [`RwLock::try_upgradable_read`], with a guard that owns a count.
    #[inline]
    #[track_caller]
    pub fn try_upgradable_read_arc(self: &Arc<Self>) -> Option<ArcRwLockUpgradableReadGuard<T>> {
        inner_arc!(self, Inner<T>).try_upgradable_read_arc()
    }

    /// [`RwLock::try_upgradable_read_for`], with a guard that owns a count.
    #[inline]
    #[track_caller]
    pub fn try_upgradable_read_arc_for(
        self: &Arc<Self>,
        timeout: Duration,
    ) -> Option<ArcRwLockUpgradableReadGuard<T>> {
        inner_arc!(self, Inner<T>).try_upgradable_read_arc_for(timeout)
    }

    /// [`RwLock::try_upgradable_read_until`], with a guard that owns a count.
    #[inline]
    #[track_caller]
    pub fn try_upgradable_read_arc_until(
        self: &Arc<Self>,
        deadline: Instant,
    ) -> Option<ArcRwLockUpgradableReadGuard<T>> {
        inner_arc!(self, Inner<T>).try_upgradable_read_arc_until(deadline)
    }

    /// [`RwLock::upgradable_read`], as if called from `at`.
    #[doc(hidden)]
    #[inline]
    #[track_caller]
    pub fn upgradable_read_at(&self, at: Site) -> RwLockUpgradableReadGuard<'_, T> {
        self.sited().lock_upgradable_at(at);
        // SAFETY: the lock was just taken in this mode, and nobody else made a guard for that.
        unsafe { self.0.make_upgradable_guard_unchecked() }
    }

    /// [`RwLock::try_upgradable_read`], as if called from `at`.
    #[doc(hidden)]
    #[inline]
    pub fn try_upgradable_read_at(&self, at: Site) -> Option<RwLockUpgradableReadGuard<'_, T>> {
        self.sited().try_lock_upgradable_at(at).then(|| {
            // SAFETY: the lock was just taken in this mode, and nobody else made a guard for that.
            unsafe { self.0.make_upgradable_guard_unchecked() }
        })
    }

    /// [`RwLock::try_upgradable_read_until`], as if called from `at`.
    #[doc(hidden)]
    #[inline]
    pub fn try_upgradable_read_until_at(
        &self,
        deadline: Instant,
        at: Site,
    ) -> Option<RwLockUpgradableReadGuard<'_, T>> {
        let sited = self.sited();
        sited.try_lock_upgradable_until_at(deadline, at).then(|| {
            // SAFETY: the lock was just taken in this mode, and nobody else made a guard for that.
            unsafe { self.0.make_upgradable_guard_unchecked() }
        })
    }
}
