//! Readers that come and go between two messages, while one is delivered, and while several are sent.

use std::sync::{Arc, Mutex};

use lockwise::sync::{Delivered, Event, Exchange, ReadError, Slow};
use lockwise::thread;

use crate::{block_on, on_each_backend, rounds};

on_each_backend! {
    fn every_second_of_many_readers_goes_and_the_others_miss_nothing() {
        let exchange = Exchange::<u32, B>::new_in();
        let mut readers: Vec<_> = (0..200).map(|_| Some(exchange.reader(Slow::Never))).collect();
        assert_eq!(exchange.send(1).taken, 200);
        readers.iter_mut().step_by(2).for_each(|reader| drop(reader.take()));
        assert_eq!(exchange.len(), 100);
        let late = exchange.reader(Slow::Never);
        assert_eq!(exchange.send(2), Delivered { taken: 101, dropped: 0, closed: 0 });
        for reader in readers.iter().flatten() {
            assert_eq!((reader.get(), reader.get(), reader.try_get()), (Ok(1), Ok(2), Err(ReadError::Empty)));
        }
        assert_eq!((late.get(), late.try_get()), (Ok(2), Err(ReadError::Empty)));
    }

    fn who_sits_where_another_sat_gets_nothing_of_that_one() {
        let exchange = Exchange::<u32, B>::new_in();
        let stays = exchange.reader(Slow::Never);
        for round in 0..10 {
            let one = exchange.reader(Slow::DropOldest(2));
            assert_eq!(one.try_get(), Err(ReadError::Empty));
            for number in 0..5 {
                exchange.send(round * 10 + number);
            }
            assert_eq!(one.get(), Err(ReadError::Lagged(3)));
            assert_eq!(one.get(), Ok(round * 10 + 3));
        }
        let all: Vec<_> = std::iter::from_fn(|| stays.try_get().ok()).collect();
        assert_eq!(all.len(), 50);
        assert!(all.is_sorted());
    }

    fn a_reader_that_goes_in_a_delivery_is_not_missed_and_not_counted_later() {
        let exchange = Arc::new(Exchange::<u32, B>::new_in());
        let goes = Arc::new(Mutex::new(Some(exchange.reader(Slow::Never))));
        let gone = Arc::clone(&goes);
        exchange.attach(move |_| drop(gone.lock().unwrap().take()));
        let stays = exchange.reader(Slow::Never);
        assert_eq!(exchange.send(1).taken, 3);
        assert_eq!(exchange.len(), 2);
        assert_eq!(exchange.send(2), Delivered { taken: 2, dropped: 0, closed: 0 });
        assert_eq!((stays.get(), stays.get()), (Ok(1), Ok(2)));
    }

    fn who_subscribes_in_a_delivery_gets_the_next_message_only() {
        let exchange = Arc::new(Exchange::<u32, B>::new_in());
        let weak = Arc::downgrade(&exchange);
        let come = Arc::new(Mutex::new(Vec::new()));
        let comes = Arc::clone(&come);
        exchange.attach(move |_| {
            let exchange = weak.upgrade().unwrap();
            let count = exchange.len();
            comes.lock().unwrap().push(exchange.reader(Slow::Never));
            assert_eq!(exchange.len(), count + 1);
        });
        assert_eq!(exchange.send(1).taken, 1);
        assert_eq!(exchange.send(2).taken, 2);
        assert_eq!(exchange.send(3).taken, 3);
        let come = come.lock().unwrap();
        assert_eq!((come[0].get(), come[0].get()), (Ok(2), Ok(3)));
        assert_eq!((come[1].get(), come[1].try_get()), (Ok(3), Err(ReadError::Empty)));
        assert_eq!(come[2].try_get(), Err(ReadError::Empty));
    }

    fn readers_come_and_go_while_two_threads_send() {
        let exchange = Exchange::<u32, B>::new_in();
        let stays = exchange.reader(Slow::Never);
        let stop = Event::<B>::new_in();
        let each = u32::try_from(rounds(300)).unwrap();
        thread::scope(|scope| {
            for sender in 0..2 {
                let exchange = &exchange;
                scope.spawn(move || (0..each).for_each(|number| _ = exchange.send(sender * 1000 + number)));
            }
            let (exchange, stop) = (&exchange, &stop);
            let passing = scope.spawn(move || {
                while !stop.is_set() {
                    let passing: Vec<_> = (0..5).map(|_| exchange.reader(Slow::Never)).collect();
                    for reader in passing {
                        let seen: Vec<_> = std::iter::from_fn(|| reader.try_get().ok()).collect();
                        for sender in 0..2 {
                            let its = seen.iter().filter(|number| **number / 1000 == sender);
                            assert!(its.is_sorted());
                        }
                    }
                }
            });
            let mut next = [0, 1000];
            for _ in 0..2 * each {
                let number = stays.get().unwrap();
                let next = &mut next[usize::from(number >= 1000)];
                assert_eq!(number, *next);
                *next += 1;
            }
            stop.set();
            passing.join().unwrap();
        });
        assert_eq!(exchange.len(), 1);
    }

    fn a_detach_that_is_awaited_and_dropped_has_detached() {
        let exchange = Exchange::<u32, B>::new_in();
        let id = exchange.attach(|_| panic!("it was detached"));
        drop(exchange.detach_async(id));
        assert_eq!(exchange.send(1), Delivered::default());
        assert_eq!(block_on(exchange.detach_async(id)), Ok(false));
    }
}
