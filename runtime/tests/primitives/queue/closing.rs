//! Closing.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::Poll;

use lockwise::sync::{Backend, GetError, PutError, Queue};
use lockwise::thread;

use crate::counted::Drops;
use crate::{Counting, LONG, on_each_backend, poll_once, rounds, until, until_waiting};

/// That each put which waits for room gets its item back when the queue is closed.
fn refuses_who_waits<B: Backend>(close: impl Fn(&Queue<u32, B>) -> Vec<u32>) {
    let queue = Queue::<_, B>::bounded_in(1);
    queue.put(0).expect("there is room");
    let ((one, first), (two, second)) = (Counting::new(), Counting::new());
    let (mut a, mut b) = (Box::pin(queue.put_async(1)), Box::pin(queue.put_async(2)));
    assert!(poll_once(a.as_mut(), &first).is_pending());
    assert!(poll_once(b.as_mut(), &second).is_pending());
    thread::scope(|scope| {
        let putters = [3, 4].map(|item| {
            let queue = &queue;
            scope.spawn(move || queue.put(item))
        });
        until_waiting(4, &queue);
        assert_eq!(close(&queue), [0]);
        let refused = putters.map(|putter| putter.join().expect("it was refused"));
        assert_eq!(
            refused,
            [Err(PutError::Closed(3)), Err(PutError::Closed(4))]
        );
    });
    assert_eq!((one.count(), two.count()), (1, 1));
    assert_eq!(
        poll_once(a.as_mut(), &first),
        Poll::Ready(Err(PutError::Closed(1)))
    );
    assert_eq!(
        poll_once(b.as_mut(), &second),
        Poll::Ready(Err(PutError::Closed(2)))
    );
}

