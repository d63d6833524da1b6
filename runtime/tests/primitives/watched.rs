//! What the watcher sees of threads and of code of the program, by the cases of the list.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc;
use std::task::{Wake, Waker};

use lockwise::sync::{
    Exchange, Priority, PriorityQueue, Promise, Queue, Slow, ThreadLocal, ThreadPool, Worker,
};
use lockwise::watch::hooks::held_count;
use lockwise::{Mutex, describe_waits, thread};

use super::{block_on, poll_once, until};

#[test]
fn thread_leak() {
    let (lock, got) = (Mutex::new(0), AtomicUsize::new(0));
    let name = |number: usize| format!("leak-{number}");
    for number in 0..200 {
        thread::scope(|scope| {
            let held = lock.lock();
            let builder = thread::Builder::new().name(name(number));
            let contends = || {
                *lock.lock() += 1;
                got.fetch_add(1, SeqCst);
            };
            builder
                .spawn_scoped(scope, contends)
                .expect("there is room");
            until(|| describe_waits().contains(&format!("\"{}\"", name(number))));
            drop(held);
        });
    }
    assert_eq!((got.load(SeqCst), *lock.lock()), (200, 200));
    assert!(!describe_waits().contains("\"leak-"));
    until(|| !named_threads().iter().any(|name| name.starts_with("leak-")));
}

/// The names of the threads of this process, where the system tells them.
fn named_threads() -> Vec<String> {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else {
        return Vec::new();
    };
    let names = threads.filter_map(|thread| {
        let name = thread.ok()?.path().join("comm");
        std::fs::read_to_string(name).ok()
    });
    names.collect()
}

// The system refuses to wait then; before, the watcher says why.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn join_self() {
    let (give, own) = mpsc::channel::<thread::JoinHandle<()>>();
    let (tell, told) = mpsc::channel();
    let joins = thread::spawn(move || {
        let me = own.recv().expect("it is sent");
        let joined = catch_unwind(AssertUnwindSafe(|| me.join()));
        tell.send(joined.is_err()).expect("somebody listens");
    });
    give.send(joins).expect("it waits for that");
    assert!(told.recv().expect("it goes on"));
}

/// Code of the program, wherever it may run.
#[derive(Debug)]
struct Foreign(Arc<AtomicUsize>);

impl Foreign {
    /// It runs: no lock of any primitive may be held.
    fn runs(&self) {
        assert_eq!(held_count(), 0, "foreign code runs under a lock of ours");
        self.0.fetch_add(1, SeqCst);
    }
}

impl Clone for Foreign {
    fn clone(&self) -> Foreign {
        self.runs();
        Foreign(Arc::clone(&self.0))
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        // A panic in a drop may say nothing: what counts is told at the end.
        if held_count() == 0 {
            self.0.fetch_add(1, SeqCst);
        } else {
            self.0.fetch_add(1_000_000, SeqCst);
        }
    }
}

impl Wake for Foreign {
    fn wake(self: Arc<Self>) {
        self.runs();
    }
}

/// A priority that is asked by foreign code.
#[derive(Clone, Copy)]
struct Ranked<'a>(&'a Foreign, i64);

impl Priority for Ranked<'_> {
    fn key(&self) -> i128 {
        self.0.runs();
        self.1.into()
    }
}

#[test]
fn no_user_code_under_lock() {
    let count = Arc::new(AtomicUsize::new(0));
    let foreign = || Foreign(Arc::clone(&count));
    let waker = || Waker::from(Arc::new(foreign()));
    // Does something, which must run foreign code, and never under a lock.
    let runs = |what: &str, work: &mut dyn FnMut()| {
        let before = count.load(SeqCst);
        work();
        let ran = count.load(SeqCst) - before;
        assert!((1..1_000_000).contains(&ran), "{what}: {ran}");
    };
    runs(
        "items that are refused, left over and closed out",
        &mut || {
            let queue = Queue::bounded(1);
            queue.put(foreign()).unwrap();
            drop(queue.try_put(foreign()));
            drop(queue.close_now());
            let (sender, receiver) = Queue::new().split();
            sender.put(foreign()).unwrap();
            drop(receiver);
        },
    );
    runs("wakers that are used, replaced and dropped", &mut || {
        let queue = Queue::<u32>::bounded(1);
        let mut get = Box::pin(queue.get_async());
        assert!(poll_once(get.as_mut(), &waker()).is_pending());
        assert!(poll_once(get.as_mut(), &waker()).is_pending());
        queue.put(1).unwrap();
        drop(get);
        let mut put = Box::pin(queue.put_async(2));
        assert!(poll_once(put.as_mut(), &waker()).is_pending());
        queue.close();
    });
    runs("priorities", &mut || {
        let foreign = foreign();
        let queue = PriorityQueue::<_, Ranked<'_>>::bounded(1);
        let mut token = queue.put(1, Ranked(&foreign, 1)).unwrap();
        assert!(queue.change_priority(&mut token, Ranked(&foreign, 2)));
        assert!(queue.put_evicting(2, Ranked(&foreign, 1)).is_err());
    });
    runs(
        "clones of messages, and those that are dropped",
        &mut || {
            let exchange = Exchange::new();
            let readers = [
                exchange.reader(Slow::DropOldest(1)),
                exchange.reader(Slow::Never),
            ];
            exchange.attach(|message: Foreign| message.runs());
            for _ in 0..3 {
                exchange.send(foreign());
            }
            drop(readers);
        },
    );
    runs("results and callbacks", &mut || {
        let (promise, future) = Promise::new();
        let called = foreign();
        future.on_done(move |_| called.runs());
        promise.set(foreign()).unwrap();
        drop(future);
        let (promise, future) = Promise::new();
        drop(future);
        drop(promise.set(foreign()));
    });
    runs("jobs", &mut || {
        let pool = ThreadPool::new(1).unwrap();
        let (job, panics) = (foreign(), foreign());
        drop(pool.submit(move || job.runs()).unwrap());
        let bad = pool.submit(move || {
            panics.runs();
            panic!("a job");
        });
        assert!(block_on(bad.unwrap()).is_err_and(|failure| failure.message() == Some("a job")));
        let worker = Worker::new().unwrap();
        worker.cancel();
        let left = foreign();
        drop(worker.submit(move || left.runs()));
    });
    runs("values of threads", &mut || {
        let locals = Arc::new(ThreadLocal::new());
        locals.with(foreign, Foreign::runs);
        thread::scope(|scope| {
            scope.spawn(|| locals.with(foreign, Foreign::runs));
        });
    });
}
