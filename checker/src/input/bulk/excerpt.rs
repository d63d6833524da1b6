//! Excerpts: stretches of a long trace in which the sides of a cycle come close to each other.
//!
//! The last events stand in a ring, with the state before the first of them. When a request closes a
//! cycle with requests that other threads made within the ring, the events from some way before the
//! first of these to some way behind the last become an excerpt.
//!
//! An excerpt begins with a *prologue*: made-up events that lead to the state at its start, the forks,
//! the last writes and what is held. No thread may leave them half done, or what others did before the
//! excerpt would not stand: so each thread with something held then writes a variable of its own, one
//! thread reads them all and writes another, and that is the first thing that each thread reads.

use std::collections::{HashMap, HashSet, VecDeque};

use super::second::Suspects;
use crate::holders::{Hold, Holders};
use crate::trace::{AcquireClass, Ask, Event, Held, LockId, Op, Run, SiteId, ThreadId, VariableId};

/// Parts of the ring that an excerpt takes in before the first side and behind the last, at least so
/// many events.
const BEFORE: (usize, usize) = (20, 2);
const BEHIND: (usize, usize) = (40, 4);

/// Excerpts for one and the same cycle that are made, after which each second, fourth, … is.
const EACH: u32 = 8;

/// Requests looked at to find a cycle, each time and in all.
const STEPS_MAX: u32 = 2_000;
const ALL_STEPS_MAX: u64 = 20_000_000;

/// Cycles that one request is taken for the end of.
const FOUND_MAX: usize = 4;

/// Threads of a cycle at most.
const SIDES_MAX: usize = 64;

/// A request that may be a side.
#[derive(Debug, Clone)]
struct Side {
    thread: ThreadId,
    want: LockId,
    /// Where it stands, and where the oldest lock held at it was taken.
    at: u64,
    since: u64,
}

/// State at the start of the ring.
#[derive(Debug, Default)]
struct Start {
    holders: Holders,
    forks: Vec<Event>,
    /// Per variable, its last write.
    written: HashMap<VariableId, Event>,
}

impl Start {
    fn follow(&mut self, event: Event) {
        // What is wrong with it is told elsewhere.
        self.holders.follow(&event, &[], false);
        self.holders.slips.clear();
        match event.op {
            Op::Fork { .. } => self.forks.push(event),
            Op::Write { variable } => {
                self.written.insert(variable, event);
            }
            _ => {}
        }
    }
}

/// The ring, and what was cut out of it.
pub(super) struct Window {
    size: usize,
    before: u64,
    behind: u64,
    start: Start,
    ring: VecDeque<Event>,
    /// How many events have left the ring.
    gone: u64,
    /// Per held lock, the last requests of each thread and wanted lock.
    recent: HashMap<LockId, Vec<Side>>,
    /// Per thread and lock that was held in a wait, the last request.
    asked: HashMap<(ThreadId, LockId), u64>,
    /// Per thread, where its held locks were taken.
    taken: HashMap<ThreadId, Vec<(LockId, u64)>>,
    /// How often each cycle was met, by its sides.
    met: HashMap<Vec<(ThreadId, LockId)>, u32>,
    /// What is to be cut out: from, to.
    due: Option<(u64, u64)>,
    runs: Vec<Run>,
    room: usize,
    /// Requests that may still be looked at.
    steps: u64,
    left_out: u64,
}

/// What was cut out.
pub(super) struct Excerpts {
    pub(super) runs: Vec<Run>,
    /// Places for which there was no room.
    pub(super) left_out: u64,
}

impl Window {
    pub(super) fn new(size: usize, room: usize) -> Self {
        let part = |(of, least): (usize, usize)| (size / of).max(least) as u64;
        Window {
            size,
            before: part(BEFORE),
            behind: part(BEHIND),
            start: Start::default(),
            ring: VecDeque::new(),
            gone: 0,
            recent: HashMap::new(),
            asked: HashMap::new(),
            taken: HashMap::new(),
            met: HashMap::new(),
            due: None,
            runs: Vec::new(),
            room,
            steps: ALL_STEPS_MAX,
            left_out: 0,
        }
    }

    fn now(&self) -> u64 {
        self.gone + self.ring.len() as u64
    }

