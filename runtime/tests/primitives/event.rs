use lockwise::thread;
use std::pin::pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::task::{Poll, Wake, Waker};
use std::time::{Duration, Instant};

use lockwise::sync::Event;

use super::leaf::{self, Leaf};
use super::{Counting, LONG, SHORT, block_on, on_each_backend, poll_once, until_waiting};

/// A waker that writes down its number.
struct Numbered(usize, Arc<Mutex<Vec<usize>>>);

impl Wake for Numbered {
    fn wake(self: Arc<Self>) {
        leaf::assert_nothing_held();
        self.1.lock().expect("nobody panics").push(self.0);
    }
}

on_each_backend! {
    fn is_set_states() {
        let event = Event::<B>::new_in();
        assert!(!event.is_set());
        assert!(event.set());
        assert!(event.is_set());
        assert!(!event.set());
        assert!(event.is_set());
        assert!(event.clear());
        assert!(!event.is_set());
        assert!(!event.clear());
        assert!(!event.is_set());
    }

    fn waiters_all_wake() {
        let event = Event::<B>::new_in();
        thread::scope(|scope| {
            let waiters: Vec<_> = (0..5).map(|at| {
                let event = &event;
                scope.spawn(move || match at {
                    0 => event.wait_timeout(LONG),
                    1 => event.wait_deadline(Instant::now() + LONG),
                    2 => {
                        block_on(event.wait_async());
                        true
                    }
                    _ => {
                        event.wait();
                        true
                    }
                })
            }).collect();
            until_waiting(5, &event);
            assert!(waiters.iter().all(|waiter| !waiter.is_finished()));
            assert!(event.set());
            for waiter in waiters {
                assert!(waiter.join().unwrap());
            }
        });
        assert!(format!("{event:?}").contains("waiting: 0"));
        event.wait();
        assert!(event.wait_timeout(Duration::ZERO));
        assert!(event.wait_deadline(Instant::now()));
    }

    fn set_then_clear_wakes() {
        let event = Event::<B>::new_in();
        for _ in 0..5 {
            let (count, waker) = Counting::new();
            let mut waits: Vec<_> = (0..5).map(|_| Box::pin(event.wait_async())).collect();
            for wait in &mut waits {
                assert_eq!(poll_once(wait.as_mut(), &waker), Poll::Pending);
            }
            thread::scope(|scope| {
                let threads = [(); 3].map(|()| scope.spawn(|| event.wait_timeout(LONG)));
                until_waiting(8, &event);
                assert!(event.set());
                assert!(event.clear());
                assert_eq!(count.count(), 5);
                assert!(threads.map(|thread| thread.join().unwrap()).iter().all(|woken| *woken));
            });
            for wait in &mut waits {
                assert_eq!(poll_once(wait.as_mut(), &waker), Poll::Ready(()));
            }
            assert!(!event.wait_timeout(Duration::ZERO));
        }
    }

    fn dropped_listener_leaves_nothing() {
        let event = Event::<B>::new_in();
        let (count, waker) = Counting::new();
        {
            let mut wait = pin!(event.wait_async());
            assert_eq!(poll_once(wait.as_mut(), &waker), Poll::Pending);
        }
        event.set();
        assert_eq!(count.count(), 0);
    }

    fn notify_all_fair() {
        let event = Event::<B>::new_in();
        let order = Arc::default();
        let mut waits: Vec<_> = (0..8).map(|_| Box::pin(event.wait_async())).collect();
        for (at, wait) in waits.iter_mut().enumerate() {
            let waker = Waker::from(Arc::new(Numbered(at, Arc::clone(&order))));
            assert!(poll_once(wait.as_mut(), &waker).is_pending());
        }
        event.set();
        assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3, 4, 5, 6, 7]);
    }

    fn timeout_of_a_wait() {
        let event = Event::<B>::new_in();
        let start = Instant::now();
        assert!(!event.wait_timeout(SHORT));
        assert!(start.elapsed() >= SHORT);
        assert!(!event.wait_timeout(Duration::ZERO));
        thread::scope(|scope| {
            let waiter = scope.spawn(|| event.wait_timeout(Duration::MAX));
            event.set();
            assert!(waiter.join().unwrap());
        });
    }

    fn a_waker_that_panics_does_not_keep_the_others_asleep() {
        struct Panics;
        impl Wake for Panics {
            fn wake(self: Arc<Self>) {
                panic!("a bug of an executor");
            }
        }
        let event = Event::<B>::new_in();
        let (count, waker) = Counting::new();
        let (mut bad, mut good) = (pin!(event.wait_async()), pin!(event.wait_async()));
        assert!(poll_once(bad.as_mut(), &Waker::from(Arc::new(Panics))).is_pending());
        assert!(poll_once(good.as_mut(), &waker).is_pending());
        event.set();
        assert_eq!(count.count(), 1);
    }
}

#[test]
fn an_event_in_a_static() {
    static EVENT: Event = Event::new();
    thread::scope(|scope| {
        scope.spawn(|| EVENT.set());
        EVENT.wait();
    });
    assert_eq!(
        format!("{EVENT:?}"),
        "Event { is_set: true, waiting: 0, .. }"
    );
}

#[test]
fn no_wait_when_set() {
    let event = Event::<Leaf>::new_in();
    event.set();
    let before = leaf::taken();
    event.wait();
    assert!(event.wait_timeout(LONG));
    block_on(event.wait_async());
    assert_eq!(leaf::taken(), before);
}
