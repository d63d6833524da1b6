//! [`Mutex`]: locking, poison, formatting.

use lockwise::stdsync::{Arc, Mutex, PoisonError, TryLockError};
use std::thread;

use crate::{assert_same_as_std, message_of};

/// Has a thread panic while it holds the mutex.
macro_rules! poison {
    ($mutex:expr) => {
        message_of(|| {
            let _guard = $mutex.lock();
            panic!("while it is held")
        })
    };
}

#[test]
#[cfg_attr(miri, ignore = "too many rounds")]
fn only_one_thread_at_a_time_gets_in() {
    let total = Arc::new(Mutex::new(0_u32));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let total = Arc::clone(&total);
            thread::spawn(move || {
                for _ in 0..10_000 {
                    *total.lock().unwrap() += 1;
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(*total.lock().unwrap(), 40_000);
}

#[test]
fn trying_tells_that_it_is_locked() {
    let mutex = Mutex::new(1);
    let guard = mutex.lock().unwrap();
    assert!(matches!(mutex.try_lock(), Err(TryLockError::WouldBlock)));
    drop(guard);
    *mutex.try_lock().unwrap() += 1;
    assert_eq!(mutex.into_inner().unwrap(), 2);
}

#[test]
fn a_forgotten_guard_keeps_it_locked() {
    let mutex = Mutex::new(());
    std::mem::forget(mutex.lock().unwrap());
    assert!(mutex.try_lock().is_err());
}

#[test]
fn a_panic_poisons_and_every_way_in_says_so() {
    let mut mutex = Mutex::new(String::from("half"));
    poison!(mutex);
    assert!(mutex.is_poisoned());
    assert_eq!(*mutex.lock().unwrap_err().into_inner(), "half");
    assert!(matches!(mutex.try_lock(), Err(TryLockError::Poisoned(_))));
    assert_eq!(*mutex.get_mut().unwrap_err().into_inner(), "half");
    mutex
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push('!');
    assert_eq!(mutex.into_inner().unwrap_err().into_inner(), "half!");
}

#[test]
fn poison_can_be_cleared() {
    let mutex = Mutex::new(());
    poison!(mutex);
    mutex.clear_poison();
    assert!(!mutex.is_poisoned());
    drop(mutex.lock().unwrap());
}

#[test]
fn a_guard_taken_while_unwinding_does_not_poison() {
    struct LocksInDrop<'a>(&'a Mutex<u32>);
    impl Drop for LocksInDrop<'_> {
        fn drop(&mut self) {
            *self.0.lock().unwrap() += 1;
        }
    }
    let mutex = Mutex::new(0);
    message_of(|| {
        let _locks = LocksInDrop(&mutex);
        panic!("with nothing held")
    });
    assert_eq!(*mutex.lock().unwrap(), 1);
}

#[test]
fn a_poison_error_of_try_lock_still_holds() {
    let mutex = Mutex::new(());
    poison!(mutex);
    let error = mutex.try_lock();
    assert!(matches!(mutex.try_lock(), Err(TryLockError::WouldBlock)));
    drop(error);
    assert!(matches!(mutex.try_lock(), Err(TryLockError::Poisoned(_))));
}

#[test]
fn it_looks_as_in_std_in_every_state() {
    let shown = assert_same_as_std!({
        let mutex = sync::Mutex::new(vec![Some(1), None]);
        let free = format!("{mutex:?} {mutex:#?}");
        let guard = mutex.lock().unwrap();
        let locked = format!("{mutex:?} {mutex:#?} {guard:?} {guard:#?}");
        drop(guard);
        poison!(mutex);
        let poisoned = format!("{mutex:?} {mutex:#?} {:?}", mutex.lock());
        let guard = mutex.lock();
        let both = format!("{mutex:?} {:?} {guard:?}", mutex.try_lock());
        [free, locked, poisoned, both]
    });
    assert!(shown[1].contains("<locked>"), "{shown:?}");
}

#[test]
fn a_guard_shows_its_value() {
    assert_same_as_std!({
        let mutex = sync::Mutex::new(3.25);
        let guard = mutex.lock().unwrap();
        format!("{guard} {guard:08.3} {guard:?} {guard:8.1?}")
    });
}

#[test]
fn it_can_be_unsized() {
    let boxed: Box<Mutex<[u8]>> = Box::new(Mutex::new([1, 2, 3]));
    boxed.lock().unwrap()[0] = 9;
    assert_eq!(*boxed.lock().unwrap(), [9, 2, 3]);

    let shared: Arc<Mutex<dyn Fn(u8) -> u8 + Send>> = Arc::new(Mutex::new(|x| x + 1));
    assert_eq!((shared.lock().unwrap())(1), 2);
}

#[test]
fn it_drops_its_value_once() {
    let value = Arc::new(());
    let mutex = Mutex::new(Arc::clone(&value));
    assert_eq!(Arc::strong_count(&value), 2);
    drop(mutex);
    assert_eq!(Arc::strong_count(&value), 1);
    drop(Mutex::new(Arc::clone(&value)).into_inner());
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn it_is_made_from_a_value_and_by_default() {
    assert_eq!(*Mutex::from("value").lock().unwrap(), "value");
    assert_eq!(*Mutex::<u8>::default().lock().unwrap(), 0);
}

#[test]
fn it_works_in_statics_and_consts() {
    static COUNT: Mutex<u32> = Mutex::new(0);
    #[expect(
        clippy::declare_interior_mutable_const,
        reason = "each use is to be a mutex of its own"
    )]
    const EMPTY: Mutex<Vec<u8>> = Mutex::new(Vec::new());
    let many = [EMPTY; 3];
    *COUNT.lock().unwrap() += 1;
    many[1].lock().unwrap().push(1);
    assert_eq!(*COUNT.lock().unwrap(), 1);
    assert_eq!(
        many.map(|mutex| mutex.into_inner().unwrap().len()),
        [0, 1, 0]
    );
}
