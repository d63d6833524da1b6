use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use lockwise::sync::{
    BuildError, End, Event, Failure, Future, Queue, Shutdown, ThreadPool, Until, Worker, wait_for,
};
use lockwise::thread;

use super::counted::Drops;
use super::{LONG, SHORT, block_on, on_each_backend, rounds, until};

on_each_backend! {
    fn submit_panics() {
        let pool = ThreadPool::<B>::new_in(1).unwrap();
        let bad = pool.submit(|| -> u32 { panic!("a job") }).unwrap();
        let good = pool.submit(|| 2).unwrap();
        assert_eq!(bad.wait().unwrap_err().message(), Some("a job"));
        assert_eq!(good.wait().unwrap(), 2);
        assert_eq!(pool.workers(), 1);
    }

    fn shutdown_race() {
        for _ in 0..rounds(50) {
            let pool = ThreadPool::<B>::new_in(3).unwrap();
            let jobs: Vec<_> = (0..3).map(|at| pool.submit(move || at).unwrap()).collect();
            pool.shutdown(Shutdown::Finish);
            assert!(jobs.iter().all(Future::is_done));
        }
    }

    fn shutdown_waits_for_50() {
        let pool = ThreadPool::<B>::new_in(2).unwrap();
        let done = Arc::new(AtomicUsize::new(0));
        let jobs = rounds(50);
        for _ in 0..jobs {
            let done = Arc::clone(&done);
            drop(pool.submit(move || done.fetch_add(1, SeqCst)).unwrap());
        }
        pool.shutdown(Shutdown::Finish);
        assert_eq!(done.load(SeqCst), jobs);
    }

    fn shutdown_no_wait() {
        let pool = ThreadPool::<B>::new_in(1).unwrap();
        let go = Arc::new(Event::<B>::new_in());
        let waits = Arc::clone(&go);
        let first = pool.submit(move || waits.wait()).unwrap();
        let second = pool.submit(|| 2).unwrap();
        pool.shutdown(Shutdown::Detach);
        assert!(!first.is_done());
        pool.detach();
        go.set();
        first.wait().unwrap();
        assert_eq!(second.wait().unwrap(), 2);
    }

    fn shutdown_cancels() {
        let pool = ThreadPool::<B>::new_in(1).unwrap();
        let (began, go) = (Arc::new(Event::<B>::new_in()), Arc::new(Event::<B>::new_in()));
        let (begins, waits) = (Arc::clone(&began), Arc::clone(&go));
        let first = pool.submit(move || {
            begins.set();
            waits.wait();
            1
        }).unwrap();
        let second = pool.submit(|| 2).unwrap();
        began.wait();
        second.on_done(move |end| {
            assert_eq!(end, End::Cancelled);
            go.set();
        });
        pool.shutdown(Shutdown::Cancel);
        assert_eq!(first.wait().unwrap(), 1);
        assert!(matches!(second.wait(), Err(Failure::Cancelled)));
    }

    fn submit_after_shutdown() {
        let drops = Drops::default();
        let pool = ThreadPool::<B>::new_in(1).unwrap();
        pool.shutdown(Shutdown::Finish);
        let value = drops.value();
        let refused = pool.submit(move || drop(value)).unwrap_err();
        assert_eq!((drops.count(), refused.to_string().as_str()), (0, "no more jobs are taken"));
        (refused.0)();
        assert_eq!(drops.count(), 1);
        assert!(pool.map(0..3, |at| at).is_err());
    }

    fn pool_drop_joins() {
        let done = Arc::new(AtomicUsize::new(0));
        let pool = ThreadPool::<B>::new_in(2).unwrap();
        for _ in 0..10 {
            let done = Arc::clone(&done);
            drop(pool.submit(move || done.fetch_add(1, SeqCst)).unwrap());
        }
        drop(pool);
        assert_eq!(done.load(SeqCst), 10);
        // Its threads end: what is theirs alone is dropped.
        thread_local! {
            static OWN: std::cell::RefCell<Option<super::super::counted::Counted>> =
                const { std::cell::RefCell::new(None) };
        }
        let drops = Drops::default();
        let own = drops.clone();
        let pool = ThreadPool::<B>::builder_in(2)
            .initializer(move || OWN.set(Some(own.value())))
            .build()
            .unwrap();
        pool.submit(|| ()).unwrap().wait().unwrap();
        drop(pool);
        until(|| drops.count() == 2);
        // In its own job: it does not wait for itself.
        let pool = Arc::new(ThreadPool::<B>::new_in(1).unwrap());
        let own = Arc::clone(&pool);
        let go = Arc::new(Event::<B>::new_in());
        let waits = Arc::clone(&go);
        let last = pool.submit(move || {
            waits.wait();
            drop(own);
            7
        }).unwrap();
        drop(pool);
        go.set();
        assert_eq!(last.wait().unwrap(), 7);
    }

    fn idle_reuse() {
        for _ in 0..rounds(20) {
            let pool = ThreadPool::<B>::builder_in(4).grow_on_need().build().unwrap();
            assert_eq!(pool.workers(), 0);
            for at in 0..3 {
                assert_eq!(pool.submit(move || at).unwrap().wait().unwrap(), at);
            }
            assert_eq!(pool.workers(), 1);
        }
    }

    fn grows_as_far_as_it_must() {
        let pool = ThreadPool::<B>::builder_in(3).grow_on_need().build().unwrap();
        let met = Arc::new(lockwise::sync::Barrier::<B>::new_in(3));
        let jobs: Vec<_> = (0..3).map(|_| {
            let met = Arc::clone(&met);
            pool.submit(move || met.wait_timeout(LONG).is_ok()).unwrap()
        }).collect();
        assert!(jobs.into_iter().all(|job| job.wait().unwrap()));
        assert_eq!(pool.workers(), 3);
        pool.join();
    }

    // The callback runs on the worker, which is not free while it waits there for another job.
    fn a_callback_that_waits_for_another_job_finds_a_worker() {
        let pool = Arc::new(ThreadPool::<B>::builder_in(2).grow_on_need().build().unwrap());
        let (go, got) = (Arc::new(Event::<B>::new_in()), Arc::new(Queue::<u32, B>::new_in()));
        let waits = Arc::clone(&go);
        let first = pool.submit(move || waits.wait()).unwrap();
        let (again, gives) = (Arc::clone(&pool), Arc::clone(&got));
        first.on_done(move |_| {
            let second = again.submit(|| 2).unwrap();
            gives.put(second.wait().unwrap()).unwrap();
        });
        go.set();
        assert_eq!(got.get_timeout(LONG), Ok(2));
    }

    fn initializer_runs_per_worker() {
        let threads = Arc::new(Mutex::new(HashSet::new()));
        let seen = Arc::clone(&threads);
        let pool = ThreadPool::<B>::builder_in(3)
            .initializer(move || {
                assert!(seen.lock().unwrap().insert(thread::current().id()), "twice on one worker");
            })
            .build()
            .unwrap();
        for _ in 0..rounds(20) {
            drop(pool.submit(|| ()).unwrap());
        }
        pool.shutdown(Shutdown::Finish);
        assert_eq!(threads.lock().unwrap().len(), 3);
    }

    fn initializer_fails() {
        let go = Arc::new(Event::<B>::new_in());
        let waits = Arc::clone(&go);
        let pool = ThreadPool::<B>::builder_in(1)
            .initializer(move || {
                waits.wait();
                panic!("no worker can be had");
            })
            .build()
            .unwrap();
        let pending = pool.submit(|| 1).unwrap();
        go.set();
        assert!(matches!(pending.wait(), Err(Failure::Broken)));
        until(|| pool.submit(|| 1).is_err());
        pool.shutdown(Shutdown::Finish);
        assert_eq!(pool.workers(), 0);
    }

    fn nested_wait_starvation() {
        let pool = Arc::new(ThreadPool::<B>::new_in(2).unwrap());
        let both = Arc::new(lockwise::sync::Barrier::<B>::new_in(2));
        let jobs: Vec<_> = (0..2).map(|at| {
            let (pool, both) = (Arc::clone(&pool), Arc::clone(&both));
            // A job must not keep its own pool alive longer than it runs.
            pool.clone().submit(move || {
                both.wait().unwrap();
                let inner = pool.submit(move || at).unwrap();
                inner.wait()
            }).unwrap()
        }).collect();
        let got: Vec<_> = jobs.into_iter().map(|job| job.wait().unwrap()).collect();
        let told = got.iter().filter(|got| matches!(got, Err(Failure::Deadlock))).count();
        // Who closed the circle is told; the other one gets its result then.
        assert_eq!((told, got.iter().filter(|got| got.is_ok()).count()), (1, 1));
    }

    fn nested_waits_that_end_are_no_starvation() {
        let pool = Arc::new(ThreadPool::<B>::new_in(2).unwrap());
        for _ in 0..rounds(50) {
            let again = Arc::clone(&pool);
            let outer = pool.submit(move || {
                (0..4).map(|at| again.submit(move || at).unwrap().wait().unwrap()).sum::<u32>()
            }).unwrap();
            assert_eq!(outer.wait().unwrap(), 6);
        }
    }

    // Whoever has a deadline goes on by itself.
    fn no_false_report_on_timeout() {
        let pool = Arc::new(ThreadPool::<B>::new_in(1).unwrap());
        let again = Arc::clone(&pool);
        let outer = pool.submit(move || {
            let inner = again.submit(|| 1).unwrap();
            inner.wait_timeout(SHORT).is_err()
        }).unwrap();
        assert!(outer.wait().unwrap());
    }

    fn threads_named() {
        let pool = ThreadPool::<B>::builder_in(2).name("press").build().unwrap();
        let names: Vec<_> = (0..rounds(20)).map(|_| {
            pool.submit(|| thread::current().name().map(str::to_owned)).unwrap()
        }).collect();
        for name in names {
            let name = name.wait().unwrap().unwrap();
            assert!(name == "press-0" || name == "press-1", "{name}");
        }
    }

    fn zero_workers_refused() {
        assert!(matches!(ThreadPool::<B>::new_in(0), Err(BuildError::NoWorkers)));
        assert!(matches!(ThreadPool::<B>::builder_in(0).grow_on_need().build(), Err(BuildError::NoWorkers)));
    }

    fn recovery_from_panics() {
        let pool = ThreadPool::<B>::new_in(3).unwrap();
        let bad: Vec<_> = (0..3).map(|_| pool.submit(|| panic!("each worker")).unwrap()).collect();
        let bad = wait_for(bad, Until::All, None);
        assert!(bad.done.iter().all(|job| job.ended() == Some(End::Panicked)));
        let good: Vec<_> = (0..9).map(|at| pool.submit(move || at).unwrap()).collect();
        assert_eq!(good.into_iter().map(|job| job.wait().unwrap()).sum::<u32>(), 36);
        assert_eq!(pool.workers(), 3);
    }

    fn massive_tasks() {
        let jobs = rounds(100_000);
        let pool = ThreadPool::<B>::new_in(4).unwrap();
        let done = Arc::new(AtomicUsize::new(0));
        for _ in 0..jobs {
            let done = Arc::clone(&done);
            drop(pool.submit(move || done.fetch_add(1, SeqCst)).unwrap());
        }
        pool.join();
        assert_eq!((done.load(SeqCst), pool.queued()), (jobs, 0));
        assert!(pool.join_timeout(SHORT));
    }

    fn panics_after_drop() {
        let pool = ThreadPool::<B>::new_in(1).unwrap();
        let go = Arc::new(Event::<B>::new_in());
        let waits = Arc::clone(&go);
        let bad = pool.submit(move || {
            waits.wait();
            panic!("nobody holds the pool");
        }).unwrap();
        pool.detach();
        go.set();
        assert!(matches!(bad.wait(), Err::<(), _>(Failure::Panicked(_))));
    }

    fn map_in_order() {
        let pool = ThreadPool::<B>::new_in(3).unwrap();
        let items = rounds(20);
        let squares: Vec<_> = pool.map(0..items, |n| n * n).unwrap().map(Result::unwrap).collect();
        assert!(squares.into_iter().eq((0..items).map(|n| n * n)));
        let pool = ThreadPool::<B>::new_in(1).unwrap();
        let ran = Arc::new(Mutex::new(Vec::new()));
        let (runs, go) = (Arc::clone(&ran), Arc::new(Event::<B>::new_in()));
        let waits = Arc::clone(&go);
        let mut results = pool.map(0..5, move |n| {
            runs.lock().unwrap().push(n);
            assert!(n != 1, "the second one");
            if n == 2 {
                waits.wait();
            }
            n
        }).unwrap();
        assert_eq!(results.next().unwrap().unwrap(), 0);
        assert!(matches!(results.next(), Some(Err(Failure::Panicked(_)))));
        assert!(results.next().is_none());
        // What had not begun is cancelled: the third one may have.
        go.set();
        pool.join();
        assert!(ran.lock().unwrap_or_else(std::sync::PoisonError::into_inner).iter().all(|n| *n <= 2));
    }

    fn map_timeout_cancels() {
        let pool = ThreadPool::<B>::new_in(1).unwrap();
        let (go, ran) = (Arc::new(Event::<B>::new_in()), Arc::new(AtomicUsize::new(0)));
        let (waits, runs) = (Arc::clone(&go), Arc::clone(&ran));
        let mut results = pool.map(0..5, move |_| {
            runs.fetch_add(1, SeqCst);
            waits.wait();
        }).unwrap().within(SHORT);
        assert!(matches!(results.next(), Some(Err(Failure::TimedOut))));
        assert!(results.next().is_none());
        go.set();
        pool.join();
        assert!(ran.load(SeqCst) <= 1);
    }

    fn future_of_result() {
        let pool = ThreadPool::<B>::new_in(1).unwrap();
        assert_eq!(block_on(pool.submit(|| 5).unwrap()).unwrap(), 5);
    }

    fn a_job_that_is_cancelled_before_it_begins_does_not_run() {
        let pool = ThreadPool::<B>::new_in(1).unwrap();
        let go = Arc::new(Event::<B>::new_in());
        let waits = Arc::clone(&go);
        let first = pool.submit(move || waits.wait()).unwrap();
        let ran = Arc::new(AtomicUsize::new(0));
        let runs = Arc::clone(&ran);
        let second = pool.submit(move || runs.fetch_add(1, SeqCst)).unwrap();
        assert!(second.cancel());
        go.set();
        first.wait().unwrap();
        pool.join();
        assert_eq!(ran.load(SeqCst), 0);
    }

    fn worker_pow() {
        let worker = Worker::<B>::new_in().unwrap();
        let power = worker.submit(|| 2_u32.pow(3)).unwrap();
        worker.close();
        worker.join();
        assert_eq!(power.wait().unwrap(), 8);
        assert!(worker.submit(|| ()).is_err());
    }

    fn worker_job_panics() {
        let worker = Worker::<B>::new_in().unwrap();
        let bad = worker.submit(|| -> u32 { panic!("the first") }).unwrap();
        let good = worker.submit(|| 1).unwrap();
        assert_eq!(bad.wait().unwrap_err().message(), Some("the first"));
        assert_eq!(good.wait().unwrap(), 1);
        worker.join();
    }

    fn worker_result_from_own_thread() {
        let worker = Arc::new(Worker::<B>::new_in().unwrap());
        let own = Arc::clone(&worker);
        let outer = worker.submit(move || {
            let inner = own.submit(|| 1).unwrap();
            inner.wait().map_err(|failure| failure.to_string())
        }).unwrap();
        let told = outer.wait().unwrap().unwrap_err();
        assert_eq!(told, "the result can never come: whoever could give it waits, too");
    }
}
