//! `Mutex` and `FairMutex`, which have the same methods.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use lockwise::{FairMutex, MappedMutexGuard, Mutex, MutexGuard, Rank};

static COUNT: Mutex<u32> = Mutex::new(0);
static NAMED: Mutex<Vec<u32>> = Mutex::named("numbers", Vec::new());
static RANKED: FairMutex<u32> = FairMutex::ranked(Rank(3), 7);
#[expect(
    clippy::declare_interior_mutable_const,
    reason = "each use of it is a lock of its own, which is what is tested"
)]
const EACH_ITS_OWN: Mutex<u32> = Mutex::named_ranked("each", Rank(4), 1);

/// Far enough away that no test reaches it.
fn far() -> Instant {
    Instant::now() + Duration::from_secs(600)
}

#[test]
fn statics_and_constants_work() {
    *COUNT.lock() += 1;
    NAMED.lock().push(1);
    assert_eq!(*RANKED.lock(), 7);
    let array = [EACH_ITS_OWN; 2];
    *array[0].lock() = 5;
    assert_eq!(*array[1].lock(), 1);
    assert_eq!(*lockwise::const_mutex(3).lock(), 3);
    assert_eq!(*lockwise::const_fair_mutex(3).lock(), 3);
}

#[test]
#[cfg_attr(miri, ignore = "too many rounds")]
fn threads_exclude_each_other() {
    let (plain, fair) = (Mutex::new(0_u32), FairMutex::new(0_u32));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for round in 0..2_000 {
                    let mut guard = plain.lock();
                    *guard += 1;
                    match round % 3 {
                        0 => MutexGuard::unlock_fair(guard),
                        1 => MutexGuard::bump(&mut guard),
                        _ => {}
                    }
                    *fair.lock() += 1;
                }
            });
        }
    });
    assert_eq!((plain.into_inner(), fair.into_inner()), (8_000, 8_000));
}

#[test]
fn only_one_try_succeeds() {
    let lock = Mutex::new(0);
    let guard = lock.try_lock().unwrap();
    assert!(lock.is_locked());
    assert!(lock.try_lock().is_none());
    assert!(lock.try_lock_for(Duration::from_millis(1)).is_none());
    assert!(lock.try_lock_until(Instant::now()).is_none());
    drop(guard);
    assert!(!lock.is_locked());
    assert!(lock.try_lock_for(Duration::ZERO).is_some());
    assert!(lock.try_lock_until(far()).is_some());
    assert!(!lock.is_locked());
}

#[test]
fn a_timed_try_gets_the_lock_when_it_is_released() {
    let lock = Arc::new(Mutex::new(0));
    let guard = lock.lock();
    let (asked, is_asked) = channel();
    let other = thread::spawn({
        let lock = Arc::clone(&lock);
        move || {
            asked.send(()).unwrap();
            *lock.try_lock_until(far()).unwrap() += 1;
            *lock.try_lock_for(Duration::from_secs(600)).unwrap() += 1;
        }
    });
    is_asked.recv().unwrap();
    drop(guard);
    other.join().unwrap();
    assert_eq!(*lock.lock(), 2);
}

#[test]
fn a_guard_of_a_part_unlocks_the_whole() {
    let lock = Mutex::new((1, "two".to_owned()));
    let part = MutexGuard::map(lock.lock(), |both| &mut both.1);
    let mut part = MappedMutexGuard::map(part, String::as_mut_str);
    part.make_ascii_uppercase();
    assert!(lock.is_locked());
    drop(part);
    assert!(!lock.is_locked());
    let kept = MutexGuard::try_map(lock.lock(), |_| None::<&mut u8>).unwrap_err();
    assert!(lock.is_locked());
    drop(kept);
    let part = MutexGuard::map(lock.lock(), |both| &mut both.0);
    MappedMutexGuard::unlock_fair(part);
    assert_eq!(*lock.lock(), (1, "TWO".to_owned()));
}

