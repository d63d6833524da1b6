//! What the documentation promises of queues, results, pools and arms against code of the program that does its worst:
//! wakers and destructors that panic, jobs that end their pool, and ends that come while somebody waits for ever.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use lockwise::sync::{
    Backend, Barrier, DelayQueue, End, Event, Exchange, Exit, Failure, GetError, Handle, Poller,
    PriorityQueue, Promise, PutError, Queue, Shutdown, Slow, ThreadLocal, ThreadPool, Until,
    Worker, select, wait_for,
};
use lockwise::thread;

use super::comes_back::{Task, doer};
use crate::counted::{Counted, Drops};
use crate::leaf::assert_nothing_held;
use crate::{Counting, LONG, SHORT, on_each_backend, poll_once, until, until_waiting};

/// A waker that panics when it is used.
struct Breaks;

impl Wake for Breaks {
    fn wake(self: Arc<Self>) {
        assert_nothing_held();
        panic!("a waker");
    }
}

/// Does this when it is dropped.
pub(super) struct OnDrop<F: FnMut()>(pub(super) F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        assert_nothing_held();
        (self.0)();
    }
}

/// Whether this panics.
pub(super) fn panics<R>(work: impl FnOnce() -> R) -> bool {
    catch_unwind(AssertUnwindSafe(work)).is_err()
}

