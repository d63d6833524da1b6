//! The exhaustive search: all states that some order of a run's events leads to.
//!
//! Depth first, the thread that is least far going first, so that "everyone takes the first lock"
//! comes early. States are remembered; a state that is a deadlock already is not searched further.
//! The search is bounded by the memory of the states seen. One that was not cut short is a proof
//! that nothing else can be reached.

use std::collections::{BTreeMap, HashSet, VecDeque};

use rustc_hash::FxHashSet;

use super::model::{Model, State};
use super::witness::Step;
use crate::trace::{LockId, ThreadId};

/// A deadlock that was reached.
#[derive(Debug, Clone)]
pub(super) struct Stuck {
    /// The steps that lead to it.
    pub(super) schedule: Vec<Step>,
    /// The threads of one cycle, each with the event that it cannot execute; each waits for the next.
    pub(super) sides: Vec<(ThreadId, u32)>,
    /// For each side, the lock that it waits for and the next side holds or queues for; `None` where
    /// it waits for something else.
    pub(super) locks: Vec<Option<LockId>>,
    /// For each side, whether it merely stands in the queue that the side before waits behind.
    pub(super) queues: Vec<bool>,
}

/// What the search found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Deadlocks, each kind once, in the order found.
    pub(super) stuck: Vec<Stuck>,
    /// Threads that can be left waiting for a wake-up that nobody will give, with a schedule.
    pub(super) stalls: Vec<Stuck>,
    /// States seen.
    pub(super) states: u64,
    /// Whether all states were seen.
    pub(super) complete: bool,
}

/// Searches the states of `model` until all were seen, or their memory exceeds `words_max` words,
/// or a deadlock was found that satisfies `enough`.
pub(super) fn explore(model: &Model<'_>, words_max: u64, enough: impl Fn(&Stuck) -> bool) -> Found {
    let mut found = Found::default();
    let mut kinds = HashSet::new();
    // How each state was reached: the number of the state before, and the step.
    let mut ways: Vec<(usize, Step)> = Vec::new();
    let start = model.start();
    let mut words = start.size();
    // A short run of many threads has some ten thousand states: they are hashed fast.
    let mut seen = FxHashSet::from_iter([start.clone()]);
    let mut work = vec![(start, usize::MAX)];
    while let Some((state, way)) = work.pop() {
        found.states += 1;
        let stuck = model.stuck(&state);
        if let Some(sides) = cycle(&stuck) {
            let stuck = describe(model, &state, &sides, schedule(&ways, way));
            if kinds.insert((stuck.sides.clone(), stuck.locks.clone())) {
                let stop = enough(&stuck);
                found.stuck.push(stuck);
                if stop {
                    return found;
                }
            }
            continue;
        }
        let mut steps = model.steps(&state);
        if steps.is_empty() {
            for (thread, waits) in stuck {
                if model.is_left(&state, thread, &waits) {
                    let stall = describe(model, &state, &[thread], schedule(&ways, way));
                    if kinds.insert((stall.sides.clone(), stall.locks.clone())) {
                        found.stalls.push(stall);
                    }
                }
            }
            continue;
        }
        steps.sort_by_key(|(step, next)| std::cmp::Reverse(next.done(step.thread)));
        for (step, next) in steps {
            if !seen.insert(next.clone()) {
                continue;
            }
            words += next.size();
            if words > words_max {
                return found;
            }
            ways.push((way, step));
            work.push((next, ways.len() - 1));
        }
    }
    found.complete = true;
    found
}

/// The steps that lead to a state.
fn schedule(ways: &[(usize, Step)], mut way: usize) -> Vec<Step> {
    let mut steps = Vec::new();
    while let Some(&(before, step)) = ways.get(way) {
        steps.push(step);
        way = before;
    }
    steps.reverse();
    steps
}

/// The shortest cycle among threads that wait for each other, the smallest thread first.
fn cycle(stuck: &[(ThreadId, Vec<ThreadId>)]) -> Option<Vec<ThreadId>> {
    let waits: BTreeMap<ThreadId, &Vec<ThreadId>> = stuck
        .iter()
        .map(|(thread, waits)| (*thread, waits))
        .collect();
    let mut best: Option<Vec<ThreadId>> = None;
    for &start in waits.keys() {
        let mut before: BTreeMap<ThreadId, ThreadId> = BTreeMap::new();
        let mut row = VecDeque::from([start]);
        while let Some(thread) = row.pop_front() {
            for &next in waits.get(&thread).into_iter().copied().flatten() {
                if let std::collections::btree_map::Entry::Vacant(entry) = before.entry(next) {
                    entry.insert(thread);
                    row.push_back(next);
                }
            }
            if before.contains_key(&start) {
                break;
            }
        }
        let Some(&last) = before.get(&start) else {
            continue;
        };
        let mut path = vec![last];
        while let Some(&here) = path.last()
            && here != start
        {
            path.push(before[&here]);
        }
        path.reverse();
        if best.as_ref().is_none_or(|best| path.len() < best.len()) {
            best = Some(path);
        }
    }
    best
}

fn describe(model: &Model<'_>, state: &State, threads: &[ThreadId], schedule: Vec<Step>) -> Stuck {
    let locks: Vec<Option<LockId>> = threads
        .iter()
        .map(|&thread| model.waits_at(state, thread))
        .collect();
    let queues = (0..threads.len())
        .map(|at| {
            let before = locks[(at + threads.len() - 1) % threads.len()];
            before.is_some_and(|lock| {
                locks[at] == Some(lock) && threads.len() > 1 && !state.holds(threads[at], lock)
            })
        })
        .collect();
    Stuck {
        schedule,
        sides: threads
            .iter()
            .filter_map(|&thread| Some((thread, model.next(state, thread)?)))
            .collect(),
        locks,
        queues,
    }
}
