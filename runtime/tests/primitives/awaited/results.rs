//! Results, and those who work for them, as tasks.

use std::sync::Arc;

use lockwise::sync::{
    End, Event, Failure, Promise, Shutdown, ThreadPool, Until, Worker, as_completed, wait_for_async,
};

use super::{boxed, is_pending, ready};
use crate::{Counting, SHORT, block_on, on_each_backend, poll_once};

on_each_backend! {
    fn the_end_of_a_promise_is_awaited_and_left_there() {
        let (promise, future) = Promise::<u32, B>::new_in();
        let (woken, waker) = Counting::new();
        let mut dropped = boxed(future.done_async());
        let mut done = boxed(future.done_async());
        is_pending(&mut dropped, &waker);
        is_pending(&mut done, &waker);
        drop(dropped);
        promise.set(5).unwrap();
        assert_eq!(woken.count(), 1);
        assert_eq!(ready(&mut done, &waker), End::Done);
        drop(done);
        assert_eq!(future.wait().unwrap(), 5);
    }

    fn several_results_are_awaited() {
        let ((one, first), (two, second)) = (Promise::<u32, B>::new_in(), Promise::new_in());
        let (woken, waker) = Counting::new();
        let mut waited = boxed(wait_for_async([first, second], Until::First, None));
        assert!(poll_once(waited.as_mut(), &waker).is_pending());
        two.set(2).unwrap();
        assert_eq!(woken.count(), 1);
        let mut waited = ready(&mut waited, &waker);
        assert_eq!((waited.done.len(), waited.pending.len()), (1, 1));
        assert_eq!(waited.done.pop().unwrap().wait().unwrap(), 2);
        // In time, or not at all: nothing is lost.
        let waited = block_on(wait_for_async(waited.pending, Until::All, Some(SHORT)));
        assert_eq!((waited.done.len(), waited.pending.len()), (0, 1));
        one.set(1).unwrap();
        let waited = block_on(wait_for_async(waited.pending, Until::All, None));
        assert_eq!((waited.done.len(), waited.pending.len()), (1, 0));
        let none = block_on(wait_for_async(Vec::<lockwise::sync::Future<u32, B>>::new(), Until::First, None));
        assert!(none.done.is_empty() && none.pending.is_empty());
    }

    fn results_are_awaited_as_they_come() {
        let ((one, first), (two, second)) = (Promise::<u32, B>::new_in(), Promise::new_in());
        let (_, waker) = Counting::new();
        let mut results = as_completed([first, second]);
        let mut next = boxed(results.next_async());
        assert!(poll_once(next.as_mut(), &waker).is_pending());
        // Dropped half-way it takes none.
        drop(next);
        two.set(2).unwrap();
        assert_eq!(block_on(results.next_async()).unwrap().wait().unwrap(), 2);
        drop(one);
        let last = block_on(results.next_async()).unwrap().wait();
        assert!(matches!(last, Err(Failure::Dropped)));
        assert!(block_on(results.next_async()).is_none());
    }

    fn a_pool_is_joined_and_shut_down_by_tasks() {
        let pool = ThreadPool::<B>::new_in(1).unwrap();
        let go = Arc::new(Event::<B>::new_in());
        let (_, waker) = Counting::new();
        let mine = Arc::clone(&go);
        let result = pool.submit(move || mine.wait()).unwrap();
        let mut join = boxed(pool.join_async());
        is_pending(&mut join, &waker);
        go.set();
        block_on(join);
        result.wait().unwrap();
        let shut_down = pool.shutdown_async(Shutdown::Finish);
        assert!(pool.is_closed());
        block_on(shut_down);
        assert_eq!(pool.workers(), 0);
    }

    fn a_worker_is_joined_and_cancelled_by_tasks() {
        let worker = Worker::<B>::new_in().unwrap();
        let (began, go) = (Arc::new(Event::<B>::new_in()), Arc::new(Event::<B>::new_in()));
        let (begins, goes) = (Arc::clone(&began), Arc::clone(&go));
        let running = worker.submit(move || {
            begins.set();
            goes.wait();
        }).unwrap();
        let queued = worker.submit(|| ()).unwrap();
        began.wait();
        let (_, waker) = Counting::new();
        let mut join = boxed(worker.join_async());
        is_pending(&mut join, &waker);
        drop(join);
        let cancel = worker.cancel_async();
        assert!(worker.is_closed());
        assert!(matches!(queued.wait(), Err(Failure::Cancelled)));
        go.set();
        block_on(cancel);
        running.wait().unwrap();
        block_on(worker.join_async());
    }

    fn results_of_a_map_are_awaited() {
        let pool = ThreadPool::<B>::new_in(2).unwrap();
        let mut squares = pool.map(1..=3, |number| number * number).unwrap();
        block_on(async {
            assert_eq!(squares.next_async().await.unwrap().unwrap(), 1);
            assert_eq!(squares.next_async().await.unwrap().unwrap(), 4);
            assert_eq!(squares.next_async().await.unwrap().unwrap(), 9);
            assert!(squares.next_async().await.is_none());
        });
        let go = Arc::new(Event::<B>::new_in());
        let mine = Arc::clone(&go);
        let mut late = pool.map(0..2, move |_| mine.wait()).unwrap().within(SHORT);
        block_on(async {
            assert!(matches!(late.next_async().await, Some(Err(Failure::TimedOut))));
            assert!(late.next_async().await.is_none());
        });
        go.set();
    }
}
