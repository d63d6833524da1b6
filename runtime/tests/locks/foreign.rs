//! Raw locks of others, wrapped.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use lockwise::{Watched, lock_api};

/// The smallest raw mutex there is, as another crate may have it.
struct Spin(AtomicBool);

// SAFETY: only one thread at a time finds the flag clear.
unsafe impl lock_api::RawMutex for Spin {
    const INIT: Self = Spin(AtomicBool::new(false));

    /// Its guards may be sent to other threads.
    type GuardMarker = lock_api::GuardSend;

    fn lock(&self) {
        while !self.try_lock() {
            thread::yield_now();
        }
    }

    fn try_lock(&self) -> bool {
        !self.0.swap(true, Ordering::Acquire)
    }

    unsafe fn unlock(&self) {
        self.0.store(false, Ordering::Release);
    }
}

type SpinMutex<T> = lock_api::Mutex<Watched<Spin>, T>;
type WatchedRwLock<T> = lock_api::RwLock<Watched<parking_lot::RawRwLock>, T>;

static COUNT: SpinMutex<u32> = SpinMutex::new(0);
static TABLE: WatchedRwLock<Vec<u32>> = WatchedRwLock::new(Vec::new());

#[test]
#[cfg_attr(miri, ignore = "too many rounds")]
fn a_foreign_raw_lock_still_locks() {
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..1_000 {
                    *COUNT.lock() += 1;
                }
            });
        }
    });
    let guard = COUNT.lock();
    assert_eq!(*guard, 3_000);
    assert!(COUNT.is_locked() && COUNT.try_lock().is_none());
    thread::scope(|scope| {
        scope.spawn(move || drop(guard));
    });
    assert!(!COUNT.is_locked());
}

#[test]
fn a_foreign_read_write_lock_keeps_all_its_abilities() {
    TABLE.write().push(1);
    let seen = TABLE.upgradable_read();
    assert_eq!(seen.len(), 1);
    lock_api::RwLockUpgradableReadGuard::upgrade(seen).push(2);
    assert_eq!(TABLE.read().len() + TABLE.read_recursive().len(), 4);
    assert!(!TABLE.is_locked());
}