on_each_backend! {
    fn close_empty() {
        let queue = Queue::<_, B>::new_in();
        assert!(queue.close());
        assert_eq!(queue.put(1), Err(PutError::Closed(1)));
        assert_eq!(queue.try_put(1), Err(PutError::Closed(1)));
        assert_eq!(queue.put_timeout(1, LONG), Err(PutError::Closed(1)));
        assert_eq!(queue.put_many([1, 2]), Err(PutError::Closed(vec![1, 2])));
        assert_eq!(queue.put_stop(), Err(PutError::Closed(())));
        assert_eq!(queue.get(), Err(GetError::Closed));
        assert_eq!(queue.try_get(), Err(GetError::Closed));
        assert_eq!(queue.get_timeout(LONG), Err(GetError::Closed));
        assert!(queue.get_task().is_err());
        queue.join();
    }

    fn close_drains() {
        let queue = Queue::<_, B>::bounded_in(2);
        queue.put(1).unwrap();
        queue.put(2).unwrap();
        queue.close();
        assert_eq!(queue.try_put(3), Err(PutError::Closed(3)));
        assert_eq!([queue.get(), queue.get(), queue.get()], [Ok(1), Ok(2), Err(GetError::Closed)]);
    }

    fn close_now_discards() {
        let drops = Drops::default();
        let queue = Queue::<_, B>::new_in();
        for _ in 0..3 {
            queue.put(drops.value()).unwrap();
        }
        queue.put_stop().unwrap();
        let left = queue.close_now();
        assert_eq!((left.len(), drops.count()), (3, 0));
        assert!(matches!(queue.get(), Err(GetError::Closed)));
        drop(left);
        assert_eq!(drops.count(), 3);
    }

    fn close_transitions() {
        let queue = Queue::<_, B>::new_in();
        queue.put(1).unwrap();
        assert!(!queue.is_closed());
        assert!(queue.close());
        assert!(queue.is_closed());
        assert!(!queue.close());
        assert_eq!(queue.close_now(), [1]);
        assert_eq!(queue.close_now(), []);
        assert!(!queue.close());
        assert!(queue.is_closed());
        let queue = Queue::<u8, B>::new_in();
        assert_eq!(queue.close_now(), []);
        assert!(queue.is_closed() && !queue.close());
    }

    fn close_now_all_methods_one_thread() {
        let queue = Queue::<_, B>::bounded_in(2);
        queue.put(1).unwrap();
        queue.put(2).unwrap();
        assert_eq!(queue.close_now(), [1, 2]);
        assert_eq!(queue.put(3), Err(PutError::Closed(3)));
        assert_eq!(queue.try_put(3), Err(PutError::Closed(3)));
        assert_eq!(queue.get(), Err(GetError::Closed));
        assert_eq!(queue.try_get(), Err(GetError::Closed));
        assert!(queue.get_task().is_err());
        assert_eq!(queue.iter().next(), None);
        queue.join();
    }

    fn close_many_threads() {
        let queue = Queue::<_, B>::bounded_in(16);
        let (accepted, got) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let each = rounds(16_000);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| for item in 0..each {
                    match queue.put(item) {
                        Ok(()) => accepted.fetch_add(1, SeqCst),
                        Err(refused) => {
                            assert_eq!(refused, PutError::Closed(item));
                            return;
                        }
                    };
                });
            }
            for _ in 0..6 {
                scope.spawn(|| for _ in &queue {
                    got.fetch_add(1, SeqCst);
                });
            }
            scope.spawn(|| {
                until(|| got.load(SeqCst) > 2 * each);
                queue.close();
            });
        });
        assert_eq!(accepted.load(SeqCst), got.load(SeqCst));
    }

    fn close_wakes_getters() {
        let queue = Queue::<_, B>::new_in();
        thread::scope(|scope| {
            let getters = [(); 4].map(|()| scope.spawn(|| queue.get()));
            until_waiting(4, &queue);
            queue.put(1).unwrap();
            queue.close();
            let got = getters.map(|getter| getter.join().unwrap());
            assert_eq!(got.iter().filter(|got| got.is_ok()).count(), 1);
            assert_eq!(got.iter().filter(|got| **got == Err(GetError::Closed)).count(), 3);
        });
    }

    fn close_now_wakes_getters() {
        let queue = Queue::<u8, B>::new_in();
        let (count, waker) = Counting::new();
        let mut gets: Vec<_> = (0..3).map(|_| Box::pin(queue.get_async())).collect();
        for get in &mut gets {
            assert!(poll_once(get.as_mut(), &waker).is_pending());
        }
        assert_eq!(queue.close_now(), []);
        assert_eq!(count.count(), 3);
        let queue = Queue::<u8, B>::new_in();
        thread::scope(|scope| {
            let getters = [(); 3].map(|()| scope.spawn(|| queue.get()));
            until_waiting(3, &queue);
            assert_eq!(queue.close_now(), []);
            for getter in getters {
                assert_eq!(getter.join().unwrap(), Err(GetError::Closed));
            }
        });
    }

    fn close_wakes_putters() {
        refuses_who_waits::<B>(|queue| {
            queue.close();
            queue.iter().collect()
        });
    }

    fn close_now_wakes_putters() {
        refuses_who_waits::<B>(Queue::close_now);
    }

    fn close_join_waits_for_done() {
        let queue = Queue::<_, B>::new_in();
        queue.put(1).unwrap();
        queue.put(2).unwrap();
        queue.close();
        assert!(!queue.join_timeout(crate::SHORT));
        let task = queue.get_task().unwrap();
        assert_eq!(queue.get(), Ok(2));
        assert!(!queue.join_timeout(crate::SHORT));
        drop(task);
        queue.join();
    }

    fn close_put_and_join() {
        for now in [false, true] {
            let queue = Queue::<_, B>::bounded_in(1);
            queue.put(1).unwrap();
            thread::scope(|scope| {
                let putter = scope.spawn(|| queue.put(2));
                let joiner = scope.spawn(|| queue.join_timeout(LONG));
                until_waiting(2, &queue);
                if now {
                    assert_eq!(queue.close_now(), [1]);
                } else {
                    queue.close();
                    assert_eq!(queue.get(), Ok(1));
                }
                assert_eq!(putter.join().expect("it was refused"), Err(PutError::Closed(2)));
                assert!(joiner.join().unwrap());
            });
        }
    }

    fn items_are_accounted_for_whatever_happens() {
        let drops = Drops::default();
        let made = AtomicUsize::new(0);
        let back = Mutex::new(Vec::new());
        let queue = Queue::<_, B>::bounded_in(2);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| loop {
                    made.fetch_add(1, SeqCst);
                    if let Err(refused) = queue.put(drops.value()) {
                        back.lock().unwrap().push(refused.into_inner());
                        return;
                    }
                });
            }
            for _ in 0..rounds(200) {
                back.lock().unwrap().push(queue.get().unwrap());
            }
            let left = queue.close_now();
            back.lock().unwrap().extend(left);
        });
        assert_eq!((back.lock().unwrap().len(), drops.count()), (made.load(SeqCst), 0));
    }
}
