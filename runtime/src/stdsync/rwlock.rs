//! [`std::sync::RwLock`], watched.
//!
//! A reader waits behind a writer that already waits: std promises nothing here, and its
//! implementations for the common systems do so. Hence [`Mode::Shared`], never the recursive mode.

use std::any::type_name;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{LockResult, TryLockResult};

use crate::watch::{Identity, Kind, Mode, Site};

use super::held::{Held, Request, map_result, map_try_result};
use super::identify::identify;
use super::named::{Label, Named};

/// A lock for many readers or one writer, as [`std::sync::RwLock`].
pub struct RwLock<T: ?Sized> {
    identity: Identity,
    pub(super) inner: std::sync::RwLock<T>,
}

/// The right to read what a [`RwLock`] protects, until dropped.
#[must_use = "if unused the RwLock will immediately unlock"]
#[clippy::has_significant_drop]
pub struct RwLockReadGuard<'rwlock, T: ?Sized> {
    // Dropped in this order.
    #[cfg_attr(not(lockwise_nightly), expect(dead_code, reason = "only dropped"))]
    pub(super) held: Held<'rwlock>,
    pub(super) inner: std::sync::RwLockReadGuard<'rwlock, T>,
}

/// The right to change what a [`RwLock`] protects, until dropped.
#[must_use = "if unused the RwLock will immediately unlock"]
#[clippy::has_significant_drop]
pub struct RwLockWriteGuard<'rwlock, T: ?Sized> {
    // Dropped in this order.
    pub(super) held: Held<'rwlock>,
    pub(super) inner: std::sync::RwLockWriteGuard<'rwlock, T>,
}

impl<T> RwLock<T> {
    /// A lock that protects `t`, not locked.
    #[inline]
    #[track_caller]
    pub const fn new(t: T) -> RwLock<T> {
        RwLock::with_identity(
            Identity::new(Kind::RwLock, Site::caller(), type_name::<T>),
            t,
        )
    }

    const fn with_identity(identity: Identity, t: T) -> RwLock<T> {
        RwLock {
            identity,
            inner: std::sync::RwLock::new(t),
        }
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Locks for reading, waiting until no writer holds the lock.
    ///
    /// # Errors
    ///
    /// The guard all the same, if a writer panicked.
    ///
    /// # Panics
    ///
    /// If the request breaks a rule and the program chose to panic on that, or if there are too
    /// many readers; nothing is locked then.
    #[inline]
    #[track_caller]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        self.read_at(Site::caller())
    }

