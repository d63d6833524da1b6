//! Guards of a part of what a lock protects: `mapped_lock_guards`.

use std::fmt;
use std::ops::{Deref, DerefMut};

use super::super::entry::CALLED_ONCE;
use super::super::held::Held;
use super::super::{MutexGuard, RwLockReadGuard, RwLockWriteGuard};

/// A guard that is made of another: std's own with the hold beside it.
macro_rules! mapped {
    ($(#[$doc:meta])* $mapped:ident) => {
        $(#[$doc])*
        #[must_use = "if unused the lock will immediately unlock"]
        pub struct $mapped<'a, T: ?Sized> {
            // Dropped in this order.
            held: Held<'a>,
            inner: std::sync::$mapped<'a, T>,
        }

        impl<T: ?Sized> Deref for $mapped<'_, T> {
            type Target = T;

            #[inline]
            fn deref(&self) -> &T {
                &self.inner
            }
        }

        impl<T: ?Sized + fmt::Debug> fmt::Debug for $mapped<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.inner.fmt(f)
            }
        }

        impl<T: ?Sized + fmt::Display> fmt::Display for $mapped<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.inner.fmt(f)
            }
        }
    };
}

mapped! {
    /// The right to use a part of what a mutex protects, until dropped.
    MappedMutexGuard
}

mapped! {
    /// The right to read a part of what an `RwLock` protects, until dropped.
    MappedRwLockReadGuard
}

mapped! {
    /// The right to change a part of what an `RwLock` protects, until dropped.
    MappedRwLockWriteGuard
}

impl<T: ?Sized> DerefMut for MappedMutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T: ?Sized> DerefMut for MappedRwLockWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

/// How a guard becomes one of a part. The hold travels through the function that finds the part: if
/// that panics the release is told first, and then happens.
macro_rules! mapping {
    ($guard:ident => $mapped:ident $(, $mutable:tt)?) => {
        impl<'a, T: ?Sized> $guard<'a, T> {
            /// The guard of the part that `f` finds.
            pub fn map<U, F>(orig: Self, f: F) -> $mapped<'a, U>
            where
                F: FnOnce(&$($mutable)? T) -> &$($mutable)? U,
                U: ?Sized,
            {
                let $guard { held, inner } = orig;
                let mut kept = None;
                let inner = std::sync::$guard::map(inner, |data| {
                    let part = f(data);
                    kept = Some(held);
                    part
                });
                let held = kept.expect(CALLED_ONCE);
                $mapped { held, inner }
            }

            /// The guard of the part that `f` finds.
            ///
            /// # Errors
            ///
            /// The guard, if `f` finds none.
            pub fn filter_map<U, F>(orig: Self, f: F) -> Result<$mapped<'a, U>, Self>
            where
                F: FnOnce(&$($mutable)? T) -> Option<&$($mutable)? U>,
                U: ?Sized,
            {
                let $guard { held, inner } = orig;
                let mut kept = None;
                let found = std::sync::$guard::filter_map(inner, |data| {
                    let part = f(data);
                    kept = Some(held);
                    part
                });
                let held = kept.expect(CALLED_ONCE);
                match found {
                    Ok(inner) => Ok($mapped { held, inner }),
                    Err(inner) => Err($guard { held, inner }),
                }
            }
        }
    };
}

mapping!(MutexGuard => MappedMutexGuard, mut);
mapping!(MappedMutexGuard => MappedMutexGuard, mut);
mapping!(RwLockReadGuard => MappedRwLockReadGuard);
mapping!(MappedRwLockReadGuard => MappedRwLockReadGuard);
mapping!(RwLockWriteGuard => MappedRwLockWriteGuard, mut);
mapping!(MappedRwLockWriteGuard => MappedRwLockWriteGuard, mut);
