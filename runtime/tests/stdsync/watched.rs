//! What only watched types do.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock as StdOnceLock;

use lockwise::stdsync::{LazyLock, Mutex, Once, OnceLock, RwLock, RwLockWriteGuard};

use crate::message_of;

/// Asserts that `f` panics because of re-entrant initialisation, and does not hang.
fn assert_refused<T>(f: impl FnOnce() -> T) {
    let message = message_of(f);
    assert!(message.contains("re-entrant initialisation"), "{message}");
    assert!(message.contains(file!()), "{message}");
}

#[test]
fn a_once_that_is_called_in_its_own_function_panics() {
    let once = Once::new();
    assert_refused(|| once.call_once(|| once.call_once(|| ())));
    let once = Once::new();
    assert_refused(|| once.call_once_force(|_| once.wait_force()));
    let once = Once::new();
    assert_refused(|| once.call_once(|| once.wait()));
}

#[test]
fn a_cell_whose_function_asks_for_its_value_panics() {
    let cell = OnceLock::new();
    assert_refused(|| cell.get_or_init(|| *cell.get_or_init(|| 1)));
    assert_refused(|| cell.get_or_init(|| *cell.wait()));
    assert_refused(|| cell.get_or_init(|| cell.set(1).map_or(0, |()| 1)));
    assert_eq!(*cell.get_or_init(|| 2), 2);
}

#[test]
fn a_cell_survives_if_its_function_catches_the_panic() {
    let cell = OnceLock::new();
    let value = cell.get_or_init(|| {
        assert_refused(|| cell.get_or_init(|| 1));
        2
    });
    assert_eq!(*value, 2);
}

#[test]
fn a_lazy_value_that_needs_itself_panics() {
    static LAZY: LazyLock<u8> = LazyLock::new(|| *LAZY);
    assert_refused(|| *LAZY);
    assert!(message_of(|| *LAZY).contains("poisoned"));
}

#[test]
fn a_lazy_value_can_be_had_mutably_and_without_making_it() {
    // std has this too, but only in newer versions than our oldest.
    let mut lazy = LazyLock::new(|| String::from("made"));
    assert_eq!(LazyLock::get(&lazy), None);
    assert_eq!(LazyLock::get_mut(&mut lazy), None);
    lazy.push('!');
    LazyLock::force_mut(&mut lazy).push('?');
    assert_eq!(LazyLock::get(&lazy).unwrap(), "made!?");
    assert_eq!(LazyLock::get_mut(&mut lazy).unwrap(), "made!?");
    assert_eq!(*lazy, "made!?");

    let mut lazy: LazyLock<u8> = LazyLock::new(|| panic!("no value"));
    assert_eq!(message_of(|| *LazyLock::force_mut(&mut lazy)), "no value");
    assert!(message_of(|| *LazyLock::force_mut(&mut lazy)).contains("poisoned"));
    assert!(message_of(|| *lazy).contains("poisoned"));

    let made: LazyLock<u8> = LazyLock::from(1);
    assert_eq!((LazyLock::get(&made), *made), (Some(&1), 1));
}

#[test]
fn a_writer_becomes_a_reader_where_std_can_do_it() {
    let lock = RwLock::new(1);
    let mut writer = lock.write().unwrap();
    *writer += 1;
    match catch_unwind(AssertUnwindSafe(|| RwLockWriteGuard::downgrade(writer))) {
        Ok(reader) => {
            assert_eq!(*reader, *lock.try_read().unwrap());
            assert!(lock.try_write().is_err());
            drop(reader);
            assert!(lock.try_write().is_ok());
        }
        Err(payload) => assert!(payload.is::<&str>() || payload.is::<String>()),
    }
}

#[test]
fn two_cells_may_need_each_other_on_different_paths() {
    let (one, two) = (OnceLock::new(), OnceLock::new());
    assert_eq!(*one.get_or_init(|| *two.get_or_init(|| 1) + 1), 2);
    assert_eq!(*two.get_or_init(|| unreachable!("it is full")), 1);
}

#[test]
fn locks_work_while_a_thread_ends() {
    struct UsesLocks;
    impl Drop for UsesLocks {
        fn drop(&mut self) {
            static SEEN: Mutex<u32> = Mutex::new(0);
            static LAZY: LazyLock<u32> = LazyLock::new(|| 1);
            *SEEN.lock().unwrap() += *LAZY;
            ENDED.set(()).unwrap();
        }
    }
    thread_local!(static AT_END: RefCell<Option<UsesLocks>> = const { RefCell::new(None) });
    static ENDED: StdOnceLock<()> = StdOnceLock::new();
    let thread = std::thread::spawn(|| AT_END.set(Some(UsesLocks)));
    thread.join().unwrap();
    assert!(ENDED.get().is_some());
}
