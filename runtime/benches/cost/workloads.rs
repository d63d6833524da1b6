//! What is measured: each row of the table as a piece of code, for any party.

use std::hint::black_box;
use std::sync::Barrier;
use std::thread::{self, ScopedJoinHandle};
use std::time::Instant;

use crate::clock::{Spent, time};
use crate::shapes::{Condvar, Mutex, Party, RwLock};

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workload {
    Lock,
    Nested2,
    Nested4,
    Nested8,
    Read,
    Write,
    Contend2,
    Contend8,
    Apart8,
    Chain,
    Fresh,
    RootFirst,
    RootAgain,
    PingPong,
}

/// A workload, made ready: given a number of calls it says what one acquisition costs.
pub(crate) type Ready = Box<dyn FnMut(u32) -> Spent>;

/// How many locks a chain has of which every edge is new.
const CHAIN: usize = 1_000;
/// How many locks live under one root lock.
const UNDER_ROOT: usize = 100_000;

impl Workload {
    pub(crate) const ALL: [Workload; 14] = [
        Workload::Lock,
        Workload::Nested2,
        Workload::Nested4,
        Workload::Nested8,
        Workload::Read,
        Workload::Write,
        Workload::Contend2,
        Workload::Contend8,
        Workload::Apart8,
        Workload::Chain,
        Workload::Fresh,
        Workload::RootFirst,
        Workload::RootAgain,
        Workload::PingPong,
    ];

    /// The name in the table.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Workload::Lock => "lock + unlock, nothing else held",
            Workload::Nested2 => "2 nested, known order",
            Workload::Nested4 => "4 nested, known order",
            Workload::Nested8 => "8 nested, known order",
            Workload::Read => "RwLock read + unlock",
            Workload::Write => "RwLock write + unlock",
            Workload::Contend2 => "2 threads contending one lock",
            Workload::Contend8 => "8 threads contending one lock",
            Workload::Apart8 => "8 threads, each its own lock",
            Workload::Chain => "1,000-lock chain, every edge new",
            Workload::Fresh => "create + lock + drop of fresh locks",
            Workload::RootFirst => "100,000 live locks under one root, first time",
            Workload::RootAgain => "100,000 live locks under one root, again",
            Workload::PingPong => "condvar ping-pong, two threads",
        }
    }

    /// How many calls one batch makes: long against a clock's tick, short against a time slice.
    pub(crate) const fn calls(self) -> u32 {
        match self {
            Workload::Lock
            | Workload::Read
            | Workload::Write
            | Workload::Fresh
            | Workload::Apart8 => 20_000,
            // Longer than a thread needs to wake up, so that they do meet.
            Workload::Contend2 => 200_000,
            Workload::Contend8 => 50_000,
            Workload::Nested2 => 10_000,
            Workload::Nested4 => 5_000,
            Workload::Nested8 => 2_500,
            // A call goes once through all locks.
            Workload::Chain => 20,
            Workload::RootFirst | Workload::RootAgain => 1,
            Workload::PingPong => 500,
        }
    }

    /// How many calls take so many nanoseconds, if one acquisition takes that long; at least one.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive number, and too great a one is as good as the greatest"
    )]
    pub(crate) fn calls_within(self, time: f64, acquisition: f64) -> u32 {
        let call = (acquisition * self.acquisitions_per_call()).max(1e-3);
        ((time / call) as u32).max(1)
    }

    /// How many acquisitions one call makes on one thread.
    pub(crate) const fn acquisitions_per_call(self) -> f64 {
        match self {
            Workload::Nested2 => 2.0,
            Workload::Nested4 => 4.0,
            Workload::Nested8 => 8.0,
            Workload::Chain => 1_998.0,
            Workload::RootFirst | Workload::RootAgain => 200_000.0,
            _ => 1.0,
        }
    }

    /// The ratios that levels `order` and `trace` are to have at most.
    pub(crate) const fn aims(self) -> [&'static str; 2] {
        match self {
            Workload::Lock | Workload::Apart8 => ["1.35", "2.0"],
            Workload::Nested2 | Workload::Nested4 | Workload::Nested8 => ["2.2", "3"],
            Workload::Read | Workload::Write => ["1.4", "2.1"],
            Workload::Contend2 | Workload::Contend8 => ["1.15", "1.3"],
            Workload::Chain => ["10", "12"],
            Workload::Fresh => ["1.5", "2.5"],
            Workload::RootFirst | Workload::RootAgain => ["3", "4"],
            Workload::PingPong => ["1.05", "1.1"],
        }
    }

    /// Whether threads wait for each other, so that the wall's clock counts.
    pub(crate) const fn waits(self) -> bool {
        matches!(
            self,
            Workload::Contend2 | Workload::Contend8 | Workload::PingPong
        )
    }

    /// Whether all of it happens on one thread, so that its instructions can be counted.
    pub(crate) const fn is_one_thread(self) -> bool {
        !self.waits() && !matches!(self, Workload::Apart8)
    }

    /// The row with this name among [`Workload::ALL`], by its place.
    pub(crate) fn from_number(number: usize) -> Option<Workload> {
        Workload::ALL.get(number).copied()
    }

    /// The workload on the locks of a party; none if it has no such locks.
    pub(crate) fn prepare<P: Party>(self) -> Option<Ready> {
        let there = match self {
            Workload::Read | Workload::Write => P::RwLock::THERE,
            Workload::PingPong => P::Mutex::THERE && P::Condvar::THERE,
            _ => P::Mutex::THERE,
        };
        if !there {
            return None;
        }
        Some(match self {
            Workload::Lock => lock::<P::Mutex>(),
            Workload::Nested2 => nested::<P::Mutex, 2>(),
            Workload::Nested4 => nested::<P::Mutex, 4>(),
            Workload::Nested8 => nested::<P::Mutex, 8>(),
            Workload::Read => read::<P::RwLock>(),
            Workload::Write => write::<P::RwLock>(),
            Workload::Contend2 => contend::<P::Mutex>(2),
            Workload::Contend8 => contend::<P::Mutex>(8),
            Workload::Apart8 => apart::<P::Mutex>(8),
            Workload::Chain => chain::<P::Mutex>(),
            Workload::Fresh => fresh::<P::Mutex>(),
            Workload::RootFirst => root_first::<P::Mutex>(),
            Workload::RootAgain => root_again::<P::Mutex>(),
            Workload::PingPong => ping_pong::<P>(),
        })
    }
}

