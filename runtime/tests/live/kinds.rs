//! Every kind of lock, and what else a thread waits for, in circles that close for real.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Barrier, mpsc};

use lockwise::watch::{Finding, Wants};
use lockwise::{
    Condvar, FairMutex, FairMutexGuard, Lazy, Mutex, OnceCell, ReentrantMutex, RwLock,
    RwLockUpgradableReadGuard, stdsync, thread,
};

use super::{caught, until_waited_for, watch};

/// What one thread does; it passes the barrier when it holds its first lock.
type Side = Box<dyn FnOnce(&Barrier) + Send>;

/// Runs each side on a thread of its own; each takes its first lock, meets the others, and goes on.
/// Exactly one of them closes the circle, and says so.
fn circle<const N: usize>(sides: [Side; N]) -> Finding {
    watch();
    let met = Arc::new(Barrier::new(N));
    let threads = sides.map(|side| {
        let met = Arc::clone(&met);
        thread::spawn(move || caught(|| side(&met)))
    });
    let told: Vec<Finding> = threads
        .into_iter()
        .filter_map(|thread| thread.join().expect("it was caught"))
        .collect();
    let [told] = told.as_slice() else {
        panic!("told by {} threads", told.len());
    };
    assert_eq!(told.sides.len(), N, "{told}");
    assert!(
        told.sides.iter().all(|side| side.waited.is_some()),
        "{told}"
    );
    told.clone()
}

/// A circle of two.
fn pair(
    one: impl FnOnce(&Barrier) + Send + 'static,
    two: impl FnOnce(&Barrier) + Send + 'static,
) -> Finding {
    circle([Box::new(one), Box::new(two)])
}

/// Opposite orders of two locks made by `$make` and taken by `$take`.
macro_rules! opposite {
    ($name:ident, $make:expr, $take:ident $(, $unwrap:ident)?) => {
        #[test]
        fn $name() {
            let (a, b) = (Arc::new($make), Arc::new($make));
            let (a2, b2) = (Arc::clone(&a), Arc::clone(&b));
            pair(
                move |met| {
                    let _a = a.$take()$(.$unwrap(std::sync::PoisonError::into_inner))?;
                    met.wait();
                    let _b = b.$take()$(.$unwrap(std::sync::PoisonError::into_inner))?;
                },
                move |met| {
                    let _b = b2.$take()$(.$unwrap(std::sync::PoisonError::into_inner))?;
                    met.wait();
                    let _a = a2.$take()$(.$unwrap(std::sync::PoisonError::into_inner))?;
                },
            );
        }
    };
}

opposite!(mutexes, Mutex::new(()), lock);
opposite!(fair_mutexes, FairMutex::new(()), lock);
opposite!(reentrant_mutexes, ReentrantMutex::new(()), lock);
opposite!(writers, RwLock::new(()), write);
opposite!(upgradable_readers, RwLock::new(()), upgradable_read);
opposite!(
    mutexes_of_std,
    stdsync::Mutex::new(()),
    lock,
    unwrap_or_else
);
opposite!(
    writers_of_std,
    stdsync::RwLock::new(()),
    write,
    unwrap_or_else
);

#[test]
fn each_side_says_what_it_holds_and_what_it_wants() {
    let (a, b) = (
        Arc::new(Mutex::named("live a", ())),
        Arc::new(Mutex::named("live b", ())),
    );
    let (a2, b2) = (Arc::clone(&a), Arc::clone(&b));
    let told = pair(
        move |met| {
            let _a = a.lock();
            met.wait();
            let _b = b.lock();
        },
        move |met| {
            let _b = b2.lock();
            met.wait();
            let _a = a2.lock();
        },
    );
    for side in &told.sides {
        let name = |class: Option<lockwise::watch::Class>| class.and_then(|class| class.name);
        let held = name(side.holds.expect("it holds a lock").class);
        let wanted = name(side.wants.lock().expect("it wants a lock").class);
        let both = [held, wanted];
        assert!(
            both == [Some("live a"), Some("live b")] || both == [Some("live b"), Some("live a")],
            "{told}"
        );
        assert!(side.wants.site().file().ends_with("kinds.rs"));
    }
    let text = told.to_string();
    assert!(
        text.starts_with("LW0001 deadlock: threads wait for each other"),
        "{text}"
    );
}

