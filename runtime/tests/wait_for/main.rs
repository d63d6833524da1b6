//! The search for threads that wait for each other, under loom: all schedules with few preemptions,
//! and whatever stale values the memory model lets a thread read.
//!
//! `watch/wait_for.rs` is compiled here a second time, over loom's atomics. The threads of a model never park:
//! whether they would is known when all have ended. Each model ends in all schedules in what must be told;
//! and each fence, left out, makes one of them fail.

mod broken;
mod circles;
mod owed;
mod silence;
mod watch;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use loom::sync::atomic::AtomicBool;
use loom::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// How often a thread is preempted at most in a schedule. Loom's authors find that few bugs need more.
const PREEMPTIONS: usize = 3;

/// Runs `model` in all schedules.
fn explore(model: impl Fn() + Send + Sync + 'static) {
    /// The search's row is the process', so that models run one after the other.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(PREEMPTIONS);
    builder.check(model);
}

thread_local! {
    /// By thread of the model: the number of its latest search among all.
    static SEARCHES: RefCell<HashMap<loom::thread::ThreadId, u32>> = RefCell::default();
}

/// This thread of the model searches, as the one with this number.
fn searched(number: u32) {
    SEARCHES.with_borrow_mut(|searches| searches.insert(loom::thread::current().id(), number));
}

/// The number of this thread's latest search.
fn latest_search() -> u32 {
    SEARCHES.with_borrow(|searches| searches[&loom::thread::current().id()])
}

/// A real lock, of which only the state counts.
struct Lock(AtomicBool);

impl Lock {
    fn free() -> Lock {
        Lock(AtomicBool::new(false))
    }

    fn try_take(&self) -> bool {
        self.0
            .compare_exchange(false, true, Acquire, Relaxed)
            .is_ok()
    }

    fn give_back(&self) {
        self.0.store(false, Release);
    }
}
