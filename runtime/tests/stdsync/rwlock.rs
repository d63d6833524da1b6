//! [`RwLock`]: readers, writers, poison, formatting.

use lockwise::stdsync::{Arc, Barrier, PoisonError, RwLock, TryLockError};
use std::thread;

use crate::{assert_same_as_std, message_of};

/// Has a thread panic while it holds the lock for writing.
macro_rules! poison {
    ($lock:expr) => {
        message_of(|| {
            let _guard = $lock.write();
            panic!("while it is held")
        })
    };
}

#[test]
fn readers_stand_beside_each_other() {
    let lock = RwLock::new(5);
    let met = Barrier::new(3);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let guard = lock.read().unwrap();
                met.wait();
                assert_eq!(*guard, 5);
            });
        }
    });
}

#[test]
#[cfg_attr(miri, ignore = "too many rounds")]
fn a_writer_is_alone() {
    let lock = RwLock::new([0_u32; 2]);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..5_000 {
                    let mut pair = lock.write().unwrap();
                    pair[0] += 1;
                    pair[1] += 1;
                }
            });
            scope.spawn(|| {
                for _ in 0..5_000 {
                    let pair = lock.read().unwrap();
                    assert_eq!(pair[0], pair[1]);
                }
            });
        }
    });
    assert_eq!(lock.into_inner().unwrap(), [10_000; 2]);
}

#[test]
fn trying_tells_who_is_in_the_way() {
    let lock = RwLock::new(());
    let reader = lock.read().unwrap();
    assert!(lock.try_read().is_ok());
    assert!(matches!(lock.try_write(), Err(TryLockError::WouldBlock)));
    drop(reader);
    let writer = lock.try_write().unwrap();
    assert!(matches!(lock.try_read(), Err(TryLockError::WouldBlock)));
    drop(writer);
    assert!(lock.try_read().is_ok());
}

#[test]
fn a_writer_that_panics_poisons_and_every_way_in_says_so() {
    let mut lock = RwLock::new(1);
    poison!(lock);
    assert!(lock.is_poisoned());
    assert_eq!(*lock.read().unwrap_err().into_inner(), 1);
    assert_eq!(*lock.write().unwrap_err().into_inner(), 1);
    assert!(matches!(lock.try_read(), Err(TryLockError::Poisoned(_))));
    assert!(matches!(lock.try_write(), Err(TryLockError::Poisoned(_))));
    assert_eq!(*lock.get_mut().unwrap_err().into_inner(), 1);
    *lock.write().unwrap_or_else(PoisonError::into_inner) += 1;
    assert_eq!(lock.into_inner().unwrap_err().into_inner(), 2);
}

#[test]
fn a_reader_that_panics_does_not_poison() {
    let lock = RwLock::new(());
    message_of(|| {
        let _guard = lock.read();
        panic!("while it is read")
    });
    assert!(!lock.is_poisoned());
    drop(lock.write().unwrap());
}

#[test]
fn poison_can_be_cleared() {
    let lock = RwLock::new(());
    poison!(lock);
    lock.clear_poison();
    assert!(lock.read().is_ok());
    assert!(lock.write().is_ok());
}

#[test]
fn it_looks_as_in_std_in_every_state() {
    let shown = assert_same_as_std!({
        let lock = sync::RwLock::new("value");
        let free = format!("{lock:?} {lock:#?}");
        let reader = lock.read().unwrap();
        let read = format!("{lock:?} {lock:#?} {reader:?} {reader:>8}");
        drop(reader);
        let writer = lock.write().unwrap();
        let written = format!("{lock:?} {lock:#?} {writer:?} {writer:>8}");
        drop(writer);
        poison!(lock);
        let poisoned = format!("{lock:?} {:?} {:?}", lock.try_read(), lock.try_write());
        [free, read, written, poisoned]
    });
    assert!(shown[2].contains("<locked>"), "{shown:?}");
}

#[test]
fn it_can_be_unsized() {
    let boxed: Box<RwLock<[u8]>> = Box::new(RwLock::new([1, 2, 3]));
    boxed.write().unwrap()[0] = 9;
    assert_eq!(*boxed.read().unwrap(), [9, 2, 3]);

    let shared: Arc<RwLock<dyn AsRef<str> + Send + Sync>> = Arc::new(RwLock::new("text"));
    assert_eq!(shared.read().unwrap().as_ref(), "text");
}

#[test]
fn it_works_in_statics_and_is_made_from_values() {
    static NAMES: RwLock<Vec<&str>> = RwLock::new(Vec::new());
    NAMES.write().unwrap().push("one");
    assert_eq!(NAMES.read().unwrap().len(), 1);
    assert_eq!(*RwLock::from(1).read().unwrap(), 1);
    assert_eq!(*RwLock::<u8>::default().read().unwrap(), 0);
}
