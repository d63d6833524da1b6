//! Senders and receivers.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use lockwise::sync::{Failure, GetError, Promise, PutError, Queue};
use lockwise::thread;

use crate::counted::Drops;
use crate::{block_on, on_each_backend, rounds};

on_each_backend! {
    fn last_sender_dropped() {
        let (sender, receiver) = Queue::<_, B>::new_in().split();
        let other = sender.clone();
        sender.put(1).unwrap();
        drop(sender);
        other.put(2).unwrap();
        drop(other);
        assert_eq!([receiver.get(), receiver.get(), receiver.get()], [Ok(1), Ok(2), Err(GetError::Closed)]);
    }

    fn last_receiver_dropped() {
        let drops = Drops::default();
        let (sender, receiver) = Queue::<_, B>::bounded_in(2).split();
        let other = receiver.clone();
        sender.put(drops.value()).unwrap();
        drop(receiver);
        sender.put(drops.value()).unwrap();
        assert_eq!(drops.count(), 0);
        drop(other);
        assert_eq!(drops.count(), 2);
        assert!(sender.try_put(drops.value()).unwrap_err().is_closed());
    }

    fn responder_in_dropped_queue() {
        let (sender, receiver) = Queue::<_, B>::new_in().split();
        let (promise, future) = Promise::<u32, B>::new_in();
        sender.put(promise).unwrap();
        drop(receiver);
        assert!(matches!(future.wait(), Err(Failure::Dropped)));
        // Also that of a put that waits.
        let (sender, receiver) = Queue::<_, B>::bounded_in(0).split();
        let (promise, future) = Promise::<u32, B>::new_in();
        thread::scope(|scope| {
            scope.spawn(|| drop(sender.put(promise)));
            drop(receiver);
            assert!(matches!(future.wait(), Err(Failure::Dropped)));
        });
    }

    fn port_gone_concurrent() {
        let (sender, receiver) = Queue::<_, B>::bounded_in(1).split();
        thread::scope(|scope| {
            let loops = scope.spawn(move || {
                let mut item = 0;
                while sender.put(item).is_ok() {
                    item += 1;
                }
                item
            });
            assert_eq!(receiver.get(), Ok(0));
            drop(receiver);
            assert!(loops.join().unwrap() >= 1);
        });
    }

    fn weak_sender() {
        let (sender, receiver) = Queue::<_, B>::new_in().split();
        let weak = sender.downgrade();
        let strong = weak.upgrade().expect("there is one");
        drop(sender);
        strong.put(1).unwrap();
        drop(strong);
        assert!(weak.upgrade().is_none() && weak.clone().upgrade().is_none());
        assert_eq!([receiver.get(), receiver.get()], [Ok(1), Err(GetError::Closed)]);
    }

    fn clone_and_drop_counts() {
        let (sender, receiver) = Queue::<usize, B>::new_in().split();
        let (got, each) = (AtomicUsize::new(0), rounds(200));
        thread::scope(|scope| {
            for _ in 0..4 {
                let (sender, receiver) = (sender.clone(), receiver.clone());
                let got = &got;
                scope.spawn(move || for item in 0..each {
                    let (more, others) = (sender.clone(), receiver.clone());
                    more.put(item).unwrap();
                    drop(more);
                    others.get().unwrap();
                    got.fetch_add(1, SeqCst);
                });
            }
        });
        assert_eq!(got.load(SeqCst), 4 * each);
        assert_eq!((sender.senders(), sender.receivers()), (1, 1));
        drop(receiver);
        assert_eq!(sender.put(1), Err(PutError::Closed(1)));
    }

    fn ends_do_what_the_queue_does() {
        let (sender, receiver) = Queue::<_, B>::bounded_in(1).split();
        block_on(sender.put_async(1)).unwrap();
        assert_eq!(sender.try_put(2), Err(PutError::Full(2)));
        assert_eq!(sender.put_timeout(2, crate::SHORT), Err(PutError::Timeout(2)));
        assert_eq!(block_on(receiver.get_async()), Ok(1));
        assert_eq!(receiver.get_timeout(crate::SHORT), Err(GetError::Timeout));
        sender.put(3).unwrap();
        assert_eq!(*receiver.get_task().unwrap(), 3);
        sender.put_stop().unwrap();
        assert_eq!(receiver.try_get(), Err(GetError::Stopped));
        sender.put(4).unwrap();
        assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [4]);
        assert!(sender.queue().is_empty() && receiver.queue().is_empty());
    }
}
