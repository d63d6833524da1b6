use lockwise::thread;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lockwise::sync::{End, Failure, Promise, Until, as_completed, wait_for};

use super::counted::Drops;
use super::leaf::assert_nothing_held;
use super::{Counting, LONG, SHORT, block_on, on_each_backend, poll_once};

on_each_backend! {
    fn the_value_arrives() {
        let (promise, future) = Promise::<_, B>::new_in();
        let giver = thread::spawn(move || promise.set(5));
        assert_eq!(future.wait().unwrap(), 5);
        assert_eq!(giver.join().unwrap(), Ok(()));
    }

    fn submit_panics() {
        let (promise, future) = Promise::<u32, B>::new_in();
        promise.fulfil(|| panic!("no {}", "value"));
        let failure = future.wait().unwrap_err();
        assert_eq!(failure.message(), Some("no value"));
        assert_eq!(failure.to_string(), "the work panicked: no value");
    }

    fn callback_result_panic_cancel() {
        let ends = Arc::new(Mutex::new(Vec::new()));
        let note = |ends: &Arc<Mutex<Vec<_>>>| {
            let ends = Arc::clone(ends);
            move |end| {
                assert_nothing_held();
                ends.lock().unwrap().push(end);
            }
        };
        let (promise, future) = Promise::<u32, B>::new_in();
        future.on_done(note(&ends));
        promise.set(1).unwrap();
        let (promise, future) = Promise::<u32, B>::new_in();
        future.on_done(note(&ends));
        promise.fulfil(|| panic!("of the work"));
        let (promise, future) = Promise::<u32, B>::new_in();
        future.on_done(note(&ends));
        assert!(future.cancel());
        assert!(!promise.start());
        assert_eq!(promise.set(1), Err(1));
        assert!(matches!(future.wait(), Err(Failure::Cancelled)));
        let (promise, future) = Promise::<u32, B>::new_in();
        future.on_done(note(&ends));
        drop(promise);
        assert!(matches!(future.wait(), Err(Failure::Dropped)));
        let ends = ends.lock().unwrap();
        assert_eq!(*ends, [End::Done, End::Panicked, End::Cancelled, End::Dropped]);
    }

    fn callback_already_done() {
        let (promise, future) = Promise::<_, B>::new_in();
        promise.set(1).unwrap();
        let here = thread::current().id();
        let ran = Arc::new(AtomicUsize::new(0));
        let runs = Arc::clone(&ran);
        future.on_done(move |end| {
            assert_eq!((thread::current().id(), end), (here, End::Done));
            runs.fetch_add(1, SeqCst);
        });
        assert_eq!(ran.load(SeqCst), 1);
    }

    fn callbacks_run_in_order_and_a_panic_stops_none() {
        let order = Arc::new(Mutex::new(Vec::new()));
        let (promise, future) = Promise::<_, B>::new_in();
        for at in 0..4 {
            let order = Arc::clone(&order);
            future.on_done(move |_| {
                order.lock().unwrap().push(at);
                assert!(at != 1, "the second one panics");
            });
        }
        promise.set(()).unwrap();
        assert_eq!(order.lock().unwrap_or_else(std::sync::PoisonError::into_inner).as_slice(), [0, 1, 2, 3]);
    }

    fn callback_takes_same_future() {
        let (promise, future) = Promise::<u32, B>::new_in();
        let future = Arc::new(future);
        let (same, seen) = (Arc::downgrade(&future), Arc::new(Mutex::new(None)));
        let note = Arc::clone(&seen);
        future.on_done(move |_| {
            let same = same.upgrade().expect("it is kept");
            assert!(same.is_done() && !same.cancel());
            same.wait_done();
            same.on_done(move |end| *note.lock().unwrap() = Some(end));
        });
        promise.set(3).unwrap();
        assert_eq!(*seen.lock().unwrap(), Some(End::Done));
    }

    fn wait_timeout_pending() {
        let (promise, future) = Promise::<_, B>::new_in();
        let start = Instant::now();
        let future = future.wait_timeout(SHORT).expect_err("there is no result");
        assert!(start.elapsed() >= SHORT);
        let future = future.try_get().expect_err("there is no result");
        promise.set("late").unwrap();
        assert!(future.wait_done_timeout(Duration::ZERO));
        assert_eq!(future.wait_timeout(Duration::MAX).unwrap().unwrap(), "late");
    }

    fn send_error_returns_value() {
        let drops = Drops::default();
        let (promise, future) = Promise::<_, B>::new_in();
        assert!(promise.is_wanted());
        drop(future);
        assert!(!promise.is_wanted());
        let back = promise.set(drops.value());
        assert_eq!(drops.count(), 0);
        drop(back.unwrap_err());
        assert_eq!(drops.count(), 1);
    }

    fn value_dropped_with_future() {
        let drops = Drops::default();
        let (promise, future) = Promise::<_, B>::new_in();
        promise.set(drops.value()).unwrap();
        assert_eq!(drops.count(), 0);
        drop(future);
        assert_eq!(drops.count(), 1);
    }

    fn started_work_cannot_be_cancelled() {
        let (promise, future) = Promise::<_, B>::new_in();
        assert!(promise.start());
        assert!(!future.cancel());
        promise.set(1).unwrap();
        assert_eq!(future.wait().unwrap(), 1);
    }

    fn many_wait_for_one() {
        let (promise, future) = Promise::<_, B>::new_in();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| assert!(future.wait_done_timeout(LONG)));
            }
            promise.set(1).unwrap();
        });
        assert_eq!(future.wait().unwrap(), 1);
    }

    fn wait_first_exception() {
        let made: Vec<_> = (0..3).map(|_| Promise::<u32, B>::new_in()).collect();
        let (mut promises, futures): (Vec<_>, Vec<_>) = made.into_iter().unzip();
        promises.remove(0).set(0).unwrap();
        promises.remove(0).fulfil(|| panic!("the second"));
        let waited = wait_for(futures, Until::FirstFailure, None);
        assert_eq!((waited.done.len(), waited.pending.len()), (2, 1));
        let last = promises.remove(0);
        thread::scope(|scope| {
            scope.spawn(|| last.set(2));
            let waited = wait_for(waited.pending, Until::FirstFailure, None);
            assert_eq!((waited.done.len(), waited.pending.len()), (1, 0));
        });
        // One that comes during the wait ends that too, and a value does not.
        let made: Vec<_> = (0..3).map(|_| Promise::<u32, B>::new_in()).collect();
        let (mut promises, futures): (Vec<_>, Vec<_>) = made.into_iter().unzip();
        let kept = promises.remove(1);
        thread::scope(|scope| {
            let waits = scope.spawn(|| wait_for(futures, Until::FirstFailure, Some(LONG)));
            promises.remove(1).set(2).unwrap();
            drop(promises.remove(0));
            let waited = waits.join().unwrap();
            assert!(waited.done.iter().any(|future| future.ended() == Some(End::Dropped)));
            assert_eq!(waited.pending.len(), 1);
        });
        assert!(!kept.is_wanted());
    }

    fn wait_all_timeout() {
        let (one, first) = Promise::<_, B>::new_in();
        let (two, second) = Promise::<_, B>::new_in();
        two.set(2).unwrap();
        let waited = wait_for([first, second], Until::All, Some(SHORT));
        assert_eq!((waited.done.len(), waited.pending.len()), (1, 1));
        assert_eq!(waited.done.into_iter().next().unwrap().wait().unwrap(), 2);
        drop(one);
        let waited = wait_for(waited.pending, Until::All, None);
        assert_eq!(waited.done[0].ended(), Some(End::Dropped));
    }

    fn nothing_to_wait_for() {
        for until in [Until::All, Until::First, Until::FirstFailure] {
            assert!(wait_for(Vec::<lockwise::sync::Future<(), B>>::new(), until, None).done.is_empty());
        }
    }

    fn results_as_they_come() {
        let made: Vec<_> = (0..3).map(|_| Promise::<_, B>::new_in()).collect();
        let (promises, futures): (Vec<_>, Vec<_>) = made.into_iter().unzip();
        let mut completed = as_completed(futures);
        for (at, promise) in promises.into_iter().enumerate().rev() {
            promise.set(at).unwrap();
            assert_eq!(completed.next().expect("one has ended").wait().unwrap(), at);
        }
        assert!(completed.next().is_none());
    }

    fn future_awaited() {
        let (promise, future) = Promise::<_, B>::new_in();
        let giver = thread::spawn(move || promise.set(7));
        assert_eq!(block_on(future).unwrap(), 7);
        giver.join().unwrap().unwrap();
    }

    fn a_task_is_woken_once_and_its_waker_goes_with_the_future() {
        let (promise, future) = Promise::<_, B>::new_in();
        let (count, waker) = Counting::new();
        {
            let mut future = pin!(future);
            assert!(poll_once(future.as_mut(), &waker).is_pending());
            assert!(poll_once(future.as_mut(), &waker).is_pending());
        }
        drop(waker);
        assert_eq!(Arc::strong_count(&count), 1);
        assert_eq!(promise.set(1), Err(1));
        assert_eq!(count.count(), 0);
    }
}
