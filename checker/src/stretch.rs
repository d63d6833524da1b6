//! Happens-before by fork, join and barrier.
//!
//! A *stretch* of a thread is what it does between two such events; all of a stretch stands in the
//! same order to everything in other threads, so order is kept per stretch and not per event. What a
//! stretch knows of other threads is not stored as a vector clock (with a hundred thousand threads
//! that would be their square) but found on demand by walking back, and remembered for a while.
//!
//! Lock releases order nothing here: that two critical sections ran in one order in this run says
//! nothing about the next. Semaphores and condition variables order nothing either (design.md 7).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::trace::ThreadId;

/// What orders two stretches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tie {
    /// A fork or a join.
    ForkJoin,
    /// A barrier.
    Barrier,
}

/// `stretch` of its thread begins after all stretches of `of` before `until` have ended.
#[derive(Debug, Clone, Copy)]
struct Incoming {
    stretch: u32,
    of: ThreadId,
    until: u32,
    tie: Tie,
}

/// Per known thread, how many of its stretches lie before.
type Known = HashMap<ThreadId, u32>;

/// Known entries that are remembered before all are forgotten: about 100 megabytes.
const KNOWN_MAX: usize = 4_000_000;

/// The stretches of a run.
#[derive(Debug, Default)]
pub struct Stretches {
    /// Per thread, the stretch it is in.
    now: Vec<u32>,
    /// Per thread, what its stretches wait for, in ascending order.
    incoming: Vec<Vec<Incoming>>,
    known: Mutex<Cache>,
}

/// What was found before.
#[derive(Debug, Default)]
struct Cache {
    of: HashMap<(ThreadId, u32, bool), Known>,
    entries: usize,
}

impl Stretches {
    /// All threads in their first stretch.
    pub fn new(threads: usize) -> Self {
        Stretches {
            now: vec![0; threads],
            incoming: vec![Vec::new(); threads],
            known: Mutex::default(),
        }
    }

    /// The stretch that a thread is in.
    pub fn now(&self, thread: ThreadId) -> u32 {
        self.now[thread.at()]
    }

    /// `parent` starts `child`.
    pub fn fork(&mut self, parent: ThreadId, child: ThreadId) {
        self.end(parent);
        self.end(child);
        self.tie(child, parent, Tie::ForkJoin);
    }

    /// `parent` has waited for the end of `child`.
    pub fn join(&mut self, parent: ThreadId, child: ThreadId) {
        self.end(parent);
        self.end(child);
        self.tie(parent, child, Tie::ForkJoin);
    }

    /// All of `group` have met.
    pub fn barrier(&mut self, group: &[ThreadId]) {
        for &thread in group {
            self.end(thread);
        }
        // All ties go through one hub, a thread that does nothing: their number stays linear.
        let hub = ThreadId::from(self.now.len());
        self.now.push(0);
        self.incoming.push(Vec::new());
        for &thread in group {
            self.tie(hub, thread, Tie::Barrier);
        }
        self.end(hub);
        for &thread in group {
            self.tie(thread, hub, Tie::Barrier);
        }
    }

    fn end(&mut self, thread: ThreadId) {
        self.now[thread.at()] += 1;
    }

    fn tie(&mut self, later: ThreadId, earlier: ThreadId, tie: Tie) {
        self.incoming[later.at()].push(Incoming {
            stretch: self.now[later.at()],
            of: earlier,
            until: self.now[earlier.at()],
            tie,
        });
    }

    /// Whether nothing is ordered by anything.
    pub fn is_free(&self) -> bool {
        self.incoming.iter().all(Vec::is_empty)
    }

    /// What orders two stretches of different threads, whichever comes first; fork and join are
    /// named where they suffice.
    pub fn ordered(&self, a: (ThreadId, u32), b: (ThreadId, u32)) -> Option<Tie> {
        if a.0 == b.0 {
            return None;
        }
        [(false, Tie::ForkJoin), (true, Tie::Barrier)]
            .into_iter()
            .find(|&(barriers, _)| self.before(a, b, barriers) || self.before(b, a, barriers))
            .map(|(_, tie)| tie)
    }

    /// Whether all of stretch `a` comes before stretch `b`.
    pub fn precedes(&self, a: (ThreadId, u32), b: (ThreadId, u32)) -> bool {
        if a.0 == b.0 {
            a.1 < b.1
        } else {
            self.before(a, b, true)
        }
    }

    fn before(&self, a: (ThreadId, u32), b: (ThreadId, u32), barriers: bool) -> bool {
        // A panic leaves at worst fewer entries than are counted.
        let mut cache = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (b.0, b.1, barriers);
        if !cache.of.contains_key(&key) {
            let known = self.walk(b, barriers);
            if cache.entries + known.len() > KNOWN_MAX {
                *cache = Cache::default();
            }
            cache.entries += known.len();
            cache.of.insert(key, known);
        }
        cache.of[&key].get(&a.0).is_some_and(|&until| until > a.1)
    }

    /// How much of every other thread comes before this stretch.
    fn walk(&self, (thread, stretch): (ThreadId, u32), barriers: bool) -> Known {
        let mut known = Known::new();
        // Per thread, how many of its incoming ties were followed.
        let mut followed: HashMap<ThreadId, usize> = HashMap::new();
        let mut work = vec![(thread, stretch)];
        while let Some((thread, begun)) = work.pop() {
            let incoming = &self.incoming[thread.at()];
            let next = followed.entry(thread).or_default();
            while let Some(tie) = incoming.get(*next).filter(|tie| tie.stretch <= begun) {
                *next += 1;
                if tie.tie == Tie::Barrier && !barriers {
                    continue;
                }
                let until = known.entry(tie.of).or_default();
                if *until < tie.until {
                    *until = tie.until;
                    work.push((tie.of, tie.until - 1));
                }
            }
        }
        known
    }
}

#[cfg(test)]
mod tests;
