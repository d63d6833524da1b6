use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use lockwise::sync::{
    ActorBuilder, Backend, Context, Event, Exchange, Future, GetError, NothingToWaitFor, Poller,
    PriorityQueue, Promise, PutError, Queue, Slow, ThreadPool, select,
};
use lockwise::thread;

use super::{LONG, SHORT, on_each_backend, rounds, until, until_waiting};

struct Idle;

impl<B: Backend> lockwise::sync::Actor<B> for Idle {
    type Message = u32;
    fn handle(&mut self, _: u32, _: &Context<'_, u32, B>) {}
}

on_each_backend! {
    fn poll_none_timeout() {
        let queue = Queue::<u32, B>::new_in();
        let mut poller = Poller::new();
        poller.add(&queue, 1);
        let start = Instant::now();
        assert_eq!(poller.wait_timeout(SHORT), None);
        assert!(start.elapsed() >= SHORT);
        assert_eq!(poller.poll(), None);
        let start = Instant::now();
        let late = select! {
            get(queue) -> _ => false,
            default(SHORT) => true,
        };
        assert!(late && start.elapsed() >= SHORT);
        assert!(select! {
            get(queue) -> _ => false,
            default => true,
        });
    }

    fn poll_unblocks_on_put_and_on_close() {
        let (first, second) = (Queue::<u32, B>::new_in(), Queue::<u32, B>::new_in());
        thread::scope(|scope| {
            let polls = scope.spawn(|| {
                let mut poller = Poller::new();
                poller.add(&first, "first");
                poller.add(&second, "second");
                assert_eq!(poller.wait(), Ok(&"second"));
                assert_eq!(second.try_get(), Ok(1));
                assert_eq!(poller.wait(), Ok(&"first"));
                assert_eq!(first.try_get(), Err(GetError::Closed));
            });
            until_waiting(1, &second);
            second.put(1).unwrap();
            until(|| second.is_empty());
            until_waiting(1, &first);
            first.close();
            polls.join().unwrap();
        });
    }

    fn already_ready_before_poll() {
        let queue = Queue::<u32, B>::bounded_in(1);
        let ranked = PriorityQueue::<u32, i64, B>::new_in();
        let (event, exchange) = (Event::<B>::new_in(), Exchange::<u32, B>::new_in());
        let reader = exchange.reader(Slow::Never);
        let (promise, future) = Promise::<u32, B>::new_in();
        let actor = ActorBuilder::<B>::new_in().start(Idle).unwrap();
        let ended = actor.ended();
        let room = queue.room();
        let mut poller = Poller::new();
        poller.add(&queue, "queue");
        poller.add(&ranked, "ranked");
        poller.add(&event, "event");
        poller.add(&reader, "reader");
        poller.add(&future, "future");
        poller.add(&ended, "ended");
        assert_eq!(poller.poll(), None);
        queue.put(1).unwrap();
        assert_eq!(poller.wait(), Ok(&"queue"));
        queue.get().unwrap();
        ranked.put(1, 1).unwrap();
        assert_eq!(poller.wait(), Ok(&"ranked"));
        ranked.get().unwrap();
        event.set();
        assert_eq!(poller.wait(), Ok(&"event"));
        event.clear();
        exchange.send(1);
        assert_eq!(poller.wait(), Ok(&"reader"));
        reader.get().unwrap();
        actor.close();
        assert_eq!(poller.wait(), Ok(&"ended"));
        promise.set(1).unwrap();
        assert!(["future", "ended"].contains(poller.wait().unwrap()));
        let mut rooms = Poller::new();
        rooms.add(&room, "room");
        assert_eq!(rooms.wait(), Ok(&"room"));
        queue.put(1).unwrap();
        assert_eq!(rooms.poll(), None);
    }

    fn ready_between_register_and_sleep() {
        let rounds = rounds(100_000);
        let (there, back) = (Queue::<usize, B>::new_in(), Queue::<usize, B>::new_in());
        thread::scope(|scope| {
            scope.spawn(|| for round in 0..rounds {
                let mut poller = Poller::new();
                poller.add(&there, ());
                poller.wait().unwrap();
                assert_eq!(there.try_get(), Ok(round));
                back.put(round).unwrap();
            });
            for round in 0..rounds {
                there.put(round).unwrap();
                select! {
                    get(back) -> got => assert_eq!(got, Ok(round)),
                }
            }
        });
    }

    fn send_and_receive_same_queue() {
        let queue = Queue::<u32, B>::bounded_in(0);
        // It does not match itself.
        let nothing = select! {
            get(queue) -> _ => false,
            put(queue, 1) -> _ => false,
            default(SHORT) => true,
        };
        assert!(nothing);
        // Two that do both meet each other: one gets what the other puts.
        let both = |item| select! {
            get(queue) -> got => Some(got.unwrap()),
            put(queue, item) -> put => {
                put.unwrap();
                None
            }
        };
        for _ in 0..rounds(100) {
            thread::scope(|scope| {
                let there = scope.spawn(|| both(1));
                let got = [both(2), there.join().unwrap()];
                assert!(got == [Some(1), None] || got == [None, Some(2)], "{got:?}");
            });
        }
        assert_eq!(queue.try_get(), Err(GetError::Empty));
    }

    fn selects_of_both_ends_meet() {
        let queue = Queue::<usize, B>::bounded_in(0);
        for round in 0..rounds(200) {
            thread::scope(|scope| {
                scope.spawn(|| select! {
                    put(queue, round) -> put => put.unwrap(),
                });
                select! {
                    get(queue) -> got => assert_eq!(got, Ok(round)),
                }
            });
        }
    }

    fn both_ready_pseudo_fair() {
        let (first, second) = (Queue::<u32, B>::new_in(), Queue::<u32, B>::new_in());
        let mut poller = Poller::new();
        poller.add(&first, 0);
        poller.add(&second, 1);
        let (mut by_poller, mut by_select) = ([0; 2], [0; 2]);
        for _ in 0..100 {
            first.put(0).unwrap();
            second.put(0).unwrap();
            by_poller[*poller.wait().unwrap()] += 1;
            let at = select! {
                get(first) -> _ => 0,
                get(second) -> _ => 1,
            };
            by_select[at] += 1;
        }
        assert!(by_poller.iter().chain(&by_select).all(|&count| count >= 25), "{by_poller:?} {by_select:?}");
    }

    fn loser_not_consumed() {
        let (first, second) = (Queue::<u32, B>::new_in(), Queue::<u32, B>::bounded_in(1));
        let mut gots = 0;
        for _ in 0..10 {
            first.put(1).unwrap();
            let got = select! {
                get(first) -> got => got.is_ok(),
                put(second, 2) -> put => { put.unwrap(); false }
            };
            assert_eq!((first.is_empty(), second.is_empty()), (got, got));
            gots += usize::from(got);
            first.try_iter().chain(second.try_iter()).for_each(drop);
        }
        assert!((1..10).contains(&gots), "each of both has lost");
        // Nor is it moved to another place.
        let third = Queue::<u32, B>::new_in();
        first.put_many([1, 2]).unwrap();
        third.put_many([3, 4]).unwrap();
        let left = select! {
            get(first) -> got => (got, third.try_iter().collect::<Vec<_>>()),
            get(third) -> got => (got, first.try_iter().collect()),
        };
        assert!([(Ok(1), vec![3, 4]), (Ok(3), vec![1, 2])].contains(&left), "{left:?}");
    }

    fn two_pollers_one_queue() {
        let queue = Queue::<usize, B>::new_in();
        let (got, items) = (AtomicUsize::new(0), rounds(500));
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut poller = Poller::new();
                    poller.add(&queue, ());
                    loop {
                        poller.wait().unwrap();
                        match queue.try_get() {
                            Ok(_) => got.fetch_add(1, SeqCst),
                            Err(GetError::Closed) => break,
                            // The other one was quicker.
                            Err(_) => 0,
                        };
                    }
                });
            }
            // One by one: both are woken, one of them gets it, and both wait again.
            for item in 0..items.min(20) {
                until_waiting(2, &queue);
                queue.put(item).unwrap();
                until(|| got.load(SeqCst) == item + 1);
            }
            until_waiting(2, &queue);
            (items.min(20)..items).for_each(|item| queue.put(item).unwrap());
            queue.close();
        });
        assert_eq!(got.load(SeqCst), items);
    }

    fn poller_does_not_take_the_turn_of_who_waits() {
        let queue = Queue::<u32, B>::new_in();
        thread::scope(|scope| {
            let getter = scope.spawn(|| queue.get_timeout(LONG));
            let poller = scope.spawn(|| {
                let mut poller = Poller::new();
                poller.add(&queue, ());
                poller.wait_timeout(LONG).is_some()
            });
            queue.put(1).unwrap();
            assert_eq!(getter.join().unwrap(), Ok(1));
            queue.put(2).unwrap();
            assert!(poller.join().unwrap());
        });
    }

    fn poller_dropped_unregisters() {
        let (queue, full) = (Queue::<u32, B>::new_in(), Queue::<u32, B>::bounded_in(1));
        full.put(1).unwrap();
        let (event, exchange) = (Event::<B>::new_in(), Exchange::<u32, B>::new_in());
        let reader = exchange.reader(Slow::Never);
        let (_promise, future) = Promise::<u32, B>::new_in();
        let waiting = |what: &dyn std::fmt::Debug, count: usize| {
            let said = format!("{what:?}");
            assert!(said.contains(&format!("waiting: {count}")), "{said}");
        };
        let room = full.room();
        for _ in 0..100 {
            let mut poller = Poller::new();
            poller.add(&queue, "queue");
            poller.add(&room, "room");
            poller.add(&event, "event");
            poller.add(&reader, "reader");
            poller.add(&future, "future");
            assert_eq!(poller.wait_timeout(Duration::from_micros(1)), None);
            let nothing = select! {
                get(queue) -> _ => false,
                put(full, 2) -> _ => false,
                wait(event) => false,
                default(Duration::from_micros(1)) => true,
            };
            assert!(nothing);
            let others: [&dyn std::fmt::Debug; 3] = [&queue, &full, &reader];
            for source in others {
                waiting(source, 0);
            }
            waiting(&event, 0);
        }
        // One that waits is there, once.
        thread::scope(|scope| {
            let polls = scope.spawn(|| {
                let mut poller = Poller::new();
                poller.add(&queue, ());
                poller.add(&event, ());
                poller.wait().is_ok()
            });
            until(|| format!("{queue:?} {event:?}").matches("waiting: 1").count() == 2);
            event.set();
            assert!(polls.join().unwrap());
        });
        waiting(&queue, 0);
        waiting(&event, 0);
    }

    fn empty_poller() {
        let mut poller = Poller::<u32>::new();
        assert_eq!(poller.wait(), Err(NothingToWaitFor));
        let start = Instant::now();
        assert_eq!(poller.wait_timeout(SHORT), None);
        assert!(start.elapsed() >= SHORT);
        assert_eq!(poller.poll(), None);
    }

    fn same_source_twice() {
        let queue = Queue::<u32, B>::new_in();
        let mut poller = Poller::new();
        poller.add(&queue, 1);
        poller.add(&queue, 2);
        queue.put(1).unwrap();
        assert_eq!([*poller.wait().unwrap(), *poller.wait().unwrap()], [1, 2]);
    }

    fn stress_mixed() {
        let each = rounds(300);
        let queues = [Queue::<usize, B>::bounded_in(0), Queue::bounded_in(1), Queue::new_in()];
        let counts: Vec<_> = (0..3 * each).map(|_| AtomicUsize::new(0)).collect();
        let left = AtomicUsize::new(3);
        let [a, b, c] = &queues;
        thread::scope(|scope| {
            for producer in 0..3 {
                let left = &left;
                scope.spawn(move || {
                    for item in producer * each..(producer + 1) * each {
                        select! {
                            put(*a, item) -> put => put.unwrap(),
                            put(*b, item) -> put => put.unwrap(),
                            put(*c, item) -> put => put.unwrap(),
                        }
                    }
                    if left.fetch_sub(1, SeqCst) == 1 {
                        a.close();
                        b.close();
                        c.close();
                    }
                });
                scope.spawn(|| {
                    let mut open = [true; 3];
                    while open.contains(&true) {
                        let (from, got) = select! {
                            get(*a) -> got => (0, got),
                            get(*b) -> got => (1, got),
                            get(*c) -> got => (2, got),
                        };
                        match got {
                            Ok(item) => drop(counts[item].fetch_add(1, SeqCst)),
                            // A closed one stays possible; the others have their turn all the same.
                            Err(error) => {
                                assert_eq!(error, GetError::Closed);
                                open[from] = false;
                            }
                        }
                    }
                });
            }
        });
        assert!(counts.iter().all(|count| count.load(SeqCst) == 1));
    }

    fn linearizable_default() {
        let (queue, ready) = (Queue::<u32, B>::new_in(), Queue::<u32, B>::bounded_in(0));
        let mut poller = Poller::new();
        poller.add(&queue, ());
        for item in 0..200 {
            queue.put(item).unwrap();
            assert_eq!(poller.poll(), Some(&()));
            select! {
                get(queue) -> got => assert_eq!(got, Ok(item)),
                default => panic!("it was put before"),
            }
        }
        // Each has put one before it looks, so there is one for each, whoever takes which.
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| for item in 0..u32::try_from(rounds(1_000)).unwrap() {
                    queue.put(item).unwrap();
                    select! {
                        get(queue) -> got => assert!(got.is_ok()),
                        get(ready) -> _ => unreachable!("nobody puts there"),
                        default => panic!("it was put before"),
                    }
                });
            }
        });
        assert!(queue.is_empty());
    }

    fn the_end_of_an_actor_is_an_arm() {
        let actor = ActorBuilder::<B>::new_in().start(Idle).unwrap();
        let (queue, shared) = (Queue::<u32, B>::new_in(), std::sync::Arc::new(actor.clone()));
        let early = select! {
            ended(actor) => false,
            get(queue) -> _ => false,
            default(SHORT) => true,
        };
        assert!(early);
        thread::scope(|scope| {
            let waits = scope.spawn(|| select! {
                get(queue) -> _ => false,
                ended(shared) => true,
            });
            until_waiting(1, &queue);
            actor.close();
            assert!(waits.join().unwrap());
        });
        assert!(select! {
            ended(&actor) => true,
            default => false,
        });
        until_waiting(0, &queue);
    }

    fn each_kind_of_arm() {
        let (event, full) = (Event::<B>::new_in(), Queue::<u32, B>::bounded_in(1));
        full.put(0).unwrap();
        let pool = ThreadPool::<B>::new_in(1).unwrap();
        let mut result: Option<Future<u32, B>> = Some(pool.submit(|| 5).unwrap());
        let got = select! {
            wait(event) => 0,
            put(full, 1) -> _ => 1,
            result(result) -> got => got.unwrap(),
            default(LONG) => 2,
        };
        assert!(got == 5 && result.is_none());
        event.set();
        assert!(select! {
            wait(event) => true,
            result(result) -> _ => false,
        });
        full.close();
        let put = select! { put(full, 1) -> put => put };
        assert_eq!(put, Err(PutError::Closed(1)));
        // An event that is set and cleared at once is not missed.
        let flash = Event::<B>::new_in();
        thread::scope(|scope| {
            let (started, never) = (Event::<B>::new_in(), Queue::<u32, B>::new_in());
            let selects = scope.spawn({
                let flash = &flash;
                move || {
                    drop(started);
                    select! {
                        wait(*flash) => true,
                        get(never) -> _ => false,
                        default(LONG) => false,
                    }
                }
            });
            while !selects.is_finished() {
                flash.set();
                flash.clear();
                thread::yield_now();
            }
            assert!(selects.join().unwrap());
        });
    }

    fn arms_may_leave_the_loop() {
        let queue = Queue::<u32, B>::new_in();
        queue.put_many([1, 2, 3]).unwrap();
        let mut sum = 0;
        loop {
            select! {
                get(queue) -> got => match got {
                    Ok(3) => break,
                    Ok(number) => sum += number,
                    Err(_) => unreachable!(),
                },
                default(Duration::ZERO) => return,
            }
        }
        assert_eq!(sum, 3);
    }
}
