use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use lockwise::sync::{
    Backend, Barrier, BrokenBarrier, Condvar, Event, Failure, NothingToWaitFor, Poller, Promise,
    PutError, Queue, Scheduler, Semaphore, Stuck, ThreadLocal, block_on, select, yield_now,
};
use lockwise::{Mutex, thread};

use crate::counted::Drops;
use crate::{Counting, LONG, SHORT, on_each_backend, past, poll_once, until};

on_each_backend! {
    fn an_event_tells_what_was_news() {
        let event = Event::<B>::new_in();
        assert!(!event.clear());
        assert!(event.set());
        assert!(!event.set());
        assert!(event.clear());
        assert!(!event.clear());
        assert!(!event.is_set());
    }

    fn no_time_is_one_look_at_an_event() {
        let event = Event::<B>::new_in();
        let past = past(SHORT);
        assert!(!event.wait_timeout(Duration::ZERO));
        assert!(!event.wait_deadline(past));
        event.set();
        assert!(event.wait_timeout(Duration::ZERO));
        assert!(event.wait_deadline(past));
        event.wait_timeout(Duration::MAX);
    }

    fn a_barrier_without_time_is_broken() {
        let barrier = Barrier::<B>::new_in(2);
        assert_eq!(barrier.wait_timeout(Duration::ZERO), Err(BrokenBarrier));
        assert!(barrier.is_broken());
        barrier.abort();
        barrier.reset();
        barrier.reset();
        assert!(!barrier.is_broken());
        assert_eq!(Barrier::<B>::new_in(1).wait_timeout(Duration::ZERO), Ok(true));
    }

    fn a_barrier_may_be_asked_by_its_action() {
        let seen = Arc::new(AtomicUsize::new(usize::MAX));
        let barrier = Arc::<Barrier<B>>::new_cyclic(|me| {
            let (me, seen) = (me.clone(), Arc::clone(&seen));
            Barrier::new_in(2).with_action(move || {
                let barrier: Arc<Barrier<B>> = me.upgrade().unwrap();
                assert!(!barrier.is_broken());
                seen.store(barrier.waiting(), SeqCst);
            })
        });
        thread::scope(|scope| {
            let other = scope.spawn(|| barrier.wait());
            let led = [barrier.wait().unwrap(), other.join().unwrap().unwrap()];
            assert!(led[0] != led[1]);
        });
        // The round is over; the next one has not begun.
        assert_eq!(seen.load(SeqCst), 0);
    }

    fn a_closed_member_does_not_hide_the_others_of_a_poller() {
        let (closed, live) = (Queue::<u32, B>::new_in(), Queue::<u32, B>::new_in());
        closed.close();
        let mut poller = Poller::new();
        poller.add(&closed, "closed");
        poller.add(&live, "live");
        live.put_many(0..10).unwrap();
        let mut seen = Vec::new();
        for _ in 0..8 {
            seen.push(*poller.wait().unwrap());
        }
        assert_eq!(seen.iter().filter(|key| **key == "live").count(), 4);
        // And as long as nothing else comes it is told again and again.
        while live.try_get().is_ok() {}
        for _ in 0..3 {
            assert_eq!(poller.wait_timeout(LONG), Some(&"closed"));
        }
    }

    fn a_poller_sees_room_and_the_end_of_it() {
        let queue = Queue::<u32, B>::bounded_in(1);
        let room = queue.room();
        let mut poller = Poller::new();
        poller.add(&room, "room");
        assert_eq!(poller.poll(), Some(&"room"));
        queue.put(1).unwrap();
        assert_eq!(poller.poll(), None);
        assert_eq!(poller.wait_deadline(past(SHORT)), None);
        queue.close();
        assert_eq!(poller.poll(), Some(&"room"));
        assert_eq!(queue.try_put(2).unwrap_err().into_inner(), 2);
    }

    fn a_poller_waits_for_results_and_events_that_are_taken_back() {
        let event = Event::<B>::new_in();
        let (promise, future) = Promise::<u32, B>::new_in();
        let mut poller = Poller::new();
        poller.add(&event, "event");
        poller.add(&future, "result");
        event.set();
        assert_eq!(poller.wait_timeout(Duration::ZERO), Some(&"event"));
        event.clear();
        assert_eq!(poller.wait_timeout(Duration::ZERO), None);
        drop(promise);
        assert_eq!(poller.wait_timeout(Duration::ZERO), Some(&"result"));
        drop(poller);
        assert!(matches!(future.wait(), Err(Failure::Dropped)));
    }

    fn what_is_taken_out_of_a_poller_is_told_no_more_and_changes_no_turns() {
        let queues: [Queue<u32, B>; 4] = std::array::from_fn(|_| Queue::new_in());
        let mut poller = Poller::new();
        for (queue, key) in queues.iter().zip(["a", "b", "a", "c"]) {
            queue.close();
            poller.add(queue, key);
        }
        let told = |poller: &mut Poller<'_, &'static str>| poller.poll().copied();
        assert_eq!([told(&mut poller), told(&mut poller)], [Some("a"), Some("b")]);
        assert_eq!((poller.remove(&"a"), poller.remove(&"a")), (2, 0));
        // It is the turn of the one after the last one told.
        assert_eq!([told(&mut poller), told(&mut poller)], [Some("c"), Some("b")]);
        assert_eq!((poller.remove(&"b"), poller.remove(&"c")), (1, 1));
        assert_eq!(told(&mut poller), None);
        assert_eq!(poller.wait(), Err(NothingToWaitFor));
    }

    fn a_wait_is_woken_by_the_waker_that_it_was_polled_with_last() {
        let ((first, first_waker), (second, second_waker)) = (Counting::new(), Counting::new());
        let event = Event::<B>::new_in();
        let mut wait = Box::pin(event.wait_async());
        assert!(poll_once(wait.as_mut(), &first_waker).is_pending());
        assert!(poll_once(wait.as_mut(), &second_waker).is_pending());
        event.set();
        assert_eq!((first.count(), second.count()), (0, 1));
        let (promise, future) = Promise::<u32, B>::new_in();
        let mut future = Box::pin(future);
        assert!(poll_once(future.as_mut(), &first_waker).is_pending());
        assert!(poll_once(future.as_mut(), &second_waker).is_pending());
        promise.set(1).unwrap();
        assert_eq!((first.count(), second.count()), (0, 2));
    }

    fn an_arm_that_puts_into_what_is_closed_gives_the_item_back() {
        let queue = Queue::<u32, B>::bounded_in(1);
        queue.close();
        let put = select! {
            put(queue, 5) -> put => put,
            default => panic!("closed counts as possible"),
        };
        assert_eq!(put, Err(PutError::Closed(5)));
    }

    fn the_longest_wait_for_an_arm_is_no_panic() {
        let queue = Queue::<u32, B>::new_in();
        queue.put(1).unwrap();
        let got = select! {
            get(queue) -> got => got,
            default(Duration::MAX) => panic!("there is something to be got"),
        };
        assert_eq!(got, Ok(1));
    }

    fn an_arm_takes_what_is_shared_or_lent_as_it_is() {
        fn next<B: Backend>(lent: &Queue<u32, B>, shared: &Arc<Queue<u32, B>>, stop: &Event<B>) -> u32 {
            let number = select! {
                wait(stop) => 0,
                get(lent) -> number => number.unwrap(),
                get(shared) -> number => number.unwrap(),
            };
            select! {
                put(lent, number + 1) -> put => put.unwrap(),
                put(shared, number + 1) -> put => put.unwrap(),
            }
            number
        }
        let (lent, shared) = (Queue::<u32, B>::bounded_in(1), Arc::new(Queue::<u32, B>::new_in()));
        let stop = Arc::new(Event::<B>::new_in());
        shared.put(5).unwrap();
        assert_eq!(next(&lent, &shared, &stop), 5);
        assert_eq!(lent.len() + shared.len(), 1);
        let mut poller = Poller::new();
        let borrowed = &lent;
        poller.add(&borrowed, "lent");
        poller.add(&shared, "shared");
        poller.add(&stop, "stop");
        let expected = if lent.is_empty() { "shared" } else { "lent" };
        assert_eq!(poller.wait(), Ok(&expected));
    }

    fn a_select_of_what_is_closed_is_done_at_once() {
        let (queue, full) = (Queue::<u32, B>::new_in(), Queue::<u32, B>::bounded_in(1));
        full.put(1).unwrap();
        full.close();
        let refused = select! {
            get(queue) -> item => panic!("{item:?}"),
            put(full, 2) -> put => put.unwrap_err().into_inner(),
        };
        assert_eq!(refused, 2);
        queue.close();
        let got = select! {
            get(queue) -> item => item.is_err(),
        };
        assert!(got);
    }

    fn each_thread_has_a_value_of_its_own_until_the_object_goes() {
        let drops = Drops::default();
        let local = ThreadLocal::<_, B>::new_in();
        let values = AtomicUsize::new(0);
        let make = || {
            values.fetch_add(1, SeqCst);
            drops.value()
        };
        thread::scope(|scope| {
            let uses = || (0..3).for_each(|_| local.with(make, |_| ()));
            let threads = [(); 2].map(|()| scope.spawn(uses));
            // The end of the scope alone does not wait for the values of its threads.
            for thread in threads {
                thread.join().unwrap();
            }
        });
        assert_eq!(values.load(SeqCst), 2);
        drop(local);
        assert_eq!(drops.count(), 2);
    }
}

