//! What the documentation promises in unusual hands: nothing to carry, code of the program that panics or comes back
//! while it is called, more threads than there are places, primitives that are made of others.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lockwise::sync::{
    Actor, ActorBuilder, Backend, Barrier, BrokenBarrier, Context, Event, Exchange, Exit, Failure,
    GetError, Handle, Poller, Promise, PutError, Queue, Raw, SendError, Sender, Shutdown, Slow,
    Status, ThreadLocal, ThreadPool, Tracked, Worker, select,
};
use lockwise::thread;

use crate::counted::{Counted, Drops};
use crate::{Counting, LONG, SHORT, block_on, on_each_backend, past, poll_once, until_waiting};

/// Writes down what it is told.
struct Notes<B: Backend>(Arc<Mutex<Vec<u32>>>, Option<Arc<Event<B>>>);

impl<B: Backend> Actor<B> for Notes<B> {
    type Message = u32;

    fn on_start(&mut self, _: &Context<'_, u32, B>) {
        if let Some(go) = &self.1 {
            go.wait();
        }
    }

    fn handle(&mut self, number: u32, _: &Context<'_, u32, B>) {
        self.0.lock().expect("nobody panics").push(number);
    }
}

on_each_backend! {
    fn items_of_no_size_take_room_all_the_same() {
        let queue = Queue::<(), B>::bounded_in(3);
        assert_eq!([(); 3].map(|()| queue.try_put(())), [Ok(()); 3]);
        assert_eq!(queue.try_put(()), Err(PutError::Full(())));
        assert_eq!((queue.len(), queue.get(), queue.len()), (3, Ok(()), 2));
        queue.close();
        assert_eq!(queue.iter().count(), 2);
    }

    fn of_a_batch_whose_items_panic_none_is_put() {
        let queue = Queue::<Counted, B>::bounded_in(5);
        let drops = Drops::default();
        let items = || (1..=5).map(|item| {
            assert!(item < 3, "no third item");
            drops.value()
        });
        assert!(catch_unwind(AssertUnwindSafe(|| queue.put_many(items()))).is_err());
        assert_eq!((queue.len(), drops.count()), (0, 2));
        assert!(catch_unwind(AssertUnwindSafe(|| drop(queue.put_many_async(items())))).is_err());
        assert_eq!((queue.len(), drops.count()), (0, 4));
        assert!(queue.put_many([drops.value()]).is_ok());
        assert_eq!(queue.len(), 1);
    }

    fn the_last_words_of_a_sender_reach_who_waits() {
        let (sender, receiver) = Queue::<_, B>::new_in().split();
        thread::scope(|scope| {
            let gets = scope.spawn(|| [receiver.get(), receiver.get()]);
            until_waiting(1, receiver.queue());
            sender.put("last words").unwrap();
            drop(sender);
            assert_eq!(gets.join().unwrap(), [Ok("last words"), Err(GetError::Closed)]);
        });
    }

    fn queues_carry_the_ends_of_others() {
        let (requests, served) = Queue::<(u32, Sender<u32, B>), B>::new_in().split();
        thread::scope(|scope| {
            scope.spawn(move || for (number, answers) in &served {
                answers.put(number * 2).unwrap();
            });
            for number in 1..=3_u32 {
                let (answers, answer) = Queue::<_, B>::new_in().split();
                requests.put((number, answers)).unwrap();
                // The end that was carried has gone with the request.
                assert_eq!([answer.get(), answer.get()], [Ok(number * 2), Err(GetError::Closed)]);
            }
            drop(requests);
        });
    }

    fn a_queue_that_is_in_itself_goes_when_it_is_emptied() {
        struct Holds(#[expect(dead_code, reason = "it is dropped")] Arc<Queue<Holds, B>>, #[expect(dead_code, reason = "likewise")] Counted);
        let drops = Drops::default();
        let queue = Arc::new(Queue::<_, B>::new_in());
        let weak = Arc::downgrade(&queue);
        queue.put(Holds(Arc::clone(&queue), drops.value())).unwrap_or_else(|_| unreachable!());
        let left = queue.close_now();
        drop(queue);
        assert!(weak.upgrade().is_some() && drops.count() == 0);
        drop(left);
        assert!(weak.upgrade().is_none() && drops.count() == 1);
    }

    fn what_is_set_beats_a_deadline_that_has_passed() {
        let event = Event::<B>::new_in();
        assert!(!event.wait_deadline(past(SHORT)));
        event.set();
        assert!(event.wait_deadline(past(SHORT)));
        let (promise, future) = Promise::<_, B>::new_in();
        assert!(!future.wait_done_deadline(past(SHORT)));
        promise.set(1).unwrap();
        assert!(future.wait_done_deadline(past(SHORT)));
        let semaphore = lockwise::sync::Semaphore::new(1);
        let unit = semaphore.try_acquire_until(past(SHORT));
        assert!(unit.is_some() && semaphore.try_acquire_until(past(SHORT)).is_none());
    }

    fn a_wait_that_is_dropped_leaves_an_event_to_the_others() {
        let event = Event::<B>::new_in();
        let wakers = [(); 3].map(|()| Counting::new());
        let mut waits = [(); 3].map(|()| Some(Box::pin(event.wait_async())));
        for (wait, (_, waker)) in waits.iter_mut().zip(&wakers) {
            assert!(poll_once(wait.as_mut().unwrap().as_mut(), waker).is_pending());
        }
        waits[1] = None;
        until_waiting(2, &event);
        event.set();
        assert_eq!(wakers.each_ref().map(|(count, _)| count.count()), [1, 0, 1]);
        // Cleared before they are polled again: they were waiting when it was set.
        event.clear();
        for wait in waits.into_iter().flatten() {
            block_on(wait);
        }
    }

    fn more_threads_than_a_barrier_takes_come_through_in_rounds() {
        let barrier = Barrier::<B>::new_in(3);
        thread::scope(|scope| {
            let threads: Vec<_> = (0..9).map(|_| scope.spawn(|| barrier.wait_timeout(LONG))).collect();
            let led = threads.into_iter().map(|thread| thread.join().unwrap().unwrap());
            assert_eq!(led.filter(|led| *led).count(), 3);
        });
        assert_eq!((barrier.waiting(), barrier.is_broken()), (0, false));
    }

    fn a_barrier_is_broken_before_anybody_comes_and_mended_again() {
        let barrier = Barrier::<B>::new_in(1);
        barrier.reset();
        assert_eq!(barrier.wait(), Ok(true));
        barrier.abort();
        barrier.abort();
        assert_eq!((barrier.wait(), barrier.waiting()), (Err(BrokenBarrier), 0));
        barrier.reset();
        assert_eq!(barrier.wait(), Ok(true));
    }

    fn a_value_that_could_not_be_made_is_made_at_the_next_use() {
        let object = ThreadLocal::<Cell<u32>, B>::new_in();
        let panics = || object.with(|| panic!("not yet"), |_| ());
        assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
        assert!(object.take().is_none());
        assert_eq!(object.with(|| Cell::new(3), Cell::get), 3);
        assert_eq!(object.with(|| unreachable!(), Cell::get), 3);
    }

    fn of_two_values_made_inside_each_other_the_outer_one_stays() {
        let (object, drops) = (ThreadLocal::<(u32, Counted), B>::new_in(), Drops::default());
        let outer = || {
            assert_eq!(object.with(|| (1, drops.value()), |value| value.0), 1);
            (2, drops.value())
        };
        assert_eq!(object.with(outer, |value| value.0), 2);
        assert_eq!(object.with(|| unreachable!(), |value| value.0), 2);
        assert_eq!(drops.count(), 1);
        drop(object);
        assert_eq!(drops.count(), 2);
    }

    fn a_result_goes_on_from_one_promise_to_the_next() {
        let (last, result) = Promise::<u32, B>::new_in();
        let (first, begun) = Promise::<u32, B>::new_in();
        let begun = Arc::new(Mutex::new(Some(begun)));
        let ended = Arc::clone(&begun);
        begun.lock().unwrap().as_ref().unwrap().on_done(move |end| {
            assert_eq!(end, lockwise::sync::End::Done);
            let begun = ended.lock().unwrap().take().expect("once");
            last.set(begun.wait().unwrap() + 1).unwrap();
        });
        first.set(1).unwrap();
        assert_eq!(result.wait().unwrap(), 2);
    }

    fn a_callback_that_comes_after_a_cancellation_runs_at_once() {
        let (promise, future) = Promise::<u32, B>::new_in();
        assert!(future.cancel() && !future.cancel());
        let seen = Arc::new(Mutex::new(Vec::new()));
        for _ in 0..2 {
            let seen = Arc::clone(&seen);
            future.on_done(move |end| seen.lock().unwrap().push(end));
        }
        assert_eq!(*seen.lock().unwrap(), [lockwise::sync::End::Cancelled; 2]);
        assert!(!promise.is_wanted());
        assert!(matches!(future.wait(), Err(Failure::Cancelled)));
    }

    fn a_pool_is_joined_by_several_while_it_works() {
        let pool = ThreadPool::<B>::new_in(2).unwrap();
        let (go, done) = (Arc::new(Event::<B>::new_in()), Arc::new(AtomicUsize::new(0)));
        for _ in 0..4 {
            let (waits, does) = (Arc::clone(&go), Arc::clone(&done));
            drop(pool.submit(move || {
                waits.wait();
                does.fetch_add(1, SeqCst);
            }).unwrap());
        }
        thread::scope(|scope| {
            let joins = [(); 3].map(|()| scope.spawn(|| {
                pool.join();
                done.load(SeqCst)
            }));
            assert!(!pool.join_timeout(SHORT));
            go.set();
            assert_eq!(joins.map(|join| join.join().unwrap()), [4; 3]);
        });
        // It goes on afterwards.
        assert_eq!(pool.submit(|| 5).unwrap().wait().unwrap(), 5);
    }

    fn a_job_hands_its_work_to_the_next() {
        /// Counts down, a job each.
        fn next<B: Backend>(pool: &Arc<ThreadPool<B>>, left: u32, end: Promise<u32, B>) {
            if left == 0 {
                end.set(7).unwrap();
                return;
            }
            let again = Arc::clone(pool);
            drop(pool.submit(move || next(&again, left - 1, end)).unwrap_or_else(|_| unreachable!()));
        }
        let pool = Arc::new(ThreadPool::<B>::new_in(1).unwrap());
        let (promise, end) = Promise::new_in();
        next(&pool, 1_000, promise);
        assert_eq!(end.wait().unwrap(), 7);
        pool.join();
    }

    fn a_worker_does_what_each_asks_in_their_order() {
        let worker = Worker::<B>::new_in().unwrap();
        let done = Arc::new(Mutex::new(Vec::new()));
        thread::scope(|scope| for who in 0..3 {
            let (worker, done) = (&worker, &done);
            scope.spawn(move || for number in 0..20 {
                let done = Arc::clone(done);
                drop(worker.submit(move || done.lock().unwrap().push((who, number))).unwrap());
            });
        });
        worker.close();
        worker.join();
        let done = done.lock().unwrap();
        for who in 0..3 {
            let its = done.iter().filter(|it| it.0 == who).map(|it| it.1);
            assert!(its.eq(0..20), "{done:?}");
        }
    }

    fn what_was_sent_before_a_close_in_the_start_is_handled() {
        let (go, notes) = (Arc::new(Event::<B>::new_in()), Arc::default());
        let notes_of = Notes(Arc::clone(&notes), Some(Arc::clone(&go)));
        let actor = ActorBuilder::<B>::new_in().start(notes_of).unwrap();
        actor.send(1).unwrap();
        actor.send(2).unwrap();
        assert!(actor.close());
        assert_eq!(actor.send(3), Err(SendError::Closed(3)));
        assert_ne!(actor.status(), Status::Stopped);
        go.set();
        assert_eq!(actor.join(), Ok(Exit::Closed));
        assert_eq!(*notes.lock().unwrap(), [1, 2]);
    }

    fn a_kill_in_the_start_gives_all_back_the_urgent_first() {
        let (go, notes) = (Arc::new(Event::<B>::new_in()), Arc::default());
        let notes_of = Notes(Arc::clone(&notes), Some(Arc::clone(&go)));
        let actor = ActorBuilder::<B>::new_in().start(notes_of).unwrap();
        (1..=3).for_each(|number| actor.send(number).unwrap());
        actor.send_urgent(9).unwrap();
        let mut left = actor.kill();
        assert_eq!(actor.kill(), []);
        go.set();
        assert_eq!(actor.join(), Ok(Exit::Killed));
        left.sort_unstable();
        assert_eq!((left, notes.lock().unwrap().len()), (vec![1, 2, 3, 9], 0));
    }

    fn an_actor_hands_its_own_handle_round_and_is_closed_all_the_same() {
        /// Keeps the handles that it is sent.
        struct Keeps(Vec<Handle<Round<B>, B>>);
        struct Round<B: Backend>(Handle<Round<B>, B>);
        impl Actor<B> for Keeps {
            type Message = Round<B>;
            fn handle(&mut self, Round(handle): Round<B>, _: &Context<'_, Round<B>, B>) {
                self.0.push(handle);
            }
        }
        let actor = ActorBuilder::<B>::new_in().start(Keeps(Vec::new())).unwrap();
        for _ in 0..3 {
            actor.send(Round(actor.clone())).unwrap_or_else(|_| unreachable!());
        }
        actor.close();
        assert_eq!(actor.join(), Ok(Exit::Closed));
        let weak = actor.downgrade();
        drop(actor);
        // Those that it kept have gone with it.
        assert!(weak.upgrade().is_none());
    }

    fn exchanges_hand_messages_on_to_each_other() {
        let (one, other) = (Arc::new(Exchange::<u32, B>::new_in()), Arc::new(Exchange::<u32, B>::new_in()));
        let (to_other, to_one) = (Arc::downgrade(&other), Arc::downgrade(&one));
        one.attach(move |left: u32| _ = to_other.upgrade().unwrap().send(left));
        other.attach(move |left: u32| if let Some(left) = left.checked_sub(1) {
            to_one.upgrade().unwrap().send(left);
        });
        let (first, second) = (one.reader(Slow::Never), other.reader(Slow::Never));
        assert_eq!(one.send(3).taken, 2);
        // Who stands behind the one that hands on gets what comes of it first.
        assert_eq!([(); 4].map(|()| first.try_get()), [Ok(0), Ok(1), Ok(2), Ok(3)]);
        assert_eq!([(); 4].map(|()| second.try_get()), [Ok(0), Ok(1), Ok(2), Ok(3)]);
    }

    fn a_queue_that_is_closed_is_taken_off_the_list_of_an_exchange() {
        let exchange = Exchange::<u32, B>::new_in();
        let (sender, receiver) = Queue::<_, B>::new_in().split();
        let (sinks, stays) = (sender.clone(), exchange.reader(Slow::Never));
        exchange.attach(sender);
        exchange.send(1);
        sinks.queue().close();
        let told = exchange.send(2);
        assert_eq!((told.taken, told.closed, exchange.len()), (1, 1, 1));
        assert_eq!([receiver.get(), receiver.get()], [Ok(1), Err(GetError::Closed)]);
        assert_eq!([stays.get(), stays.get()], [Ok(1), Ok(2)]);
    }

    fn two_pollers_see_one_event_and_keys_may_be_anything() {
        let (event, queue) = (Event::<B>::new_in(), Queue::<u32, B>::new_in());
        thread::scope(|scope| {
            let polls = [(); 2].map(|()| scope.spawn(|| {
                let mut poller = Poller::new();
                poller.add(&queue, String::from("a queue"));
                poller.add(&event, String::from("an event"));
                poller.wait().cloned()
            }));
            until_waiting(2, &event);
            event.set();
            for poll in polls {
                assert_eq!(poll.join().unwrap().as_deref(), Ok("an event"));
            }
        });
        until_waiting(0, &queue);
    }

    fn a_source_that_is_closed_is_told_until_it_is_removed() {
        let (gone, there) = (Queue::<u32, B>::new_in(), Queue::<u32, B>::new_in());
        let mut poller = Poller::new();
        poller.add(&gone, "gone");
        poller.add(&there, "there");
        gone.close();
        assert_eq!([*poller.wait().unwrap(), *poller.wait().unwrap()], ["gone"; 2]);
        assert_eq!((poller.remove(&"gone"), poller.remove(&"gone")), (1, 0));
        assert_eq!(poller.poll(), None);
        there.put(1).unwrap();
        assert_eq!(poller.wait(), Ok(&"there"));
        assert_eq!(poller.len(), 1);
    }

    fn a_shutdown_of_a_pool_in_a_callback_of_its_last_job() {
        let pool = Arc::new(ThreadPool::<B>::new_in(1).unwrap());
        let go = Arc::new(Event::<B>::new_in());
        let (waits, own) = (Arc::clone(&go), Arc::downgrade(&pool));
        let job = pool.submit(move || waits.wait()).unwrap();
        let behind = pool.submit(|| 2).unwrap();
        let told = Arc::new(Event::<B>::new_in());
        let tells = Arc::clone(&told);
        job.on_done(move |_| {
            own.upgrade().expect("it is kept").shutdown(Shutdown::Detach);
            tells.set();
        });
        go.set();
        assert!(told.wait_timeout(LONG));
        // What was submitted before is done, and nothing else is taken.
        assert_eq!(behind.wait().unwrap(), 2);
        assert!(pool.submit(|| ()).is_err());
    }
}

#[test]
fn both_backends_meet_in_one_select() {
    let (watched, raw) = (
        Queue::<u32, Tracked>::new_in(),
        Queue::<u32, Raw>::bounded_in(1),
    );
    let event = Event::<Raw>::new_in();
    for round in 0..10 {
        raw.put(round).unwrap();
        let got = select! {
            get(watched) -> got => got,
            get(raw) -> got => got,
            wait(event) => Err(GetError::Empty),
        };
        assert_eq!(got, Ok(round));
    }
    let mut poller = Poller::new();
    poller.add(&watched, "watched");
    poller.add(&raw, "raw");
    watched.put(1).unwrap();
    assert_eq!(poller.wait(), Ok(&"watched"));
}

#[test]
fn a_unit_comes_back_from_a_panic_and_from_who_gives_up() {
    let semaphore = lockwise::sync::Semaphore::new(1);
    let panics = || {
        let _unit = semaphore.acquire();
        panic!("with the unit");
    };
    assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
    assert_eq!(semaphore.available(), 1);
    // One that is woken and gives up passes the unit on.
    let unit = semaphore.try_acquire_for(Duration::MAX).unwrap();
    let ((first, one), (second, two)) = (Counting::new(), Counting::new());
    let mut gives_up = Box::pin(semaphore.acquire_async());
    let mut waits = Box::pin(semaphore.acquire_async());
    assert!(poll_once(gives_up.as_mut(), &one).is_pending());
    assert!(poll_once(waits.as_mut(), &two).is_pending());
    drop(unit);
    assert_eq!((first.count(), second.count()), (1, 0));
    drop(gives_up);
    assert_eq!(second.count(), 1);
    drop(block_on(waits));
    assert_eq!(semaphore.available(), 1);
    assert!(semaphore.try_acquire_until(Instant::now()).is_some());
}
