//! [`std::sync::LazyLock`], watched.
//!
//! Made of a cell and a function, not of std's type: that one tells only in newer versions than our
//! oldest whether it has its value, and lends it mutably. Auto traits and variance are those of
//! [`PhantomData`]; and what changes from version to version, the words of `Debug` and of the panic,
//! an object of std says that is brought into the same state.

use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::PoisonError;

use crate::watch::{Identity, Kind, Site};

use super::entry::Entry;
use super::identify::identify;
use super::named::{Label, Named};

/// A value that is made at first use, as [`std::sync::LazyLock`].
pub struct LazyLock<T, F = fn() -> T> {
    entry: Entry,
    pub(super) value: std::sync::OnceLock<T>,
    /// Taken out when it is called: without it and without a value, the object is poisoned.
    pub(super) function: std::sync::Mutex<Option<F>>,
    shape: PhantomData<std::sync::LazyLock<T, F>>,
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
            value: std::sync::OnceLock::new(),
            function: std::sync::Mutex::new(Some(f)),
            shape: PhantomData,
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
        match this.value.get() {
            Some(value) => value,
            None => this.initialise(),
        }
    }

    /// The value, made now if this is the first use.
    ///
    /// # Panics
    ///
    /// If the function that makes it panics or has panicked.
    #[inline]
    pub fn force_mut(this: &mut LazyLock<T, F>) -> &mut T {
        if this.value.get().is_none() {
            // Nobody else can be waiting, so this is no acquisition.
            let function = this.function.get_mut();
            let value = make(function.unwrap_or_else(PoisonError::into_inner).take());
            this.value = std::sync::OnceLock::from(value);
        }
        this.value.get_mut().expect("it is there or just made")
    }

    #[cold]
    #[track_caller]
    fn initialise(&self) -> &T {
        let _inside = self.entry.enter(Site::caller());
        self.value.get_or_init(|| {
            let function = self.function.lock();
            // The function is called after its mutex is free again.
            let function = function.unwrap_or_else(PoisonError::into_inner).take();
            make(function)
        })
    }
}

impl<T, F> LazyLock<T, F> {
    /// The value, if it has been made. Never waits.
    #[inline]
    pub fn get(this: &LazyLock<T, F>) -> Option<&T> {
        this.value.get()
    }

    /// The value, if it has been made.
    #[inline]
    pub fn get_mut(this: &mut LazyLock<T, F>) -> Option<&mut T> {
        this.value.get_mut()
    }
}

/// Calls the function of an object that has no value yet; without a function it is poisoned.
fn make<T>(function: Option<impl FnOnce() -> T>) -> T {
    match function {
        Some(function) => function(),
        None => panic_poisoned(),
    }
}

#[cold]
pub(super) fn panic_poisoned() -> ! {
    let poisoned = std::sync::LazyLock::<()>::new(|| resume_unwind(Box::new(())));
    let first = catch_unwind(AssertUnwindSafe(|| *std::sync::LazyLock::force(&poisoned)));
    debug_assert!(first.is_err(), "its function unwinds");
    std::sync::LazyLock::force(&poisoned);
    unreachable!("std lets nobody use what is poisoned")
}

impl<T, F: FnOnce() -> T> Named for LazyLock<T, F> {
    type Content = F;

    fn labelled(label: Label, content: F) -> Self {
        let identity = Identity::new(Kind::Lazy, Site::caller(), type_name::<T>);
        LazyLock::with_identity(identify(identity, label), content)
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

impl<T, F: FnOnce() -> T> DerefMut for LazyLock<T, F> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        LazyLock::force_mut(self)
    }
}

impl<T, F> From<T> for LazyLock<T, F> {
    #[inline]
    #[track_caller]
    fn from(value: T) -> Self {
        let identity = Identity::new(Kind::Lazy, Site::caller(), type_name::<T>);
        LazyLock {
            entry: Entry::new(identity),
            value: std::sync::OnceLock::from(value),
            function: std::sync::Mutex::new(None),
            shape: PhantomData,
        }
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
        let value = self.value.get();
        let shown = std::sync::LazyLock::new(|| value.expect("it is forced only with a value"));
        if value.is_some() {
            std::sync::LazyLock::force(&shown);
        }
        shown.fmt(f)
    }
}
