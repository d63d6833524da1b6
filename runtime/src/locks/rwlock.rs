//! Readers and writers: `parking_lot`'s `RwLock`, watched, with upgradable and recursive reads.
//!
//! A plain read waits behind a writer that waits already, so a thread that reads the same lock
//! twice can deadlock with a writer between; a recursive read does not. The watcher knows both.

use std::any::type_name;
use std::fmt;
use std::mem::ManuallyDrop;
use std::ptr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::constructors::{constructors, inner_arc};
use crate::raw::{self, RawRwLock, SitedRwLock};
use crate::tag::carrying;
use crate::watch::{Identity, Kind, Rank, Site};

/// The lock inside.
type Inner<T> = lock_api::RwLock<RawRwLock, T>;

/// A lock that many readers or one writer may hold.
///
/// It has the methods of `parking_lot::RwLock` and is not poisoned by a panic. At most one reader
/// at a time may be *upgradable*: it can become the writer without letting another writer in
/// between.
///
/// ```
/// use lockwise::{RwLock, RwLockUpgradableReadGuard};
///
/// let names = RwLock::new(vec!["ada"]);
/// assert_eq!(names.read().len(), 1);
///
/// let seen = names.upgradable_read();
/// if !seen.contains(&"grace") {
///     RwLockUpgradableReadGuard::upgrade(seen).push("grace");
/// }
/// assert_eq!(names.read().len(), 2);
/// ```
#[repr(transparent)]
pub struct RwLock<T: ?Sized>(Inner<T>);

/// The right to read the value of a [`RwLock`]; dropping it gives it back.
pub type RwLockReadGuard<'a, T> = lock_api::RwLockReadGuard<'a, RawRwLock, T>;
/// The right to change the value of a [`RwLock`]; dropping it gives it back.
pub type RwLockWriteGuard<'a, T> = lock_api::RwLockWriteGuard<'a, RawRwLock, T>;
/// The right to read the value of a [`RwLock`], and to become its writer.
pub type RwLockUpgradableReadGuard<'a, T> = lock_api::RwLockUpgradableReadGuard<'a, RawRwLock, T>;
/// A [`RwLockReadGuard`] of a part of the value.
pub type MappedRwLockReadGuard<'a, T> = lock_api::MappedRwLockReadGuard<'a, RawRwLock, T>;
/// A [`RwLockWriteGuard`] of a part of the value.
pub type MappedRwLockWriteGuard<'a, T> = lock_api::MappedRwLockWriteGuard<'a, RawRwLock, T>;
/// A [`RwLockReadGuard`] that keeps the lock alive instead of borrowing it.
pub type ArcRwLockReadGuard<T> = lock_api::ArcRwLockReadGuard<RawRwLock, T>;
/// A [`RwLockWriteGuard`] that keeps the lock alive instead of borrowing it.
pub type ArcRwLockWriteGuard<T> = lock_api::ArcRwLockWriteGuard<RawRwLock, T>;
/// A [`RwLockUpgradableReadGuard`] that keeps the lock alive instead of borrowing it.
pub type ArcRwLockUpgradableReadGuard<T> = lock_api::ArcRwLockUpgradableReadGuard<RawRwLock, T>;

constructors!(RwLock, raw::rwlock, lock_api::RwLock::from_raw);

/// Makes a [`RwLock`] in a constant; [`RwLock::new`] does the same.
#[inline]
#[track_caller]
pub const fn const_rwlock<T>(value: T) -> RwLock<T> {
    RwLock::new(value)
}

/// Reading.
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
    pub fn read_recursive_at(&self, at: Site) -> RwLockReadGuard<'_, T> {
        self.sited().lock_shared_recursive_at(at);
        // SAFETY: the lock was just taken in this mode, and nobody else made a guard for that.
        unsafe { self.0.make_read_guard_unchecked() }
    }
}

/// Writing.
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

/// Reading with the right to become the writer.
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

