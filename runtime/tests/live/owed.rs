//! Results, jobs and ends that a thread owes: circles through them close like those of locks, and what is
//! not owed by one known thread closes none.

use std::sync::{Arc, Barrier};
use std::time::Duration;

use lockwise::sync::{
    Actor, Context, Event, Exchange, Promise, Queue, Shutdown, ThreadPool, Until, start, wait_for,
};
use lockwise::watch::Finding;
use lockwise::{Mutex, thread};

use super::{caught, named, until_it_waits, watch};

/// The one deadlock that one of the sides told.
fn the_one(told: impl IntoIterator<Item = Option<Finding>>) -> Finding {
    let told: Vec<Finding> = told.into_iter().flatten().collect();
    let [told] = told.as_slice() else {
        panic!("told by {} threads", told.len());
    };
    told.clone()
}

#[test]
fn a_result_under_a_lock_that_the_job_needs() {
    watch();
    let pool = ThreadPool::new(1).unwrap();
    let lock = Arc::new(Mutex::new(()));
    let its_lock = Arc::clone(&lock);
    let begun = Arc::new(Barrier::new(2));
    let begins = Arc::clone(&begun);
    let held = lock.lock();
    let job = pool
        .submit(move || {
            begins.wait();
            caught(|| drop(its_lock.lock()))
        })
        .unwrap();
    begun.wait();
    // Either side may come last. The job goes on when this side does.
    let mut result = None;
    let told = caught(|| result = Some(job.wait().unwrap()));
    drop(held);
    let told = the_one([told, result.flatten()]);
    assert_eq!(told.sides.len(), 2, "{told}");
    assert!(told.message.contains("works for"), "{told}");
}

#[test]
fn a_job_that_needs_what_the_waiter_holds_and_comes_last() {
    watch();
    let lock = Arc::new(Mutex::new(()));
    let its_lock = Arc::clone(&lock);
    let (promise, future) = Promise::new();
    let waiter = named("waits for a result", move || {
        let _held = its_lock.lock();
        future.wait().unwrap();
    });
    promise.fulfil(|| {
        until_it_waits("waits for a result");
        let told = caught(|| drop(lock.lock())).expect("the other waits for this");
        assert_eq!(told.sides.len(), 2, "{told}");
    });
    waiter.join().unwrap();
}

#[test]
fn a_result_and_a_join_and_a_lock() {
    watch();
    let lock = Arc::new(Mutex::new(()));
    let its_lock = Arc::clone(&lock);
    let held = lock.lock();
    let locks = named("wants the lock", move || caught(|| drop(its_lock.lock())));
    until_it_waits("wants the lock");
    let (promise, future) = Promise::new();
    let joins = named("joins", move || {
        let mut told = None;
        promise.fulfil(|| told = caught(|| drop(locks.join())));
        told
    });
    until_it_waits("joins");
    let told = caught(|| drop(future.wait())).expect("this side came last");
    assert_eq!(told.sides.len(), 3, "{told}");
    drop(held);
    assert!(joins.join().unwrap().is_none());
}

#[test]
fn the_end_of_all_jobs_under_a_lock_that_one_needs() {
    watch();
    let pool = ThreadPool::new(2).unwrap();
    let lock = Arc::new(Mutex::named("needed by one job", ()));
    let its_lock = Arc::clone(&lock);
    let held = lock.lock();
    let job = pool.submit(move || drop(its_lock.lock())).unwrap();
    super::until_waited_for("needed by one job", 1);
    let told = caught(|| pool.join()).expect("a job waits for this side");
    drop(held);
    job.wait().unwrap();
    assert_eq!(told.sides.len(), 2, "{told}");
    pool.join();
}

#[test]
fn who_waits_for_the_workers_is_named_by_its_own_line() {
    watch();
    let lock = Arc::new(Mutex::named("needed by a job", ()));
    for drops in [false, true] {
        let pool = ThreadPool::new(1).unwrap();
        let its_lock = Arc::clone(&lock);
        let held = lock.lock();
        let job = pool.submit(move || drop(its_lock.lock())).unwrap();
        super::until_waited_for("needed by a job", 1);
        let told = if drops {
            caught(|| drop(pool))
        } else {
            let told = caught(|| pool.shutdown(Shutdown::Finish));
            pool.detach();
            told
        };
        let told = told.expect("a job waits for this side");
        drop(held);
        job.wait().unwrap();
        for side in &told.sides {
            assert!(side.wants.site().file().ends_with("owed.rs"), "{told}");
        }
    }
}

