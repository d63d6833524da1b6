//! `Lazy`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use lockwise::Lazy;

static RUNS: AtomicU32 = AtomicU32::new(0);
static VALUE: Lazy<Vec<u32>> = Lazy::named("value", || {
    RUNS.fetch_add(1, Ordering::Relaxed);
    vec![1, 2]
});

#[test]
fn it_is_made_once_on_first_use() {
    assert_eq!(Lazy::get(&VALUE), None);
    let together = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                together.wait();
                assert_eq!(VALUE.len(), 2);
            });
        }
    });
    assert_eq!(RUNS.load(Ordering::Relaxed), 1);
    assert_eq!(Lazy::force(&VALUE), &[1, 2]);
}

#[test]
fn it_can_be_taken_apart() {
    let mut lazy = Lazy::new(|| 1);
    assert_eq!(Lazy::get_mut(&mut lazy), None);
    *lazy += 1;
    assert_eq!(Lazy::force_mut(&mut lazy), &mut 2);
    assert_eq!(Lazy::get_mut(&mut lazy), Some(&mut 2));
    assert_eq!(Lazy::into_value(lazy).ok(), Some(2));
    let init = Lazy::into_value(Lazy::<u32>::default()).unwrap_err();
    assert_eq!(init(), 0);
}

#[test]
fn a_panic_poisons_it() {
    let lazy: Lazy<u32> = Lazy::new(|| panic!("on purpose"));
    let force = || catch_unwind(AssertUnwindSafe(|| *lazy)).unwrap_err();
    assert_eq!(force().downcast_ref::<&str>(), Some(&"on purpose"));
    let poisoned = "Lazy instance has previously been poisoned";
    for _ in 0..2 {
        assert_eq!(force().downcast_ref::<&str>(), Some(&poisoned));
    }
    assert!(catch_unwind(AssertUnwindSafe(|| Lazy::into_value(lazy))).is_err());
}

#[test]
fn it_is_shown_as_once_cells() {
    let lazy: Lazy<u32> = Lazy::new(|| 5);
    let empty = r#"Lazy { cell: OnceCell(Uninit), init: ".." }"#;
    assert_eq!(format!("{lazy:?}"), empty);
    assert_eq!(*lazy, 5);
    let full = r#"Lazy { cell: OnceCell(5), init: ".." }"#;
    assert_eq!(format!("{lazy:?}"), full);
}
