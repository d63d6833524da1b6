//! Queues: of any bound, by priority, and by time.

use std::sync::Mutex;

use lockwise::sync::{DelayQueue, GetError, PriorityQueue, PutError, Queue};
use shuttle::future::block_on;
use shuttle::thread;

use super::{Model, SOME_TIME, model};

/// A queue without bound, with room for one, and without room.
fn bounds() -> [fn() -> Queue<u32, Model>; 3] {
    [
        || Queue::new_in(),
        || Queue::bounded_in(1),
        || Queue::bounded_in(0),
    ]
}

/// What threads have written down, together.
fn all(of: Vec<thread::ScopedJoinHandle<'_, Vec<u32>>>) -> Vec<u32> {
    let parts = of.into_iter().flat_map(|part| part.join().unwrap());
    let mut all: Vec<u32> = parts.collect();
    all.sort_unstable();
    all
}

#[test]
fn each_item_is_got_once_and_closing_ends_all() {
    for made in bounds() {
        model(move || {
            let queue = made();
            let got = thread::scope(|scope| {
                let gets = [(); 2].map(|()| scope.spawn(|| queue.iter().collect::<Vec<_>>()));
                let puts = [1, 11].map(|first| {
                    let queue = &queue;
                    scope.spawn(move || {
                        queue.put(first).unwrap();
                        queue.put(first + 1).unwrap();
                    })
                });
                for puts in puts {
                    puts.join().unwrap();
                }
                queue.close();
                all(gets.into())
            });
            assert_eq!(got, [1, 2, 11, 12]);
        });
    }
}

#[test]
fn items_of_one_producer_keep_their_order() {
    for made in bounds() {
        model(move || {
            let queue = made();
            thread::scope(|scope| {
                scope.spawn(|| queue.put_many([1, 2, 3]).unwrap());
                assert_eq!(
                    [queue.get(), queue.get(), queue.get()],
                    [Ok(1), Ok(2), Ok(3)]
                );
            });
        });
    }
}

#[test]
fn nothing_is_lost_or_doubled_when_it_is_closed_in_the_midst() {
    for made in bounds() {
        for now in [false, true] {
            model(move || {
                let queue = made();
                let accounted = thread::scope(|scope| {
                    let puts = scope.spawn(|| {
                        let mut back = Vec::new();
                        for item in 1..=3 {
                            if let Err(refused) = queue.put(item) {
                                assert!(refused.is_closed());
                                back.push(refused.into_inner());
                            }
                        }
                        back
                    });
                    let gets = scope.spawn(|| queue.iter().collect::<Vec<_>>());
                    let closes = scope.spawn(|| {
                        if now {
                            queue.close_now()
                        } else {
                            queue.close();
                            Vec::new()
                        }
                    });
                    all(vec![puts, gets, closes])
                });
                assert_eq!(accounted, [1, 2, 3]);
                assert_eq!(queue.get(), Err(GetError::Closed));
            });
        }
    }
}

#[test]
fn a_backlog_is_got_in_order_by_several_while_it_grows() {
    for capacity in [4, 6] {
        model(move || {
            let queue = match capacity {
                4 => Queue::<u32, Model>::bounded_in(4),
                _ => Queue::new_in(),
            };
            queue.put_many(1..=4).unwrap();
            let got = thread::scope(|scope| {
                let gets = [(); 2].map(|()| {
                    scope.spawn(|| {
                        let got = queue.iter().collect::<Vec<_>>();
                        assert!(got.is_sorted(), "{got:?}");
                        got
                    })
                });
                for item in 5..=6 {
                    queue.put(item).unwrap();
                    assert!(queue.len() <= capacity);
                }
                queue.close();
                all(gets.into())
            });
            assert_eq!(got, [1, 2, 3, 4, 5, 6]);
        });
    }
}

