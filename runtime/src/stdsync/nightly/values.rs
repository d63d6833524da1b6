//! Values of locks, without guards: `lock_value_accessors`, `mutex_data_ptr`, `rwlock_data_ptr`.

use std::mem;
use std::sync::{LockResult, PoisonError};

use super::super::{Mutex, RwLock};

/// The accessors of `$lock`, which is locked by `$read` to look and by `$write` to change.
macro_rules! accessors {
    ($lock:ident, $read:ident, $write:ident) => {
        impl<T> $lock<T> {
            /// A copy of what is protected.
            ///
            /// # Errors
            ///
            /// If a thread panicked while it held the lock.
            #[track_caller]
            pub fn get_cloned(&self) -> Result<T, PoisonError<()>>
            where
                T: Clone,
            {
                match self.$read() {
                    Ok(guard) => Ok((*guard).clone()),
                    Err(_) => Err(PoisonError::new(())),
                }
            }

            /// Puts `value` in. What was there is dropped when the lock is free again.
            ///
            /// # Errors
            ///
            /// `value`, if a thread panicked while it held the lock.
            #[track_caller]
            pub fn set(&self, value: T) -> Result<(), PoisonError<T>> {
                self.replace(value).map(drop)
            }

            /// Puts `value` in, and gives what was there.
            ///
            /// # Errors
            ///
            /// `value`, if a thread panicked while it held the lock.
            #[track_caller]
            pub fn replace(&self, value: T) -> LockResult<T> {
                match self.$write() {
                    Ok(mut guard) => Ok(mem::replace(&mut *guard, value)),
                    Err(_) => Err(PoisonError::new(value)),
                }
            }
        }

        impl<T: ?Sized> $lock<T> {
            /// Where what is protected lies.
            pub const fn data_ptr(&self) -> *mut T {
                self.inner.data_ptr()
            }
        }
    };
}

accessors!(Mutex, lock, lock);
accessors!(RwLock, read, write);
