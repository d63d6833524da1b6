//! Threads that borrow.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Barrier, mpsc};

use lockwise::thread;

use crate::{message_of, text_of};

#[test]
fn threads_borrow_and_are_joined_at_the_end() {
    let mut numbers = vec![1, 2, 3];
    let mut sum = 0;
    let numbers_len = thread::scope(|scope| {
        scope.spawn(|| sum += numbers.iter().sum::<i32>());
        scope.spawn(|| assert_eq!(numbers[0], 1));
        numbers.len()
    });
    numbers.push(sum);
    assert_eq!((numbers_len, numbers), (3, vec![1, 2, 3, 6]));
}

#[test]
fn results_come_by_joining() {
    let text = String::from("shared");
    let lengths = thread::scope(|scope| {
        let threads = [1, 2, 3].map(|n| {
            let text = &text;
            scope.spawn(move || text.len() * n)
        });
        threads.map(|thread| thread.join().unwrap())
    });
    assert_eq!(lengths, [6, 12, 18]);
}

#[test]
fn threads_of_a_scope_start_others_in_it() {
    let started = AtomicU32::new(0);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                started.fetch_add(1, SeqCst);
                scope.spawn(|| {
                    started.fetch_add(1, SeqCst);
                    scope.spawn(|| started.fetch_add(1, SeqCst));
                });
            });
        }
    });
    assert_eq!(started.into_inner(), 9);
}

#[test]
fn scopes_nest() {
    let mut outer = 1;
    thread::scope(|scope| {
        scope.spawn(|| {
            let inner = AtomicU32::new(0);
            thread::scope(|scope| {
                scope.spawn(|| inner.fetch_add(1, SeqCst));
            });
            outer += inner.into_inner();
        });
    });
    assert_eq!(outer, 2);
}

#[test]
fn an_unjoined_thread_that_panics_makes_the_scope_panic_as_in_std() {
    let ours = message_of(|| thread::scope(|scope| drop(scope.spawn(|| panic!("unseen")))));
    let theirs = message_of(|| std::thread::scope(|scope| drop(scope.spawn(|| panic!("unseen")))));
    assert_eq!(ours, theirs);
}

#[test]
fn a_joined_thread_that_panics_does_not() {
    let message = thread::scope(|scope| {
        let handle = scope.spawn(|| panic!("seen"));
        text_of(handle.join().unwrap_err())
    });
    assert_eq!(message, "seen");
}

#[test]
fn a_scope_that_panics_waits_for_its_threads() {
    let ended = AtomicU32::new(0);
    let (go, wait) = mpsc::channel::<()>();
    let message = message_of(|| {
        thread::scope(|scope| {
            let ended = &ended;
            scope.spawn(move || {
                wait.recv().unwrap_err();
                ended.fetch_add(1, SeqCst);
            });
            // Dropped while unwinding, which lets the thread go on.
            let _go = go;
            panic!("in the scope");
        })
    });
    assert_eq!(message, "in the scope");
    assert_eq!(ended.into_inner(), 1);
}

#[test]
fn builders_name_threads_of_a_scope() {
    thread::scope(|scope| {
        let handle = thread::Builder::new()
            .name("scoped".to_owned())
            .spawn_scoped(scope, || thread::current().name().map(str::to_owned))
            .unwrap();
        assert_eq!(handle.thread().name(), Some("scoped"));
        assert_eq!(handle.join().unwrap().as_deref(), Some("scoped"));
    });
}

#[test]
fn a_thread_is_finished_when_its_work_is_done() {
    let hold = Barrier::new(2);
    thread::scope(|scope| {
        let handle = scope.spawn(|| hold.wait().is_leader());
        assert!(!handle.is_finished());
        hold.wait();
        while !handle.is_finished() {
            thread::yield_now();
        }
    });
}

#[test]
fn one_thread_of_a_scope_joins_another() {
    let sum = thread::scope(|scope| {
        let first = scope.spawn(|| 1);
        let second = scope.spawn(|| first.join().unwrap() + 1);
        second.join().unwrap()
    });
    assert_eq!(sum, 2);
}

#[test]
#[cfg_attr(miri, ignore = "too many rounds")]
fn many_scopes_with_many_threads() {
    let total = AtomicU32::new(0);
    for _ in 0..100 {
        thread::scope(|scope| {
            let handles: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| total.fetch_add(1, SeqCst)))
                .collect();
            for handle in handles.into_iter().rev().step_by(2) {
                handle.join().unwrap();
            }
        });
    }
    assert_eq!(total.into_inner(), 800);
}