fn lock<M: Mutex>() -> Ready {
    let mutex = M::make();
    Box::new(move |calls| {
        let spent = time(|| {
            for _ in 0..calls {
                *black_box(&mutex).lock() += 1;
            }
        });
        spent.per(u64::from(calls))
    })
}

/// Takes the locks one inside the other and gives them back, the youngest first.
#[inline]
fn nest<M: Mutex>(locks: &[M]) {
    if let [first, rest @ ..] = locks {
        let mut guard = first.lock();
        nest(rest);
        *guard += 1;
    }
}

fn nested<M: Mutex, const DEPTH: usize>() -> Ready {
    let locks: [M; DEPTH] = std::array::from_fn(|_| M::make());
    Box::new(move |calls| {
        let spent = time(|| {
            for _ in 0..calls {
                nest(black_box(&locks[..]));
            }
        });
        spent.per(u64::from(calls) * DEPTH as u64)
    })
}

fn read<R: RwLock>() -> Ready {
    let lock = R::make();
    Box::new(move |calls| {
        let spent = time(|| {
            for _ in 0..calls {
                black_box(*black_box(&lock).read());
            }
        });
        spent.per(u64::from(calls))
    })
}

fn write<R: RwLock>() -> Ready {
    let lock = R::make();
    Box::new(move |calls| {
        let spent = time(|| {
            for _ in 0..calls {
                *black_box(&lock).write() += 1;
            }
        });
        spent.per(u64::from(calls))
    })
}

