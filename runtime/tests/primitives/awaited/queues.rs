//! Queues of each order, as tasks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lockwise::sync::{DelayQueue, GetError, PriorityQueue, PutError, Queue};

use super::{boxed, is_pending, ready};
use crate::counted::Drops;
use crate::{Counting, LONG, SHORT, block_on, on_each_backend, poll_once};

on_each_backend! {
    fn a_batch_is_put_as_there_is_room() {
        let queue = Queue::<u32, B>::bounded_in(2);
        let (woken, waker) = Counting::new();
        let mut put = boxed(queue.put_many_async(1..=4));
        is_pending(&mut put, &waker);
        assert_eq!(queue.len(), 2);
        assert_eq!((queue.get(), queue.get()), (Ok(1), Ok(2)));
        assert_eq!(woken.count(), 1);
        ready(&mut put, &waker).unwrap();
        assert_eq!((queue.get(), queue.get()), (Ok(3), Ok(4)));
        let mut put = boxed(queue.put_many_async(1..=5));
        is_pending(&mut put, &waker);
        queue.close();
        match ready(&mut put, &waker) {
            Err(PutError::Closed(rest)) => assert_eq!(rest, [3, 4, 5]),
            other => panic!("{other:?}"),
        }
    }

    fn a_dropped_batch_loses_what_was_not_put_and_nothing_else() {
        let drops = Drops::default();
        let queue = Queue::<_, B>::bounded_in(1);
        let (_, waker) = Counting::new();
        let mut put = boxed(queue.put_many_async([drops.value(), drops.value(), drops.value()]));
        assert!(poll_once(put.as_mut(), &waker).is_pending());
        drop(put);
        assert_eq!((drops.count(), queue.len()), (2, 1));
        drop(queue.get());
        assert!(matches!(queue.try_get(), Err(GetError::Empty)));
    }

    fn a_task_of_a_queue_is_awaited_and_joined() {
        let queue = Queue::<u32, B>::new_in();
        let (woken, waker) = Counting::new();
        let mut get = boxed(queue.get_task_async());
        is_pending(&mut get, &waker);
        queue.put(7).unwrap();
        let mut join = boxed(queue.join_async());
        is_pending(&mut join, &waker);
        let task = ready(&mut get, &waker).unwrap();
        assert_eq!(*task, 7);
        is_pending(&mut join, &waker);
        let before = woken.count();
        task.done();
        assert_eq!(woken.count(), before + 1);
        ready(&mut join, &waker);
        // All is done: another one does not wait.
        ready(&mut boxed(queue.join_async()), &waker);
    }

    fn a_join_that_was_told_ends_though_there_is_new_work() {
        let queue = Queue::<u32, B>::new_in();
        let (_, waker) = Counting::new();
        queue.put(1).unwrap();
        let mut join = boxed(queue.join_async());
        is_pending(&mut join, &waker);
        assert_eq!(queue.get(), Ok(1));
        queue.put(2).unwrap();
        ready(&mut join, &waker);
    }

    fn a_dropped_join_leaves_no_waker_behind() {
        let queue = Queue::<u32, B>::new_in();
        let (count, waker) = Counting::new();
        queue.put(1).unwrap();
        let mut join = boxed(queue.join_async());
        is_pending(&mut join, &waker);
        drop(join);
        drop(waker);
        assert_eq!(Arc::strong_count(&count), 1);
        assert_eq!(queue.get(), Ok(1));
        assert_eq!(count.count(), 0);
    }

    fn a_get_of_a_task_that_is_dropped_passes_its_wake_up_on() {
        let queue = Queue::<u32, B>::new_in();
        let ((_, first), (second_woken, second)) = (Counting::new(), Counting::new());
        let (mut one, mut two) = (boxed(queue.get_task_async()), boxed(queue.get_task_async()));
        is_pending(&mut one, &first);
        is_pending(&mut two, &second);
        queue.put(1).unwrap();
        drop(one);
        assert_eq!(second_woken.count(), 1);
        assert_eq!(ready(&mut two, &second).unwrap().into_inner(), 1);
        assert!(queue.join_timeout(LONG));
    }

    fn a_put_by_priority_waits_for_room() {
        let queue = PriorityQueue::<&str, i32, B>::bounded_in(1);
        let (woken, waker) = Counting::new();
        queue.put("low", 1).unwrap();
        let mut put = boxed(queue.put_async("high", 9));
        is_pending(&mut put, &waker);
        assert_eq!(queue.get(), Ok("low"));
        assert_eq!(woken.count(), 1);
        let token = ready(&mut put, &waker).unwrap();
        assert_eq!(queue.cancel(&token), Some("high"));
        queue.put("low", 1).unwrap();
        let mut put = boxed(queue.put_async("dropped", 9));
        is_pending(&mut put, &waker);
        drop(put);
        let mut put = boxed(queue.put_async("late", 9));
        is_pending(&mut put, &waker);
        queue.close();
        assert_eq!(ready(&mut put, &waker), Err(PutError::Closed("late")));
        assert_eq!((queue.get(), queue.get()), (Ok("low"), Err(GetError::Closed)));
    }

    fn what_is_due_later_is_awaited() {
        let queue = DelayQueue::<&str, B>::new_in();
        let start = Instant::now();
        queue.put_after("second", 2 * SHORT).unwrap();
        queue.put_after("first", SHORT).unwrap();
        block_on(async {
            assert_eq!(queue.get_async().await, Ok("first"));
            assert!(start.elapsed() >= SHORT);
            assert_eq!(queue.get_async().await, Ok("second"));
            assert!(start.elapsed() >= 2 * SHORT);
        });
        queue.close();
        assert_eq!(block_on(queue.get_async()), Err(GetError::Closed));
    }

    fn an_item_that_is_due_earlier_wakes_who_awaits_a_later_one() {
        let queue = DelayQueue::<&str, B>::new_in();
        let (woken, waker) = Counting::new();
        queue.put_after("never", Duration::MAX).unwrap();
        let mut get = boxed(queue.get_async());
        is_pending(&mut get, &waker);
        queue.put_after("now", Duration::ZERO).unwrap();
        assert_eq!(woken.count(), 1);
        assert_eq!(ready(&mut get, &waker), Ok("now"));
        let mut get = boxed(queue.get_async());
        is_pending(&mut get, &waker);
        drop(get);
        assert_eq!(queue.close_now(), ["never"]);
    }
}
