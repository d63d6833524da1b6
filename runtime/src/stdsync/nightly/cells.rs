//! More of what is written once: `once_cell_try`, `once_cell_try_insert`, `once_cell_get_mut`,
//! `lazy_cell_into_inner`.

use std::convert::Infallible;
use std::sync::PoisonError;

use crate::watch::Site;

use super::super::entry::CALLED_ONCE;
use super::super::lazy_lock::panic_poisoned;
use super::super::{LazyLock, OnceLock};

impl<T> OnceLock<T> {
    /// Fills the cell, waiting for another thread that is making a value, and lends what is in it.
    ///
    /// # Errors
    ///
    /// What is in the cell and `value`, if there is one already.
    #[inline]
    #[track_caller]
    pub fn try_insert(&self, value: T) -> Result<&T, (&T, T)> {
        let mut value = Some(value);
        let found = self.get_or_init(|| value.take().expect(CALLED_ONCE));
        match value {
            None => Ok(found),
            Some(value) => Err((found, value)),
        }
    }

    /// The value, made by `f` if there is none and no other thread is making one.
    ///
    /// # Errors
    ///
    /// That of `f`; the cell stays empty.
    ///
    /// # Panics
    ///
    /// If `f` itself comes here again.
    #[inline]
    #[track_caller]
    pub fn get_or_try_init<F, E>(&self, f: F) -> Result<&T, E>
    where
        F: FnOnce() -> Result<T, E>,
    {
        if let Some(value) = self.inner.get() {
            return Ok(value);
        }
        // Dropped outside if it is not called: what it owns may take locks.
        let mut f = Some(f);
        let _inside = self.entry.enter(Site::caller());
        self.inner
            .get_or_try_init(|| f.take().expect(CALLED_ONCE)())
    }

    /// The value, made by `f` if there is none. Nobody else can be waiting.
    #[inline]
    pub fn get_mut_or_init<F>(&mut self, f: F) -> &mut T
    where
        F: FnOnce() -> T,
    {
        match self.get_mut_or_try_init(|| Ok::<T, Infallible>(f())) {
            Ok(value) => value,
        }
    }

    /// The value, made by `f` if there is none. Nobody else can be waiting.
    ///
    /// # Errors
    ///
    /// That of `f`; the cell stays empty.
    #[inline]
    pub fn get_mut_or_try_init<F, E>(&mut self, f: F) -> Result<&mut T, E>
    where
        F: FnOnce() -> Result<T, E>,
    {
        self.inner.get_mut_or_try_init(f)
    }
}

impl<T, F> LazyLock<T, F> {
    /// The value, if it has been made.
    ///
    /// # Errors
    ///
    /// The function that would have made it.
    ///
    /// # Panics
    ///
    /// If that function has panicked.
    pub fn into_inner(this: Self) -> Result<T, F> {
        match this.value.into_inner() {
            Some(value) => Ok(value),
            None => {
                let function = this.function.into_inner();
                let function = function.unwrap_or_else(PoisonError::into_inner);
                Err(function.unwrap_or_else(|| panic_poisoned()))
            }
        }
    }
}
