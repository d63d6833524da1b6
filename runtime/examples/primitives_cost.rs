//! What the primitives cost: on raw and on watched locks, beside what std has, in turn, in one run.
//!
//! `cargo run --release -p lockwise --example primitives_cost`. Std's channel is crossbeam's algorithm.
#![expect(clippy::print_stdout, reason = "this is a program that prints a table")]
#![expect(
    clippy::cast_precision_loss,
    reason = "nanoseconds per operation need no more"
)]

use std::hint::black_box;
use std::sync::mpsc;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use lockwise::sync::{Backend, Event, Promise, Queue, Raw, ThreadPool, Tracked};

/// How often each workload is measured.
const ROUNDS: usize = 9;

/// Nanoseconds per operation.
fn time(operations: u32, work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_nanos() as f64 / f64::from(operations)
}

/// Median, and the quartiles around it.
fn spread(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    let at = |part: usize| values[values.len() * part / 4];
    (at(2), at(1), at(3))
}

/// Measures all three in turn, and prints the ratio of ours to std's.
fn table(name: &str, std: impl Fn() -> f64, raw: impl Fn() -> f64, tracked: impl Fn() -> f64) {
    let mut rows = Vec::new();
    for _ in 0..ROUNDS {
        rows.push((std(), raw(), tracked()));
    }
    let plain = spread(rows.iter().map(|row| row.0).collect()).0;
    let ratio = |of: &dyn Fn(&(f64, f64, f64)) -> f64| {
        let (median, low, high) = spread(rows.iter().map(|row| of(row) / row.0).collect());
        format!("{median:.2} ({low:.2} to {high:.2})")
    };
    let (raw, tracked) = (ratio(&|row| row.1), ratio(&|row| row.2));
    println!("| {name} | {plain:.1} ns | {raw} | {tracked} |");
}

const CALLS: u32 = 100_000;

fn put_and_get<B: Backend>() -> f64 {
    let queue = Queue::<u32, B>::new_in();
    time(CALLS, || {
        for item in 0..CALLS {
            queue.put(item).expect("it is open");
            black_box(queue.get().expect("it is there"));
        }
    })
}

fn put_and_get_std() -> f64 {
    let (sender, receiver) = mpsc::channel();
    time(CALLS, || {
        for item in 0..CALLS {
            sender.send(item).expect("it is open");
            black_box(receiver.recv().expect("it is there"));
        }
    })
}

fn producers<B: Backend>(queue: &Queue<u32, B>, producers: u32) -> f64 {
    time(CALLS, || {
        thread::scope(|scope| {
            for _ in 0..producers {
                scope.spawn(|| {
                    for item in 0..CALLS / producers {
                        queue.put(item).expect("it is open");
                    }
                });
            }
            for _ in 0..CALLS / producers * producers {
                black_box(queue.get().expect("it is open"));
            }
        });
    })
}

fn producers_std(bound: Option<usize>, producers: u32) -> f64 {
    time(CALLS, || {
        thread::scope(|scope| {
            let (sender, receiver) = mpsc::channel();
            let (bounded, narrow) = mpsc::sync_channel(bound.unwrap_or(0));
            for _ in 0..producers {
                let (sender, bounded) = (sender.clone(), bounded.clone());
                scope.spawn(move || {
                    for item in 0..CALLS / producers {
                        if bound.is_some() {
                            bounded.send(item).expect("it is open");
                        } else {
                            sender.send(item).expect("it is open");
                        }
                    }
                });
            }
            for _ in 0..CALLS / producers * producers {
                let got = if bound.is_some() {
                    narrow.recv()
                } else {
                    receiver.recv()
                };
                black_box(got.expect("it is open"));
            }
        });
    })
}

fn event_is_set<B: Backend>() -> f64 {
    let event = Event::<B>::new_in();
    event.set();
    time(CALLS, || (0..CALLS).for_each(|_| black_box(&event).wait()))
}

