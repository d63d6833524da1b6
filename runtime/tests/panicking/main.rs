//! A program that chose to panic on findings: nothing is held after the panic that was not before,
//! and what was held still is.
//!
//! A test binary of its own, because the reaction is the whole process'.

#![cfg(feature = "checks")]

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, Location, catch_unwind};
use std::sync::{Arc, Once};
use std::time::Duration;

use lockwise::watch::hooks::held_mode;
use lockwise::{
    Condvar, Mutex, MutexGuard, OnceCell, Rank, Reaction, ReentrantMutex, ReentrantMutexGuard,
    RwLock, RwLockUpgradableReadGuard, set_reaction,
};

/// Runs what must panic because of a finding with this code.
fn refused<T>(code: &str, run: impl FnOnce() -> T) {
    set_reaction(Reaction::Panic);
    let Err(panic) = catch_unwind(AssertUnwindSafe(run)) else {
        panic!("{code} was not found");
    };
    let message = panic.downcast_ref::<String>().expect("a message");
    assert!(message.contains(code), "{message}");
}

/// Where a panic because of a finding with this code says that it happened, by location and in its
/// message.
fn places<T>(code: &str, run: impl FnOnce() -> T) -> [String; 2] {
    thread_local!(static PLACE: Cell<Option<u32>> = const { Cell::new(None) });
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let here = panic.location().filter(|at| at.file() == file!());
            PLACE.set(here.map(Location::line));
            before(panic);
        }));
    });
    set_reaction(Reaction::Panic);
    let Err(panic) = catch_unwind(AssertUnwindSafe(run)) else {
        panic!("{code} was not found");
    };
    let message = panic.downcast_ref::<String>().expect("a message");
    let first = message.lines().next().unwrap_or_default().to_owned();
    let place = PLACE.get().map_or_else(
        || "not here".to_owned(),
        |line| format!("{}:{line}:", file!()),
    );
    [place, first]
}

/// Checks that both places are in the line of this file with this number.
fn are_at(places: &[String; 2], line: u32) {
    let here = format!("{}:{line}:", file!());
    assert_eq!(places[0], here);
    assert!(places[1].contains(&here), "{places:?}");
}

#[test]
fn a_panic_names_the_line_of_the_request() {
    let (mutex, std_mutex) = (Mutex::new(()), lockwise::stdsync::Mutex::new(()));
    let (table, std_table) = (RwLock::new(()), lockwise::stdsync::RwLock::new(()));
    let _held = (
        mutex.lock(),
        std_mutex.lock(),
        table.write(),
        std_table.write(),
    );
    are_at(&places("LW0002", || drop(mutex.lock())), line!());
    are_at(&places("LW0002", || drop(table.read())), line!());
    are_at(&places("LW0002", || drop(table.write())), line!());
    are_at(&places("LW0002", || drop(table.upgradable_read())), line!());
    are_at(&places("LW0002", || drop(std_mutex.lock())), line!());
    are_at(&places("LW0002", || drop(std_table.read())), line!());
    are_at(&places("LW0002", || drop(std_table.write())), line!());
}

#[test]
fn a_panic_behind_a_closure_names_the_line_in_its_message() {
    let lock = Arc::new(Mutex::new(()));
    let _held = lock.lock();
    let places = places("LW0002", || drop(lock.lock_arc()));
    let here = format!("{}:{}:", file!(), line!() - 1);
    assert!(places[1].contains(&here), "{places:?}");
}

#[test]
fn recursive_mutex_reported() {
    let lock = Arc::new(Mutex::new(1));
    let guard = lock.lock();
    refused("LW0002", || drop(lock.lock()));
    refused("LW0002", || drop(lock.lock_arc()));
    assert_eq!(Arc::strong_count(&lock), 1);
    assert_eq!(*guard, 1);
    assert!(lock.is_locked());
    drop(guard);
    assert!(!lock.is_locked());
    assert_eq!(held_mode(lock.identity().unwrap()), None);
    drop(lock.lock());
}

