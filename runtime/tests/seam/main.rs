//! What the std-shaped types tell the watcher, and when.
//!
//! The folders `stdsync` and `thread` are compiled here a second time, over a watcher that only
//! writes down what it hears. That they compile shows too that they need nothing else of the crate.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::time::Duration;

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

use stdsync::{
    Barrier, Condvar, LazyLock, Mutex, Named, Once, OnceLock, RwLock, RwLockWriteGuard,
    TryLockError,
};
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
fn a_wait_gives_the_mutex_back_and_takes_it_again() {
    let (mutex, condvar) = (Mutex::named("m", false), Condvar::named("c", ()));
    std::thread::scope(|scope| {
        let mut ready = mutex.lock().unwrap();
        told();
        scope.spawn(|| {
            *mutex.lock().unwrap() = true;
            told();
            condvar.notify_one();
            condvar.notify_all();
            assert_told(&["notified c one", "notified c all"]);
        });
        while !*ready {
            ready = condvar.wait(ready).unwrap();
            assert_told(&["waiting c m Exclusive Wait", "woken c m Exclusive"]);
        }
        drop(ready);
        assert_told(&["released m Exclusive"]);
    });
}

#[test]
fn a_refused_wait_releases_the_mutex_as_any_panic_does() {
    let (mutex, condvar) = (Mutex::named("m", ()), Condvar::named("c", ()));
    let guard = mutex.lock().unwrap();
    told();
    watch::refuse_next();
    panics(|| condvar.wait(guard));
    assert_told(&["waiting c m Exclusive Wait", "released m Exclusive"]);
    assert!(mutex.is_poisoned());
    assert!(
        mutex
            .try_lock()
            .is_err_and(|error| matches!(error, TryLockError::Poisoned(_)))
    );
}

#[test]
fn a_timed_wait_is_told_as_such() {
    let (mutex, condvar) = (Mutex::named("m", ()), Condvar::named("c", ()));
    let guard = mutex.lock().unwrap();
    told();
    let (guard, _) = condvar.wait_timeout(guard, Duration::ZERO).unwrap();
    assert_told(&["waiting c m Exclusive Timed", "woken c m Exclusive"]);
    let waited = condvar.wait_timeout_while(guard, Duration::from_millis(1), |()| true);
    assert!(waited.unwrap().1.timed_out());
    // It may wake early and wait again, or have no time left to wait at all.
    let mut told = told();
    assert_eq!(told.pop().unwrap(), "released m Exclusive");
    for wait in told.chunks(2) {
        assert_eq!(wait, ["waiting c m Exclusive Timed", "woken c m Exclusive"]);
    }
}

#[test]
fn a_condition_that_panics_is_told_as_a_release() {
    let (mutex, condvar) = (Mutex::named("m", ()), Condvar::named("c", ()));
    let guard = mutex.lock().unwrap();
    told();
    panics(|| condvar.wait_while(guard, |()| panic!("in the condition")));
    assert_told(&["released m Exclusive"]);
}

#[test]
fn meeting_at_a_barrier_is_told_on_both_sides() {
    let barrier = Barrier::named("b", 2);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                barrier.wait();
                assert_told(&["arrived b of 2", "passed b"]);
            });
        }
    });
    Barrier::named("one", 0).wait();
    assert_told(&["arrived one of 1", "passed one"]);
}

#[test]
fn a_message_is_told_before_it_is_there_and_after_it_was_taken() {
    let (sender, receiver) = stdsync::mpsc::channel::<u8>();
    sender.send(1).unwrap();
    assert_told(&["posted Channel of u8 1"]);
    receiver.recv().unwrap();
    assert_told(&["obtained Channel of u8 1 Wait"]);
    receiver.try_recv().unwrap_err();
    assert_told(&[]);
    receiver.recv_timeout(Duration::ZERO).unwrap_err();
    assert_told(&["pending Channel of u8 Timed", "gave up Channel of u8"]);

    let (sender, receiver) = stdsync::mpsc::sync_channel::<u8>(1);
    sender.try_send(1).unwrap();
    sender.try_send(2).unwrap_err();
    receiver.try_recv().unwrap();
    assert_told(&["posted Channel of u8 1", "obtained Channel of u8 1 Try"]);
}

