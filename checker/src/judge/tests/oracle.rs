//! A slow and plain oracle: every order of a small trace, step by step, with real queues.
//!
//! It shares nothing with the searches under test, not even their view of writers' queues: here a
//! writer that finds the lock taken may queue or not, as a step of its own. A deadlock is an end
//! where nothing can move and some of those who are left wait for each other in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// What a thread does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Acquire(Lock, Way),
    Release(Lock),
    Fork(usize),
    Join(usize),
    /// Sleeps on the condition; gives the lock back meanwhile.
    Wait(Lock),
    Notify,
    NotifyAll,
    /// Meets as many others as it takes for two.
    Meet,
    Post,
    Pend,
    Read(char),
    Write(char),
}

pub(super) type Lock = char;

/// How it asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    Write,
    Read,
    RecursiveRead,
    TryWrite,
    TryRead,
    Reentrant,
}

impl Way {
    fn is_exclusive(self) -> bool {
        matches!(self, Way::Write | Way::TryWrite | Way::Reentrant)
    }

    fn tries(self) -> bool {
        matches!(self, Way::TryWrite | Way::TryRead)
    }
}

/// Where a thread is within its act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Within {
    Nothing,
    Queue,
    Asleep,
    Woken,
    Met,
}

/// An act, by thread and position.
type At = (usize, usize);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct State {
    done: Vec<usize>,
    within: Vec<Within>,
    started: BTreeSet<usize>,
    /// A lock stands there as often as it is held.
    held: Vec<(Lock, usize, bool)>,
    units: u32,
    written: BTreeMap<char, At>,
}

/// The acts of a few threads, in an order in which they were seen.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) threads: Vec<Vec<Act>>,
    /// All acts, as the trace has them.
    pub(super) seen: Vec<At>,
    /// The write that each read saw.
    sees: BTreeMap<At, Option<At>>,
}

impl World {
    /// Threads one after the other.
    pub(super) fn in_turn(threads: Vec<Vec<Act>>) -> World {
        let seen = threads.iter().enumerate();
        let seen = seen.flat_map(|(thread, acts)| (0..acts.len()).map(move |at| (thread, at)));
        let seen = seen.collect();
        World::new(threads, seen)
    }

    fn new(threads: Vec<Vec<Act>>, trace: Vec<At>) -> World {
        let mut sees = BTreeMap::new();
        let mut written: BTreeMap<char, At> = BTreeMap::new();
        for &(thread, at) in &trace {
            match threads[thread][at] {
                Act::Read(variable) => {
                    sees.insert((thread, at), written.get(&variable).copied());
                }
                Act::Write(variable) => {
                    written.insert(variable, (thread, at));
                }
                _ => {}
            }
        }
        World {
            threads,
            seen: trace,
            sees,
        }
    }

    /// Lets the threads run, `pick` choosing who moves, until none can; what was done by then is
    /// all that was seen.
    pub(super) fn played(
        mut threads: Vec<Vec<Act>>,
        mut pick: impl FnMut(usize) -> usize,
    ) -> World {
        let mut seen: Vec<At> = Vec::new();
        loop {
            let world = World::new(threads.clone(), seen.clone());
            let mut state = world.start();
            // What came before is played again, so that reads are free until they are played.
            let mut free = world.clone();
            free.sees.clear();
            let mut played = Vec::new();
            state = free.replay(state, &seen, &mut played);
            let movers: Vec<usize> = (0..threads.len())
                .filter(|&thread| {
                    let next = (thread, state.done[thread]);
                    !seen.contains(&next) && !free.steps(&state, thread).is_empty()
                })
                .collect();
            if movers.is_empty() {
                break;
            }
            let thread = movers[pick(movers.len())];
            let at = state.done[thread];
            seen.push((thread, at));
        }
        for (thread, acts) in threads.iter_mut().enumerate() {
            acts.truncate(seen.iter().filter(|(of, _)| *of == thread).count());
        }
        World::new(threads, seen)
    }

    /// The state after these acts were begun in this order, sleepers woken as it comes.
    fn replay(&self, mut state: State, seen: &[At], played: &mut Vec<At>) -> State {
        for &(thread, at) in seen {
            while state.done[thread] == at {
                let Some(next) = self.steps(&state, thread).into_iter().next() else {
                    break;
                };
                let begun = next.within[thread];
                state = next;
                if matches!(begun, Within::Asleep | Within::Met) {
                    break;
                }
            }
            // Whoever was woken takes its lock as soon as that is free.
            for other in 0..self.threads.len() {
                if state.within[other] == Within::Woken
                    && let Some(next) = self.steps(&state, other).into_iter().next()
                {
                    state = next;
                }
            }
            played.push((thread, at));
        }
        state
    }