#[test]
fn a_guard_can_own_its_mutex() {
    let lock = Arc::new(Mutex::new(1));
    let guard = lock.lock_arc();
    assert!(lock.try_lock_arc().is_none());
    assert!(lock.try_lock_arc_for(Duration::from_millis(1)).is_none());
    assert!(lock.try_lock_arc_until(Instant::now()).is_none());
    assert_eq!(Arc::strong_count(&lock), 2);
    let weak = Arc::downgrade(&lock);
    drop(lock);
    assert!(weak.upgrade().is_some(), "the guard keeps the lock alive");
    drop(guard);
    assert!(weak.upgrade().is_none());

    let lock = Arc::new(FairMutex::new(1));
    *lock.lock_arc() += 1;
    *lock.try_lock_arc().unwrap() += 1;
    *lock.try_lock_arc_for(Duration::ZERO).unwrap() += 1;
    *lock.try_lock_arc_until(far()).unwrap() += 1;
    assert_eq!(Arc::strong_count(&lock), 1);
    assert_eq!(*lock.lock(), 5);
}

#[test]
fn a_value_may_be_unsized() {
    trait Named: Send {
        fn name(&mut self) -> String;
    }
    impl Named for u8 {
        fn name(&mut self) -> String {
            *self += 1;
            format!("u8 {self}")
        }
    }
    let slice: &Mutex<[u8]> = &Mutex::new([1, 2, 3]);
    slice.lock()[1] = 9;
    assert_eq!(*slice.lock(), [1, 9, 3]);
    let shared: Arc<Mutex<dyn Named>> = Arc::new(Mutex::new(7));
    assert_eq!(shared.lock_arc().name(), "u8 8");
    assert_eq!(shared.try_lock_arc().unwrap().name(), "u8 9");
    let boxed: Box<FairMutex<dyn Named>> = Box::new(FairMutex::new(7));
    assert_eq!(boxed.lock().name(), "u8 8");
}

#[test]
fn debug_never_blocks() {
    let lock = Mutex::new(vec![0_u8, 10]);
    assert_eq!(format!("{lock:?}"), "Mutex { data: [0, 10] }");
    let guard = lock.lock();
    assert_eq!(format!("{lock:?}"), "Mutex { data: <locked> }");
    assert_eq!(format!("{guard:?}"), "[0, 10]");
    drop(guard);
    let fair = FairMutex::new(1);
    assert_eq!(format!("{fair:?}"), "Mutex { data: 1 }");
}

#[test]
fn a_panic_poisons_nothing_and_leaves_nothing_held() {
    let lock = Mutex::new(1);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let mut guard = lock.lock();
        *guard = 2;
        panic!("on purpose");
    }));
    assert!(panicked.is_err());
    assert!(!lock.is_locked());
    assert_eq!(*lock.lock(), 2);
}

#[test]
fn a_guard_can_be_given_up_for_a_moment() {
    let lock = Mutex::new(1);
    let mut guard = lock.lock();
    let seen = MutexGuard::unlocked(&mut guard, || {
        let mut guard = lock.try_lock().unwrap();
        *guard += 1;
        *guard
    });
    assert_eq!((seen, *guard), (2, 2));
    MutexGuard::unlocked_fair(&mut guard, || *lock.lock() += 1);
    assert_eq!(*guard, 3);
    assert!(lock.is_locked());
}

#[test]
fn a_forgotten_guard_can_be_replaced() {
    let mut lock = Mutex::new(1);
    std::mem::forget(lock.lock());
    assert!(lock.is_locked());
    // SAFETY: the guard of this thread was forgotten above.
    drop(unsafe { lock.make_guard_unchecked() });
    assert!(!lock.is_locked());
    std::mem::forget(lock.lock());
    // SAFETY: as above.
    unsafe { lock.force_unlock() };
    *MutexGuard::leak(lock.lock()) += 1;
    // SAFETY: as above; the leaked reference is not used any more.
    unsafe { lock.force_unlock_fair() };
    assert!(!lock.is_locked());
    *lock.get_mut() += 1;
    // SAFETY: nobody else has the lock.
    assert_eq!(unsafe { *lock.data_ptr() }, 3);
}

#[test]
fn default_and_from_make_unlocked_mutexes() {
    assert_eq!(*Mutex::<u32>::default().lock(), 0);
    assert_eq!(*FairMutex::from("x").lock(), "x");
}

#[test]
fn a_mutex_can_be_used_while_a_thread_ends() {
    static ENDED: Mutex<u32> = Mutex::new(0);
    struct AtEnd;
    impl Drop for AtEnd {
        fn drop(&mut self) {
            *ENDED.lock() += 1;
        }
    }
    thread_local!(static AT_END: AtEnd = const { AtEnd });
    thread::spawn(|| AT_END.with(|_| drop(ENDED.lock())))
        .join()
        .unwrap();
    assert_eq!(*ENDED.lock(), 1);
}
