//! Publish and subscribe, beside tokio's broadcast.

use std::hint::black_box;
use std::thread;

use lockwise::sync::{Backend, Exchange, Raw, Reader, Slow, Tracked};
use tokio::sync::broadcast;

use crate::measure::{Bench, Cost, measure, peer, raw, tracked};

/// Deliveries in a measurement, whatever the number of subscribers.
const DELIVERIES: u32 = 160_000;
/// How many messages there are before they are read.
const BATCH: u32 = 64;

/// One thread sends messages batch by batch, and reads them as each subscriber.
fn alone<R>(readers: &mut [R], mut send: impl FnMut(u32), get: impl Fn(&mut R) -> u32) -> Cost {
    let subscribers = u32::try_from(readers.len()).expect("there are few");
    measure(DELIVERIES, || {
        for start in (0..DELIVERIES / subscribers).step_by(BATCH as usize) {
            let batch = start..(start + BATCH).min(DELIVERIES / subscribers);
            batch.clone().for_each(&mut send);
            for reader in &mut *readers {
                for message in batch.clone() {
                    assert_eq!(black_box(get(reader)), message);
                }
            }
        }
    })
}

/// One thread sends messages, and each subscriber reads them on a thread of its own.
fn threads<R: Send>(
    readers: Vec<R>,
    mut send: impl FnMut(u32),
    get: impl Fn(&mut R) -> u32 + Sync,
) -> Cost {
    let messages = DELIVERIES / u32::try_from(readers.len()).expect("there are few");
    let get = &get;
    measure(DELIVERIES, || {
        thread::scope(|scope| {
            for mut reader in readers {
                scope.spawn(move || (0..messages).for_each(|n| assert_eq!(get(&mut reader), n)));
            }
            (0..messages).for_each(&mut send);
        });
    })
}

fn broadcast(readers: usize, kept: u32) -> (broadcast::Sender<u32>, Vec<broadcast::Receiver<u32>>) {
    let (sender, first) = broadcast::channel(kept as usize);
    let mut readers: Vec<_> = (1..readers).map(|_| sender.subscribe()).collect();
    readers.push(first);
    (sender, readers)
}

fn alone_tokio(readers: usize) -> Cost {
    let (sender, mut readers) = broadcast(readers, BATCH);
    alone(
        &mut readers,
        |n| drop(sender.send(n)),
        |reader| reader.try_recv().expect("it is there"),
    )
}

fn threads_tokio(readers: usize) -> Cost {
    // As much room as there are messages: it would drop some otherwise, where ours keeps all.
    let (sender, readers) = broadcast(readers, DELIVERIES);
    threads(
        readers,
        |n| drop(sender.send(n)),
        |reader| reader.blocking_recv().expect("nothing is lost"),
    )
}

fn ours<B: Backend>(readers: usize) -> (Exchange<u32, B>, Vec<Reader<u32, B>>) {
    let exchange = Exchange::new_in();
    let readers = (0..readers).map(|_| exchange.reader(Slow::Never)).collect();
    (exchange, readers)
}

fn alone_ours<B: Backend>(readers: usize) -> Cost {
    let (exchange, mut readers) = ours::<B>(readers);
    alone(
        &mut readers,
        |n| _ = black_box(exchange.send(n)),
        |reader| reader.try_get().expect("it is there"),
    )
}

fn threads_ours<B: Backend>(readers: usize) -> Cost {
    let (exchange, readers) = ours::<B>(readers);
    threads(
        readers,
        |n| _ = black_box(exchange.send(n)),
        |reader| reader.get().expect("nothing is lost"),
    )
}

pub(crate) fn compare(bench: &mut Bench) {
    for readers in [1, 2, 4, 8, 16, 32, 64] {
        bench.compare(
            &format!("exchange: one thread, {readers} to read"),
            vec![
                peer("tokio", || alone_tokio(readers)),
                raw(&[("tokio", 1.2)], || alone_ours::<Raw>(readers)),
                tracked(|| alone_ours::<Tracked>(readers)),
            ],
        );
    }
    for readers in [1, 2, 4, 8, 16, 32, 64] {
        bench.compare(
            &format!("exchange: {readers} threads read"),
            vec![
                peer("tokio", || threads_tokio(readers)),
                raw(&[("tokio", 1.2)], || threads_ours::<Raw>(readers)),
                tracked(|| threads_ours::<Tracked>(readers)),
            ],
        );
    }
}
