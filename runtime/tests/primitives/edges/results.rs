use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lockwise::sync::{
    Backend, Barrier, End, Event, Failure, Future, Promise, Refused, Shutdown, ThreadPool, Until,
    Worker, as_completed, wait_for,
};
use lockwise::thread;

use crate::counted::{Counted, Drops};
use crate::{SHORT, on_each_backend, past, rounds, until};

/// Has the only worker of a pool wait until the event is set.
fn held_up<B: Backend>(pool: &ThreadPool<B>) -> Arc<Event<B>> {
    let (began, go) = (
        Arc::new(Event::<B>::new_in()),
        Arc::new(Event::<B>::new_in()),
    );
    let (begins, goes) = (Arc::clone(&began), Arc::clone(&go));
    let job = pool.submit(move || {
        begins.set();
        goes.wait();
    });
    drop(job.expect("it is open"));
    began.wait();
    go
}

/// Panics when it is dropped.
struct Bad(#[expect(dead_code, reason = "it is only dropped")] Counted);

impl Drop for Bad {
    fn drop(&mut self) {
        panic!("in a destructor");
    }
}

on_each_backend! {
    fn what_has_ended_cannot_be_cancelled() {
        let (promise, future) = Promise::<u32, B>::new_in();
        assert!(future.cancel());
        assert!(!future.cancel());
        assert!(!promise.is_wanted() && !promise.start());
        assert_eq!(promise.set(1), Err(1));
        assert_eq!(future.ended(), Some(End::Cancelled));
        assert!(matches!(future.wait(), Err(Failure::Cancelled)));
        let (promise, future) = Promise::<u32, B>::new_in();
        promise.set(2).unwrap();
        assert!(!future.cancel());
        assert_eq!(future.wait().unwrap(), 2);
    }

    fn cancelled_work_is_not_begun() {
        let (promise, future) = Promise::<u32, B>::new_in();
        future.cancel();
        let begun = AtomicUsize::new(0);
        promise.fulfil(|| {
            begun.fetch_add(1, SeqCst);
            1
        });
        assert_eq!(begun.load(SeqCst), 0);
    }

    fn no_time_is_one_look_at_a_result() {
        let (promise, future) = Promise::<u32, B>::new_in();
        let future = future.wait_timeout(Duration::ZERO).unwrap_err();
        assert!(!future.wait_done_timeout(Duration::ZERO));
        promise.set(1).unwrap();
        let past = past(SHORT);
        assert!(future.wait_done_deadline(past));
        assert_eq!(future.wait_deadline(past).unwrap().unwrap(), 1);
    }

    fn a_late_callback_that_panics_does_not_reach_who_registers_it() {
        let (promise, future) = Promise::<u32, B>::new_in();
        promise.set(1).unwrap();
        future.on_done(|_| panic!("in a callback"));
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&runs);
        future.on_done(move |end| {
            assert_eq!(end, End::Done);
            counted.fetch_add(1, SeqCst);
        });
        assert_eq!(runs.load(SeqCst), 1);
        assert_eq!(future.wait().unwrap(), 1);
    }

    fn callbacks_hand_a_result_on_a_long_way() {
        // Each is kept by the callback of the one before.
        let (first, mut last) = Promise::<u32, B>::new_in();
        for _ in 0..100 {
            let (next, future) = Promise::<u32, B>::new_in();
            last.on_done(move |end| {
                assert_eq!(end, End::Done);
                next.set(7).unwrap();
            });
            // What nobody takes is dropped; the callbacks run all the same.
            last = future;
        }
        // Given back, as its future is gone by now.
        assert_eq!(first.set(1), Err(1));
        assert_eq!(last.wait().unwrap(), 7);
    }

    fn a_promise_that_goes_with_its_thread_is_dropped() {
        let (promise, future) = Promise::<u32, B>::new_in();
        let gone = thread::spawn(move || {
            let _promise = promise;
            panic!("on the way");
        });
        assert!(matches!(future.wait(), Err(Failure::Dropped)));
        assert!(gone.join().is_err());
    }

    fn a_panic_without_a_text_has_none() {
        let pool = ThreadPool::<B>::new_in(1).unwrap();
        let result = pool.submit(|| std::panic::panic_any(5_u8)).unwrap();
        match result.wait().unwrap_err() {
            failure @ Failure::Panicked(_) => assert_eq!(failure.message(), None),
            other => panic!("{other:?}"),
        }
        let result = pool.submit(|| panic!("with {}", "a text")).unwrap();
        assert_eq!(result.wait().unwrap_err().message(), Some("with a text"));
    }

    fn waiting_for_nothing_and_for_what_is_there_does_not_wait() {
        let (promise, future) = Promise::<u32, B>::new_in();
        promise.set(1).unwrap();
        let waited = wait_for([future], Until::FirstFailure, Some(Duration::ZERO));
        assert_eq!((waited.done.len(), waited.pending.len()), (1, 0));
        let mut none = as_completed(Vec::<lockwise::sync::Future<u32, B>>::new());
        assert!(none.next().is_none());
    }

    fn what_had_come_before_is_handed_out_as_it_was_handed_in() {
        let (first, one) = Promise::<u32, B>::new_in();
        let (second, two) = Promise::<u32, B>::new_in();
        let (third, three) = Promise::<u32, B>::new_in();
        third.set(3).unwrap();
        first.set(1).unwrap();
        let mut completed = as_completed([one, two, three]);
        assert_eq!(completed.next().unwrap().wait().unwrap(), 1);
        assert_eq!(completed.next().unwrap().wait().unwrap(), 3);
        drop(second);
        assert!(matches!(completed.next().unwrap().wait(), Err(Failure::Dropped)));
        assert!(completed.next().is_none());
    }

    fn a_job_that_waits_for_jobs_behind_it_is_told() {
        let pool = Arc::new(ThreadPool::<B>::new_in(1).unwrap());
        let inner = Arc::clone(&pool);
        let told = pool.submit(move || {
            let jobs: Vec<_> = (0..2).map(|number| inner.submit(move || number).unwrap()).collect();
            let mut waited = wait_for(jobs, Until::All, None);
            assert_eq!((waited.done.len(), waited.pending.len()), (0, 2));
            let first = waited.pending.remove(0);
            assert!(matches!(first.wait(), Err(Failure::Deadlock)));
            let mut rest = as_completed(waited.pending);
            let second = rest.next().unwrap();
            matches!(second.wait(), Err(Failure::Deadlock))
        });
        assert!(told.unwrap().wait().unwrap());
    }

    fn a_job_may_wait_for_several_while_another_worker_does_them() {
        let pool = Arc::new(ThreadPool::<B>::new_in(2).unwrap());
        let inner = Arc::clone(&pool);
        let sum = pool.submit(move || {
            let jobs: Vec<_> = (1..=10).map(|number| inner.submit(move || number).unwrap()).collect();
            let waited = wait_for(jobs, Until::All, None);
            assert!(waited.pending.is_empty());
            waited.done.into_iter().map(|job| job.wait().unwrap()).sum::<u32>()
        });
        assert_eq!(sum.unwrap().wait().unwrap(), 55);
    }

    fn a_job_cannot_join_its_own_pool() {
        let pool = Arc::new(ThreadPool::<B>::new_in(1).unwrap());
        let inner = Arc::clone(&pool);
        let joined = pool.submit(move || inner.join()).unwrap();
        let failure = joined.wait().unwrap_err();
        assert!(failure.message().unwrap().contains("its own pool"), "{failure}");
        let inner = Arc::clone(&pool);
        let in_time = pool.submit(move || inner.join_timeout(Duration::ZERO)).unwrap();
        assert!(!in_time.wait().unwrap());
        pool.join();
    }

    fn a_refused_job_can_still_be_done() {
        let pool = ThreadPool::<B>::new_in(1).unwrap();
        pool.shutdown(Shutdown::Finish);
        let text = String::from("mine");
        let Err(Refused(work)) = pool.submit(move || text) else {
            panic!("it was taken");
        };
        assert_eq!(work(), "mine");
        assert!(pool.map([1], |number| number).is_err());
        pool.join();
    }

    fn a_pool_that_could_not_be_set_up_gives_work_back() {
        let pool = ThreadPool::<B>::builder_in(1).initializer(|| panic!("no worker can be had")).build().unwrap();
        // One that came before the worker began is ended by it.
        if let Ok(early) = pool.submit(|| 1) {
            assert!(matches!(early.wait(), Err(Failure::Broken)));
        }
        until(|| pool.is_closed());
        let Err(Refused(work)) = pool.submit(|| 42) else {
            panic!("it was taken");
        };
        assert_eq!(work(), 42);
        assert_eq!(pool.queued(), 0);
    }

    fn each_worker_has_a_name_of_its_own() {
        let pool = ThreadPool::<B>::builder_in(2).name("press").build().unwrap();
        let both = Arc::new(Barrier::<B>::new_in(2));
        let names = [(); 2].map(|()| {
            let both = Arc::clone(&both);
            pool.submit(move || {
                both.wait().unwrap();
                thread::current().name().map(str::to_owned)
            }).unwrap()
        });
        let mut names = names.map(|name| name.wait().unwrap().unwrap());
        names.sort();
        assert_eq!(names, ["press-0", "press-1"]);
    }

    fn a_closed_worker_gives_work_back_and_keeps_its_results() {
        let worker = Worker::<B>::new_in().unwrap();
        let sum = worker.submit(|| 2 + 2).unwrap();
        worker.close();
        worker.join();
        assert!(worker.is_closed());
        let Err(Refused(work)) = worker.submit(|| 5) else {
            panic!("it was taken");
        };
        assert_eq!(work(), 5);
        assert_eq!(sum.wait().unwrap(), 4);
    }

    fn what_a_cancelled_job_holds_goes_when_its_turn_comes() {
        let drops = Drops::default();
        let pool = ThreadPool::<B>::new_in(1).unwrap();
        let go = held_up(&pool);
        let value = drops.value();
        let cancelled = pool.submit(move || drop(value)).unwrap();
        assert!(cancelled.cancel());
        assert_eq!(drops.count(), 0);
        go.set();
        pool.join();
        assert_eq!(drops.count(), 1);
        assert!(matches!(cancelled.wait(), Err(Failure::Cancelled)));
    }

    fn a_job_whose_future_is_gone_is_done_and_called_back_for() {
        let drops = Drops::default();
        let pool = ThreadPool::<B>::new_in(1).unwrap();
        let go = held_up(&pool);
        let (value, ends) = (drops.value(), Arc::new(Mutex::new(Vec::new())));
        let noting = || {
            let ends = Arc::clone(&ends);
            move |end| ends.lock().unwrap().push(end)
        };
        let done = pool.submit(move || value).unwrap();
        done.on_done(noting());
        let panics: Future<(), B> = pool.submit(|| panic!("nobody waits for it")).unwrap();
        panics.on_done(noting());
        let cancelled: Future<(), B> = pool.submit(|| panic!("it was cancelled")).unwrap();
        cancelled.on_done(noting());
        assert!(cancelled.cancel());
        drop((done, panics, cancelled));
        assert_eq!(drops.count(), 0);
        go.set();
        pool.join();
        assert_eq!(drops.count(), 1);
        assert_eq!(*ends.lock().unwrap(), [End::Cancelled, End::Done, End::Panicked]);
    }

    fn a_destructor_that_panics_ends_no_worker() {
        let drops = Drops::default();
        let pool = ThreadPool::<B>::new_in(1).unwrap();
        let go = held_up(&pool);
        let value = Bad(drops.value());
        drop(pool.submit(move || value).unwrap());
        let held = Bad(drops.value());
        let cancelled = pool.submit(move || drop(held)).unwrap();
        assert!(cancelled.cancel());
        go.set();
        assert_eq!(pool.submit(|| 3).unwrap().wait().unwrap(), 3);
        pool.join();
        assert_eq!((drops.count(), pool.workers()), (2, 1));
    }

    fn a_destructor_that_panics_keeps_no_other_job_from_being_cancelled() {
        let drops = Drops::default();
        let pool = ThreadPool::<B>::new_in(1).unwrap();
        let go = held_up(&pool);
        let held = Bad(drops.value());
        let first = pool.submit(move || drop(held)).unwrap();
        let second = pool.submit(|| ()).unwrap();
        second.on_done(move |_| {
            go.set();
        });
        pool.shutdown(Shutdown::Cancel);
        assert!(matches!(first.wait(), Err(Failure::Cancelled)));
        assert!(matches!(second.wait(), Err(Failure::Cancelled)));
        assert_eq!(drops.count(), 1);
    }

    fn what_is_left_of_many_jobs_is_used_again_and_harms_none() {
        let drops = Drops::default();
        let pool = ThreadPool::<B>::new_in(2).unwrap();
        let jobs = rounds(400);
        for at in 0..jobs {
            let (small, large) = (drops.value(), [at; 100]);
            drop(pool.submit(move || small).unwrap());
            let sum = pool.submit(move || large.iter().sum::<usize>()).unwrap();
            if at % 7 == 0 {
                assert_eq!(sum.wait().unwrap(), 100 * at);
            }
        }
        pool.join();
        assert_eq!(drops.count(), jobs);
    }

    fn a_pool_is_shut_down_in_each_way_again() {
        let pool = ThreadPool::<B>::new_in(1).unwrap();
        let (began, go) = (Arc::new(Event::<B>::new_in()), Arc::new(Event::<B>::new_in()));
        let (begins, goes) = (Arc::clone(&began), Arc::clone(&go));
        let running = pool.submit(move || {
            begins.set();
            goes.wait();
            1
        }).unwrap();
        let queued = pool.submit(|| 2).unwrap();
        began.wait();
        pool.shutdown(Shutdown::Detach);
        assert!(pool.is_closed());
        go.set();
        pool.shutdown(Shutdown::Cancel);
        pool.shutdown(Shutdown::Cancel);
        pool.shutdown(Shutdown::Finish);
        assert_eq!(running.wait().unwrap(), 1);
        // Cancelled, or done before that.
        assert!(matches!(queued.wait(), Ok(2) | Err(Failure::Cancelled)));
        assert_eq!(pool.workers(), 0);
    }

    fn a_map_of_nothing_has_no_results() {
        let pool = ThreadPool::<B>::new_in(1).unwrap();
        assert_eq!(pool.map(Vec::<u32>::new(), |number| number).unwrap().count(), 0);
    }

    fn a_map_whose_items_panic_or_use_the_pool_leaves_that_as_it_is() {
        let pool = ThreadPool::<B>::new_in(1).unwrap();
        let panic = catch_unwind(AssertUnwindSafe(|| {
            let items = (0..5).inspect(|at| assert!(*at < 3, "the fourth item"));
            pool.map(items, |at| at).map(drop)
        }));
        assert!(panic.is_err());
        pool.join();
        let items = (0..3).map(|at| pool.submit(move || at).unwrap().wait().unwrap());
        let doubles = pool.map(items, |at| 2 * at).unwrap().map(Result::unwrap);
        assert_eq!(doubles.collect::<Vec<_>>(), [0, 2, 4]);
    }

    fn a_job_that_drops_the_pool_leaves_the_rest_to_be_done() {
        let pool = Arc::new(ThreadPool::<B>::new_in(1).unwrap());
        let (inside, go) = (Arc::clone(&pool), Arc::new(Event::<B>::new_in()));
        let goes = Arc::clone(&go);
        let first = pool.submit(move || {
            goes.wait();
            drop(inside);
        }).unwrap();
        let rest = [1, 2, 3].map(|at| pool.submit(move || at).unwrap());
        drop(pool);
        go.set();
        first.wait().unwrap();
        assert_eq!(rest.map(|job| job.wait().unwrap()), [1, 2, 3]);
    }

    fn a_dropped_map_cancels_what_has_not_begun() {
        let pool = ThreadPool::<B>::new_in(1).unwrap();
        let (began, go) = (Arc::new(Event::<B>::new_in()), Arc::new(Event::<B>::new_in()));
        let (begins, goes) = (Arc::clone(&began), Arc::clone(&go));
        let done = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&done);
        let results = pool.map(0..10, move |_| {
            begins.set();
            goes.wait();
            counted.fetch_add(1, SeqCst);
        }).unwrap();
        began.wait();
        drop(results);
        go.set();
        pool.join();
        assert_eq!(done.load(SeqCst), 1);
    }

    fn what_a_job_holds_is_dropped_before_it_counts_as_done() {
        let drops = Drops::default();
        let pool = ThreadPool::<B>::new_in(1).unwrap();
        let value = drops.value();
        drop(pool.submit(move || drop(value)).unwrap());
        let value = drops.value();
        drop(pool.submit(move || {
            let _value = &value;
            panic!("with something in hand");
        }).unwrap());
        pool.join();
        assert_eq!(drops.count(), 2);
    }

    fn a_worker_is_closed_cancelled_and_joined_again() {
        let worker = Worker::<B>::new_in().unwrap();
        let (began, go) = (Arc::new(Event::<B>::new_in()), Arc::new(Event::<B>::new_in()));
        let (begins, goes) = (Arc::clone(&began), Arc::clone(&go));
        let running = worker.submit(move || {
            begins.set();
            goes.wait();
        }).unwrap();
        let queued = worker.submit(|| ()).unwrap();
        began.wait();
        thread::scope(|scope| {
            let canceller = scope.spawn(|| worker.cancel());
            assert!(matches!(queued.wait(), Err(Failure::Cancelled)));
            go.set();
            canceller.join().unwrap();
        });
        running.wait().unwrap();
        worker.close();
        worker.close();
        assert!(worker.submit(|| ()).is_err());
        worker.join();
        worker.join();
        assert!(worker.join_timeout(Duration::ZERO));
    }

    fn a_job_that_submits_behind_the_end_is_told() {
        let pool = Arc::new(ThreadPool::<B>::new_in(1).unwrap());
        let go = Arc::new(Event::<B>::new_in());
        let (inner, goes) = (Arc::clone(&pool), Arc::clone(&go));
        let refused = pool.submit(move || {
            goes.wait();
            inner.submit(|| ()).is_err()
        }).unwrap();
        pool.shutdown(Shutdown::Detach);
        go.set();
        assert!(refused.wait().unwrap());
        pool.shutdown(Shutdown::Finish);
    }
}

#[test]
fn a_pool_of_nobody_is_an_error_that_can_be_shown() {
    let error = ThreadPool::new(0).unwrap_err();
    assert_eq!(error.to_string(), "a pool needs a worker");
    // An initializer that panics leaves a pool that refuses, and nobody waits for ever.
    let pool = ThreadPool::builder(1)
        .grow_on_need()
        .initializer(|| panic!("in the initializer"))
        .build()
        .unwrap();
    let result = pool.submit(|| 1);
    let refused = catch_unwind(AssertUnwindSafe(|| {
        result.map(lockwise::sync::Future::wait)
    }));
    match refused.unwrap() {
        Ok(result) => assert!(matches!(result, Err(Failure::Broken))),
        Err(Refused(work)) => assert_eq!(work(), 1),
    }
}
