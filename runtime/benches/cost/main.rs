//! What watching costs: each workload on the plain locks and on ours, and, if asked for, on those of
//! other libraries, in one run.
//!
//! ```text
//! cargo bench -p lockwise                  the tables, in about two minutes
//! cargo bench -p lockwise -- --quick       the same with few rounds
//! cargo bench -p lockwise -- --peers       with other libraries that look for deadlocks (see `benches/peers`)
//! cargo bench -p lockwise -- --only TEXT   only the rows whose name contains this
//! ```
//!
//! Each figure is the ratio to the plain lock of `parking_lot` (or of std, for the shapes of std), the
//! median of all rounds, with the quartiles behind it. A round is one batch on the plain locks and one on
//! the others, one after the other in one process; which comes first alternates, and all parties take
//! turns. Each party has a process of its own, since what it does is chosen per process, and that is started
//! anew a few times, since where a program lies in memory matters. What happens on one thread is
//! timed by the processor's time of that thread, what waits by the wall's clock; the latter says
//! little on a machine that does other things at the same time. Where `valgrind` is at hand the instructions
//! of an acquisition are counted too: these are the same in each run.

mod clock;
mod conductor;
mod floor;
mod instructions;
mod others;
mod ours;
mod shapes;
mod table;
mod worker;
mod workloads;

use std::process::ExitCode;

use conductor::Wishes;
use floor::Floor;
use ours::{Lockwise, StdShaped};
use shapes::{ParkingLot, Std};
use worker::Order;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let Some(order) = Order::from_words(&words) {
        return match order.party() {
            "lockwise" => order.obey::<ParkingLot, Lockwise>(),
            "std-shaped" => order.obey::<Std, StdShaped>(),
            "floor" => order.obey::<ParkingLot, Floor<ParkingLot, false>>(),
            "floor-trace" => order.obey::<ParkingLot, Floor<ParkingLot, true>>(),
            "std-floor" => order.obey::<Std, Floor<Std, false>>(),
            "std-floor-trace" => order.obey::<Std, Floor<Std, true>>(),
            _ => ExitCode::FAILURE,
        };
    }
    let Some(wishes) = Wishes::from_words(&words) else {
        table::line("usage: cargo bench -p lockwise -- [--quick] [--peers] [--only TEXT]");
        return ExitCode::from(2);
    };
    conductor::conduct(&wishes)
}
