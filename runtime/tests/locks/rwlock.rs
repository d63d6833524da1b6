//! `RwLock`: readers, recursive readers, upgradable readers and writers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use lockwise::{
    ArcRwLockUpgradableReadGuard, ArcRwLockWriteGuard, RwLock, RwLockReadGuard,
    RwLockUpgradableReadGuard, RwLockWriteGuard,
};

static TABLE: RwLock<Vec<u32>> = RwLock::named("table", Vec::new());

/// Far enough away that no test reaches it.
fn far() -> Instant {
    Instant::now() + Duration::from_secs(600)
}

/// Which modes another acquisition could have now: read, upgradable, write.
fn free<T>(lock: &RwLock<T>) -> (bool, bool, bool) {
    let read = lock.try_read().is_some();
    let upgradable = lock.try_upgradable_read().is_some();
    let write = lock.try_write().is_some();
    (read, upgradable, write)
}

#[test]
fn each_mode_lets_in_what_it_should() {
    TABLE.write().push(1);
    let lock = RwLock::new(0);
    assert_eq!(free(&lock), (true, true, true));
    let read = lock.read();
    assert_eq!(free(&lock), (true, true, false));
    assert!(lock.is_locked() && !lock.is_locked_exclusive());
    drop(read);
    let upgradable = lock.upgradable_read();
    assert_eq!(free(&lock), (true, false, false));
    drop(upgradable);
    let write = lock.write();
    assert_eq!(free(&lock), (false, false, false));
    assert!(lock.is_locked_exclusive());
    drop(write);
    assert_eq!(free(&lock), (true, true, true));
}

#[test]
fn timed_attempts_give_up_and_succeed() {
    let short = Duration::from_millis(1);
    let lock = RwLock::new(0);
    let write = lock.write();
    assert!(lock.try_read_for(short).is_none());
    assert!(lock.try_read_until(Instant::now()).is_none());
    assert!(lock.try_read_recursive_for(short).is_none());
    assert!(lock.try_read_recursive_until(Instant::now()).is_none());
    assert!(lock.try_upgradable_read_for(short).is_none());
    assert!(lock.try_upgradable_read_until(Instant::now()).is_none());
    assert!(lock.try_write_for(short).is_none());
    assert!(lock.try_write_until(Instant::now()).is_none());
    drop(write);
    drop((
        lock.try_read_for(short).unwrap(),
        lock.try_read_until(far()).unwrap(),
    ));
    drop(lock.try_read_recursive_for(short).unwrap());
    drop(lock.try_read_recursive_until(far()).unwrap());
    drop(lock.try_read_recursive().unwrap());
    drop(lock.try_upgradable_read_for(short).unwrap());
    drop(lock.try_upgradable_read_until(far()).unwrap());
    drop(lock.try_write_for(short).unwrap());
    drop(lock.try_write_until(far()).unwrap());
    assert!(!lock.is_locked());
}

#[test]
fn an_upgrade_waits_for_the_readers() {
    let lock = RwLock::new(1);
    let (holds, is_held) = channel();
    let (release, is_released) = channel::<()>();
    thread::scope(|scope| {
        let lock = &lock;
        scope.spawn(move || {
            let guard = lock.read();
            holds.send(()).unwrap();
            is_released.recv().unwrap();
            drop(guard);
        });
        is_held.recv().unwrap();
        let guard = lock.upgradable_read();
        let guard = RwLockUpgradableReadGuard::try_upgrade(guard).unwrap_err();
        let guard = RwLockUpgradableReadGuard::try_upgrade_for(guard, Duration::from_millis(1));
        let guard = RwLockUpgradableReadGuard::try_upgrade_until(
            guard.unwrap_err(),
            Instant::now() + Duration::from_millis(1),
        );
        let guard = guard.unwrap_err();
        release.send(()).unwrap();
        let mut guard = RwLockUpgradableReadGuard::upgrade(guard);
        *guard += 1;
        assert!(lock.is_locked_exclusive());
    });
    assert_eq!(lock.into_inner(), 2);
}

#[test]
fn modes_change_down_and_up() {
    let lock = RwLock::new(1);
    let upgradable = RwLockWriteGuard::downgrade_to_upgradable(lock.write());
    assert_eq!(free(&lock), (true, false, false));
    let mut write = RwLockUpgradableReadGuard::try_upgrade(upgradable).unwrap();
    *write = 2;
    let read = RwLockWriteGuard::downgrade(write);
    assert_eq!(free(&lock), (true, true, false));
    drop(read);
    let mut upgradable = lock.upgradable_read();
    upgradable.with_upgraded(|value| *value += 1);
    assert_eq!(upgradable.try_with_upgraded(|value| *value), Some(3));
    let timed = upgradable.try_with_upgraded_for(Duration::ZERO, |value| *value);
    assert_eq!(timed, Some(3));
    assert_eq!(free(&lock), (true, false, false));
    let read = RwLockUpgradableReadGuard::downgrade(upgradable);
    assert_eq!(free(&lock), (true, true, false));
    drop(read);
    assert!(!lock.is_locked());
}

#[test]
fn a_recursive_read_passes_a_waiting_writer() {
    let lock = Arc::new(RwLock::new(1));
    let outer = lock.read();
    let (asks, asked) = channel();
    let writer = thread::spawn({
        let lock = Arc::clone(&lock);
        move || {
            asks.send(()).unwrap();
            *lock.write() += 1;
        }
    });
    asked.recv().unwrap();
    // A plain attempt fails as soon as the writer waits; until then it succeeds.
    while lock.try_read().is_some() {
        thread::yield_now();
    }
    assert_eq!(
        *lock.read_recursive() + *lock.try_read_recursive().unwrap(),
        2
    );
    let own = (lock.read_arc_recursive(), lock.try_read_recursive_arc());
    assert!(own.1.is_some());
    drop((own, outer));
    writer.join().unwrap();
    assert_eq!(*lock.read(), 2);
}

