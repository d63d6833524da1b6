//! Whether all workers of a pool wait for what only workers of that pool can do.
//!
//! A worker that is about to wait for a result of its own pool, however long that takes, says so here. If
//! then all workers wait so, and none of the results has come, none ever will: nobody is left to do the
//! jobs. Waits with a deadline end by themselves and are not told. What cannot be seen: that a worker waits
//! for something else, which a job of the pool would end.
//!
//! Whether results have come is looked at without a lock. That is right all the same: the list has a
//! version, which changes when a wait begins or ends. If it has not changed, all of these waited
//! while it was looked.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Acquire;

/// Whether each of some results has come.
type Results = Vec<Arc<AtomicBool>>;

/// The workers of a pool that wait for results of it.
#[derive(Debug, Default)]
pub(super) struct WaitingWorkers {
    version: u64,
    /// By the number of the worker's thread: the results of which it waits for one.
    row: Vec<(u64, Results)>,
}

/// The waits at one moment, when all workers waited.
#[derive(Debug)]
pub(super) struct AllWait {
    version: u64,
    results: Results,
}

impl WaitingWorkers {
    pub(super) const fn new() -> WaitingWorkers {
        WaitingWorkers {
            version: 0,
            row: Vec::new(),
        }
    }

    /// The thread of that number, a worker, waits for one of some results. If all `workers` wait now: for what.
    pub(super) fn begin(&mut self, me: u64, results: Results, workers: usize) -> Option<AllWait> {
        self.version += 1;
        self.row.push((me, results));
        (self.row.len() == workers).then(|| AllWait {
            version: self.version,
            results: self
                .row
                .iter()
                .flat_map(|(_, results)| results.iter().map(Arc::clone))
                .collect(),
        })
    }

    /// The thread of that number waits no more.
    pub(super) fn end(&mut self, me: u64) {
        self.version += 1;
        if let Some(at) = self.row.iter().rposition(|(thread, _)| *thread == me) {
            self.row.remove(at);
        }
    }

    /// Whether nothing has changed since all waited.
    pub(super) fn lasts(&self, all: &AllWait) -> bool {
        self.version == all.version
    }
}

impl AllWait {
    /// Whether none of the results has come.
    pub(super) fn is_hopeless(&self) -> bool {
        !self.results.iter().any(|result| result.load(Acquire))
    }
}
