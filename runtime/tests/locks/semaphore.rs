//! `Semaphore`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lockwise::Semaphore;

static PERMITS: Semaphore = Semaphore::named("permits", 3);

#[test]
#[cfg_attr(miri, ignore = "too many rounds")]
fn never_more_hold_a_unit_than_there_are() {
    let (inside, most) = (AtomicU32::new(0), AtomicU32::new(0));
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                for _ in 0..500 {
                    let _unit = PERMITS.acquire();
                    let now = inside.fetch_add(1, Ordering::SeqCst) + 1;
                    most.fetch_max(now, Ordering::SeqCst);
                    thread::yield_now();
                    inside.fetch_sub(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert!(most.load(Ordering::SeqCst) <= 3);
    assert_eq!(PERMITS.available(), 3);
}

#[test]
fn attempts_fail_while_there_is_none() {
    let semaphore = Semaphore::new(1);
    let unit = semaphore.try_acquire().unwrap();
    let short = Duration::from_millis(1);
    assert!(semaphore.try_acquire().is_none());
    assert!(semaphore.try_acquire_for(short).is_none());
    assert!(semaphore.try_acquire_until(Instant::now()).is_none());
    drop(unit);
    drop(semaphore.try_acquire_for(short).unwrap());
    semaphore.try_acquire_for(Duration::MAX).unwrap().forget();
    assert_eq!(format!("{semaphore:?}"), "Semaphore { available: 0 }");
}

#[test]
#[cfg_attr(miri, ignore = "too many rounds")]
fn whoever_releases_need_not_have_acquired() {
    let signal = Semaphore::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..250 {
                    signal.acquire().forget();
                }
            });
        }
        for _ in 0..250 {
            signal.release(3);
            signal.release(0);
            signal.release(1);
        }
    });
    assert_eq!(signal.available(), 0);
}

#[test]
fn a_timed_wait_gets_the_unit_when_it_is_put_in() {
    let signal = Semaphore::new(0);
    thread::scope(|scope| {
        let waits = scope.spawn(|| signal.try_acquire_for(Duration::from_secs(600)).is_some());
        signal.release(1);
        assert!(waits.join().unwrap());
    });
    assert_eq!(signal.available(), 1);
}

#[test]
fn too_many_units_are_refused_and_a_panic_gives_units_back() {
    let semaphore = Semaphore::new(u32::MAX - 1);
    let panicked = catch_unwind(AssertUnwindSafe(|| semaphore.release(2)));
    assert!(panicked.is_err());
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _unit = semaphore.acquire();
        panic!("on purpose");
    }));
    assert!(panicked.is_err());
    assert_eq!(semaphore.available(), u32::MAX - 1);
}