    fn start(&self) -> State {
        let forked: BTreeSet<usize> = self.threads.iter().flatten().filter_map(forks).collect();
        let count = self.threads.len();
        State {
            done: vec![0; count],
            within: vec![Within::Nothing; count],
            started: (0..count).filter(|t| !forked.contains(t)).collect(),
            held: Vec::new(),
            units: 0,
            written: BTreeMap::new(),
        }
    }

    /// Whether some order of the acts ends with threads in a circle of waits; `None` if there are
    /// too many.
    pub(super) fn can_deadlock(&self) -> Option<bool> {
        /// More would take too long.
        const STATES_MAX: usize = 20_000;
        let start = self.start();
        let mut seen = BTreeSet::from([start.clone()]);
        let mut work = vec![start];
        while let Some(state) = work.pop() {
            let mut stands = true;
            for thread in 0..self.threads.len() {
                for next in self.steps(&state, thread) {
                    stands = false;
                    if seen.insert(next.clone()) {
                        work.push(next);
                    }
                }
            }
            if stands && self.in_a_circle(&state) {
                return Some(true);
            }
            if seen.len() > STATES_MAX {
                return None;
            }
        }
        Some(false)
    }

    /// Whether threads that step in this order come to where each of `sides` waits. Only where each act is
    /// one step: for locks, data, starts and ends of threads.
    ///
    /// `beginning` is as it was seen, where an act stands when it was begun. Whoever had to wait then may go on as soon
    /// as it can, or be overtaken by who came later: either is an order in which that could be seen.
    pub(super) fn leads_to_waits(
        &self,
        beginning: &[usize],
        schedule: &[usize],
        sides: &[usize],
    ) -> bool {
        [true, false].into_iter().any(|first_come| {
            let begun = self.begun(beginning, first_come);
            begun.is_some_and(|begun| self.leads_on_to_waits(begun, schedule, sides))
        })
    }

    /// The next act of a thread, if it can be done.
    fn step(&self, state: &State, thread: usize) -> Option<State> {
        let done = state.done[thread];
        let mut steps = self.steps(state, thread).into_iter();
        steps.find(|next| next.done[thread] > done)
    }

    /// The state after a beginning, all of which must be over. Those who wait go on whenever they can, or only when
    /// the last of the beginning has been done.
    fn begun(&self, beginning: &[usize], first_come: bool) -> Option<State> {
        let mut state = self.start();
        let mut late: Vec<usize> = Vec::new();
        for (number, &thread) in (1..).zip(beginning) {
            if !first_come
                && !late.contains(&thread)
                && let Some(next) = self.step(&state, thread)
            {
                state = next;
            } else {
                late.push(thread);
            }
            let mut at = 0;
            while at < late.len() && (first_come || number == beginning.len()) {
                let is_next = !late[..at].contains(&late[at]);
                match self.step(&state, late[at]).filter(|_| is_next) {
                    Some(next) => {
                        state = next;
                        late.remove(at);
                        at = 0;
                    }
                    None => at += 1,
                }
            }
        }
        late.is_empty().then_some(state)
    }

    fn leads_on_to_waits(&self, mut state: State, schedule: &[usize], sides: &[usize]) -> bool {
        for &thread in schedule {
            let Some(next) = self.step(&state, thread) else {
                return false;
            };
            state = next;
        }
        // Steps that wait are not in a schedule: any writer that finds its lock taken may queue.
        for thread in 0..self.threads.len() {
            let wanted = self.waits_for(&state, thread);
            let queues = wanted.is_some_and(|(lock, way)| {
                way.is_exclusive() && !self.in_the_way(&state, thread, lock, way).is_empty()
            });
            if queues {
                state.within[thread] = Within::Queue;
            }
        }
        let waits = (0..self.threads.len()).map(|thread| {
            let wanted = self.waits_for(&state, thread);
            let others = wanted.map(|(lock, way)| self.in_the_way(&state, thread, lock, way));
            (thread, others.unwrap_or_default())
        });
        let waits = waits.collect();
        sides.iter().all(|&side| comes_back(&waits, side))
    }

    /// The lock that a thread asks for next, and would wait for.
    fn waits_for(&self, state: &State, thread: usize) -> Option<(Lock, Way)> {
        match self.next(state, thread)? {
            Act::Acquire(lock, way) if !way.tries() => Some((lock, way)),
            _ => None,
        }
    }

    fn next(&self, state: &State, thread: usize) -> Option<Act> {
        self.threads[thread].get(state.done[thread]).copied()
    }

