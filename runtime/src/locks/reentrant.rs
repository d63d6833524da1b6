//! A mutex that its holder may take again: `parking_lot`'s `ReentrantMutex`, watched.
//!
//! The watcher sees the outermost acquisition and the last release. Re-entering cannot block, so it
//! is no request and breaks no rule; the site that reports name is that of the outermost guard.

use std::any::type_name;
use std::fmt;
use std::mem::ManuallyDrop;
use std::ptr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::constructors::{constructors, inner_arc};
use crate::raw::{self, RawReentrantMutex, SitedMutex};
use crate::tag::carrying;
use crate::watch::{Identity, Kind, Rank, Site};

pub use parking_lot::RawThreadId;

/// The lock inside.
type Inner<T> = lock_api::ReentrantMutex<RawReentrantMutex, RawThreadId, T>;

/// A mutual-exclusion lock that the thread which holds it may take again.
///
/// As several guards may exist, they give only shared access to the value; use a `Cell` or
/// `RefCell` inside to change it. It has the methods of `parking_lot::ReentrantMutex`.
///
/// ```
/// use std::cell::Cell;
///
/// use lockwise::ReentrantMutex;
///
/// let depth = ReentrantMutex::new(Cell::new(0));
/// let outer = depth.lock();
/// let inner = depth.lock();
/// inner.set(2);
/// assert_eq!(outer.get(), 2);
/// ```
#[repr(transparent)]
pub struct ReentrantMutex<T: ?Sized>(Inner<T>);

/// The right to use the value of a [`ReentrantMutex`]; dropping the last one unlocks.
pub type ReentrantMutexGuard<'a, T> =
    lock_api::ReentrantMutexGuard<'a, RawReentrantMutex, RawThreadId, T>;
/// A [`ReentrantMutexGuard`] of a part of the value.
pub type MappedReentrantMutexGuard<'a, T> =
    lock_api::MappedReentrantMutexGuard<'a, RawReentrantMutex, RawThreadId, T>;
/// A [`ReentrantMutexGuard`] that keeps the mutex alive instead of borrowing it.
pub type ArcReentrantMutexGuard<T> =
    lock_api::ArcReentrantMutexGuard<RawReentrantMutex, RawThreadId, T>;

/// A `lock_api` re-entrant mutex over this raw one.
const fn wrap<T>(raw: RawReentrantMutex, value: T) -> Inner<T> {
    lock_api::ReentrantMutex::from_raw(raw, <RawThreadId as lock_api::GetThreadId>::INIT, value)
}

constructors!(ReentrantMutex, raw::reentrant_mutex, wrap);

