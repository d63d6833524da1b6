use lockwise::thread;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use lockwise::sync::Semaphore;

use super::{Counting, LONG, SHORT, poll_once};

#[test]
fn semaphore_counts() {
    let semaphore = Semaphore::new(2);
    let units = [semaphore.acquire(), semaphore.acquire()];
    assert!(semaphore.try_acquire().is_none());
    let got = AtomicUsize::new(0);
    thread::scope(|scope| {
        let waiters = [(); 3].map(|()| {
            scope.spawn(|| {
                semaphore
                    .try_acquire_for(LONG)
                    .expect("it is released")
                    .forget();
                got.fetch_add(1, SeqCst);
            })
        });
        semaphore.release(3);
        for waiter in waiters {
            waiter.join().unwrap();
        }
    });
    assert_eq!((got.load(SeqCst), semaphore.available()), (3, 0));
    drop(units);
    assert_eq!(semaphore.available(), 2);
}

#[test]
fn a_release_of_several_wakes_as_many() {
    let semaphore = Semaphore::new(0);
    let wakers = [(); 3].map(|()| Counting::new());
    let mut waits = [(); 3].map(|()| Box::pin(semaphore.acquire_async()));
    for (wait, (_, waker)) in waits.iter_mut().zip(&wakers) {
        assert!(poll_once(wait.as_mut(), waker).is_pending());
    }
    let woken = || wakers.each_ref().map(|(count, _)| count.count());
    assert_eq!(woken(), [0, 0, 0]);
    semaphore.release(2);
    assert_eq!(woken(), [1, 1, 0]);
    for (wait, (_, waker)) in waits.iter_mut().zip(&wakers).take(2) {
        let got = poll_once(wait.as_mut(), waker);
        assert!(got.is_ready());
        std::mem::forget(got);
    }
    assert_eq!(semaphore.available(), 0);
    semaphore.release(1);
    assert_eq!(woken(), [1, 1, 1]);
}

#[test]
fn semaphore_timeout() {
    let semaphore = Semaphore::new(0);
    let start = Instant::now();
    assert!(semaphore.try_acquire_for(SHORT).is_none());
    assert!(start.elapsed() >= SHORT);
    // Deadlines and releases race: a unit is had by somebody or still there.
    let got = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..200 {
                    if let Some(unit) = semaphore.try_acquire_for(Duration::from_micros(50)) {
                        unit.forget();
                        got.fetch_add(1, SeqCst);
                    }
                }
            });
        }
        for _ in 0..200 {
            semaphore.release(1);
            thread::yield_now();
        }
    });
    assert_eq!(got.load(SeqCst) + semaphore.available() as usize, 200);
}
