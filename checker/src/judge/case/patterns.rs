//! One core for each pattern: proofs of independent patterns are looked for at the same time.
//!
//! The searches of a run share one budget, and the pattern whose turn is first takes from it first.
//! So that a verdict does not depend on the number of cores, each search begins with no less than the
//! searches before it are known to leave, and afterwards what they took is settled in their order: a
//! search that took more than was left then is made once more with just that.

use std::num::NonZeroUsize;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use super::proofs::{Budget, Search};
use super::{Case, RunCase};
use crate::limits::count;
use crate::trace::RunId;

/// What a thread that searches may need of stack: as much as the first thread of a process has.
const STACK: usize = 8 << 20;

/// A search that was made before it was settled.
struct Done<R> {
    result: R,
    /// What it was given, and what it left.
    given: Budget,
    left: Budget,
    unproved: u64,
    rejected: u64,
}

/// What the threads share.
struct Ledger<R> {
    /// The pattern that is searched next.
    next: usize,
    /// Per run, what all searches that have ended leave.
    left: Vec<Budget>,
    /// Per pattern, its search.
    done: Vec<Option<Done<R>>>,
}

impl<'a> Case<'a> {
    /// Looks at each pattern, several at the same time; gives what came of it, in the order of the
    /// patterns. It is the same on any number of cores.
    pub(in crate::judge) fn each<T: Sync, R: Send>(
        &self,
        patterns: &[(RunId, T)],
        look: impl Fn(&mut Search<'_, 'a>, &T) -> R + Sync,
    ) -> Vec<R> {
        let made = |at: usize, given: Budget| {
            let (run, pattern) = &patterns[at];
            let mut search = Search::new(self.run(*run), given);
            let result = look(&mut search, pattern);
            Done {
                result,
                given,
                left: search.left,
                unproved: search.unproved,
                rejected: search.rejected,
            }
        };
        let ledger = Mutex::new(Ledger {
            next: 0,
            left: self.runs.iter().map(RunCase::left).collect(),
            done: patterns.iter().map(|_| None).collect(),
        });
        let work = || {
            loop {
                let (at, given) = {
                    let mut ledger = lock(&ledger);
                    let at = ledger.next;
                    let Some((run, _)) = patterns.get(at) else {
                        return;
                    };
                    ledger.next += 1;
                    (at, ledger.left[run.at()])
                };
                let done = made(at, given);
                let mut ledger = lock(&ledger);
                let left = &mut ledger.left[patterns[at].0.at()];
                *left = left.less(done.given.less(done.left));
                ledger.done[at] = Some(done);
            }
        };
        self.at_once(patterns.len(), &work);
        let done = ledger.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut results = Vec::new();
        for (at, mut done) in done.done.into_iter().flatten().enumerate() {
            let run = self.run(patterns[at].0);
            let left = run.left();
            let spent = done.given.less(done.left);
            let same = left == done.given || (done.given.covers(left) && left.covers(spent));
            if !same {
                done = made(at, left);
            }
            run.settle(left.less(done.given.less(done.left)));
            run.unproved.fetch_add(done.unproved, Ordering::Relaxed);
            run.rejected.fetch_add(done.rejected, Ordering::Relaxed);
            results.push(done.result);
        }
        results
    }

    /// Does `work` in as many threads as there are cores for this many patterns, this one among them.
    fn at_once(&self, patterns: usize, work: &(impl Fn() + Sync)) {
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let threads = cores.min(count(self.bounds.cores)).min(patterns);
        thread::scope(|scope| {
            for _ in 1..threads {
                let builder = thread::Builder::new().name("lockwise-judge".to_owned());
                if builder.stack_size(STACK).spawn_scoped(scope, work).is_err() {
                    // The threads that there are do all of it.
                    break;
                }
            }
            work();
        });
    }
}

impl RunCase<'_> {
    fn left(&self) -> Budget {
        *lock(&self.left)
    }

    fn settle(&self, left: Budget) {
        *lock(&self.left) = left;
    }
}

/// A panic in one search ends the judgement; what others still do does not matter then.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
