//! What looks like a circle and is none: nothing is told.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Once as Hook};
use std::time::Duration;

use lockwise::{Mutex, RwLock, describe_waits, stdsync, thread};

use super::{caught, watch};

/// Runs both sides; neither may tell anything.
fn quiet(one: impl FnOnce(&Barrier) + Send + 'static, two: impl FnOnce(&Barrier) + Send + 'static) {
    watch();
    let met = Arc::new(Barrier::new(2));
    let met2 = Arc::clone(&met);
    let threads = [
        thread::spawn(move || caught(|| one(&met))),
        thread::spawn(move || caught(|| two(&met2))),
    ];
    for thread in threads {
        assert!(thread.join().expect("it was caught").is_none());
    }
}

/// Opposite orders of two mutexes, of which the second side takes its second one by `ask`.
fn quiet_if_asked_by(ask: fn(&Mutex<()>)) {
    let (a, b) = (Arc::new(Mutex::new(())), Arc::new(Mutex::new(())));
    let (a2, b2) = (Arc::clone(&a), Arc::clone(&b));
    quiet(
        move |met| {
            let _a = a.lock();
            met.wait();
            let _b = b.lock();
        },
        move |met| {
            let _b = b2.lock();
            met.wait();
            ask(&a2);
        },
    );
}

#[test]
fn a_side_with_a_deadline() {
    quiet_if_asked_by(|lock| drop(lock.try_lock_for(Duration::from_millis(20))));
}

#[test]
fn a_side_that_only_tries() {
    quiet_if_asked_by(|lock| assert!(lock.try_lock().is_none()));
}

#[test]
fn readers_of_what_the_other_reads() {
    let (a, b) = (Arc::new(RwLock::new(())), Arc::new(RwLock::new(())));
    let (a2, b2) = (Arc::clone(&a), Arc::clone(&b));
    quiet(
        move |met| {
            let _a = a.read();
            met.wait();
            let _b = b.read();
        },
        move |met| {
            let _b = b2.read();
            met.wait();
            let _a = a2.read();
        },
    );
}

#[test]
fn a_join_under_a_lock_that_the_thread_has_given_back() {
    watch();
    let lock = Arc::new(Mutex::new(()));
    let needs = Arc::clone(&lock);
    let worker = thread::spawn(move || caught(|| drop(needs.lock())));
    let told = caught(|| {
        drop(lock.lock());
        assert!(worker.join().expect("it was caught").is_none());
    });
    assert!(told.is_none());
}

/// Goes on when a thread waits for what has this name.
fn until_waited_for(name: &str, threads: usize) {
    let waits = format!("waits for {name}");
    while describe_waits().matches(&waits).count() < threads {
        std::thread::yield_now();
    }
}

#[test]
fn who_waits_for_a_call_that_panics_gives_back_what_it_holds() {
    thread_local!(static PAUSES: AtomicBool = const { AtomicBool::new(false) });
    static HOOK: Hook = Hook::new();
    static UNWINDS: Barrier = Barrier::new(2);
    watch();
    let once = Arc::new(stdsync::Once::new());
    let held = Arc::new(Mutex::named("held over a poisoned wait", ()));
    assert!(catch_unwind(AssertUnwindSafe(|| once.call_once(|| panic!("on purpose")))).is_err());
    // The thread that waits stands in the hook, about to unwind, while another asks for what it holds.
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if PAUSES.with(|pauses| pauses.load(SeqCst)) {
                UNWINDS.wait();
                until_waited_for("held over a poisoned wait", 1);
            }
            before(panic);
        }));
    });
    let (once2, held2) = (Arc::clone(&once), Arc::clone(&held));
    let waiter = thread::spawn(move || {
        let _held = held.lock();
        PAUSES.with(|pauses| pauses.store(true, SeqCst));
        assert!(catch_unwind(AssertUnwindSafe(|| once.wait())).is_err());
        PAUSES.with(|pauses| pauses.store(false, SeqCst));
    });
    UNWINDS.wait();
    let told = caught(|| once2.call_once_force(|_| drop(held2.lock())));
    assert!(told.is_none());
    waiter.join().expect("it was caught");
}

#[test]
fn what_an_initialiser_owns_is_dropped_when_others_may_go_in() {
    /// Takes a lock when it is dropped.
    struct Locks(Arc<Mutex<()>>);

    impl Drop for Locks {
        fn drop(&mut self) {
            drop(self.0.lock());
        }
    }

    watch();
    for _ in 0..20 {
        let once = Arc::new(stdsync::Once::new());
        let lock = Arc::new(Mutex::new(()));
        let inside = Arc::new(Barrier::new(3));
        // One goes in and comes out when both others stand at the door: one owns what takes the lock, the
        // other holds that lock.
        let threads = [0, 1, 2].map(|role| {
            let (once, lock) = (Arc::clone(&once), Arc::clone(&lock));
            let inside = Arc::clone(&inside);
            thread::spawn(move || {
                caught(|| match role {
                    0 => once.call_once(|| {
                        inside.wait();
                        until_waited_for("Once#", 2);
                    }),
                    1 => {
                        let owned = Locks(lock);
                        inside.wait();
                        once.call_once(move || drop(owned));
                    }
                    _ => {
                        let _held = lock.lock();
                        inside.wait();
                        once.call_once(|| ());
                    }
                })
            })
        });
        for thread in threads {
            assert!(thread.join().expect("it was caught").is_none());
        }
    }
}
