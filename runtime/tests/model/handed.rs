//! Results, exchanges, pollers and selects.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use lockwise::sync::{
    Event, Exchange, Failure, GetError, InDelivery, Poller, Promise, Queue, ReadError, Reader,
    Slow, Until, select, wait_for,
};
use shuttle::future::block_on;
use shuttle::thread;

use super::{Model, SOME_TIME, assert_nothing_held, model};

#[test]
fn a_result_ends_each_wait_for_it_whatever_it_is() {
    for end in 0..4 {
        model(move || {
            let (promise, future) = Promise::<u32, Model>::new_in();
            let called = Arc::new(AtomicUsize::new(0));
            let calls = Arc::clone(&called);
            thread::scope(|scope| {
                let gives = scope.spawn(move || match end {
                    0 => assert!(promise.set(1).is_ok()),
                    1 => drop(promise),
                    2 => promise.fulfil(|| 1),
                    // It may be cancelled before.
                    _ => drop(promise.set(1)),
                });
                let waits = scope.spawn(|| future.wait_done());
                let hurries = scope.spawn(|| future.wait_done_timeout(SOME_TIME));
                future.on_done(move |_| {
                    assert_nothing_held();
                    calls.fetch_add(1, SeqCst);
                });
                let cancelled = end == 3 && future.cancel();
                gives.join().unwrap();
                waits.join().unwrap();
                hurries.join().unwrap();
                assert!(future.is_done());
                assert_eq!(called.load(SeqCst), 1);
                assert!(!cancelled || end == 3);
            });
            let got = future.wait();
            match end {
                0 | 2 => assert_eq!(got.ok(), Some(1)),
                1 => assert!(matches!(got, Err(Failure::Dropped))),
                _ => assert!(matches!(got, Ok(1) | Err(Failure::Cancelled))),
            }
        });
    }
}

#[test]
fn a_value_that_nobody_wants_comes_back() {
    model(|| {
        let (promise, future) = Promise::<Arc<()>, Model>::new_in();
        let value = Arc::new(());
        let weak = Arc::downgrade(&value);
        let gives = thread::spawn(move || drop(promise.set(value)));
        let got = block_on(async move {
            // Looked at once, and then dropped.
            let mut future = Box::pin(future);
            std::future::poll_fn(|context| {
                std::task::Poll::Ready(future.as_mut().poll(context).is_ready())
            })
            .await
        });
        gives.join().unwrap();
        assert!(weak.upgrade().is_none(), "{got}");
    });
}

#[test]
fn several_results_are_waited_for_together() {
    for until in [Until::First, Until::All, Until::FirstFailure] {
        model(move || {
            let ((one, first), (two, second)) =
                (Promise::<u32, Model>::new_in(), Promise::new_in());
            thread::scope(|scope| {
                scope.spawn(move || one.set(1).is_ok());
                scope.spawn(move || drop(two));
                let waited = wait_for([first, second], until, None);
                let enough = match until {
                    Until::All => waited.done.len() == 2,
                    Until::First => !waited.done.is_empty(),
                    Until::FirstFailure => waited
                        .done
                        .iter()
                        .any(|it| it.ended() != Some(lockwise::sync::End::Done)),
                };
                assert!(enough);
                let rest = wait_for(waited.pending, Until::All, Some(SOME_TIME));
                drop(rest);
            });
        });
    }
}

#[test]
fn who_is_subscribed_gets_what_is_sent_and_who_is_detached_gets_no_more() {
    model(|| {
        let exchange = Arc::new(Exchange::<u32, Model>::new_in());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&seen);
        let id = exchange.attach(move |message| {
            assert_nothing_held();
            notes.lock().unwrap().push(message);
        });
        let stays = exchange.reader(Slow::Never);
        thread::scope(|scope| {
            let sends = scope.spawn(|| {
                exchange.send(1);
                exchange.send(2);
            });
            let detaches = scope.spawn(|| {
                assert_eq!(exchange.detach_sync(id), Ok(true));
                // No delivery is under way any more.
                seen.lock().unwrap().len()
            });
            let late = exchange.reader(Slow::DropOldest(1));
            let at_detach = detaches.join().unwrap();
            sends.join().unwrap();
            assert_eq!(seen.lock().unwrap().len(), at_detach);
            assert_eq!([stays.get(), stays.get()], [Ok(1), Ok(2)]);
            drop(late);
        });
        assert!(!exchange.detach(id));
    });
}

