//! [`lockwise::thread`], by the cases of the list.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use lockwise::sync::{
    Actor, ActorBuilder, BuildError, Context, Event, Failure, Promise, ThreadPool,
};
use lockwise::thread;

use super::{LONG, SHORT};

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
fn join_timeout() {
    let (ended, at_end) = Promise::new();
    let go = Arc::new(Event::new());
    let waits = Arc::clone(&go);
    let thread = thread::spawn(move || {
        ended.fulfil(|| {
            waits.wait();
            5
        });
    });
    assert!(!at_end.wait_done_timeout(SHORT) && !thread.is_finished());
    go.set();
    assert!(at_end.wait_done_timeout(LONG));
    thread.join().unwrap();
    assert_eq!(at_end.wait().unwrap(), 5);
}

/// An actor that has nothing to do.
struct Nobody;

impl Actor for Nobody {
    type Message = ();

    fn handle(&mut self, (): (), _: &Context<'_, ()>) {}
}

#[test]
fn spawn_failure() {
    // No system has room for such a stack.
    const TOO_LARGE: usize = usize::MAX / 4;
    let named = || thread::Builder::new().name("ghost".to_owned());
    assert!(named().stack_size(TOO_LARGE).spawn(|| ()).is_err());
    let pool = ThreadPool::builder(2).name("ghost").stack_size(TOO_LARGE);
    assert!(matches!(pool.build(), Err(BuildError::Spawn(_))));
    let pool = ThreadPool::builder(2).stack_size(TOO_LARGE).grow_on_need();
    let pool = pool.build().unwrap();
    // There is nobody to do it, and nobody can be had.
    let job = pool.submit(|| ());
    assert!(job.is_err() || matches!(job.unwrap().wait(), Err(Failure::Broken)));
    assert_eq!(pool.workers(), 0);
    let builder = ActorBuilder::new().name("ghost").stack_size(TOO_LARGE);
    assert!(builder.start(Nobody).is_err());
    // They have left nothing: another thread of that name is the only one, and is joined as ever.
    let seen = named().spawn(|| thread::current().name().map(str::to_owned));
    assert_eq!(seen.unwrap().join().unwrap().as_deref(), Some("ghost"));
    assert!(!lockwise::describe_waits().contains("ghost"));
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
