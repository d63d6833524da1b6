//! Random small programs, whose outcome is known: one that hangs hangs this test, and whatever is told
//! is compared with what the threads themselves say they hold and want.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use lockwise::watch::Finding;
use lockwise::{RwLock, thread};

use super::{caught, watch};

const LOCKS: usize = 4;
const THREADS: usize = 4;
/// `LOCKWISE_CASES` asks for more.
const PROGRAMS: u64 = 1500;

/// What the threads of one program say of themselves.
#[derive(Default)]
struct Said {
    /// By lock: the threads that hold it, a bit each. Set after it is taken, cleared before it is released.
    holders: [AtomicUsize; LOCKS],
    /// By thread: the lock that it wants to write, from 1. Stored before it is asked for, cleared when it
    /// is taken.
    wanted: [AtomicUsize; THREADS],
}

thread_local! {
    static SAID: Cell<Option<(&'static Said, usize)>> = const { Cell::new(None) };
}

/// Checks a deadlock that this thread tells: each thread of it wants to write what the next one holds.
/// Then it panics, before a report of each would be printed.
pub(super) fn check(finding: &Finding) {
    let Some((said, me)) = SAID.get() else { return };
    let threads: Vec<usize> = finding
        .sides
        .iter()
        .map(|side| {
            let name = side.thread_name.as_deref().expect("it has a name");
            name.parse().expect("a number")
        })
        .collect();
    assert_eq!(threads[0], me, "the teller comes first: {finding}");
    for (at, &thread) in threads.iter().enumerate() {
        let next = threads[(at + 1) % threads.len()];
        let wanted = said.wanted[thread].load(SeqCst);
        assert_ne!(wanted, 0, "a thread of the circle wants nothing: {finding}");
        let holds = said.holders[wanted - 1].load(SeqCst) & 1 << next != 0;
        assert!(holds, "the next one does not hold what it wants: {finding}");
    }
    panic!("{}", finding.code.text().to_owned());
}

/// The next pseudo-random number (an xorshift generator: Marsaglia, 2003).
pub(super) fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// Which locks a thread takes, one inside the other.
#[derive(Clone, Copy, PartialEq)]
enum Order {
    Any,
    Ascending,
}

/// Runs one program of `threads` threads and returns how many deadlocks were told.
fn run(seed: u64, order: Order) -> usize {
    let said: &'static Said = Box::leak(Box::default());
    let locks: Arc<[RwLock<()>; LOCKS]> = Arc::new([const { RwLock::new(()) }; LOCKS]);
    let start = Arc::new(std::sync::Barrier::new(THREADS));
    let threads: Vec<_> = (0..THREADS)
        .map(|me| {
            let (locks, start) = (Arc::clone(&locks), Arc::clone(&start));
            let named = thread::Builder::new().name(me.to_string());
            let body = move || {
                SAID.set(Some((said, me)));
                let mut state =
                    seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (me as u64 + 1) << 32 | 1;
                start.wait();
                caught(|| {
                    for _ in 0..6 {
                        let mut picked = Vec::new();
                        for _ in 0..2 + next(&mut state) % 2 {
                            let lock = usize::try_from(next(&mut state) % LOCKS as u64)
                                .expect("there are few locks");
                            if !picked.contains(&lock) {
                                picked.push(lock);
                            }
                        }
                        if order == Order::Ascending {
                            picked.sort_unstable();
                        }
                        nested(said, me, &locks, &picked, &mut state);
                    }
                })
                .is_some()
            };
            named.spawn(body).expect("the system has threads")
        })
        .collect();
    let told = threads
        .into_iter()
        .map(|thread| thread.join().expect("it was caught"));
    told.filter(|told| *told).count()
}

/// Takes the locks one inside the other, each to read or to write. To read is only tried: a reader that
/// waits may wait behind a writer that waits, and such deadlocks are not told.
fn nested(
    said: &'static Said,
    me: usize,
    locks: &[RwLock<()>; LOCKS],
    picked: &[usize],
    state: &mut u64,
) {
    /// Says that a lock is about to be released, also by unwinding.
    struct Holds {
        said: &'static Said,
        lock: usize,
        me: usize,
    }

    impl Drop for Holds {
        fn drop(&mut self) {
            let Holds { said, lock, me } = *self;
            said.holders[lock].fetch_and(!(1 << me), SeqCst);
        }
    }

    let Some((&lock, rest)) = picked.split_first() else {
        std::thread::yield_now();
        return;
    };
    let reads = next(state).is_multiple_of(2);
    let (mut read, mut write) = (None, None);
    if reads {
        read = locks[lock].try_read();
    }
    if read.is_none() {
        said.wanted[me].store(lock + 1, SeqCst);
        write = Some(locks[lock].write());
        said.wanted[me].store(0, SeqCst);
    }
    said.holders[lock].fetch_or(1 << me, SeqCst);
    let holds = Holds { said, lock, me };
    nested(said, me, locks, rest, state);
    drop(holds);
    drop((read.take(), write.take()));
}

pub(super) fn programs() -> u64 {
    let cases = std::env::var("LOCKWISE_CASES").ok();
    cases.map_or(PROGRAMS, |cases| cases.parse().expect("a number"))
}

#[test]
fn every_hang_is_told_and_nothing_else() {
    watch();
    let told: usize = (1..=programs()).map(|seed| run(seed, Order::Any)).sum();
    assert!(told > 0, "some of these programs deadlock");
}

#[test]
fn programs_with_one_order_are_never_told() {
    watch();
    let told: usize = (1..=programs())
        .map(|seed| run(seed, Order::Ascending))
        .sum();
    assert_eq!(told, 0);
}
