//! What Lockwise's primitives cost, beside what other packages offer, in turn, in one run.
//!
//! `cargo run --release -- [FILTER] [ROUNDS]`, in the folder of this package. Each workload is done by all
//! parties in each round, in another order each time, so that whatever else the machine does hits all of
//! them alike; what counts are the ratios within a round.
#![expect(clippy::print_stdout, reason = "this is a program that prints a table")]

mod actor;
mod channel;
mod event;
mod exchange;
mod measure;
mod pool;
mod promise;

use measure::Bench;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let filter = arguments.next().unwrap_or_default();
    let rounds = arguments.next().and_then(|rounds| rounds.parse().ok());
    let mut bench = Bench::new(filter, rounds.unwrap_or(15));
    println!("{}", measure::HEAD);
    channel::compare(&mut bench);
    event::compare(&mut bench);
    promise::compare(&mut bench);
    pool::compare(&mut bench);
    actor::compare(&mut bench);
    exchange::compare(&mut bench);
}