#[test]
fn a_semaphore_takes_no_more_than_it_can_count() {
    let semaphore = Semaphore::new(u32::MAX);
    semaphore.release(0);
    let refused = catch_unwind(AssertUnwindSafe(|| semaphore.release(1)));
    assert!(refused.is_err());
    assert_eq!(semaphore.available(), u32::MAX);
    let none = Semaphore::new(0);
    assert!(none.try_acquire().is_none());
    assert!(none.try_acquire_for(Duration::ZERO).is_none());
    none.release(2);
    none.acquire().forget();
    assert_eq!(none.available(), 1);
    drop(none.try_acquire_for(Duration::MAX));
    assert_eq!(none.available(), 1);
}

#[test]
fn a_condition_without_time_gives_the_lock_back() {
    let (lock, changed) = (Mutex::new(1), Condvar::new());
    let mut held = lock.lock();
    assert!(changed.wait_for(&mut held, Duration::ZERO).timed_out());
    *held += 1;
    assert!(lock.try_lock().is_none());
    drop(held);
    assert_eq!(*lock.lock(), 2);
    assert!(!changed.notify_one());
}

#[test]
fn a_scheduler_runs_again_and_with_nothing_to_do() {
    let scheduler = Scheduler::new();
    assert_eq!(scheduler.run(), Ok(()));
    let inner = scheduler.clone();
    let outer = scheduler.spawn(async move {
        let task = inner.spawn(async {
            yield_now().await;
            1
        });
        task.result().await.unwrap() + 1
    });
    assert_eq!(scheduler.run(), Ok(()));
    assert_eq!(outer.cancel().unwrap(), 2);
    scheduler.spawn(std::future::pending::<()>());
    assert_eq!(scheduler.run(), Err(Stuck { tasks: 1 }));
}

