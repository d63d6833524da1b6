//! A value that is made on first use: `once_cell`'s `Lazy`, watched.

use std::any::type_name;
use std::fmt;
use std::ops::{Deref, DerefMut};

use once_cell::sync::Lazy as Inner;

use super::gate::Gate;
use crate::watch::{Identity, Kind, Site};

/// A value that is made when it is first used, whoever uses it.
///
/// It has the methods of `once_cell::sync::Lazy`. While the initialiser runs, its thread holds the
/// value as it would hold a mutex; others wait. If the initialiser panics, the value is poisoned,
/// and each later use panics.
///
/// ```
/// use lockwise::{Lazy, Mutex};
///
/// static EVENTS: Lazy<Mutex<Vec<String>>> = Lazy::new(|| Mutex::new(vec!["start".to_owned()]));
///
/// EVENTS.lock().push("stop".to_owned());
/// assert_eq!(EVENTS.lock().len(), 2);
/// ```
pub struct Lazy<T, F = fn() -> T> {
    gate: Gate,
    lazy: Inner<T, F>,
}

impl<T, F> Lazy<T, F> {
    /// Makes a value that `init` will make. The caller is its creation site.
    #[inline]
    #[track_caller]
    pub const fn new(init: F) -> Lazy<T, F> {
        Lazy {
            gate: Gate::new(Self::identity_at(Site::caller())),
            lazy: Inner::new(init),
        }
    }

    /// Makes a value of the class `name` that `init` will make.
    #[inline]
    #[track_caller]
    pub const fn named(name: &'static str, init: F) -> Lazy<T, F> {
        Lazy {
            gate: Gate::new(Self::identity_at(Site::caller()).named(name)),
            lazy: Inner::new(init),
        }
    }

    /// Consumes the `Lazy` and returns the value.
    ///
    /// # Errors
    ///
    /// The initialiser, if it has not run.
    ///
    /// # Panics
    ///
    /// If the initialiser panicked.
    #[inline]
    pub fn into_value(this: Lazy<T, F>) -> Result<T, F> {
        Inner::into_value(this.lazy)
    }

    /// Who the object is; nobody, if checks are off.
    #[inline]
    pub fn identity(this: &Lazy<T, F>) -> Option<&Identity> {
        this.gate.identity()
    }

    const fn identity_at(born: Site) -> Identity {
        Identity::new(Kind::Lazy, born, type_name::<T>)
    }
}

impl<T, F: FnOnce() -> T> Lazy<T, F> {
    /// The value, made now if this is the first use.
    ///
    /// # Panics
    ///
    /// If the initialiser panics, or did earlier; if it is called by the initialiser itself, which
    /// would wait for itself; if the request breaks a rule and the program chose to panic on that.
    #[inline]
    #[track_caller]
    pub fn force(this: &Lazy<T, F>) -> &T {
        if let Some(value) = Inner::get(&this.lazy) {
            return value;
        }
        let _inside = this.gate.enter(Site::caller());
        Inner::force(&this.lazy)
    }

    /// The value, made now if this is the first use.
    ///
    /// # Panics
    ///
    /// If the initialiser panics, or did earlier.
    #[inline]
    pub fn force_mut(this: &mut Lazy<T, F>) -> &mut T {
        Inner::force_mut(&mut this.lazy)
    }

    /// The value, if it was made. Never waits.
    #[inline]
    pub fn get(this: &Lazy<T, F>) -> Option<&T> {
        Inner::get(&this.lazy)
    }

    /// The value, if it was made.
    #[inline]
    pub fn get_mut(this: &mut Lazy<T, F>) -> Option<&mut T> {
        Inner::get_mut(&mut this.lazy)
    }
}

impl<T, F: FnOnce() -> T> Deref for Lazy<T, F> {
    type Target = T;

    #[inline]
    #[track_caller]
    fn deref(&self) -> &T {
        Lazy::force(self)
    }
}

impl<T, F: FnOnce() -> T> DerefMut for Lazy<T, F> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        Lazy::force_mut(self)
    }
}

impl<T: Default> Default for Lazy<T> {
    #[inline]
    #[track_caller]
    fn default() -> Lazy<T> {
        Lazy::new(T::default)
    }
}

impl<T: fmt::Debug, F> fmt::Debug for Lazy<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.lazy, f)
    }
}
