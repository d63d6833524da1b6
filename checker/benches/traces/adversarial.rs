//! Traces that are hard by their shape: many threads, many locks held at once, very many cycles.
//!
//! Each is packed (LTB1) and has one planted inversion that must be found, whatever else is left out.

/// What makes a trace hard.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    make: fn(&mut Words),
}

/// All of them.
pub(crate) const SHAPES: [Shape; 4] = [
    Shape {
        name: "2,000 threads",
        make: threads,
    },
    Shape {
        name: "1,000,000 locks, 200 held at once",
        make: locks,
    },
    Shape {
        name: "a component with 2^20 cycles",
        make: ladder,
    },
    Shape {
        name: "24 locks in all orders",
        make: all_orders,
    },
];

impl Shape {
    /// The trace, and the numbers of the locks of the planted inversion.
    pub(crate) fn trace(&self) -> (Vec<u8>, [u64; 2]) {
        let mut words = Words {
            bytes: b"LTB1\x01\0\0\0".to_vec(),
            events: 0,
        };
        words.bytes.extend([0; 24]);
        (self.make)(&mut words);
        let events = words.events.to_le_bytes();
        words.bytes[8..16].copy_from_slice(&events);
        (words.bytes, PLANTED)
    }
}

/// The locks of the planted inversion: far from all others.
const PLANTED: [u64; 2] = [1_000_100, 1_000_101];

/// A trace that is being written.
#[derive(Debug)]
pub(crate) struct Words {
    bytes: Vec<u8>,
    events: u64,
}

impl Words {
    fn add(&mut self, thread: u64, op: u64, argument: u64) {
        let place = (thread * 31 + argument * 7 + op) % 997;
        let word = op | thread << 4 | argument << 20 | place << 44;
        self.bytes.extend(word.to_le_bytes());
        self.events += 1;
    }

    /// Takes the locks in this order and gives them back.
    fn nest(&mut self, thread: u64, locks: impl DoubleEndedIterator<Item = u64> + Clone) {
        for lock in locks.clone() {
            self.add(thread, 0, lock);
        }
        for lock in locks.rev() {
            self.add(thread, 1, lock);
        }
    }

    /// Two threads take the planted locks in either order, the last of a long row of others.
    fn plant(&mut self, threads: [u64; 2], others: impl DoubleEndedIterator<Item = u64> + Clone) {
        let [a, b] = PLANTED;
        // Rows without a lock in common, or that would guard the inversion.
        let other = others.clone().map(|lock| lock + 1_000_200);
        self.nest(threads[0], others.chain([a, b]));
        self.nest(threads[1], other.chain([b, a]));
    }
}

/// Each thread nests a few locks in ascending order, again and again.
fn threads(words: &mut Words) {
    for thread in 1..2_000 {
        words.add(0, 4, thread);
    }
    for round in 0..200_u64 {
        for thread in 0..2_000 {
            let first = (thread * 7 + round * 13) % 900;
            words.nest(
                thread,
                [first, first + 1 + round % 50, first + 60].into_iter(),
            );
        }
        if round == 100 {
            words.plant([17, 1_983], 0..0);
        }
    }
}

/// A million locks, 200 held at once, in ascending order.
fn locks(words: &mut Words) {
    const DEEP: u64 = 200;
    for section in 0..10_000_u64 {
        // Sections of one thread overlap those of another by half.
        let first = section * DEEP / 2 % 999_800;
        words.nest(section % 16, first..first + DEEP);
        if section == 5_000 {
            words.plant([3, 5], 0..DEEP - 2);
        }
    }
}

/// Twenty steps, each by way of one of two locks, in a ring.
fn ladder(words: &mut Words) {
    const STEPS: u64 = 20;
    for step in 0..STEPS {
        let (from, to) = (step * 3, (step + 1) % STEPS * 3);
        for by in [1, 2] {
            let (one, two) = (step * 4 + by * 2, step * 4 + by * 2 + 1);
            words.nest(one, [from, from + by].into_iter());
            words.nest(two, [from + by, to].into_iter());
        }
    }
    words.plant([91, 92], 0..0);
}

/// Each of some locks is taken under each other, by many threads.
fn all_orders(words: &mut Words) {
    const LOCKS: u64 = 24;
    for held in 0..LOCKS {
        for want in (0..LOCKS).filter(|&want| want != held) {
            for thread in 0..30 {
                words.nest(thread, [held, want].into_iter());
            }
        }
    }
    words.plant([31, 32], 0..0);
}