#[test]
fn guards_of_parts_release_the_whole() {
    let lock = RwLock::new((1, 2));
    let read = RwLockReadGuard::map(lock.read(), |both| &both.1);
    assert_eq!((*read, lock.is_locked()), (2, true));
    drop(read);
    let mut write = RwLockWriteGuard::map(lock.write(), |both| &mut both.1);
    *write = 3;
    drop(write);
    assert!(!lock.is_locked());
    assert_eq!(*lock.read(), (1, 3));
}

#[test]
fn guards_can_own_their_lock() {
    let short = Duration::from_millis(1);
    let lock = Arc::new(RwLock::new(1));
    let reads = (
        lock.read_arc(),
        lock.try_read_arc().unwrap(),
        lock.try_read_arc_for(short).unwrap(),
        lock.try_read_arc_until(far()).unwrap(),
        lock.try_read_arc_recursive_for(short).unwrap(),
        lock.try_read_arc_recursive_until(far()).unwrap(),
    );
    assert_eq!(Arc::strong_count(&lock), 7);
    assert!(lock.try_write_arc().is_none());
    assert!(lock.try_write_arc_for(short).is_none());
    assert!(lock.try_write_arc_until(Instant::now()).is_none());
    drop(reads);
    *lock.write_arc() += 1;
    let upgradable = lock.upgradable_read_arc();
    assert!(lock.try_upgradable_read_arc().is_none());
    assert!(lock.try_upgradable_read_arc_for(short).is_none());
    assert!(lock.try_upgradable_read_arc_until(Instant::now()).is_none());
    let mut write = ArcRwLockUpgradableReadGuard::upgrade(upgradable);
    *write += 1;
    drop(ArcRwLockWriteGuard::downgrade(write));
    assert_eq!((*lock.read(), Arc::strong_count(&lock)), (3, 1));
}

#[test]
#[cfg_attr(miri, ignore = "too many rounds")]
fn fair_releases_and_bumps_keep_the_count() {
    let lock = RwLock::new(0);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..500 {
                    let mut write = lock.write();
                    *write += 1;
                    RwLockWriteGuard::bump(&mut write);
                    RwLockWriteGuard::unlock_fair(write);
                    let mut upgradable = lock.upgradable_read();
                    RwLockUpgradableReadGuard::bump(&mut upgradable);
                    RwLockUpgradableReadGuard::unlock_fair(upgradable);
                    let mut read = lock.read();
                    RwLockReadGuard::bump(&mut read);
                    RwLockReadGuard::unlock_fair(read);
                }
            });
        }
    });
    assert!(!lock.is_locked());
    assert_eq!(lock.into_inner(), 1_500);
}

#[test]
fn guards_can_be_given_up_for_a_moment() {
    let lock = RwLock::new(1);
    let mut write = lock.write();
    RwLockWriteGuard::unlocked(&mut write, || *lock.write() += 1);
    drop(write);
    let mut read = lock.read();
    RwLockReadGuard::unlocked(&mut read, || *lock.write() += 1);
    drop(read);
    let mut upgradable = lock.upgradable_read();
    RwLockUpgradableReadGuard::unlocked(&mut upgradable, || *lock.write() += 1);
    assert_eq!(*upgradable, 4);
    assert_eq!(free(&lock), (true, false, false));
}

#[test]
fn a_value_may_be_unsized() {
    let lock: Arc<RwLock<[u8]>> = Arc::new(RwLock::new([1, 2]));
    lock.write_arc()[0] = 3;
    assert_eq!(*lock.read(), [3, 2]);
    let shown: Box<RwLock<dyn std::fmt::Debug>> = Box::new(RwLock::new("x"));
    assert_eq!(format!("{:?}", &*shown.upgradable_read()), "\"x\"");
}

#[test]
fn debug_never_blocks() {
    let lock = RwLock::new(5);
    let read = lock.read();
    assert_eq!(format!("{lock:?}"), "RwLock { data: 5 }");
    drop(read);
    let _write = lock.write();
    assert_eq!(format!("{lock:?}"), "RwLock { data: <locked> }");
}

#[test]
fn a_panic_poisons_nothing_and_leaves_nothing_held() {
    let lock = RwLock::new(1);
    for mode in 0..3 {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _guards = match mode {
                0 => (Some(lock.read()), None, None),
                1 => (None, Some(lock.write()), None),
                _ => (None, None, Some(lock.upgradable_read())),
            };
            panic!("on purpose");
        }));
        assert!(panicked.is_err());
        assert!(!lock.is_locked());
    }
}

#[test]
fn forgotten_guards_can_be_released() {
    let mut lock = RwLock::default();
    *lock.get_mut() = 1;
    std::mem::forget((lock.read(), lock.read()));
    // SAFETY: the lock is read twice, by guards that were forgotten.
    unsafe { lock.force_unlock_read() };
    // SAFETY: once more.
    unsafe { lock.force_unlock_read_fair() };
    std::mem::forget(lock.write());
    // SAFETY: the writer's guard was forgotten.
    unsafe { lock.force_unlock_write() };
    std::mem::forget(lock.write());
    // SAFETY: as above.
    unsafe { lock.force_unlock_write_fair() };
    std::mem::forget(lock.upgradable_read());
    // SAFETY: the upgradable reader's guard was forgotten.
    drop(unsafe { lock.make_upgradable_guard_unchecked() });
    assert!(!lock.is_locked());
    assert_eq!(*lockwise::const_rwlock(1).read(), 1);
}
