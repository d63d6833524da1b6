//! A cell that is written once: `once_cell`'s `OnceCell`, watched.

use std::any::type_name;
use std::convert::Infallible;
use std::fmt;

use once_cell::sync::OnceCell as Cell;

use super::gate::Gate;
use crate::watch::{Identity, Kind, Site};

/// A cell that can be written only once, and then read without locking.
///
/// It has the methods of `once_cell::sync::OnceCell`. While an initialiser runs, its thread holds
/// the cell as it would hold a mutex; others that want to initialise it wait.
///
/// ```
/// use lockwise::OnceCell;
///
/// static NAME: OnceCell<String> = OnceCell::new();
///
/// assert_eq!(NAME.get(), None);
/// assert_eq!(NAME.get_or_init(|| "lockwise".to_owned()), "lockwise");
/// assert_eq!(NAME.set("other".to_owned()), Err("other".to_owned()));
/// ```
pub struct OnceCell<T> {
    gate: Gate,
    cell: Cell<T>,
}

impl<T> OnceCell<T> {
    /// Makes an empty cell. The caller is its creation site.
    #[inline]
    #[track_caller]
    pub const fn new() -> OnceCell<T> {
        OnceCell::with_identity(Self::identity_at(Site::caller()))
    }

    /// Makes an empty cell of the class `name`.
    #[inline]
    #[track_caller]
    pub const fn named(name: &'static str) -> OnceCell<T> {
        OnceCell::with_identity(Self::identity_at(Site::caller()).named(name))
    }

    /// Makes a cell that holds `value`.
    #[inline]
    #[track_caller]
    pub const fn with_value(value: T) -> OnceCell<T> {
        OnceCell {
            gate: Gate::new(Self::identity_at(Site::caller())),
            cell: Cell::with_value(value),
        }
    }

    /// The value, if there is one yet. Never waits.
    #[inline]
    pub fn get(&self) -> Option<&T> {
        self.cell.get()
    }

    /// Waits until another thread has written the value.
    ///
    /// # Panics
    ///
    /// If it is called by the initialiser of this cell, which would wait for itself; if the request
    /// breaks a rule and the program chose to panic on that.
    #[inline]
    #[track_caller]
    pub fn wait(&self) -> &T {
        match self.cell.get() {
            Some(value) => value,
            None => self.gate.wait(Site::caller(), || self.cell.wait()),
        }
    }

    /// The value, if there is one yet.
    #[inline]
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.cell.get_mut()
    }

    /// The value, which must be there.
    ///
    /// # Safety
    ///
    /// The cell must be initialised, and this thread must know so by synchronisation.
    #[inline]
    pub unsafe fn get_unchecked(&self) -> &T {
        // SAFETY: the caller promises that the value is there and visible to this thread.
        unsafe { self.cell.get_unchecked() }
    }

    /// Writes the value.
    ///
    /// # Errors
    ///
    /// The value, if there is one already.
    ///
    /// # Panics
    ///
    /// As [`OnceCell::get_or_init`].
    #[inline]
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), T> {
        self.try_insert(value).map(drop).map_err(|(_, value)| value)
    }

    /// [`OnceCell::set`] that also gives the value that is in the cell then.
    ///
    /// # Errors
    ///
    /// The value that is there already, and the one that was not written.
    ///
    /// # Panics
    ///
    /// As [`OnceCell::get_or_init`].
    #[inline]
    #[track_caller]
    pub fn try_insert(&self, value: T) -> Result<&T, (&T, T)> {
        if let Some(there) = self.cell.get() {
            return Err((there, value));
        }
        let _inside = self.gate.enter(Site::caller());
        self.cell.try_insert(value)
    }

    /// The value, written by `init` if there is none yet.
    ///
    /// Waits if another thread is initialising the cell.
    ///
    /// # Panics
    ///
    /// If `init` panics, and the cell stays empty; if `init` wants to initialise the same cell,
    /// which would wait for itself; if the request breaks a rule and the program chose to panic on
    /// that.
    #[inline]
    #[track_caller]
    pub fn get_or_init<F>(&self, init: F) -> &T
    where
        F: FnOnce() -> T,
    {
        match self.get_or_try_init(|| Ok::<T, Infallible>(init())) {
            Ok(value) => value,
            Err(never) => match never {},
        }
    }

    /// The value, written by `init` if there is none yet and `init` succeeds.
    ///
    /// # Errors
    ///
    /// That of `init`; the cell stays empty.
    ///
    /// # Panics
    ///
    /// As [`OnceCell::get_or_init`].
    #[inline]
    #[track_caller]
    pub fn get_or_try_init<F, E>(&self, init: F) -> Result<&T, E>
    where
        F: FnOnce() -> Result<T, E>,
    {
        if let Some(value) = self.cell.get() {
            return Ok(value);
        }
        // Dropped outside if it is not called: what it owns may take locks.
        let mut init = Some(init);
        let _inside = self.gate.enter(Site::caller());
        self.cell
            .get_or_try_init(|| init.take().expect("it is called once at most")())
    }

    /// Takes the value out, and leaves the cell empty.
    #[inline]
    pub fn take(&mut self) -> Option<T> {
        self.cell.take()
    }

    /// Consumes the cell and returns the value, if there is one.
    #[inline]
    pub fn into_inner(self) -> Option<T> {
        self.cell.into_inner()
    }

    /// Who the object is; nobody, if checks are off.
    #[inline]
    pub fn identity(&self) -> Option<&Identity> {
        self.gate.identity()
    }

    const fn identity_at(born: Site) -> Identity {
        Identity::new(Kind::OnceCell, born, type_name::<T>)
    }

    const fn with_identity(identity: Identity) -> OnceCell<T> {
        OnceCell {
            gate: Gate::new(identity),
            cell: Cell::new(),
        }
    }
}

impl<T> Default for OnceCell<T> {
    #[inline]
    #[track_caller]
    fn default() -> OnceCell<T> {
        OnceCell::new()
    }
}

impl<T> From<T> for OnceCell<T> {
    #[inline]
    #[track_caller]
    fn from(value: T) -> OnceCell<T> {
        OnceCell::with_value(value)
    }
}

/// A cell of its own, made where `clone` is called, with a clone of the value if there is one.
impl<T: Clone> Clone for OnceCell<T> {
    #[track_caller]
    fn clone(&self) -> OnceCell<T> {
        OnceCell {
            gate: Gate::new(Self::identity_at(Site::caller())),
            cell: self.cell.clone(),
        }
    }

    /// Keeps its own identity.
    fn clone_from(&mut self, source: &Self) {
        self.cell.clone_from(&source.cell);
    }
}

impl<T: PartialEq> PartialEq for OnceCell<T> {
    fn eq(&self, other: &OnceCell<T>) -> bool {
        self.cell == other.cell
    }
}

impl<T: Eq> Eq for OnceCell<T> {}

impl<T: fmt::Debug> fmt::Debug for OnceCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.cell, f)
    }
}