/// Takes a lock for each message.
struct Locks(Arc<Mutex<()>>);

impl Actor for Locks {
    type Message = ();

    fn handle(&mut self, (): (), _: &Context<'_, ()>) {
        drop(self.0.lock());
    }
}

#[test]
fn the_end_of_an_actor_under_a_lock_that_it_needs() {
    watch();
    let lock = Arc::new(Mutex::named("needed by the actor", ()));
    let held = lock.lock();
    let actor = start(Locks(Arc::clone(&lock)));
    actor.send(()).unwrap();
    super::until_waited_for("needed by the actor", 1);
    let told = caught(|| drop(actor.join())).expect("the actor waits for this side");
    assert_eq!(told.sides.len(), 2, "{told}");
    drop(held);
    actor.close();
    actor.join().unwrap();
}

#[test]
fn all_of_several_results_under_a_lock_that_one_job_needs() {
    watch();
    let pool = ThreadPool::new(2).unwrap();
    let lock = Arc::new(Mutex::named("needed for one of two results", ()));
    let its_lock = Arc::clone(&lock);
    let held = lock.lock();
    let stuck = pool.submit(move || drop(its_lock.lock())).unwrap();
    super::until_waited_for("needed for one of two results", 1);
    let (promise, later) = Promise::new();
    promise.set(()).unwrap();
    let told = caught(|| drop(wait_for([later, stuck], Until::All, None)));
    drop(held);
    let told = told.expect("a job waits for this side");
    assert_eq!(told.sides.len(), 2, "{told}");
    assert!(told.message.contains("works for"), "{told}");
    pool.join();
}

#[test]
fn a_subscription_that_ends_under_a_lock_that_its_sink_needs() {
    watch();
    let exchange = Arc::new(Exchange::new());
    let lock = Arc::new(Mutex::named("needed by a sink", ()));
    let its_lock = Arc::clone(&lock);
    let id = exchange.attach(move |(): ()| drop(its_lock.lock()));
    let sends = Arc::clone(&exchange);
    let held = lock.lock();
    let sender = thread::spawn(move || sends.send(()).taken);
    super::until_waited_for("needed by a sink", 1);
    let told = caught(|| _ = exchange.detach_sync(id)).expect("a delivery waits for this side");
    assert_eq!(told.sides.len(), 2, "{told}");
    assert!(told.message.contains("works for"), "{told}");
    drop(held);
    assert_eq!(sender.join().unwrap(), 1);
}

#[test]
fn a_sink_that_needs_what_is_held_while_its_subscription_ends_and_comes_last() {
    watch();
    let exchange = Arc::new(Exchange::new());
    let lock = Arc::new(Mutex::new(()));
    let its_lock = Arc::clone(&lock);
    let (told, finding) = std::sync::mpsc::channel();
    let begun = Arc::new(Barrier::new(2));
    let begins = Arc::clone(&begun);
    let id = exchange.attach(move |(): ()| {
        begins.wait();
        until_it_waits("ends a subscription");
        told.send(caught(|| drop(its_lock.lock()))).unwrap();
    });
    let ends = Arc::clone(&exchange);
    let sender = thread::spawn(move || exchange.send(()).taken);
    begun.wait();
    let ends = named("ends a subscription", move || {
        let _held = lock.lock();
        caught(|| assert_eq!(ends.detach_sync(id), Ok(true)))
    });
    assert_eq!(sender.join().unwrap(), 1);
    assert!(ends.join().unwrap().is_none());
    let told = finding.recv().unwrap().expect("the other waits for this");
    assert_eq!(told.sides.len(), 2, "{told}");
}

#[test]
fn one_of_two_results_of_which_one_comes() {
    watch();
    let pool = ThreadPool::new(1).unwrap();
    let lock = Arc::new(Mutex::named("needed for a result that may be late", ()));
    let its_lock = Arc::clone(&lock);
    let held = lock.lock();
    let stuck = pool.submit(move || drop(its_lock.lock())).unwrap();
    super::until_waited_for("needed for a result that may be late", 1);
    let (promise, comes) = Promise::new();
    let gives = thread::spawn(move || {
        until_it_waits("waits for one of two");
        promise.set(()).unwrap();
    });
    let waits = named("waits for one of two", move || {
        caught(|| drop(wait_for([stuck, comes], Until::First, None)))
    });
    assert!(waits.join().unwrap().is_none());
    gives.join().unwrap();
    drop(held);
    pool.join();
}