#[test]
fn a_sleep_that_is_cancelled_keeps_nobody() {
    let scheduler = Scheduler::new();
    let forever = scheduler.sleep(Duration::MAX);
    let sleeper = scheduler.spawn(forever);
    let at_once = scheduler.sleep(Duration::ZERO);
    let other = scheduler.spawn(async move {
        at_once.await;
        assert!(matches!(sleeper.cancel(), Err(Failure::Dropped)));
    });
    scheduler.run().unwrap();
    assert!(other.is_done());
}

#[test]
fn a_task_may_cancel_itself_in_its_own_turn() {
    let scheduler = Scheduler::new();
    let slot = Rc::new(std::cell::RefCell::new(None));
    let mine = Rc::clone(&slot);
    let drops = Drops::default();
    let value = drops.value();
    let task = scheduler.spawn(async move {
        let _value = value;
        let me: lockwise::sync::ScheduledTask<()> = mine.borrow_mut().take().unwrap();
        drop(me.cancel());
        yield_now().await;
        unreachable!("it was cancelled");
    });
    *slot.borrow_mut() = Some(task);
    assert_eq!(scheduler.run(), Ok(()));
    assert_eq!(drops.count(), 1);
}

#[test]
fn a_destructor_that_panics_ends_neither_a_run_nor_another_task() {
    struct Bad;
    impl Drop for Bad {
        fn drop(&mut self) {
            panic!("in a destructor");
        }
    }
    let scheduler = Scheduler::new();
    drop(scheduler.spawn(async { Bad }));
    // One that is over by the panic of what it holds has that as its result.
    let held = Bad;
    let holds = scheduler.spawn(async move { drop(held) });
    let other = scheduler.spawn(async {
        yield_now().await;
        3
    });
    assert_eq!(scheduler.run(), Ok(()));
    assert_eq!(
        holds.cancel().unwrap_err().message(),
        Some("in a destructor")
    );
    assert_eq!(other.cancel().unwrap(), 3);
}

#[test]
fn tasks_go_with_their_scheduler() {
    let drops = Drops::default();
    let (value, never) = (drops.value(), std::future::pending::<()>());
    let scheduler = Scheduler::new();
    let task = scheduler.spawn(async move {
        let _value = value;
        never.await;
    });
    assert_eq!(scheduler.run(), Err(Stuck { tasks: 1 }));
    let result = task.result();
    drop(scheduler);
    assert_eq!(drops.count(), 1);
    assert!(matches!(result.wait(), Err(Failure::Dropped)));
}

#[test]
fn waiting_inside_of_waiting_takes_no_wake_up_from_it() {
    let (outer, inner) = (Arc::new(Event::new()), Arc::new(Event::new()));
    let (sets_outer, sets_inner) = (Arc::clone(&outer), Arc::clone(&inner));
    let setter = thread::spawn(move || {
        sets_outer.set();
        sets_inner.set();
    });
    block_on(async {
        block_on(inner.wait_async());
        outer.wait_async().await;
    });
    setter.join().unwrap();
    until(|| outer.is_set());
}

#[test]
fn a_scheduler_is_not_run_by_its_own_task() {
    let scheduler = Rc::new(Scheduler::new());
    let inner = Rc::clone(&scheduler);
    let task = scheduler.spawn(async move { inner.run() });
    scheduler.run().unwrap();
    assert!(matches!(task.result().wait(), Err(Failure::Panicked(_))));
    // And can be run again.
    assert!(
        scheduler
            .spawn(async {})
            .result()
            .wait_timeout(Duration::ZERO)
            .is_err()
    );
    scheduler.run().unwrap();
}