#[test]
fn what_was_got_has_left_its_room_and_nothing_else_has() {
    model(|| {
        let queue = Queue::<u32, Model>::bounded_in(4);
        queue.put_many(1..=4).unwrap();
        thread::scope(|scope| {
            let gets = [(); 2].map(|()| {
                scope.spawn(|| {
                    let got = [queue.get().unwrap(), queue.get().unwrap()];
                    // Nobody else puts more than two, and four were got.
                    let put = queue.try_put(5);
                    (got, put)
                })
            });
            let got = gets.map(|get| get.join().unwrap());
            assert!(got.iter().all(|(_, put)| put.is_ok()), "{got:?}");
        });
        assert_eq!([queue.try_put(6), queue.try_put(7)], [Ok(()); 2]);
        assert_eq!(queue.try_put(8), Err(PutError::Full(8)));
        assert_eq!(queue.close_now(), [5, 5, 6, 7]);
    });
}

#[test]
fn a_put_is_let_in_as_soon_as_there_is_room_whoever_has_taken_entries_ahead() {
    model(|| {
        let queue = Queue::<u32, Model>::bounded_in(3);
        queue.put_many(1..=3).unwrap();
        let is_put = thread::scope(|scope| {
            let gets = scope.spawn(|| {
                assert_eq!(queue.get(), Ok(1));
                let is_put = queue.try_put(4).is_ok();
                assert_eq!([queue.get(), queue.get()], [Ok(2), Ok(3)]);
                is_put
            });
            // This one does not look on before it waits.
            block_on(queue.put_async(5)).unwrap();
            gets.join().unwrap()
        });
        let mut left = queue.close_now();
        left.sort_unstable();
        let due: &[u32] = if is_put { &[4, 5] } else { &[5] };
        assert_eq!(left, due);
    });
}

#[test]
fn a_backlog_that_is_handed_to_who_closes_was_not_got() {
    model(|| {
        let queue = Queue::<u32, Model>::new_in();
        queue.put_many(1..=5).unwrap();
        thread::scope(|scope| {
            let gets = [(); 2].map(|()| scope.spawn(|| queue.try_iter().take(2).collect()));
            let left = queue.close_now();
            assert!(left.is_sorted(), "{left:?}");
            assert_eq!(queue.try_get(), Err(GetError::Closed));
            let mut seen: Vec<u32> = all(gets.into());
            // Nobody has got a later one than those that were left.
            assert!(
                seen.iter()
                    .all(|item| left.first().is_none_or(|left| item < left))
            );
            seen.extend(left);
            assert_eq!(seen, [1, 2, 3, 4, 5]);
        });
    });
}

#[test]
fn a_backlog_is_done_when_each_item_was_got_one_way_or_the_other() {
    model(|| {
        let queue = Queue::<u32, Model>::new_in();
        queue.put_many(1..=5).unwrap();
        let done = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let item = queue.get().unwrap();
                    done.lock().unwrap().push(item);
                });
            }
            scope.spawn(|| {
                for _ in 0..2 {
                    let task = queue.get_task().unwrap();
                    done.lock().unwrap().push(*task);
                }
                let item = queue.get().unwrap();
                done.lock().unwrap().push(item);
            });
            queue.join();
            assert!(queue.is_empty());
            assert_eq!(queue.try_get(), Err(GetError::Empty));
        });
        let mut done = done.into_inner().unwrap();
        done.sort_unstable();
        assert_eq!(done, [1, 2, 3, 4, 5]);
    });
}

#[test]
fn deadlines_lose_nothing_and_double_nothing() {
    for made in bounds() {
        model(move || {
            let queue = made();
            let accounted = thread::scope(|scope| {
                let puts = scope.spawn(|| {
                    let refused =
                        (1..=2).filter_map(|item| queue.put_timeout(item, SOME_TIME).err());
                    let back: Vec<u32> = refused.map(PutError::into_inner).collect();
                    queue.close();
                    back
                });
                let gets = [(); 2].map(|()| {
                    scope.spawn(|| queue.get_timeout(SOME_TIME).into_iter().collect::<Vec<_>>())
                });
                let mut accounted = all(gets.into());
                accounted.extend(puts.join().unwrap());
                accounted
            });
            let mut accounted = accounted;
            accounted.extend(queue.iter());
            accounted.sort_unstable();
            assert_eq!(accounted, [1, 2]);
        });
    }
}