#[test]
fn waiting_for_a_message_is_told_before() {
    let (sender, receiver) = stdsync::mpsc::channel::<u8>();
    watch::when_blocked(move || sender.send(1).unwrap());
    receiver.recv().unwrap();
    assert_told(&[
        "pending Channel of u8 Wait",
        "posted Channel of u8 1",
        "posted Channel of std::sync::mpsc::Sender<u8> 1",
        "obtained Channel of u8 1 Wait",
    ]);
}

#[test]
fn the_end_of_each_sender_is_told_and_heard_of_once() {
    let (sender, receiver) = stdsync::mpsc::channel::<u8>();
    let second = sender.clone();
    drop((sender, second));
    let gone = "posted Channel of std::sync::mpsc::Sender<u8> 1";
    assert_told(&[gone, gone]);
    receiver.try_recv().unwrap_err();
    assert_told(&["obtained Channel of std::sync::mpsc::Sender<u8> 2 Try"]);
    receiver.iter().next();
    receiver.recv().unwrap_err();
    assert_told(&[]);
}

#[test]
fn initialising_is_holding_and_what_is_done_is_silent() {
    let held = |name: &str| {
        [
            format!("request {name} Exclusive Wait"),
            format!("acquired {name} Exclusive Wait"),
            "inside".to_owned(),
            format!("released {name} Exclusive"),
        ]
    };
    let inside = || watch::tell("inside".to_owned());

    let once = Once::named("once", ());
    once.call_once(inside);
    assert_eq!(told(), held("once"));
    once.call_once(inside);
    once.call_once_force(|_| inside());
    once.wait();
    once.wait_force();
    assert_told(&[]);

    let cell = OnceLock::named("cell", ());
    cell.get_or_init(inside);
    assert_eq!(told(), held("cell"));
    cell.get_or_init(inside);
    cell.set(()).unwrap_err();
    cell.wait();
    cell.get();
    assert_told(&[]);

    let lazy = LazyLock::named("lazy", inside);
    LazyLock::force(&lazy);
    assert_eq!(told(), held("lazy"));
    *lazy;
    assert_told(&[]);
}

#[test]
fn an_initialiser_that_panics_holds_nothing_afterwards() {
    let once = Once::named("once", ());
    panics(|| once.call_once(|| panic!("inside")));
    assert_eq!(told().last().unwrap(), "released once Exclusive");
    let cell = OnceLock::<u8>::named("cell", ());
    panics(|| cell.get_or_init(|| panic!("inside")));
    assert_eq!(told().last().unwrap(), "released cell Exclusive");
    let lazy = LazyLock::<u8, _>::named("lazy", || panic!("inside"));
    panics(|| *lazy);
    assert_eq!(told().last().unwrap(), "released lazy Exclusive");
}

#[test]
fn who_waits_for_an_initialiser_says_so_before() {
    let expected = |name: &str| {
        [
            format!("request {name} Exclusive Wait"),
            format!("blocked {name} Exclusive Wait"),
            "unblocked".to_owned(),
            format!("acquired {name} Exclusive Wait"),
            format!("released {name} Exclusive"),
        ]
    };

    let once = Once::named("once", ());
    let waiter = while_held(
        |held| once.call_once(held),
        || once.call_once(|| unreachable!("the other calls")),
    );
    assert_eq!(waiter, expected("once"));

    let cell = OnceLock::named("cell", ());
    let waiter = while_held(
        |held| *cell.get_or_init(held),
        || assert_eq!(cell.set(()), Err(())),
    );
    assert_eq!(waiter, expected("cell"));
}

#[test]
fn who_waits_without_initialising_gets_nothing() {
    let cell = OnceLock::named("cell", ());
    let waiter = while_held(
        |held| {
            held();
            cell.set(1).unwrap();
        },
        || assert_eq!(*cell.wait(), 1),
    );
    assert_eq!(
        waiter,
        [
            "request cell Exclusive Wait",
            "blocked cell Exclusive Wait",
            "gave up cell",
        ]
    );
}

