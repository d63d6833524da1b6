//! Puts of tasks that are dropped before they were ready: they have not put.

use std::sync::Arc;
use std::task::Poll;

use lockwise::sync::{ActorBuilder, Event, Exit, GetError, PriorityQueue, PutError, Queue, within};
use lockwise::thread;

use super::actors::{Message, Sum};
use super::{boxed, is_pending};
use crate::counted::Drops;
use crate::{Counting, SHORT, block_on, on_each_backend, poll_once, rounds, until, until_waiting};

on_each_backend! {
    fn a_put_that_is_dropped_before_it_is_ready_has_not_put() {
        let drops = Drops::default();
        let queue = Queue::<_, B>::bounded_in(1);
        let (woken, waker) = Counting::new();
        queue.put(drops.value()).unwrap();
        let mut put = Box::pin(queue.put_async(drops.value()));
        assert!(poll_once(put.as_mut(), &waker).is_pending());
        drop(queue.try_get().unwrap());
        // It is told of its room, and nobody gets what it has not put.
        assert_eq!((woken.count(), drops.count()), (1, 1));
        assert!(matches!(queue.try_get(), Err(GetError::Empty)));
        drop(put);
        assert_eq!((drops.count(), queue.len()), (2, 0));
        assert!(matches!(queue.try_get(), Err(GetError::Empty)));
        assert!(queue.try_put(drops.value()).is_ok());
    }

    fn a_put_that_was_ready_has_put() {
        let queue = Queue::<_, B>::bounded_in(1);
        let (_, waker) = Counting::new();
        queue.put(1).unwrap();
        let mut put = Box::pin(queue.put_async(2));
        assert!(poll_once(put.as_mut(), &waker).is_pending());
        assert_eq!(queue.get(), Ok(1));
        assert_eq!(poll_once(put.as_mut(), &waker), Poll::Ready(Ok(())));
        drop(put);
        assert_eq!(queue.get(), Ok(2));
    }

    fn room_is_kept_for_a_put_until_it_is_polled_or_dropped() {
        let queue = Queue::<_, B>::bounded_in(1);
        let ((one, first), (two, second)) = (Counting::new(), Counting::new());
        queue.put(1).unwrap();
        let mut a = Box::pin(queue.put_async(2));
        let mut b = Box::pin(queue.put_async(3));
        assert!(poll_once(a.as_mut(), &first).is_pending());
        assert!(poll_once(b.as_mut(), &second).is_pending());
        assert_eq!(queue.get(), Ok(1));
        assert_eq!((one.count(), two.count()), (1, 0));
        assert_eq!(queue.try_put(9), Err(PutError::Full(9)));
        assert!(poll_once(b.as_mut(), &second).is_pending());
        drop(a);
        assert_eq!(two.count(), 1);
        assert_eq!(queue.try_put(9), Err(PutError::Full(9)));
        assert_eq!(poll_once(b.as_mut(), &second), Poll::Ready(Ok(())));
        assert_eq!((queue.try_get(), queue.try_get()), (Ok(3), Err(GetError::Empty)));
    }

    fn a_thread_gets_the_room_of_a_put_that_is_dropped() {
        let queue = Queue::<_, B>::bounded_in(1);
        let (_, waker) = Counting::new();
        queue.put(1).unwrap();
        let mut put = Box::pin(queue.put_async(2));
        assert!(poll_once(put.as_mut(), &waker).is_pending());
        thread::scope(|scope| {
            let thread = scope.spawn(|| queue.put(3));
            until_waiting(2, &queue);
            assert_eq!(queue.get(), Ok(1));
            drop(put);
            assert_eq!(thread.join().unwrap(), Ok(()));
        });
        assert_eq!((queue.try_get(), queue.try_get()), (Ok(3), Err(GetError::Empty)));
    }

    fn a_put_that_had_room_is_refused_by_a_queue_that_was_closed() {
        let queue = Queue::<_, B>::bounded_in(1);
        let (_, waker) = Counting::new();
        queue.put(1).unwrap();
        let mut put = Box::pin(queue.put_async(2));
        assert!(poll_once(put.as_mut(), &waker).is_pending());
        assert_eq!(queue.get(), Ok(1));
        queue.close();
        assert_eq!(poll_once(put.as_mut(), &waker), Poll::Ready(Err(PutError::Closed(2))));
        assert_eq!(queue.get(), Err(GetError::Closed));
    }

    fn what_was_not_put_in_time_is_taken_back() {
        let queue = Queue::<_, B>::bounded_in(1);
        queue.put(1).unwrap();
        let mut put = queue.put_async(2);
        assert_eq!(block_on(within(SHORT, &mut put)), None);
        assert_eq!(queue.get(), Ok(1));
        assert_eq!(put.take_back(), Some(2));
        let mut put = queue.put_async(3);
        assert_eq!(block_on(within(SHORT, &mut put)), Some(Ok(())));
        assert_eq!(put.take_back(), None);
        assert_eq!(queue.put_async(4).take_back(), Some(4));
        assert_eq!((queue.try_get(), queue.try_get()), (Ok(3), Err(GetError::Empty)));
    }

    fn without_capacity_an_item_that_was_taken_was_put() {
        let queue = Queue::<_, B>::bounded_in(0);
        let (woken, waker) = Counting::new();
        let mut put = queue.put_async(1);
        assert!(poll_once(std::pin::Pin::new(&mut put), &waker).is_pending());
        assert_eq!(queue.try_get(), Ok(1));
        assert_eq!(woken.count(), 1);
        assert_eq!(put.take_back(), None);
        let mut put = queue.put_async(2);
        assert!(poll_once(std::pin::Pin::new(&mut put), &waker).is_pending());
        assert_eq!(put.take_back(), Some(2));
        assert_eq!(queue.try_get(), Err(GetError::Empty));
    }

    fn a_batch_that_is_dropped_has_put_what_it_had_room_for_when_it_was_polled() {
        let queue = Queue::<_, B>::bounded_in(2);
        let (_, waker) = Counting::new();
        let mut put = boxed(queue.put_many_async(1..=4));
        is_pending(&mut put, &waker);
        assert_eq!((queue.get(), queue.get()), (Ok(1), Ok(2)));
        drop(put);
        assert_eq!(queue.try_get(), Err(GetError::Empty));
    }

    fn a_put_by_priority_that_is_dropped_has_not_put() {
        let queue = PriorityQueue::<_, i32, B>::bounded_in(1);
        let (woken, waker) = Counting::new();
        queue.put("first", 1).unwrap();
        let mut put = boxed(queue.put_async("dropped", 1));
        is_pending(&mut put, &waker);
        assert_eq!(queue.get(), Ok("first"));
        assert_eq!(woken.count(), 1);
        // Its room is not that of somebody who is lower, either.
        assert_eq!(queue.put_evicting("other", 9), Err(PutError::Full("other")));
        drop(put);
        assert_eq!(queue.try_get(), Err(GetError::Empty));
        assert_eq!(queue.put_evicting("other", 9).map(|(_, evicted)| evicted), Ok(None));
    }

    fn a_message_that_was_not_sent_is_not_handled() {
        let actor = ActorBuilder::<B>::new_in().bounded(1).start(Sum(0)).unwrap();
        let (go, (woken, waker)) = (Arc::new(Event::<B>::new_in()), Counting::new());
        actor.send(Message::Wait(Arc::clone(&go))).unwrap();
        until(|| actor.is_empty());
        actor.send(Message::Add(1)).unwrap();
        let mut dropped = boxed(actor.send_async(Message::Add(100)));
        is_pending(&mut dropped, &waker);
        go.set();
        until(|| woken.count() == 1);
        drop(dropped);
        assert_eq!(block_on(actor.ask_async(Message::Total)).unwrap(), 1);
        actor.close();
        assert_eq!(actor.join(), Ok(Exit::Closed));
    }

    fn what_is_put_in_time_is_got_and_nothing_else() {
        let queue = Queue::<_, B>::bounded_in(1);
        let count = rounds(2000);
        let put = thread::scope(|scope| {
            let gets = scope.spawn(|| queue.iter().count());
            let (_, waker) = Counting::new();
            let mut put = 0;
            for round in 0..count {
                let mut future = Box::pin(queue.put_async(round));
                let is_put = (0..2).any(|_| poll_once(future.as_mut(), &waker).is_ready());
                put += usize::from(is_put);
            }
            queue.close();
            assert_eq!(gets.join().unwrap(), put);
            put
        });
        assert!(put > 0);
    }
}
