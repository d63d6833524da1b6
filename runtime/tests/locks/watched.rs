//! What the watcher is told: who a lock is, in which mode it is held, and from where.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use lockwise::watch::hooks::{held_mode, held_since};
use lockwise::watch::{Identity, Kind, Mode};
use lockwise::{
    Condvar, FairMutex, Lazy, MappedMutexGuard, Mutex, MutexGuard, Once, OnceCell, Rank,
    ReentrantMutex, ReentrantMutexGuard, RwLock, RwLockReadGuard, RwLockUpgradableReadGuard,
    RwLockWriteGuard, Semaphore,
};

static IN_STATIC: Mutex<u32> = Mutex::new(0);
static LAZY: Lazy<Option<Mode>> = Lazy::new(|| mode(Lazy::identity(&LAZY)));

/// Takes a lock and expects this thread to hold it then, in this mode, from this very line; and not
/// any more when the guard is gone.
macro_rules! held_from_here {
    ($lock:expr, $mode:ident, $take:expr) => {
        let guard = $take;
        let who = $lock.identity().unwrap();
        assert_eq!(held_mode(who), Some(Mode::$mode));
        let site = held_since(who).unwrap();
        assert_eq!((site.file(), site.line()), (file!(), line!()));
        drop(guard);
        assert_eq!(held_mode(who), None);
    };
}

/// Far enough away that no test reaches it.
fn far() -> Instant {
    Instant::now() + Duration::from_secs(600)
}

fn mode(who: Option<&Identity>) -> Option<Mode> {
    held_mode(who.expect("checks are on"))
}

#[test]
fn mutexes_are_held_from_where_they_were_locked() {
    let second = Duration::from_secs(1);
    let lock = Arc::new(Mutex::new(0));
    held_from_here!(lock, Exclusive, lock.lock());
    held_from_here!(lock, Exclusive, lock.try_lock().unwrap());
    held_from_here!(lock, Exclusive, lock.try_lock_for(second).unwrap());
    held_from_here!(lock, Exclusive, lock.try_lock_until(far()).unwrap());
    held_from_here!(lock, Exclusive, lock.lock_arc());
    held_from_here!(lock, Exclusive, lock.try_lock_arc().unwrap());
    held_from_here!(lock, Exclusive, lock.try_lock_arc_for(second).unwrap());
    held_from_here!(lock, Exclusive, lock.try_lock_arc_until(far()).unwrap());
    held_from_here!(IN_STATIC, Exclusive, IN_STATIC.lock());
    let fair = Arc::new(FairMutex::new(0));
    held_from_here!(fair, Exclusive, fair.lock());
    held_from_here!(fair, Exclusive, fair.lock_arc());
}

#[test]
fn reentrant_mutexes_are_held_from_where_they_were_first_locked() {
    let second = Duration::from_secs(1);
    let lock = Arc::new(ReentrantMutex::new(0));
    held_from_here!(lock, Reentrant, lock.lock());
    held_from_here!(lock, Reentrant, lock.try_lock().unwrap());
    held_from_here!(lock, Reentrant, lock.try_lock_for(second).unwrap());
    held_from_here!(lock, Reentrant, lock.try_lock_until(far()).unwrap());
    held_from_here!(lock, Reentrant, lock.lock_arc());
    held_from_here!(lock, Reentrant, lock.try_lock_arc().unwrap());
    held_from_here!(lock, Reentrant, lock.try_lock_arc_for(second).unwrap());
    held_from_here!(lock, Reentrant, lock.try_lock_arc_until(far()).unwrap());

    let outer = lock.lock();
    let inner = lock.lock();
    drop(outer);
    assert_eq!(mode(lock.identity()), Some(Mode::Reentrant));
    drop(inner);
    assert_eq!(mode(lock.identity()), None);
    // A site that re-entering did not use is not left behind for the next lock.
    let other = Mutex::new(0);
    let outer = lock.lock();
    drop(lock.lock());
    held_from_here!(other, Exclusive, other.try_lock_for(second).unwrap());
    drop(outer);
}