#[test]
fn asking_for_what_one_is_making_is_requested_and_refused() {
    let cell = OnceLock::<u8>::named("cell", ());
    panics(|| cell.get_or_init(|| *cell.get_or_init(|| 1)));
    assert_told(&[
        "request cell Exclusive Wait",
        "acquired cell Exclusive Wait",
        "request cell Exclusive Wait",
        "released cell Exclusive",
    ]);
}

#[test]
fn an_object_knows_where_it_was_made_and_of_what() {
    // The watcher of this test asserts for every object that it was made in this file.
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

#[test]
fn forks_starts_and_joins_are_told() {
    let thread = thread::Builder::new().name("worker".to_owned());
    thread
        .spawn(|| assert_told(&["start Some(\"worker\")"]))
        .unwrap()
        .join()
        .unwrap();
    thread::spawn(|| assert_told(&["start None"]))
        .join()
        .unwrap();
    thread::spawn(|| panic!("in the thread"))
        .join()
        .unwrap_err();
    drop(thread::spawn(|| ()));
    assert_told(&[
        "fork 0",
        "joining 0",
        "joined 0",
        "fork 1",
        "joining 1",
        "joined 1",
        "fork 2",
        "joining 2",
        "joined 2",
        "fork 3",
    ]);
}

#[test]
fn parking_is_told_like_a_semaphore_that_is_emptied() {
    let worker = thread::spawn(|| {
        thread::park();
        let type_name = std::any::type_name::<std::thread::Thread>();
        let told = told().join("; ").replace(type_name, "it");
        assert_eq!(
            told,
            "start None; pending Parking of it Wait; obtained Parking of it 4294967295 Wait"
        );
        thread::park_timeout(Duration::ZERO);
        assert_eq!(watch::told().len(), 2);
    });
    worker.thread().unpark();
    assert_eq!(worker.thread().id(), worker.thread().clone().id());
    worker.join().unwrap();
    let posted = format!(
        "posted Parking of {} 1",
        std::any::type_name::<std::thread::Thread>()
    );
    assert_told(&["fork 0", &posted, "joining 0", "joined 0"]);
}

#[test]
fn sleeping_is_told_from_its_beginning_to_its_end() {
    thread::sleep(Duration::ZERO);
    assert_told(&["sleeps", "unblocked"]);
}

#[test]
fn a_thread_that_we_did_not_start_can_be_unparked() {
    std::thread::spawn(|| {
        let (own, again) = (thread::current(), thread::current());
        assert_eq!(own.id(), std::thread::current().id());
        again.unpark();
        thread::park();
        let told = watch::told();
        assert!(told[0].starts_with("posted Parking"), "{told:?}");
        assert!(told[2].starts_with("obtained Parking"), "{told:?}");
    })
    .join()
    .unwrap();
}

#[test]
fn the_end_of_a_scope_joins_whom_nobody_joined() {
    thread::scope(|scope| {
        scope.spawn(|| assert_told(&["start None"]));
        let second = scope.spawn(|| ());
        scope.spawn(|| ());
        second.join().unwrap();
        watch::tell("last".to_owned());
    });
    assert_told(&[
        "fork 0",
        "fork 1",
        "fork 2",
        "joining 1",
        "joined 1",
        "last",
        "joining 0",
        "joined 0",
        "joining 2",
        "joined 2",
    ]);
}

#[test]
fn a_scope_that_panics_joins_too() {
    panics(|| {
        thread::scope(|scope| {
            scope.spawn(|| panic!("in the thread"));
            panic!("in the scope");
        })
    });
    assert_told(&["fork 0", "joining 0", "joined 0"]);
}

#[test]
fn threads_that_threads_start_are_joined_by_the_scope_too() {
    thread::scope(|scope| {
        scope.spawn(|| {
            scope.spawn(|| assert_told(&["start None"]));
            assert_told(&["start None", "fork 0"]);
        });
    });
    assert_told(&["fork 0", "joining 0", "joined 0", "joining 0", "joined 0"]);
}
