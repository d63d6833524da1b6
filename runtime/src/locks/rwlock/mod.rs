//! Readers and writers: `parking_lot`'s `RwLock`, watched, with upgradable and recursive reads.
//!
//! A plain read waits behind a writer that waits already, so a thread that reads the same lock
//! twice can deadlock with a writer between; a recursive read does not. The watcher knows both.
//! The ways to take the lock stand in `read`, `upgradable` and `write`.

mod read;
mod upgradable;
mod write;

use std::any::type_name;
use std::fmt;
use std::mem::ManuallyDrop;
use std::ptr;
use std::sync::Arc;

use super::constructors::{constructors, inner_arc};
use crate::raw::{self, RawRwLock, SitedRwLock};
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

/// Makes a [`RwLock`] in a constant; [`RwLock::new`] does the same.
#[inline]
#[track_caller]
pub const fn const_rwlock<T>(value: T) -> RwLock<T> {
    RwLock::new(value)
}
