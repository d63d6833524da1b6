//! Taking a read-write lock for reading, behind waiting writers or ahead of them.

use std::mem::ManuallyDrop;
use std::ptr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::constructors::inner_arc;
use super::{ArcRwLockReadGuard, Inner, RwLock, RwLockReadGuard};
use crate::raw::SitedRwLock;
use crate::tag::carrying;
use crate::watch::Site;

impl<T: ?Sized> RwLock<T> {
    /// Waits until there is no writer, holding or waiting, and takes the lock for reading.
    ///
    /// # Panics
    ///
    /// If the request breaks a rule and the program chose to panic on that; nothing is taken then.
    #[inline]
    #[track_caller]
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        self.read_at(Site::caller())
    }

    /// Takes the lock for reading if there is no writer, holding or waiting.
    #[inline]
    #[track_caller]
    pub fn try_read(&self) -> Option<RwLockReadGuard<'_, T>> {
        self.try_read_at(Site::caller())
    }

    /// Takes the lock for reading if within `timeout` there is no writer.
    #[inline]
    #[track_caller]
    pub fn try_read_for(&self, timeout: Duration) -> Option<RwLockReadGuard<'_, T>> {
        self.0.try_read_for(timeout)
    }

    /// Takes the lock for reading if before `deadline` there is no writer.
    #[inline]
    #[track_caller]
    pub fn try_read_until(&self, deadline: Instant) -> Option<RwLockReadGuard<'_, T>> {
        self.try_read_until_at(deadline, Site::caller())
    }

    /// Waits until no writer *holds* the lock and takes it for reading, ahead of waiting writers.
    ///
    /// So a thread may read again what it reads already. Writers may starve.
    ///
    /// # Panics
    ///
    /// If the request breaks a rule and the program chose to panic on that; nothing is taken then.
    #[inline]
    #[track_caller]
    pub fn read_recursive(&self) -> RwLockReadGuard<'_, T> {
        self.read_recursive_at(Site::caller())
    }

    /// Takes the lock for reading if no writer holds it.
    #[inline]
    #[track_caller]
    pub fn try_read_recursive(&self) -> Option<RwLockReadGuard<'_, T>> {
        self.0.try_read_recursive()
    }

    /// Takes the lock for reading if within `timeout` no writer holds it.
    #[inline]
    #[track_caller]
    pub fn try_read_recursive_for(&self, timeout: Duration) -> Option<RwLockReadGuard<'_, T>> {
        self.0.try_read_recursive_for(timeout)
    }

    /// Takes the lock for reading if before `deadline` no writer holds it.
    #[inline]
    #[track_caller]
    pub fn try_read_recursive_until(&self, deadline: Instant) -> Option<RwLockReadGuard<'_, T>> {
        self.0.try_read_recursive_until(deadline)
    }

    /// [`RwLock::read`], with a guard that owns a count.
    ///
    /// # Panics
    ///
    /// As [`RwLock::read`].
    #[inline]
    #[track_caller]
    pub fn read_arc(self: &Arc<Self>) -> ArcRwLockReadGuard<T> {
        let inner = inner_arc!(self, Inner<T>);
        carrying(Site::caller(), || inner.read_arc())
    }

    /// [`RwLock::try_read`], with a guard that owns a count.
    #[inline]
    #[track_caller]
    pub fn try_read_arc(self: &Arc<Self>) -> Option<ArcRwLockReadGuard<T>> {
        inner_arc!(self, Inner<T>).try_read_arc()
    }

    /// [`RwLock::try_read_for`], with a guard that owns a count.
    #[inline]
    #[track_caller]
    pub fn try_read_arc_for(self: &Arc<Self>, timeout: Duration) -> Option<ArcRwLockReadGuard<T>> {
        inner_arc!(self, Inner<T>).try_read_arc_for(timeout)
    }

    /// [`RwLock::try_read_until`], with a guard that owns a count.
    #[inline]
    #[track_caller]
    pub fn try_read_arc_until(
        self: &Arc<Self>,
        deadline: Instant,
    ) -> Option<ArcRwLockReadGuard<T>> {
        inner_arc!(self, Inner<T>).try_read_arc_until(deadline)
    }

    /// [`RwLock::read_recursive`], with a guard that owns a count.
    ///
    /// # Panics
    ///
    /// As [`RwLock::read_recursive`].
    #[inline]
    #[track_caller]
    pub fn read_arc_recursive(self: &Arc<Self>) -> ArcRwLockReadGuard<T> {
        let inner = inner_arc!(self, Inner<T>);
        carrying(Site::caller(), || inner.read_arc_recursive())
    }

    /// [`RwLock::try_read_recursive`], with a guard that owns a count.
    #[inline]
    #[track_caller]
    pub fn try_read_recursive_arc(self: &Arc<Self>) -> Option<ArcRwLockReadGuard<T>> {
        inner_arc!(self, Inner<T>).try_read_recursive_arc()
    }

    /// [`RwLock::try_read_recursive_for`], with a guard that owns a count.
    #[inline]
    #[track_caller]
    pub fn try_read_arc_recursive_for(
        self: &Arc<Self>,
        timeout: Duration,
    ) -> Option<ArcRwLockReadGuard<T>> {
        inner_arc!(self, Inner<T>).try_read_arc_recursive_for(timeout)
    }

    /// [`RwLock::try_read_recursive_until`], with a guard that owns a count.
    #[inline]
    #[track_caller]
    pub fn try_read_arc_recursive_until(
        self: &Arc<Self>,
        deadline: Instant,
    ) -> Option<ArcRwLockReadGuard<T>> {
        inner_arc!(self, Inner<T>).try_read_arc_recursive_until(deadline)
    }

    /// [`RwLock::read`], as if called from `at`.
    #[doc(hidden)]
    #[inline]
    #[track_caller]
    pub fn read_at(&self, at: Site) -> RwLockReadGuard<'_, T> {
        self.sited().lock_shared_at(at);
        // SAFETY: the lock was just taken in this mode, and nobody else made a guard for that.
        unsafe { self.0.make_read_guard_unchecked() }
    }

    /// [`RwLock::try_read`], as if called from `at`.
    #[doc(hidden)]
    #[inline]
    pub fn try_read_at(&self, at: Site) -> Option<RwLockReadGuard<'_, T>> {
        self.sited().try_lock_shared_at(at).then(|| {
            // SAFETY: the lock was just taken in this mode, and nobody else made a guard for that.
            unsafe { self.0.make_read_guard_unchecked() }
        })
    }

    /// [`RwLock::try_read_until`], as if called from `at`.
    #[doc(hidden)]
    #[inline]
    pub fn try_read_until_at(&self, deadline: Instant, at: Site) -> Option<RwLockReadGuard<'_, T>> {
        let sited = self.sited();
        sited.try_lock_shared_until_at(deadline, at).then(|| {
            // SAFETY: the lock was just taken in this mode, and nobody else made a guard for that.
            unsafe { self.0.make_read_guard_unchecked() }
        })
    }

    /// [`RwLock::read_recursive`], as if called from `at`.
    #[doc(hidden)]
    #[inline]
    #[track_caller]
    pub fn read_recursive_at(&self, at: Site) -> RwLockReadGuard<'_, T> {
        self.sited().lock_shared_recursive_at(at);
        // SAFETY: the lock was just taken in this mode, and nobody else made a guard for that.
        unsafe { self.0.make_read_guard_unchecked() }
    }
}
