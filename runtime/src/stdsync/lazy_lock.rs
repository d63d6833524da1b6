//! [`std::sync::LazyLock`], watched.

use std::any::type_name;
use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering::Acquire, Ordering::Release};

use crate::watch::{Identity, Kind, Rank, Site};

use super::entry::Entry;
use super::named::Named;

/// A value that is made at first use, as [`std::sync::LazyLock`].
pub struct LazyLock<T, F = fn() -> T> {
    entry: Entry,
    /// Set when the value is there: std tells it only in newer versions than our oldest.
    made: AtomicBool,
    inner: std::sync::LazyLock<T, F>,
}

impl<T, F: FnOnce() -> T> LazyLock<T, F> {
    /// A value that `f` will make.
    #[inline]
    #[track_caller]
    pub const fn new(f: F) -> LazyLock<T, F> {
        LazyLock::with_identity(Identity::new(Kind::Lazy, Site::caller(), type_name::<T>), f)
    }

    const fn with_identity(identity: Identity, f: F) -> LazyLock<T, F> {
        LazyLock {
            entry: Entry::new(identity),
            made: AtomicBool::new(false),
            inner: std::sync::LazyLock::new(f),
        }
    }

    /// The value, made now if this is the first use.
    ///
    /// # Panics
    ///
    /// If the function that makes it panics or has panicked, or comes here itself.
    #[inline]
    #[track_caller]
    pub fn force(this: &LazyLock<T, F>) -> &T {
        if this.made.load(Acquire) {
            std::sync::LazyLock::force(&this.inner)
        } else {
            this.initialise()
        }
    }

    #[cold]
    #[track_caller]
    fn initialise(&self) -> &T {
        let _inside = self.entry.enter(Site::caller());
        let value = std::sync::LazyLock::force(&self.inner);
        self.made.store(true, Release);
        value
    }
}

impl<T, F: FnOnce() -> T> Named for LazyLock<T, F> {
    type Content = F;

    fn named(name: &'static str, content: F) -> Self {
        let identity = Identity::new(Kind::Lazy, Site::caller(), type_name::<T>);
        LazyLock::with_identity(identity.named(name), content)
    }

    fn ranked(rank: Rank, content: F) -> Self {
        let identity = Identity::new(Kind::Lazy, Site::caller(), type_name::<T>);
        LazyLock::with_identity(identity.ranked(rank), content)
    }
}

impl<T, F: FnOnce() -> T> Deref for LazyLock<T, F> {
    type Target = T;

    #[inline]
    #[track_caller]
    fn deref(&self) -> &T {
        LazyLock::force(self)
    }
}

impl<T: Default> Default for LazyLock<T> {
    #[inline]
    #[track_caller]
    fn default() -> LazyLock<T> {
        LazyLock::new(T::default)
    }
}

impl<T: fmt::Debug, F> fmt::Debug for LazyLock<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
