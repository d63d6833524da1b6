//! Measures other libraries that look for deadlocks, as `cargo bench -p lockwise -- --peers` tells it.
//!
//! The workloads are those of `benches/cost`, the very files. Two conditions are left out: that of
//! tracing-mutex, which has none for locks of this shape, and that of no_deadlocks, whose `wait_while` waits
//! for the contrary.
#![allow(
    dead_code,
    unused_imports,
    reason = "the modules are those of another program, which uses all of them"
)]

mod absent;
#[path = "../../cost/clock.rs"]
mod clock;
#[path = "../../cost/shapes.rs"]
mod shapes;
#[path = "../../cost/worker.rs"]
mod worker;
#[path = "../../cost/workloads.rs"]
mod workloads;

use std::process::ExitCode;

use absent::Absent;
use shapes::{ParkingLot, Party, parking_lot_condvar, parking_lot_shaped, std_shaped};
use worker::Order;

/// deloxide, with its order graph.
enum Deloxide {}

parking_lot_shaped!(
    deloxide::Mutex<u64> => deloxide::MutexGuard,
    deloxide::RwLock<u64> => deloxide::RwLockReadGuard, deloxide::RwLockWriteGuard);
parking_lot_condvar!(deloxide::Condvar, deloxide::Mutex<u64>);

impl Party for Deloxide {
    type Mutex = deloxide::Mutex<u64>;
    type RwLock = deloxide::RwLock<u64>;
    type Condvar = deloxide::Condvar;
}

/// tracing-mutex around the locks of `parking_lot`.
enum TracingMutex {}

mod tracing {
    pub(super) use tracing_mutex::parkinglot::tracing::{
        Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard,
    };

    crate::shapes::parking_lot_shaped!(
        Mutex<u64> => MutexGuard, RwLock<u64> => RwLockReadGuard, RwLockWriteGuard);
}

impl Party for TracingMutex {
    type Mutex = tracing::Mutex<u64>;
    type RwLock = tracing::RwLock<u64>;
    type Condvar = Absent;
}

/// `parking_lot` with its own detection, which nobody asks here.
enum Detecting {}

parking_lot_shaped!(
    watched_parking_lot::Mutex<u64> => watched_parking_lot::MutexGuard,
    watched_parking_lot::RwLock<u64> => watched_parking_lot::RwLockReadGuard,
        watched_parking_lot::RwLockWriteGuard);
parking_lot_condvar!(
    watched_parking_lot::Condvar,
    watched_parking_lot::Mutex<u64>
);

impl Party for Detecting {
    type Mutex = watched_parking_lot::Mutex<u64>;
    type RwLock = watched_parking_lot::RwLock<u64>;
    type Condvar = watched_parking_lot::Condvar;
}

/// `no_deadlocks`.
enum NoDeadlocks {}

std_shaped!(
    no_deadlocks::Mutex<u64> => no_deadlocks::MutexGuard,
    no_deadlocks::RwLock<u64> => no_deadlocks::RwLockReadGuard, no_deadlocks::RwLockWriteGuard);

impl Party for NoDeadlocks {
    type Mutex = no_deadlocks::Mutex<u64>;
    type RwLock = no_deadlocks::RwLock<u64>;
    type Condvar = Absent;
}

/// keepcalm, whose one type is a mutex or a read-write lock as it is made.
enum Keepcalm {}

struct CalmMutex(keepcalm::SharedMut<u64>);
struct CalmRwLock(keepcalm::SharedMut<u64>);

impl shapes::Mutex for CalmMutex {
    type Guard<'a> = keepcalm::SharedWriteLock<'a, u64>;

    fn make() -> Self {
        CalmMutex(keepcalm::SharedMut::new_mutex(0))
    }

    fn lock(&self) -> Self::Guard<'_> {
        self.0.write()
    }
}

impl shapes::RwLock for CalmRwLock {
    type Read<'a> = keepcalm::SharedReadLock<'a, u64>;
    type Write<'a> = keepcalm::SharedWriteLock<'a, u64>;

    fn make() -> Self {
        CalmRwLock(keepcalm::SharedMut::new(0))
    }

    fn read(&self) -> Self::Read<'_> {
        self.0.read()
    }

    fn write(&self) -> Self::Write<'_> {
        self.0.write()
    }
}

impl Party for Keepcalm {
    type Mutex = CalmMutex;
    type RwLock = CalmRwLock;
    type Condvar = Absent;
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some(order) = Order::from_words(&words) else {
        return ExitCode::FAILURE;
    };
    match order.party() {
        "deloxide" => {
            deloxide::Deloxide::new()
                .start()
                .expect("deloxide starts once");
            order.obey::<ParkingLot, Deloxide>()
        }
        "tracing-mutex" => order.obey::<ParkingLot, TracingMutex>(),
        "keepcalm" => order.obey::<ParkingLot, Keepcalm>(),
        "parking_lot" => order.obey::<ParkingLot, Detecting>(),
        "no_deadlocks" => order.obey::<ParkingLot, NoDeadlocks>(),
        _ => ExitCode::FAILURE,
    }
}
