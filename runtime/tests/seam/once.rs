//! What is initialised once.

use crate::stdsync::{LazyLock, Named, Once, OnceLock};
use crate::watch::{self, told};
use crate::{assert_told, panics, while_held};

#[test]
fn initialising_is_holding_and_what_is_done_is_silent() {
    let held = |name: &str| {
        [
            format!("request {name} Exclusive Wait"),
            format!("acquired {name} Exclusive Wait"),
            "inside".to_owned(),
            format!("released {name} Exclusive"),
        ]
    };
    let inside = || watch::tell("inside".to_owned());

    let once = Once::named("once", ());
    once.call_once(inside);
    assert_eq!(told(), held("once"));
    once.call_once(inside);
    once.call_once_force(|_| inside());
    once.wait();
    once.wait_force();
    assert_told(&[]);

    let cell = OnceLock::named("cell", ());
    cell.get_or_init(inside);
    assert_eq!(told(), held("cell"));
    cell.get_or_init(inside);
    cell.set(()).unwrap_err();
    cell.wait();
    cell.get();
    assert_told(&[]);

    let lazy = LazyLock::named("lazy", inside);
    LazyLock::force(&lazy);
    assert_eq!(told(), held("lazy"));
    *lazy;
    assert_told(&[]);
}

#[test]
fn an_initialiser_that_panics_holds_nothing_afterwards() {
    let once = Once::named("once", ());
    panics(|| once.call_once(|| panic!("inside")));
    assert_eq!(told().last().unwrap(), "released once Exclusive");
    let cell = OnceLock::<u8>::named("cell", ());
    panics(|| cell.get_or_init(|| panic!("inside")));
    assert_eq!(told().last().unwrap(), "released cell Exclusive");
    let lazy = LazyLock::<u8, _>::named("lazy", || panic!("inside"));
    panics(|| *lazy);
    assert_eq!(told().last().unwrap(), "released lazy Exclusive");
}

#[test]
fn who_waits_for_an_initialiser_says_so_before() {
    let expected = |name: &str| {
        [
            format!("request {name} Exclusive Wait"),
            format!("blocked {name} Exclusive Wait"),
            "unblocked".to_owned(),
            format!("acquired {name} Exclusive Wait"),
            format!("released {name} Exclusive"),
        ]
    };

    let once = Once::named("once", ());
    let waiter = while_held(
        |held| once.call_once(held),
        || once.call_once(|| unreachable!("the other calls")),
    );
    assert_eq!(waiter, expected("once"));

    let cell = OnceLock::named("cell", ());
    let waiter = while_held(
        |held| *cell.get_or_init(held),
        || assert_eq!(cell.set(()), Err(())),
    );
    assert_eq!(waiter, expected("cell"));
}

#[test]
fn who_waits_without_initialising_gets_nothing() {
    let cell = OnceLock::named("cell", ());
    let waiter = while_held(
        |held| {
            held();
            cell.set(1).unwrap();
        },
        || assert_eq!(*cell.wait(), 1),
    );
    assert_eq!(
        waiter,
        [
            "request cell Exclusive Wait",
            "blocked cell Exclusive Wait",
            "gave up cell",
        ]
    );
}

#[test]
fn asking_for_what_one_is_making_is_requested_and_refused() {
    let cell = OnceLock::<u8>::named("cell", ());
    panics(|| cell.get_or_init(|| *cell.get_or_init(|| 1)));
    assert_told(&[
        "request cell Exclusive Wait",
        "acquired cell Exclusive Wait",
        "request cell Exclusive Wait",
        "released cell Exclusive",
    ]);
}
