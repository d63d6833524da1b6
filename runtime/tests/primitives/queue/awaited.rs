//! Putting and getting from tasks.

use std::sync::Arc;
use std::task::{Poll, Wake, Waker};

use lockwise::sync::{GetError, PutError, Queue};
use lockwise::thread;

use crate::counted::Drops;
use crate::{Counting, LONG, block_on, on_each_backend, poll_once};

on_each_backend! {
    fn coroutine_channel() {
        let queue = Queue::<_, B>::bounded_in(2);
        thread::scope(|scope| {
            scope.spawn(|| block_on(async {
                for item in 0..100 {
                    queue.put_async(item).await.unwrap();
                }
                queue.close();
            }));
            block_on(async {
                for item in 0..100 {
                    assert_eq!(queue.get_async().await, Ok(item));
                }
                assert_eq!(queue.get_async().await, Err(GetError::Closed));
            });
        });
    }

    fn dropped_listener_passes_on() {
        let queue = Queue::<_, B>::new_in();
        let ((first, first_waker), (second, second_waker)) = (Counting::new(), Counting::new());
        let (mut one, mut two) = (Box::pin(queue.get_async()), Box::pin(queue.get_async()));
        assert!(poll_once(one.as_mut(), &first_waker).is_pending());
        assert!(poll_once(two.as_mut(), &second_waker).is_pending());
        queue.put(1).unwrap();
        assert_eq!((first.count(), second.count()), (1, 0));
        drop(one);
        assert_eq!(second.count(), 1);
        assert_eq!(poll_once(two.as_mut(), &second_waker), Poll::Ready(Ok(1)));
    }

    fn a_dropped_get_that_was_not_chosen_disturbs_nobody() {
        let queue = Queue::<_, B>::new_in();
        let ((first, first_waker), (_, second_waker)) = (Counting::new(), Counting::new());
        let (mut one, mut two) = (Box::pin(queue.get_async()), Box::pin(queue.get_async()));
        assert!(poll_once(one.as_mut(), &first_waker).is_pending());
        assert!(poll_once(two.as_mut(), &second_waker).is_pending());
        drop(two);
        queue.put(1).unwrap();
        assert_eq!(first.count(), 1);
        assert_eq!(poll_once(one.as_mut(), &first_waker), Poll::Ready(Ok(1)));
    }

    fn threads_and_tasks_wait_in_one_row() {
        let queue = Queue::<_, B>::new_in();
        let (count, waker) = Counting::new();
        let mut task = Box::pin(queue.get_async());
        assert!(poll_once(task.as_mut(), &waker).is_pending());
        thread::scope(|scope| {
            let getter = scope.spawn(|| queue.get_timeout(LONG));
            queue.put(1).unwrap();
            // The task came first. It goes; so the thread gets what it was woken for.
            assert_eq!(count.count(), 1);
            drop(task);
            assert_eq!(getter.join().unwrap(), Ok(1));
        });
    }

    fn a_dropped_put_takes_its_item_back() {
        let drops = Drops::default();
        let queue = Queue::<_, B>::bounded_in(1);
        queue.put(drops.value()).unwrap();
        let (_, waker) = Counting::new();
        let mut put = Box::pin(queue.put_async(drops.value()));
        assert!(poll_once(put.as_mut(), &waker).is_pending());
        assert_eq!(drops.count(), 0);
        drop(put);
        assert_eq!((drops.count(), queue.len()), (1, 1));
        drop(queue.get());
        assert!(matches!(queue.try_get(), Err(GetError::Empty)));
    }

    fn a_put_is_woken_when_there_is_room_and_when_closed() {
        let queue = Queue::<_, B>::bounded_in(1);
        queue.put(0).unwrap();
        let (count, waker) = Counting::new();
        let (mut one, mut two) = (Box::pin(queue.put_async(1)), Box::pin(queue.put_async(2)));
        assert!(poll_once(one.as_mut(), &waker).is_pending());
        assert!(poll_once(two.as_mut(), &waker).is_pending());
        assert_eq!(queue.get(), Ok(0));
        assert_eq!(count.count(), 1);
        assert_eq!(poll_once(one.as_mut(), &waker), Poll::Ready(Ok(())));
        assert!(poll_once(two.as_mut(), &waker).is_pending());
        queue.close();
        assert_eq!(count.count(), 2);
        assert_eq!(poll_once(two.as_mut(), &waker), Poll::Ready(Err(PutError::Closed(2))));
        assert_eq!(queue.get(), Ok(1));
    }

    fn waker_dropped_outside_lock() {
        struct Uses(Arc<Queue<u8, B>>);
        impl Wake for Uses {
            fn wake(self: Arc<Self>) {
                let _ = self.0.len();
            }
        }
        impl Drop for Uses {
            fn drop(&mut self) {
                let _ = self.0.len();
            }
        }
        let queue = Arc::new(Queue::<u8, B>::bounded_in(1));
        let waker = || Waker::from(Arc::new(Uses(Arc::clone(&queue))));
        let mut get = Box::pin(queue.get_async());
        // Replaced, used, and left behind.
        assert!(poll_once(get.as_mut(), &waker()).is_pending());
        assert!(poll_once(get.as_mut(), &waker()).is_pending());
        queue.put(1).unwrap();
        assert_eq!(poll_once(get.as_mut(), &waker()), Poll::Ready(Ok(1)));
        queue.put(1).unwrap();
        let mut put = Box::pin(queue.put_async(2));
        assert!(poll_once(put.as_mut(), &waker()).is_pending());
        assert!(poll_once(put.as_mut(), &waker()).is_pending());
        drop(put);
        let _ = queue.get();
        let mut get = Box::pin(queue.get_async());
        assert!(poll_once(get.as_mut(), &waker()).is_pending());
        drop(get);
        let mut get = Box::pin(queue.get_async());
        assert!(poll_once(get.as_mut(), &waker()).is_pending());
        queue.close();
    }

    fn wakers_do_not_pile_up() {
        let queue = Queue::<u8, B>::new_in();
        let (count, waker) = Counting::new();
        for _ in 0..10 {
            let mut get = Box::pin(queue.get_async());
            assert!(poll_once(get.as_mut(), &waker).is_pending());
        }
        queue.put(1).unwrap();
        assert_eq!(count.count(), 0);
        drop(waker);
        assert_eq!(Arc::strong_count(&count), 1);
    }
}