fn event_is_set_std() -> f64 {
    let (set, changed) = (Mutex::new(true), Condvar::new());
    time(CALLS, || {
        for _ in 0..CALLS {
            let mut is_set = set.lock().unwrap_or_else(PoisonError::into_inner);
            while !*black_box(&*is_set) {
                is_set = changed.wait(is_set).unwrap_or_else(PoisonError::into_inner);
            }
        }
    })
}

fn promise<B: Backend>() -> f64 {
    time(CALLS, || {
        for number in 0..CALLS {
            let (promise, future) = Promise::<u32, B>::new_in();
            promise.set(number).expect("it is wanted");
            black_box(future.wait().expect("it is set"));
        }
    })
}

fn promise_std() -> f64 {
    time(CALLS, || {
        for number in 0..CALLS {
            let (sender, receiver) = mpsc::sync_channel(1);
            sender.send(number).expect("it is open");
            black_box(receiver.recv().expect("it is there"));
        }
    })
}

fn jobs<B: Backend>() -> f64 {
    const JOBS: u32 = 10_000;
    let pool = ThreadPool::<B>::new_in(2).expect("there is room for two threads");
    time(JOBS, || {
        for job in 0..JOBS {
            drop(pool.submit(move || black_box(job)).expect("it is open"));
        }
        pool.join();
    })
}

/// A pool as one writes it: boxed jobs in a channel behind a mutex.
fn jobs_std() -> f64 {
    const JOBS: u32 = 10_000;
    type Job = Box<dyn FnOnce() + Send>;
    let (sender, receiver) = mpsc::channel::<Job>();
    let receiver = Mutex::new(receiver);
    time(JOBS, || {
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    loop {
                        let held = receiver.lock().unwrap_or_else(PoisonError::into_inner);
                        let job = held.recv();
                        drop(held);
                        match job {
                            Ok(job) => job(),
                            Err(_) => return,
                        }
                    }
                });
            }
            for job in 0..JOBS {
                let (result, _) = mpsc::sync_channel(1);
                let job = move || {
                    let _ = result.send(black_box(job));
                };
                sender.send(Box::new(job)).expect("it is open");
            }
            drop(sender);
        });
    })
}

fn main() {
    println!("| workload | std | raw | tracked |");
    println!("| --- | --- | --- | --- |");
    let (raw, tracked) = (put_and_get::<Raw>, put_and_get::<Tracked>);
    table("put and get, one thread", put_and_get_std, raw, tracked);
    table(
        "1 producer, no bound",
        || producers_std(None, 1),
        || producers(&Queue::<_, Raw>::new_in(), 1),
        || producers(&Queue::<_, Tracked>::new_in(), 1),
    );
    table(
        "4 producers, no bound",
        || producers_std(None, 4),
        || producers(&Queue::<_, Raw>::new_in(), 4),
        || producers(&Queue::<_, Tracked>::new_in(), 4),
    );
    table(
        "1 producer, room for 128",
        || producers_std(Some(128), 1),
        || producers(&Queue::<_, Raw>::bounded_in(128), 1),
        || producers(&Queue::<_, Tracked>::bounded_in(128), 1),
    );
    table(
        "4 producers, room for 128",
        || producers_std(Some(128), 4),
        || producers(&Queue::<_, Raw>::bounded_in(128), 4),
        || producers(&Queue::<_, Tracked>::bounded_in(128), 4),
    );
    let (raw, tracked) = (event_is_set::<Raw>, event_is_set::<Tracked>);
    table(
        "wait for an event that is set",
        event_is_set_std,
        raw,
        tracked,
    );
    let (raw, tracked) = (promise::<Raw>, promise::<Tracked>);
    table("make, keep and read a promise", promise_std, raw, tracked);
    table(
        "a tiny job, two workers",
        jobs_std,
        jobs::<Raw>,
        jobs::<Tracked>,
    );
}
