use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lockwise::sync::{
    Actor, ActorBuilder, Backend, Context, Delivered, Exchange, Queue, ReadError, Reader, Slow,
    SubscriptionId, exchange, exchange_names,
};
use lockwise::thread;

use crate::counted::Drops;
use crate::{LONG, SHORT, on_each_backend, past, rounds, until, until_waiting};

/// So many took it, and that was all.
fn taken(taken: usize) -> Delivered {
    Delivered {
        taken,
        ..Delivered::default()
    }
}

on_each_backend! {
    fn no_room_is_room_for_one() {
        for slow in [Slow::Block(0), Slow::DropNewest(0), Slow::DropOldest(0), Slow::Disconnect(0)] {
            let exchange = Exchange::<u32, B>::new_in();
            let reader = exchange.reader(slow);
            assert_eq!(exchange.send(1), taken(1), "{slow:?}");
            assert_eq!(reader.get(), Ok(1), "{slow:?}");
        }
    }

    fn what_nobody_reads_is_dropped() {
        let drops = Drops::default();
        let exchange = Exchange::<Arc<_>, B>::new_in();
        assert_eq!(exchange.send(Arc::new(drops.value())), Delivered::default());
        assert_eq!(drops.count(), 1);
        let (one, two) = (exchange.reader(Slow::Never), exchange.reader(Slow::Never));
        assert_eq!(exchange.send(Arc::new(drops.value())), taken(2));
        drop(one);
        assert_eq!(drops.count(), 1);
        drop(two);
        assert_eq!(drops.count(), 2);
    }

    fn a_reader_that_left_is_on_no_list() {
        let exchange = Exchange::<u32, B>::new_in();
        let (stays, leaves) = (exchange.reader(Slow::Never), exchange.reader(Slow::Never));
        drop(leaves);
        assert_eq!(exchange.len(), 1);
        assert_eq!(exchange.send(1), taken(1));
        assert_eq!(stays.get(), Ok(1));
        drop(stays);
        assert!(exchange.is_empty());
        assert_eq!(exchange.send(2), Delivered::default());
    }

    fn no_reader_that_went_is_counted() {
        let exchange = Exchange::<u32, B>::new_in();
        let stays: Vec<_> = (0..70).map(|_| exchange.reader(Slow::Never)).collect();
        for round in 0..rounds(500) {
            drop(exchange.reader(Slow::Block(1)));
            assert_eq!(exchange.len(), 70, "in round {round}");
        }
        assert_eq!(exchange.send(1), taken(70));
        assert!(stays.iter().all(|reader| reader.get() == Ok(1)));
    }

    fn a_reader_outlives_its_exchange_and_its_drop_finds_no_list() {
        let exchange = Exchange::<u32, B>::new_in();
        let (one, two) = (exchange.reader(Slow::Never), exchange.reader(Slow::Never));
        exchange.send(1);
        drop(exchange);
        drop(one);
        assert_eq!((two.get(), two.get()), (Ok(1), Err(ReadError::Closed)));
    }

    fn a_reader_that_was_disconnected_and_goes_takes_nobody_with_it() {
        let exchange = Exchange::<u32, B>::new_in();
        let (stays, leaves) = (exchange.reader(Slow::Never), exchange.reader(Slow::Disconnect(1)));
        exchange.send(1);
        assert_eq!(exchange.send(2), Delivered { taken: 1, closed: 1, ..Delivered::default() });
        drop(leaves);
        assert_eq!(exchange.len(), 1);
        assert_eq!(exchange.send(3), taken(1));
        assert_eq!([stays.get(), stays.get(), stays.get()], [Ok(1), Ok(2), Ok(3)]);
    }

    fn the_last_messages_outlive_their_exchange() {
        let exchange = Exchange::<u32, B>::new_in();
        let reader = exchange.reader(Slow::DropOldest(2));
        for number in 1..=4 {
            exchange.send(number);
        }
        drop(exchange);
        assert_eq!(reader.get(), Err(ReadError::Lagged(2)));
        assert_eq!((reader.get(), reader.try_get()), (Ok(3), Ok(4)));
        assert_eq!(reader.get(), Err(ReadError::Closed));
        assert_eq!(reader.get_timeout(Duration::ZERO), Err(ReadError::Closed));
    }

    fn a_reader_that_waits_learns_that_its_exchange_is_gone() {
        let exchange = Exchange::<u32, B>::new_in();
        let reader = exchange.reader(Slow::Never);
        thread::scope(|scope| {
            let waits = scope.spawn(|| reader.get());
            until_waiting(1, &reader);
            drop(exchange);
            assert_eq!(waits.join().unwrap(), Err(ReadError::Closed));
        });
    }

    fn readers_lag_each_for_itself() {
        let exchange = Exchange::<u32, B>::new_in();
        let (one, three) = (exchange.reader(Slow::DropOldest(1)), exchange.reader(Slow::DropOldest(3)));
        assert_eq!(exchange.send(1), taken(2));
        assert_eq!(exchange.send(2), Delivered { taken: 1, dropped: 1, closed: 0 });
        exchange.send(3);
        exchange.send(4);
        assert_eq!((one.len(), three.len()), (1, 3));
        assert_eq!((one.get(), one.get()), (Err(ReadError::Lagged(3)), Ok(4)));
        assert_eq!((three.get(), three.get()), (Err(ReadError::Lagged(1)), Ok(2)));
        // Having been told, it lags anew.
        exchange.send(5);
        exchange.send(6);
        assert_eq!((one.get(), one.get()), (Err(ReadError::Lagged(1)), Ok(6)));
        assert_eq!((three.get(), three.get()), (Err(ReadError::Lagged(1)), Ok(4)));
        assert_eq!(one.try_get(), Err(ReadError::Empty));
    }

    fn a_reader_that_was_disconnected_gets_what_it_has() {
        let exchange = Exchange::<u32, B>::new_in();
        let reader = exchange.reader(Slow::Disconnect(1));
        assert_eq!(exchange.send(1), taken(1));
        assert_eq!(exchange.send(2), Delivered { closed: 1, ..Delivered::default() });
        assert!(exchange.is_empty());
        assert_eq!(exchange.send(3), Delivered::default());
        assert_eq!((reader.get(), reader.get()), (Ok(1), Err(ReadError::Closed)));
    }

    fn no_time_is_one_look_for_a_message() {
        let exchange = Exchange::<u32, B>::new_in();
        let reader = exchange.reader(Slow::Never);
        let past = past(SHORT);
        assert_eq!(reader.get_timeout(Duration::ZERO), Err(ReadError::Timeout));
        assert_eq!(reader.get_deadline(past), Err(ReadError::Timeout));
        assert_eq!(reader.try_get(), Err(ReadError::Empty));
        exchange.send(1);
        assert_eq!(reader.get_deadline(past), Ok(1));
    }

    fn a_subscription_ends_once() {
        let exchange = Exchange::<u32, B>::new_in();
        let id = exchange.attach(|_| ());
        let guard = exchange.subscribe(|_| ());
        let guarded = guard.id();
        assert_ne!(id, guarded);
        assert_eq!(exchange.len(), 2);
        assert!(exchange.detach(id));
        assert!(!exchange.detach(id));
        assert_eq!(exchange.detach_sync(id), Ok(false));
        // Detached by hand, the guard has nothing left to do.
        assert_eq!(exchange.detach_sync(guarded), Ok(true));
        drop(guard);
        assert!(exchange.is_empty());
    }

    fn a_subscriber_may_detach_itself_and_is_not_asked_again() {
        let exchange = Arc::new(Exchange::<u32, B>::new_in());
        let (me, calls) = (Arc::new(std::sync::OnceLock::new()), Arc::new(AtomicUsize::new(0)));
        let (inner, mine, counted) = (Arc::downgrade(&exchange), Arc::clone(&me), Arc::clone(&calls));
        let id = exchange.attach(move |_| {
            counted.fetch_add(1, SeqCst);
            let exchange = inner.upgrade().unwrap();
            assert!(exchange.detach_sync(*mine.get().unwrap()).is_err());
            assert!(exchange.detach(*mine.get().unwrap()));
        });
        me.set(id).unwrap();
        assert_eq!(exchange.send(1), taken(1));
        assert_eq!(exchange.send(2), Delivered::default());
        assert_eq!(calls.load(SeqCst), 1);
    }

    fn a_copy_that_panics_keeps_the_message_from_nobody_else() {
        struct Fragile(Arc<AtomicBool>);
        impl Clone for Fragile {
            fn clone(&self) -> Fragile {
                assert!(!self.0.swap(false, SeqCst), "in a clone");
                Fragile(Arc::clone(&self.0))
            }
        }
        let exchange = Exchange::<Fragile, B>::new_in();
        let readers = [(); 3].map(|()| exchange.reader(Slow::Never));
        let fragile = Fragile(Arc::new(AtomicBool::new(true)));
        let sent = catch_unwind(AssertUnwindSafe(|| exchange.send(fragile)));
        assert!(sent.is_err());
        let got = readers.iter().filter(|reader| reader.try_get().is_ok()).count();
        assert_eq!(got, 2);
        // It is as good as new.
        assert_eq!(exchange.send(Fragile(Arc::default())), taken(3));
    }

    fn the_panic_of_the_first_of_several_is_the_one_that_goes_on() {
        let exchange = Exchange::<u32, B>::new_in();
        let _first = exchange.subscribe(|_| panic!("first"));
        let reader = exchange.reader(Slow::Never);
        let _second = exchange.subscribe(|_| panic!("second"));
        let sent = catch_unwind(AssertUnwindSafe(|| exchange.send(1)));
        assert_eq!(*sent.unwrap_err().downcast::<&str>().unwrap(), "first");
        assert_eq!(reader.get(), Ok(1));
        assert_eq!(exchange.len(), 3);
    }

    fn a_sender_that_waits_for_a_queue_goes_on_when_that_is_closed() {
        let exchange = Exchange::<u32, B>::new_in();
        let (sender, receiver) = Queue::<u32, B>::bounded_in(1).split();
        exchange.attach(sender);
        let reader = exchange.reader(Slow::Never);
        exchange.send(1);
        thread::scope(|scope| {
            let send = scope.spawn(|| exchange.send(2));
            // The reader has room, and is served before the queue is waited for.
            assert_eq!((reader.get(), reader.get_timeout(LONG)), (Ok(1), Ok(2)));
            drop(receiver);
            assert_eq!(send.join().unwrap(), Delivered { taken: 1, closed: 1, ..Delivered::default() });
        });
        assert_eq!(exchange.len(), 1);
    }

    fn each_of_many_readers_gets_all_also_if_one_reads_meanwhile() {
        let exchange = Exchange::<usize, B>::new_in();
        let readers: Vec<_> = (0..70).map(|_| exchange.reader(Slow::Never)).collect();
        let messages = rounds(300);
        for message in 0..messages {
            assert_eq!(exchange.send(message), taken(70));
            if message % 3 == 0 {
                assert_eq!(readers[7].get(), Ok(message / 3));
            }
        }
        drop(exchange);
        for (at, reader) in readers.iter().enumerate() {
            let first = if at == 7 { messages.div_ceil(3) } else { 0 };
            let rest: Vec<_> = std::iter::from_fn(|| reader.get().ok()).collect();
            assert!(rest.into_iter().eq(first..messages), "reader {at}");
            assert_eq!(reader.get(), Err(ReadError::Closed));
        }
    }

    fn each_reader_is_as_slow_as_it_chose_to_be() {
        let exchange = Exchange::<u32, B>::new_in();
        let slow = [Slow::DropOldest(2), Slow::DropNewest(2), Slow::Disconnect(2), Slow::Never];
        let [oldest, newest, leaves, all] = slow.map(|slow| exchange.reader(slow));
        assert_eq!([exchange.send(1), exchange.send(2)], [taken(4); 2]);
        assert_eq!(exchange.send(3), Delivered { taken: 1, dropped: 2, closed: 1 });
        assert_eq!(exchange.send(4), Delivered { taken: 1, dropped: 2, closed: 0 });
        assert_eq!([oldest.get(), oldest.get(), oldest.get()], [Err(ReadError::Lagged(2)), Ok(3), Ok(4)]);
        assert_eq!([newest.get(), newest.get(), newest.try_get()], [Ok(1), Ok(2), Err(ReadError::Empty)]);
        assert_eq!([leaves.get(), leaves.get(), leaves.get()], [Ok(1), Ok(2), Err(ReadError::Closed)]);
        assert_eq!(all.len(), 4);
    }

    fn threads_that_share_a_reader_get_each_message_once() {
        let exchange = Exchange::<usize, B>::new_in();
        let reader = exchange.reader(Slow::Never);
        let (messages, got) = (rounds(300), Mutex::new(Vec::new()));
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| while let Ok(message) = reader.get() {
                    got.lock().unwrap().push(message);
                });
            }
            for message in 0..messages {
                exchange.send(message);
            }
            drop(exchange);
        });
        let mut got = got.into_inner().unwrap();
        got.sort_unstable();
        assert!(got.into_iter().eq(0..messages));
    }

    fn readers_that_come_and_go_leave_nothing_behind() {
        let exchange = Exchange::<u32, B>::new_in();
        for _ in 0..100 {
            drop(exchange.reader(Slow::Never));
            exchange.send(1);
        }
        assert!(exchange.is_empty());
    }

    fn a_full_actor_that_publishes_to_itself_misses_that_and_stays_subscribed() {
        /// Publishes a zero as often as it is told.
        struct Publishes<B: Backend>(Arc<Exchange<u32, B>>, Arc<Mutex<Vec<Delivered>>>);
        impl<B: Backend> Actor<B> for Publishes<B> {
            type Message = u32;
            fn handle(&mut self, times: u32, _: &Context<'_, u32, B>) {
                let sent = (0..times).map(|_| self.0.send(0));
                self.1.lock().unwrap().extend(sent);
            }
        }
        let (exchange, sent) = (
            Arc::new(Exchange::<u32, B>::new_in()),
            Arc::<Mutex<_>>::default(),
        );
        let publishes = Publishes(Arc::clone(&exchange), Arc::clone(&sent));
        let actor = ActorBuilder::<B>::new_in()
            .bounded(1)
            .start(publishes)
            .unwrap();
        let id = exchange.attach(actor.clone());
        actor.send(3).unwrap();
        until(|| sent.lock().unwrap().len() == 3);
        assert_eq!(*sent.lock().unwrap(), [taken(1), taken(0), taken(0)]);
        until(|| actor.is_empty());
        assert_eq!(exchange.send(0), taken(1));
        assert!(exchange.detach(id));
    }

    fn who_is_detached_in_a_delivery_gets_nothing_that_is_sent_later() {
        let exchange = Arc::new(Exchange::<u32, B>::new_in());
        let later = Arc::<Mutex<Option<SubscriptionId>>>::default();
        let (inner, whom) = (Arc::downgrade(&exchange), Arc::clone(&later));
        exchange.attach(move |_| {
            if let Some(id) = whom.lock().unwrap().take() {
                assert!(inner.upgrade().unwrap().detach(id));
            }
        });
        let got = Arc::new(AtomicUsize::new(0));
        let gets = Arc::clone(&got);
        let id = exchange.attach(move |number: u32| {
            gets.fetch_add(number as usize, SeqCst);
        });
        exchange.send(1);
        *later.lock().unwrap() = Some(id);
        exchange.send(10);
        let then = got.load(SeqCst);
        assert!(then == 1 || then == 11);
        assert_eq!(exchange.send(100), taken(1));
        assert_eq!(got.load(SeqCst), then);
        assert!(!exchange.detach(id));
    }

    fn a_reader_may_come_and_another_go_in_a_delivery() {
        let exchange = Arc::new(Exchange::<u32, B>::new_in());
        let leaves = Arc::new(Mutex::new(Some(exchange.reader(Slow::Block(1)))));
        let comes = Arc::<Mutex<Option<Reader<u32, B>>>>::default();
        let inner = Arc::downgrade(&exchange);
        let (goes, new) = (Arc::clone(&leaves), Arc::clone(&comes));
        exchange.attach(move |number| {
            if number == 2 {
                // The sender would wait for it otherwise, as it is full.
                drop(goes.lock().unwrap().take());
                *new.lock().unwrap() = Some(inner.upgrade().unwrap().reader(Slow::Never));
            }
        });
        assert_eq!(exchange.send(1), taken(2));
        assert_eq!(
            exchange.send(2),
            Delivered {
                taken: 1,
                closed: 1,
                ..Delivered::default()
            }
        );
        assert_eq!(exchange.send(3), taken(2));
        let new = comes.lock().unwrap().take().unwrap();
        assert_eq!(
            (new.try_get(), new.try_get()),
            (Ok(3), Err(ReadError::Empty))
        );
    }
}

#[test]
fn a_name_is_free_again_for_another_type() {
    let numbers = exchange::<u32>("edges: reused").unwrap();
    assert!(exchange::<String>("edges: reused").is_err());
    assert!(exchange_names().iter().any(|name| name == "edges: reused"));
    drop(numbers);
    assert!(!exchange_names().iter().any(|name| name == "edges: reused"));
    let texts = exchange::<String>("edges: reused").unwrap();
    let reader = texts.reader(Slow::Never);
    exchange::<String>("edges: reused")
        .unwrap()
        .send("through the name".to_owned());
    assert_eq!(reader.get().unwrap(), "through the name");
}

#[test]
fn names_differ_in_case_and_may_be_empty() {
    let (empty, lower) = (
        exchange::<u8>("").unwrap(),
        exchange::<u8>("edges: case").unwrap(),
    );
    let upper = exchange::<u8>("EDGES: CASE").unwrap();
    assert!(!Arc::ptr_eq(&lower, &upper) && !Arc::ptr_eq(&empty, &lower));
    assert!(Arc::ptr_eq(&empty, &exchange::<u8>("").unwrap()));
}
