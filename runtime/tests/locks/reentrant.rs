//! `ReentrantMutex`.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use lockwise::{Rank, ReentrantMutex, ReentrantMutexGuard};

static NESTED: ReentrantMutex<Cell<u32>> = ReentrantMutex::named("nested", Cell::new(0));

/// Whether another thread could take the lock now.
fn free<T: Send>(lock: &ReentrantMutex<T>) -> bool {
    let other = || lock.try_lock().is_some();
    thread::scope(|scope| scope.spawn(other).join().expect("an attempt never panics"))
}

#[test]
fn its_holder_may_take_it_again_in_any_way() {
    let outer = NESTED.lock();
    let guards = [
        NESTED.lock(),
        NESTED.try_lock().unwrap(),
        NESTED.try_lock_for(Duration::ZERO).unwrap(),
        NESTED.try_lock_until(Instant::now()).unwrap(),
    ];
    drop(outer);
    assert!(NESTED.is_owned_by_current_thread());
    assert!(!free(&NESTED), "inner guards keep it");
    drop(guards);
    assert!(free(&NESTED));
    assert!(!NESTED.is_owned_by_current_thread());
    assert!(!NESTED.is_locked());
}

#[test]
#[cfg_attr(miri, ignore = "too many rounds")]
fn threads_exclude_each_other() {
    let count = ReentrantMutex::ranked(Rank(1), Cell::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..1_000 {
                    let mut outer = count.lock();
                    let inner = count.lock();
                    inner.set(outer.get() + 1);
                    drop(inner);
                    ReentrantMutexGuard::bump(&mut outer);
                    ReentrantMutexGuard::unlock_fair(outer);
                }
            });
        }
    });
    assert_eq!(count.into_inner().get(), 4_000);
}

#[test]
fn a_guard_can_own_its_mutex_and_be_of_a_part() {
    let lock = Arc::new(ReentrantMutex::new((Cell::new(1), 2)));
    let first = lock.lock_arc();
    let second = lock.try_lock_arc().unwrap();
    let third = lock.try_lock_arc_for(Duration::ZERO).unwrap();
    let fourth = lock.try_lock_arc_until(Instant::now()).unwrap();
    assert_eq!(Arc::strong_count(&lock), 5);
    let part = ReentrantMutexGuard::map(lock.lock(), |both| &both.0);
    drop((first, second, third, fourth));
    part.set(5);
    assert!(lock.is_locked());
    drop(part);
    assert!(!lock.is_locked());
    assert_eq!(lock.lock().0.get(), 5);
}

#[test]
fn a_value_may_be_unsized() {
    let lock: Arc<ReentrantMutex<[u8]>> = Arc::new(ReentrantMutex::new([1, 2]));
    let outer = lock.lock_arc();
    assert_eq!(lock.lock().len() + outer.len(), 4);
}

#[test]
fn a_guard_can_be_given_up_for_a_moment() {
    let lock = ReentrantMutex::new(1);
    let mut guard = lock.lock();
    assert!(ReentrantMutexGuard::unlocked(&mut guard, || free(&lock)));
    assert!(!free(&lock));
    let inner = lock.lock();
    assert!(!ReentrantMutexGuard::unlocked(&mut guard, || free(&lock)));
    drop(inner);
}

#[test]
fn debug_never_blocks() {
    let lock = ReentrantMutex::new(3);
    assert_eq!(format!("{lock:?}"), "ReentrantMutex { data: 3 }");
    let _guard = lock.lock();
    let elsewhere = thread::scope(|scope| scope.spawn(|| format!("{lock:?}")).join().unwrap());
    assert_eq!(elsewhere, "ReentrantMutex { data: <locked> }");
}

#[test]
fn a_panic_releases_every_depth() {
    let lock = ReentrantMutex::new(());
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _outer = lock.lock();
        let _inner = lock.lock();
        panic!("on purpose");
    }));
    assert!(panicked.is_err());
    assert!(!lock.is_locked());
}

#[test]
fn forgotten_guards_can_be_released() {
    let mut lock = ReentrantMutex::default();
    *lock.get_mut() = 5;
    std::mem::forget(lock.lock());
    std::mem::forget(lock.lock());
    // SAFETY: this thread holds the lock twice, and both guards were forgotten.
    unsafe { lock.force_unlock() };
    assert!(lock.is_locked());
    // SAFETY: once more.
    unsafe { lock.force_unlock_fair() };
    assert!(!lock.is_locked());
    assert_eq!(*lockwise::const_reentrant_mutex(1).lock(), 1);
}
