//! The held set against a model of it, and what is learned from it while a program runs.
#![cfg(feature = "checks")]

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::{Mutex as Plain, OnceLock};

use lockwise::watch::{Basis, Code, Finding, Identity, Kind, Mode, Site, hooks};
use lockwise::{
    Mutex, MutexGuard, ReentrantMutex, ReentrantMutexGuard, RwLock, RwLockReadGuard, Watched,
    lock_api, set_callback, thread,
};
use proptest::prelude::*;

/// One step of a random program on one thread; the numbers say which lock, or which guard.
#[derive(Debug, Clone, Copy)]
enum Step {
    Lock(usize),
    Try(usize),
    Read(usize),
    Again(usize),
    Release(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0..4_usize).prop_map(Step::Lock),
        (0..4_usize).prop_map(Step::Try),
        (0..3_usize).prop_map(Step::Read),
        (0..2_usize).prop_map(Step::Again),
        (0..9_usize).prop_map(Step::Release),
        (0..9_usize).prop_map(Step::Release),
    ];
    prop::collection::vec(step, 0..120)
}

/// A guard of any kind; dropping it releases.
#[expect(dead_code, reason = "guards are kept to be dropped")]
enum Guard<'a> {
    Mutex(MutexGuard<'a, ()>),
    Read(RwLockReadGuard<'a, ()>),
    Again(ReentrantMutexGuard<'a, ()>),
}

proptest! {
    /// Any depth, any order of releases, recursive reads and re-entry: what the watcher says is
    /// held is what is held.
    #[test]
    fn the_held_set_is_what_is_held(steps in steps()) {
        let mutexes: [Mutex<()>; 4] = std::array::from_fn(|_| Mutex::new(()));
        let rwlocks: [RwLock<()>; 3] = std::array::from_fn(|_| RwLock::new(()));
        let reentrant: [ReentrantMutex<()>; 2] = std::array::from_fn(|_| ReentrantMutex::new(()));
        // Which lock each guard is of: mutexes from 0, read-write locks from 10, others from 20.
        let mut guards: Vec<(usize, Guard<'_>)> = Vec::new();
        let before = hooks::held_count();
        for step in steps {
            let is_held = |lock: usize, guards: &Vec<(usize, Guard<'_>)>| {
                guards.iter().any(|guard| guard.0 == lock)
            };
            match step {
                Step::Lock(at) if !is_held(at, &guards) => {
                    guards.push((at, Guard::Mutex(mutexes[at].lock())));
                }
                Step::Try(at) => {
                    let taken = mutexes[at].try_lock();
                    prop_assert_eq!(taken.is_some(), !is_held(at, &guards));
                    guards.extend(taken.map(|guard| (at, Guard::Mutex(guard))));
                }
                Step::Read(at) => {
                    guards.push((10 + at, Guard::Read(rwlocks[at].read_recursive())));
                }
                Step::Again(at) => guards.push((20 + at, Guard::Again(reentrant[at].lock()))),
                Step::Release(at) if at < guards.len() => drop(guards.remove(at)),
                Step::Lock(_) | Step::Release(_) => {}
            }
            for (at, mutex) in mutexes.iter().enumerate() {
                let mode = mutex.identity().and_then(hooks::held_mode);
                prop_assert_eq!(mode.is_some(), is_held(at, &guards));
            }
            for (at, rwlock) in rwlocks.iter().enumerate() {
                let mode = rwlock.identity().and_then(hooks::held_mode);
                prop_assert_eq!(mode == Some(Mode::RecursiveShared), is_held(10 + at, &guards));
            }
            for (at, mutex) in reentrant.iter().enumerate() {
                let mode = mutex.identity().and_then(hooks::held_mode);
                prop_assert_eq!(mode == Some(Mode::Reentrant), is_held(20 + at, &guards));
            }
        }
        drop(guards);
        prop_assert_eq!(hooks::held_count(), before);
    }
}

/// What the watcher has found in this process.
fn found() -> &'static Plain<Vec<Finding>> {
    static FOUND: OnceLock<Plain<Vec<Finding>>> = OnceLock::new();
    FOUND.get_or_init(|| {
        set_callback(|finding: &Finding| {
            let mut found = found().lock().expect("no test panics here");
            found.push(finding.clone());
        });
        Plain::new(Vec::new())
    })
}

/// The findings of which the first lock wanted has a name that starts with `prefix`.
fn all_about(prefix: &str) -> Vec<Finding> {
    let found = found().lock().expect("no test panics here");
    let name = |finding: &Finding| finding.sides[0].wants.lock()?.class?.name;
    let ours = found
        .iter()
        .filter(|finding| name(finding).is_some_and(|name| name.starts_with(prefix)));
    ours.cloned().collect()
}

/// Their codes and bases.
fn about(prefix: &str) -> Vec<(Code, Basis)> {
    let found = all_about(prefix);
    found
        .iter()
        .map(|found| (found.code, found.basis))
        .collect()
}

fn in_turn(first: impl FnOnce() + Send, second: impl FnOnce() + Send) {
    let done = std::sync::Barrier::new(2);
    thread::scope(|scope| {
        scope.spawn(|| {
            first();
            done.wait();
        });
        scope.spawn(|| {
            done.wait();
            second();
        });
    });
}

#[test]
fn opposite_orders_on_two_threads_are_found_while_running() {
    found();
    let (a, b) = (
        Mutex::named("opposite a", ()),
        Mutex::named("opposite b", ()),
    );
    in_turn(|| drop((a.lock(), b.lock())), || drop((b.lock(), a.lock())));
    assert_eq!(
        about("opposite"),
        [(Code::LockOrderCycle, Basis::SameInstances)]
    );
}

#[test]
fn opposite_orders_under_a_gate_lock_are_not_reported() {
    found();
    let gate = Mutex::named("gated gate", ());
    let (a, b) = (Mutex::named("gated a", ()), Mutex::named("gated b", ()));
    in_turn(
        || drop((gate.lock(), a.lock(), b.lock())),
        || drop((gate.lock(), b.lock(), a.lock())),
    );
    assert_eq!(about("gated"), []);
}

#[test]
fn opposite_orders_kept_apart_by_a_join_are_not_reported() {
    found();
    let (a, b) = (Mutex::named("joined a", ()), Mutex::named("joined b", ()));
    thread::scope(|scope| {
        scope
            .spawn(|| drop((a.lock(), b.lock())))
            .join()
            .expect("it does not panic");
        drop((b.lock(), a.lock()));
    });
    assert_eq!(about("joined"), []);
}

#[test]
fn opposite_orders_on_one_thread_are_told_apart() {
    found();
    let (a, b) = (Mutex::named("alone a", ()), Mutex::named("alone b", ()));
    drop((a.lock(), b.lock()));
    drop((b.lock(), a.lock()));
    assert_eq!(about("alone"), [(Code::LockOrderCycle, Basis::OneThread)]);
}

#[test]
fn the_side_of_the_reporting_thread_names_its_own_sites() {
    found();
    let (a, b) = (Mutex::named("own a", ()), Mutex::named("own b", ()));
    // Seen here first, before the threads that can meet.
    drop((a.lock(), b.lock()));
    let lines = Plain::new([0; 2]);
    in_turn(
        || drop((b.lock(), a.lock())),
        || {
            let _a = a.lock();
            *lines.lock().expect("nobody panics") = [line!() - 1, line!() + 1];
            let _b = b.lock();
        },
    );
    let found = all_about("own b");
    let [finding] = found.as_slice() else {
        panic!("{found:?}");
    };
    let own = &finding.sides[0];
    let held = own.holds.expect("the side holds the other");
    let said = [held.site.line(), own.wants.site().line()];
    assert_eq!(said, lines.into_inner().expect("nobody panics"));
}

#[test]
fn a_try_orders_nothing() {
    found();
    let (a, b) = (Mutex::named("tried a", ()), Mutex::named("tried b", ()));
    in_turn(
        || drop((a.lock(), b.lock())),
        || {
            let _b = b.lock();
            drop(a.try_lock());
        },
    );
    assert_eq!(about("tried"), []);
}

#[test]
fn readers_alone_are_no_cycle() {
    found();
    let (a, b) = (
        RwLock::named("readers a", ()),
        RwLock::named("readers b", ()),
    );
    in_turn(|| drop((a.read(), b.read())), || drop((b.read(), a.read())));
    assert_eq!(about("readers"), []);
}

#[test]
fn a_cycle_of_three_is_found() {
    found();
    let [a, b, c] = ["three a", "three b", "three c"].map(|name| Mutex::named(name, ()));
    in_turn(|| drop((a.lock(), b.lock())), || drop((b.lock(), c.lock())));
    in_turn(|| (), || drop((c.lock(), a.lock())));
    // The last of the three comes after the join of the first two: it cannot meet them.
    assert_eq!(about("three"), []);
    let [a, b, c] = ["ring a", "ring b", "ring c"].map(|name| Mutex::named(name, ()));
    let turn = [std::sync::Barrier::new(2), std::sync::Barrier::new(2)];
    thread::scope(|scope| {
        scope.spawn(|| {
            drop((a.lock(), b.lock()));
            turn[0].wait();
        });
        scope.spawn(|| {
            turn[0].wait();
            drop((b.lock(), c.lock()));
            turn[1].wait();
        });
        scope.spawn(|| {
            turn[1].wait();
            drop((c.lock(), a.lock()));
        });
    });
    assert_eq!(
        about("ring"),
        [(Code::LockOrderCycle, Basis::SameInstances)]
    );
}

#[test]
fn ten_thousand_locks_held_at_once_hide_no_inversion() {
    found();
    let first = Mutex::named("deep first", ());
    let last = Mutex::named("deep last", ());
    let many: Vec<Mutex<()>> = (0..10_000).map(|_| Mutex::named("between", ())).collect();
    in_turn(
        || {
            let _first = first.lock();
            let _many: Vec<_> = many.iter().map(Mutex::lock).collect();
            assert_eq!(hooks::held_count(), 10_001);
            drop(last.lock());
        },
        || drop((last.lock(), first.lock())),
    );
    assert_eq!(
        about("deep"),
        [(Code::LockOrderCycle, Basis::SameInstances)]
    );
    assert_eq!(about("between"), []);
}

/// A raw mutex whose guards may be sent, and which says when somebody waits for it.
struct Sendable {
    taken: AtomicBool,
}

/// Whether somebody waits for a `Sendable`; there is only one.
static AWAITED: AtomicBool = AtomicBool::new(false);

// SAFETY: only one thread at a time finds the flag clear.
unsafe impl lock_api::RawMutex for Sendable {
    const INIT: Self = Sendable {
        taken: AtomicBool::new(false),
    };

    type GuardMarker = lock_api::GuardSend;

    fn lock(&self) {
        AWAITED.store(true, Relaxed);
        while !self.try_lock() {
            std::thread::yield_now();
        }
    }

    fn try_lock(&self) -> bool {
        !self.taken.swap(true, Acquire)
    }

    unsafe fn unlock(&self) {
        self.taken.store(false, Release);
    }
}

#[test]
fn asking_again_for_a_lock_whose_guard_was_sent_away_is_no_certain_deadlock() {
    found();
    let identity = Identity::new(Kind::Foreign, Site::caller(), std::any::type_name::<()>);
    let raw = Watched::from_raw(lock_api::RawMutex::INIT, identity.named("sent"));
    let lock: lock_api::Mutex<Watched<Sendable>, ()> = lock_api::Mutex::from_raw(raw, ());
    thread::scope(|scope| {
        let guard = lock.lock();
        scope.spawn(move || {
            while !AWAITED.load(Relaxed) {
                std::thread::yield_now();
            }
            drop(guard);
        });
        drop(lock.lock());
    });
    assert_eq!(about("sent"), [(Code::SelfDeadlock, Basis::OneThread)]);
}

#[test]
fn two_threads_through_many_locks_and_a_cycle_take_no_time() {
    found();
    let many: Vec<Mutex<()>> = (0..1_500).map(|_| Mutex::named("through", ())).collect();
    let all = || drop(many.iter().map(Mutex::lock).collect::<Vec<_>>());
    // From here on every chain may be part of a cycle, as far as single orders tell.
    let back = || drop((many[1_499].lock(), many[0].lock()));
    in_turn(all, || {
        back();
        all();
    });
    let across = |found: &&(Code, Basis)| found.1 == Basis::SameInstances;
    assert_eq!(about("through").iter().filter(across).count(), 1);
    // What one thread showed is told of that thread alone.
    for found in all_about("through") {
        let one = found.sides[0].thread == found.sides[1].thread;
        assert_eq!(one, found.basis == Basis::OneThread, "{found}");
    }
}

#[test]
fn a_lock_released_on_another_thread_is_held_no_more() {
    let lock = Mutex::new(());
    let identity = lock.identity().expect("checks are on");
    std::mem::forget(lock.lock());
    assert_eq!(hooks::held_mode(identity), Some(Mode::Exclusive));
    thread::scope(|scope| {
        scope.spawn(|| {
            // SAFETY: the guard was forgotten, so the lock is held and nobody else releases it.
            unsafe { lock.force_unlock() };
        });
    });
    assert_eq!(hooks::held_mode(identity), None);
    drop(lock.lock());
    assert_eq!(hooks::held_count(), 0);
}

#[test]
fn access_in_tls_destructor() {
    static SHARED: Mutex<u32> = Mutex::new(0);
    struct Late;
    impl Drop for Late {
        fn drop(&mut self) {
            *SHARED.lock() += 1;
            assert_eq!(hooks::held_count(), 0);
        }
    }
    thread_local! {
        static EARLY: Late = const { Late };
        static AFTER: Late = const { Late };
    }
    let run = || {
        EARLY.with(|_| ());
        drop(SHARED.lock());
        AFTER.with(|_| ());
    };
    std::thread::spawn(run)
        .join()
        .expect("destructors do not panic");
    assert_eq!(*SHARED.lock(), 2);
}

#[test]
fn unwinding_leaves_nothing_held() {
    let (a, b) = (Mutex::new(()), RwLock::new(()));
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _guards = (a.lock(), b.write());
        std::panic::resume_unwind(Box::new("on purpose"));
    }));
    assert!(caught.is_err());
    assert_eq!(hooks::held_count(), 0);
    drop((a.lock(), b.write()));
}