#[test]
fn read_write_locks_are_held_from_where_they_were_taken() {
    let second = Duration::from_secs(1);
    let lock = Arc::new(RwLock::new(0));
    held_from_here!(lock, Shared, lock.read());
    held_from_here!(lock, Shared, lock.try_read().unwrap());
    held_from_here!(lock, Shared, lock.try_read_for(second).unwrap());
    held_from_here!(lock, Shared, lock.try_read_until(far()).unwrap());
    held_from_here!(lock, Shared, lock.read_arc());
    held_from_here!(lock, Shared, lock.try_read_arc().unwrap());
    held_from_here!(lock, RecursiveShared, lock.read_recursive());
    held_from_here!(lock, RecursiveShared, lock.try_read_recursive().unwrap());
    held_from_here!(lock, RecursiveShared, lock.read_arc_recursive());
    held_from_here!(lock, Exclusive, lock.write());
    held_from_here!(lock, Exclusive, lock.try_write().unwrap());
    held_from_here!(lock, Exclusive, lock.try_write_for(second).unwrap());
    held_from_here!(lock, Exclusive, lock.try_write_until(far()).unwrap());
    held_from_here!(lock, Exclusive, lock.write_arc());
    held_from_here!(lock, Upgradable, lock.upgradable_read());
    held_from_here!(lock, Upgradable, lock.try_upgradable_read().unwrap());
    held_from_here!(lock, Upgradable, lock.upgradable_read_arc());
}

#[test]
fn modes_follow_upgrades_and_downgrades() {
    let lock = RwLock::new(0);
    let now = || mode(lock.identity());
    let upgradable = RwLockWriteGuard::downgrade_to_upgradable(lock.write());
    assert_eq!(now(), Some(Mode::Upgradable));
    let write = RwLockUpgradableReadGuard::upgrade(upgradable);
    assert_eq!(now(), Some(Mode::Exclusive));
    let read = RwLockWriteGuard::downgrade(write);
    assert_eq!(now(), Some(Mode::Shared));
    drop(read);
    let mut upgradable = lock.upgradable_read();
    upgradable.with_upgraded(|_| assert_eq!(now(), Some(Mode::Exclusive)));
    assert_eq!(now(), Some(Mode::Upgradable));
    let write = RwLockUpgradableReadGuard::try_upgrade(upgradable).unwrap();
    assert_eq!(now(), Some(Mode::Exclusive));
    drop(write);
    let upgradable = lock.upgradable_read();
    let second = Duration::from_secs(1);
    let write = RwLockUpgradableReadGuard::try_upgrade_for(upgradable, second).unwrap();
    assert_eq!(now(), Some(Mode::Exclusive));
    drop(write);
    let upgradable = lock.upgradable_read();
    let reader = thread::scope(|scope| {
        scope
            .spawn(|| std::mem::forget(lock.read()))
            .join()
            .unwrap();
        RwLockUpgradableReadGuard::try_upgrade_for(upgradable, Duration::ZERO).unwrap_err()
    });
    assert_eq!(now(), Some(Mode::Upgradable));
    drop(RwLockUpgradableReadGuard::downgrade(reader));
    assert_eq!(now(), None);
}

#[test]
fn a_moment_without_the_lock_is_one_for_the_watcher_too() {
    let lock = Mutex::new(0);
    let now = || mode(lock.identity());
    let mut guard = lock.lock();
    MutexGuard::unlocked(&mut guard, || assert_eq!(now(), None));
    assert_eq!(now(), Some(Mode::Exclusive));
    let site = held_since(lock.identity().unwrap()).unwrap();
    assert!(site.file().contains("lock_api"), "a known limit: {site}");
    MutexGuard::bump(&mut guard);
    let site = held_since(lock.identity().unwrap()).unwrap();
    assert_eq!((site.file(), site.line()), (file!(), line!() - 2));
    let mut part = MutexGuard::map(guard, |value| value);
    *part += 1;
    assert_eq!(now(), Some(Mode::Exclusive));
    MappedMutexGuard::unlock_fair(part);
    assert_eq!(now(), None);

    let lock = RwLock::new(0);
    let now = || mode(lock.identity());
    let mut read = lock.read();
    RwLockReadGuard::unlocked(&mut read, || assert_eq!(now(), None));
    RwLockReadGuard::bump(&mut read);
    assert_eq!(now(), Some(Mode::Shared));
    drop(read);
    assert_eq!(now(), None);

    let lock = ReentrantMutex::new(0);
    let now = || mode(lock.identity());
    let mut guard = lock.lock();
    ReentrantMutexGuard::bump(&mut guard);
    assert_eq!(now(), Some(Mode::Reentrant));
    ReentrantMutexGuard::unlocked(&mut guard, || assert_eq!(now(), None));
    drop(guard);
    assert_eq!(now(), None);
}