    /// Locks for reading if that is possible now.
    ///
    /// # Errors
    ///
    /// That it is not; or the guard all the same, if a writer panicked.
    #[inline]
    #[track_caller]
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        self.try_read_at(Site::caller())
    }

    /// Locks for writing, waiting until nobody else holds the lock.
    ///
    /// # Errors
    ///
    /// The guard all the same, if another writer panicked.
    ///
    /// # Panics
    ///
    /// If the request breaks a rule and the program chose to panic on that; nothing is locked then.
    #[inline]
    #[track_caller]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        self.write_at(Site::caller())
    }

    /// Locks for writing if that is possible now.
    ///
    /// # Errors
    ///
    /// That it is not; or the guard all the same, if another writer panicked.
    #[inline]
    #[track_caller]
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        self.try_write_at(Site::caller())
    }

    /// [`RwLock::read`], as if called from `at`.
    #[inline]
    #[track_caller]
    pub(crate) fn read_at(&self, at: Site) -> LockResult<RwLockReadGuard<'_, T>> {
        let taken = self
            .request(Mode::Shared, at)
            .wait(|| self.inner.try_read(), || self.inner.read());
        map_result(taken, |inner| RwLockReadGuard {
            held: self.held(Mode::Shared),
            inner,
        })
    }

    /// [`RwLock::try_read`], as if called from `at`.
    #[inline]
    pub(crate) fn try_read_at(&self, at: Site) -> TryLockResult<RwLockReadGuard<'_, T>> {
        let taken = self.request(Mode::Shared, at).tried(self.inner.try_read());
        map_try_result(taken, |inner| RwLockReadGuard {
            held: self.held(Mode::Shared),
            inner,
        })
    }

    /// [`RwLock::write`], as if called from `at`.
    #[inline]
    #[track_caller]
    pub(crate) fn write_at(&self, at: Site) -> LockResult<RwLockWriteGuard<'_, T>> {
        let taken = self
            .request(Mode::Exclusive, at)
            .wait(|| self.inner.try_write(), || self.inner.write());
        map_result(taken, |inner| RwLockWriteGuard {
            held: self.held(Mode::Exclusive),
            inner,
        })
    }

    /// [`RwLock::try_write`], as if called from `at`.
    #[inline]
    pub(crate) fn try_write_at(&self, at: Site) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        let taken = self
            .request(Mode::Exclusive, at)
            .tried(self.inner.try_write());
        map_try_result(taken, |inner| RwLockWriteGuard {
            held: self.held(Mode::Exclusive),
            inner,
        })
    }

    /// Who the lock is.
    #[inline]
    #[expect(clippy::unnecessary_wraps, reason = "with checks off it is nobody")]
    pub(crate) fn identity(&self) -> Option<&Identity> {
        Some(&self.identity)
    }

    /// Whether a writer panicked.
    #[inline]
    pub fn is_poisoned(&self) -> bool {
        self.inner.is_poisoned()
    }

    /// Forgets that a writer panicked.
    #[inline]
    pub fn clear_poison(&self) {
        self.inner.clear_poison();
    }

    /// What the lock protected.
    ///
    /// # Errors
    ///
    /// The same, if a writer panicked.
    pub fn into_inner(self) -> LockResult<T>
    where
        T: Sized,
    {
        self.inner.into_inner()
    }

    /// What the lock protects, without locking: the borrow proves that nobody else has it.
    ///
    /// # Errors
    ///
    /// The same, if a writer panicked.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.inner.get_mut()
    }

    /// The lock as it is held once it was acquired.
    #[inline]
    fn held(&self, mode: Mode) -> Held<'_> {
        Held {
            lock: &self.identity,
            mode,
        }
    }

    #[inline]
    fn request(&self, mode: Mode, at: Site) -> Request<'_> {
        Request {
            lock: &self.identity,
            mode,
            at,
        }
    }
}

impl<'rwlock, T: ?Sized> RwLockWriteGuard<'rwlock, T> {
    /// Lets other readers in and goes on as one of them, with no writer in between.
    ///
    /// # Panics
    ///
    /// Before Rust 1.92, whose std cannot do it.
    #[track_caller]
    pub fn downgrade(s: Self) -> RwLockReadGuard<'rwlock, T> {
        let RwLockWriteGuard { mut held, inner } = s;
        held.downgrade(Site::caller());
        #[allow(
            clippy::incompatible_msrv,
            unstable_name_collisions,
            reason = "the trait stands in where std has no such function"
        )]
        let inner = std::sync::RwLockWriteGuard::downgrade(inner);
        RwLockReadGuard { held, inner }
    }
}

/// What is called where std's own function does not exist: that one would go before.
#[allow(dead_code, reason = "never called where std has such a function")]
trait DowngradeIsMissing: Sized {
    type ReadGuard;

    fn downgrade(s: Self) -> Self::ReadGuard;
}

impl<'rwlock, T: ?Sized> DowngradeIsMissing for std::sync::RwLockWriteGuard<'rwlock, T> {
    type ReadGuard = std::sync::RwLockReadGuard<'rwlock, T>;

    fn downgrade(_: Self) -> Self::ReadGuard {
        unimplemented!("`RwLockWriteGuard::downgrade` needs Rust 1.92")
    }
}

impl<T> Named for RwLock<T> {
    type Content = T;

    fn labelled(label: Label, content: T) -> Self {
        let identity = Identity::new(Kind::RwLock, Site::caller(), type_name::<T>);
        RwLock::with_identity(identify(identity, label), content)
    }
}

impl<T> From<T> for RwLock<T> {
    #[track_caller]
    fn from(t: T) -> Self {
        RwLock::new(t)
    }
}

impl<T: Default> Default for RwLock<T> {
    #[track_caller]
    fn default() -> RwLock<T> {
        RwLock::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