#[test]
fn a_slow_reader_holds_up_the_sender_until_it_reads_or_goes() {
    for goes in [false, true] {
        model(move || {
            let exchange = Exchange::<u32, Model>::new_in();
            let slow = exchange.reader(Slow::Block(1));
            let fast = exchange.reader(Slow::Never);
            thread::scope(|scope| {
                let sends = scope.spawn(|| {
                    for message in 1..=2 {
                        exchange.send(message);
                    }
                });
                assert_eq!([fast.get(), fast.get()], [Ok(1), Ok(2)]);
                if goes {
                    drop(slow);
                } else {
                    assert_eq!([slow.get(), slow.get()], [Ok(1), Ok(2)]);
                }
                sends.join().unwrap();
            });
            drop(exchange);
            assert_eq!(fast.get(), Err(ReadError::Closed));
        });
    }
}

#[test]
fn many_readers_side_by_side_get_each_message_once_and_in_order() {
    model(|| {
        let exchange = Exchange::<u32, Model>::new_in();
        let mut readers: Vec<_> = (0..10).map(|_| exchange.reader(Slow::Never)).collect();
        let [waits, looks] = [(); 2].map(|()| readers.pop().unwrap());
        let goes = readers.pop().unwrap();
        thread::scope(|scope| {
            let sends = [10_u32, 20].map(|first| {
                let exchange = &exchange;
                scope.spawn(move || [first, first + 1].map(|message| exchange.send(message)))
            });
            let waits = scope.spawn(|| [(); 4].map(|()| waits.get().unwrap()).to_vec());
            let looked: Vec<_> = (0..3).filter_map(|_| looks.try_get().ok()).collect();
            drop(goes);
            let late = exchange.reader(Slow::Never);
            for send in sends {
                assert!(send.join().unwrap().iter().all(|told| told.taken >= 9));
            }
            let rest =
                |reader: &Reader<_, _>| std::iter::from_fn(|| reader.try_get().ok()).collect();
            let mut all: Vec<Vec<_>> = readers.iter().map(rest).collect();
            all.push(waits.join().unwrap());
            all.push([looked, rest(&looks)].concat());
            for row in all {
                assert_eq!(row.len(), 4);
                let of = |first: u32| {
                    row.iter()
                        .filter(move |message| **message / 10 == first / 10)
                };
                assert!(of(10).eq(&[10, 11]) && of(20).eq(&[20, 21]), "{row:?}");
            }
            drop(late);
        });
    });
}

#[test]
fn readers_side_by_side_get_each_message_and_a_seat_is_taken_again() {
    model(|| {
        let exchange = Exchange::<u32, Model>::new_in();
        let (stays, goes) = (exchange.reader(Slow::Never), exchange.reader(Slow::Never));
        thread::scope(|scope| {
            let sends = scope.spawn(|| {
                exchange.send(1);
                exchange.send(2);
            });
            let reads = scope.spawn(|| [stays.get(), stays.get()]);
            drop(goes);
            let late = exchange.reader(Slow::DropOldest(2));
            sends.join().unwrap();
            assert_eq!(reads.join().unwrap(), [Ok(1), Ok(2)]);
            let seen: Vec<_> = std::iter::from_fn(|| late.try_get().ok()).collect();
            assert!([1, 2].ends_with(&seen), "{seen:?}");
        });
    });
}

#[test]
fn who_lags_behind_is_told_how_far() {
    model(|| {
        let exchange = Exchange::<u32, Model>::new_in();
        let reader = exchange.reader(Slow::DropOldest(1));
        thread::scope(|scope| {
            let sends = scope.spawn(|| {
                for message in 1..=3 {
                    exchange.send(message);
                }
            });
            let (mut next, mut hurried) = (1, 0);
            while next <= 3 {
                match reader.get_timeout(SOME_TIME) {
                    Ok(message) => {
                        assert_eq!(message, next);
                        next += 1;
                    }
                    Err(ReadError::Lagged(count)) => next += u32::try_from(count).unwrap(),
                    Err(error) => {
                        assert_eq!(error, ReadError::Timeout);
                        hurried += 1;
                    }
                }
            }
            sends.join().unwrap();
            assert!(next == 4 && hurried < 1_000);
        });
    });
}

