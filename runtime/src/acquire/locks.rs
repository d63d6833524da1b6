//! The locks in the shapes of `parking_lot`, one line for each mode that each can be taken in.

use super::lock::{Acquire, Exclusive, Patience, Read, Sealed, Upgradable, Write};
use super::subject::Subject;
use crate::watch::{Mode, Site};
use crate::{
    FairMutex, FairMutexGuard, Mutex, MutexGuard, ReentrantMutex, ReentrantMutexGuard, RwLock,
    RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard,
};

macro_rules! acquire {
    ($($Lock:ident in $Tag:ident as $mode:ident: $Guard:ident, $wait:ident, $attempt:ident, $until:ident;)*) => {$(
        impl<T: ?Sized> Acquire<$Tag> for $Lock<T> {
            type Guard<'a>
                = $Guard<'a, T>
            where
                Self: 'a;

            #[inline]
            fn subject(&self) -> Subject<'_> {
                Subject::new(self, self.identity(), Mode::$mode)
            }

            #[inline]
            fn take(&self, patience: Patience, at: Site) -> Option<Self::Guard<'_>> {
                match patience {
                    Patience::Endless => Some(self.$wait(at)),
                    Patience::None => self.$attempt(at),
                    Patience::Until(deadline) => self.$until(deadline, at),
                }
            }
        }
    )*};
}

impl<T: ?Sized> Sealed for Mutex<T> {}
impl<T: ?Sized> Sealed for FairMutex<T> {}
impl<T: ?Sized> Sealed for ReentrantMutex<T> {}
impl<T: ?Sized> Sealed for RwLock<T> {}

acquire! {
    Mutex in Exclusive as Exclusive: MutexGuard, lock_at, try_lock_at, try_lock_until_at;
    FairMutex in Exclusive as Exclusive: FairMutexGuard, lock_at, try_lock_at, try_lock_until_at;
    ReentrantMutex in Exclusive as Reentrant:
        ReentrantMutexGuard, lock_at, try_lock_at, try_lock_until_at;
    RwLock in Exclusive as Exclusive: RwLockWriteGuard, write_at, try_write_at, try_write_until_at;
    RwLock in Write as Exclusive: RwLockWriteGuard, write_at, try_write_at, try_write_until_at;
    RwLock in Read as Shared: RwLockReadGuard, read_at, try_read_at, try_read_until_at;
    RwLock in Upgradable as Upgradable: RwLockUpgradableReadGuard,
        upgradable_read_at, try_upgradable_read_at, try_upgradable_read_until_at;
}
