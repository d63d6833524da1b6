//! `OnceCell`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::thread;

use lockwise::OnceCell;

static CELL: OnceCell<String> = OnceCell::named("cell");

#[test]
fn one_initialiser_wins_and_all_get_its_value() {
    let together = Barrier::new(8);
    let values: Vec<&str> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|number| {
                let together = &together;
                scope.spawn(move || {
                    together.wait();
                    CELL.get_or_init(|| format!("thread {number}")).as_str()
                })
            })
            .collect();
        threads.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(values.iter().all(|value| *value == values[0]));
    assert_eq!(CELL.get().map(String::as_str), Some(values[0]));
}

#[test]
fn it_is_written_once() {
    let mut cell = OnceCell::new();
    assert_eq!(cell.get(), None);
    assert_eq!(cell.set(1), Ok(()));
    assert_eq!(cell.set(2), Err(2));
    assert_eq!(cell.try_insert(3), Err((&1, 3)));
    assert_eq!((cell.get(), cell.wait()), (Some(&1), &1));
    *cell.get_mut().unwrap() += 1;
    // SAFETY: the cell was initialised by this thread.
    assert_eq!(unsafe { cell.get_unchecked() }, &2);
    assert_eq!(cell.take(), Some(2));
    assert_eq!(cell.try_insert(4), Ok(&4));
    assert_eq!(cell.into_inner(), Some(4));
    assert_eq!(OnceCell::with_value(5).get(), Some(&5));
}

#[test]
fn an_initialiser_that_fails_leaves_it_empty() {
    let cell = OnceCell::new();
    assert_eq!(cell.get_or_try_init(|| Err("no")), Err("no"));
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        cell.get_or_init(|| panic!("on purpose"));
    }));
    assert!(panicked.is_err());
    assert_eq!(cell.get(), None);
    assert_eq!(cell.get_or_try_init(|| Ok::<_, ()>(7)), Ok(&7));
}

#[test]
fn waiting_ends_when_another_thread_writes() {
    let cell = OnceCell::new();
    thread::scope(|scope| {
        let waits = scope.spawn(|| *cell.wait());
        cell.set(6).unwrap();
        assert_eq!(waits.join().unwrap(), 6);
    });
}

#[test]
fn it_is_cloned_compared_and_shown_as_once_cells() {
    let full = OnceCell::from(1);
    let mut empty = OnceCell::default();
    assert_eq!(full, full.clone());
    assert_ne!(full, empty);
    assert_eq!(
        format!("{full:?} {empty:?}"),
        "OnceCell(1) OnceCell(Uninit)"
    );
    empty.clone_from(&full);
    assert_eq!(empty, full);
}
