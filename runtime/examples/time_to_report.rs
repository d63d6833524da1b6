//! How long it takes from the request that closes a deadlock to its report: the median and the spread over
//! many rounds, for each way to deadlock.
//!
//! `cargo run --release --example time_to_report [ROUNDS]`. The report is a callback here, so that stacks are
//! captured (`LOCKWISE_STACKS=0` goes without). Circles are ended by a panic in the thread that closes them; a
//! process that stands still is set going again by the callback, from the thread of ours that tells it.

use std::cell::Cell;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Barrier, Mutex as Plain, PoisonError};
use std::time::{Duration, Instant};

use lockwise::stdsync;
use lockwise::sync::{Event, Queue, ThreadPool};
use lockwise::watch::Code;
use lockwise::{
    Condvar, FairMutex, Lazy, Mutex, OnceCell, Reaction, ReentrantMutex, RwLock,
    RwLockUpgradableReadGuard, Semaphore, set_callback, set_deadlock_reaction, set_reaction,
    thread,
};

thread_local! {
    /// When this thread made the request that may close a circle.
    static ASKED: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// The last request of a process that stands still, and what sets it going again.
type Still = (Instant, Box<dyn FnOnce() + Send>);

/// What one thread of a circle does; it passes the barrier when it holds its first lock.
type Side = Box<dyn FnOnce(&Barrier) + Send>;

static STILL: Plain<Option<Still>> = Plain::new(None);
/// What was measured in this way.
static TOLD: Plain<Vec<Duration>> = Plain::new(Vec::new());

fn lock<T>(plain: &Plain<T>) -> std::sync::MutexGuard<'_, T> {
    plain.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The next request may close a circle.
fn asks() {
    ASKED.set(Some(Instant::now()));
}

/// The next request of this thread leaves none that runs; `again` ends that.
fn stands_still(again: impl FnOnce() + Send + 'static) {
    *lock(&STILL) = Some((Instant::now(), Box::new(again)));
}

/// A deadlock is told now. Whether it is a circle, which this thread has closed.
fn told() -> bool {
    let now = Instant::now();
    if let Some(asked) = ASKED.take() {
        lock(&TOLD).push(now - asked);
        return true;
    }
    if let Some((asked, again)) = lock(&STILL).take() {
        lock(&TOLD).push(now - asked);
        again();
    }
    false
}

/// Runs each side on a thread of its own, with a barrier that all sides pass. One of them panics.
fn sides<const N: usize>(sides: [Side; N]) {
    let met = Arc::new(Barrier::new(N));
    let threads = sides.map(|side| {
        let met = Arc::clone(&met);
        thread::spawn(move || {
            let _ = catch_unwind(AssertUnwindSafe(|| side(&met)));
        })
    });
    for thread in threads {
        thread.join().expect("it was caught");
    }
}

macro_rules! opposite {
    ($make:expr, $take:ident) => {{
        let pair = Arc::new([$make, $make]);
        let side = |first: usize| -> Side {
            let pair = Arc::clone(&pair);
            Box::new(move |met| {
                let _first = pair[first].$take();
                met.wait();
                asks();
                let _second = pair[1 - first].$take();
            })
        };
        sides([side(0), side(1)]);
    }};
}

fn three() {
    let locks: Arc<[Mutex<()>; 3]> = Arc::new([const { Mutex::new(()) }; 3]);
    sides::<3>(std::array::from_fn(|at| {
        let locks = Arc::clone(&locks);
        let side = move |met: &Barrier| {
            let _first = locks[at].lock();
            met.wait();
            asks();
            let _second = locks[(at + 1) % 3].lock();
        };
        Box::new(side) as Side
    }));
}

fn read_write() {
    let pair = Arc::new([RwLock::new(()), RwLock::new(())]);
    let side = |first: usize| -> Side {
        let pair = Arc::clone(&pair);
        Box::new(move |met| {
            let _read = pair[first].read();
            met.wait();
            asks();
            let _write = pair[1 - first].write();
        })
    };
    sides([side(0), side(1)]);
}

fn upgrade() {
    let shared = Arc::new((RwLock::new(()), Mutex::new(())));
    let other = Arc::clone(&shared);
    sides([
        Box::new(move |met| {
            let read = shared.0.upgradable_read();
            let _lock = shared.1.lock();
            met.wait();
            asks();
            let _write = RwLockUpgradableReadGuard::upgrade(read);
        }),
        Box::new(move |met| {
            let _read = other.0.read();
            met.wait();
            asks();
            let _lock = other.1.lock();
        }),
    ]);
}

/// Goes on when a thread waits for a lock of this name.
fn until_waited_for(name: &str) {
    let waits = format!("waits for {name}");
    while !lockwise::describe_waits().contains(&waits) {
        std::thread::yield_now();
    }
}

fn join() {
    let held = Arc::new(Mutex::named("held over a join", ()));
    let its = Arc::clone(&held);
    let guard = held.lock();
    let worker = thread::spawn(move || drop(its.lock()));
    until_waited_for("held over a join");
    asks();
    let _ = catch_unwind(AssertUnwindSafe(|| worker.join()));
    drop(guard);
    // Nobody can join it any more, and it shall not be taken for that of the next round.
    while Arc::strong_count(&held) > 1 {
        std::thread::yield_now();
    }
}

fn scope() {
    let held = Mutex::new(());
    let _ = catch_unwind(AssertUnwindSafe(|| {
        thread::scope(|scope| {
            let guard = held.lock();
            scope.spawn(|| {
                while !lockwise::describe_waits().contains("waits for the end of") {
                    std::thread::yield_now();
                }
                asks();
                drop(held.lock());
            });
            // Held over the end of the scope, which waits for the thread.
            std::mem::forget(guard);
        });
    }));
}

fn lazy() {
    let held = Arc::new(Mutex::new(()));
    let met = Arc::new(Barrier::new(2));
    let (its, meets) = (Arc::clone(&held), Arc::clone(&met));
    let value = Arc::new(Lazy::new(move || {
        meets.wait();
        asks();
        drop(its.lock());
    }));
    let other = Arc::clone(&value);
    sides([
        Box::new(move |_| *Lazy::force(&*value)),
        Box::new(move |_| {
            let _held = held.lock();
            met.wait();
            asks();
            let () = *Lazy::force(&*other);
        }),
    ]);
}

fn cells() {
    let pair: Arc<[OnceCell<u32>; 2]> = Arc::new([OnceCell::new(), OnceCell::new()]);
    let side = |first: usize| -> Side {
        let pair = Arc::clone(&pair);
        Box::new(move |met| {
            pair[first].get_or_init(|| {
                met.wait();
                asks();
                *pair[1 - first].get_or_init(|| 1)
            });
        })
    };
    sides([side(0), side(1)]);
}

fn result() {
    let pool = ThreadPool::new(1).expect("the system has threads");
    let held = Arc::new(Mutex::named("held over a result", ()));
    let its = Arc::clone(&held);
    let guard = held.lock();
    let job = pool.submit(move || drop(its.lock())).expect("it is open");
    until_waited_for("held over a result");
    asks();
    let _ = catch_unwind(AssertUnwindSafe(|| job.wait().is_ok()));
    drop(guard);
}

fn behind_writer() {
    let shared = Arc::new(RwLock::named("read again", ()));
    let read = shared.read();
    let its = Arc::clone(&shared);
    let writer = thread::spawn(move || drop(its.write()));
    until_waited_for("read again");
    asks();
    let _ = catch_unwind(AssertUnwindSafe(|| drop(shared.read())));
    drop(read);
    writer.join().expect("it ends");
}

fn condition() {
    let wakes = Arc::new((Mutex::new(false), Condvar::new()));
    let its = Arc::clone(&wakes);
    let mut woken = wakes.0.lock();
    stands_still(move || {
        *its.0.lock() = true;
        its.1.notify_one();
    });
    while !*woken {
        wakes.1.wait(&mut woken);
    }
}

fn barrier() {
    let barrier = Arc::new(lockwise::Barrier::new(2));
    let its = Arc::clone(&barrier);
    stands_still(move || {
        its.wait();
    });
    barrier.wait();
}

fn semaphore() {
    let permits = Arc::new(Semaphore::new(0));
    let its = Arc::clone(&permits);
    stands_still(move || its.release(1));
    drop(permits.acquire());
}

fn channel() {
    let (sender, receiver) = stdsync::mpsc::channel();
    stands_still(move || sender.send(()).expect("the receiver is there"));
    receiver.recv().expect("it is sent");
}

fn queue() {
    let queue = Arc::new(Queue::new());
    let its = Arc::clone(&queue);
    stands_still(move || its.put(()).expect("it is open"));
    queue.get().expect("it is open");
}

fn event() {
    let event = Arc::new(Event::new());
    let its = Arc::clone(&event);
    stands_still(move || assert!(its.set()));
    event.wait();
}

/// Each way; with a star, if it is told by a look at the whole process.
const WAYS: [(&str, fn()); 22] = [
    ("mutex", || opposite!(Mutex::new(()), lock)),
    ("fair", || opposite!(FairMutex::new(()), lock)),
    ("reentrant", || opposite!(ReentrantMutex::new(()), lock)),
    ("write", || opposite!(RwLock::new(()), write)),
    ("upgradable", || opposite!(RwLock::new(()), upgradable_read)),
    ("std-mutex", || opposite!(stdsync::Mutex::new(()), lock)),
    ("std-write", || opposite!(stdsync::RwLock::new(()), write)),
    ("read-write", read_write),
    ("upgrade", upgrade),
    ("three", three),
    ("join", join),
    ("scope", scope),
    ("lazy", lazy),
    ("cells", cells),
    ("result", result),
    ("behind-writer", behind_writer),
    ("condition *", condition),
    ("barrier *", barrier),
    ("semaphore *", semaphore),
    ("channel *", channel),
    ("queue *", queue),
    ("event *", event),
];

fn main() -> io::Result<()> {
    let rounds = std::env::args().nth(1);
    let rounds: u32 = rounds.and_then(|rounds| rounds.parse().ok()).unwrap_or(100);
    set_reaction(Reaction::Silent);
    // What is printed is not what is measured.
    set_deadlock_reaction(Reaction::Silent);
    std::panic::set_hook(Box::new(|_| ()));
    set_callback(|finding| {
        if finding.code == Code::Deadlock && told() {
            // Here, and not by the reaction: so nothing is printed.
            std::panic::panic_any(());
        }
    });
    let mut out = io::stdout();
    writeln!(
        out,
        "{:14} {:>6} {:>10} {:>10} {:>10}",
        "way", "told", "median", "least", "most"
    )?;
    for (way, run) in WAYS {
        for _ in 0..rounds {
            run();
        }
        let mut times = std::mem::take(&mut *lock(&TOLD));
        times.sort_unstable();
        let Some((least, most)) = times.first().zip(times.last()) else {
            writeln!(out, "{way:14} {:>6}", 0)?;
            continue;
        };
        let median = times[times.len() / 2];
        let shown = |time: Duration| format!("{:.3} ms", time.as_secs_f64() * 1e3);
        writeln!(
            out,
            "{way:14} {:>6} {:>10} {:>10} {:>10}",
            times.len(),
            shown(median),
            shown(*least),
            shown(*most)
        )?;
    }
    writeln!(out, "* told by the look at a process that stands still")
}
