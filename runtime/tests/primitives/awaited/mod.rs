//! What waits as a task: each blocking method has a form for that, which can be dropped at any time.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use lockwise::sync::{
    ActorBuilder, Barrier, Event, Exit, NothingToWaitFor, Poller, PriorityQueue, Queue, Scheduler,
    within,
};

use actors::{Message, Sum};

use crate::{Counting, SHORT, block_on, on_each_backend, poll_once};

mod actors;
mod dropped;
mod exchanges;
mod meeting;
mod queues;
mod results;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// That it can be moved to another thread, too.
fn boxed<'a, T>(future: impl Future<Output = T> + Send + 'a) -> Boxed<'a, T> {
    Box::pin(future)
}

/// Polls a future that must not be ready.
#[track_caller]
fn is_pending<T: std::fmt::Debug>(future: &mut Boxed<'_, T>, waker: &Waker) {
    let polled = poll_once(future.as_mut(), waker);
    assert!(polled.is_pending(), "{polled:?}");
}

/// Polls a future that must be ready.
#[track_caller]
fn ready<T>(future: &mut Boxed<'_, T>, waker: &Waker) -> T {
    match poll_once(future.as_mut(), waker) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

on_each_backend! {
    fn a_poller_is_awaited() {
        let (jobs, stop) = (Queue::<u32, B>::new_in(), Event::<B>::new_in());
        let (woken, waker) = Counting::new();
        let mut poller = Poller::new();
        assert_eq!(block_on(poller.wait_async()), Err(NothingToWaitFor));
        poller.add(&jobs, "jobs");
        poller.add(&stop, "stop");
        let mut wait = boxed(poller.wait_async());
        is_pending(&mut wait, &waker);
        drop(wait);
        let mut wait = boxed(poller.wait_async());
        is_pending(&mut wait, &waker);
        jobs.put(1).unwrap();
        assert_eq!(woken.count(), 1);
        assert_eq!(ready(&mut wait, &waker), Ok(&"jobs"));
        drop(wait);
        stop.set();
        assert_eq!(block_on(poller.wait_async()), Ok(&"stop"));
        assert_eq!(jobs.get(), Ok(1));
    }

    fn what_is_ready_comes_also_after_the_deadline() {
        let queue = Queue::<u32, B>::new_in();
        block_on(async {
            assert_eq!(within(Duration::ZERO, queue.get_async()).await, None);
            assert_eq!(within(SHORT, queue.get_async()).await, None);
            queue.put(1).unwrap();
            assert_eq!(within(Duration::ZERO, queue.get_async()).await, Some(Ok(1)));
            queue.put(2).unwrap();
            assert_eq!(within(Duration::MAX, queue.get_async()).await, Some(Ok(2)));
        });
        assert!(queue.is_empty());
    }
}

#[test]
fn all_of_them_take_turns_on_one_scheduler() {
    let scheduler = Scheduler::new();
    let (sum, task) = ActorBuilder::new().bounded(1).task(Sum(0));
    let barrier = Arc::new(Barrier::new(3));
    let jobs = Arc::new(PriorityQueue::<u32>::bounded(1));
    let done = scheduler.spawn(task);
    for number in 1..=2 {
        let (sum, barrier, jobs) = (sum.clone(), Arc::clone(&barrier), Arc::clone(&jobs));
        scheduler.spawn(async move {
            for _ in 0..10 {
                jobs.put_async(number, 0).await.unwrap();
                sum.send_async(Message::Add(number)).await.unwrap();
            }
            barrier.wait_async().await.unwrap();
        });
    }
    let total = scheduler.spawn(async move {
        let mut got = 0;
        for _ in 0..20 {
            got += jobs.get_async().await.unwrap();
        }
        barrier.wait_async().await.unwrap();
        (got, sum.ask_async(Message::Total).await.unwrap())
    });
    scheduler.run().unwrap();
    assert_eq!(total.result().wait().unwrap(), (30, 30));
    assert_eq!(done.result().wait().unwrap(), Exit::Closed);
}
