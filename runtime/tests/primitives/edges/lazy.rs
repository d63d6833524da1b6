//! Readers that have subscribed and do not read, beside others that do.

use std::sync::Arc;

use lockwise::sync::{Delivered, Exchange, ReadError, Slow};
use lockwise::thread;

use crate::{LONG, on_each_backend, until};

/// Few readers have a queue each, more have their messages in common.
const BESIDE: [usize; 2] = [2, 11];
/// How many messages are sent.
const SENT: usize = 100;

/// How many copies there are of all these messages.
fn copies(sent: &[Arc<usize>]) -> usize {
    sent.iter()
        .map(|message| Arc::strong_count(message) - 1)
        .sum()
}

on_each_backend! {
    fn what_is_kept_for_a_lazy_reader_is_what_it_asked_for() {
        // How many are kept, and how many of them it gets.
        let policies = [
            (Slow::DropOldest(3), 3, SENT - 3..SENT),
            (Slow::DropNewest(3), 3, 0..3),
            (Slow::Disconnect(3), 3, 0..3),
            (Slow::Never, SENT, 0..SENT),
        ];
        for (beside, (slow, kept, gets)) in BESIDE.into_iter().flat_map(|beside| policies.clone().map(|policy| (beside, policy))) {
            let exchange = Exchange::<Arc<usize>, B>::new_in();
            let before: Vec<_> = (0..beside / 2).map(|_| exchange.reader(Slow::Never)).collect();
            let lazy = exchange.reader(slow);
            let behind: Vec<_> = (before.len()..beside).map(|_| exchange.reader(Slow::Never)).collect();
            let mut sent = Vec::new();
            for number in 0..SENT {
                sent.push(Arc::new(number));
                exchange.send(Arc::clone(&sent[number]));
                for reader in before.iter().chain(&behind) {
                    assert_eq!(reader.try_get().map(|message| *message), Ok(number));
                    assert_eq!(reader.try_get(), Err(ReadError::Empty));
                }
                assert_eq!(copies(&sent), kept.min(number + 1), "{slow:?} beside {beside}");
                assert_eq!(lazy.len(), kept.min(number + 1));
            }
            if slow == Slow::DropOldest(3) {
                assert_eq!(lazy.try_get(), Err(ReadError::Lagged(97)));
            }
            for number in gets {
                assert_eq!(lazy.try_get().map(|message| *message), Ok(number));
            }
            let over = if slow == Slow::Disconnect(3) { ReadError::Closed } else { ReadError::Empty };
            assert_eq!(lazy.try_get(), Err(over));
            assert_eq!(copies(&sent), 0);
        }
    }

    fn a_lazy_reader_that_leaves_takes_what_was_kept_for_it_with_it() {
        for beside in BESIDE {
            let exchange = Exchange::<Arc<usize>, B>::new_in();
            let (lazy, forgetful) = (exchange.reader(Slow::Never), exchange.reader(Slow::DropOldest(7)));
            let others: Vec<_> = (0..beside).map(|_| exchange.reader(Slow::Never)).collect();
            let sent: Vec<_> = (0..SENT).map(Arc::new).collect();
            for message in &sent {
                exchange.send(Arc::clone(message));
            }
            assert_eq!(copies(&sent), SENT * (beside + 1) + 7);
            drop(lazy);
            assert_eq!(copies(&sent), SENT * beside + 7);
            drop(forgetful);
            assert_eq!(copies(&sent), SENT * beside);
            for reader in others {
                assert_eq!(reader.get().map(|message| *message), Ok(0));
            }
            assert_eq!(copies(&sent), 0);
        }
    }

    fn a_lazy_reader_that_is_waited_for_keeps_the_sender_only() {
        for beside in BESIDE {
            let exchange = Exchange::<usize, B>::new_in();
            let lazy = exchange.reader(Slow::Block(2));
            let others: Vec<_> = (0..beside).map(|_| exchange.reader(Slow::Never)).collect();
            thread::scope(|scope| {
                let sends = scope.spawn(|| (0..4).map(|number| exchange.send(number)).collect::<Vec<_>>());
                // The third is here, though the sender waits with it for the lazy one.
                for reader in &others {
                    assert_eq!([(); 3].map(|()| reader.get_timeout(LONG)), [Ok(0), Ok(1), Ok(2)]);
                }
                until(|| lazy.len() == 2);
                assert!(others.iter().all(|reader| reader.try_get() == Err(ReadError::Empty)));
                assert!(!sends.is_finished());
                drop(lazy);
                let delivered = sends.join().unwrap();
                let to_all = Delivered { taken: beside + 1, ..Delivered::default() };
                let without = Delivered { taken: beside, ..Delivered::default() };
                assert_eq!(delivered, [to_all, to_all, Delivered { closed: 1, ..without }, without]);
            });
            assert!(others.iter().all(|reader| reader.try_get() == Ok(3)));
        }
    }

    fn one_that_subscribes_and_reads_late_gets_what_came_since() {
        let exchange = Exchange::<usize, B>::new_in();
        let mut readers = Vec::new();
        for number in 0..70 {
            readers.push(exchange.reader(Slow::Never));
            assert_eq!(exchange.send(number).taken, number + 1);
        }
        for (first, reader) in readers.iter().enumerate() {
            let got: Vec<_> = std::iter::from_fn(|| reader.try_get().ok()).collect();
            assert!(got.into_iter().eq(first..70), "reader {first}");
        }
    }
}
