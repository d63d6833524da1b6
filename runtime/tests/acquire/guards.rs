//! What the macros give.

use std::sync::Arc;
use std::time::Duration;

use lockwise::{
    FairMutex, Mutex, MutexGuard, ReentrantMutex, RwLock, RwLockReadGuard,
    RwLockUpgradableReadGuard, RwLockWriteGuard, acquire, stdsync, try_acquire,
};

use super::elsewhere;

#[test]
fn guards_come_back_in_the_order_of_the_arguments() {
    let (a, b, c) = (Mutex::new('a'), Mutex::new("b"), Mutex::new(3));
    {
        let guards: (
            MutexGuard<'_, &str>,
            MutexGuard<'_, i32>,
            MutexGuard<'_, char>,
        ) = acquire!(b, c, a);
        assert_eq!((*guards.0, *guards.1, *guards.2), ("b", 3, 'a'));
    }
    let (mut c, mut a) = acquire!(c, a);
    *c += 1;
    *a = 'z';
    assert_eq!((*a, *c), ('z', 4));
}

#[test]
fn one_argument_gives_a_tuple_of_one() {
    let a = Mutex::new(1);
    let (mut guard,) = acquire!(a);
    *guard += 1;
    drop(guard);
    assert_eq!(a.into_inner(), 2);
}

#[test]
fn twelve_locks_are_not_too_many() {
    let locks: [Mutex<usize>; 12] = std::array::from_fn(Mutex::new);
    let guards = acquire!(
        locks[11], locks[10], locks[9], locks[8], locks[7], locks[6], locks[5], locks[4], locks[3],
        locks[2], locks[1], locks[0],
    );
    assert_eq!((*guards.0, *guards.11), (11, 0));
    assert!(locks.iter().all(Mutex::is_locked));
    drop(guards);
    assert!(!locks.iter().any(Mutex::is_locked));
}

#[test]
fn empty_set() {
    let () = acquire!();
    acquire!();
    let () = try_acquire!().unwrap();
    let () = acquire!(; timeout Duration::ZERO).unwrap();
    let () = acquire!(crate = lockwise);
    // What is held already stays so.
    let (a, b) = (Mutex::new(1), Mutex::new(2));
    let held = acquire!(b, a);
    acquire!();
    let () = try_acquire!().unwrap();
    assert!(a.is_locked() && b.is_locked());
    assert!(elsewhere(
        || try_acquire!(a).is_err() && try_acquire!(b).is_err()
    ));
    drop(held);
}

#[test]
fn a_trailing_comma_changes_nothing() {
    let (a, b) = (Mutex::new(1), Mutex::new(2));
    let (x, y) = acquire!(a, b,);
    assert_eq!(*x + *y, 3);
    drop((x, y));
    let (x,) = acquire!(a,; timeout Duration::from_secs(1)).unwrap();
    assert_eq!(*x, 1);
}

#[test]
fn modes_give_the_guards_of_the_modes() {
    let (a, b) = (RwLock::new(1), RwLock::new(2));
    let (c, d) = (RwLock::new(3), RwLock::new(4));
    let guards: (
        RwLockReadGuard<'_, i32>,
        RwLockWriteGuard<'_, i32>,
        RwLockUpgradableReadGuard<'_, i32>,
        RwLockWriteGuard<'_, i32>,
    ) = acquire!(read a, write b, upgradable c, d);
    assert!(a.try_read().is_some() && a.try_write().is_none());
    assert!(b.try_read().is_none());
    assert!(c.try_read().is_some() && c.try_upgradable_read().is_none());
    assert!(d.try_read().is_none());
    let mut c = RwLockUpgradableReadGuard::upgrade(guards.2);
    *c += 10;
    assert_eq!(*c, 13);
}

#[test]
fn readers_share() {
    let (a, b) = (RwLock::new(1), RwLock::new(2));
    let _held = acquire!(read a, read b);
    elsewhere(|| assert!(try_acquire!(read a, read b).is_ok()));
    elsewhere(|| assert!(try_acquire!(read a, write b).is_err()));
}

#[test]
fn every_kind_of_lock_can_be_taken_with_every_other() {
    let (mutex, rwlock) = (Mutex::new(1), RwLock::new(2));
    let (fair, reentrant) = (FairMutex::new(3), ReentrantMutex::new(4));
    let (std_mutex, std_rwlock) = (stdsync::Mutex::new(5), stdsync::RwLock::new(6));
    let guards = acquire!(read std_rwlock, std_mutex, reentrant, fair, read rwlock, mutex);
    let (std_rwlock, std_mutex) = (guards.0.unwrap(), guards.1.unwrap());
    let plain = *guards.2 + *guards.3 + *guards.4 + *guards.5;
    assert_eq!(*std_rwlock + *std_mutex + plain, 21);
}

#[test]
fn what_is_behind_a_lock_may_be_unsized() {
    let words: Arc<Mutex<[i32]>> = Arc::new(Mutex::new([1, 2, 3]));
    let text: &Mutex<dyn std::fmt::Display> = &Mutex::new(7);
    let (words, text) = acquire!(words, text);
    assert_eq!((words.len(), text.to_string().as_str()), (3, "7"));
}
