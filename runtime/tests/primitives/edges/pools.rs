//! Pools: what their ends wait for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use lockwise::sync::{Backend, Event, Future, Shutdown, ThreadPool, Worker, block_on};

use crate::on_each_backend;

/// A pool, and a job of it that waits for the event.
fn busy<B: Backend>(go: &Arc<Event<B>>) -> (ThreadPool<B>, Future<u32, B>) {
    let pool = ThreadPool::<B>::new_in(1).expect("there is room for a thread");
    let goes = Arc::clone(go);
    let job = pool.submit(move || {
        goes.wait();
        1
    });
    (pool, job.expect("it takes jobs"))
}

on_each_backend! {
    fn a_pool_that_was_shut_down_to_be_left_alone_is_dropped_without_waiting() {
        let go = Arc::new(Event::<B>::new_in());
        let (pool, job) = busy(&go);
        let queued = pool.submit(|| 2).unwrap();
        pool.shutdown(Shutdown::Detach);
        // It would wait for ever.
        drop(pool);
        assert!(!job.is_done());
        go.set();
        assert_eq!((job.wait().unwrap(), queued.wait().unwrap()), (1, 2));
    }

    fn so_is_one_that_a_task_has_left_alone() {
        let go = Arc::new(Event::<B>::new_in());
        let (pool, job) = busy(&go);
        block_on(pool.shutdown_async(Shutdown::Detach));
        drop(pool);
        go.set();
        assert_eq!(job.wait().unwrap(), 1);
    }

    fn any_other_pool_is_done_when_it_was_dropped() {
        let done = Arc::new(AtomicUsize::new(0));
        let counts = |done: &Arc<AtomicUsize>| {
            let done = Arc::clone(done);
            move || {
                done.fetch_add(1, SeqCst);
            }
        };
        let pool = ThreadPool::<B>::new_in(2).unwrap();
        for _ in 0..50 {
            drop(pool.submit(counts(&done)).unwrap());
        }
        drop(pool);
        assert_eq!(done.load(SeqCst), 50);
        // One that was closed, too.
        let worker = Worker::<B>::new_in().unwrap();
        for _ in 0..50 {
            drop(worker.submit(counts(&done)).unwrap());
        }
        worker.close();
        drop(worker);
        assert_eq!(done.load(SeqCst), 100);
    }

    fn a_pool_that_was_left_alone_can_still_be_waited_for() {
        let go = Arc::new(Event::<B>::new_in());
        let (pool, job) = busy(&go);
        pool.shutdown(Shutdown::Detach);
        go.set();
        pool.shutdown(Shutdown::Finish);
        assert!(job.is_done());
        assert_eq!(pool.workers(), 0);
    }
}
