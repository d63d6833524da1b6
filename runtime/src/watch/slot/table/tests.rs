use std::collections::BTreeSet;
use std::sync::Barrier;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;

use super::super::current;
use super::{Bits, taken};

/// The numbers of the threads that have a slot.
fn living() -> BTreeSet<u32> {
    taken().map(|slot| slot.thread.load(Relaxed)).collect()
}

#[test]
fn the_slots_of_threads_that_live_are_looked_at_and_of_no_others() {
    // More than stand in a block.
    const THREADS: usize = 150;
    let (begun, over) = (Barrier::new(THREADS + 1), Barrier::new(THREADS + 1));
    for _ in 0..3 {
        let numbers: BTreeSet<u32> = thread::scope(|scope| {
            let own = || {
                let number = current().unwrap().thread.load(Relaxed);
                begun.wait();
                over.wait();
                number
            };
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(own)).collect();
            begun.wait();
            let during = living();
            over.wait();
            let numbers = threads.into_iter().map(|thread| thread.join().unwrap());
            let numbers: BTreeSet<u32> = numbers.collect();
            assert!(numbers.is_subset(&during));
            numbers
        });
        assert_eq!(numbers.len(), THREADS);
        assert!(numbers.is_disjoint(&living()));
    }
}

#[test]
fn the_bits_of_a_word_come_lowest_first() {
    let bits = |word| Bits(word).collect::<Vec<_>>();
    assert_eq!(bits(0), []);
    assert_eq!(bits(1 << 63 | 0b101), [0, 2, 63]);
    assert_eq!(bits(u64::MAX), (0..64).collect::<Vec<_>>());
}
