//! What looks like a circle and is none: nothing is told.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Once as Hook};
use std::time::Duration;

use lockwise::{Condvar, Mutex, RwLock, stdsync, thread};

use super::{caught, until_waited_for, watch};

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

#[test]
fn a_reader_behind_a_writer_that_gives_up() {
    watch();
    let lock = Arc::new(RwLock::new(()));
    let read = lock.read();
    let its_lock = Arc::clone(&lock);
    let writer = thread::spawn(move || {
        caught(|| assert!(its_lock.try_write_for(Duration::from_millis(100)).is_none()))
    });
    while lock.try_read().is_some() {
        std::thread::yield_now();
    }
    assert!(caught(|| drop(lock.read())).is_none());
    drop(read);
    assert!(writer.join().expect("it was caught").is_none());
}

#[test]
fn a_reader_behind_a_writer_and_one_that_gives_up() {
    watch();
    let lock = Arc::new(RwLock::named("two writers", ()));
    let read = lock.read();
    let (one_lock, its_lock) = (Arc::clone(&lock), Arc::clone(&lock));
    let gives_up = thread::spawn(move || {
        caught(|| assert!(one_lock.try_write_for(Duration::from_millis(200)).is_none()))
    });
    while lock.try_read().is_some() {
        std::thread::yield_now();
    }
    // It stands behind the one that shuts the readers out for now.
    let writer = thread::spawn(move || caught(|| drop(its_lock.write())));
    until_waited_for("two writers", 1);
    let reader = thread::spawn({
        let lock = Arc::clone(&lock);
        move || caught(|| drop(lock.read()))
    });
    assert!(gives_up.join().expect("it was caught").is_none());
    drop(read);
    assert!(writer.join().expect("it was caught").is_none());
    assert!(reader.join().expect("it was caught").is_none());
}

#[test]
fn a_reader_that_reads_again_past_a_waiting_writer() {
    watch();
    let lock = Arc::new(RwLock::named("read past", ()));
    let read = lock.read();
    let its_lock = Arc::clone(&lock);
    let writer = thread::spawn(move || caught(|| drop(its_lock.write())));
    until_waited_for("read past", 1);
    assert!(caught(|| drop(lock.read_recursive())).is_none());
    drop(read);
    assert!(writer.join().expect("it was caught").is_none());
}

#[test]
fn a_condition_under_a_lock_that_the_waker_takes_first() {
    watch();
    let outer = Arc::new(Mutex::named("taken before the condition", ()));
    let pair = Arc::new((Mutex::new(false), Condvar::named("changed in order")));
    let (outer2, pair2) = (Arc::clone(&outer), Arc::clone(&pair));
    // It holds what the waker needs, but for a moment only.
    let waiter = thread::spawn(move || {
        caught(|| {
            drop(outer2.lock());
            let mut changed = pair2.0.lock();
            while !*changed {
                pair2.1.wait(&mut changed);
            }
        })
    });
    until_waited_for("changed in order", 1);
    let told = caught(|| {
        let _outer = outer.lock();
        *pair.0.lock() = true;
        pair.1.notify_one();
    });
    assert!(told.is_none());
    assert!(waiter.join().expect("it was caught").is_none());
}
