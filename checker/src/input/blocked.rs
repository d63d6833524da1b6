//! Says how long threads were blocked where nobody watches.
//!
//! A report that finds nothing means as much as was seen. Threads that are blocked in input and output, or
//! in locks and channels that are not watched, may wait for each other there.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::trace::{Blocked, Run};

/// Less than this, over all threads and runs, is not worth a line: starting and ending alone take some.
const WORTH_SAYING: Duration = Duration::from_millis(100);

/// One sentence over all runs, if it was long.
pub(super) fn limits(runs: &[Run]) -> Option<String> {
    // The same log may be there twice.
    let processes: BTreeMap<u64, Blocked> = runs
        .iter()
        .filter_map(|run| run.process.as_ref())
        .map(|process| (process.nonce, process.blocked))
        .collect();
    let sum = |of: fn(&Blocked) -> u64| Duration::from_nanos(processes.values().map(of).sum());
    let elsewhere = sum(|blocked| blocked.elsewhere_ns);
    if elsewhere < WORTH_SAYING {
        return None;
    }
    let watched = sum(|blocked| blocked.watched_ns);
    let uncounted = processes.values().filter(|blocked| blocked.threads == 0);
    let uncounted = match uncounted.count() {
        0 => String::new(),
        number => format!("; not counted in {number} of {} runs", processes.len()),
    };
    Some(format!(
        "threads were blocked for {:.1} s in all where nothing is watched (input and output, or locks and \
         channels that nobody watches), and for {:.1} s in watched waits{uncounted}",
        elsewhere.as_secs_f64(),
        watched.as_secs_f64(),
    ))
}

#[cfg(test)]
mod tests;
