use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use lockwise::sync::{
    Delivered, Event, Exchange, InDelivery, Queue, ReadError, Slow, exchange, exchange_names,
};
use lockwise::thread;

use super::counted::Drops;
use super::leaf::assert_nothing_held;
use super::{LONG, SHORT, block_on, on_each_backend, rounds, until, until_waiting};

/// A subscriber that writes down what it gets, and what it wrote.
fn noting<T: Send + 'static>() -> (impl Fn(T) + Send + Sync, Arc<Mutex<Vec<T>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&seen);
    let note = move |message| {
        assert_nothing_held();
        notes.lock().expect("nobody panics").push(message);
    };
    (note, seen)
}

/// What became of a message that some took.
fn taken(taken: usize) -> Delivered {
    Delivered {
        taken,
        ..Delivered::default()
    }
}

on_each_backend! {
    fn two_subscribers_both_get() {
        let exchange = Exchange::<u32, B>::new_in();
        let ((one, first), (two, second)) = (noting(), noting());
        exchange.attach(one);
        exchange.attach(two);
        for message in 0..3 {
            assert_eq!(exchange.send(message), taken(2));
        }
        assert_eq!(*first.lock().unwrap(), [0, 1, 2]);
        assert_eq!(*second.lock().unwrap(), [0, 1, 2]);
    }

    fn more_readers_than_sit_side_by_side() {
        let exchange = Exchange::<u32, B>::new_in();
        let slow = [Slow::Never, Slow::DropOldest(2), Slow::DropNewest(2)];
        let mut readers: Vec<_> = (0..12).map(|at| exchange.reader(slow[at % 3])).collect();
        let (note, seen) = noting();
        exchange.attach(note);
        readers.extend((12..30).map(|at| exchange.reader(slow[at % 3])));
        assert_eq!([exchange.send(1), exchange.send(2)], [taken(31); 2]);
        assert_eq!(exchange.send(3), Delivered { taken: 11, dropped: 20, closed: 0 });
        let kept: Vec<Vec<_>> = readers.iter().map(|reader| (0..4).map(|_| reader.try_get()).collect()).collect();
        for (at, kept) in kept.iter().enumerate() {
            let expected = match at % 3 {
                0 => [Ok(1), Ok(2), Ok(3), Err(ReadError::Empty)],
                1 => [Err(ReadError::Lagged(1)), Ok(2), Ok(3), Err(ReadError::Empty)],
                _ => [Ok(1), Ok(2), Err(ReadError::Empty), Err(ReadError::Empty)],
            };
            assert_eq!(*kept, expected, "{at}");
        }
        // Every other one leaves, and others come in their places.
        let mut at = 0;
        readers.retain(|_| {
            at += 1;
            at % 2 == 0
        });
        assert_eq!(exchange.len(), 16);
        assert_eq!(exchange.send(4), taken(16));
        readers.extend((0..15).map(|_| exchange.reader(Slow::Never)));
        assert_eq!(exchange.send(5), taken(31));
        assert!(readers.iter().all(|reader| [Ok(4), Ok(5)].contains(&reader.try_get())));
        assert_eq!(*seen.lock().unwrap(), [1, 2, 3, 4, 5]);
    }

    fn a_copy_that_panics_is_missed_by_one_reader() {
        struct Picky(Arc<AtomicUsize>, &'static [usize]);
        impl Clone for Picky {
            fn clone(&self) -> Picky {
                assert_nothing_held();
                let copy = self.0.fetch_add(1, SeqCst);
                assert!(!self.1.contains(&copy), "copy {copy}");
                Picky(Arc::clone(&self.0), self.1)
            }
        }
        for count in [4, 8, 9, 20] {
            for fails in [&[2][..], &[0, 1, 2], &[0, 9, 10, 18], &[7, 8]] {
                let exchange = Exchange::<Picky, B>::new_in();
                let readers: Vec<_> = (0..count).map(|_| exchange.reader(Slow::Never)).collect();
                let copies = Arc::new(AtomicUsize::new(0));
                let message = Picky(Arc::clone(&copies), fails);
                let sent = catch_unwind(AssertUnwindSafe(|| exchange.send(message)));
                // The last one gets the message itself.
                let failed = fails.iter().filter(|copy| **copy < count - 1).count();
                assert_eq!(sent.is_err(), failed > 0);
                let got = readers.iter().filter(|reader| reader.try_get().is_ok()).count();
                assert_eq!((got, copies.load(SeqCst)), (count - failed, count - 1));
                assert_eq!(Arc::strong_count(&copies), 1);
            }
        }
    }

    fn what_is_displaced_may_panic_when_it_is_dropped() {
        #[derive(Clone)]
        struct Bomb(bool);
        impl Drop for Bomb {
            fn drop(&mut self) {
                assert_nothing_held();
                assert!(!self.0 || std::thread::panicking(), "dropped");
            }
        }
        let exchange = Exchange::<Bomb, B>::new_in();
        let readers: Vec<_> = (0..3).map(|_| exchange.reader(Slow::DropOldest(1))).collect();
        exchange.send(Bomb(true));
        assert!(catch_unwind(AssertUnwindSafe(|| exchange.send(Bomb(false)))).is_err());
        for reader in &readers {
            assert_eq!(reader.try_get().err(), Some(ReadError::Lagged(1)));
            assert!(!reader.try_get().ok().unwrap().0);
        }
    }

    fn detach_unknown() {
        let exchange = Exchange::<u32, B>::new_in();
        let id = exchange.attach(|_| ());
        assert!(exchange.detach(id));
        assert!(!exchange.detach(id));
        assert_eq!(exchange.detach_sync(id), Ok(false));
        assert!(!Exchange::<u32, B>::new_in().detach(id));
        assert!(exchange.is_empty());
    }

    fn a_sink_that_is_detached_is_dropped_at_once_and_what_a_reader_has_with_it() {
        let exchange = Exchange::<Arc<u32>, B>::new_in();
        let [one, other] = [1, 2].map(Arc::new);
        let sinks: Vec<_> = (0..4)
            .map(|_| {
                let held = Arc::clone(&one);
                exchange.attach(move |message| assert_ne!(held, message))
            })
            .collect();
        let readers: Vec<_> = (0..4).map(|_| exchange.reader(Slow::Never)).collect();
        assert_eq!(exchange.send(Arc::clone(&other)).taken, 8);
        for (gone, id) in sinks.into_iter().enumerate() {
            assert!(exchange.detach(id));
            assert_eq!(Arc::strong_count(&one), 4 - gone);
            assert_eq!(exchange.len(), 7 - gone);
        }
        for (gone, reader) in readers.into_iter().enumerate() {
            drop(reader);
            assert_eq!(Arc::strong_count(&other), 4 - gone);
            let sent = exchange.send(Arc::default());
            assert_eq!(sent, Delivered { taken: 3 - gone, dropped: 0, closed: 0 });
        }
    }

    fn who_comes_and_goes_between_messages_gets_none() {
        let exchange = Exchange::<u32, B>::new_in();
        let stays = exchange.reader(Slow::Never);
        for round in 0..20 {
            let passing: Vec<_> = (0..round).map(|_| exchange.reader(Slow::Never)).collect();
            let id = exchange.attach(|_| panic!("it was detached"));
            drop(passing);
            assert!(exchange.detach(id));
            let comes = exchange.reader(Slow::Never);
            assert_eq!(exchange.len(), 2);
            assert_eq!(exchange.send(round), Delivered { taken: 2, dropped: 0, closed: 0 });
            assert_eq!((comes.get(), stays.get()), (Ok(round), Ok(round)));
        }
    }

    fn same_sink_twice() {
        let exchange = Exchange::<u32, B>::new_in();
        let (note, seen) = noting();
        let note = Arc::new(note);
        let again = Arc::clone(&note);
        let one = exchange.attach(move |message| note(message));
        let two = exchange.attach(move |message| again(message));
        assert_ne!(one, two);
        assert_eq!((exchange.send(7), exchange.len()), (taken(2), 2));
        assert_eq!(*seen.lock().unwrap(), [7, 7]);
    }

    fn attach_in_delivery() {
        let exchange = Arc::new(Exchange::<u32, B>::new_in());
        let (weak, (note, seen)) = (Arc::downgrade(&exchange), noting());
        let note = Arc::new(note);
        exchange.attach(move |_| {
            let note = Arc::clone(&note);
            weak.upgrade().unwrap().attach(move |message| note(message));
        });
        exchange.send(1);
        assert_eq!(*seen.lock().unwrap(), []);
        exchange.send(2);
        assert_eq!(*seen.lock().unwrap(), [2]);
    }

    fn send_in_delivery() {
        let exchange = Arc::new(Exchange::<u32, B>::new_in());
        let (weak, (note, seen)) = (Arc::downgrade(&exchange), noting());
        exchange.attach(move |message| {
            if message == 1 {
                weak.upgrade().unwrap().send(2);
            }
        });
        exchange.attach(note);
        exchange.send(1);
        // Sent at once: who stands behind gets the inner one first.
        assert_eq!(*seen.lock().unwrap(), [2, 1]);
    }

    fn detach_in_delivery() {
        let exchange = Arc::new(Exchange::<u32, B>::new_in());
        let id = Arc::new(Mutex::new(None));
        let ((own, weak), (note, seen)) = ((Arc::clone(&id), Arc::downgrade(&exchange)), noting());
        *id.lock().unwrap() = Some(exchange.attach(move |message| {
            note(message);
            assert!(weak.upgrade().unwrap().detach(own.lock().unwrap().unwrap()));
        }));
        exchange.send(1);
        exchange.send(2);
        assert_eq!(*seen.lock().unwrap(), [1]);
    }

    fn detach_sync_waits() {
        let exchange = Arc::new(Exchange::<u32, B>::new_in());
        let (began, go) = (Arc::new(Event::<B>::new_in()), Arc::new(Event::<B>::new_in()));
        let (begins, waits) = (Arc::clone(&began), Arc::clone(&go));
        let done = Arc::new(AtomicUsize::new(0));
        let does = Arc::clone(&done);
        let id = exchange.attach(move |_| {
            begins.set();
            waits.wait();
            does.fetch_add(1, SeqCst);
        });
        thread::scope(|scope| {
            scope.spawn(|| exchange.send(1));
            began.wait();
            let detacher = scope.spawn(|| {
                let gone = exchange.detach_sync(id);
                assert_eq!(done.load(SeqCst), 1, "a delivery was under way");
                gone
            });
            until(|| exchange.is_empty());
            go.set();
            assert_eq!(detacher.join().unwrap(), Ok(true));
        });
        // From inside the delivery it is refused.
        let (own, told) = (Arc::new(Mutex::new(None)), Arc::new(Mutex::new(None)));
        let (mine, tells, weak) = (Arc::clone(&own), Arc::clone(&told), Arc::downgrade(&exchange));
        *own.lock().unwrap() = Some(exchange.attach(move |_| {
            let id = mine.lock().unwrap().unwrap();
            *tells.lock().unwrap() = Some(weak.upgrade().unwrap().detach_sync(id));
        }));
        exchange.send(2);
        assert_eq!(*told.lock().unwrap(), Some(Err(InDelivery)));
        assert_eq!(exchange.len(), 1);
    }

    fn panicking_subscriber() {
        let exchange = Exchange::<u32, B>::new_in();
        let ((before, first), (after, last)) = (noting(), noting());
        exchange.attach(before);
        exchange.attach(|_| panic!("in the middle"));
        exchange.attach(after);
        for message in 0..2 {
            assert!(catch_unwind(AssertUnwindSafe(|| exchange.send(message))).is_err());
        }
        assert_eq!(*first.lock().unwrap(), [0, 1]);
        assert_eq!(*last.lock().unwrap(), [0, 1]);
    }

    fn no_subscribers() {
        let drops = Drops::default();
        assert_eq!(Exchange::<u32, B>::new_in().send(1), taken(0));
        let exchange = Exchange::<Arc<_>, B>::new_in();
        assert_eq!(exchange.send(Arc::new(drops.value())), taken(0));
        assert_eq!(drops.count(), 1);
    }

    // Who is to be waited for comes last, wherever it stands in the list.
    fn slow_block() {
        let exchange = Exchange::<u32, B>::new_in();
        let slow = exchange.reader(Slow::Block(1));
        let (note, seen) = noting();
        exchange.attach(note);
        exchange.send(1);
        thread::scope(|scope| {
            let sender = scope.spawn(|| exchange.send(2));
            until(|| *seen.lock().unwrap() == [1, 2]);
            until_waiting(1, &slow);
            assert!(slow.len() == 1 && !sender.is_finished());
            assert_eq!(slow.get(), Ok(1));
            assert_eq!(sender.join().unwrap(), taken(2));
        });
        assert_eq!(slow.try_get(), Ok(2));
    }

    fn slow_drop_newest_and_disconnect() {
        let exchange = Exchange::<u32, B>::new_in();
        let (old, gone) = (exchange.reader(Slow::DropNewest(1)), exchange.reader(Slow::Disconnect(1)));
        assert_eq!(exchange.send(1), taken(2));
        assert_eq!(exchange.send(2), Delivered { taken: 0, dropped: 1, closed: 1 });
        assert_eq!(exchange.len(), 1);
        assert_eq!((old.get(), old.try_get()), (Ok(1), Err(ReadError::Empty)));
        assert_eq!((gone.get(), gone.get()), (Ok(1), Err(ReadError::Closed)));
    }

    fn slow_drop_oldest_lagged() {
        let exchange = Exchange::<u32, B>::new_in();
        let (slow, fast) = (exchange.reader(Slow::DropOldest(2)), exchange.reader(Slow::DropOldest(2)));
        for message in 0..5 {
            exchange.send(message);
            assert_eq!(fast.get(), Ok(message));
        }
        assert_eq!(slow.get(), Err(ReadError::Lagged(3)));
        assert_eq!((slow.get(), slow.get(), slow.try_get()), (Ok(3), Ok(4), Err(ReadError::Empty)));
        for message in 5..8 {
            exchange.send(message);
        }
        assert_eq!(slow.get(), Err(ReadError::Lagged(1)));
        assert_eq!((slow.get(), slow.get()), (Ok(6), Ok(7)));
    }

    fn lag_capacity_exact() {
        for keeps in [1, 3, 5, 7] {
            let exchange = Exchange::<usize, B>::new_in();
            let reader = exchange.reader(Slow::DropOldest(keeps));
            for message in 0..keeps {
                exchange.send(message);
            }
            assert_eq!((reader.get(), reader.len()), (Ok(0), keeps - 1));
            exchange.send(keeps);
            exchange.send(keeps + 1);
            assert_eq!((reader.get(), reader.len()), (Err(ReadError::Lagged(1)), keeps));
            assert_eq!(reader.get(), Ok(2));
        }
    }

    fn dropped_messages_are_dropped_outside() {
        let drops = Drops::default();
        let exchange = Exchange::<Arc<_>, B>::new_in();
        let reader = exchange.reader(Slow::DropOldest(1));
        for sent in 0..3 {
            exchange.send(Arc::new(drops.value()));
            assert_eq!(drops.count(), sent);
        }
        drop(reader);
        assert_eq!(drops.count(), 3);
    }

    fn late_subscriber() {
        let exchange = Exchange::<u32, B>::new_in();
        exchange.send(1);
        let late = exchange.reader(Slow::Never);
        exchange.send(2);
        assert_eq!((late.get(), late.try_get()), (Ok(2), Err(ReadError::Empty)));
    }

    fn handles_leaves() {
        let exchange = Exchange::<u32, B>::new_in();
        let slow = exchange.reader(Slow::Block(1));
        exchange.send(1);
        thread::scope(|scope| {
            let sender = scope.spawn(|| exchange.send(2));
            until_waiting(1, &slow);
            drop(slow);
            assert_eq!(sender.join().unwrap().closed, 1);
        });
        assert!(exchange.is_empty());
    }

    fn per_sender_order_two_senders() {
        let each = rounds(200);
        let exchange = Exchange::<(usize, usize), B>::new_in();
        let readers = [(); 3].map(|()| exchange.reader(Slow::Never));
        thread::scope(|scope| {
            for sender in 0..2 {
                let exchange = &exchange;
                scope.spawn(move || for at in 0..each {
                    exchange.send((sender, at));
                });
            }
            for reader in &readers {
                let mut next = [0; 2];
                for _ in 0..2 * each {
                    let (sender, at) = reader.get_timeout(LONG).unwrap();
                    assert_eq!(next[sender], at);
                    next[sender] += 1;
                }
            }
        });
    }

    fn subscribers_come_and_go() {
        let exchange = Exchange::<u32, B>::new_in();
        let (stays, seen) = noting();
        exchange.attach(stays);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| for _ in 0..rounds(100) {
                    let (note, _) = noting();
                    let guard = exchange.subscribe(note);
                    drop(guard);
                });
            }
            for message in 0..100 {
                exchange.send(message);
            }
        });
        assert!(seen.lock().unwrap().iter().copied().eq(0..100));
        assert_eq!(exchange.len(), 1);
    }

    fn a_guard_ends_its_subscription_also_by_a_panic() {
        let exchange = Exchange::<u32, B>::new_in();
        let (note, seen) = noting();
        let died = catch_unwind(AssertUnwindSafe(|| {
            let guard = exchange.subscribe(note);
            exchange.send(1);
            panic!("with {:?}", guard.id());
        }));
        assert!(died.is_err());
        assert_eq!(exchange.send(2), taken(0));
        assert_eq!(*seen.lock().unwrap(), [1]);
    }

    fn clone_outside_lock() {
        struct Touches(Arc<Exchange<Touches, B>>);
        impl Clone for Touches {
            fn clone(&self) -> Touches {
                assert_nothing_held();
                let _ = self.0.len();
                Touches(Arc::clone(&self.0))
            }
        }
        impl Drop for Touches {
            fn drop(&mut self) {
                assert_nothing_held();
                let _ = self.0.len();
            }
        }
        let exchange = Arc::new(Exchange::<Touches, B>::new_in());
        exchange.attach(drop);
        exchange.attach(drop);
        let reader = exchange.reader(Slow::DropOldest(1));
        for _ in 0..3 {
            exchange.send(Touches(Arc::clone(&exchange)));
        }
        drop(reader);
        exchange.send(Touches(Arc::clone(&exchange)));
        assert_eq!(exchange.len(), 2);
    }

    fn queues_and_actors_subscribe() {
        let exchange = Exchange::<u32, B>::new_in();
        let (sender, receiver) = Queue::<u32, B>::bounded_in(1).split();
        exchange.attach(sender);
        exchange.send(1);
        thread::scope(|scope| {
            let sending = scope.spawn(|| exchange.send(2));
            assert_eq!([receiver.get(), receiver.get()], [Ok(1), Ok(2)]);
            assert_eq!(sending.join().unwrap(), taken(1));
        });
        drop(receiver);
        assert_eq!(exchange.send(3).closed, 1);
    }

    fn a_reader_waits_and_is_awaited() {
        let exchange = Exchange::<u32, B>::new_in();
        let reader = exchange.reader(Slow::Never);
        assert_eq!(reader.get_timeout(SHORT), Err(ReadError::Timeout));
        thread::scope(|scope| {
            scope.spawn(|| exchange.send(1));
            assert_eq!(block_on(reader.get_async()), Ok(1));
        });
        drop(exchange);
        assert_eq!(reader.get(), Err(ReadError::Closed));
    }
}

#[test]
fn registry_types() {
    let one = exchange::<u32>("registry_types").unwrap();
    assert!(Arc::ptr_eq(&one, &exchange("registry_types").unwrap()));
    assert!(exchange::<u64>("registry_types").is_err());
    drop(one);
    // Nobody has it: the name is free.
    assert!(exchange::<u64>("registry_types").is_ok());
}

#[test]
fn registry_sweeps() {
    let kept = exchange::<u32>("registry_sweeps kept").unwrap();
    for at in 0..1000 {
        drop(exchange::<u32>(&format!("registry_sweeps {at}")).unwrap());
    }
    let names = exchange_names();
    let mine = names
        .iter()
        .filter(|name| name.starts_with("registry_sweeps"));
    assert_eq!(mine.collect::<Vec<_>>(), ["registry_sweeps kept"]);
    kept.send(1);
}

#[test]
fn the_same_exchange_for_all_who_ask_at_once() {
    let all: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| exchange::<u8>("at once").unwrap()))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert!(all.iter().all(|one| Arc::ptr_eq(one, &all[0])));
}