#[test]
fn a_circle_of_five() {
    let locks: Arc<[Mutex<()>; 5]> = Arc::new([const { Mutex::new(()) }; 5]);
    circle::<5>(std::array::from_fn(|at| {
        let locks = Arc::clone(&locks);
        let side = move |met: &Barrier| {
            let _first = locks[at].lock();
            met.wait();
            let _second = locks[(at + 1) % 5].lock();
        };
        Box::new(side) as Side
    }));
}

#[test]
fn readers_that_both_want_to_write_what_the_other_reads() {
    let (a, b) = (Arc::new(RwLock::new(())), Arc::new(RwLock::new(())));
    let (a2, b2) = (Arc::clone(&a), Arc::clone(&b));
    pair(
        move |met| {
            let _a = a.read();
            met.wait();
            let _b = b.write();
        },
        move |met| {
            let _b = b2.read();
            met.wait();
            let _a = a2.write();
        },
    );
}

#[test]
fn an_upgrade_that_waits_for_a_reader_that_waits_for_the_upgrader() {
    let (a, b) = (Arc::new(RwLock::new(())), Arc::new(Mutex::new(())));
    let (a2, b2) = (Arc::clone(&a), Arc::clone(&b));
    pair(
        move |met| {
            let a = a.upgradable_read();
            let _b = b.lock();
            met.wait();
            let _a = RwLockUpgradableReadGuard::upgrade(a);
        },
        move |met| {
            let _a = a2.read();
            met.wait();
            let _b = b2.lock();
        },
    );
}

#[test]
fn a_lazy_value_whose_initialiser_wants_what_another_user_of_it_holds() {
    static HELD: Mutex<()> = Mutex::new(());
    static MET: Barrier = Barrier::new(2);
    static VALUE: Lazy<u32> = Lazy::new(|| {
        MET.wait();
        let _held = HELD.lock();
        1
    });
    pair(
        |_| {
            Lazy::force(&VALUE);
        },
        |_| {
            let _held = HELD.lock();
            MET.wait();
            Lazy::force(&VALUE);
        },
    );
}

#[test]
fn cells_that_are_initialised_from_each_other() {
    let (a, b) = (Arc::new(OnceCell::new()), Arc::new(OnceCell::new()));
    let (a2, b2) = (Arc::clone(&a), Arc::clone(&b));
    pair(
        move |met| {
            a.get_or_init(|| {
                met.wait();
                *b.get_or_init(|| 1)
            });
        },
        move |met| {
            b2.get_or_init(|| {
                met.wait();
                *a2.get_or_init(|| 2)
            });
        },
    );
}

#[test]
fn join_cycle() {
    watch();
    let lock = Arc::new(Mutex::new(()));
    let (give, own) = mpsc::channel::<thread::JoinHandle<Option<Finding>>>();
    let (ready, wait) = mpsc::channel();
    let needs = Arc::clone(&lock);
    let joiner = thread::spawn(move || {
        caught(|| {
            let handle = own.recv().expect("it is sent");
            let _held = lock.lock();
            ready.send(()).expect("the other is there");
            let told = handle.join().expect("it was caught");
            assert!(told.is_some(), "one of both closes the circle");
        })
    });
    let worker = thread::spawn(move || {
        wait.recv().expect("it is sent");
        caught(|| drop(needs.lock()))
    });
    give.send(worker).expect("the joiner is there");
    let told = joiner.join().expect("it was caught");
    if let Some(told) = told {
        // The joiner came last: its own side is the first, and is no wait for a lock.
        assert!(
            matches!(told.sides[0].wants, Wants::Thread { .. }),
            "{told}"
        );
        assert!(
            told.to_string().contains("waits for the end of thread"),
            "{told}"
        );
    }
}

#[test]
fn a_reader_that_reads_again_behind_a_writer() {
    watch();
    let lock = Arc::new(RwLock::named("read again", ()));
    let read = lock.read();
    let its_lock = Arc::clone(&lock);
    let writer = thread::spawn(move || caught(|| drop(its_lock.write())));
    until_waited_for("read again", 1);
    let told = caught(|| drop(lock.read())).expect("it waits for itself, behind the writer");
    assert_eq!(told.sides.len(), 2, "{told}");
    assert!(told.message.contains("behind thread"), "{told}");
    drop(read);
    assert!(writer.join().expect("it was caught").is_none());
}

