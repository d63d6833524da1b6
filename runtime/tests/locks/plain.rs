//! With checks off our types are the plain ones.

use std::mem::{align_of, size_of};

use lockwise::lock_api;

/// Compares size and alignment.
macro_rules! same_layout {
    ($($Ours:ty = $Theirs:ty),* $(,)?) => {
        $(
            assert_eq!(
                (size_of::<$Ours>(), align_of::<$Ours>()),
                (size_of::<$Theirs>(), align_of::<$Theirs>()),
                "{}", stringify!($Ours)
            );
        )*
    };
}

#[test]
fn nothing_is_carried_along() {
    same_layout!(
        lockwise::Mutex<u64> = parking_lot::Mutex<u64>,
        lockwise::Mutex<u8> = parking_lot::Mutex<u8>,
        lockwise::FairMutex<u64> = parking_lot::FairMutex<u64>,
        lockwise::RwLock<u64> = parking_lot::RwLock<u64>,
        lockwise::ReentrantMutex<u64> = parking_lot::ReentrantMutex<u64>,
        lockwise::Condvar = parking_lot::Condvar,
        lockwise::Once = parking_lot::Once,
        lockwise::OnceCell<u64> = once_cell::sync::OnceCell<u64>,
        lockwise::Lazy<u64> = once_cell::sync::Lazy<u64>,
        lockwise::Barrier = std::sync::Barrier,
        lockwise::Watched<parking_lot::RawRwLock> = parking_lot::RawRwLock,
    );
}

#[test]
fn guards_are_parking_lots_own() {
    let mutex = lockwise::Mutex::named("m", 1);
    let guard: parking_lot::MutexGuard<'_, i32> = mutex.lock();
    let inside: &parking_lot::Mutex<i32> = lock_api::MutexGuard::mutex(&guard);
    assert!(inside.is_locked());
    drop(guard);
    let lock = lockwise::RwLock::new(1);
    drop::<parking_lot::RwLockReadGuard<'_, i32>>(lock.read());
    let lock = lockwise::ReentrantMutex::new(1);
    drop::<parking_lot::ReentrantMutexGuard<'_, i32>>(lock.lock());
    let lock = lockwise::FairMutex::new(1);
    drop::<parking_lot::FairMutexGuard<'_, i32>>(lock.lock());
}

#[test]
fn nobody_is_anybody() {
    assert!(lockwise::Mutex::new(1).identity().is_none());
    assert!(lockwise::RwLock::new(1).identity().is_none());
    assert!(lockwise::FairMutex::new(1).identity().is_none());
    assert!(lockwise::ReentrantMutex::new(1).identity().is_none());
}
