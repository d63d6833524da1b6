//! The locks of the crate, by the cases of the list; what is reported of them stands in other tests.

use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use lockwise::sync::Event;
use lockwise::thread;
use lockwise::{Mutex, MutexGuard, Once, ReentrantMutex, RwLock, RwLockUpgradableReadGuard};

use super::{LONG, SHORT, until};

#[test]
fn acquire_release() {
    let lock = Mutex::new(0);
    for round in 0..100 {
        assert!(!lock.is_locked());
        let mut value = lock.lock();
        assert!(lock.is_locked());
        assert_eq!(*value, round);
        *value += 1;
    }
}

#[test]
fn try_contended() {
    let lock = Mutex::new(());
    let elsewhere =
        || thread::scope(|scope| scope.spawn(|| lock.try_lock().is_some()).join().unwrap());
    let held = lock.lock();
    assert!(!elsewhere());
    drop(held);
    assert!(elsewhere());
}

#[test]
fn timeout_lock() {
    let lock = Mutex::new(());
    let held = lock.lock();
    thread::scope(|scope| {
        let waits = scope.spawn(|| {
            let start = Instant::now();
            let got = lock.try_lock_for(SHORT).is_some();
            (
                got,
                start.elapsed(),
                lock.try_lock_for(Duration::ZERO).is_some(),
            )
        });
        let (got, waited, at_once) = waits.join().unwrap();
        assert!(!got && waited >= SHORT && !at_once);
        let patient = scope.spawn(|| lock.try_lock_for(Duration::MAX).is_some());
        drop(held);
        assert!(patient.join().unwrap());
    });
}

#[test]
fn unlock_on_panic() {
    let lock = Mutex::new(1);
    let died = catch_unwind(AssertUnwindSafe(|| {
        let _held = lock.lock();
        panic!("with the lock");
    }));
    assert!(died.is_err());
    assert!(!lock.is_locked());
    assert_eq!(*lock.lock(), 1);
}

#[test]
fn arc_access_in_unwind() {
    struct Sets(Arc<Mutex<u32>>);
    impl Drop for Sets {
        fn drop(&mut self) {
            *self.0.lock() += 1;
        }
    }
    let lock = Arc::new(Mutex::new(1));
    let sets = Sets(Arc::clone(&lock));
    let died = catch_unwind(AssertUnwindSafe(|| {
        let _sets = sets;
        panic!("and unwind");
    }));
    assert!(died.is_err());
    assert_eq!(*lock.lock(), 2);
}

#[test]
fn unsized_inner() {
    let slice: &Mutex<[u32]> = &Mutex::new([1, 2, 3]);
    slice.lock()[1] = 5;
    assert_eq!(slice.lock().iter().sum::<u32>(), 9);
    let shown: Box<Mutex<dyn Display>> = Box::new(Mutex::new("text"));
    assert_eq!(shown.lock().to_string(), "text");
}

#[test]
fn debug_never_blocks() {
    let lock = Mutex::new(5);
    assert_eq!(format!("{lock:?}"), "Mutex { data: 5 }");
    let _held = lock.lock();
    assert_eq!(format!("{lock:?}"), "Mutex { data: <locked> }");
}

#[test]
fn rlock_reenter() {
    let lock = ReentrantMutex::new(());
    let elsewhere =
        || thread::scope(|scope| scope.spawn(|| lock.try_lock().is_some()).join().unwrap());
    let (one, two, three) = (lock.lock(), lock.lock(), lock.lock());
    assert!(!elsewhere());
    drop(one);
    assert!(!elsewhere());
    drop(three);
    assert!(!elsewhere());
    drop(two);
    assert!(elsewhere());
}

#[test]
fn rlock_trylock() {
    let lock = ReentrantMutex::new(());
    let elsewhere =
        || thread::scope(|scope| scope.spawn(|| lock.try_lock().is_some()).join().unwrap());
    let mut held = Vec::new();
    for _ in 0..5 {
        held.push(lock.try_lock().expect("its owner may take it again"));
        assert!(!elsewhere(), "at depth {}", held.len());
    }
    while held.pop().is_some() {
        assert_eq!(elsewhere(), held.is_empty());
    }
}

#[test]
fn rlock_is_mutex() {
    let count = ReentrantMutex::new(Cell::new(0));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..1_000 {
                    let (outer, inner) = (count.lock(), count.lock());
                    inner.set(outer.get() + 1);
                }
            });
        }
    });
    assert_eq!(count.lock().get(), 2_000);
}

#[test]
fn rlock_owned_query() {
    let lock = ReentrantMutex::new(());
    assert!(!lock.is_owned_by_current_thread());
    let _held = lock.lock();
    assert!(lock.is_owned_by_current_thread());
    thread::scope(|scope| {
        scope.spawn(|| assert!(!lock.is_owned_by_current_thread() && lock.is_locked()));
    });
}

