//! [`std::sync::Mutex`], watched.

use std::any::type_name;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{LockResult, TryLockResult};

use crate::watch::{Identity, Kind, Mode, Site};

use super::held::{Held, Request, map_result, map_try_result};
use super::identify::identify;
use super::named::{Label, Named};

/// A mutual exclusion lock, as [`std::sync::Mutex`].
pub struct Mutex<T: ?Sized> {
    identity: Identity,
    pub(super) inner: std::sync::Mutex<T>,
}

/// The right to use what a [`Mutex`] protects, until dropped.
#[must_use = "if unused the Mutex will immediately unlock"]
#[clippy::has_significant_drop]
pub struct MutexGuard<'a, T: ?Sized> {
    // Dropped in this order.
    pub(super) held: Held<'a>,
    pub(super) inner: std::sync::MutexGuard<'a, T>,
}

impl<T> Mutex<T> {
    /// A mutex that protects `t`, not locked.
    #[inline]
    #[track_caller]
    pub const fn new(t: T) -> Mutex<T> {
        Mutex::with_identity(
            Identity::new(Kind::Mutex, Site::caller(), type_name::<T>),
            t,
        )
    }

    const fn with_identity(identity: Identity, t: T) -> Mutex<T> {
        Mutex {
            identity,
            inner: std::sync::Mutex::new(t),
        }
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Locks the mutex, waiting until that is possible.
    ///
    /// # Errors
    ///
    /// The guard all the same, if another thread panicked while it held the mutex.
    ///
    /// # Panics
    ///
    /// If the request breaks a rule and the program chose to panic on that; nothing is locked then.
    #[inline]
    #[track_caller]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        self.lock_at(Site::caller())
    }

    /// Locks the mutex if that is possible now.
    ///
    /// # Errors
    ///
    /// That it is locked; or the guard all the same, if another thread panicked while it held the
    /// mutex.
    #[inline]
    #[track_caller]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        self.try_lock_at(Site::caller())
    }

    /// [`Mutex::lock`], as if called from `at`.
    #[inline]
    #[track_caller]
    pub(crate) fn lock_at(&self, at: Site) -> LockResult<MutexGuard<'_, T>> {
        let taken = self
            .request(at)
            .wait(|| self.inner.try_lock(), || self.inner.lock());
        map_result(taken, |inner| self.guard(inner))
    }

    /// [`Mutex::try_lock`], as if called from `at`.
    #[inline]
    pub(crate) fn try_lock_at(&self, at: Site) -> TryLockResult<MutexGuard<'_, T>> {
        let taken = self.request(at).tried(self.inner.try_lock());
        map_try_result(taken, |inner| self.guard(inner))
    }

    /// Who the mutex is.
    #[inline]
    #[expect(clippy::unnecessary_wraps, reason = "with checks off it is nobody")]
    pub(crate) fn identity(&self) -> Option<&Identity> {
        Some(&self.identity)
    }

    /// Whether a thread panicked while it held the mutex.
    #[inline]
    pub fn is_poisoned(&self) -> bool {
        self.inner.is_poisoned()
    }

    /// Forgets that a thread panicked while it held the mutex.
    #[inline]
    pub fn clear_poison(&self) {
        self.inner.clear_poison();
    }

    /// What the mutex protected.
    ///
    /// # Errors
    ///
    /// The same, if a thread panicked while it held the mutex.
    pub fn into_inner(self) -> LockResult<T>
    where
        T: Sized,
    {
        self.inner.into_inner()
    }

    /// What the mutex protects, without locking: the borrow proves that nobody else has it.
    ///
    /// # Errors
    ///
    /// The same, if a thread panicked while it held the mutex.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.inner.get_mut()
    }

    /// The guard of a lock that was acquired.
    #[inline]
    fn guard<'a>(&'a self, inner: std::sync::MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        let held = Held {
            lock: &self.identity,
            mode: Mode::Exclusive,
        };
        MutexGuard { held, inner }
    }

    #[inline]
    fn request(&self, at: Site) -> Request<'_> {
        Request {
            lock: &self.identity,
            mode: Mode::Exclusive,
            at,
        }
    }
}

impl<T> Named for Mutex<T> {
    type Content = T;

    fn labelled(label: Label, content: T) -> Self {
        let identity = Identity::new(Kind::Mutex, Site::caller(), type_name::<T>);
        Mutex::with_identity(identify(identity, label), content)
    }
}

impl<T> From<T> for Mutex<T> {
    #[track_caller]
    fn from(t: T) -> Self {
        Mutex::new(t)
    }
}

impl<T: Default> Default for Mutex<T> {
    #[track_caller]
    fn default() -> Mutex<T> {
        Mutex::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