    /// Takes in the next event of the trace.
    pub(super) fn push(&mut self, event: Event) {
        let now = self.now();
        match event.op {
            Op::Acquire { lock, .. } => {
                self.taken
                    .entry(event.thread)
                    .or_default()
                    .push((lock, now));
            }
            Op::Release { lock, .. } => {
                let taken = self.taken.entry(event.thread).or_default();
                if let Some(at) = taken.iter().rposition(|(held, _)| *held == lock) {
                    taken.remove(at);
                }
            }
            _ => {}
        }
        if self.due.is_some_and(|(_, to)| to <= now) {
            self.cut();
        }
        if self.ring.len() >= self.size
            && let Some(first) = self.ring.pop_front()
        {
            self.start.follow(first);
            self.gone += 1;
        }
        self.ring.push_back(event);
    }

    /// Takes in the request that is the next event: a side of a cycle maybe.
    pub(super) fn request(
        &mut self,
        thread: ThreadId,
        held: &[Held],
        want: Held,
        suspects: &Suspects,
        cyclic: bool,
    ) {
        let at = self.now();
        if suspects.waited_under.contains(&want.lock) {
            self.asked.insert((thread, want.lock), at);
        }
        if !cyclic {
            return;
        }
        let taken = self.taken.get(&thread).and_then(|taken| taken.first());
        let side = Side {
            thread,
            want: want.lock,
            at,
            since: taken.map_or(at, |&(_, at)| at),
        };
        for held in held.iter().filter(|held| suspects.is_on_cycle(held.lock)) {
            if held.lock != want.lock {
                self.close(held.lock, &side);
                let recent = self.recent.entry(held.lock).or_default();
                let alike = |other: &Side| (other.thread, other.want) != (thread, want.lock);
                recent.retain(|other| alike(other) && other.at >= self.gone);
                recent.push(side.clone());
            }
        }
    }

    /// Takes in a join that is the next event: with a request of the child for what is held it may be a
    /// circle.
    pub(super) fn join(&mut self, thread: ThreadId, child: ThreadId, held: &[Hold]) {
        for Hold { held, .. } in held {
            let Some(&at) = self.asked.get(&(child, held.lock)) else {
                continue;
            };
            if at >= self.gone {
                let taken = self.taken.get(&thread).and_then(|taken| taken.first());
                let since = taken.map_or(at, |&(_, since)| since.min(at));
                let side = |thread, at| Side {
                    thread,
                    want: held.lock,
                    at,
                    since,
                };
                self.note(&[side(child, at), side(thread, self.now())]);
            }
        }
    }

    /// Looks for a way back from what `side` wants to what it holds, by recent requests of others.
    fn close(&mut self, held: LockId, side: &Side) {
        let room_min = usize::try_from(self.before + self.behind).unwrap_or(usize::MAX);
        if self.steps == 0 || self.room < room_min {
            self.left_out += 1;
            return;
        }
        let mut steps = STEPS_MAX;
        let mut path: Vec<Side> = vec![side.clone()];
        let mut rows: Vec<usize> = vec![0];
        let mut found: Vec<Vec<Side>> = Vec::new();
        while let Some(next) = rows.last_mut() {
            let last = path.last().map_or(held, |side| side.want);
            let row = self.recent.get(&last).map_or(&[][..], Vec::as_slice);
            let Some(other) = row.get(*next) else {
                rows.pop();
                path.pop();
                continue;
            };
            *next += 1;
            steps -= 1;
            if steps == 0 {
                break;
            }
            let passed = path
                .iter()
                .any(|side| side.thread == other.thread || side.want == other.want);
            if other.at < self.gone || passed {
                continue;
            }
            path.push(other.clone());
            if other.want == held {
                found.push(path.clone());
                path.pop();
                if found.len() >= FOUND_MAX {
                    break;
                }
            } else if path.len() < SIDES_MAX {
                rows.push(0);
            } else {
                path.pop();
            }
        }
        self.steps = self.steps.saturating_sub(u64::from(STEPS_MAX - steps));
        for cycle in found {
            self.note(&cycle);
        }
    }

    /// Notes that a cycle is to be cut out.
    fn note(&mut self, cycle: &[Side]) {
        let mut key: Vec<(ThreadId, LockId)> =
            cycle.iter().map(|side| (side.thread, side.want)).collect();
        key.sort_unstable();
        let times = self.met.entry(key).or_default();
        *times += 1;
        if *times > EACH && !times.is_power_of_two() {
            return;
        }
        let from = cycle.iter().map(|side| side.since).min().unwrap_or(0);
        let from = from.saturating_sub(self.before).max(self.gone);
        // The request is not in the ring yet.
        let to = self.now() + 1 + self.behind;
        let length = usize::try_from(to - from).unwrap_or(usize::MAX);
        if length > self.room {
            self.left_out += 1;
            return;
        }
        self.due = Some(match self.due {
            Some((earlier, _)) => (earlier.min(from), to),
            None => (from, to),
        });
        // One that goes on and on is cut before its start leaves the ring.
        if self
            .due
            .is_some_and(|(from, _)| to - from > (self.size as u64).saturating_sub(self.behind))
        {
            self.cut();
        }
    }