#[test]
fn a_subscription_that_ends_while_its_sink_waits_for_another_thread() {
    watch();
    let exchange = Arc::new(Exchange::new());
    let (event, lock) = (Arc::new(Event::new()), Mutex::new(()));
    let (seen, begun) = (Arc::clone(&event), Arc::new(Barrier::new(2)));
    let begins = Arc::clone(&begun);
    let id = exchange.attach(move |(): ()| {
        begins.wait();
        seen.wait();
    });
    let (sends, ends) = (Arc::clone(&exchange), exchange);
    let sender = thread::spawn(move || sends.send(()).taken);
    begun.wait();
    let ends = named("ends another subscription", move || {
        let _held = lock.lock();
        caught(|| assert_eq!(ends.detach_sync(id), Ok(true)))
    });
    until_it_waits("ends another subscription");
    event.set();
    assert!(ends.join().unwrap().is_none());
    assert_eq!(sender.join().unwrap(), 1);
}

#[test]
fn a_result_that_needs_no_lock() {
    watch();
    let pool = ThreadPool::new(1).unwrap();
    let lock = Mutex::new(());
    for round in 0..200 {
        let job = pool.submit(move || round).unwrap();
        let told = caught(|| {
            let _held = lock.lock();
            assert_eq!(job.wait().unwrap(), round);
        });
        assert!(told.is_none());
    }
}

#[test]
fn a_result_that_another_worker_may_give() {
    watch();
    let pool = ThreadPool::new(2).unwrap();
    let lock = Arc::new(Mutex::named("held over a queued job", ()));
    let its_lock = Arc::clone(&lock);
    let held = lock.lock();
    let stuck = pool.submit(move || drop(its_lock.lock())).unwrap();
    super::until_waited_for("held over a queued job", 1);
    // One worker waits for this thread, the other does not.
    assert!(caught(|| pool.submit(|| ()).unwrap().wait().unwrap()).is_none());
    drop(held);
    stuck.wait().unwrap();
}

#[test]
fn two_producers_of_which_one_is_free() {
    watch();
    let queue = Arc::new(Queue::new());
    let lock = Arc::new(Mutex::named("held by the consumer", ()));
    let (stuck, free) = (Arc::clone(&queue), Arc::clone(&queue));
    let its_lock = Arc::clone(&lock);
    let held = lock.lock();
    let blocked = thread::spawn(move || {
        caught(|| {
            let _held = its_lock.lock();
            stuck.put(1).unwrap();
        })
    });
    super::until_waited_for("held by the consumer", 1);
    let consumer = named("consumes", move || {
        caught(|| assert_eq!(queue.get().unwrap(), 2))
    });
    until_it_waits("consumes");
    free.put(2).unwrap();
    assert!(consumer.join().unwrap().is_none());
    drop(held);
    assert!(blocked.join().unwrap().is_none());
}

#[test]
fn a_job_that_waits_with_a_deadline() {
    watch();
    let lock = Arc::new(Mutex::new(()));
    let its_lock = Arc::clone(&lock);
    let (promise, future) = Promise::new();
    let worker = thread::spawn(move || {
        promise.fulfil(|| its_lock.try_lock_for(Duration::from_millis(50)).is_some());
    });
    let held = lock.lock();
    let told = caught(|| drop(future.wait()));
    assert!(told.is_none());
    drop(held);
    worker.join().unwrap();
}

#[test]
fn a_job_that_waits_for_the_lock_of_the_queue_it_is_from() {
    watch();
    // The waiter looks under the queue's own lock, again and again, while a job puts something in.
    for _ in 0..50 {
        let pool = Arc::new(ThreadPool::new(2).unwrap());
        let again = Arc::clone(&pool);
        let submit = move || {
            for _ in 0..20 {
                drop(again.submit(|| ()).unwrap());
            }
        };
        let job = pool.submit(submit).unwrap();
        assert!(caught(|| pool.join()).is_none());
        job.wait().unwrap();
    }
}
