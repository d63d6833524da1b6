//! That threads which take their locks by `acquire!` never wait for each other in a circle.

use std::cell::Cell;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use lockwise::{Mutex, acquire};

#[test]
fn sorted_whatever_order() {
    const ROUNDS: u64 = 100_000;
    let locks = Arc::new((Mutex::new(0), Mutex::new(0)));
    let (done, all_done) = mpsc::channel();
    for turned in [false, true] {
        let (locks, done) = (Arc::clone(&locks), done.clone());
        thread::spawn(move || {
            let (a, b) = &*locks;
            for _ in 0..ROUNDS {
                let (mut one, mut two) = if turned {
                    acquire!(b, a)
                } else {
                    acquire!(a, b)
                };
                *one += 1;
                *two += 1;
            }
            done.send(()).unwrap();
        });
    }
    for _ in 0..2 {
        let ended = all_done.recv_timeout(Duration::from_secs(120));
        ended.expect("the threads wait for each other");
    }
    assert_eq!((*locks.0.lock(), *locks.1.lock()), (2 * ROUNDS, 2 * ROUNDS));
}

#[test]
fn random_orders_of_five_locks_in_eight_threads_end() {
    const ROUNDS: u32 = 3_000;
    let locks: Arc<[Mutex<u64>; 5]> = Arc::new(std::array::from_fn(|_| Mutex::new(0)));
    let (done, all_done) = mpsc::channel();
    for seed in 1..=8 {
        let (locks, done) = (Arc::clone(&locks), done.clone());
        thread::spawn(move || {
            let random = Cell::new(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
            let below = |limit: usize| {
                random.set(random.get() ^ random.get() << 13);
                random.set(random.get() ^ random.get() >> 7);
                random.set(random.get() ^ random.get() << 17);
                usize::try_from(random.get() % limit as u64).unwrap()
            };
            for _ in 0..ROUNDS {
                let mut order = [0, 1, 2, 3, 4];
                for last in (1..5).rev() {
                    order.swap(last, below(last + 1));
                }
                let shuffled = order.map(|index| &locks[index]);
                let guards = acquire!(
                    shuffled[0],
                    shuffled[1],
                    shuffled[2],
                    shuffled[3],
                    shuffled[4]
                );
                for mut guard in <[_; 5]>::from(guards) {
                    *guard += 1;
                }
            }
            done.send(()).unwrap();
        });
    }
    for _ in 0..8 {
        all_done
            .recv_timeout(Duration::from_secs(120))
            .expect("the threads wait for each other");
    }
    assert!(
        locks
            .iter()
            .all(|lock| *lock.lock() == 8 * u64::from(ROUNDS))
    );
}
