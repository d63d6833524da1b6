//! Queues, beside crossbeam's channels.

use std::hint::black_box;
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use lockwise::sync::{Backend, Queue, Raw, Tracked};

use crate::measure::{Bench, Cost, measure, peer, raw, tracked};

/// What is measured of a channel.
trait Channel: Sync {
    fn put(&self, item: u32);
    fn get(&self) -> u32;
}

struct Crossbeam(Sender<u32>, Receiver<u32>);

impl Crossbeam {
    fn new(capacity: Option<usize>) -> Crossbeam {
        let (sender, receiver) = capacity.map_or_else(unbounded, bounded);
        Crossbeam(sender, receiver)
    }
}

impl Channel for Crossbeam {
    #[inline]
    fn put(&self, item: u32) {
        self.0.send(item).expect("it is open");
    }

    #[inline]
    fn get(&self) -> u32 {
        self.1.recv().expect("it is open")
    }
}

impl<B: Backend> Channel for Queue<u32, B> {
    #[inline]
    fn put(&self, item: u32) {
        Queue::put(self, item).expect("it is open");
    }

    #[inline]
    fn get(&self) -> u32 {
        Queue::get(self).expect("it is open")
    }
}

fn ours<B: Backend>(capacity: Option<usize>) -> Queue<u32, B> {
    capacity.map_or_else(Queue::new_in, Queue::bounded_in)
}

/// One thread puts an item and gets it, again and again.
fn alone(channel: &impl Channel) -> Cost {
    const ITEMS: u32 = 200_000;
    measure(ITEMS, || {
        for item in 0..ITEMS {
            channel.put(item);
            assert_eq!(black_box(channel.get()), item);
        }
    })
}

/// One thread fills the channel, and then empties it.
fn filled(channel: &impl Channel) -> Cost {
    const ITEMS: u32 = 200_000;
    measure(ITEMS, || {
        (0..ITEMS).for_each(|item| channel.put(item));
        (0..ITEMS).for_each(|item| assert_eq!(black_box(channel.get()), item));
    })
}

/// Threads put items, and others get them.
#[derive(Debug, Clone, Copy)]
struct Flood {
    producers: u32,
    consumers: u32,
    /// For each pair of a producer and a consumer.
    items: u32,
}

impl Flood {
    fn run(self, channel: &impl Channel) -> Cost {
        let operations = self.producers * self.consumers * self.items;
        measure(operations, || {
            let sum: u64 = thread::scope(|scope| {
                for _ in 0..self.producers {
                    scope.spawn(|| (0..operations / self.producers).for_each(|n| channel.put(n)));
                }
                let get = || {
                    let items = 0..operations / self.consumers;
                    items.map(|_| u64::from(channel.get())).sum::<u64>()
                };
                let others: Vec<_> = (1..self.consumers).map(|_| scope.spawn(get)).collect();
                let others = others.into_iter().map(thread::ScopedJoinHandle::join);
                others.fold(get(), |sum, other| sum + other.expect("it does not panic"))
            });
            let each = u64::from(operations / self.producers);
            assert_eq!(sum, u64::from(self.producers) * (each * (each - 1) / 2));
        })
    }

    fn compare(self, bench: &mut Bench, workload: &str, capacity: Option<usize>, most: f64) {
        bench.compare(
            workload,
            vec![
                peer("crossbeam", || self.run(&Crossbeam::new(capacity))),
                raw(&[("crossbeam", most)], || self.run(&ours::<Raw>(capacity))),
                tracked(|| self.run(&ours::<Tracked>(capacity))),
            ],
        );
    }
}

/// Two threads throw an item back and forth.
fn ping_pong(there: &impl Channel, back: &impl Channel) -> Cost {
    const ITEMS: u32 = 10_000;
    measure(ITEMS, || {
        thread::scope(|scope| {
            scope.spawn(|| (0..ITEMS).for_each(|_| back.put(there.get())));
            for item in 0..ITEMS {
                there.put(item);
                assert_eq!(back.get(), item);
            }
        });
    })
}

pub(crate) fn compare(bench: &mut Bench) {
    bench.compare(
        "queue: put and get, one thread",
        vec![
            peer("crossbeam", || alone(&Crossbeam::new(None))),
            raw(&[("crossbeam", 1.0)], || alone(&ours::<Raw>(None))),
            tracked(|| alone(&ours::<Tracked>(None))),
        ],
    );
    bench.compare(
        "queue: fill and empty, one thread",
        vec![
            peer("crossbeam", || filled(&Crossbeam::new(None))),
            raw(&[("crossbeam", 1.0)], || filled(&ours::<Raw>(None))),
            tracked(|| filled(&ours::<Tracked>(None))),
        ],
    );
    let flood = |producers, consumers, items| Flood {
        producers,
        consumers,
        items,
    };
    flood(1, 1, 200_000).compare(bench, "queue: 1 to 1, no bound", None, 1.0);
    flood(4, 1, 50_000).compare(bench, "queue: 4 to 1, no bound", None, 1.0);
    flood(4, 4, 12_500).compare(bench, "queue: 4 to 4, no bound", None, 1.0);
    flood(1, 1, 100_000).compare(bench, "queue: 1 to 1, room for 128", Some(128), 1.5);
    flood(4, 1, 25_000).compare(bench, "queue: 4 to 1, room for 128", Some(128), 1.5);
    flood(4, 4, 6_000).compare(bench, "queue: 4 to 4, room for 128", Some(128), 1.5);
    flood(1, 1, 20_000).compare(bench, "queue: 1 to 1, hand to hand", Some(0), 1.5);
    flood(4, 1, 5_000).compare(bench, "queue: 4 to 1, hand to hand", Some(0), 1.5);
    bench.compare(
        "queue: back and forth",
        vec![
            peer("crossbeam", || {
                ping_pong(&Crossbeam::new(None), &Crossbeam::new(None))
            }),
            raw(&[("crossbeam", 1.0)], || {
                ping_pong(&ours::<Raw>(None), &ours::<Raw>(None))
            }),
            tracked(|| ping_pong(&ours::<Tracked>(None), &ours::<Tracked>(None))),
        ],
    );
}
