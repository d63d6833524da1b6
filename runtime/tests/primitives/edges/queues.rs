use std::cmp::Reverse;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use lockwise::sync::{DelayQueue, GetError, PriorityQueue, PutError, Queue};
use lockwise::thread;

use crate::counted::Drops;
use crate::{Counting, LONG, SHORT, on_each_backend, past, poll_once, until};

/// Whether somebody waits at a queue.
fn waits(queue: &impl std::fmt::Debug) -> bool {
    // A queue that is locked by another shows no number.
    let shown = format!("{queue:?}");
    let (_, number) = shown.split_once("waiting: ").unwrap_or_default();
    number.starts_with(|digit: char| matches!(digit, '1'..='9'))
}

on_each_backend! {
    fn closing_gives_an_item_back_that_goes_from_hand_to_hand() {
        let queue = Queue::<u32, B>::bounded_in(0);
        thread::scope(|scope| {
            let putter = scope.spawn(|| queue.put(1));
            until(|| waits(&queue));
            assert!(queue.close());
            assert_eq!(putter.join().unwrap(), Err(PutError::Closed(1)));
        });
        assert_eq!(queue.get(), Err(GetError::Closed));
        assert_eq!(queue.close_now(), []);
    }

    fn no_time_is_one_try_from_hand_to_hand() {
        let queue = Queue::<u32, B>::bounded_in(0);
        assert_eq!(queue.put_timeout(1, Duration::ZERO), Err(PutError::Timeout(1)));
        assert_eq!(queue.get_timeout(Duration::ZERO), Err(GetError::Timeout));
        thread::scope(|scope| {
            let getter = scope.spawn(|| queue.get_timeout(LONG));
            until(|| waits(&queue));
            queue.put_timeout(2, Duration::ZERO).unwrap();
            assert_eq!(getter.join().unwrap(), Ok(2));
            let putter = scope.spawn(|| queue.put_timeout(3, LONG));
            until(|| waits(&queue));
            assert_eq!(queue.get_timeout(Duration::ZERO), Ok(3));
            putter.join().unwrap().unwrap();
        });
    }

    fn from_hand_to_hand_there_is_never_room_nor_anything_queued() {
        let queue = Queue::<u32, B>::bounded_in(0);
        assert!(queue.is_full() && queue.is_empty());
        assert_eq!((queue.len(), queue.capacity()), (0, Some(0)));
        assert_eq!(queue.try_put(1), Err(PutError::Full(1)));
    }

    fn closed_counts_more_than_late_or_full() {
        let queue = Queue::<u32, B>::bounded_in(1);
        queue.put(1).unwrap();
        queue.close();
        let past = past(SHORT);
        assert_eq!(queue.try_put(2), Err(PutError::Closed(2)));
        assert_eq!(queue.put_timeout(2, Duration::ZERO), Err(PutError::Closed(2)));
        assert_eq!(queue.put_deadline(2, past), Err(PutError::Closed(2)));
        assert_eq!(queue.get_deadline(past), Ok(1));
        assert_eq!(queue.get_deadline(past), Err(GetError::Closed));
        assert_eq!(queue.get_timeout(Duration::ZERO), Err(GetError::Closed));
        assert_eq!(queue.try_get(), Err(GetError::Closed));
    }

    fn a_batch_of_nothing_is_put_anywhere() {
        let queue = Queue::<u32, B>::bounded_in(1);
        queue.put(1).unwrap();
        assert_eq!(queue.put_many([]), Ok(()));
        queue.close();
        assert_eq!(queue.put_many([]), Ok(()));
        assert_eq!(queue.put_many([2, 3]), Err(PutError::Closed(vec![2, 3])));
    }

    fn a_stop_finds_room_where_there_is_none() {
        let queue = Queue::<u32, B>::bounded_in(0);
        queue.put_stop().unwrap();
        assert_eq!(queue.try_get(), Err(GetError::Stopped));
        let full = Queue::<u32, B>::bounded_in(1);
        full.put(1).unwrap();
        full.put_stop().unwrap();
        full.put_stop().unwrap();
        assert_eq!((full.len(), full.get()), (1, Ok(1)));
        assert_eq!((full.get(), full.get()), (Err(GetError::Stopped), Err(GetError::Stopped)));
        assert_eq!(full.try_get(), Err(GetError::Empty));
    }

    fn a_stop_comes_before_the_end() {
        let queue = Queue::<u32, B>::new_in();
        queue.put(1).unwrap();
        queue.put_stop().unwrap();
        queue.put(2).unwrap();
        queue.close();
        assert!(queue.put_stop().is_err());
        let first: Vec<_> = queue.iter().collect();
        let second: Vec<_> = queue.iter().collect();
        assert_eq!((first, second), (vec![1], vec![2]));
        assert_eq!(queue.get(), Err(GetError::Closed));
    }

    fn an_iterator_that_does_not_wait_ends_at_each_stop() {
        let queue = Queue::<u32, B>::new_in();
        queue.put(1).unwrap();
        queue.put_stop().unwrap();
        queue.put(2).unwrap();
        assert_eq!(queue.try_iter().collect::<Vec<_>>(), [1]);
        assert_eq!(queue.try_iter().collect::<Vec<_>>(), [2]);
        assert_eq!(queue.try_iter().next(), None);
    }

    fn a_stop_is_got_also_after_the_deadline() {
        let queue = Queue::<u32, B>::new_in();
        queue.put_stop().unwrap();
        assert_eq!(queue.get_deadline(past(SHORT)), Err(GetError::Stopped));
        assert_eq!(queue.get_deadline(past(SHORT)), Err(GetError::Timeout));
    }

    fn nobody_joins_a_stop() {
        let queue = Queue::<u32, B>::new_in();
        queue.put_stop().unwrap();
        assert!(queue.join_timeout(Duration::ZERO));
        assert_eq!(queue.close_now(), []);
    }

    fn each_way_of_closing_tells_whether_it_was_the_first() {
        let queue = Queue::<u32, B>::new_in();
        queue.put(1).unwrap();
        assert!(queue.close());
        assert!(!queue.close());
        assert_eq!(queue.close_now(), [1]);
        assert_eq!(queue.close_now(), []);
        assert!(!queue.close());
        assert!(queue.is_closed());
    }

    fn a_forgotten_task_is_never_done() {
        let queue = Queue::<u32, B>::new_in();
        queue.put(1).unwrap();
        std::mem::forget(queue.get_task().unwrap());
        assert!(!queue.join_timeout(Duration::ZERO));
        assert!(!queue.join_deadline(past(SHORT)));
        // Not even then: somebody may still work on it.
        assert_eq!(queue.close_now(), []);
        assert!(!queue.join_timeout(Duration::ZERO));
    }

    fn a_task_outlives_what_was_taken_out_behind_it() {
        let queue = Queue::<u32, B>::new_in();
        queue.put(1).unwrap();
        queue.put(2).unwrap();
        let task = queue.get_task().unwrap();
        assert_eq!(queue.close_now(), [2]);
        assert!(!queue.join_timeout(Duration::ZERO));
        assert_eq!(*task, 1);
        drop(task);
        assert!(queue.join_timeout(Duration::ZERO));
    }

    fn a_task_that_is_used_up_by_a_panic_is_done() {
        let queue = Queue::<u32, B>::new_in();
        queue.put(1).unwrap();
        let task = queue.get_task().unwrap();
        let panic = catch_unwind(AssertUnwindSafe(|| task.consume(|_| panic!("in the work"))));
        assert!(panic.is_err());
        assert!(queue.join_timeout(Duration::ZERO));
    }

    fn a_put_that_waits_comes_back_when_the_last_receiver_goes() {
        let (sender, receiver) = Queue::<u32, B>::bounded_in(1).split();
        let other = receiver.clone();
        sender.put(1).unwrap();
        thread::scope(|scope| {
            let putter = scope.spawn(|| sender.put(2));
            until(|| waits(sender.queue()));
            drop(receiver);
            assert!(!sender.queue().is_closed());
            drop(other);
            assert_eq!(putter.join().unwrap(), Err(PutError::Closed(2)));
        });
        assert!(sender.queue().is_empty());
        assert_eq!(sender.put(3), Err(PutError::Closed(3)));
    }

    fn a_weak_sender_keeps_open_what_it_was_made_strong_for() {
        let (sender, receiver) = Queue::<u32, B>::new_in().split();
        let weak = sender.downgrade();
        let strong = weak.upgrade().unwrap();
        drop(sender);
        strong.put(1).unwrap();
        drop(strong);
        assert!(weak.upgrade().is_none());
        assert_eq!((receiver.get(), receiver.get()), (Ok(1), Err(GetError::Closed)));
    }

    fn each_item_of_a_queue_that_is_dropped_is_dropped_once() {
        let drops = Drops::default();
        let (sender, receiver) = Queue::<_, B>::new_in().split();
        for _ in 0..3 {
            assert!(sender.put(drops.value()).is_ok());
        }
        let kept = receiver.get().unwrap();
        drop(receiver);
        assert_eq!(drops.count(), 2);
        drop((sender, kept));
        assert_eq!(drops.count(), 3);
    }

    fn the_ends_of_the_numbers_are_priorities() {
        let queue = PriorityQueue::<_, i128, B>::new_in();
        for priority in [0, i128::MIN, i128::MAX, -1] {
            queue.put(priority, priority).unwrap();
        }
        assert_eq!(queue.drain(), [i128::MAX, 0, -1, i128::MIN]);
        let lowest = PriorityQueue::<_, Reverse<u64>, B>::new_in();
        for priority in [1, u64::MAX, 0] {
            lowest.put(priority, Reverse(priority)).unwrap();
        }
        assert_eq!(lowest.drain(), [0, 1, u64::MAX]);
    }

    fn a_high_priority_does_not_shorten_the_wait_for_room() {
        let queue = PriorityQueue::<&str, i32, B>::bounded_in(1);
        let (_, waker) = Counting::new();
        queue.put("first", 5).unwrap();
        let mut low = Box::pin(queue.put_async("low", 1));
        let mut high = Box::pin(queue.put_async("high", 9));
        assert!(poll_once(low.as_mut(), &waker).is_pending());
        assert!(poll_once(high.as_mut(), &waker).is_pending());
        assert_eq!(queue.get(), Ok("first"));
        assert!(poll_once(high.as_mut(), &waker).is_pending());
        assert!(poll_once(low.as_mut(), &waker).is_ready());
        assert_eq!(queue.get(), Ok("low"));
        assert!(poll_once(high.as_mut(), &waker).is_ready());
        assert_eq!(queue.get(), Ok("high"));
    }

    fn what_is_equal_pushes_nothing_out() {
        let queue = PriorityQueue::<_, i32, B>::bounded_in(0);
        assert_eq!(queue.capacity(), Some(1));
        queue.put("first", 1).unwrap();
        assert_eq!(queue.put_evicting("second", 1).unwrap_err(), PutError::Full("second"));
        let (_, evicted) = queue.put_evicting("third", 2).unwrap();
        assert_eq!(evicted, Some("first"));
        queue.close();
        assert_eq!(queue.put_evicting("late", 9).unwrap_err(), PutError::Closed("late"));
        assert_eq!(queue.get(), Ok("third"));
    }

    fn a_token_is_good_for_one_item_once() {
        let queue = PriorityQueue::<_, i32, B>::new_in();
        let mut one = queue.put("one", 1).unwrap();
        let two = queue.put("two", 1).unwrap();
        let mut three = queue.put("three", 0).unwrap();
        assert!(queue.change_priority(&mut three, 1));
        assert!(queue.change_priority(&mut one, 5));
        assert!(queue.change_priority(&mut one, 1));
        assert_eq!(queue.get(), Ok("one"));
        assert!(!queue.change_priority(&mut one, 9));
        assert_eq!(queue.cancel(&one), None);
        assert_eq!(queue.cancel(&two), Some("two"));
        assert_eq!(queue.cancel(&two), None);
        assert_eq!((queue.get(), queue.try_get()), (Ok("three"), Err(GetError::Empty)));
    }

    fn a_token_of_another_queue_names_nothing() {
        let (one, other) = (PriorityQueue::<_, i32, B>::new_in(), PriorityQueue::<_, i32, B>::new_in());
        let mut token = one.put("one", 1).unwrap();
        assert_eq!(other.cancel(&token), None);
        other.put("other", 1).unwrap();
        assert_eq!(other.cancel(&token), None);
        assert!(!other.change_priority(&mut token, 9));
        assert_eq!(one.cancel(&token), Some("one"));
        let (one, other) = (DelayQueue::<_, B>::new_in(), DelayQueue::<_, B>::new_in());
        let now = past(Duration::ZERO);
        let token = one.put_at("one", now, 1).unwrap();
        assert_ne!(other.put_at("other", now, 1).unwrap(), token);
        assert_eq!(other.cancel(&token), None);
        assert_eq!((one.cancel(&token), other.get()), (Some("one"), Ok("other")));
    }

    fn draining_lets_those_in_that_wait() {
        let queue = PriorityQueue::<_, i32, B>::bounded_in(1);
        queue.put(1, 1).unwrap();
        thread::scope(|scope| {
            let putter = scope.spawn(|| queue.put(9, 9));
            until(|| waits(&queue));
            let mut all = queue.drain();
            assert!(putter.join().unwrap().is_ok());
            // It may have come too late for the first time.
            all.extend(queue.drain());
            assert_eq!(all, [1, 9]);
        });
        assert!(queue.is_empty() && !queue.is_closed());
    }

    fn an_item_that_is_never_due_is_no_panic() {
        let queue = DelayQueue::<_, B>::new_in();
        let never = queue.put_after("never", Duration::MAX).unwrap();
        assert_eq!(queue.try_get(), Err(GetError::Empty));
        assert_eq!(queue.get_timeout(Duration::ZERO), Err(GetError::Timeout));
        assert_eq!(queue.get_timeout(SHORT), Err(GetError::Timeout));
        assert_eq!(queue.cancel(&never), Some("never"));
        assert_eq!(queue.cancel(&never), None);
        assert!(queue.close());
        assert!(!queue.close());
        assert_eq!(queue.get(), Err(GetError::Closed));
    }

    fn what_was_due_long_ago_comes_in_the_order_in_which_it_was_due() {
        let queue = DelayQueue::<_, B>::new_in();
        queue.put_at("later", past(SHORT), 9).unwrap();
        queue.put_at("earlier", past(2 * SHORT), 0).unwrap();
        assert_eq!((queue.get(), queue.get()), (Ok("earlier"), Ok("later")));
    }

    fn who_waits_for_what_is_cancelled_waits_for_the_next() {
        let queue = DelayQueue::<_, B>::new_in();
        let first = queue.put_after("first", LONG).unwrap();
        thread::scope(|scope| {
            let getter = scope.spawn(|| queue.get());
            until(|| waits(&queue));
            assert_eq!(queue.cancel(&first), Some("first"));
            queue.put_after("second", SHORT).unwrap();
            assert_eq!(getter.join().unwrap(), Ok("second"));
            queue.put_after("third", LONG).unwrap();
            let getter = scope.spawn(|| queue.get());
            until(|| waits(&queue));
            assert_eq!(queue.close_now(), ["third"]);
            assert_eq!(getter.join().unwrap(), Err(GetError::Closed));
        });
    }

    fn a_stop_waits_for_nobody_and_is_got_from_hand_to_hand() {
        let queue = Queue::<u32, B>::bounded_in(0);
        queue.put_stop().unwrap();
        assert_eq!(queue.try_get(), Err(GetError::Stopped));
        assert_eq!(queue.try_get(), Err(GetError::Empty));
        queue.put_stop().unwrap();
        assert!(queue.close());
        assert_eq!(queue.get(), Err(GetError::Stopped));
        assert_eq!(queue.get(), Err(GetError::Closed));
    }

    fn a_get_that_moves_to_another_task_wakes_that_one() {
        let queue = Queue::<u32, B>::new_in();
        let ((one_woken, one), (two_woken, two)) = (Counting::new(), Counting::new());
        let mut get = pin!(queue.get_async());
        assert!(poll_once(get.as_mut(), &one).is_pending());
        assert!(poll_once(get.as_mut(), &two).is_pending());
        // What it has replaced is gone.
        drop(one);
        assert_eq!(Arc::strong_count(&one_woken), 1);
        queue.put(1).unwrap();
        assert_eq!((one_woken.count(), two_woken.count()), (0, 1));
        assert_eq!(poll_once(get.as_mut(), &two), Poll::Ready(Ok(1)));
    }

    fn a_put_that_is_dropped_lets_the_next_one_in() {
        let queue = Queue::<u32, B>::bounded_in(1);
        queue.put(1).unwrap();
        let (woken, waker) = Counting::new();
        let mut two = Box::pin(queue.put_async(2));
        let mut three = pin!(queue.put_async(3));
        assert!(poll_once(two.as_mut(), &waker).is_pending());
        assert!(poll_once(three.as_mut(), &waker).is_pending());
        drop(two);
        assert_eq!(woken.count(), 0);
        assert_eq!(queue.get(), Ok(1));
        assert_eq!(woken.count(), 1);
        assert_eq!(poll_once(three.as_mut(), &waker), Poll::Ready(Ok(())));
        assert_eq!((queue.try_get(), queue.try_get()), (Ok(3), Err(GetError::Empty)));
    }
}
