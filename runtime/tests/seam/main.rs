//! What the std-shaped types tell the watcher, and when.
//!
//! The folders `stdsync` and `thread` are compiled here a second time, over a watcher that only
//! writes down what it hears. That they compile shows too that they need nothing else of the crate.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;

#[expect(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "a part of the crate, and each test uses a part of that"
)]
#[path = "../../src/stdsync/mod.rs"]
mod stdsync;
#[expect(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "a part of the crate, and each test uses a part of that"
)]
#[path = "../../src/thread/mod.rs"]
mod thread;
mod watch;

mod once;
mod threads;
mod waiting;

use stdsync::{Condvar, LazyLock, Mutex, Named, Once, OnceLock, RwLock, RwLockWriteGuard};
use watch::{Rank, told};

fn assert_told(expected: &[&str]) {
    assert_eq!(told(), expected);
}

fn panics<T>(f: impl FnOnce() -> T) {
    assert!(catch_unwind(AssertUnwindSafe(f)).is_err());
}

/// Runs `first` until it says that the lock is held, then `second` on another thread until that is
/// blocked, then the rest of `first`; returns what the second thread told.
fn while_held(first: impl FnOnce(&dyn Fn()), second: impl FnOnce() + Send) -> Vec<String> {
    const BOTH_LIVE: &str = "both threads live until the end";
    let (tell_held, held) = mpsc::channel();
    let (tell_blocked, blocked) = mpsc::channel();
    std::thread::scope(|scope| {
        let other = scope.spawn(move || {
            held.recv().expect(BOTH_LIVE);
            watch::when_blocked(move || tell_blocked.send(()).expect(BOTH_LIVE));
            second();
            told()
        });
        first(&|| {
            tell_held.send(()).expect(BOTH_LIVE);
            blocked.recv().expect(BOTH_LIVE);
        });
        other.join().expect("it does not panic")
    })
}

#[test]
fn a_lock_is_requested_acquired_and_released() {
    let mutex = Mutex::named("m", 1);
    drop(mutex.lock());
    assert_told(&[
        "request m Exclusive Wait",
        "acquired m Exclusive Wait",
        "released m Exclusive",
    ]);
    let lock = RwLock::named("rw", 1);
    drop(lock.read());
    drop(lock.write());
    assert_told(&[
        "request rw Shared Wait",
        "acquired rw Shared Wait",
        "released rw Shared",
        "request rw Exclusive Wait",
        "acquired rw Exclusive Wait",
        "released rw Exclusive",
    ]);
}

#[test]
fn trying_is_told_only_if_it_succeeds() {
    let mutex = Mutex::named("m", 1);
    let guard = mutex.try_lock();
    assert_told(&["acquired m Exclusive Try"]);
    assert!(mutex.try_lock().is_err());
    assert_told(&[]);
    drop(guard);
    assert_told(&["released m Exclusive"]);

    let lock = RwLock::named("rw", 1);
    let reader = lock.try_read();
    assert!(lock.try_write().is_err());
    assert_told(&["acquired rw Shared Try"]);
    drop(reader);
    let writer = lock.try_write();
    assert!(lock.try_read().is_err());
    assert_told(&["released rw Shared", "acquired rw Exclusive Try"]);
    drop(writer);
    assert_told(&["released rw Exclusive"]);
}

#[test]
fn a_downgrade_is_told_before_readers_come() {
    let lock = RwLock::named("rw", 1);
    let writer = lock.write().unwrap();
    told();
    // An older std cannot do it and panics, which is a release too.
    let downgrade = || drop(RwLockWriteGuard::downgrade(writer));
    let _either = catch_unwind(AssertUnwindSafe(downgrade));
    assert_told(&["changed rw Exclusive Shared", "released rw Shared"]);
}

