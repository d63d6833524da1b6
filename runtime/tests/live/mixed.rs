//! Random small programs of locks, results and conditions. A thread waits only for results and notifications of
//! threads with higher numbers; where it also keeps one order of locks and waits for no result under one, the
//! program finishes, and nothing may be told. The others may hang, and one that does hangs this test: so each
//! hang must be told, as what ends it is the panic of the thread that closes it.

use std::sync::{Arc, Barrier};

use lockwise::sync::{Future, Promise};
use lockwise::{Condvar, Mutex, RwLock, thread};

use super::programs::{next, programs};
use super::{caught, watch};

const LOCKS: usize = 3;
const THREADS: usize = 4;

/// What the threads of one program share.
struct Shared {
    mutexes: [Mutex<()>; LOCKS],
    rwlocks: [RwLock<()>; LOCKS],
    /// By thread: whether it has come so far, and who waits for that.
    flags: [(Mutex<bool>, Condvar); THREADS],
}

/// In which order a program asks for things.
#[derive(Clone, Copy, PartialEq)]
enum Order {
    Any,
    /// Locks ascend, and nothing is waited for under one.
    Kept,
}

/// What one thread does, one step after the other.
struct Steps {
    shared: Arc<Shared>,
    order: Order,
    me: usize,
    state: u64,
    /// The results of the threads above, until they are waited for.
    results: Vec<Option<Future<usize>>>,
}

impl Steps {
    /// A lock or two, one in the other, and under them perhaps the result of a thread above.
    fn run(&mut self) {
        let mut first = self.pick(2 * LOCKS);
        let mut second = self.pick(2 * LOCKS);
        if self.order == Order::Kept && first > second {
            std::mem::swap(&mut first, &mut second);
        }
        let result = self.take_result();
        let shared = Arc::clone(&self.shared);
        let inner = |steps: &mut Steps| {
            if first == second {
                return;
            }
            shared.hold(second, steps.pick(2) == 0, || ());
        };
        let under_a_lock = self.order == Order::Any;
        let mut waits = result.map(|(from, result)| {
            move || {
                if let Ok(number) = result.wait() {
                    assert_eq!(number, from);
                }
            }
        });
        let writes = self.pick(2) == 0;
        self.shared.clone().hold(first, writes, || {
            inner(self);
            if under_a_lock && let Some(wait) = waits.take() {
                wait();
            }
        });
        if let Some(wait) = waits {
            wait();
        }
    }

    fn pick(&mut self, below: usize) -> usize {
        usize::try_from(next(&mut self.state) % below as u64).expect("it is small")
    }

    /// The result of a thread above, if there is one left.
    fn take_result(&mut self) -> Option<(usize, Future<usize>)> {
        let from = self.pick(THREADS);
        let result = self.results.get_mut(from)?.take()?;
        Some((from, result))
    }

    /// Waits until the thread above has said that it is there.
    fn wait_for_flag(&mut self) {
        let above = self.me + 1;
        if above < THREADS {
            let (flag, changed) = &self.shared.flags[above];
            let mut is_set = flag.lock();
            while !*is_set {
                changed.wait(&mut is_set);
            }
        }
    }

    fn set_flag(&self) {
        let (flag, changed) = &self.shared.flags[self.me];
        *flag.lock() = true;
        changed.notify_all();
    }
}

impl Shared {
    /// Calls `body` with a lock held: a mutex, or a read-write lock, to read or to write. To read is only
    /// tried, as a reader may wait behind a writer and not come last.
    fn hold(&self, lock: usize, writes: bool, body: impl FnOnce()) {
        if let Some(mutex) = self.mutexes.get(lock) {
            let _held = mutex.lock();
            body();
            return;
        }
        let rwlock = &self.rwlocks[lock - LOCKS];
        let read = if writes { None } else { rwlock.try_read() };
        let _write = read.is_none().then(|| rwlock.write());
        body();
    }
}

/// Runs one program and returns how many deadlocks were told.
fn run(seed: u64, order: Order) -> usize {
    let shared = Arc::new(Shared {
        mutexes: [const { Mutex::new(()) }; LOCKS],
        rwlocks: [const { RwLock::new(()) }; LOCKS],
        flags: [const { (Mutex::new(false), Condvar::new()) }; THREADS],
    });
    let start = Arc::new(Barrier::new(THREADS));
    // Each thread but the lowest gives a result to one below it.
    let (kept, futures): (Vec<_>, Vec<_>) = (0..THREADS).map(|_| Promise::new()).unzip();
    let mut results: Vec<Vec<Option<Future<usize>>>> = Vec::new();
    results.resize_with(THREADS, || (0..THREADS).map(|_| None).collect());
    for (from, future) in futures.into_iter().enumerate().skip(1) {
        let to = usize::try_from(seed % from as u64).expect("it is small");
        results[to][from] = Some(future);
    }
    let threads: Vec<_> = results
        .into_iter()
        .zip(kept)
        .enumerate()
        .map(|(me, (results, promise))| {
            let (shared, start) = (Arc::clone(&shared), Arc::clone(&start));
            thread::spawn(move || {
                let mut steps = Steps {
                    shared: Arc::clone(&shared),
                    order,
                    me,
                    state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (me as u64 + 1) << 32 | 1,
                    results,
                };
                start.wait();
                let mut told = None;
                // The result is this thread's alone to give.
                promise.fulfil(|| {
                    told = caught(|| {
                        for _ in 0..4 {
                            steps.run();
                        }
                    });
                    me
                });
                // Nobody waits for this thread any more but by its end: a hang here would not be told.
                steps.set_flag();
                steps.wait_for_flag();
                told.is_some()
            })
        })
        .collect();
    let told = threads
        .into_iter()
        .map(|thread| thread.join().expect("it was caught"));
    told.filter(|told| *told).count()
}

#[test]
fn every_hang_of_a_mixed_program_is_told() {
    watch();
    let told: usize = (1..=programs()).map(|seed| run(seed, Order::Any)).sum();
    assert!(told > 0, "some of these programs deadlock");
}

#[test]
fn mixed_programs_that_finish_are_never_told() {
    watch();
    let told: usize = (1..=programs()).map(|seed| run(seed, Order::Kept)).sum();
    assert_eq!(told, 0);
}
