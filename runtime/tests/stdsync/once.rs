//! [`Once`], [`OnceLock`] and [`LazyLock`]: who initialises, and what a panic leaves.

use lockwise::stdsync::atomic::{AtomicU32, Ordering::SeqCst};
use lockwise::stdsync::{Arc, Barrier, LazyLock, Once, OnceLock};
use std::thread;

use crate::{assert_same_as_std, message_of};

/// Runs `race` on several threads that start together.
fn race(race: impl Fn() + Sync) {
    let start = Barrier::new(4);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                start.wait();
                race();
            });
        }
    });
}

#[test]
#[cfg_attr(miri, ignore = "too many rounds")]
fn of_many_first_calls_one_is_made_and_all_see_its_end() {
    for _ in 0..200 {
        let (once, calls) = (Once::new(), AtomicU32::new(0));
        race(|| {
            once.call_once(|| {
                calls.fetch_add(1, SeqCst);
            });
            assert_eq!(calls.load(SeqCst), 1);
            assert!(once.is_completed());
            once.wait();
            once.wait_force();
        });
    }
}

#[test]
fn a_call_that_panicked_spoils_a_once_unless_forced() {
    let messages = assert_same_as_std!({
        let once = sync::Once::new();
        let mut seen = vec![
            message_of(|| once.call_once(|| panic!("at first"))),
            message_of(|| once.call_once(|| unreachable!("it is poisoned"))),
            message_of(|| once.wait()),
        ];
        message_of(|| once.call_once_force(|state| panic!("{}", state.is_poisoned())));
        once.call_once_force(|state| seen.push(format!("{state:?}")));
        once.call_once(|| unreachable!("it is done"));
        once.wait();
        seen.push(format!("{once:?} {}", once.is_completed()));
        seen
    });
    assert!(messages[1].contains("poisoned"), "{messages:?}");
}

#[test]
fn waiting_for_a_once_ends_with_it() {
    let once = Once::new();
    let value = AtomicU32::new(0);
    thread::scope(|scope| {
        for forced in [false, true] {
            let (once, value) = (&once, &value);
            scope.spawn(move || {
                if forced {
                    once.wait_force();
                } else {
                    once.wait();
                }
                assert_eq!(value.load(SeqCst), 1);
            });
        }
        once.call_once(|| value.store(1, SeqCst));
    });
}

#[test]
fn a_once_works_in_statics() {
    static DONE: Once = Once::new();
    #[expect(deprecated, reason = "it is tested")]
    static OLD: Once = lockwise::stdsync::ONCE_INIT;
    for once in [&DONE, &OLD] {
        let mut calls = 0;
        once.call_once(|| calls += 1);
        once.call_once(|| calls += 1);
        assert_eq!(calls, 1);
    }
}

#[test]
#[cfg_attr(miri, ignore = "too many rounds")]
fn of_many_values_a_cell_keeps_one() {
    for _ in 0..200 {
        let (cell, made) = (OnceLock::new(), AtomicU32::new(0));
        race(|| {
            let value = *cell.get_or_init(|| made.fetch_add(1, SeqCst));
            assert_eq!(value, 0);
            assert_eq!(cell.set(7), Err(7));
        });
        assert_eq!(made.into_inner(), 1);
    }
    for _ in 0..200 {
        let (cell, kept) = (OnceLock::new(), AtomicU32::new(0));
        race(|| {
            if cell.set(1).is_ok() {
                kept.fetch_add(1, SeqCst);
            }
            assert_eq!(*cell.wait(), 1);
        });
        assert_eq!(kept.into_inner(), 1);
    }
}

#[test]
fn a_cell_gives_and_takes() {
    let mut cell = OnceLock::new();
    assert_eq!(cell.get(), None);
    assert_eq!(cell.get_mut(), None);
    assert_eq!(cell.take(), None);
    assert_eq!(cell.set(String::from("a")), Ok(()));
    assert_eq!(cell.set(String::from("b")), Err(String::from("b")));
    cell.get_mut().unwrap().push('!');
    assert_eq!(cell.wait(), "a!");
    assert_eq!(cell.get_or_init(|| unreachable!("it is full")), "a!");
    assert_eq!(cell.take().unwrap(), "a!");
    assert_eq!(cell.get_or_init(|| String::from("c")), "c");
    assert_eq!(cell.into_inner().unwrap(), "c");
}

#[test]
fn a_cell_stays_empty_when_its_function_panics() {
    let cell = OnceLock::new();
    message_of(|| cell.get_or_init(|| panic!("no value")));
    assert_eq!(cell.get(), None);
    assert_eq!(*cell.get_or_init(|| 3), 3);
}

#[test]
fn cells_compare_copy_and_look_as_in_std() {
    assert_same_as_std!({
        let empty = sync::OnceLock::<u8>::default();
        let full = sync::OnceLock::from(1);
        let copies = (empty.clone(), full.clone());
        (
            format!("{empty:?} {full:?} {full:#?} {copies:?}"),
            [empty == full, empty == copies.0, full == copies.1],
        )
    });
}

#[test]
fn a_cell_drops_its_value_once() {
    let value = Arc::new(());
    drop(OnceLock::from(Arc::clone(&value)));
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn waiting_for_a_cell_ends_when_it_is_full() {
    static CELL: OnceLock<u32> = OnceLock::new();
    thread::scope(|scope| {
        scope.spawn(|| assert_eq!(*CELL.wait(), 5));
        CELL.set(5).unwrap();
    });
}

#[test]
fn a_lazy_value_is_made_once_and_only_when_used() {
    static MADE: AtomicU32 = AtomicU32::new(0);
    static LAZY: LazyLock<u32> = LazyLock::new(|| MADE.fetch_add(1, SeqCst));
    assert_eq!(MADE.load(SeqCst), 0);
    race(|| assert_eq!(*LAZY, 0));
    assert_eq!(LazyLock::force(&LAZY), &0);
    assert_eq!(MADE.load(SeqCst), 1);
}

#[test]
fn a_lazy_value_may_own_its_function() {
    let text = String::from("owned");
    let lazy = LazyLock::new(move || text.len());
    assert_eq!(*lazy, 5);
    assert_eq!(*LazyLock::<Vec<u8>>::default(), []);
    drop(LazyLock::<()>::new(|| unreachable!("nobody looks")));
}

#[test]
fn a_lazy_value_whose_function_panicked_panics_for_ever() {
    let messages = assert_same_as_std!({
        let lazy: sync::LazyLock<u8> = sync::LazyLock::new(|| panic!("no value"));
        [
            message_of(|| *lazy),
            message_of(|| *lazy),
            message_of(|| *sync::LazyLock::force(&lazy)),
            format!("{lazy:?}"),
        ]
    });
    assert!(messages[1].contains("poisoned"), "{messages:?}");
}

#[test]
fn a_lazy_value_looks_as_in_std() {
    assert_same_as_std!({
        let lazy = sync::LazyLock::new(|| vec![1]);
        let before = format!("{lazy:?}");
        assert_eq!(lazy.len(), 1);
        [before, format!("{lazy:?} {lazy:#?}")]
    });
}

#[test]
#[cfg(feature = "checks")]
fn the_default_has_not_happened_yet() {
    let once = Once::default();
    assert!(!once.is_completed());
    let mut calls = 0;
    once.call_once(|| calls += 1);
    once.call_once(|| calls += 1);
    assert_eq!((calls, once.is_completed()), (1, true));
}