#[test]
fn a_reader_of_std_that_reads_again_behind_a_writer() {
    watch();
    let lock = Arc::new(stdsync::RwLock::new(()));
    let read = lock.read().unwrap();
    let its_lock = Arc::clone(&lock);
    let writer = thread::spawn(move || caught(|| drop(its_lock.write().unwrap())));
    while lock.try_read().is_ok() {
        std::thread::yield_now();
    }
    let told = caught(|| drop(lock.read().unwrap())).expect("it waits for itself");
    assert_eq!(told.sides.len(), 2, "{told}");
    drop(read);
    assert!(writer.join().expect("it was caught").is_none());
}

#[test]
fn a_reader_behind_a_writer_that_waits_for_another_reader() {
    let (a, b) = (
        Arc::new(RwLock::named("read before", ())),
        Arc::new(Mutex::named("held by the second reader", ())),
    );
    let (a2, a3, b2) = (Arc::clone(&a), Arc::clone(&a), Arc::clone(&b));
    circle::<3>([
        // It reads, and waits for what the second reader holds.
        Box::new(move |met| {
            let _a = a.read();
            met.wait();
            let _b = b.lock();
        }),
        Box::new(move |met| {
            met.wait();
            drop(a2.write());
        }),
        Box::new(move |met| {
            let _b = b2.lock();
            met.wait();
            until_waited_for("read before", 1);
            until_waited_for("held by the second reader", 1);
            drop(a3.read());
        }),
    ]);
}

#[test]
fn a_condition_whose_mutex_the_waker_keeps() {
    watch();
    let outer = Arc::new(Mutex::named("held over the wait", ()));
    let pair = Arc::new((Mutex::new(false), Condvar::named("changed")));
    let (outer2, pair2) = (Arc::clone(&outer), Arc::clone(&pair));
    let waiter = thread::spawn(move || {
        let _outer = outer2.lock();
        let mut changed = pair2.0.lock();
        while !*changed {
            pair2.1.wait(&mut changed);
        }
    });
    until_waited_for("changed", 1);
    // It holds what the waiter needs to come back, and wants what that holds.
    let mut changed = pair.0.lock();
    let told = caught(|| drop(outer.lock())).expect("each waits for the other");
    assert_eq!(told.sides.len(), 2, "{told}");
    assert!(told.message.contains("waits for changed"), "{told}");
    *changed = true;
    drop(changed);
    pair.1.notify_one();
    waiter.join().expect("it ends");
}

#[test]
fn a_condition_of_std_whose_mutex_the_waker_keeps() {
    watch();
    let outer = Arc::new(stdsync::Mutex::new(()));
    let pair = Arc::new((stdsync::Mutex::new(false), stdsync::Condvar::new()));
    let (outer2, pair2) = (Arc::clone(&outer), Arc::clone(&pair));
    let (waits, is_there) = mpsc::channel();
    let waiter = thread::spawn(move || {
        let _outer = outer2.lock().unwrap();
        let changed = pair2.0.lock().unwrap();
        waits.send(()).expect("the other is there");
        drop(pair2.1.wait_while(changed, |changed| !*changed).unwrap());
    });
    is_there.recv().expect("it is sent");
    // Got only when the waiter waits.
    let mut changed = pair.0.lock().unwrap();
    caught(|| drop(outer.lock().unwrap())).expect("each waits for the other");
    *changed = true;
    drop(changed);
    pair.1.notify_one();
    waiter.join().expect("it ends");
}

#[test]
fn a_guard_that_lets_others_in_and_does_not_get_the_lock_again() {
    watch();
    let bumped = Arc::new(FairMutex::new(()));
    let outer = Arc::new(Mutex::named("held over the bump", ()));
    let (bumped2, outer2) = (Arc::clone(&bumped), Arc::clone(&outer));
    let (holds, is_held) = mpsc::channel();
    let other = thread::spawn(move || {
        let _outer = outer2.lock();
        let mut guard = bumped2.lock();
        holds.send(()).expect("the other is there");
        // Until the other waits it bumps in vain.
        while BUMPS.load(SeqCst) {
            FairMutexGuard::bump(&mut guard);
        }
    });
    is_held.recv().expect("it is sent");
    let guard = bumped.lock();
    let told = caught(|| drop(outer.lock())).expect("each waits for the other");
    assert_eq!(told.sides.len(), 2, "{told}");
    BUMPS.store(false, SeqCst);
    drop(guard);
    other.join().expect("it ends");
}

static BUMPS: AtomicBool = AtomicBool::new(true);