impl<T: ?Sized> ReentrantMutex<T> {
    /// Waits until no other thread holds the lock and takes it, once more.
    ///
    /// # Panics
    ///
    /// If the request breaks a rule and the program chose to panic on that; nothing is taken then.
    /// Also if the thread holds more than `usize::MAX` guards.
    #[inline]
    #[track_caller]
    pub fn lock(&self) -> ReentrantMutexGuard<'_, T> {
        self.lock_at(Site::caller())
    }

    /// Takes the lock if no other thread holds it.
    #[inline]
    #[track_caller]
    pub fn try_lock(&self) -> Option<ReentrantMutexGuard<'_, T>> {
        self.try_lock_at(Site::caller())
    }

    /// Takes the lock if within `timeout` no other thread holds it.
    #[inline]
    #[track_caller]
    pub fn try_lock_for(&self, timeout: Duration) -> Option<ReentrantMutexGuard<'_, T>> {
        carrying(Site::caller(), || self.0.try_lock_for(timeout))
    }

    /// Takes the lock if before `deadline` no other thread holds it.
    #[inline]
    #[track_caller]
    pub fn try_lock_until(&self, deadline: Instant) -> Option<ReentrantMutexGuard<'_, T>> {
        self.try_lock_until_at(deadline, Site::caller())
    }

    /// [`ReentrantMutex::lock`], with a guard that owns a count.
    ///
    /// # Panics
    ///
    /// As [`ReentrantMutex::lock`].
    #[inline]
    #[track_caller]
    pub fn lock_arc(self: &Arc<Self>) -> ArcReentrantMutexGuard<T> {
        let inner = inner_arc!(self, Inner<T>);
        carrying(Site::caller(), || inner.lock_arc())
    }

    /// [`ReentrantMutex::try_lock`], with a guard that owns a count.
    #[inline]
    #[track_caller]
    pub fn try_lock_arc(self: &Arc<Self>) -> Option<ArcReentrantMutexGuard<T>> {
        let inner = inner_arc!(self, Inner<T>);
        carrying(Site::caller(), || inner.try_lock_arc())
    }

    /// [`ReentrantMutex::try_lock_for`], with a guard that owns a count.
    #[inline]
    #[track_caller]
    pub fn try_lock_arc_for(
        self: &Arc<Self>,
        timeout: Duration,
    ) -> Option<ArcReentrantMutexGuard<T>> {
        let inner = inner_arc!(self, Inner<T>);
        carrying(Site::caller(), || inner.try_lock_arc_for(timeout))
    }

    /// [`ReentrantMutex::try_lock_until`], with a guard that owns a count.
    #[inline]
    #[track_caller]
    pub fn try_lock_arc_until(
        self: &Arc<Self>,
        deadline: Instant,
    ) -> Option<ArcReentrantMutexGuard<T>> {
        let inner = inner_arc!(self, Inner<T>);
        carrying(Site::caller(), || inner.try_lock_arc_until(deadline))
    }

    /// The value, of which the exclusive borrow makes sure without locking.
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }

    /// Whether the lock is held now, by whomever.
    #[inline]
    pub fn is_locked(&self) -> bool {
        self.0.is_locked()
    }

    /// Whether this thread holds the lock.
    #[inline]
    pub fn is_owned_by_current_thread(&self) -> bool {
        self.0.is_owned_by_current_thread()
    }

    /// A pointer to the value.
    ///
    /// To use it safely the lock must be held, or nobody else use it.
    #[inline]
    pub fn data_ptr(&self) -> *mut T {
        self.0.data_ptr()
    }

    /// The raw lock that the outermost guard takes.
    ///
    /// # Safety
    ///
    /// It must not be unlocked while a guard is alive, nor left locked.
    #[inline]
    pub unsafe fn raw(&self) -> &RawReentrantMutex {
        // SAFETY: the caller promises what `lock_api::ReentrantMutex::raw` asks for.
        unsafe { self.0.raw() }
    }

    /// A guard for a lock that is held already, say through a guard that was forgotten.
    ///
    /// # Safety
    ///
    /// The thread must hold the lock once more than it has guards.
    #[inline]
    pub unsafe fn make_guard_unchecked(&self) -> ReentrantMutexGuard<'_, T> {
        // SAFETY: the caller promises that this thread holds the lock for this guard.
        unsafe { self.0.make_guard_unchecked() }
    }

    /// [`ReentrantMutex::make_guard_unchecked`], with a guard that owns a count.
    ///
    /// # Safety
    ///
    /// As for [`ReentrantMutex::make_guard_unchecked`].
    #[inline]
    pub unsafe fn make_arc_guard_unchecked(self: &Arc<Self>) -> ArcReentrantMutexGuard<T> {
        let inner = inner_arc!(self, Inner<T>);
        // SAFETY: the caller promises that this thread holds the lock for this guard.
        unsafe { inner.make_arc_guard_unchecked() }
    }

    /// Gives one acquisition back without a guard, say for one that was forgotten.
    ///
    /// # Safety
    ///
    /// The thread must hold the lock, and the guard must never be used again.
    #[inline]
    pub unsafe fn force_unlock(&self) {
        // SAFETY: the caller promises that the lock is held in this context.
        unsafe { self.0.force_unlock() }
    }

    /// [`ReentrantMutex::force_unlock`] that hands the lock to a waiting thread.
    ///
    /// # Safety
    ///
    /// As for [`ReentrantMutex::force_unlock`].
    #[inline]
    pub unsafe fn force_unlock_fair(&self) {
        // SAFETY: the caller promises that the lock is held in this context.
        unsafe { self.0.force_unlock_fair() }
    }

    /// Who the lock is; nobody, if checks are off.
    #[inline]
    pub fn identity(&self) -> Option<&Identity> {
        // SAFETY: only the identity is read.
        SitedMutex::identity(unsafe { self.0.raw() })
    }

    /// [`ReentrantMutex::lock`], as if called from `at`.
    #[doc(hidden)]
    #[inline]
    #[track_caller]
    pub fn lock_at(&self, at: Site) -> ReentrantMutexGuard<'_, T> {
        carrying(at, || self.0.lock())
    }

    /// [`ReentrantMutex::try_lock`], as if called from `at`.
    #[doc(hidden)]
    #[inline]
    pub fn try_lock_at(&self, at: Site) -> Option<ReentrantMutexGuard<'_, T>> {
        carrying(at, || self.0.try_lock())
    }

    /// [`ReentrantMutex::try_lock_until`], as if called from `at`.
    #[doc(hidden)]
    #[inline]
    pub fn try_lock_until_at(
        &self,
        deadline: Instant,
        at: Site,
    ) -> Option<ReentrantMutexGuard<'_, T>> {
        carrying(at, || self.0.try_lock_until(deadline))
    }
}

/// Makes a [`ReentrantMutex`] in a constant; [`ReentrantMutex::new`] does the same.
#[inline]
#[track_caller]
pub const fn const_reentrant_mutex<T>(value: T) -> ReentrantMutex<T> {
    ReentrantMutex::new(value)
}