#[test]
fn a_wait_holds_the_mutex_again_from_where_it_waited() {
    let (lock, condvar) = (Mutex::new(0), Condvar::new());
    let now = || mode(lock.identity());
    let mut guard = lock.lock();
    assert!(condvar.wait_for(&mut guard, Duration::ZERO).timed_out());
    let site = held_since(lock.identity().unwrap()).unwrap();
    assert_eq!((site.file(), site.line()), (file!(), line!() - 2));
    drop(guard);
    assert_eq!(now(), None);
}

#[test]
fn nothing_is_held_after_a_panic() {
    let (mutex, table) = (Mutex::new(0), RwLock::new(0));
    let cell = OnceCell::<u32>::new();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _mutex = mutex.lock();
        let _table = table.read();
        cell.get_or_init(|| panic!("on purpose"));
    }));
    assert!(panicked.is_err());
    for who in [mutex.identity(), table.identity(), cell.identity()] {
        assert_eq!(mode(who), None);
    }
}

#[test]
fn an_object_is_held_while_it_is_initialised() {
    let once = Once::new();
    once.call_once(|| assert_eq!(mode(once.identity()), Some(Mode::Exclusive)));
    assert_eq!(mode(once.identity()), None);
    let cell = OnceCell::new();
    cell.get_or_init(|| assert_eq!(mode(cell.identity()), Some(Mode::Exclusive)));
    assert_eq!(mode(cell.identity()), None);
    assert_eq!(*LAZY, Some(Mode::Exclusive));
    assert_eq!(mode(Lazy::identity(&LAZY)), None);
    let waited = OnceCell::new();
    thread::scope(|scope| {
        scope.spawn(|| waited.set(1).unwrap());
        assert_eq!(waited.wait(), &1);
    });
    assert_eq!(mode(waited.identity()), None);
}

#[test]
fn an_object_knows_its_kind_its_name_and_where_it_was_made() {
    let lock = Mutex::named_ranked("accounts", Rank(7), vec![1_u8]);
    let line = line!() - 1;
    let who = lock.identity().unwrap();
    let class = who.class();
    assert_eq!((class.kind, class.name), (Kind::Mutex, Some("accounts")));
    assert_eq!((class.born.file(), class.born.line()), (file!(), line));
    assert!(class.type_name.ends_with("Vec<u8>"));
    assert_eq!(who.rank(), Some(Rank(7)));
    let kinds = [
        (
            FairMutex::new(0).identity().map(Identity::kind),
            Kind::FairMutex,
        ),
        (
            ReentrantMutex::from(0).identity().map(Identity::kind),
            Kind::ReentrantMutex,
        ),
        (
            RwLock::<u8>::default().identity().map(Identity::kind),
            Kind::RwLock,
        ),
        (Condvar::new().identity().map(Identity::kind), Kind::Condvar),
        (Once::new().identity().map(Identity::kind), Kind::Once),
        (
            OnceCell::from(1).identity().map(Identity::kind),
            Kind::OnceCell,
        ),
        (
            Semaphore::new(1).identity().map(Identity::kind),
            Kind::Semaphore,
        ),
    ];
    for (kind, expected) in kinds {
        assert_eq!(kind, Some(expected));
    }
    let made_by_default = RwLock::<u8>::default();
    let born = made_by_default.identity().unwrap().class().born;
    assert_eq!((born.file(), born.line()), (file!(), line!() - 2));
}