#[test]
fn rw_readers_share_writer_excludes() {
    let lock = RwLock::new(0);
    let elsewhere = || {
        let both = || {
            let reads = lock.try_read().is_some();
            (reads, lock.try_write().is_some())
        };
        thread::scope(|scope| scope.spawn(both).join().unwrap())
    };
    let reads = lock.read();
    assert_eq!(elsewhere(), (true, false));
    drop(reads);
    let writes = lock.write();
    assert_eq!(elsewhere(), (false, false));
    drop(writes);
    assert_eq!(elsewhere(), (true, true));
}

#[test]
fn rw_upgradable() {
    let lock = RwLock::new(0);
    let upgradable = lock.upgradable_read();
    thread::scope(|scope| {
        scope.spawn(|| assert!(lock.try_upgradable_read().is_none() && lock.try_write().is_none()));
        scope.spawn(|| assert!(lock.try_read().is_some()));
    });
    let mut writes = RwLockUpgradableReadGuard::try_upgrade(upgradable).expect("nobody reads");
    *writes += 1;
    drop(writes);
    let upgradable = lock.upgradable_read();
    let (there, gone) = (Event::new(), Event::new());
    thread::scope(|scope| {
        scope.spawn(|| {
            let _reads = lock.read();
            there.set();
            gone.wait();
        });
        there.wait();
        let still = RwLockUpgradableReadGuard::try_upgrade(upgradable).expect_err("somebody reads");
        gone.set();
        drop(still);
    });
    assert_eq!(*lock.read(), 1);
}

#[test]
fn rw_recursive_read() {
    let lock = RwLock::new(0);
    let first = lock.read();
    thread::scope(|scope| {
        let writer = scope.spawn(|| *lock.write() += 1);
        // A writer that waits keeps other readers out, but not this one.
        until(|| lock.try_read().is_none());
        assert_eq!(*lock.read_recursive(), 0);
        drop(first);
        writer.join().unwrap();
    });
    assert_eq!(*lock.read(), 1);
}

#[test]
fn rw_issue_203_tls() {
    struct Late(Arc<RwLock<u32>>);
    impl Drop for Late {
        fn drop(&mut self) {
            let seen = *self.0.read();
            *self.0.write() = seen + 1;
        }
    }
    thread_local! {
        static LATE: RefCell<Option<Late>> = const { RefCell::new(None) };
    }
    let lock = Arc::new(RwLock::new(1));
    let late = Late(Arc::clone(&lock));
    thread::spawn(move || LATE.set(Some(late))).join().unwrap();
    assert_eq!(*lock.read(), 2);
}

#[test]
fn rw_issue_430() {
    let lock = RwLock::new(0);
    let reads = lock.read();
    thread::scope(|scope| {
        let writer = scope.spawn(|| lock.try_write_for(SHORT).is_none());
        assert!(writer.join().unwrap());
        // The writer that gave up keeps nobody out.
        let reader = scope.spawn(|| lock.try_read_for(LONG).is_some());
        assert!(reader.join().unwrap());
    });
    drop(reads);
}

#[test]
fn fair_unlock() {
    let lock = Mutex::new(false);
    let mut held = lock.lock();
    thread::scope(|scope| {
        let waits = scope.spawn(|| *lock.lock() = true);
        // Until that one waits, a fair unlock hands over to nobody; then it has the lock before this one.
        while !*held {
            MutexGuard::unlock_fair(held);
            thread::yield_now();
            held = lock.lock();
        }
        drop(held);
        waits.join().unwrap();
    });
    assert!(*lock.lock());
}

#[test]
fn lots_and_lots() {
    let count = Mutex::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..10_000 {
                    *count.lock() += 1;
                }
            });
        }
    });
    assert_eq!(*count.lock(), 20_000);
}

#[test]
fn once_smoke_stampede() {
    static ONCE: Once = Once::new();
    let runs = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                ONCE.call_once(|| {
                    // The others come meanwhile, and none of them goes on before it is done.
                    (0..100).for_each(|_| thread::yield_now());
                    runs.fetch_add(1, SeqCst);
                });
                assert_eq!(runs.load(SeqCst), 1);
            });
        }
    });
}

#[test]
fn once_poison() {
    static ONCE: Once = Once::new();
    assert!(catch_unwind(|| ONCE.call_once(|| panic!("the first"))).is_err());
    assert!(catch_unwind(|| ONCE.call_once(|| ())).is_err());
    let mut was_poisoned = false;
    ONCE.call_once_force(|state| was_poisoned = state.poisoned());
    assert!(was_poisoned);
    ONCE.call_once(|| unreachable!("it is done"));
}