on_each_backend! {
    fn a_waker_that_panics_keeps_no_item_and_no_place() {
        let queue = Queue::<u32, B>::bounded_in(1);
        let (mut first, mut second) = (Box::pin(queue.get_async()), Box::pin(queue.get_async()));
        let (count, counting) = Counting::new();
        assert!(poll_once(first.as_mut(), &Waker::from(Arc::new(Breaks))).is_pending());
        assert!(poll_once(second.as_mut(), &counting).is_pending());
        let _ = catch_unwind(AssertUnwindSafe(|| queue.put(1)));
        // The first one has its turn, which it passes on.
        drop(first);
        until(|| count.count() == 1);
        assert_eq!(queue.try_get(), Ok(1));
        assert!(poll_once(second.as_mut(), &counting).is_pending());
        queue.put(2).unwrap();
        drop(second);
        assert_eq!((queue.try_get(), queue.try_get()), (Ok(2), Err(GetError::Empty)));
    }

    fn a_waker_that_panics_keeps_nobody_else_from_an_event_or_an_end() {
        let event = Event::<B>::new_in();
        let (mut first, mut second) = (Box::pin(event.wait_async()), Box::pin(event.wait_async()));
        let (count, counting) = Counting::new();
        assert!(poll_once(first.as_mut(), &Waker::from(Arc::new(Breaks))).is_pending());
        assert!(poll_once(second.as_mut(), &counting).is_pending());
        let _ = catch_unwind(AssertUnwindSafe(|| event.set()));
        assert!(event.is_set() && count.count() == 1);
        assert!(poll_once(second.as_mut(), &counting).is_ready());
        let queue = Queue::<u32, B>::new_in();
        let (mut first, mut second) = (Box::pin(queue.get_async()), Box::pin(queue.get_async()));
        assert!(poll_once(first.as_mut(), &Waker::from(Arc::new(Breaks))).is_pending());
        assert!(poll_once(second.as_mut(), &counting).is_pending());
        let _ = catch_unwind(AssertUnwindSafe(|| queue.close()));
        assert_eq!(count.count(), 2);
    }

    fn waits_for_ever_end_with_the_queue() {
        let (queue, ranked) = (Queue::<u32, B>::bounded_in(1), PriorityQueue::<u32, i64, B>::bounded_in(1));
        let (empty, times) = (Queue::<u32, B>::new_in(), DelayQueue::<u32, B>::new_in());
        queue.put(0).unwrap();
        ranked.put(0, 0).unwrap();
        times.put_after(1, Duration::MAX).unwrap();
        thread::scope(|scope| {
            let put = scope.spawn(|| queue.put_timeout(1, Duration::MAX));
            let many = scope.spawn(|| queue.put_many([2, 3]));
            let rank = scope.spawn(|| ranked.put_timeout(1, 5, Duration::MAX).map(|_| ()));
            let get = scope.spawn(|| empty.get_timeout(Duration::MAX));
            let task = scope.spawn(|| empty.get_task_timeout(Duration::MAX).map(|_| ()));
            let late = scope.spawn(|| times.get_timeout(Duration::MAX));
            until_waiting(2, &queue);
            until_waiting(2, &empty);
            until_waiting(1, &ranked);
            assert_eq!(queue.close_now(), [0]);
            assert_eq!(ranked.close_now(), [0]);
            assert!(empty.close());
            assert_eq!(times.close_now(), [1]);
            assert_eq!(put.join().unwrap(), Err(PutError::Closed(1)));
            assert_eq!(many.join().unwrap(), Err(PutError::Closed(vec![2, 3])));
            assert_eq!(rank.join().unwrap(), Err(PutError::Closed(1)));
            assert_eq!(get.join().unwrap(), Err(GetError::Closed));
            assert_eq!(task.join().unwrap(), Err(GetError::Closed));
            assert_eq!(late.join().unwrap(), Err(GetError::Closed));
        });
    }

    fn the_longest_waits_are_waits() {
        let (event, barrier) = (Event::<B>::new_in(), Barrier::<B>::new_in(2));
        let (promise, future) = Promise::<u32, B>::new_in();
        let exchange = Exchange::<u32, B>::new_in();
        let reader = exchange.reader(Slow::Never);
        let pool = ThreadPool::<B>::new_in(1).unwrap();
        let actor = doer::<B>();
        thread::scope(|scope| {
            let waits = scope.spawn(|| event.wait_timeout(Duration::MAX));
            let meets = scope.spawn(|| barrier.wait_timeout(Duration::MAX));
            let result = scope.spawn(|| future.wait_timeout(Duration::MAX).map_err(drop).unwrap());
            let reads = scope.spawn(|| reader.get_timeout(Duration::MAX));
            let joins = scope.spawn(|| actor.join_timeout(Duration::MAX));
            let polls = scope.spawn(|| {
                let mut poller = Poller::new();
                poller.add(&event, ());
                poller.wait_timeout(Duration::MAX).is_some()
            });
            until_waiting(2, &event);
            event.set();
            assert!(waits.join().unwrap() && polls.join().unwrap());
            assert!(barrier.wait_timeout(Duration::MAX).is_ok() && meets.join().unwrap().is_ok());
            promise.set(1).unwrap();
            assert_eq!(result.join().unwrap().unwrap(), 1);
            exchange.send(2);
            assert_eq!(reads.join().unwrap(), Ok(2));
            assert!(pool.join_timeout(Duration::MAX));
            let asked = actor.ask_timeout(|reply| Task::new(move |_| reply.set(3).unwrap()), Duration::MAX);
            assert_eq!(asked.unwrap(), 3);
            actor.close();
            assert_eq!(joins.join().unwrap(), Ok(Exit::Closed));
        });
    }

    fn a_batch_that_is_closed_half_way_gives_the_rest_back() {
        let queue = Queue::<u32, B>::bounded_in(2);
        thread::scope(|scope| {
            let puts = scope.spawn(|| queue.put_many(0..5));
            until_waiting(1, &queue);
            assert_eq!(queue.get(), Ok(0));
            until_waiting(1, &queue);
            queue.close();
            assert_eq!(puts.join().unwrap(), Err(PutError::Closed(vec![3, 4])));
        });
        assert_eq!(queue.try_iter().collect::<Vec<_>>(), [1, 2]);
    }

    fn an_item_that_empties_its_queue_when_it_is_dropped() {
        struct Last<B: Backend>(Arc<Queue<Option<Last<B>>, B>>, Drops);
        impl<B: Backend> Drop for Last<B> {
            fn drop(&mut self) {
                assert_nothing_held();
                drop(self.0.try_get());
                drop(self.1.value());
                self.0.close();
            }
        }
        let (queue, drops) = (Arc::new(Queue::new_in()), Drops::default());
        for _ in 0..5 {
            queue.put(Some(Last::<B>(Arc::clone(&queue), drops.clone()))).unwrap();
        }
        drop(queue.get());
        assert_eq!(drops.count(), 5);
        assert!(queue.is_closed() && queue.is_empty());
    }

    fn what_is_lent_may_be_carried() {
        // No item needs to live for ever.
        let text = String::from("lent");
        let queue = Queue::<&str, B>::new_in();
        let (promise, future) = Promise::<&str, B>::new_in();
        queue.put(&text).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| promise.set(queue.get().unwrap()));
            assert_eq!(future.wait().unwrap(), "lent");
        });
    }

    fn a_priority_that_panics_puts_nothing() {
        #[derive(Clone, Copy)]
        struct Picky(i64);
        impl lockwise::sync::Priority for Picky {
            fn key(&self) -> i128 {
                assert_nothing_held();
                assert!(self.0 >= 0, "negative");
                self.0.into()
            }
        }
        let (queue, drops) = (PriorityQueue::<_, Picky, B>::bounded_in(2), Drops::default());
        let mut token = queue.put(drops.value(), Picky(1)).unwrap();
        assert!(panics(|| queue.put(drops.value(), Picky(-1)).map(drop)));
        assert!(panics(|| queue.put_evicting(drops.value(), Picky(-1)).map(drop)));
        assert_eq!((drops.count(), queue.len()), (2, 1));
        assert!(panics(|| queue.change_priority(&mut token, Picky(-1))));
        assert!(queue.change_priority(&mut token, Picky(2)));
        assert!(queue.cancel(&token).is_some());
        assert!(queue.cancel(&token).is_none() && queue.is_empty());
    }

    fn tokens_of_what_is_gone_name_nothing() {
        let queue = PriorityQueue::<u32, i64, B>::bounded_in(1);
        let mut token = queue.put(1, 1).unwrap();
        assert_eq!(queue.drain(), [1]);
        let other = queue.put(2, 1).unwrap();
        assert!(!queue.change_priority(&mut token, 9) && queue.cancel(&token).is_none());
        // Who waits for room gets it from what is cancelled.
        thread::scope(|scope| {
            let puts = scope.spawn(|| queue.put(3, 3).map(|_| ()));
            until_waiting(1, &queue);
            assert_eq!(queue.cancel(&other), Some(2));
            puts.join().unwrap().unwrap();
        });
        assert_eq!(queue.close_now(), [3]);
        assert_eq!(queue.put_evicting(4, 9).err(), Some(PutError::Closed(4)));
    }

    fn a_payload_that_panics_when_it_is_dropped_ends_nobody() {
        // Its panic says nothing else than the first one does.
        fn payload() -> Box<dyn Any + Send> {
            Box::new(OnDrop(|| assert!(thread::panicking(), "a payload")))
        }
        let (promise, future) = Promise::<u32, B>::new_in();
        promise.fulfil(|| std::panic::resume_unwind(payload()));
        let failure = future.wait().unwrap_err();
        assert_eq!(failure.message(), None);
        assert!(panics(|| drop(failure)));
        let pool = ThreadPool::<B>::new_in(1).unwrap();
        drop(pool.submit(|| std::panic::resume_unwind(payload())).map(|future: lockwise::sync::Future<(), B>| future));
        assert_eq!(pool.submit(|| 2).unwrap().wait().unwrap(), 2);
        assert_eq!(pool.workers(), 1);
        let actor = doer::<B>();
        actor.send(Task::new(|_| std::panic::resume_unwind(payload()))).unwrap();
        assert!(matches!(actor.join(), Ok(Exit::Panicked(_))));
    }

    fn callbacks_may_end_other_promises_and_drop_the_future_itself() {
        let (first, future) = Promise::<u32, B>::new_in();
        let (second, last) = Promise::<u32, B>::new_in();
        let kept = Arc::new(Mutex::new(None));
        let own = Arc::clone(&kept);
        future.on_done(move |end| {
            assert_nothing_held();
            drop(own.lock().unwrap().take());
            second.set(u32::from(end == End::Done)).unwrap();
        });
        *kept.lock().unwrap() = Some(future);
        first.set(1).unwrap();
        assert_eq!(last.wait().unwrap(), 1);
        assert!(kept.lock().unwrap().is_none());
        // Cancelled in a callback of what it depends on.
        let (first, future) = Promise::<u32, B>::new_in();
        let (second, other) = Promise::<u32, B>::new_in();
        let other = Arc::new(other);
        let cancels = Arc::clone(&other);
        future.on_done(move |_| assert!(cancels.cancel()));
        drop(first);
        assert_eq!((other.ended(), second.set(2)), (Some(End::Cancelled), Err(2)));
    }

    fn a_promise_that_is_dropped_by_a_panic_ends_the_wait() {
        let (promise, future) = Promise::<u32, B>::new_in();
        let dies = thread::spawn(move || {
            assert!(promise.start());
            panic!("with the promise");
        });
        assert!(matches!(future.wait(), Err(Failure::Dropped)));
        assert!(dies.join().is_err());
    }

    fn the_last_waker_counts_and_those_before_are_dropped() {
        let (promise, future) = Promise::<u32, B>::new_in();
        let wakers: Vec<_> = (0..3).map(|_| Counting::new()).collect();
        let mut future = pin!(future);
        for (_, waker) in &wakers {
            assert!(poll_once(future.as_mut(), waker).is_pending());
        }
        let counts: Vec<_> = wakers.into_iter().map(|(count, _)| count).collect();
        assert_eq!(counts.iter().map(Arc::strong_count).collect::<Vec<_>>(), [1, 1, 2]);
        promise.set(1).unwrap();
        assert_eq!(counts.iter().map(|count| count.count()).collect::<Vec<_>>(), [0, 0, 1]);
        let (_, waker) = Counting::new();
        assert!(matches!(poll_once(future.as_mut(), &waker), std::task::Poll::Ready(Ok(1))));
        // It was taken: to ask again is a mistake of the program, which is told.
        assert!(panics(|| poll_once(future.as_mut(), &waker).is_pending()));
    }

    fn a_job_may_shut_its_pool_down_in_each_way() {
        for how in [Shutdown::Finish, Shutdown::Cancel, Shutdown::Detach] {
            let pool = Arc::new(ThreadPool::<B>::new_in(2).unwrap());
            let (own, go) = (Arc::downgrade(&pool), Arc::new(Event::<B>::new_in()));
            let waits = Arc::clone(&go);
            let ends = pool.submit(move || {
                waits.wait();
                let pool = own.upgrade().expect("it is joined below");
                pool.shutdown(how);
                pool.submit(|| ()).is_err()
            }).unwrap();
            go.set();
            assert!(ends.wait().unwrap(), "{how:?}");
            pool.shutdown(Shutdown::Finish);
            assert!(pool.is_closed());
        }
    }

    fn a_job_that_panics_with_what_it_holds_ends_as_panicked() {
        let pool = ThreadPool::<B>::new_in(1).unwrap();
        let drops = Drops::default();
        let (value, in_panic) = (drops.value(), Arc::new(AtomicUsize::new(0)));
        let counts = Arc::clone(&in_panic);
        let bad = pool.submit(move || {
            let _value = value;
            let _notes = OnDrop(|| {
                counts.fetch_add(usize::from(thread::panicking()), SeqCst);
            });
            panic!("a job");
        }).unwrap();
        let failure: Result<(), _> = bad.wait();
        assert_eq!(failure.unwrap_err().message(), Some("a job"));
        assert_eq!((drops.count(), in_panic.load(SeqCst)), (1, 1));
    }

    fn what_a_job_holds_may_submit_when_it_is_dropped() {
        let pool = Arc::new(ThreadPool::<B>::new_in(1).unwrap());
        let (late, ran) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
        let (weak, keeps, runs) = (Arc::downgrade(&pool), Arc::clone(&late), Arc::clone(&ran));
        let holds = OnDrop(move || {
            let Some(pool) = weak.upgrade() else { return };
            let runs = Arc::clone(&runs);
            let job = pool.submit(move || runs.fetch_add(1, SeqCst));
            keeps.lock().unwrap().extend(job);
        });
        let job = pool.submit(move || drop(holds)).unwrap();
        job.wait().unwrap();
        pool.join();
        assert_eq!((ran.load(SeqCst), late.lock().unwrap().len()), (1, 1));
    }

    fn a_worker_that_is_joined_by_its_own_job_is_told() {
        let worker = Arc::new(Worker::<B>::new_in().unwrap());
        let own = Arc::clone(&worker);
        let job = worker.submit(move || {
            let joined = panics(|| own.join());
            // The worker is no longer needed by whoever made it.
            drop(own);
            joined
        }).unwrap();
        assert!(job.wait().unwrap());
        assert_eq!(worker.submit(|| 1).unwrap().wait().unwrap(), 1);
    }

    fn what_stands_behind_an_arm_may_select_and_panic() {
        let (queue, event) = (Queue::<u32, B>::new_in(), Event::<B>::new_in());
        queue.put_many([1, 2, 3]).unwrap();
        let sum = select! {
            get(queue) -> first => select! {
                get(queue) -> second => first.unwrap() + second.unwrap(),
                wait(event) => 0,
            },
            wait(event) => 0,
        };
        assert_eq!(sum, 3);
        assert!(panics(|| select! {
            get(queue) -> got => panic!("with {got:?}"),
            wait(event) => (),
        }));
        until_waiting(0, &queue);
        until_waiting(0, &event);
        assert_eq!(queue.try_get(), Err(GetError::Empty));
    }

    fn one_queue_in_several_arms_gives_one_item() {
        let queue = Queue::<u32, B>::bounded_in(1);
        let drops = Drops::default();
        let full = Queue::<Counted, B>::bounded_in(1);
        full.put(drops.value()).unwrap();
        thread::scope(|scope| {
            let selects = scope.spawn(|| select! {
                get(queue) -> got => got.unwrap(),
                get(queue) -> got => got.unwrap(),
                put(full, drops.value()) -> _ => 0,
                default(LONG) => 0,
            });
            until_waiting(2, &queue);
            queue.put(7).unwrap();
            assert_eq!(selects.join().unwrap(), 7);
        });
        assert!(queue.is_empty());
        // The item of the arm that was not done.
        assert_eq!((drops.count(), full.len()), (1, 1));
    }

    fn a_result_that_nobody_has_is_no_arm() {
        let mut nothing: Option<lockwise::sync::Future<u32, B>> = None;
        let late = select! {
            result(nothing) -> _ => false,
            default(SHORT) => true,
        };
        assert!(late);
        let (promise, future) = Promise::<u32, B>::new_in();
        let mut something = Some(future);
        drop(promise);
        assert!(select! {
            result(nothing) -> _ => false,
            result(something) -> got => matches!(got, Err(Failure::Dropped)),
        });
        assert!(something.is_none());
    }

    fn what_has_ended_and_what_has_not_are_told_apart_at_once() {
        let (promise, pending) = Promise::<u32, B>::new_in();
        let (other, done) = Promise::<u32, B>::new_in();
        other.set(1).unwrap();
        let waited = wait_for([pending, done], Until::All, Some(Duration::ZERO));
        assert_eq!((waited.done.len(), waited.pending.len()), (1, 1));
        let start = Instant::now();
        let waited = wait_for(waited.pending, Until::First, Some(SHORT));
        assert!(start.elapsed() >= SHORT && waited.done.is_empty());
        drop(waited);
        assert_eq!(promise.set(2), Err(2));
    }

    fn a_queue_of_the_ends_of_itself_closes_with_them() {
        let (sender, receiver) = Queue::<Box<dyn Any + Send>, B>::new_in().split();
        let other = sender.clone();
        sender.put(Box::new(other)).unwrap();
        drop(sender);
        // The one that lies in the queue is a sender as long as it lies there.
        let inside = receiver.get().unwrap();
        assert_eq!(receiver.get_timeout(Duration::ZERO).err(), Some(GetError::Timeout));
        drop(inside);
        assert_eq!(receiver.get().err(), Some(GetError::Closed));
    }
}

