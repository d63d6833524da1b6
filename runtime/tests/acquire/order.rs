//! That a call which does not ascend from what its thread holds is refused before it blocks.

use std::time::Duration;

use lockwise::acquire::TryAcquireError;
use lockwise::watch::hooks::held_count;
use lockwise::watch::{Code, Finding};
use lockwise::{Mutex, Rank, ReentrantMutex, RwLock, acquire, stdsync, try_acquire};

use super::{elsewhere, panic_of};

/// The finding that `result` was refused for.
fn violation<G>(result: Result<G, TryAcquireError>) -> Finding {
    match result {
        Ok(_) => panic!("it was taken"),
        Err(TryAcquireError::Order(finding)) => *finding,
        Err(other) => panic!("it was refused because {other}"),
    }
}

#[test]
fn a_call_inside_another_may_ascend() {
    let (a, b, c) = (Mutex::new(1), RwLock::new(2), stdsync::Mutex::new(3));
    let (_b, _a) = acquire!(read b, a);
    let (c,) = acquire!(c);
    assert_eq!(*c.unwrap(), 3);
}

#[test]
fn nested_descending_refused() {
    let (a, b, c) = (Mutex::new(1), RwLock::new(2), Mutex::new(3));
    let outer = acquire!(b);
    let message = panic_of(|| drop(acquire!(c, a)));
    assert!(
        message.starts_with("acquire!: LW0005 order-violation: "),
        "{message}"
    );
    assert!(!a.is_locked() && !c.is_locked());
    assert!(b.is_locked());
    assert_eq!(held_count(), 1);
    drop(outer);
    assert_eq!(held_count(), 0);
    drop(acquire!(c, a));
}

#[test]
fn what_times_out_leaves_the_held_set_as_it_was() {
    let (first, a, b) = (Mutex::new(0), Mutex::new(1), RwLock::new(2));
    let held = b.read();
    elsewhere(|| {
        let outer = acquire!(first);
        for limit in [Duration::ZERO, Duration::from_millis(5)] {
            assert!(acquire!(a, write b; timeout limit).is_err());
            assert_eq!(held_count(), 1);
        }
        // In another order than the one in which they were taken.
        let (one, two) = acquire!(a, read b);
        assert_eq!(held_count(), 3);
        drop(outer);
        drop(one);
        assert_eq!(held_count(), 1);
        violation(try_acquire!(first));
        drop(two);
        assert_eq!(held_count(), 0);
    });
    drop(held);
}

#[test]
fn try_acquire_returns_the_finding_with_both_sites() {
    let (a, b) = (Mutex::new(1), Mutex::new(2));
    let outer = acquire!(b);
    let finding = violation(try_acquire!(&a));
    assert_eq!(finding.code, Code::OrderViolation);
    let side = &finding.sides[0];
    let expression = |site: lockwise::watch::Site| site.note().unwrap().expression;
    assert_eq!(expression(side.wants.site()), "&a");
    assert_eq!(expression(side.holds.as_ref().unwrap().site), "b");
    assert!(!a.is_locked());
    drop(outer);
    assert!(try_acquire!(&a).is_ok());
}

#[test]
fn locks_taken_without_the_macro_count_too() {
    let (a, b) = (Mutex::new(1), Mutex::new(2));
    let held = b.lock();
    violation(try_acquire!(a));
    drop(held);
    let held = a.lock();
    assert!(try_acquire!(b).is_ok());
    drop(held);
}

#[test]
fn try_lock_exempt_but_recorded() {
    let (a, b, c) = (Mutex::new(1), Mutex::new(2), Mutex::new(3));
    let (held,) = acquire!(c);
    // Downward, and no violation, as it cannot block.
    let tried = b.try_lock().expect("it is free");
    drop(held);
    // But what is taken now is judged against it.
    violation(try_acquire!(a));
    assert!(try_acquire!(c).is_ok());
    drop(tried);
    assert!(try_acquire!(a).is_ok());
}

#[test]
fn panic_in_body() {
    let (a, b) = (Mutex::new(1), Mutex::new(2));
    let before = held_count();
    let message = panic_of(|| {
        let (a, b) = acquire!(a, b);
        assert_eq!(held_count(), before + 2);
        panic!("with {}", *a + *b);
    });
    assert_eq!(message, "with 3");
    assert_eq!(held_count(), before);
    assert!(!a.is_locked() && !b.is_locked());
    // Nothing is left behind that a lower lock could violate.
    assert!(try_acquire!(a).is_ok());
}

#[test]
fn ranks_come_before_places() {
    let (low, high) = {
        let high = Mutex::ranked(Rank(20), ());
        let low = Mutex::ranked(Rank(10), ());
        (low, high)
    };
    let unranked = Mutex::new(());
    let (_low,) = acquire!(low);
    let (_unranked, _high) = acquire!(unranked, high);
    elsewhere(|| {
        violation({
            let _high = high.try_lock();
            let other = Mutex::ranked(Rank(30), ());
            let _other = acquire!(other);
            try_acquire!(high)
        })
    });
}

#[test]
fn entering_a_reentrant_lock_again_is_no_violation() {
    let (a, lock, b) = (Mutex::new(1), ReentrantMutex::new(2), Mutex::new(3));
    let (_lock,) = acquire!(lock);
    let (again, _b) = acquire!(lock, b);
    assert_eq!(*again, 2);
    let (_again,) = acquire!(lock);
    violation(try_acquire!(lock, a));
}

#[test]
fn equal_id_refused() {
    let a = Mutex::new(1);
    let line = line!() + 1;
    let (held,) = acquire!(a);
    let finding = violation(try_acquire!(a));
    let first = finding.sides[0].holds.as_ref().unwrap().site;
    assert_eq!((first.file(), first.line()), (file!(), line));
    let message = panic_of(|| drop(acquire!(a)));
    assert!(message.contains("LW000"), "{message}");
    assert_eq!(*held, 1);
}

#[test]
fn thread_isolation() {
    let (a, b) = (Mutex::new(1), Mutex::new(2));
    let _b = acquire!(b);
    elsewhere(|| assert!(try_acquire!(a).is_ok()));
}

#[test]
fn the_error_alone_names_both_locks() {
    let (a, b) = (Mutex::new(1), Mutex::new(2));
    let outer = acquire!(b);
    let error = try_acquire!(&a).map(drop).unwrap_err();
    let told = error.to_string();
    drop(outer);
    let message = violation(Err::<(), _>(error)).message;
    assert!(told.ends_with(&message), "{told}");
    assert!(message.contains(" is requested while "), "{message}");
}
