//! What the macros refuse, and that nothing is held then.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use lockwise::acquire::{TimedOut, TryAcquireError};
use lockwise::{Mutex, ReentrantMutex, RwLock, acquire, stdsync, try_acquire};

use super::{elsewhere, panic_of};

#[test]
fn a_lock_wanted_twice_is_refused_and_nothing_is_taken() {
    let (a, b) = (Mutex::new(1), Mutex::new(2));
    let alias = &a;
    let line = line!() + 1;
    let message = panic_of(|| drop(acquire!(b, a, alias)));
    let file = file!();
    assert_eq!(
        message,
        format!(
            "acquire!: `a` at {file}:{line}:48 and `alias` at {file}:{line}:51 are the same lock"
        )
    );
    assert!(!a.is_locked() && !b.is_locked());
    let Err(TryAcquireError::Duplicate { first, second }) = try_acquire!(alias, b, a) else {
        panic!("`alias` is `a`");
    };
    assert_eq!((first.expression, second.expression), ("alias", "a"));
    assert!(!a.is_locked() && !b.is_locked());
}

#[test]
fn even_two_readers_of_one_lock_are_a_duplicate() {
    let a = Arc::new(RwLock::new(1));
    let alias = Arc::clone(&a);
    assert!(matches!(
        try_acquire!(read a, read alias),
        Err(TryAcquireError::Duplicate { .. })
    ));
    let reentrant = ReentrantMutex::new(1);
    let alias = &reentrant;
    assert!(matches!(
        try_acquire!(reentrant, alias),
        Err(TryAcquireError::Duplicate { .. })
    ));
}

#[test]
fn a_lock_and_one_inside_it_are_no_duplicate() {
    let outer = ReentrantMutex::new(ReentrantMutex::new(1));
    let guard = outer.lock();
    let inner: &ReentrantMutex<i32> = &guard;
    let (inner, _outer) = acquire!(inner, outer);
    assert_eq!(*inner, 1);
}

#[test]
fn try_acquire_names_the_lock_that_is_not_free_and_holds_none() {
    let (a, b, c) = (Mutex::new(1), Mutex::new(2), RwLock::new(3));
    let held = c.read();
    let line = line!() + 1;
    let error = elsewhere(|| try_acquire!(a, write c, b).map(|_| ()).unwrap_err());
    assert_eq!(
        error.to_string(),
        format!("`c` at {}:{line}:52 is not free", file!())
    );
    assert!(!a.is_locked() && !b.is_locked());
    drop(held);
    assert!(try_acquire!(a, write c, b).is_ok());
}

#[test]
fn a_timeout_names_the_lock_and_holds_none() {
    let (a, b) = (Mutex::new(1), stdsync::Mutex::new(2));
    let limit = Duration::from_millis(20);
    let held = b.lock();
    elsewhere(|| {
        let begin = Instant::now();
        let Err(TimedOut { lock, .. }) = acquire!(b, a; timeout limit) else {
            panic!("`b` is held");
        };
        assert!(begin.elapsed() >= limit);
        assert_eq!(lock.expression, "b");
        let error = try_acquire!(b, a; timeout limit).unwrap_err();
        assert!(matches!(error, TryAcquireError::TimedOut { lock } if lock.expression == "b"));
        assert!(!a.is_locked());
    });
    drop(held);
    let (a, b) = acquire!(a, b; timeout Duration::MAX).unwrap();
    assert_eq!(*a + *b.unwrap(), 3);
}

#[test]
fn partial_failure_undone() {
    let first = Mutex::new(0);
    let (a, b, c) = (Mutex::new(1), RwLock::new(2), Mutex::new(3));
    let held = c.lock();
    elsewhere(|| {
        let outer = acquire!(first);
        let limit = Duration::from_millis(20);
        let Err(TimedOut { lock, .. }) = acquire!(a, write b, c; timeout limit) else {
            panic!("`c` is held");
        };
        assert_eq!(lock.expression, "c");
        // The first two are free again, and what was held before still is.
        assert!(!a.is_locked() && !b.is_locked() && first.is_locked());
        drop(acquire!(a, write b));
        drop(outer);
    });
    drop(held);
    assert!(acquire!(a, write b, c; timeout Duration::MAX).is_ok());
}

#[test]
fn a_timeout_waits_for_what_becomes_free() {
    let (a, b) = (Mutex::new(1), stdsync::Mutex::new(2));
    let (ready, wait) = mpsc::channel();
    thread::scope(|scope| {
        let guards = acquire!(a, b);
        scope.spawn(|| {
            ready.send(()).unwrap();
            assert!(acquire!(b, a; timeout Duration::from_secs(60)).is_ok());
        });
        wait.recv().unwrap();
        drop(guards);
    });
}

#[test]
fn a_poisoned_lock_is_taken_and_says_so() {
    let (a, b) = (stdsync::Mutex::new(1), Mutex::new(2));
    let panic = catch_unwind(AssertUnwindSafe(|| {
        let _guard = a.lock().unwrap();
        panic!("poisoned");
    }));
    assert!(panic.is_err());
    let (poisoned, b) = try_acquire!(a, b).unwrap();
    assert!(poisoned.is_err() && *b == 2);
}