/// What can be sent to another thread, and be used by several.
#[test]
fn what_may_go_to_other_threads() {
    fn both<T: Send + Sync>() {}
    fn sent<T: Send>() {}
    // Its values need only be `Send`.
    both::<Queue<Cell<u32>>>();
    both::<PriorityQueue<Cell<u32>>>();
    both::<DelayQueue<Cell<u32>>>();
    both::<Exchange<Cell<u32>>>();
    both::<ThreadLocal<RefCell<u32>>>();
    both::<Handle<Cell<u32>>>();
    both::<lockwise::sync::Sender<Cell<u32>>>();
    both::<lockwise::sync::Receiver<Cell<u32>>>();
    both::<lockwise::sync::Recipient<u32>>();
    both::<Event>();
    both::<Barrier>();
    both::<ThreadPool>();
    both::<Worker>();
    both::<lockwise::sync::Reader<Cell<u32>>>();
    sent::<Promise<Cell<u32>>>();
    sent::<lockwise::sync::Future<Cell<u32>>>();
    sent::<lockwise::sync::Get<'_, Cell<u32>>>();
    sent::<lockwise::sync::Put<'_, Cell<u32>>>();
    sent::<lockwise::sync::EventWait<'_>>();
    both::<PutError<u32>>();
    both::<Exit>();
}
