//! An initialiser that asks for its own object panics instead of hanging, and names both places.

use std::panic::{AssertUnwindSafe, catch_unwind};

use lockwise::{Lazy, Once, OnceCell};

/// Runs what must panic, and returns the message.
fn message(run: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(run)).expect_err("it panics");
    *panic.downcast::<String>().expect("with a message")
}

#[test]
fn a_cell_that_needs_itself_panics_and_stays_empty() {
    let cell = OnceCell::new();
    let outer = line!() + 2;
    let said = message(|| {
        cell.get_or_init(|| {
            let inner: &u32 = cell.get_or_init(|| 1);
            inner + 1
        });
    });
    assert!(said.starts_with("OnceCell is initialised by its own initialiser"));
    for line in [outer, outer + 1] {
        let place = format!("{}:{line}:", file!());
        assert!(said.contains(&place), "{said} names {place}");
    }
    assert_eq!(cell.get(), None);
    assert_eq!(cell.get_or_init(|| 3), &3);
}

#[test]
fn so_do_setting_inserting_and_waiting() {
    let cell = OnceCell::new();
    message(|| assert!(cell.get_or_try_init(|| cell.set(1).map(|()| 1)).is_ok()));
    message(|| {
        cell.get_or_init(|| cell.try_insert(1).copied().unwrap());
    });
    message(|| {
        cell.get_or_init(|| *cell.wait());
    });
    assert_eq!(cell.set(2), Ok(()));
}

#[test]
fn a_lazy_value_that_needs_itself_panics_and_is_poisoned() {
    static SELF: Lazy<u32> = Lazy::new(|| *SELF + 1);
    let said = message(|| assert_eq!(*SELF, 1));
    assert!(said.starts_with("Lazy is initialised by its own initialiser"));
    let again = catch_unwind(|| *SELF).unwrap_err();
    assert!(again.downcast_ref::<&str>().unwrap().contains("poisoned"));
}

#[test]
fn a_once_that_needs_itself_panics_and_is_poisoned() {
    let once = Once::new();
    let said = message(|| once.call_once(|| once.call_once(|| {})));
    assert!(said.starts_with("Once is initialised by its own initialiser"));
    assert!(once.state().poisoned());
    message(|| once.call_once_force(|_| once.call_once_force(|_| {})));
    once.call_once_force(|_| {});
    assert!(once.state().done());
}

#[test]
fn initialisers_may_need_other_objects() {
    let (first, second) = (OnceCell::new(), OnceCell::new());
    let sum = first.get_or_init(|| second.get_or_init(|| 1) + 1);
    assert_eq!((*sum, second.get()), (2, Some(&1)));
}