#[test]
fn detaching_in_a_delivery_is_refused_only_where_it_would_wait_for_itself() {
    model(|| {
        let exchange = Arc::new(Exchange::<u32, Model>::new_in());
        let (own, told) = (Arc::new(Mutex::new(None)), Arc::new(Mutex::new(None)));
        let (mine, tells, weak) = (
            Arc::clone(&own),
            Arc::clone(&told),
            Arc::downgrade(&exchange),
        );
        let id = exchange.attach(move |_| {
            let id = mine
                .lock()
                .unwrap()
                .expect("it is written before anything is sent");
            let refused = weak.upgrade().expect("it sends").detach_sync(id);
            *tells.lock().unwrap() = Some(refused);
        });
        *own.lock().unwrap() = Some(id);
        thread::scope(|scope| {
            scope.spawn(|| exchange.send(1));
            let detached = scope.spawn(|| exchange.detach_sync(id));
            assert_eq!(detached.join().unwrap(), Ok(true));
        });
        assert!(matches!(
            *told.lock().unwrap(),
            None | Some(Err(InDelivery) | Ok(false))
        ));
    });
}

#[test]
fn a_poller_sees_whatever_becomes_ready() {
    model(|| {
        let (queue, event) = (Queue::<u32, Model>::new_in(), Event::<Model>::new_in());
        thread::scope(|scope| {
            let polls = scope.spawn(|| {
                let mut poller = Poller::new();
                poller.add(&queue, "queue");
                poller.add(&event, "event");
                let (mut got, mut is_set) = (false, false);
                while !got || !is_set {
                    match *poller.wait().expect("there are sources") {
                        "queue" => got |= queue.try_get().is_ok(),
                        _ => is_set |= event.clear(),
                    }
                }
            });
            scope.spawn(|| queue.put(1).unwrap());
            event.set();
            polls.join().unwrap();
        });
    });
}

#[test]
fn two_pollers_of_one_queue_lose_no_item_and_see_its_end() {
    model(|| {
        let queue = Queue::<u32, Model>::new_in();
        let got = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut poller = Poller::new();
                    poller.add(&queue, ());
                    loop {
                        if poller.wait_timeout(SOME_TIME).is_none() {
                            continue;
                        }
                        match queue.try_get() {
                            Ok(_) => drop(got.fetch_add(1, SeqCst)),
                            Err(GetError::Empty) => {}
                            Err(_) => return,
                        }
                    }
                });
            }
            queue.put(1).unwrap();
            queue.put(2).unwrap();
            queue.close();
        });
        assert_eq!(got.load(SeqCst), 2);
    });
}

#[test]
fn two_selects_of_both_ends_meet_once() {
    model(|| {
        let queue = Queue::<u32, Model>::bounded_in(0);
        let both = |item| {
            select! {
                get(queue) -> got => Some(got.unwrap()),
                put(queue, item) -> put => {
                    put.unwrap();
                    None
                }
            }
        };
        let got = thread::scope(|scope| {
            let there = scope.spawn(|| both(1));
            [both(2), there.join().unwrap()]
        });
        assert!(got == [Some(1), None] || got == [None, Some(2)], "{got:?}");
        assert_eq!(queue.try_get(), Err(GetError::Empty));
    });
}

#[test]
fn a_select_does_one_arm_or_none_in_time() {
    model(|| {
        let (first, second) = (
            Queue::<u32, Model>::new_in(),
            Queue::<u32, Model>::bounded_in(1),
        );
        second.put(9).unwrap();
        thread::scope(|scope| {
            let selects = scope.spawn(|| {
                select! {
                    get(first) -> got => { got.unwrap(); 1 },
                    put(second, 2) -> put => { put.unwrap(); 2 },
                    default(SOME_TIME) => 0,
                }
            });
            let puts = scope.spawn(|| first.put(1).unwrap());
            let gets = scope.spawn(|| second.get().unwrap());
            let done = selects.join().unwrap();
            puts.join().unwrap();
            assert_eq!(gets.join().unwrap(), 9);
            assert_eq!(
                (first.len(), second.len()),
                match done {
                    1 => (0, 0),
                    2 => (1, 1),
                    _ => (1, 0),
                }
            );
        });
    });
}

/// All of them together, from what is published to the end of who handles it.
#[test]
fn model_checked() {
    model(|| {
        let exchange = Exchange::<u32, Model>::new_in();
        let (sender, receiver) = Queue::<u32, Model>::bounded_in(1).split();
        let over = Arc::new(Event::<Model>::new_in());
        let (promise, sum) = Promise::<u32, Model>::new_in();
        exchange.attach(sender);
        thread::scope(|scope| {
            // The last sender goes with the exchange, and so on to the end.
            scope.spawn(move || {
                for message in 1..=2 {
                    exchange.send(message);
                }
            });
            let told = Arc::clone(&over);
            scope.spawn(move || {
                let adder = crate::actors::adder(promise);
                for message in &receiver {
                    adder.send(message).unwrap();
                }
                adder.close();
                adder.join().unwrap();
                told.set();
            });
            over.wait();
        });
        assert_eq!(sum.wait().unwrap(), 3);
    });
}
