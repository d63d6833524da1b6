use lockwise::thread;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use lockwise::sync::{Barrier, BrokenBarrier};

use super::{LONG, SHORT, on_each_backend, until};

on_each_backend! {
    fn barrier_action() {
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&runs);
        let barrier = Barrier::<B>::new_in(4).with_action(move || {
            counted.fetch_add(1, SeqCst);
        });
        thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (1..=20).map(|round| {
                    let led = barrier.wait_timeout(LONG).unwrap();
                    // Nobody can be further than one round ahead.
                    let seen = runs.load(SeqCst);
                    assert!(seen == round || seen == round + 1, "{seen} in round {round}");
                    usize::from(led)
                }).sum::<usize>()))
                .collect();
            let led: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
            assert_eq!(led, 20);
        });
        assert_eq!(runs.load(SeqCst), 20);
    }

    fn barrier_abort_reset() {
        let barrier = Barrier::<B>::new_in(3);
        thread::scope(|scope| {
            let waiters = [(); 2].map(|()| scope.spawn(|| barrier.wait()));
            until(|| barrier.waiting() == 2);
            barrier.abort();
            for waiter in waiters {
                assert_eq!(waiter.join().unwrap(), Err(BrokenBarrier));
            }
            assert!(barrier.is_broken());
            assert_eq!(barrier.wait(), Err(BrokenBarrier));
            barrier.reset();
            assert!(!barrier.is_broken());
            let waiters = [(); 3].map(|()| scope.spawn(|| barrier.wait_timeout(LONG)));
            let led = waiters.map(|waiter| waiter.join().unwrap().unwrap());
            assert_eq!(led.iter().filter(|led| **led).count(), 1);
        });
    }

    fn a_reset_breaks_the_round_of_those_who_wait() {
        let barrier = Barrier::<B>::new_in(2);
        thread::scope(|scope| {
            let waiter = scope.spawn(|| barrier.wait());
            until(|| barrier.waiting() == 1);
            barrier.reset();
            assert_eq!(waiter.join().unwrap(), Err(BrokenBarrier));
        });
        assert!(!barrier.is_broken());
    }

    fn barrier_one() {
        let barrier = Barrier::<B>::new_in(1);
        assert_eq!(barrier.wait(), Ok(true));
        assert_eq!(Barrier::<B>::new_in(0).wait(), Ok(true));
    }

    fn a_deadline_breaks_it() {
        let barrier = Barrier::<B>::new_in(2);
        assert_eq!(barrier.wait_timeout(SHORT), Err(BrokenBarrier));
        assert!(barrier.is_broken());
    }

    fn an_action_that_panics_breaks_it() {
        let barrier = Barrier::<B>::new_in(2).with_action(|| panic!("the action"));
        thread::scope(|scope| {
            let waiter = scope.spawn(|| catch_unwind(AssertUnwindSafe(|| barrier.wait())));
            let here = catch_unwind(AssertUnwindSafe(|| barrier.wait()));
            let there = waiter.join().unwrap();
            let mut outcomes = [here, there];
            outcomes.sort_by_key(Result::is_err);
            assert!(matches!(outcomes, [Ok(Err(BrokenBarrier)), Err(_)]));
        });
        assert!(barrier.is_broken());
    }
}
