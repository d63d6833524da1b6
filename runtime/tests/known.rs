//! What a thread has shown is known to it alone: a lock remembers that it was asked for under some
//! chain, and nobody else may take that for its own.
#![cfg(feature = "checks")]

use std::sync::{Barrier, Mutex as Plain, OnceLock};

use lockwise::watch::{Basis, Code, Finding};
use lockwise::{Mutex, RwLock, set_callback, thread};

/// How often a chain is shown until everything that can know it does.
const UNTIL_KNOWN: usize = 3;

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

/// The findings of which the first lock wanted has this name.
fn about(name: &str) -> Vec<(Code, Basis)> {
    let found = found().lock().expect("no test panics here");
    let wanted = |finding: &Finding| finding.sides[0].wants.lock()?.class?.name;
    let ours = found.iter().filter(|found| wanted(found) == Some(name));
    ours.map(|finding| (finding.code, finding.basis)).collect()
}

/// Runs both on threads that live at the same time, the second after the first.
fn in_turn(first: impl FnOnce() + Send, second: impl FnOnce() + Send) {
    let first_is_done = Barrier::new(2);
    thread::scope(|scope| {
        scope.spawn(|| {
            first();
            first_is_done.wait();
        });
        scope.spawn(|| {
            first_is_done.wait();
            second();
        });
    });
}

/// Takes `inner` under `outer` until that is known to this thread.
fn show(outer: &Mutex<()>, inner: &Mutex<()>) {
    for _ in 0..UNTIL_KNOWN {
        let _outer = outer.lock();
        drop(inner.lock());
    }
}

#[test]
fn the_order_that_another_thread_has_shown_is_judged_when_this_one_shows_it() {
    found();
    let (a, b) = (
        Mutex::named("a of known", ()),
        Mutex::named("b of known", ()),
    );
    // The first shows both orders, which is no deadlock of its own, and leaves them in both locks.
    in_turn(
        || {
            show(&b, &a);
            show(&a, &b);
        },
        // So this is the first time that two threads are in it.
        || show(&a, &b),
    );
    let found = about("b of known");
    assert!(
        found.contains(&(Code::LockOrderCycle, Basis::OneThread)),
        "{found:?}"
    );
    assert!(
        found.contains(&(Code::LockOrderCycle, Basis::SameInstances)),
        "{found:?}"
    );
}

#[test]
fn opposite_orders_are_found_while_the_first_is_known_in_the_locks() {
    found();
    let (a, b) = (Mutex::named("a warm", ()), Mutex::named("b warm", ()));
    in_turn(|| show(&a, &b), || show(&b, &a));
    assert_eq!(
        about("a warm"),
        [(Code::LockOrderCycle, Basis::SameInstances)]
    );
    assert_eq!(about("b warm"), []);
}

#[test]
fn what_was_known_before_a_fork_is_shown_anew_after_it() {
    found();
    let (a, b) = (Mutex::named("a forked", ()), Mutex::named("b forked", ()));
    // In this stretch it comes before the other thread, so that the two cannot meet.
    show(&a, &b);
    let shown = Barrier::new(2);
    thread::scope(|scope| {
        scope.spawn(|| {
            shown.wait();
            show(&b, &a);
        });
        // In this one they can.
        show(&a, &b);
        shown.wait();
    });
    assert_eq!(
        about("a forked"),
        [(Code::LockOrderCycle, Basis::SameInstances)]
    );
}

#[test]
fn what_is_known_before_a_fork_and_not_shown_after_it_meets_nobody() {
    found();
    let (a, b) = (Mutex::named("a before", ()), Mutex::named("b before", ()));
    show(&a, &b);
    thread::scope(|scope| {
        scope.spawn(|| show(&b, &a));
    });
    assert_eq!(about("a before"), []);
}

#[test]
fn a_lock_that_was_written_under_others_is_not_known_when_it_is_read_there() {
    found();
    let a = Mutex::named("a of modes", ());
    let b = RwLock::named("b of modes", ());
    let write = || {
        for _ in 0..UNTIL_KNOWN {
            let _a = a.lock();
            drop(b.write());
        }
    };
    let read = || {
        for _ in 0..UNTIL_KNOWN {
            let _b = b.read();
            drop(a.lock());
        }
    };
    in_turn(write, read);
    assert_eq!(
        about("a of modes"),
        [(Code::LockOrderCycle, Basis::SameInstances)]
    );
    // A try orders nothing, whether the lock knows the chain or not.
    let c = Mutex::named("c of modes", ());
    in_turn(
        || show(&a, &c),
        || {
            for _ in 0..UNTIL_KNOWN {
                let _c = c.lock();
                drop(a.try_lock());
            }
        },
    );
    assert_eq!(about("a of modes").len(), 1);
    assert_eq!(about("c of modes"), []);
}

#[test]
fn a_known_lock_is_not_known_under_a_longer_chain_or_in_another_place() {
    found();
    let [a, b, c] =
        ["a of chains", "b of chains", "c of chains"].map(|name| Mutex::named(name, ()));
    in_turn(
        || {
            show(&b, &c);
            for _ in 0..UNTIL_KNOWN {
                let _a = a.lock();
                show(&b, &c);
            }
        },
        // Only the longer chain has `a` before `c`.
        || show(&c, &a),
    );
    assert_eq!(
        about("a of chains"),
        [(Code::LockOrderCycle, Basis::SameInstances)]
    );
}
