//! Stops: the sentinels.

use lockwise::sync::{GetError, Queue};
use lockwise::thread;

use crate::{Counting, on_each_backend, poll_once, until_waiting};

on_each_backend! {
    fn sentinel_stops_one() {
        let queue = Queue::<u8, B>::new_in();
        thread::scope(|scope| {
            let consumers = [(); 3].map(|()| scope.spawn(|| queue.get()));
            for _ in 0..3 {
                queue.put_stop().unwrap();
            }
            for consumer in consumers {
                assert_eq!(consumer.join().unwrap(), Err(GetError::Stopped));
            }
            // One stop stops one: the other consumer goes on.
            let consumers = [(); 2].map(|()| scope.spawn(|| queue.get()));
            queue.put_stop().unwrap();
            queue.put(1).unwrap();
            let mut got = consumers.map(|consumer| consumer.join().unwrap());
            got.sort_by_key(Result::is_err);
            assert_eq!(got, [Ok(1), Err(GetError::Stopped)]);
        });
    }

    fn sentinel_keeps_place() {
        let queue = Queue::<_, B>::new_in();
        queue.put(1).unwrap();
        queue.put(2).unwrap();
        queue.put_stop().unwrap();
        queue.put(3).unwrap();
        assert_eq!(queue.iter().collect::<Vec<_>>(), [1, 2]);
        assert_eq!(queue.try_get(), Ok(3));
    }

    fn sentinel_keeps_place_behind_puts_that_wait() {
        let queue = Queue::<_, B>::bounded_in(1);
        queue.put(1).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| queue.put(2).unwrap());
            until_waiting(1, &queue);
            queue.put_stop().unwrap();
            assert_eq!(queue.iter().collect::<Vec<_>>(), [1, 2]);
        });
    }

    fn a_stop_does_not_wait_for_futures_to_be_polled() {
        let queue = Queue::<_, B>::bounded_in(1);
        queue.put(1).unwrap();
        let (_, waker) = Counting::new();
        let mut put = Box::pin(queue.put_async(2));
        assert!(poll_once(put.as_mut(), &waker).is_pending());
        queue.put_stop().unwrap();
        assert_eq!(queue.iter().collect::<Vec<_>>(), [1]);
        assert!(poll_once(put.as_mut(), &waker).is_ready());
        assert_eq!(queue.get(), Ok(2));
    }

    fn a_stop_is_not_lost_when_the_put_before_it_is_withdrawn() {
        let queue = Queue::<_, B>::bounded_in(1);
        queue.put(1).unwrap();
        let (_, waker) = Counting::new();
        let mut put = Box::pin(queue.put_async(2));
        assert!(poll_once(put.as_mut(), &waker).is_pending());
        queue.put_stop().unwrap();
        drop(put);
        assert_eq!([queue.get(), queue.get()], [Ok(1), Err(GetError::Stopped)]);
        queue.put(1).unwrap();
        let mut put = Box::pin(queue.put_async(2));
        assert!(poll_once(put.as_mut(), &waker).is_pending());
        queue.put_stop().unwrap();
        queue.close();
        assert_eq!([queue.get(), queue.get(), queue.get()], [Ok(1), Err(GetError::Stopped), Err(GetError::Closed)]);
    }

    // There is no value of the item type that stops: the type has one inhabitant here.
    fn sentinel_not_forgeable() {
        let queue = Queue::<(), B>::new_in();
        queue.put(()).unwrap();
        queue.put_stop().unwrap();
        assert_eq!([queue.get(), queue.get()], [Ok(()), Err(GetError::Stopped)]);
    }

    fn a_stop_is_put_again_for_the_next() {
        let queue = Queue::<_, B>::bounded_in(1);
        queue.put_stop().unwrap();
        queue.put(1).unwrap();
        assert!(queue.is_full());
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| loop {
                    match queue.get() {
                        Ok(_) => {}
                        Err(GetError::Stopped) => return queue.put_stop().unwrap(),
                        Err(error) => panic!("{error}"),
                    }
                });
            }
        });
        assert_eq!(queue.close_now(), []);
    }

    fn stops_are_no_items() {
        let queue = Queue::<u8, B>::bounded_in(1);
        queue.put_stop().unwrap();
        assert!(queue.is_empty() && !queue.is_full());
        queue.join();
        let hand = Queue::<u8, B>::bounded_in(0);
        hand.put_stop().unwrap();
        assert_eq!(hand.get(), Err(GetError::Stopped));
    }
}
