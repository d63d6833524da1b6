//! Threads: forks, joins, parking and scopes.

use std::time::Duration;

use crate::watch::{self, told};
use crate::{assert_told, panics, thread};

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
