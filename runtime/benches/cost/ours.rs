//! The locks of this crate, as parties.

use crate::shapes::{Party, parking_lot_condvar, parking_lot_shaped};

/// The locks in the shape of `parking_lot`'s.
pub(crate) enum Lockwise {}

parking_lot_shaped!(
    lockwise::Mutex<u64> => lockwise::MutexGuard,
    lockwise::RwLock<u64> => lockwise::RwLockReadGuard, lockwise::RwLockWriteGuard);
parking_lot_condvar!(lockwise::Condvar, lockwise::Mutex<u64>);

impl Party for Lockwise {
    type Mutex = lockwise::Mutex<u64>;
    type RwLock = lockwise::RwLock<u64>;
    type Condvar = lockwise::Condvar;
}

/// The locks in the shape of std's.
pub(crate) enum StdShaped {}

/// With checks off they are those of std.
#[cfg(feature = "checks")]
mod std_shaped {
    use lockwise::stdsync;

    crate::shapes::std_shaped!(
        stdsync::Mutex<u64> => stdsync::MutexGuard,
        stdsync::RwLock<u64> => stdsync::RwLockReadGuard, stdsync::RwLockWriteGuard);
    crate::shapes::std_condvar!(stdsync::Condvar, stdsync::Mutex<u64>);
}

impl Party for StdShaped {
    type Mutex = lockwise::stdsync::Mutex<u64>;
    type RwLock = lockwise::stdsync::RwLock<u64>;
    type Condvar = lockwise::stdsync::Condvar;
}
