//! Barriers and semaphores, as tasks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Wake, Waker};

use lockwise::sync::{Barrier, BrokenBarrier, Semaphore};
use lockwise::thread;

use super::{boxed, is_pending, ready};
use crate::{Counting, LONG, block_on, on_each_backend, rounds};

on_each_backend! {
    fn tasks_meet_at_a_barrier() {
        let barrier = Barrier::<B>::new_in(3);
        let ((first_woken, first), (_, second)) = (Counting::new(), Counting::new());
        let (mut one, mut two) = (boxed(barrier.wait_async()), boxed(barrier.wait_async()));
        is_pending(&mut one, &first);
        is_pending(&mut two, &second);
        thread::scope(|scope| {
            let third = scope.spawn(|| barrier.wait_timeout(LONG));
            assert_eq!(third.join().unwrap(), Ok(true));
        });
        assert_eq!(first_woken.count(), 1);
        assert_eq!(ready(&mut one, &first), Ok(false));
        assert_eq!(ready(&mut two, &second), Ok(false));
        assert_eq!(barrier.waiting(), 0);
    }

    fn who_leaves_a_barrier_is_waited_for_again() {
        let barrier = Barrier::<B>::new_in(2);
        let (_, waker) = Counting::new();
        let mut one = boxed(barrier.wait_async());
        is_pending(&mut one, &waker);
        assert_eq!(barrier.waiting(), 1);
        drop(one);
        assert_eq!((barrier.waiting(), barrier.is_broken()), (0, false));
        let mut two = boxed(barrier.wait_async());
        is_pending(&mut two, &waker);
        assert_eq!(ready(&mut boxed(barrier.wait_async()), &waker), Ok(true));
        assert_eq!(ready(&mut two, &waker), Ok(false));
    }

    fn who_leaves_a_round_that_has_passed_changes_nothing() {
        let barrier = Barrier::<B>::new_in(2);
        let (_, waker) = Counting::new();
        let mut one = boxed(barrier.wait_async());
        is_pending(&mut one, &waker);
        assert_eq!(barrier.wait(), Ok(true));
        drop(one);
        assert_eq!(barrier.waiting(), 0);
        let mut two = boxed(barrier.wait_async());
        is_pending(&mut two, &waker);
        barrier.abort();
        assert_eq!(ready(&mut two, &waker), Err(BrokenBarrier));
        assert_eq!(ready(&mut boxed(barrier.wait_async()), &waker), Err(BrokenBarrier));
    }
}

#[test]
fn a_unit_of_a_semaphore_is_awaited() {
    let semaphore = Semaphore::new(1);
    let ((first_woken, first), (second_woken, second)) = (Counting::new(), Counting::new());
    let held = block_on(semaphore.acquire_async());
    let (mut one, mut two) = (
        boxed(semaphore.acquire_async()),
        boxed(semaphore.acquire_async()),
    );
    is_pending(&mut one, &first);
    is_pending(&mut two, &second);
    drop(held);
    assert_eq!((first_woken.count(), second_woken.count()), (1, 0));
    // Woken and dropped, it passes that on.
    drop(one);
    assert_eq!(second_woken.count(), 1);
    let unit = ready(&mut two, &second);
    assert_eq!(semaphore.available(), 0);
    let mut three = boxed(semaphore.acquire_async());
    is_pending(&mut three, &first);
    drop(three);
    drop((first, unit));
    assert_eq!(Arc::strong_count(&first_woken), 1);
    assert_eq!(semaphore.available(), 1);
}

#[test]
fn a_task_that_panics_when_it_is_woken_harms_nobody_who_leaves() {
    struct Bad;
    impl Wake for Bad {
        fn wake(self: Arc<Self>) {
            panic!("when it is woken");
        }
    }
    let semaphore = Semaphore::new(0);
    let ((_, good), bad) = (Counting::new(), Waker::from(Arc::new(Bad)));
    let (mut one, mut two) = (
        boxed(semaphore.acquire_async()),
        boxed(semaphore.acquire_async()),
    );
    is_pending(&mut one, &good);
    is_pending(&mut two, &bad);
    semaphore.release(1);
    drop(one);
    drop(ready(&mut two, &good));
    assert_eq!(semaphore.available(), 1);
}

#[test]
fn threads_and_tasks_share_the_units_of_a_semaphore() {
    let (semaphore, inside) = (Semaphore::new(2), AtomicUsize::new(0));
    let enter = || {
        assert!(inside.fetch_add(1, SeqCst) < 2);
        thread::yield_now();
        inside.fetch_sub(1, SeqCst);
    };
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..rounds(200) {
                    let _unit = semaphore.acquire();
                    enter();
                }
            });
            scope.spawn(|| {
                block_on(async {
                    for _ in 0..rounds(200) {
                        let unit = semaphore.acquire_async().await;
                        enter();
                        drop(unit);
                    }
                });
            });
        }
    });
    assert_eq!(semaphore.available(), 2);
}