    /// Cuts out what is due, as far as it is there.
    fn cut(&mut self) {
        let Some((from, to)) = self.due.take() else {
            return;
        };
        let from = from.max(self.gone);
        let skip = usize::try_from(from - self.gone).expect("it lies within the ring");
        let length = usize::try_from(to.min(self.now()) - from).expect("it lies within the ring");
        let mut start = Start {
            holders: self.start.holders.clone(),
            forks: self.start.forks.clone(),
            written: self.start.written.clone(),
        };
        for event in self.ring.iter().take(skip) {
            start.follow(event.clone());
        }
        let events: Vec<Event> = self.ring.iter().skip(skip).take(length).cloned().collect();
        self.room = self.room.saturating_sub(events.len());
        self.runs.push(excerpt(start, from, events));
    }

    /// All excerpts, as parts of `run`.
    pub(super) fn finish(mut self, run: &Run) -> Excerpts {
        self.cut();
        for excerpt in &mut self.runs {
            excerpt.label.clone_from(&run.label);
            excerpt.threads.clone_from(&run.threads);
            excerpt.locks.clone_from(&run.locks);
            excerpt.resources.clone_from(&run.resources);
            excerpt.complete = run.complete;
            // It may have been before the excerpt.
            let woken = run.woken_unseen.iter();
            excerpt.woken_unseen = woken.map(|&(thread, _)| (thread, 0)).collect();
            excerpt.prologue.resize(run.threads.len(), 0);
        }
        Excerpts {
            runs: self.runs,
            left_out: self.left_out,
        }
    }
}

/// A run of these events, from a state.
fn excerpt(start: Start, begins_after: u64, events: Vec<Event>) -> Run {
    let mut run = Run {
        begins_after,
        ..Run::default()
    };
    let site = events.first().map_or(SiteId(0), |event| event.site);
    let mut add = |thread: ThreadId, op: Op, site: SiteId| {
        if run.prologue.len() <= thread.at() {
            run.prologue.resize(thread.at() + 1, 0);
        }
        run.prologue[thread.at()] += 1;
        run.events.push(Event { thread, op, site });
    };
    let mut variables: u32 = 0;
    let mut read = HashSet::new();
    let mut acting = Vec::new();
    for event in &events {
        match event.op {
            Op::Read { variable } => {
                read.insert(variable);
                variables = variables.max(variable.0 + 1);
            }
            Op::Write { variable } => variables = variables.max(variable.0 + 1),
            _ => {}
        }
        if !acting.contains(&event.thread) {
            acting.push(event.thread);
        }
    }
    let mut busy: Vec<ThreadId> = Vec::new();
    for fork in start.forks {
        busy.push(fork.thread);
        add(fork.thread, fork.op, fork.site);
    }
    let mut written: Vec<Event> = start.written.into_values().collect();
    written.sort_by_key(|event| (event.thread, variable_of(event)));
    for event in written {
        if variable_of(&event).is_some_and(|variable| read.contains(&variable)) {
            busy.push(event.thread);
            add(event.thread, event.op, event.site);
        }
    }
    for (thread, holds) in start.holders.all() {
        for Hold { held, .. } in holds {
            busy.push(thread);
            let op = Op::Acquire {
                lock: held.lock,
                mode: held.mode,
                ask: Ask::Wait,
                class: AcquireClass::default(),
            };
            add(thread, op, held.site);
        }
    }
    busy.sort_unstable();
    busy.dedup();
    let mut fresh = variables..;
    let mut variable = || VariableId(fresh.next().expect("there are fewer than numbers"));
    if let Some(&hub) = busy.first() {
        let done: Vec<VariableId> = busy.iter().map(|_| variable()).collect();
        for (&thread, &variable) in busy.iter().zip(&done) {
            add(thread, Op::Write { variable }, site);
        }
        for &variable in &done {
            add(hub, Op::Read { variable }, site);
        }
        let begun = variable();
        add(hub, Op::Write { variable: begun }, site);
        for thread in acting {
            add(thread, Op::Read { variable: begun }, site);
        }
    }
    run.events.extend(events);
    run
}

fn variable_of(event: &Event) -> Option<VariableId> {
    match event.op {
        Op::Write { variable } => Some(variable),
        _ => None,
    }
}
