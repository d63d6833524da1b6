//! What the macros take.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use lockwise::acquire::{Acquire, Exclusive};
use lockwise::{Mutex, RwLock, acquire, stdsync, try_acquire};

use super::account::Account;

#[test]
fn fields_indices_calls_and_questions_are_lock_expressions() {
    let account = Account::new();
    assert_eq!(account.sum(), 11);
    assert_eq!(account.part(1), Some(5));
    assert_eq!(account.part(9), None);
}

#[test]
fn references_blocks_and_conditions_are_lock_expressions() {
    let (a, b, c) = (Mutex::new(1), Mutex::new(2), Arc::new(Mutex::new(3)));
    let chosen = true;
    let sum = {
        let (a, b, c) = acquire!(
            &a,
            {
                let there = &&b;
                *there
            },
            if chosen { &*c } else { &a }
        );
        *a + *b + *c
    };
    assert_eq!(sum, 6);
    let table = HashMap::from([("x", Mutex::new(9))]);
    let (nine, one) = acquire!(
        match table.get("x") {
            Some(found) => found,
            None => return,
        },
        (&a as &Mutex<i32>)
    );
    assert_eq!(*nine - *one, 8);
}

#[test]
fn what_dereferences_to_a_lock_is_one() {
    static LAZY: LazyLock<Mutex<i32>> = LazyLock::new(|| Mutex::new(1));
    static PLAIN: Mutex<i32> = Mutex::new(2);
    let cell = RefCell::new(Mutex::new(3));
    let inner = cell.borrow();
    let (lazy, plain, inner) = acquire!(LAZY, PLAIN, inner);
    assert_eq!(*lazy + *plain + *inner, 6);
}

#[test]
fn temporaries_live_to_the_end_of_the_statement() {
    let lock = Arc::new(Mutex::new(vec![1, 2]));
    let borrow = || Arc::clone(&lock);
    let len = acquire!(borrow()).0.len();
    assert_eq!(len, 2);
    assert_eq!(acquire!(borrow(), Arc::new(Mutex::new(3))).0.len(), 2);
    acquire!(borrow()).0.push(3);
    if let (guard,) = acquire!(borrow())
        && guard.len() == 3
    {
        assert!(lock.is_locked());
    }
    assert_eq!(try_acquire!(borrow()).unwrap().0.len(), 3);
}

#[test]
fn each_expression_is_evaluated_once_in_order_and_before_any_lock_is_taken() {
    let (a, b) = (Mutex::new(1), Mutex::new(2));
    let order = RefCell::new(Vec::new());
    let note = |name| {
        assert!(!a.is_locked() && !b.is_locked());
        order.borrow_mut().push(name);
        if name == "a" { &a } else { &b }
    };
    let guards = acquire!(note("b"), note("a"));
    assert_eq!((*guards.0, *guards.1), (2, 1));
    drop(guards);
    let guards = acquire!(note("a"), note("b"); timeout {
        order.borrow_mut().push("timeout");
        Duration::from_secs(1)
    });
    assert!(guards.is_ok());
    assert_eq!(*order.borrow(), ["b", "a", "a", "b", "timeout"]);
}

#[test]
fn a_mode_word_may_be_a_name() {
    struct Pair {
        write: Mutex<i32>,
    }
    fn upgradable(lock: &Mutex<i32>) -> &Mutex<i32> {
        lock
    }
    let read = RwLock::new(1);
    let write = [Pair {
        write: Mutex::new(2),
    }];
    let timeout = Mutex::new(3);
    {
        let (a, b) = acquire!(read read, write[0].write);
        assert_eq!(*a + *b, 3);
    }
    {
        let (a, b, c) = acquire!(read { &read }, upgradable(&write[0].write), timeout);
        assert_eq!(*a + *b + *c, 6);
    }
    let (a,) = acquire!(read; timeout Duration::from_secs(1)).unwrap();
    assert_eq!(*a, 1);
    drop(a);
    let (a,) = acquire!(read & read);
    assert_eq!(*a, 1);
}

#[test]
fn a_generic_function_knows_its_locks_by_the_trait() {
    fn both<L: Acquire<Exclusive>>(a: &L, b: &L) -> bool {
        let (_a, _b) = acquire!(b, a);
        try_acquire!(a).is_err()
    }
    assert!(both(&Mutex::new(1), &Mutex::new(2)));
    assert!(both(&RwLock::new(1), &RwLock::new(2)));
    assert!(both(&stdsync::Mutex::new(1), &stdsync::Mutex::new(2)));
}

/// A macro whose own variable has the name of the caller's.
macro_rules! with_own_lock {
    ($theirs:expr, $word:ident, $($rest:tt)*) => {{
        let lock = Mutex::new(10);
        let (ours, theirs, rest) = acquire!(lock, $theirs, $word $($rest)*);
        *ours + *theirs + *rest
    }};
}

#[test]
fn a_macro_may_write_the_call() {
    let lock = Mutex::new(1);
    let other = [RwLock::new(2)];
    assert_eq!(with_own_lock!(lock, read, other[0]), 13);
}

/// A macro that takes any number.
macro_rules! all {
    ($($lock:expr),*) => { acquire!($($lock),*) };
}

#[test]
fn a_macro_may_pass_any_number() {
    let (a, b) = (Mutex::new(1), Mutex::new(2));
    let () = all!();
    let (x, y) = all!(a, &b);
    assert_eq!(*x + *y, 3);
}

mod prelude {
    pub(super) use lockwise as locks;
}

#[test]
fn the_crate_may_be_reached_by_another_path() {
    let (a, b) = (Mutex::new(1), RwLock::new(2));
    let (a, b) = acquire!(crate = prelude::locks, a, read b);
    assert_eq!(*a + *b, 3);
}