#[test]
fn a_poisoned_lock_is_acquired_all_the_same() {
    let mutex = Mutex::named("m", 1);
    panics(|| {
        let _guard = mutex.lock();
        panic!("while it is held");
    });
    // Released also while unwinding.
    assert_eq!(told().last().unwrap(), "released m Exclusive");
    assert!(mutex.is_poisoned());
    drop(mutex.lock().unwrap_err());
    drop(mutex.try_lock().unwrap_err());
    assert_told(&[
        "request m Exclusive Wait",
        "acquired m Exclusive Wait",
        "released m Exclusive",
        "acquired m Exclusive Try",
        "released m Exclusive",
    ]);
}

#[test]
fn a_refused_request_takes_nothing() {
    let mutex = Mutex::named("m", 1);
    let lock = RwLock::named("rw", 1);
    let once = Once::named("o", ());
    let cell = OnceLock::named("c", ());
    let lazy = LazyLock::named("l", || 1);
    let requests: [&dyn Fn(); 5] = [
        &|| drop(mutex.lock()),
        &|| drop(lock.write()),
        &|| once.call_once(|| ()),
        &|| assert!(cell.set(1).is_ok()),
        &|| assert_eq!(*lazy, 1),
    ];
    for request in requests {
        watch::refuse_next();
        panics(request);
        assert_eq!(told().len(), 1);
    }
    for request in requests {
        request();
    }
    assert!(!mutex.is_poisoned() && !lock.is_poisoned());
    assert!(once.is_completed());
}

#[test]
fn who_must_wait_says_so_before() {
    let mutex = Mutex::named("m", ());
    let waiter = while_held(
        |held| {
            let _guard = mutex.lock();
            held();
        },
        || drop(mutex.lock()),
    );
    assert_eq!(
        waiter,
        [
            "request m Exclusive Wait",
            "blocked m Exclusive Wait",
            "unblocked",
            "acquired m Exclusive Wait",
            "released m Exclusive",
        ]
    );

    let lock = RwLock::named("rw", ());
    let waiter = while_held(
        |held| {
            let _guard = lock.write();
            held();
        },
        || drop(lock.read()),
    );
    assert_eq!(waiter[1], "blocked rw Shared Wait");
    let waiter = while_held(
        |held| {
            let _guard = lock.read();
            held();
        },
        || drop(lock.write()),
    );
    assert_eq!(waiter[1], "blocked rw Exclusive Wait");
}

#[test]
fn guards_may_be_dropped_in_any_order_and_forgotten() {
    let (a, b) = (Mutex::named("a", 1), Mutex::named("b", 1));
    let (first, second) = (a.lock(), b.lock());
    told();
    drop(first);
    drop(second);
    assert_told(&["released a Exclusive", "released b Exclusive"]);
    std::mem::forget(a.lock());
    assert_told(&["request a Exclusive Wait", "acquired a Exclusive Wait"]);
}

#[test]
fn an_object_knows_where_it_was_made_and_of_what() {
    // The watcher of this test asserts for every object that it was made in this folder.
    drop(Mutex::new(1_u8).lock());
    drop(Mutex::from(1_u16).lock());
    drop(Mutex::<u32>::default().lock());
    drop(RwLock::<u64>::default().read());
    assert!(OnceLock::<i8>::default().set(1).is_ok());
    assert!(OnceLock::<i16>::new().clone().set(1).is_ok());
    drop(RwLock::ranked(Rank(7), ()).read());
    drop(Mutex::named_ranked("m", Rank(8), ()).lock());
    assert_eq!(*LazyLock::<i32>::default(), 0);
    Condvar::default().notify_one();
    let requests = told()
        .into_iter()
        .filter(|told| told.starts_with("request"));
    let labels: Vec<String> = requests
        .map(|told| told.trim_start_matches("request ").to_owned())
        .collect();
    assert_eq!(
        labels,
        [
            "Mutex of u8 Exclusive Wait",
            "Mutex of u16 Exclusive Wait",
            "Mutex of u32 Exclusive Wait",
            "RwLock of u64 Shared Wait",
            "OnceCell of i8 Exclusive Wait",
            "OnceCell of i16 Exclusive Wait",
            "RwLock of rank 7 Shared Wait",
            "m of rank 8 Exclusive Wait",
            "Lazy of i32 Exclusive Wait",
        ]
    );
}