#[test]
fn a_read_write_lock_keeps_its_reader_or_writer() {
    let lock = Arc::new(RwLock::new(1));
    let read = lock.read();
    refused("LW0002", || drop(lock.write()));
    refused("LW0002", || drop(lock.write_arc()));
    drop(read);
    let write = lock.write();
    refused("LW0002", || drop(lock.read()));
    refused("LW0002", || drop(lock.read_recursive()));
    refused("LW0002", || drop(lock.upgradable_read()));
    drop(write);
    assert!(!lock.is_locked());
    assert_eq!(held_mode(lock.identity().unwrap()), None);
}

#[test]
fn a_lower_rank_is_refused_before_it_is_taken() {
    let (low, high) = (
        Mutex::ranked(Rank(1), 0),
        ReentrantMutex::ranked(Rank(2), 0),
    );
    let held = high.lock();
    refused("LW0005", || drop(low.lock()));
    assert!(!low.is_locked());
    drop(held);
    let table = RwLock::ranked(Rank(0), 0);
    let held = low.lock();
    refused("LW0005", || drop(table.read()));
    refused("LW0005", || drop(table.write()));
    drop(held);
    let held = table.read();
    drop((low.lock(), high.lock()));
    drop(held);
    let third = ReentrantMutex::ranked(Rank(0), 0);
    let held = low.lock();
    refused("LW0005", || drop(third.lock()));
    assert!(!third.is_locked());
    drop(held);
    drop(third.lock());
}

#[test]
fn a_guard_that_takes_its_lock_again_is_never_refused() {
    set_reaction(Reaction::Panic);
    let (low, high) = (Mutex::ranked(Rank(1), 0), Mutex::ranked(Rank(2), 0));
    let deep = ReentrantMutex::ranked(Rank(1), 0);
    let mut guard = low.lock();
    let held = high.lock();
    MutexGuard::unlocked(&mut guard, || assert!(!low.is_locked()));
    assert!(low.is_locked());
    MutexGuard::bump(&mut guard);
    assert!(low.is_locked());
    drop((guard, held));
    let mut guard = deep.lock();
    let held = high.lock();
    ReentrantMutexGuard::bump(&mut guard);
    ReentrantMutexGuard::unlocked(&mut guard, || assert!(!deep.is_locked()));
    assert!(deep.is_locked());
    drop((guard, held));
    for who in [low.identity(), high.identity(), deep.identity()] {
        assert_eq!(held_mode(who.unwrap()), None);
    }
    assert!(!low.is_locked() && !high.is_locked() && !deep.is_locked());
}

#[test]
fn an_upgrade_out_of_order_leaves_the_reader() {
    set_reaction(Reaction::Panic);
    let (low, high) = (RwLock::ranked(Rank(1), 0), Mutex::ranked(Rank(2), 0));
    let reader = low.upgradable_read();
    let held = high.lock();
    refused("LW0005", || RwLockUpgradableReadGuard::upgrade(reader));
    assert!(!low.is_locked(), "the guard was given away and unwound");
    drop(held);
    let mut reader = low.upgradable_read();
    let held = high.lock();
    refused("LW0005", || reader.with_upgraded(|value| *value += 1));
    assert!(low.is_locked() && !low.is_locked_exclusive());
    assert_eq!(*reader, 0);
    drop((reader, held));
    assert!(!low.is_locked());
}

#[test]
fn a_wait_out_of_order_leaves_the_mutex_locked() {
    let (low, high) = (Mutex::ranked(Rank(1), 0), Mutex::ranked(Rank(2), 0));
    let condvar = Condvar::new();
    let mut guard = low.lock();
    let held = high.lock();
    refused("LW0005", || condvar.wait(&mut guard));
    assert!(low.is_locked());
    assert!(held_mode(low.identity().unwrap()).is_some());
    drop(held);
    assert!(condvar.wait_for(&mut guard, Duration::ZERO).timed_out());
    drop(guard);
    assert!(!low.is_locked());
}

#[test]
fn an_initialiser_that_needs_itself_can_be_tried_again() {
    let cell = OnceCell::new();
    refused("LW0002", || *cell.get_or_init(|| *cell.get_or_init(|| 1)));
    assert_eq!(held_mode(cell.identity().unwrap()), None);
    assert_eq!(cell.get_or_init(|| 2), &2);
}
