//! A slow and plain oracle: every order of a small trace, step by step, with real queues.
//!
//! It shares nothing with the searches under test, not even their view of writers' queues: here a
//! writer that finds the lock taken may queue or not, as a step of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// What a thread does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Acquire(Lock, Way),
    Release(Lock),
    Fork(usize),
    Join(usize),
}

pub(super) type Lock = char;

/// How it asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    Write,
    Read,
    RecursiveRead,
    TryWrite,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    done: Vec<usize>,
    started: BTreeSet<usize>,
    held: BTreeSet<(Lock, usize, bool)>,
    queued: BTreeSet<(Lock, usize)>,
}

/// Whether some order of the threads' acts ends with threads in a circle of waits.
pub(super) fn can_deadlock(threads: &[Vec<Act>]) -> bool {
    let forked: BTreeSet<usize> = threads
        .iter()
        .flatten()
        .filter_map(|act| match act {
            Act::Fork(child) => Some(*child),
            _ => None,
        })
        .collect();
    let start = State {
        done: vec![0; threads.len()],
        started: (0..threads.len()).filter(|t| !forked.contains(t)).collect(),
        held: BTreeSet::new(),
        queued: BTreeSet::new(),
    };
    let mut seen = BTreeSet::from([start.clone()]);
    let mut work = vec![start];
    while let Some(state) = work.pop() {
        if in_a_circle(threads, &state) {
            return true;
        }
        for thread in 0..threads.len() {
            for next in steps(threads, &state, thread) {
                if seen.insert(next.clone()) {
                    work.push(next);
                }
            }
        }
    }
    false
}

/// Those who keep `thread` from taking `lock` now.
fn in_the_way(state: &State, thread: usize, lock: Lock, way: Way) -> BTreeSet<usize> {
    let mut others = BTreeSet::new();
    for &(held, holder, exclusive) in &state.held {
        if held == lock && (exclusive || matches!(way, Way::Write | Way::TryWrite)) {
            others.insert(holder);
        }
    }
    if way == Way::Read {
        let queued = state.queued.iter();
        others.extend(queued.filter(|q| q.0 == lock && q.1 != thread).map(|q| q.1));
    }
    others
}

fn steps(threads: &[Vec<Act>], state: &State, thread: usize) -> Vec<State> {
    let Some(act) = threads[thread].get(state.done[thread]) else {
        return Vec::new();
    };
    if !state.started.contains(&thread) {
        return Vec::new();
    }
    let mut next = state.clone();
    next.done[thread] += 1;
    match *act {
        Act::Acquire(lock, way) => {
            if !in_the_way(state, thread, lock, way).is_empty() {
                let mut queue = state.clone();
                let queues = way == Way::Write && queue.queued.insert((lock, thread));
                return if queues { vec![queue] } else { Vec::new() };
            }
            let exclusive = matches!(way, Way::Write | Way::TryWrite);
            next.held.insert((lock, thread, exclusive));
            next.queued.remove(&(lock, thread));
        }
        Act::Release(lock) => next.held.retain(|h| (h.0, h.1) != (lock, thread)),
        Act::Fork(child) => {
            next.started.insert(child);
        }
        Act::Join(child) => {
            let over = state.done[child] == threads[child].len();
            if !state.started.contains(&child) || !over {
                return Vec::new();
            }
        }
    }
    vec![next]
}

/// Whether some threads wait for each other. Try requests wait for nobody.
fn in_a_circle(threads: &[Vec<Act>], state: &State) -> bool {
    let mut waits: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for thread in 0..threads.len() {
        let Some(act) = threads[thread].get(state.done[thread]) else {
            continue;
        };
        let others = match *act {
            _ if !state.started.contains(&thread) => continue,
            Act::Acquire(_, Way::TryWrite) => continue,
            Act::Acquire(lock, way) => in_the_way(state, thread, lock, way),
            Act::Join(child) if state.done[child] < threads[child].len() => BTreeSet::from([child]),
            _ => continue,
        };
        waits.insert(thread, others);
    }
    (0..threads.len()).any(|start| {
        let mut reached = BTreeSet::new();
        let mut work = vec![start];
        while let Some(thread) = work.pop() {
            for &next in waits.get(&thread).into_iter().flatten() {
                if reached.insert(next) {
                    work.push(next);
                }
            }
        }
        reached.contains(&start)
    })
}

/// The same as a text trace, thread after thread.
pub(super) fn as_text(threads: &[Vec<Act>]) -> String {
    let mut text = String::new();
    for (thread, acts) in threads.iter().enumerate() {
        let mut ways = BTreeMap::new();
        for (at, act) in acts.iter().enumerate() {
            let op = match *act {
                Act::Acquire(lock, way) => {
                    ways.insert(lock, way);
                    let name = match way {
                        Way::Write => "acq",
                        Way::Read => "racq",
                        Way::RecursiveRead => "rracq",
                        Way::TryWrite => "tryacq",
                    };
                    format!("{name}({lock})")
                }
                Act::Release(lock) => match ways.get(&lock) {
                    Some(Way::Read | Way::RecursiveRead) => format!("rrel({lock})"),
                    _ => format!("rel({lock})"),
                },
                Act::Fork(child) => format!("fork(T{child})"),
                Act::Join(child) => format!("join(T{child})"),
            };
            writeln!(text, "T{thread}|{op}|{at}").unwrap();
        }
    }
    text
}

#[test]
fn the_oracle_knows_an_inversion_from_an_order() {
    let nested = |outer, inner| {
        vec![
            Act::Acquire(outer, Way::Write),
            Act::Acquire(inner, Way::Write),
            Act::Release(inner),
            Act::Release(outer),
        ]
    };
    assert!(can_deadlock(&[nested('A', 'B'), nested('B', 'A')]));
    assert!(!can_deadlock(&[nested('A', 'B'), nested('A', 'B')]));
}