    /// Those who keep `thread` from taking `lock` now.
    fn in_the_way(&self, state: &State, thread: usize, lock: Lock, way: Way) -> BTreeSet<usize> {
        let mut others = BTreeSet::new();
        for &(held, holder, exclusive) in &state.held {
            let reenters = holder == thread && way == Way::Reentrant;
            if held == lock && (exclusive || way.is_exclusive()) && !reenters {
                others.insert(holder);
            }
        }
        if matches!(way, Way::Read | Way::TryRead) {
            others.extend((0..self.threads.len()).filter(|&other| {
                let queues = state.within[other] == Within::Queue && other != thread;
                queues && matches!(self.next(state, other), Some(Act::Acquire(l, _)) if l == lock)
            }));
        }
        others
    }

    /// All that one step of a thread leads to.
    fn steps(&self, state: &State, thread: usize) -> Vec<State> {
        let Some(act) = self.next(state, thread) else {
            return Vec::new();
        };
        if !state.started.contains(&thread) {
            return Vec::new();
        }
        let mut next = state.clone();
        next.done[thread] += 1;
        next.within[thread] = Within::Nothing;
        match act {
            Act::Acquire(lock, way) => {
                if !self.in_the_way(state, thread, lock, way).is_empty() {
                    let mut queue = state.clone();
                    queue.within[thread] = Within::Queue;
                    let queues = matches!(way, Way::Write | Way::Reentrant) && queue != *state;
                    return if queues { vec![queue] } else { Vec::new() };
                }
                next.held.push((lock, thread, way.is_exclusive()));
                next.held.sort_unstable();
            }
            Act::Release(lock) => {
                let held = next.held.iter();
                if let Some(at) = held.clone().position(|h| (h.0, h.1) == (lock, thread)) {
                    next.held.remove(at);
                }
            }
            Act::Fork(child) => {
                next.started.insert(child);
            }
            Act::Join(child) => {
                let over = state.done[child] == self.threads[child].len();
                if !state.started.contains(&child) || !over {
                    return Vec::new();
                }
            }
            Act::Wait(lock) => match state.within[thread] {
                Within::Asleep => return Vec::new(),
                Within::Woken => {
                    if !self.in_the_way(state, thread, lock, Way::Write).is_empty() {
                        return Vec::new();
                    }
                    next.held.push((lock, thread, true));
                    next.held.sort_unstable();
                }
                _ => {
                    next.held.retain(|h| (h.0, h.1) != (lock, thread));
                    next.done[thread] -= 1;
                    next.within[thread] = Within::Asleep;
                }
            },
            Act::Notify | Act::NotifyAll => {
                let asleep: Vec<usize> = (0..self.threads.len())
                    .filter(|&other| state.within[other] == Within::Asleep)
                    .collect();
                if act == Act::Notify && !asleep.is_empty() {
                    let woken = asleep.into_iter().map(|other| {
                        let mut woken = next.clone();
                        woken.within[other] = Within::Woken;
                        woken
                    });
                    return woken.collect();
                }
                for other in asleep {
                    next.within[other] = Within::Woken;
                }
            }
            Act::Meet => {
                if state.within[thread] == Within::Met {
                    return Vec::new();
                }
                let other = (0..self.threads.len()).find(|&t| state.within[t] == Within::Met);
                if let Some(other) = other {
                    next.done[other] += 1;
                    next.within[other] = Within::Nothing;
                } else {
                    next.done[thread] -= 1;
                    next.within[thread] = Within::Met;
                }
            }
            Act::Post => next.units += 1,
            Act::Pend => match next.units.checked_sub(1) {
                Some(left) => next.units = left,
                None => return Vec::new(),
            },
            Act::Read(variable) => {
                let sees = self.sees.get(&(thread, state.done[thread]));
                let last = state.written.get(&variable).copied();
                if sees.is_some_and(|sees| *sees != last) {
                    return Vec::new();
                }
            }
            Act::Write(variable) => {
                next.written.insert(variable, (thread, state.done[thread]));
            }
        }
        vec![next]
    }

    /// The threads that could still do what `thread` waits for.
    fn who_could(
        &self,
        state: &State,
        thread: usize,
        such: impl Fn(&Act) -> bool,
    ) -> BTreeSet<usize> {
        let others = (0..self.threads.len()).filter(|&other| other != thread);
        let others: BTreeSet<usize> = others
            .filter(|&other| {
                let within = usize::from(state.within[other] == Within::Met);
                let left = self.threads[other].get(state.done[other] + within..);
                left.into_iter().flatten().any(&such)
            })
            .collect();
        // Whoever tries in vain goes on in a way that was not seen, and may do it there.
        let tries = |&other: &usize| {
            let next = self.next(state, other);
            matches!(next, Some(Act::Acquire(_, way)) if way.tries())
        };
        if others.iter().any(tries) {
            return BTreeSet::new();
        }
        others
    }

