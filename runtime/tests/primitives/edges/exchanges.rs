use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use lockwise::sync::{Delivered, Exchange, Queue, ReadError, Slow, exchange, exchange_names};
use lockwise::thread;

use crate::counted::Drops;
use crate::{LONG, SHORT, on_each_backend, past, until};

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

    fn a_reader_that_left_is_counted_once() {
        let exchange = Exchange::<u32, B>::new_in();
        let (stays, leaves) = (exchange.reader(Slow::Never), exchange.reader(Slow::Never));
        drop(leaves);
        assert_eq!(exchange.send(1), Delivered { taken: 1, closed: 1, ..Delivered::default() });
        assert_eq!(exchange.send(2), taken(1));
        assert_eq!(exchange.len(), 1);
        assert_eq!((stays.get(), stays.get()), (Ok(1), Ok(2)));
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
            until(|| format!("{reader:?}").contains("waiting: 1"));
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

    fn readers_that_come_and_go_leave_nothing_behind() {
        let exchange = Exchange::<u32, B>::new_in();
        for _ in 0..100 {
            drop(exchange.reader(Slow::Never));
            exchange.send(1);
        }
        assert!(exchange.is_empty());
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
