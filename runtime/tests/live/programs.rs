//! Random small programs, whose outcome is known: one that hangs hangs this test, and whatever is told
//! is compared with what the threads themselves say they hold and want.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use lockwise::watch::Finding;
use lockwise::{Mutex, thread};

use super::{caught, watch};

const LOCKS: usize = 4;
const THREADS: usize = 4;
/// `LOCKWISE_CASES` asks for more.
const PROGRAMS: u64 = 1500;

/// What the threads of one program say of themselves: numbers from 1, 0 for nothing.
#[derive(Default)]
struct Said {
    /// By lock: the thread that holds it. Stored after it is taken, cleared before it is released.
    holder: [AtomicUsize; LOCKS],
    /// By thread: the lock that it wants. Stored before it is asked for, cleared when it is taken.
    wanted: [AtomicUsize; THREADS],
}

thread_local! {
    static SAID: Cell<Option<(&'static Said, usize)>> = const { Cell::new(None) };
}

/// Checks a deadlock that this thread tells: whoever holds what it wants wants what another holds, and
/// so on back to this thread. Then it panics, before a report of each would be printed.
pub(super) fn check(finding: &Finding) {
    let Some((said, me)) = SAID.get() else { return };
    let mut here = me;
    for _ in &finding.sides {
        let lock = said.wanted[here].load(SeqCst);
        assert_ne!(lock, 0, "a thread of the circle wants nothing: {finding}");
        let holder = said.holder[lock - 1].load(SeqCst);
        assert_ne!(holder, 0, "nobody holds what it wants: {finding}");
        here = holder - 1;
    }
    assert_eq!(here, me, "the circle does not close: {finding}");
    panic!("{}", finding.code.text().to_owned());
}

/// The next pseudo-random number (an xorshift generator: Marsaglia, 2003).
fn next(state: &mut u64) -> u64 {
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
    let locks: Arc<[Mutex<()>; LOCKS]> = Arc::new([const { Mutex::new(()) }; LOCKS]);
    let start = Arc::new(std::sync::Barrier::new(THREADS));
    let threads: Vec<_> = (0..THREADS)
        .map(|me| {
            let (locks, start) = (Arc::clone(&locks), Arc::clone(&start));
            thread::spawn(move || {
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
                        nested(said, me, &locks, &picked);
                    }
                })
                .is_some()
            })
        })
        .collect();
    let told = threads
        .into_iter()
        .map(|thread| thread.join().expect("it was caught"));
    told.filter(|told| *told).count()
}

/// Takes the locks one inside the other.
fn nested(said: &'static Said, me: usize, locks: &[Mutex<()>; LOCKS], picked: &[usize]) {
    /// Says that a lock is about to be released, also by unwinding.
    struct Holds(&'static AtomicUsize);

    impl Drop for Holds {
        fn drop(&mut self) {
            self.0.store(0, SeqCst);
        }
    }

    let Some((&lock, rest)) = picked.split_first() else {
        std::thread::yield_now();
        return;
    };
    said.wanted[me].store(lock + 1, SeqCst);
    let _guard = locks[lock].lock();
    said.holder[lock].store(me + 1, SeqCst);
    said.wanted[me].store(0, SeqCst);
    let _holds = Holds(&said.holder[lock]);
    nested(said, me, locks, rest);
}

fn programs() -> u64 {
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
