//! [`lockwise::thread`], by the cases of the list.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use lockwise::sync::Event;
use lockwise::thread;

#[test]
fn name_and_id() {
    let named = thread::Builder::new().name("given".to_owned());
    let name = || thread::current().name().map(str::to_owned);
    let given = named.spawn(name).unwrap().join().unwrap();
    assert_eq!(given.as_deref(), Some("given"));
    assert_eq!(thread::spawn(name).join().unwrap(), None);
    let go = Event::new();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    go.wait();
                    thread::current().id()
                })
            })
            .collect();
        let living: HashSet<_> = threads.iter().map(|it| it.thread().id()).collect();
        assert_eq!(living.len(), 8);
        go.set();
    });
}

#[test]
fn scope_joins_all() {
    let (started, go) = (Event::new(), Event::new());
    let done = Event::new();
    let died = catch_unwind(AssertUnwindSafe(|| {
        thread::scope(|scope| {
            scope.spawn(|| {
                started.set();
                panic!("one of them");
            });
            scope.spawn(|| {
                go.wait();
                done.set();
            });
            started.wait();
            go.set();
        });
    }));
    assert!(died.is_err() && done.is_set());
}