#[test]
fn a_get_that_is_given_up_leaves_its_item_to_another() {
    for made in bounds() {
        model(move || {
            let queue = made();
            thread::scope(|scope| {
                let gets = scope.spawn(|| queue.get());
                let gives_up = scope.spawn(|| {
                    let mut get = Box::pin(queue.get_async());
                    let polled = block_on(std::future::poll_fn(|context| {
                        std::task::Poll::Ready(get.as_mut().poll(context))
                    }));
                    drop(get);
                    polled.map(Result::ok)
                });
                queue.put(1).unwrap();
                // If that one got it, the other one needs one too.
                if gives_up.join().unwrap().is_ready() {
                    queue.put(2).unwrap();
                }
                assert!(gets.join().unwrap().is_ok());
            });
            assert_eq!(queue.try_get(), Err(GetError::Empty));
        });
    }
}

#[test]
fn a_put_that_is_given_up_takes_its_item_back_or_has_put_it() {
    model(|| {
        let queue = Queue::<u32, Model>::bounded_in(1);
        queue.put(0).unwrap();
        thread::scope(|scope| {
            let gives_up = scope.spawn(|| {
                let mut put = Box::pin(queue.put_async(1));
                let _ = block_on(std::future::poll_fn(|context| {
                    std::task::Poll::Ready(put.as_mut().poll(context).is_ready())
                }));
            });
            let puts = scope.spawn(|| queue.put(2));
            assert_eq!(queue.get(), Ok(0));
            gives_up.join().unwrap();
            let mut got = queue.get().unwrap();
            puts.join().unwrap().unwrap();
            if got == 1 {
                got = queue.get().unwrap();
            }
            // It came before, or after, or not at all: the other one comes in any case.
            assert_eq!(got, 2);
        });
    });
}

#[test]
fn one_stop_stops_one_and_can_be_put_again() {
    model(|| {
        let queue = Queue::<u32, Model>::bounded_in(1);
        thread::scope(|scope| {
            let consumers = [(); 2].map(|()| {
                scope.spawn(|| {
                    let got: Vec<u32> = queue.iter().collect();
                    queue.put_stop().unwrap();
                    got
                })
            });
            queue.put(1).unwrap();
            queue.put_stop().unwrap();
            assert_eq!(all(consumers.into()), [1]);
        });
        assert_eq!(queue.close_now(), []);
    });
}

#[test]
fn joining_ends_when_all_tasks_are_done() {
    model(|| {
        let queue = Queue::<u32, Model>::new_in();
        let done = Mutex::new(0);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while let Ok(task) = queue.get_task() {
                        *done.lock().unwrap() += *task;
                    }
                });
            }
            queue.put(1).unwrap();
            queue.put(2).unwrap();
            queue.join();
            assert_eq!(*done.lock().unwrap(), 3);
            let timed = scope.spawn(|| queue.join_timeout(SOME_TIME));
            queue.close();
            assert!(timed.join().unwrap());
        });
    });
}

#[test]
fn the_last_end_to_go_closes_it() {
    model(|| {
        let (sender, receiver) = Queue::<u32, Model>::bounded_in(1).split();
        let (other, weak) = (sender.clone(), sender.downgrade());
        thread::scope(|scope| {
            let puts = scope.spawn(move || sender.put(1).is_ok());
            let also = scope.spawn(move || other.put(2).is_ok());
            let upgrades = scope.spawn(move || weak.upgrade().is_some_and(|it| it.put(3).is_ok()));
            let got = receiver.iter().count();
            let put = [puts, also, upgrades].map(|put| usize::from(put.join().unwrap()));
            assert_eq!(got, put.iter().sum::<usize>());
        });
        let (sender, receiver) = Queue::<u32, Model>::bounded_in(0).split();
        thread::scope(|scope| {
            let puts = scope.spawn(move || sender.put(1));
            drop(receiver);
            assert_eq!(puts.join().unwrap(), Err(PutError::Closed(1)));
        });
    });
}

