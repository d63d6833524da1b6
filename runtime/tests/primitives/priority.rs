use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use lockwise::sync::{GetError, Priority, PriorityQueue, PutError};
use lockwise::thread;
use proptest::prelude::*;

use super::counted::Drops;
use super::{Counting, LONG, SHORT, block_on, on_each_backend, poll_once, rounds, until_waiting};

on_each_backend! {
    fn stable_among_equals() {
        let queue = PriorityQueue::<_, i64, B>::new_in();
        for at in 0..10_000 {
            queue.put(at, at % 3).unwrap();
        }
        let got = queue.drain();
        for (at, pair) in got.windows(2).enumerate() {
            assert!((pair[0] % 3, Reverse(pair[0])) > (pair[1] % 3, Reverse(pair[1])), "at {at}");
        }
        assert_eq!(got.len(), 10_000);
    }

    fn items_never_compared() {
        struct Plain(u8);
        let queue = PriorityQueue::<_, u8, B>::new_in();
        queue.put(Plain(1), 5).unwrap_or_else(|_| unreachable!());
        queue.put(Plain(2), 5).unwrap_or_else(|_| unreachable!());
        assert_eq!([queue.get().map(|it| it.0), queue.get().map(|it| it.0)], [Ok(1), Ok(2)]);
    }

    fn sequence_survives_wrap() {
        let queue = PriorityQueue::<_, i64, B>::numbered_from(u64::MAX - 2);
        queue.put('a', 1).unwrap();
        queue.put('b', 1).unwrap();
        // Loudly, and nothing is lost.
        assert!(catch_unwind(AssertUnwindSafe(|| queue.put('c', 1))).is_err());
        assert_eq!(queue.drain(), ['a', 'b']);
    }

    fn blocked_get_gets_highest() {
        let queue = PriorityQueue::<_, i64, B>::new_in();
        let (count, waker) = Counting::new();
        let mut get = Box::pin(queue.get_async());
        assert!(poll_once(get.as_mut(), &waker).is_pending());
        queue.put("low", 1).unwrap();
        queue.put("high", 2).unwrap();
        assert_eq!(count.count(), 1);
        assert_eq!(block_on(get), Ok("high"));
    }

    fn put_while_draining_keeps_order() {
        // What is in the queue, by priority; who holds it has the queue to itself.
        let present = Mutex::new(BTreeMap::<i64, usize>::new());
        let queue = PriorityQueue::<_, i64, B>::new_in();
        let each = rounds(300);
        thread::scope(|scope| {
            for producer in 0..4 {
                let (queue, present) = (&queue, &present);
                scope.spawn(move || for at in 0..i64::try_from(each).unwrap() {
                    let priority = at * 7 % 11 + producer;
                    let mut present = present.lock().unwrap();
                    *present.entry(priority).or_default() += 1;
                    queue.put(priority, priority).unwrap();
                });
            }
            let mut got = 0;
            while got < 4 * each {
                let mut present = present.lock().unwrap();
                if let Ok(priority) = queue.try_get() {
                    let mut highest = present.last_entry().unwrap();
                    assert_eq!(*highest.key(), priority);
                    *highest.get_mut() -= 1;
                    if *highest.get() == 0 {
                        highest.remove();
                    }
                    got += 1;
                }
                drop(present);
                thread::yield_now();
            }
        });
    }

    fn bounded_policies() {
        let drops = Drops::default();
        let queue = PriorityQueue::<_, i64, B>::bounded_in(2);
        queue.put((5, drops.value()), 5).unwrap();
        queue.put((3, drops.value()), 3).unwrap();
        // Refused.
        assert!(matches!(queue.try_put((9, drops.value()), 9), Err(PutError::Full((9, _)))));
        assert!(matches!(queue.put_timeout((9, drops.value()), 9, SHORT), Err(PutError::Timeout((9, _)))));
        // Evicts the lowest, and never what is as high.
        let (_, evicted) = queue.put_evicting((4, drops.value()), 4).unwrap();
        assert_eq!(evicted.map(|it| it.0), Some(3));
        assert!(matches!(queue.put_evicting((4, drops.value()), 4), Err(PutError::Full((4, _)))));
        assert!(matches!(queue.put_evicting((1, drops.value()), 1), Err(PutError::Full((1, _)))));
        assert_eq!(queue.len(), 2);
        // Waits.
        thread::scope(|scope| {
            let putter = scope.spawn(|| queue.put((8, drops.value()), 8).is_ok());
            until_waiting(1, &queue);
            assert_eq!(queue.get_timeout(LONG).map(|it| it.0), Ok(5));
            assert!(putter.join().unwrap());
        });
        assert_eq!(queue.drain().into_iter().map(|it| it.0).collect::<Vec<_>>(), [8, 4]);
        let (_, evicted) = queue.put_evicting((1, drops.value()), 1).unwrap();
        assert!(evicted.is_none());
        drop(queue);
        assert_eq!(drops.count(), 9);
    }

    fn the_lowest_that_was_put_last_is_evicted() {
        let queue = PriorityQueue::<_, i64, B>::bounded_in(2);
        queue.put("old", 1).unwrap();
        queue.put("new", 1).unwrap();
        assert_eq!(queue.put_evicting("high", 2).unwrap().1, Some("new"));
    }

    fn user_ord_panics() {
        #[derive(Clone, Copy)]
        struct Bad(Option<i128>);
        impl Priority for Bad {
            fn key(&self) -> i128 {
                super::super::leaf::assert_nothing_held();
                self.0.expect("a priority that does not know itself")
            }
        }
        let queue = PriorityQueue::<_, Bad, B>::new_in();
        assert!(catch_unwind(AssertUnwindSafe(|| queue.put(1, Bad(None)))).is_err());
        assert_eq!((queue.len(), queue.try_get()), (0, Err(GetError::Empty)));
        // It is as usable as before, also with entries in it.
        let mut low = queue.put(2, Bad(Some(1))).unwrap();
        queue.put(3, Bad(Some(2))).unwrap();
        assert!(catch_unwind(AssertUnwindSafe(|| queue.put(4, Bad(None)))).is_err());
        assert!(catch_unwind(AssertUnwindSafe(|| queue.change_priority(&mut low, Bad(None)))).is_err());
        assert_eq!([queue.get(), queue.get(), queue.try_get()], [Ok(3), Ok(2), Err(GetError::Empty)]);
    }

    fn cancel_exact_entry() {
        let queue = PriorityQueue::<_, i64, B>::new_in();
        let first = queue.put("same", 1).unwrap();
        let second = queue.put("same", 1).unwrap();
        let third = queue.put("other", 1).unwrap();
        assert_eq!(queue.cancel(&second), Some("same"));
        assert_eq!(queue.cancel(&second), None);
        assert_eq!(queue.cancel(&third), Some("other"));
        assert_eq!(queue.drain(), ["same"]);
        assert_eq!(queue.cancel(&first), None);
    }

    fn cancelling_makes_room() {
        let queue = PriorityQueue::<_, i64, B>::bounded_in(1);
        let token = queue.put(1, 1).unwrap();
        thread::scope(|scope| {
            let putter = scope.spawn(|| queue.put(2, 2).is_ok());
            until_waiting(1, &queue);
            assert_eq!(queue.cancel(&token), Some(1));
            assert!(putter.join().unwrap());
        });
        assert_eq!(queue.get(), Ok(2));
    }

    fn another_priority() {
        let queue = PriorityQueue::<_, i64, B>::new_in();
        let mut low = queue.put("low", 1).unwrap();
        queue.put("high", 5).unwrap();
        assert!(queue.change_priority(&mut low, 5));
        // As high now, and put before.
        assert_eq!(queue.drain(), ["low", "high"]);
        assert!(!queue.change_priority(&mut low, 7));
    }

    fn starvation_documented() {
        let queue = PriorityQueue::<_, i64, B>::new_in();
        queue.put("low", 0).unwrap();
        for _ in 0..1000 {
            queue.put("high", 1).unwrap();
            assert_eq!(queue.get(), Ok("high"));
        }
        assert_eq!(queue.get(), Ok("low"));
    }

    fn close_and_deadlines() {
        let queue = PriorityQueue::<_, i64, B>::bounded_in(2);
        assert_eq!(queue.get_timeout(SHORT), Err(GetError::Timeout));
        queue.put(1, 1).unwrap();
        queue.put(2, 2).unwrap();
        thread::scope(|scope| {
            let putter = scope.spawn(|| queue.put(3, 3));
            assert!(queue.close());
            assert_eq!(putter.join().unwrap(), Err(PutError::Closed(3)));
        });
        assert!(matches!(queue.put_evicting(3, 3), Err(PutError::Closed(3))));
        assert_eq!(queue.get(), Ok(2));
        assert_eq!(queue.close_now(), [1]);
        assert_eq!(queue.get(), Err(GetError::Closed));
        assert!(queue.is_closed() && queue.is_empty() && !queue.close());
    }

    fn waiting_gets_wake_one_by_one() {
        let queue = Arc::new(PriorityQueue::<u32, i64, B>::new_in());
        let getters: Vec<_> = (0..4).map(|_| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.get())
        }).collect();
        for item in 0..4 {
            queue.put(item, 0).unwrap();
        }
        let mut got: Vec<_> = getters.into_iter().map(|getter| getter.join().unwrap().unwrap()).collect();
        got.sort_unstable();
        assert_eq!(got, [0, 1, 2, 3]);
    }
}

