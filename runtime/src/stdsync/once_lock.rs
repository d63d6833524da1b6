//! [`std::sync::OnceLock`], watched.

use std::any::type_name;
use std::fmt;

use crate::watch::{Identity, Kind, Site};

use super::entry::{CALLED_ONCE, Entry};
use super::identify::identify;
use super::named::{Label, Named};

/// A cell that is written once, as [`std::sync::OnceLock`].
pub struct OnceLock<T> {
    pub(super) entry: Entry,
    pub(super) inner: std::sync::OnceLock<T>,
}

impl<T> OnceLock<T> {
    /// An empty cell.
    #[inline]
    #[must_use]
    #[track_caller]
    pub const fn new() -> OnceLock<T> {
        OnceLock::with_identity(Identity::new(
            Kind::OnceCell,
            Site::caller(),
            type_name::<T>,
        ))
    }

    const fn with_identity(identity: Identity) -> OnceLock<T> {
        OnceLock {
            entry: Entry::new(identity),
            inner: std::sync::OnceLock::new(),
        }
    }

    /// The value, if there is one. Never waits.
    #[inline]
    pub fn get(&self) -> Option<&T> {
        self.inner.get()
    }

    /// The value, if there is one.
    #[inline]
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.inner.get_mut()
    }

    /// The value, waiting until another thread has brought it.
    ///
    /// # Panics
    ///
    /// In the function that makes the value.
    #[inline]
    #[track_caller]
    pub fn wait(&self) -> &T {
        match self.inner.get() {
            Some(value) => value,
            None => self
                .entry
                .wait_outside(Site::caller(), || self.inner.wait()),
        }
    }

    /// Fills the cell, waiting for another thread that is making a value.
    ///
    /// # Errors
    ///
    /// `value`, if there is one already.
    ///
    /// # Panics
    ///
    /// In the function that makes the value.
    #[inline]
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), T> {
        if self.inner.get().is_some() {
            return Err(value);
        }
        let _inside = self.entry.enter(Site::caller());
        self.inner.set(value)
    }

    /// The value, made by `f` if there is none and no other thread is making one.
    ///
    /// # Panics
    ///
    /// If `f` itself comes here again. If `f` panics the cell stays empty.
    #[inline]
    #[track_caller]
    pub fn get_or_init<F>(&self, f: F) -> &T
    where
        F: FnOnce() -> T,
    {
        match self.inner.get() {
            Some(value) => value,
            None => self.initialise(f),
        }
    }

    #[cold]
    #[track_caller]
    fn initialise(&self, f: impl FnOnce() -> T) -> &T {
        // Dropped outside if it is not called: what it owns may take locks.
        let mut f = Some(f);
        let _inside = self.entry.enter(Site::caller());
        self.inner.get_or_init(|| f.take().expect(CALLED_ONCE)())
    }

    /// The value, if there was one.
    #[inline]
    pub fn into_inner(self) -> Option<T> {
        self.inner.into_inner()
    }

    /// Takes the value out, if there is one, and leaves the cell empty.
    #[inline]
    pub fn take(&mut self) -> Option<T> {
        self.inner.take()
    }
}

impl<T> Named for OnceLock<T> {
    type Content = ();

    fn labelled(label: Label, (): ()) -> Self {
        let identity = Identity::new(Kind::OnceCell, Site::caller(), type_name::<T>);
        OnceLock::with_identity(identify(identity, label))
    }
}

impl<T> Default for OnceLock<T> {
    #[inline]
    #[track_caller]
    fn default() -> OnceLock<T> {
        OnceLock::new()
    }
}

impl<T> From<T> for OnceLock<T> {
    #[inline]
    #[track_caller]
    fn from(value: T) -> Self {
        OnceLock {
            inner: std::sync::OnceLock::from(value),
            ..OnceLock::new()
        }
    }
}

impl<T: Clone> Clone for OnceLock<T> {
    #[inline]
    #[track_caller]
    fn clone(&self) -> OnceLock<T> {
        OnceLock {
            inner: self.inner.clone(),
            ..OnceLock::new()
        }
    }
}

impl<T: PartialEq> PartialEq for OnceLock<T> {
    #[inline]
    fn eq(&self, other: &OnceLock<T>) -> bool {
        self.inner == other.inner
    }
}

impl<T: Eq> Eq for OnceLock<T> {}

impl<T: fmt::Debug> fmt::Debug for OnceLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