#[test]
fn what_is_highest_is_got_and_what_is_cancelled_is_not() {
    model(|| {
        let queue = PriorityQueue::<u32, i64, Model>::bounded_in(2);
        let low = queue.put(1, 1).unwrap();
        thread::scope(|scope| {
            let puts = scope.spawn(|| queue.put(3, 3).unwrap());
            let hurries = scope.spawn(|| queue.put_timeout(2, 2, SOME_TIME).is_ok());
            assert_eq!(queue.cancel(&low), Some(1));
            puts.join().unwrap();
            // Its time may have come before there was room.
            let in_time = hurries.join().unwrap();
            let expected: &[u32] = if in_time { &[3, 2] } else { &[3] };
            assert_eq!(queue.drain(), expected);
        });
        thread::scope(|scope| {
            let gets =
                [(); 2].map(|()| scope.spawn(|| queue.get().into_iter().collect::<Vec<_>>()));
            queue.put(1, 1).unwrap();
            queue.close();
            assert_eq!(all(gets.into()), [1]);
        });
    });
}

#[test]
fn an_evicting_put_finds_room_or_a_lower_one() {
    model(|| {
        let queue = PriorityQueue::<u32, i64, Model>::bounded_in(1);
        queue.put(1, 1).unwrap();
        thread::scope(|scope| {
            let evicts = scope.spawn(|| queue.put_evicting(5, 5).unwrap().1);
            let gets = scope.spawn(|| queue.get().unwrap());
            let waits = scope.spawn(|| queue.put(3, 3).unwrap());
            let (evicted, got) = (evicts.join().unwrap(), gets.join().unwrap());
            let left = queue.get_timeout(SOME_TIME);
            waits.join().unwrap();
            let mut seen: Vec<u32> = evicted.into_iter().chain([got]).chain(left).collect();
            seen.extend(queue.drain());
            seen.sort_unstable();
            assert_eq!(seen, [1, 3, 5]);
        });
    });
}

#[test]
fn what_is_due_is_got_in_time_and_what_is_put_earlier_is_got_before() {
    model(|| {
        let queue = DelayQueue::<u32, Model>::new_in();
        queue.put_after(2, SOME_TIME * 2).unwrap();
        thread::scope(|scope| {
            let gets = scope.spawn(|| [queue.get(), queue.get()]);
            let puts = scope.spawn(|| queue.put_after(1, SOME_TIME).unwrap());
            puts.join().unwrap();
            let mut got = gets.join().unwrap().map(Result::unwrap);
            // The time of the later one may have come before the earlier one was put.
            got.sort_unstable();
            assert_eq!(got, [1, 2]);
        });
    });
}

#[test]
fn a_queue_of_times_that_is_closed_or_emptied_keeps_nobody() {
    model(|| {
        let queue = DelayQueue::<u32, Model>::new_in();
        let token = queue.put_after(1, SOME_TIME).unwrap();
        thread::scope(|scope| {
            let gets = [(); 2].map(|()| scope.spawn(|| queue.get()));
            let hurries = scope.spawn(|| queue.get_timeout(SOME_TIME));
            let cancels = scope.spawn(|| queue.cancel(&token));
            queue.close();
            let got = gets.map(|get| get.join().unwrap());
            let seen = [got[0], got[1], hurries.join().unwrap()];
            let got = seen.iter().filter(|got| got.is_ok()).count();
            assert_eq!(got + usize::from(cancels.join().unwrap().is_some()), 1);
        });
    });
}