    /// Whether some threads wait for each other, in a state where none can move.
    fn in_a_circle(&self, state: &State) -> bool {
        let mut waits: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for thread in 0..self.threads.len() {
            let Some(act) = self.next(state, thread) else {
                continue;
            };
            if !state.started.contains(&thread) {
                continue;
            }
            let others = match act {
                Act::Acquire(_, way) if way.tries() => continue,
                Act::Acquire(lock, way) => self.in_the_way(state, thread, lock, way),
                Act::Join(child) => BTreeSet::from([child]),
                Act::Wait(lock) if state.within[thread] == Within::Woken => {
                    self.in_the_way(state, thread, lock, Way::Write)
                }
                Act::Wait(_) => self.who_could(state, thread, |act| {
                    matches!(act, Act::Notify | Act::NotifyAll)
                }),
                Act::Meet => self.who_could(state, thread, |act| *act == Act::Meet),
                Act::Pend => self.who_could(state, thread, |act| *act == Act::Post),
                _ => continue,
            };
            waits.insert(thread, others);
        }
        (0..self.threads.len()).any(|start| comes_back(&waits, start))
    }

    /// Whether threads wait for anything but locks.
    pub(super) fn waits(&self) -> bool {
        let mut acts = self.threads.iter().flatten();
        acts.any(|act| matches!(act, Act::Join(_) | Act::Wait(_) | Act::Meet | Act::Pend))
    }

    /// The same as a text trace.
    pub(super) fn as_text(&self) -> String {
        let mut text = String::new();
        let mut ways = BTreeMap::new();
        for &(thread, at) in &self.seen {
            let op = match self.threads[thread][at] {
                Act::Acquire(lock, way) => {
                    ways.insert((thread, lock), way);
                    let name = match way {
                        Way::Write => "acq",
                        Way::Read => "racq",
                        Way::RecursiveRead => "rracq",
                        Way::TryWrite => "tryacq",
                        Way::TryRead => "rtryacq",
                        Way::Reentrant => "reacq",
                    };
                    format!("{name}({lock})")
                }
                Act::Release(lock) => match ways.get(&(thread, lock)) {
                    Some(way) if !way.is_exclusive() => format!("rrel({lock})"),
                    _ => format!("rel({lock})"),
                },
                Act::Fork(child) => format!("fork(T{child})"),
                Act::Join(child) => format!("join(T{child})"),
                Act::Wait(lock) => format!("wait(C,{lock})"),
                Act::Notify => "notify(C)".to_owned(),
                Act::NotifyAll => "notifyall(C)".to_owned(),
                Act::Meet => "barrier(M,2)".to_owned(),
                Act::Post => "post(S)".to_owned(),
                Act::Pend => "pend(S)".to_owned(),
                Act::Read(variable) => format!("r({variable})"),
                Act::Write(variable) => format!("w({variable})"),
            };
            writeln!(text, "T{thread}|{op}|{at}").unwrap();
        }
        text
    }
}

/// Whether a thread waits for itself by way of others.
fn comes_back(waits: &BTreeMap<usize, BTreeSet<usize>>, start: usize) -> bool {
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
}

fn forks(act: &Act) -> Option<usize> {
    match act {
        Act::Fork(child) => Some(*child),
        _ => None,
    }
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
    let deadlocks = |threads: [Vec<Act>; 2]| World::in_turn(threads.to_vec()).can_deadlock();
    assert_eq!(deadlocks([nested('A', 'B'), nested('B', 'A')]), Some(true));
    assert_eq!(deadlocks([nested('A', 'B'), nested('A', 'B')]), Some(false));
    let [mut first, mut second] = [nested('A', 'B'), nested('B', 'A')];
    first.push(Act::Write('x'));
    second.insert(0, Act::Read('x'));
    assert_eq!(deadlocks([first, second]), Some(false));
}

#[test]
fn who_had_to_wait_in_a_beginning_may_have_been_overtaken() {
    use Act::{Acquire, Release};
    use Way::{RecursiveRead, Write};
    let threads = vec![
        vec![Acquire('A', Write)],
        vec![
            Acquire('A', RecursiveRead),
            Release('A'),
            Acquire('A', Write),
            Release('A'),
            Acquire('B', Write),
            Acquire('C', Write),
        ],
        vec![Acquire('C', Write), Acquire('B', Write)],
    ];
    let seen = vec![
        (1, 0),
        (0, 0),
        (1, 1),
        (1, 2),
        (1, 3),
        (1, 4),
        (2, 0),
        (1, 5),
        (2, 1),
    ];
    let world = World::new(threads, seen);
    assert!(world.leads_to_waits(&[1, 0, 1, 1, 1], &[1, 2], &[1, 2]));
    // A schedule that asks for what is held leads nowhere, and so does a beginning that is not over.
    assert!(!world.leads_to_waits(&[1, 0, 1, 1, 1], &[1, 2, 1], &[1, 2]));
    assert!(!world.leads_to_waits(&[1, 0, 1, 1], &[1, 2], &[1, 2]));
}
