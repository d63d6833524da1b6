//! Puts of tasks that are dropped half-way: what they give is what was put.

use std::future::Future;
use std::pin::pin;
use std::task::{Context as Polled, Poll, Waker};

use lockwise::sync::{PriorityQueue, PutError, Queue};
use shuttle::future::block_on;
use shuttle::thread;

use super::{Model, model};

/// Polls a put some times, and drops it. Whether it has put.
fn polled<T, E>(times: usize, put: impl Future<Output = Result<T, E>>) -> bool {
    let (mut put, mut context) = (pin!(put), Polled::from_waker(Waker::noop()));
    let mut ends = (0..times).filter_map(|_| {
        thread::yield_now();
        match put.as_mut().poll(&mut context) {
            Poll::Ready(end) => Some(end.is_ok()),
            Poll::Pending => None,
        }
    });
    ends.next().unwrap_or(false)
}

#[test]
fn a_put_that_was_dropped_before_it_was_ready_has_not_put() {
    model(|| {
        let queue = Queue::<u32, Model>::bounded_in(1);
        thread::scope(|scope| {
            let drops = scope.spawn(|| u32::from(polled(2, queue.put_async(1))));
            let waits = scope.spawn(|| block_on(queue.put_async(10)).map_or(0, |()| 10));
            let puts = scope.spawn(|| queue.put(100).map_or(0, |()| 100));
            let gets = scope.spawn(|| queue.iter().sum::<u32>());
            let put = drops.join().unwrap() + waits.join().unwrap() + puts.join().unwrap();
            queue.close();
            assert!(put >= 110, "nobody is kept out by who was dropped");
            assert_eq!(gets.join().unwrap(), put);
        });
    });
}

#[test]
fn room_that_was_kept_when_the_queue_was_closed_is_nobodys() {
    model(|| {
        let queue = Queue::<u32, Model>::bounded_in(1);
        queue.put(1).unwrap();
        thread::scope(|scope| {
            let waits = scope.spawn(|| block_on(queue.put_async(2)));
            let drops = scope.spawn(|| polled(2, queue.put_async(4)));
            let closes = scope.spawn(|| queue.close());
            let got: u32 = queue.iter().sum();
            closes.join().unwrap();
            let mut put = 1 + 4 * u32::from(drops.join().unwrap());
            match waits.join().unwrap() {
                Ok(()) => put += 2,
                Err(refused) => assert_eq!(refused, PutError::Closed(2)),
            }
            assert_eq!(got, put);
        });
    });
}

#[test]
fn a_put_by_priority_that_was_dropped_has_not_put() {
    model(|| {
        let queue = PriorityQueue::<u32, u8, Model>::bounded_in(1);
        queue.put(1, 1).unwrap();
        thread::scope(|scope| {
            let drops = scope.spawn(|| 2 * u32::from(polled(2, queue.put_async(2, 1))));
            let waits = scope.spawn(|| block_on(queue.put_async(4, 2)).map_or(0, |_| 4));
            let mut got = queue.get().unwrap();
            got += queue.get().unwrap();
            let put = drops.join().unwrap() + waits.join().unwrap();
            assert_eq!(put & 4, 4);
            got += queue.try_get().unwrap_or(0);
            assert_eq!(got, put + 1);
        });
    });
}

#[test]
fn who_takes_a_put_back_without_capacity_knows_whether_it_was_put() {
    model(|| {
        let queue = Queue::<u32, Model>::bounded_in(0);
        thread::scope(|scope| {
            let gets = scope.spawn(|| queue.iter().sum::<u32>());
            let mut put = queue.put_async(1);
            let was_put = polled(1, &mut put) || put.take_back().is_none();
            queue.close();
            assert_eq!(gets.join().unwrap(), u32::from(was_put));
        });
    });
}