#[test]
fn a_priority_queue_in_a_static_and_lowest_first() {
    static QUEUE: PriorityQueue<u32, Reverse<u32>> = PriorityQueue::bounded(3);
    for item in [2, 3, 1] {
        QUEUE.put(item, Reverse(item)).unwrap();
    }
    assert_eq!(QUEUE.drain(), [1, 2, 3]);
}

#[derive(Debug, Clone)]
enum Act {
    Put(i8),
    PutEvicting(i8),
    Get,
    Cancel(usize),
    Change(usize, i8),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (0..4i8).prop_map(Act::Put),
        (0..4i8).prop_map(Act::PutEvicting),
        Just(Act::Get),
        (0..30usize).prop_map(Act::Cancel),
        (0..30usize, 0..4i8).prop_map(|(at, priority)| Act::Change(at, priority)),
    ]
}

proptest! {
    /// Against a vector that is searched.
    #[test]
    fn does_what_a_sorted_list_does(acts in prop::collection::vec(act(), 0..60)) {
        const CAPACITY: usize = 5;
        let queue = PriorityQueue::<usize, i8>::bounded(CAPACITY);
        let mut tokens = Vec::new();
        // Priority and number; items are their numbers.
        let mut model: Vec<(i8, usize)> = Vec::new();
        let first = |model: &[(i8, usize)]| {
            model.iter().copied().min_by_key(|&(priority, number)| (Reverse(priority), number))
        };
        for act in acts {
            let number = tokens.len();
            match act {
                Act::Put(priority) => match queue.try_put(number, priority) {
                    Ok(token) => {
                        tokens.push(token);
                        model.push((priority, number));
                        prop_assert!(model.len() <= CAPACITY);
                    }
                    Err(refused) => {
                        prop_assert_eq!((refused, model.len()), (PutError::Full(number), CAPACITY));
                    }
                },
                Act::PutEvicting(priority) => {
                    let last = model.iter().copied().max_by_key(|&(priority, number)| (Reverse(priority), number));
                    match queue.put_evicting(number, priority) {
                        Ok((token, evicted)) => {
                            tokens.push(token);
                            if model.len() == CAPACITY {
                                let last = last.unwrap();
                                prop_assert!(last.0 < priority);
                                prop_assert_eq!(evicted, Some(last.1));
                                model.retain(|it| *it != last);
                            } else {
                                prop_assert_eq!(evicted, None);
                            }
                            model.push((priority, number));
                        }
                        Err(refused) => {
                            prop_assert_eq!(refused, PutError::Full(number));
                            prop_assert!(last.unwrap().0 >= priority);
                        }
                    }
                }
                Act::Get => {
                    let expected = first(&model);
                    model.retain(|it| Some(*it) != expected);
                    prop_assert_eq!(queue.try_get().ok(), expected.map(|it| it.1));
                }
                Act::Cancel(at) => if let Some(token) = tokens.get(at) {
                    let there = model.iter().any(|it| it.1 == at);
                    model.retain(|it| it.1 != at);
                    prop_assert_eq!(queue.cancel(token), there.then_some(at));
                },
                Act::Change(at, priority) => if let Some(token) = tokens.get_mut(at) {
                    let there = model.iter_mut().find(|it| it.1 == at);
                    prop_assert_eq!(queue.change_priority(token, priority), there.is_some());
                    if let Some(there) = there {
                        there.0 = priority;
                    }
                },
            }
        }
        let mut rest = Vec::new();
        while let Some(next) = first(&model) {
            model.retain(|it| *it != next);
            rest.push(next.1);
        }
        prop_assert_eq!(queue.close_now(), rest);
    }
}
