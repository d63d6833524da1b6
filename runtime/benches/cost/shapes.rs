//! The locks that are measured: what a party must have, and the shapes that most parties share.

use std::ops::{Deref, DerefMut};

/// Whose locks are measured.
pub(crate) trait Party: 'static {
    type Mutex: Mutex;
    type RwLock: RwLock;
    type Condvar: Condvar<Self::Mutex>;
}

/// A mutex around a number.
pub(crate) trait Mutex: Send + Sync + 'static {
    /// Whether the party has this kind of lock at all.
    const THERE: bool = true;
    type Guard<'a>: DerefMut<Target = u64>;
    fn make() -> Self;
    fn lock(&self) -> Self::Guard<'_>;
}

/// A read-write lock around a number.
pub(crate) trait RwLock: Send + Sync + 'static {
    /// Whether the party has this kind of lock at all.
    const THERE: bool = true;
    type Read<'a>: Deref<Target = u64>;
    type Write<'a>: DerefMut<Target = u64>;
    fn make() -> Self;
    fn read(&self) -> Self::Read<'_>;
    fn write(&self) -> Self::Write<'_>;
}

/// A condition variable that goes with a mutex.
pub(crate) trait Condvar<M: Mutex>: Send + Sync + 'static {
    /// Whether the party has this kind of object at all.
    const THERE: bool = true;
    fn make() -> Self;
    fn wait<'a>(&self, guard: M::Guard<'a>) -> M::Guard<'a>;
    fn notify(&self);
}

/// Locks with the methods of `parking_lot`'s: guards without a result.
macro_rules! parking_lot_shaped {
    ($Mutex:ty => $($guard:ident)::+, $RwLock:ty => $($read:ident)::+, $($write:ident)::+) => {
        impl crate::shapes::Mutex for $Mutex {
            type Guard<'a> = $($guard)::+<'a, u64>;

            #[inline]
            fn make() -> Self {
                Self::new(0)
            }

            #[inline]
            fn lock(&self) -> Self::Guard<'_> {
                Self::lock(self)
            }
        }

        impl crate::shapes::RwLock for $RwLock {
            type Read<'a> = $($read)::+<'a, u64>;
            type Write<'a> = $($write)::+<'a, u64>;

            #[inline]
            fn make() -> Self {
                Self::new(0)
            }

            #[inline]
            fn read(&self) -> Self::Read<'_> {
                Self::read(self)
            }

            #[inline]
            fn write(&self) -> Self::Write<'_> {
                Self::write(self)
            }
        }
    };
}

/// A condition variable like `parking_lot`'s, which borrows the guard.
macro_rules! parking_lot_condvar {
    ($Condvar:ty, $Mutex:ty) => {
        impl crate::shapes::Condvar<$Mutex> for $Condvar {
            fn make() -> Self {
                Self::new()
            }

            #[inline]
            fn wait<'a>(
                &self,
                mut guard: <$Mutex as crate::shapes::Mutex>::Guard<'a>,
            ) -> <$Mutex as crate::shapes::Mutex>::Guard<'a> {
                Self::wait(self, &mut guard);
                guard
            }

            #[inline]
            fn notify(&self) {
                self.notify_one();
            }
        }
    };
}

/// Locks with the methods of std's: guards in results.
macro_rules! std_shaped {
    ($Mutex:ty => $($guard:ident)::+, $RwLock:ty => $($read:ident)::+, $($write:ident)::+) => {
        impl crate::shapes::Mutex for $Mutex {
            type Guard<'a> = $($guard)::+<'a, u64>;

            #[inline]
            fn make() -> Self {
                Self::new(0)
            }

            #[inline]
            fn lock(&self) -> Self::Guard<'_> {
                Self::lock(self).expect("no thread panics")
            }
        }

        impl crate::shapes::RwLock for $RwLock {
            type Read<'a> = $($read)::+<'a, u64>;
            type Write<'a> = $($write)::+<'a, u64>;

            #[inline]
            fn make() -> Self {
                Self::new(0)
            }

            #[inline]
            fn read(&self) -> Self::Read<'_> {
                Self::read(self).expect("no thread panics")
            }

            #[inline]
            fn write(&self) -> Self::Write<'_> {
                Self::write(self).expect("no thread panics")
            }
        }
    };
}

/// A condition variable like std's, which takes the guard and gives it back in a result.
macro_rules! std_condvar {
    ($Condvar:ty, $Mutex:ty) => {
        impl crate::shapes::Condvar<$Mutex> for $Condvar {
            fn make() -> Self {
                Self::new()
            }

            #[inline]
            fn wait<'a>(
                &self,
                guard: <$Mutex as crate::shapes::Mutex>::Guard<'a>,
            ) -> <$Mutex as crate::shapes::Mutex>::Guard<'a> {
                Self::wait(self, guard).expect("no thread panics")
            }

            #[inline]
            fn notify(&self) {
                self.notify_one();
            }
        }
    };
}

pub(crate) use {parking_lot_condvar, parking_lot_shaped};
// Without checks nothing else has this shape than std.
#[cfg_attr(not(feature = "checks"), allow(unused_imports, reason = "see above"))]
pub(crate) use {std_condvar, std_shaped};

/// The plain locks of `parking_lot`.
pub(crate) enum ParkingLot {}

parking_lot_shaped!(
    parking_lot::Mutex<u64> => parking_lot::MutexGuard,
    parking_lot::RwLock<u64> => parking_lot::RwLockReadGuard, parking_lot::RwLockWriteGuard);
parking_lot_condvar!(parking_lot::Condvar, parking_lot::Mutex<u64>);

impl Party for ParkingLot {
    type Mutex = parking_lot::Mutex<u64>;
    type RwLock = parking_lot::RwLock<u64>;
    type Condvar = parking_lot::Condvar;
}

/// The plain locks of the standard library.
pub(crate) enum Std {}

std_shaped!(
    std::sync::Mutex<u64> => std::sync::MutexGuard,
    std::sync::RwLock<u64> => std::sync::RwLockReadGuard, std::sync::RwLockWriteGuard);
std_condvar!(std::sync::Condvar, std::sync::Mutex<u64>);

impl Party for Std {
    type Mutex = std::sync::Mutex<u64>;
    type RwLock = std::sync::RwLock<u64>;
    type Condvar = std::sync::Condvar;
}
