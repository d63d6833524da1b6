use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use lockwise::sync::{Failure, Promise, Queue, Scheduler, Stuck, ThreadPool, block_on, yield_now};
use lockwise::thread;

use super::SHORT;
use super::counted::Drops;

#[test]
fn tasks_take_turns() {
    let (scheduler, log) = (Scheduler::new(), Rc::new(RefCell::new(Vec::new())));
    for name in ["a", "b", "c"] {
        let log = Rc::clone(&log);
        let _ = scheduler.spawn(async move {
            for at in 0..2 {
                log.borrow_mut().push((name, at));
                yield_now().await;
            }
        });
    }
    scheduler.run().unwrap();
    assert_eq!(
        *log.borrow(),
        [("a", 0), ("b", 0), ("c", 0), ("a", 1), ("b", 1), ("c", 1)]
    );
}

#[test]
fn coroutine_channel() {
    let queue = Rc::new(Queue::bounded(1));
    let scheduler = Scheduler::new();
    let gives = Rc::clone(&queue);
    let _ = scheduler.spawn(async move {
        for item in 0..50 {
            gives.put_async(item).await.unwrap();
        }
        gives.close();
    });
    let got = scheduler.spawn(async move {
        let mut got = Vec::new();
        while let Ok(item) = queue.get_async().await {
            got.push(item);
        }
        got
    });
    scheduler.run().unwrap();
    assert!(got.result().wait().unwrap().into_iter().eq(0..50));
}

#[test]
fn coroutine_cancel() {
    let (scheduler, drops) = (Scheduler::new(), Drops::default());
    let queue = Rc::new(Queue::<u32>::new());
    let (value, waits) = (drops.value(), Rc::clone(&queue));
    let task = scheduler.spawn(async move {
        let _value = value;
        let _ = waits.get_async().await;
        1
    });
    let again = scheduler.clone();
    let cancels = scheduler.spawn(async move {
        yield_now().await;
        assert!(!task.is_done());
        matches!(task.cancel(), Err(Failure::Dropped))
    });
    scheduler.run().unwrap();
    assert!(cancels.result().wait().unwrap());
    assert_eq!(drops.count(), 1);
    // It left nothing behind in the queue.
    queue.put(1).unwrap();
    assert_eq!(queue.try_get(), Ok(1));
    let done = again.spawn(async { 5 });
    again.run().unwrap();
    assert_eq!(done.cancel().unwrap(), 5);
}

#[test]
fn sleeping_in_order() {
    let (scheduler, log) = (Scheduler::new(), Rc::new(RefCell::new(Vec::new())));
    let start = Instant::now();
    for (name, time) in [
        ("late", SHORT * 2),
        ("soon", SHORT),
        ("now", Duration::ZERO),
    ] {
        let (log, clock) = (Rc::clone(&log), scheduler.clone());
        let _ = scheduler.spawn(async move {
            clock.sleep(time).await;
            log.borrow_mut().push(name);
        });
    }
    scheduler.run().unwrap();
    assert!(start.elapsed() >= SHORT * 2);
    assert_eq!(*log.borrow(), ["now", "soon", "late"]);
}

#[test]
fn other_threads_wake_tasks() {
    let scheduler = Scheduler::new();
    let pool = ThreadPool::new(1).unwrap();
    let job = pool.submit(|| 20).unwrap();
    let sum = scheduler.spawn(async move { job.await.unwrap() + 1 });
    scheduler.run().unwrap();
    assert_eq!(sum.result().wait().unwrap(), 21);
    let queue = Queue::<u32>::rendezvous();
    thread::scope(|scope| {
        scope.spawn(|| queue.put(3).unwrap());
        assert_eq!(block_on(queue.get_async()), Ok(3));
    });
}

#[test]
fn a_task_that_panics_ends_alone() {
    let scheduler = Scheduler::new();
    let bad = scheduler.spawn(async {
        yield_now().await;
        panic!("in its second turn")
    });
    let good = scheduler.spawn(async { 1 });
    scheduler.run().unwrap();
    let bad: Result<(), _> = bad.result().wait();
    assert_eq!(bad.unwrap_err().message(), Some("in its second turn"));
    assert_eq!(good.result().wait().unwrap(), 1);
}

#[test]
fn tasks_spawn_and_await_tasks() {
    let scheduler = Scheduler::new();
    let again = scheduler.clone();
    let outer = scheduler.spawn(async move {
        let inner = again.spawn(async { 2 });
        inner.result().await.unwrap() * 3
    });
    scheduler.run().unwrap();
    assert_eq!(outer.result().wait().unwrap(), 6);
}

#[test]
fn tasks_that_nobody_can_wake_are_told() {
    let scheduler = Scheduler::new();
    let lost = scheduler.spawn(std::future::pending::<()>());
    assert_eq!(scheduler.run(), Err(Stuck { tasks: 1 }));
    assert!(lost.cancel().is_err());
    assert_eq!(scheduler.run(), Ok(()));
    // A promise that is dropped wakes.
    let (promise, future) = Promise::<u32>::new();
    let waits = scheduler.spawn(async move { future.await.is_err() });
    let _ = scheduler.spawn(async move { drop(promise) });
    scheduler.run().unwrap();
    assert!(waits.result().wait().unwrap());
}
