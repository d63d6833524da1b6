//! What watching costs: each workload with the bare lock and with ours, in turn, in one run.
//!
//! `cargo run --release -p lockwise --example cost`. Set `LOCKWISE_LOG=DIR LOCKWISE_LEVEL=trace` to
//! measure that level.
#![expect(clippy::print_stdout, reason = "this is a program that prints a table")]
#![expect(
    clippy::cast_precision_loss,
    reason = "nanoseconds per operation need no more"
)]

use std::hint::black_box;
use std::time::Instant;

use lockwise::lock_api::{Mutex as Generic, RwLock as GenericRw};
use lockwise::{Mutex, RwLock};

type Bare<T> = Generic<parking_lot::RawMutex, T>;
type BareRw<T> = GenericRw<parking_lot::RawRwLock, T>;

/// How often each workload is measured.
const ROUNDS: usize = 9;

/// Nanoseconds per call.
fn time(calls: u32, mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..calls {
        call();
    }
    start.elapsed().as_nanos() as f64 / f64::from(calls)
}

/// Measures both in turn and prints the bare time and the ratio: median, least and greatest.
fn compare(name: &str, calls: u32, mut bare: impl FnMut(), mut ours: impl FnMut()) {
    let mut ratios = Vec::new();
    let mut bares = Vec::new();
    for _ in 0..ROUNDS {
        let without = time(calls, &mut bare);
        ratios.push(time(calls, &mut ours) / without);
        bares.push(without);
    }
    ratios.sort_by(f64::total_cmp);
    bares.sort_by(f64::total_cmp);
    println!(
        "| {name} | {:.1} ns | {:.2} | {:.2} to {:.2} |",
        bares[ROUNDS / 2],
        ratios[ROUNDS / 2],
        ratios[0],
        ratios[ROUNDS - 1]
    );
}

fn main() {
    println!("| workload | bare | ratio | spread |");
    println!("| --- | --- | --- | --- |");
    let (bare, ours) = (Bare::new(0_u64), Mutex::new(0_u64));
    compare(
        "lock and unlock",
        400_000,
        || *bare.lock() += 1,
        || *ours.lock() += 1,
    );
    let bare: Vec<Bare<u64>> = (0..4).map(Bare::new).collect();
    let ours: Vec<Mutex<u64>> = (0..4).map(|at| Mutex::new(at)).collect();
    compare(
        "four nested, known order",
        100_000,
        || {
            let _guards = (
                bare[0].lock(),
                bare[1].lock(),
                bare[2].lock(),
                bare[3].lock(),
            );
        },
        || {
            let _guards = (
                ours[0].lock(),
                ours[1].lock(),
                ours[2].lock(),
                ours[3].lock(),
            );
        },
    );
    let (bare, ours) = (BareRw::new(0_u64), RwLock::new(0_u64));
    compare(
        "read and unlock",
        400_000,
        || drop(black_box(bare.read())),
        || drop(black_box(ours.read())),
    );
    compare(
        "write and unlock",
        400_000,
        || *bare.write() += 1,
        || *ours.write() += 1,
    );
    compare(
        "make, lock, drop",
        400_000,
        || *black_box(Bare::new(1_u64)).lock() += 1,
        || *black_box(Mutex::new(1_u64)).lock() += 1,
    );
}