/// Has so many threads do the same at once, after a first time that is not measured.
fn together<F: Fn(usize, u32) + Sync>(threads: usize, calls: u32, work: F) -> Spent {
    let ready = Barrier::new(threads);
    let mut all = Spent::default();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|number| {
                let (ready, work) = (&ready, &work);
                scope.spawn(move || {
                    work(number, 1);
                    ready.wait();
                    let begin = Instant::now();
                    let spent = time(|| work(number, calls));
                    (begin, Instant::now(), spent.processor)
                })
            })
            .collect();
        let ended = workers.into_iter().map(ScopedJoinHandle::join);
        let spans: Vec<_> = ended
            .map(|span| span.expect("a workload does not panic"))
            .collect();
        all.processor = spans.iter().map(|span| span.2).sum();
        let (first, last) = (
            spans.iter().map(|span| span.0).min(),
            spans.iter().map(|span| span.1).max(),
        );
        if let (Some(first), Some(last)) = (first, last) {
            all.wall = (last - first).as_secs_f64() * 1e9;
        }
    });
    all.per(u64::from(calls) * threads as u64)
}

fn contend<M: Mutex>(threads: usize) -> Ready {
    let mutex = M::make();
    Box::new(move |calls| {
        together(threads, calls, |_, calls| {
            for _ in 0..calls {
                *black_box(&mutex).lock() += 1;
            }
        })
    })
}

/// A lock far enough from the next that they share no cache line.
#[repr(align(256))]
struct Apart<M>(M);

fn apart<M: Mutex>(threads: usize) -> Ready {
    let locks: Vec<Apart<M>> = (0..threads).map(|_| Apart(M::make())).collect();
    Box::new(move |calls| {
        together(threads, calls, |number, calls| {
            for _ in 0..calls {
                *black_box(&locks[number].0).lock() += 1;
            }
        })
    })
}

/// Fresh locks, each taken while the one before it is held.
fn chain<M: Mutex>() -> Ready {
    Box::new(|calls| {
        let mut all = Spent::default();
        for _ in 0..calls {
            let locks: Vec<M> = (0..CHAIN).map(|_| M::make()).collect();
            all += time(|| {
                for pair in black_box(&locks).windows(2) {
                    nest(pair);
                }
            });
        }
        all.per(u64::from(calls) * 2 * (CHAIN as u64 - 1))
    })
}

fn fresh<M: Mutex>() -> Ready {
    Box::new(|calls| time(|| make_and_lock::<M>(calls)).per(u64::from(calls)))
}

/// Makes locks, takes each once and drops it.
pub(crate) fn make_and_lock<M: Mutex>(calls: u32) {
    for _ in 0..calls {
        *black_box(M::make()).lock() += 1;
    }
}

/// Takes each lock once while the root is held.
fn under<M: Mutex>(root: &M, locks: &[M]) -> Spent {
    time(|| {
        for lock in black_box(locks) {
            let mut guard = root.lock();
            *lock.lock() += 1;
            *guard += 1;
        }
    })
}

fn root_first<M: Mutex>() -> Ready {
    let root = M::make();
    Box::new(move |calls| {
        let mut all = Spent::default();
        for _ in 0..calls {
            let locks: Vec<M> = (0..UNDER_ROOT).map(|_| M::make()).collect();
            all += under(&root, &locks);
        }
        all.per(u64::from(calls) * 2 * UNDER_ROOT as u64)
    })
}

fn root_again<M: Mutex>() -> Ready {
    let root = M::make();
    let locks: Vec<M> = (0..UNDER_ROOT).map(|_| M::make()).collect();
    under(&root, &locks);
    Box::new(move |calls| {
        let mut all = Spent::default();
        for _ in 0..calls {
            all += under(&root, &locks);
        }
        all.per(u64::from(calls) * 2 * UNDER_ROOT as u64)
    })
}

/// Two threads take turns: each waits until the number has its parity, and adds one.
fn ping_pong<P: Party>() -> Ready {
    let (mutex, turned) = (P::Mutex::make(), P::Condvar::make());
    Box::new(move |calls| {
        // Over the first, unmeasured, turn to an even number again.
        together(2, calls, |number, calls| {
            for _ in 0..calls {
                let mut count = mutex.lock();
                while *count % 2 != number as u64 {
                    count = turned.wait(count);
                }
                *count += 1;
                drop(count);
                turned.notify();
            }
        })
    })
}
