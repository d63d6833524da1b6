//! Traits, variance, niches and drop glue are those of std.

use std::cell::Cell;
use std::fmt::Debug;
use std::marker::PhantomPinned;
use std::mem::{needs_drop, size_of};
use std::rc::Rc;
use std::sync;

use lockwise::stdsync;

use crate::same_traits::{assert_same_traits, implements};

/// Does something with each type as it is around contents of many kinds.
macro_rules! around_contents {
    ($do:ident) => {
        around_contents!($do:
            u8, Rc<u8>, Cell<u8>, Cell<Rc<u8>>, &'static mut u8, PhantomPinned,
            sync::MutexGuard<'static, u8>, &'static Cell<u8>, fn() -> u8, String);
    };
    ($do:ident: $($content:ty),*) => {
        $(
            $do!(stdsync::Mutex<$content>, sync::Mutex<$content>);
            $do!(stdsync::RwLock<$content>, sync::RwLock<$content>);
            $do!(stdsync::OnceLock<$content>, sync::OnceLock<$content>);
            $do!(stdsync::LazyLock<$content>, sync::LazyLock<$content>);
            $do!(stdsync::LazyLock<u8, $content>, sync::LazyLock<u8, $content>);
            $do!(stdsync::MutexGuard<'static, $content>, sync::MutexGuard<'static, $content>);
            $do!(
                stdsync::RwLockReadGuard<'static, $content>,
                sync::RwLockReadGuard<'static, $content>
            );
            $do!(
                stdsync::RwLockWriteGuard<'static, $content>,
                sync::RwLockWriteGuard<'static, $content>
            );
            $do!(stdsync::mpsc::Sender<$content>, sync::mpsc::Sender<$content>);
            $do!(stdsync::mpsc::SyncSender<$content>, sync::mpsc::SyncSender<$content>);
            $do!(stdsync::mpsc::Receiver<$content>, sync::mpsc::Receiver<$content>);
            $do!(stdsync::mpsc::IntoIter<$content>, sync::mpsc::IntoIter<$content>);
            $do!(stdsync::mpsc::Iter<'static, $content>, sync::mpsc::Iter<'static, $content>);
            $do!(
                stdsync::mpsc::TryIter<'static, $content>,
                sync::mpsc::TryIter<'static, $content>
            );
        )*
    };
}

#[test]
fn traits_are_those_of_std() {
    around_contents!(assert_same_traits);
    assert_same_traits!(stdsync::Mutex<[u8]>, sync::Mutex<[u8]>);
    assert_same_traits!(stdsync::Mutex<dyn Debug>, sync::Mutex<dyn Debug>);
    assert_same_traits!(stdsync::RwLock<[u8]>, sync::RwLock<[u8]>);
    assert_same_traits!(stdsync::RwLock<dyn Debug>, sync::RwLock<dyn Debug>);
    assert_same_traits!(
        stdsync::MutexGuard<'static, str>,
        sync::MutexGuard<'static, str>
    );
    assert_same_traits!(stdsync::Condvar, sync::Condvar);
    assert_same_traits!(stdsync::Once, sync::Once);
    assert_same_traits!(stdsync::Barrier, sync::Barrier);
}

#[test]
fn the_probe_sees_what_is_there_and_what_is_not() {
    assert!(implements!(sync::Mutex<u8>: Send));
    assert!(!implements!(sync::MutexGuard<'static, u8>: Send));
    assert!(implements!(sync::Mutex<u8>: From<u8>));
    assert!(!implements!(sync::Once: Clone));
}

#[test]
fn drop_glue_and_niches_are_those_of_std() {
    macro_rules! assert_same_layout_rules {
        ($ours:ty, $theirs:ty) => {
            assert_eq!(
                needs_drop::<$ours>(),
                needs_drop::<$theirs>(),
                "{}",
                stringify!($theirs)
            );
            if size_of::<Option<$theirs>>() == size_of::<$theirs>() {
                assert_eq!(
                    size_of::<Option<$ours>>(),
                    size_of::<$ours>(),
                    "{}",
                    stringify!($theirs)
                );
            }
        };
    }
    around_contents!(assert_same_layout_rules);
    assert_same_layout_rules!(stdsync::Condvar, sync::Condvar);
    assert_same_layout_rules!(stdsync::Once, sync::Once);
    assert_same_layout_rules!(stdsync::Barrier, sync::Barrier);
}

/// Compiles if a read guard is covariant in what it protects, as std's is.
fn read_guards_are_covariant<'short>(
    guard: stdsync::RwLockReadGuard<'short, &'static str>,
) -> stdsync::RwLockReadGuard<'short, &'short str> {
    guard
}

/// Compiles if a guard may be taken for one of a shorter borrow.
fn guards_live_as_long_as_their_borrow<'short>(
    guard: stdsync::MutexGuard<'static, u8>,
    _shorter: &'short u8,
) -> stdsync::MutexGuard<'short, u8> {
    guard
}

#[test]
fn variance_is_that_of_std() {
    static TEXT: stdsync::RwLock<&str> = stdsync::RwLock::new("text");
    static BYTE: stdsync::Mutex<u8> = stdsync::Mutex::new(1);
    assert_eq!(*read_guards_are_covariant(TEXT.read().unwrap()), "text");
    let guard = BYTE.lock().unwrap();
    assert_eq!(*guards_live_as_long_as_their_borrow(guard, &0), 1);
}

#[test]
fn contents_may_die_before_a_cell_does() {
    // std promises not to look at the contents when a cell is dropped.
    let cell = stdsync::OnceLock::new();
    let content = String::from("dies first");
    assert!(cell.set(&content).is_ok());
}

#[test]
fn what_neither_locks_nor_waits_is_stds_own() {
    fn same<T>(_: T, _: T) {}
    same(stdsync::Arc::new(1), sync::Arc::new(1));
    same(stdsync::Weak::<u8>::new(), sync::Weak::new());
    same(stdsync::mpsc::SendError(0), sync::mpsc::SendError(0));
    same(stdsync::mpsc::RecvError, sync::mpsc::RecvError);
    same(
        stdsync::atomic::AtomicU8::new(0),
        sync::atomic::AtomicU8::new(0),
    );
    same(stdsync::PoisonError::new(0), sync::PoisonError::new(0));
    let wait = |barrier: &stdsync::Barrier| barrier.wait();
    let _: fn(&stdsync::Barrier) -> sync::BarrierWaitResult = wait;
}
