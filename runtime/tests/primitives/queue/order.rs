//! Order, capacity, and what does not wait.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use lockwise::sync::{GetError, PutError, Queue};
use lockwise::thread;

use crate::counted::{Counted, Drops};
use crate::{LONG, SHORT, on_each_backend, rounds, until, until_waiting};

on_each_backend! {
    fn fifo_order_reused_instance() {
        let queue = Queue::<_, B>::bounded_in(3);
        for round in 0..2 {
            for item in [1, 2, 3] {
                queue.put(item * 10 + round).unwrap();
            }
            assert_eq!(queue.try_put(4), Err(PutError::Full(4)));
            assert_eq!([(); 3].map(|()| queue.get().unwrap()), [10, 20, 30].map(|item| item + round));
            assert_eq!(queue.try_get(), Err(GetError::Empty));
        }
    }

    // Several gets of a backlog take from it together what comes next: nothing shows that.
    fn a_backlog_keeps_its_order_whoever_looks_at_it() {
        let queue = Queue::<_, B>::new_in();
        let looks: [&dyn Fn(u32); 8] = [
            &|_| {},
            &|left| assert_eq!(queue.len(), left as usize),
            &|left| assert!(format!("{queue:?}").contains(&format!("len: {left},"))),
            &|left| assert_eq!(queue.join_timeout(Duration::ZERO), left == 0),
            &|left| assert_eq!(queue.is_empty(), left == 0),
            &|left| assert_eq!(queue.is_closed(), left == 100),
            &|_| {
                queue.put_stop().unwrap();
                queue.put(100).unwrap();
            },
            &|_| assert!(queue.try_put(101).is_ok()),
        ];
        for look in looks {
            (1..=9).for_each(|item| queue.put(item).unwrap());
            for item in 1..=9 {
                if item % 4 == 0 {
                    assert_eq!(*queue.get_task().unwrap(), item);
                } else {
                    assert_eq!(queue.get(), Ok(item));
                }
                if item % 2 == 0 || item == 9 {
                    let more = u32::try_from(queue.len()).unwrap();
                    look(more);
                }
            }
            while !matches!(queue.try_get(), Err(GetError::Empty)) {}
        }
        (1..=9).for_each(|item| queue.put(item).unwrap());
        assert_eq!([queue.get(), queue.get()], [Ok(1), Ok(2)]);
        assert_eq!(queue.close_now(), [3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(queue.get(), Err(GetError::Closed));
        queue.join();
    }

    fn what_is_left_of_a_backlog_is_dropped_with_it() {
        let drops = Drops::default();
        let queue = Queue::<_, B>::new_in();
        for _ in 0..5 {
            queue.put(drops.value()).unwrap();
        }
        drop(queue.get());
        drop(queue);
        assert_eq!(drops.count(), 5);
    }

    fn full_nowait() {
        let queue = Queue::<_, B>::bounded_in(1);
        assert_eq!(queue.try_get(), Err(GetError::Empty));
        assert_eq!(queue.len(), 0);
        queue.try_put('a').unwrap();
        assert_eq!(queue.try_put('b'), Err(PutError::Full('b')));
        assert_eq!(queue.len(), 1);
        assert_eq!((queue.try_get(), queue.try_get()), (Ok('a'), Err(GetError::Empty)));
        assert_eq!(queue.len(), 0);
    }

    fn empty_times_out() {
        let queue = Queue::<u8, B>::bounded_in(1);
        let start = Instant::now();
        assert_eq!(queue.get_timeout(SHORT), Err(GetError::Timeout));
        assert!(start.elapsed() >= SHORT);
    }

    fn full_times_out() {
        let queue = Queue::<_, B>::bounded_in(1);
        queue.put(1).unwrap();
        let start = Instant::now();
        assert_eq!(queue.put_timeout(2, SHORT), Err(PutError::Timeout(2)));
        assert!(start.elapsed() >= SHORT);
        assert_eq!((queue.len(), queue.get()), (1, Ok(1)));
        assert!(queue.is_empty());
    }

    fn blocked_put_released_by_get() {
        for timeout in [None, Some(LONG)] {
            let queue = Queue::<_, B>::bounded_in(1);
            queue.put(1).unwrap();
            thread::scope(|scope| {
                let putter = scope.spawn(|| match timeout {
                    None => queue.put(2),
                    Some(timeout) => queue.put_timeout(2, timeout),
                });
                until_waiting(1, &queue);
                assert!(!putter.is_finished());
                assert_eq!(queue.get(), Ok(1));
                assert_eq!(putter.join().unwrap(), Ok(()));
            });
            assert_eq!(queue.get(), Ok(2));
        }
    }

    fn timeout_zero_and_huge() {
        let queue = Queue::<_, B>::bounded_in(1);
        assert_eq!(queue.get_timeout(Duration::ZERO), Err(GetError::Timeout));
        queue.put_timeout(1, Duration::ZERO).unwrap();
        assert_eq!(queue.put_timeout(2, Duration::ZERO), Err(PutError::Timeout(2)));
        assert_eq!(queue.get_timeout(Duration::ZERO), Ok(1));
        thread::scope(|scope| {
            let getter = scope.spawn(|| queue.get_timeout(Duration::MAX));
            queue.put_timeout(3, Duration::MAX).unwrap();
            assert_eq!(getter.join().unwrap(), Ok(3));
        });
    }

    fn ready_beats_deadline() {
        let queue = Queue::<_, B>::bounded_in(1);
        let past = Instant::now();
        queue.put_deadline(1, past).unwrap();
        assert_eq!(queue.put_deadline(2, past), Err(PutError::Timeout(2)));
        assert_eq!(queue.get_deadline(past), Ok(1));
        assert_eq!(queue.get_deadline(past), Err(GetError::Timeout));
    }

    fn len_empty_full_hints() {
        let hints = |queue: &Queue<u8, B>| (queue.len(), queue.is_empty(), queue.is_full());
        let queue = Queue::new_in();
        assert_eq!((hints(&queue), queue.capacity()), ((0, true, false), None));
        queue.put(1).unwrap();
        assert_eq!(hints(&queue), (1, false, false));
        let queue = Queue::bounded_in(2);
        assert_eq!((hints(&queue), queue.capacity()), ((0, true, false), Some(2)));
        queue.put(1).unwrap();
        assert_eq!(hints(&queue), (1, false, false));
        queue.put(2).unwrap();
        assert_eq!(hints(&queue), (2, false, true));
        queue.get().unwrap();
        assert_eq!(hints(&queue), (1, false, false));
        queue.get().unwrap();
        assert_eq!(hints(&queue), (0, true, false));
        let queue = Queue::bounded_in(0);
        assert_eq!((hints(&queue), queue.capacity()), ((0, true, true), Some(0)));
    }

    fn len_under_concurrency() {
        let items = rounds(5_000);
        let queue = Queue::<_, B>::bounded_in(3);
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| (0..items).for_each(|item| queue.put(item).unwrap()));
            scope.spawn(|| while !over.load(SeqCst) {
                assert!(queue.len() <= 3);
            });
            for item in 0..items {
                assert_eq!(queue.get(), Ok(item));
                assert!(queue.len() <= 3);
            }
            over.store(true, SeqCst);
        });
    }

    fn rendezvous_hand_off() {
        let queue = Queue::<_, B>::bounded_in(0);
        assert_eq!(queue.try_put(1), Err(PutError::Full(1)));
        assert_eq!(queue.put_timeout(1, SHORT), Err(PutError::Timeout(1)));
        assert_eq!(queue.try_get(), Err(GetError::Empty));
        let taken = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                queue.put(2).unwrap();
                assert!(taken.load(SeqCst), "the put ended before the get began");
            });
            let poll = || match queue.try_get() {
                Err(GetError::Empty) => None,
                got => Some(got),
            };
            // Set before the look that takes the item, as the put may end within it.
            taken.store(true, SeqCst);
            let mut got = None;
            until_some(&mut got, poll);
            assert_eq!(got, Some(Ok(2)));
        });
        thread::scope(|scope| {
            let getter = scope.spawn(|| queue.get());
            until(|| queue.try_put(3).is_ok());
            assert_eq!(getter.join().unwrap(), Ok(3));
        });
        assert_eq!(queue.try_put(4), Err(PutError::Full(4)));
    }

    fn rendezvous_two_messages_in_order() {
        let queue = Queue::<_, B>::bounded_in(0);
        thread::scope(|scope| {
            scope.spawn(|| {
                queue.put(1).unwrap();
                queue.put(2).unwrap();
            });
            assert_eq!([queue.get(), queue.get()], [Ok(1), Ok(2)]);
        });
    }

    fn mpsc_per_producer_order() {
        let each = rounds(500);
        for queue in [Queue::<_, B>::new_in(), Queue::bounded_in(2), Queue::bounded_in(0)] {
            thread::scope(|scope| {
                for producer in 0..4 {
                    let queue = &queue;
                    scope.spawn(move || (0..each).for_each(|at| queue.put((producer, at)).unwrap()));
                }
                let mut next = [0; 4];
                for _ in 0..4 * each {
                    let (producer, at) = queue.get().unwrap();
                    assert_eq!(next[producer], at);
                    next[producer] += 1;
                }
            });
        }
    }

    fn mpmc_exactly_once() {
        let each = rounds(500);
        for queue in [Queue::<_, B>::new_in(), Queue::bounded_in(3), Queue::bounded_in(0)] {
            let counts: Vec<_> = (0..4 * each).map(|_| AtomicUsize::new(0)).collect();
            let left = AtomicUsize::new(4);
            thread::scope(|scope| {
                for producer in 0..4 {
                    let (queue, left, counts) = (&queue, &left, &counts);
                    scope.spawn(move || {
                        (0..each).for_each(|at| queue.put(producer * each + at).unwrap());
                        if left.fetch_sub(1, SeqCst) == 1 {
                            queue.close();
                        }
                    });
                    scope.spawn(move || for item in queue {
                        counts[item].fetch_add(1, SeqCst);
                    });
                }
            });
            assert!(counts.iter().all(|count| count.load(SeqCst) == 1));
        }
    }

    #[expect(clippy::large_stack_arrays, reason = "that is the test")]
    // std's own channel takes 2 MiB, with optimisation. Without it each move has room of its own.
    fn large_item_no_stack_overflow() {
        const MIB: usize = 1 << 20;
        const SMALL: usize = if cfg!(debug_assertions) { 16 * MIB } else { 4 * MIB };
        #[inline(never)]
        fn put(queue: &Queue<[u8; MIB], B>, byte: u8) {
            let put = queue.put([byte; MIB]);
            assert!(put.is_ok(), "it is open");
        }
        #[inline(never)]
        fn get(queue: &Queue<[u8; MIB], B>) -> [u8; 2] {
            match queue.get() {
                Ok(item) => [item[0], item[MIB - 1]],
                Err(error) => panic!("{error}"),
            }
        }
        thread::Builder::new().stack_size(SMALL).spawn(|| {
            let queue = Queue::<[u8; MIB], B>::new_in();
            put(&queue, 7);
            put(&queue, 8);
            assert_eq!(get(&queue), [7, 7]);
            // The first of a row and those behind it come out by other ways.
            put(&queue, 9);
            assert_eq!(get(&queue), [8, 8]);
            assert_eq!(get(&queue), [9, 9]);
        }).unwrap().join().unwrap();
    }

    fn linearizable() {
        let queue = Queue::<_, B>::new_in();
        thread::scope(|scope| {
            for item in 0..4 {
                let queue = &queue;
                scope.spawn(move || for _ in 0..rounds(500) {
                    queue.put(item).unwrap();
                    queue.try_get().expect("there is at least what was just put");
                });
            }
        });
    }

    // Who gets to run is the system's business: now and then one of them is kept away for the whole time.
    fn fairness_two_producers() {
        let items = rounds(10_000);
        let fair = || {
            let queue = Queue::<_, B>::bounded_in(4);
            let mut got = [0; 2];
            thread::scope(|scope| {
                for producer in 0..2 {
                    let queue = &queue;
                    scope.spawn(move || while queue.put(producer).is_ok() {});
                }
                for _ in 0..items {
                    got[queue.get().unwrap()] += 1;
                }
                queue.close_now();
            });
            got.iter().all(|&got| got >= items / 8)
        };
        assert!((0..10).any(|_| fair()));
    }

    fn waiting_puts_succeed_in_the_order_in_which_they_came() {
        let queue = Queue::<_, B>::bounded_in(1);
        queue.put(0).unwrap();
        let (_, waker) = crate::Counting::new();
        let mut puts: Vec<_> = (1..=5).map(|item| Box::pin(queue.put_async(item))).collect();
        for put in &mut puts {
            assert!(crate::poll_once(put.as_mut(), &waker).is_pending());
        }
        assert_eq!(queue.try_put(9), Err(PutError::Full(9)));
        for (item, put) in puts.iter_mut().enumerate() {
            assert_eq!(queue.get(), Ok(item));
            assert_eq!(queue.try_put(9), Err(PutError::Full(9)));
            assert!(crate::poll_once(put.as_mut(), &waker).is_ready());
        }
        assert_eq!(queue.get(), Ok(5));
    }

    fn iter_ends_at_close() {
        let queue = Queue::<_, B>::new_in();
        queue.put_many(0..6).unwrap();
        for item in &queue {
            if item == 1 {
                break;
            }
        }
        assert_eq!(queue.try_iter().take(2).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(queue.try_iter().collect::<Vec<_>>(), [4, 5]);
        queue.put(6).unwrap();
        queue.close();
        assert_eq!(queue.iter().collect::<Vec<_>>(), [6]);
    }

    fn item_dropped_exactly_once() {
        let drops = Drops::default();
        let queue = Queue::<Counted, B>::bounded_in(2);
        queue.put(drops.value()).unwrap();
        queue.put(drops.value()).unwrap();
        let refused = queue.try_put(drops.value()).unwrap_err();
        assert_eq!(drops.count(), 0);
        drop(refused);
        assert_eq!(drops.count(), 1);
        drop(queue.get());
        assert_eq!(drops.count(), 2);
        drop(queue);
        assert_eq!(drops.count(), 3);
    }

    fn panic_in_item_drop() {
        struct Bad(bool, #[expect(dead_code, reason = "it is dropped")] Counted);
        impl Drop for Bad {
            fn drop(&mut self) {
                assert!(!self.0, "the drop of an item");
            }
        }
        let drops = Drops::default();
        let queue = Queue::<_, B>::new_in();
        for at in 0..5 {
            queue.put(Bad(at == 2, drops.value())).unwrap();
        }
        assert!(catch_unwind(AssertUnwindSafe(|| drop(queue))).is_err());
        assert_eq!(drops.count(), 5);
        let (sender, receiver) = Queue::<_, B>::new_in().split();
        for at in 0..5 {
            sender.put(Bad(at == 0, drops.value())).unwrap();
        }
        assert!(catch_unwind(AssertUnwindSafe(|| drop(receiver))).is_err());
        assert_eq!(drops.count(), 10);
    }

    fn recv_inside_send_argument() {
        let queue = Queue::<_, B>::bounded_in(1);
        queue.put(1).unwrap();
        queue.put(queue.get().unwrap() + 1).unwrap();
        queue.put_many(queue.try_iter().map(|item| item + 1)).unwrap();
        assert_eq!(queue.get(), Ok(3));
    }

    fn send_many_batches() {
        let queue = Queue::<_, B>::bounded_in(3);
        thread::scope(|scope| {
            let putter = scope.spawn(|| queue.put_many(0..10));
            until(|| queue.is_full());
            for item in 0..10 {
                assert_eq!(queue.get(), Ok(item));
            }
            assert_eq!(putter.join().unwrap(), Ok(()));
            let putter = scope.spawn(|| queue.put_many(0..10));
            until(|| queue.is_full());
            queue.close();
            let refused = putter.join().unwrap().unwrap_err();
            assert_eq!(refused, PutError::Closed((3..10).collect()));
        });
        assert_eq!(queue.iter().collect::<Vec<_>>(), [0, 1, 2]);
    }

    fn no_retained_reference() {
        let queue = Queue::<_, B>::new_in();
        let item = Arc::new(());
        let weak = Arc::downgrade(&item);
        queue.put(item).unwrap();
        assert!(weak.upgrade().is_some());
        drop(queue.get());
        assert!(weak.upgrade().is_none());
    }

    fn reentrant_put_in_drop() {
        struct Putting(Arc<Queue<Option<Putting>, B>>);
        impl Drop for Putting {
            fn drop(&mut self) {
                crate::leaf::assert_nothing_held();
                let _ = self.0.try_put(None);
            }
        }
        let queue = Arc::new(Queue::<Option<Putting>, B>::bounded_in(2));
        queue.put(Some(Putting(Arc::clone(&queue)))).unwrap();
        drop(queue.get());
        assert!(matches!(queue.try_get(), Ok(None)));
        queue.put(Some(Putting(Arc::clone(&queue)))).unwrap();
        queue.put(Some(Putting(Arc::clone(&queue)))).unwrap();
        drop(queue.try_put(Some(Putting(Arc::clone(&queue)))));
        assert_eq!(queue.close_now().len(), 2);
    }

    fn stress_oneshot() {
        let (give, given) = mpsc::channel::<Arc<Queue<usize, B>>>();
        thread::scope(|scope| {
            scope.spawn(move || {
                given.into_iter().enumerate().for_each(|(at, queue)| queue.put(at).unwrap());
            });
            for at in 0..rounds(10_000) {
                let queue = Arc::new(Queue::new_in());
                give.send(Arc::clone(&queue)).unwrap();
                assert_eq!(queue.get(), Ok(at));
            }
            drop(give);
        });
    }

    fn stress_timeout_two_threads() {
        let items = rounds(1_000);
        for queue in [Queue::<_, B>::new_in(), Queue::bounded_in(1), Queue::bounded_in(0)] {
            thread::scope(|scope| {
                scope.spawn(|| for mut item in 0..items {
                    while let Err(refused) = queue.put_timeout(item, Duration::from_micros(20)) {
                        item = refused.into_inner();
                    }
                });
                for item in 0..items {
                    let got = loop {
                        match queue.get_timeout(Duration::from_micros(20)) {
                            Err(GetError::Timeout) => {}
                            got => break got,
                        }
                    };
                    assert_eq!(got, Ok(item));
                }
            });
            assert!(queue.is_empty());
        }
    }

    fn many_consumers_timeout() {
        let items = rounds(2_000);
        let queue = Queue::<_, B>::bounded_in(2);
        let got = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| loop {
                    match queue.get_timeout(Duration::from_micros(50)) {
                        Ok(item) => got.lock().unwrap().push(item),
                        Err(GetError::Timeout) => {}
                        Err(_) => break,
                    }
                });
            }
            (0..items).for_each(|item| queue.put(item).unwrap());
            queue.close();
        });
        let mut got = got.into_inner().unwrap();
        got.sort_unstable();
        assert!(got.into_iter().eq(0..items));
    }

    fn debug_never_blocks() {
        let queue = Queue::<_, B>::bounded_in(2);
        queue.put(1).unwrap();
        assert_eq!(format!("{queue:?}"), "Queue { len: 1, closed: false, waiting: 0 }");
    }
}

/// Asks until there is something.
fn until_some<T>(into: &mut Option<T>, ask: impl Fn() -> Option<T>) {
    let start = Instant::now();
    while into.is_none() {
        assert!(start.elapsed() < LONG, "it never came");
        *into = ask();
        thread::yield_now();
    }
}

#[test]
fn a_queue_in_a_static() {
    static QUEUE: Queue<&str> = Queue::bounded(2);
    static HAND: Queue<&str> = Queue::rendezvous();
    thread::scope(|scope| {
        scope.spawn(|| HAND.put(QUEUE.get().unwrap()).unwrap());
        QUEUE.put("static").unwrap();
        assert_eq!(HAND.get(), Ok("static"));
    });
}
