//! Small jobs from outside, beside rayon's pool and one as people write it.

use std::hint::black_box;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::AcqRel;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use lockwise::sync::{Backend, Raw, ThreadPool, Tracked};

use crate::measure::{Bench, Cost, measure, peer, raw, tracked};

const WORKERS: usize = 2;
const JOBS: u32 = 20_000;

/// A small job.
struct Job {
    left: Arc<AtomicU32>,
    done: Sender<()>,
}

impl Job {
    /// Counts itself; the last one tells.
    fn run(self) {
        if self.left.fetch_sub(1, AcqRel) == 1 {
            self.done.send(()).expect("it is waited for");
        }
    }
}

/// Submits jobs, and waits for the last one.
fn counted(mut submit: impl FnMut(Job)) -> Cost {
    let (done, all_done) = mpsc::channel();
    let left = Arc::new(AtomicU32::new(JOBS));
    measure(JOBS, || {
        for _ in 0..JOBS {
            let (left, done) = (Arc::clone(&left), done.clone());
            submit(Job { left, done });
        }
        all_done.recv().expect("the last job tells");
    })
}

/// A job, as the pool below keeps it.
type Boxed = Box<dyn FnOnce() + Send>;

/// A pool as one writes it: boxed jobs in a channel behind a mutex.
struct ByHand {
    jobs: Option<Sender<Boxed>>,
    workers: Vec<thread::JoinHandle<()>>,
}

impl ByHand {
    fn new() -> ByHand {
        let (sender, receiver) = mpsc::channel::<Boxed>();
        let receiver = Arc::new(Mutex::new(receiver));
        let work = move |receiver: Arc<Mutex<mpsc::Receiver<Boxed>>>| {
            loop {
                let held = receiver.lock().unwrap_or_else(PoisonError::into_inner);
                let job = held.recv();
                drop(held);
                match job {
                    Ok(job) => job(),
                    Err(_) => return,
                }
            }
        };
        let workers = (0..WORKERS).map(|_| {
            let receiver = Arc::clone(&receiver);
            thread::spawn(move || work(receiver))
        });
        ByHand {
            workers: workers.collect(),
            jobs: Some(sender),
        }
    }

    fn submit(&self, job: impl FnOnce() + Send + 'static) {
        let jobs = self.jobs.as_ref().expect("it is there until the drop");
        jobs.send(Box::new(job)).expect("it is open");
    }
}

impl Drop for ByHand {
    fn drop(&mut self) {
        drop(self.jobs.take());
        for worker in self.workers.drain(..) {
            worker.join().expect("no job panics");
        }
    }
}

fn rayon_pool() -> rayon::ThreadPool {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(WORKERS).build();
    pool.expect("there is room for two threads")
}

fn our_pool<B: Backend>() -> ThreadPool<B> {
    ThreadPool::new_in(WORKERS).expect("there is room for two threads")
}

fn counted_ours<B: Backend>(pool: &ThreadPool<B>) -> Cost {
    counted(|job| drop(pool.submit(|| job.run()).expect("it is open")))
}

/// How many jobs there are before their results are read.
const BATCH: u32 = 100;

/// Submits jobs batch by batch, and reads their results.
fn results<R>(submit: impl Fn(u32) -> R, wait: impl Fn(R) -> u32) -> Cost {
    measure(JOBS, || {
        let mut batch = Vec::new();
        for start in (0..JOBS).step_by(BATCH as usize) {
            batch.extend((start..start + BATCH).map(&submit));
            for (result, job) in batch.drain(..).zip(start..) {
                assert_eq!(wait(result), job);
            }
        }
    })
}

fn results_rayon(pool: &rayon::ThreadPool) -> Cost {
    results(
        |job| {
            let (sender, receiver) = crossbeam_channel::bounded(1);
            pool.spawn(move || sender.send(black_box(job)).expect("it is waited for"));
            receiver
        },
        |receiver| receiver.recv().expect("it is sent"),
    )
}

fn results_by_hand(pool: &ByHand) -> Cost {
    results(
        |job| {
            let (sender, receiver) = mpsc::sync_channel(1);
            pool.submit(move || sender.send(black_box(job)).expect("it is waited for"));
            receiver
        },
        |receiver| receiver.recv().expect("it is sent"),
    )
}

fn results_ours<B: Backend>(pool: &ThreadPool<B>) -> Cost {
    results(
        |job| pool.submit(move || black_box(job)).expect("it is open"),
        |future| future.wait().expect("it does not panic"),
    )
}

pub(crate) fn compare(bench: &mut Bench) {
    let (rayon, by_hand) = (rayon_pool(), ByHand::new());
    let (plain, watched) = (our_pool::<Raw>(), our_pool::<Tracked>());
    bench.compare(
        "pool: small jobs from outside",
        vec![
            peer("rayon", || counted(|job| rayon.spawn(|| job.run()))),
            peer("by hand, std", || {
                counted(|job| by_hand.submit(|| job.run()))
            }),
            raw(&[("rayon", 1.5)], || counted_ours(&plain)),
            tracked(|| counted_ours(&watched)),
        ],
    );
    bench.compare(
        "pool: small jobs with results, 100 at a time",
        vec![
            peer("rayon", || results_rayon(&rayon)),
            peer("by hand, std", || results_by_hand(&by_hand)),
            raw(&[("rayon", 1.5)], || results_ours(&plain)),
            tracked(|| results_ours(&watched)),
        ],
    );
}