/// The lock itself.
impl<T: ?Sized> RwLock<T> {
    /// The value, of which the exclusive borrow makes sure without locking.
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }

    /// Whether the lock is held now, in any mode, by whomever.
    #[inline]
    pub fn is_locked(&self) -> bool {
        self.0.is_locked()
    }

    /// Whether the lock is held now by a writer.
    #[inline]
    pub fn is_locked_exclusive(&self) -> bool {
        self.0.is_locked_exclusive()
    }

    /// A pointer to the value.
    ///
    /// To use it safely the lock must be held, or nobody else use it.
    #[inline]
    pub fn data_ptr(&self) -> *mut T {
        self.0.data_ptr()
    }

    /// The raw lock.
    ///
    /// # Safety
    ///
    /// It must not be unlocked while a guard is alive, nor left locked where a guard is expected to
    /// be able to lock it.
    #[inline]
    pub unsafe fn raw(&self) -> &RawRwLock {
        // SAFETY: the caller promises what `lock_api::RwLock::raw` asks for.
        unsafe { self.0.raw() }
    }

    /// Who the lock is; nobody, if checks are off.
    #[inline]
    pub fn identity(&self) -> Option<&Identity> {
        self.sited().identity()
    }

    /// The raw lock, to be taken for a guard that is made at once.
    #[inline]
    fn sited(&self) -> &impl SitedRwLock {
        // SAFETY: `SitedRwLock` cannot unlock, and whoever locks through it makes a guard.
        unsafe { self.0.raw() }
    }

    /// A guard for a lock that is held for reading already, say through a guard that was forgotten.
    ///
    /// # Safety
    ///
    /// The thread must hold the lock for reading, and no guard may be alive for that acquisition.
    #[inline]
    pub unsafe fn make_read_guard_unchecked(&self) -> RwLockReadGuard<'_, T> {
        // SAFETY: the caller promises that the lock is so held and has no guard for it.
        unsafe { self.0.make_read_guard_unchecked() }
    }

    /// [`RwLock::make_read_guard_unchecked`], with a guard that owns a count.
    ///
    /// # Safety
    ///
    /// As for [`RwLock::make_read_guard_unchecked`].
    #[inline]
    pub unsafe fn make_arc_read_guard_unchecked(self: &Arc<Self>) -> ArcRwLockReadGuard<T> {
        let inner = inner_arc!(self, Inner<T>);
        // SAFETY: the caller promises that the lock is so held and has no guard for it.
        unsafe { inner.make_arc_read_guard_unchecked() }
    }

    /// A guard for a lock that is held for writing already, say through a guard that was forgotten.
    ///
    /// # Safety
    ///
    /// The thread must hold the lock for writing, and no guard may be alive for that acquisition.
    #[inline]
    pub unsafe fn make_write_guard_unchecked(&self) -> RwLockWriteGuard<'_, T> {
        // SAFETY: the caller promises that the lock is so held and has no guard for it.
        unsafe { self.0.make_write_guard_unchecked() }
    }

    /// [`RwLock::make_write_guard_unchecked`], with a guard that owns a count.
    ///
    /// # Safety
    ///
    /// As for [`RwLock::make_write_guard_unchecked`].
    #[inline]
    pub unsafe fn make_arc_write_guard_unchecked(self: &Arc<Self>) -> ArcRwLockWriteGuard<T> {
        let inner = inner_arc!(self, Inner<T>);
        // SAFETY: the caller promises that the lock is so held and has no guard for it.
        unsafe { inner.make_arc_write_guard_unchecked() }
    }

    /// A guard for a lock that is held upgradably already, say through a guard that was forgotten.
    ///
    /// # Safety
    ///
    /// The thread must hold the lock upgradably, and no guard may be alive for that acquisition.
    #[inline]
    pub unsafe fn make_upgradable_guard_unchecked(&self) -> RwLockUpgradableReadGuard<'_, T> {
        // SAFETY: the caller promises that the lock is so held and has no guard for it.
        unsafe { self.0.make_upgradable_guard_unchecked() }
    }

    /// [`RwLock::make_upgradable_guard_unchecked`], with a guard that owns a count.
    ///
    /// # Safety
    ///
    /// As for [`RwLock::make_upgradable_guard_unchecked`].
    #[inline]
    pub unsafe fn make_upgradable_arc_guard_unchecked(
        self: &Arc<Self>,
    ) -> ArcRwLockUpgradableReadGuard<T> {
        let inner = inner_arc!(self, Inner<T>);
        // SAFETY: the caller promises that the lock is so held and has no guard for it.
        unsafe { inner.make_upgradable_arc_guard_unchecked() }
    }

    /// Gives back a read acquisition without a guard, say for one that was forgotten.
    ///
    /// # Safety
    ///
    /// The lock must be held so in this context, and the guard must never be used again.
    #[inline]
    pub unsafe fn force_unlock_read(&self) {
        // SAFETY: the caller promises that the lock is so held in this context.
        unsafe { self.0.force_unlock_read() }
    }

    /// [`RwLock::force_unlock_read`] that hands the lock to a waiting thread.
    ///
    /// # Safety
    ///
    /// As for [`RwLock::force_unlock_read`].
    #[inline]
    pub unsafe fn force_unlock_read_fair(&self) {
        // SAFETY: the caller promises that the lock is so held in this context.
        unsafe { self.0.force_unlock_read_fair() }
    }

    /// Gives back a write acquisition without a guard, say for one that was forgotten.
    ///
    /// # Safety
    ///
    /// The lock must be held so in this context, and the guard must never be used again.
    #[inline]
    pub unsafe fn force_unlock_write(&self) {
        // SAFETY: the caller promises that the lock is so held in this context.
        unsafe { self.0.force_unlock_write() }
    }

    /// [`RwLock::force_unlock_write`] that hands the lock to a waiting thread.
    ///
    /// # Safety
    ///
    /// As for [`RwLock::force_unlock_write`].
    #[inline]
    pub unsafe fn force_unlock_write_fair(&self) {
        // SAFETY: the caller promises that the lock is so held in this context.
        unsafe { self.0.force_unlock_write_fair() }
    }
}
