//! The check of a proof at a distance: the trace once more, without what is left out, step by step.
//!
//! It shares nothing with [`super::aside`] but the proof, and knows no stands: per proof it keeps who holds
//! what, the last write in the trace and the last that was done, who was started, and refuses at the first
//! step that could not have happened so. What it accepts becomes a run of its own that begins where the
//! schedule has led to: what the sides hold is made up, and their requests are all there is.

use rustc_hash::{FxHashMap, FxHashSet};

use lockwise::watch::Mode;

use super::aside::{Proof, Side};
use super::late::Late;
use super::{CHUNK, Consumer};
use crate::trace::{
    Ask, Behind, Event, LockId, Op, ResourceId, Run, Side as ReleaseSide, ThreadId, VariableId,
};

/// The last write of a variable: in the trace, and among what is done.
#[derive(Debug, Default, Clone, Copy)]
struct Writes {
    seen: u64,
    done: u64,
}

/// One proof, and how far its schedule was followed.
struct Check {
    proof: Proof,
    holders: FxHashMap<LockId, Vec<(ThreadId, Mode)>>,
    writes: FxHashMap<VariableId, Writes>,
    /// In what mode a wait gave its lock back.
    waits: FxHashMap<ThreadId, Mode>,
    /// Threads that cannot begin, or wait at a barrier.
    stuck: FxHashSet<ThreadId>,
    groups: FxHashMap<ResourceId, Vec<ThreadId>>,
    /// Resources of which a use was left out.
    missed: FxHashSet<ResourceId>,
    /// Locks of which the life was begun or ended by what was left out.
    lost: FxHashSet<LockId>,
    /// The sides that were met before their requests.
    met: FxHashSet<ThreadId>,
    refused: bool,
}

impl Check {
    fn new(proof: Proof) -> Self {
        Check {
            proof,
            holders: FxHashMap::default(),
            writes: FxHashMap::default(),
            waits: FxHashMap::default(),
            stuck: FxHashSet::default(),
            groups: FxHashMap::default(),
            missed: FxHashSet::default(),
            lost: FxHashSet::default(),
            met: FxHashSet::default(),
            refused: false,
        }
    }

    /// Takes in the event that `at` others come before.
    fn follow(&mut self, event: &Event, at: u64) {
        if self.refused || at > self.proof.events {
            return;
        }
        let mut stops = self.proof.stops.iter();
        let stop = stops.find(|(thread, _)| *thread == event.thread);
        let stop = stop.map(|&(_, from)| from);
        let mut sides = self.proof.sides.iter();
        if stop == Some(at)
            && let Some(side) = sides.find(|side| side.thread == event.thread)
        {
            self.met.insert(event.thread);
            self.refused |= !asks(&event.op, side);
        }
        if at == self.proof.events || stop.is_some_and(|from| at >= from) {
            self.leave_out(event, at);
        } else if self.step(event, at).is_none() {
            self.refused = true;
        }
    }

    /// What follows from an event that is not done.
    fn leave_out(&mut self, event: &Event, at: u64) {
        match event.op {
            Op::Write { variable } => self.writes.entry(variable).or_default().seen = at + 1,
            Op::Fork { child } => {
                self.stuck.insert(child);
            }
            Op::Barrier { barrier, parties } => {
                self.missed.insert(barrier);
                self.join_group(event.thread, barrier, parties);
                // It never opens for them.
                let group = self.groups.get(&barrier).into_iter().flatten();
                self.stuck.extend(group);
            }
            Op::Init { lock } | Op::Destroy { lock } => {
                self.lost.insert(lock);
            }
            _ => self.missed.extend(event.op.resource()),
        }
    }

    /// A thread comes to a barrier; whether its group is full now.
    fn join_group(&mut self, thread: ThreadId, barrier: ResourceId, parties: u32) -> bool {
        let group = self.groups.entry(barrier).or_default();
        if group.len() >= parties as usize {
            group.clear();
        }
        group.push(thread);
        group.len() >= parties as usize
    }

    /// Does an event; `None` if it cannot be done.
    fn step(&mut self, event: &Event, at: u64) -> Option<()> {
        let thread = event.thread;
        if self.stuck.contains(&thread) {
            return None;
        }
        if event
            .op
            .resource()
            .is_some_and(|resource| self.missed.contains(&resource))
        {
            return None;
        }
        match event.op {
            Op::Acquire { lock, mode, .. } => self.take(thread, lock, mode)?,
            Op::Upgrade { lock } => {
                let holders = self.holders.entry(lock).or_default();
                let own = holders.iter().position(|&(holder, _)| holder == thread)?;
                holders.remove(own);
                self.take(thread, lock, Mode::Exclusive)?;
            }
            Op::Downgrade { lock, mode } => {
                let mut holders = self.holders.get_mut(&lock)?.iter_mut();
                holders.find(|(holder, _)| *holder == thread)?.1 = mode;
            }
            Op::Release { lock, side } => self.give_back(thread, lock, side),
            Op::WaitBegin { lock, .. } => {
                let holders = self.holders.get_mut(&lock)?;
                let own = holders.iter().rposition(|&(holder, _)| holder == thread)?;
                let (_, mode) = holders.remove(own);
                self.waits.insert(thread, mode);
            }
            Op::WaitEnd { lock, .. } => {
                let mode = self.waits.remove(&thread)?;
                self.take(thread, lock, mode)?;
            }
            Op::Join { child } => {
                let stopped = self
                    .proof
                    .stops
                    .iter()
                    .any(|&(stopped, _)| stopped == child);
                if stopped || self.stuck.contains(&child) {
                    return None;
                }
            }
            Op::Barrier { barrier, parties } => {
                let is_full = self.join_group(thread, barrier, parties);
                let group = self.groups.get(&barrier).into_iter().flatten();
                for other in group {
                    if is_full {
                        self.stuck.remove(other);
                    } else {
                        self.stuck.insert(*other);
                    }
                }
            }
            Op::Init { lock } | Op::Destroy { lock } => {
                if self.lost.contains(&lock) {
                    return None;
                }
                self.holders.remove(&lock);
            }
            Op::Read { variable } => {
                let Writes { seen, done } = self.writes.get(&variable).copied().unwrap_or_default();
                if seen != done {
                    return None;
                }
            }
            Op::Write { variable } => {
                let done = at + 1;
                self.writes.insert(variable, Writes { seen: done, done });
            }
            Op::Request { .. }
            | Op::Fork { .. }
            | Op::Notify { .. }
            | Op::NotifyAll { .. }
            | Op::Post { .. }
            | Op::Pend { .. }
            | Op::PendTimed { .. }
            | Op::End => {}
        }
        Some(())
    }

    fn take(&mut self, thread: ThreadId, lock: LockId, mode: Mode) -> Option<()> {
        if self.lost.contains(&lock) {
            return None;
        }
        let holders = self.holders.entry(lock).or_default();
        let shuts_out = |&(holder, held): &(ThreadId, Mode)| {
            let reenters = holder == thread && held == Mode::Reentrant && mode == Mode::Reentrant;
            held.excludes(mode) && !reenters
        };
        if holders.iter().any(shuts_out) {
            return None;
        }
        holders.push((thread, mode));
        Some(())
    }

    /// A release of what is not held has no effect.
    fn give_back(&mut self, thread: ThreadId, lock: LockId, side: ReleaseSide) {
        let holders = self.holders.entry(lock).or_default();
        let fits = |mode: Mode| match side {
            ReleaseSide::Exclusive => mode.is_exclusive(),
            ReleaseSide::Shared => !mode.is_exclusive(),
            ReleaseSide::Held => true,
        };
        let own = |&(holder, _): &(ThreadId, Mode)| holder == thread;
        let fitting = holders.iter().rposition(|hold| own(hold) && fits(hold.1));
        if let Some(at) = fitting.or_else(|| holders.iter().rposition(own)) {
            holders.remove(at);
        }
    }

    /// Whether the schedule ends as it should: each side holds what the one before waits for.
    fn holds(&self) -> bool {
        let sides = &self.proof.sides;
        let holds = |thread: ThreadId, side: &Side| {
            let holders = self.holders.get(&side.want.lock).into_iter().flatten();
            holders
                .clone()
                .any(|&(holder, mode)| holder == thread && mode.excludes(side.want.mode))
        };
        let mut threads = FxHashSet::default();
        !self.refused
            && sides.len() > 1
            && sides
                .iter()
                .all(|side| threads.insert(side.thread) && self.met.contains(&side.thread))
            && (0..sides.len()).all(|at| {
                let next = &sides[(at + 1) % sides.len()];
                holds(next.thread, &sides[at])
            })
            && sides.iter().all(|side| {
                side.holds.iter().all(|hold| {
                    let holders = self.holders.get(&hold.held.lock).into_iter().flatten();
                    holders.clone().any(|&(holder, _)| holder == side.thread)
                })
            })
    }
}

/// Whether an event is the request of a side.
fn asks(op: &Op, side: &Side) -> bool {
    match *op {
        Op::Acquire {
            lock,
            ask: Ask::Wait,
            ..
        }
        | Op::Request { lock, .. }
        | Op::Upgrade { lock }
        | Op::WaitEnd { lock, .. } => lock == side.want.lock,
        _ => false,
    }
}

/// The checks of some proofs, made in one reading.
pub(super) struct Recheck {
    checks: Checks,
    late: Late,
}

/// The checks, all behind so many events.
struct Checks {
    all: Vec<Check>,
    at: u64,
}

impl Checks {
    fn follow(&mut self, event: &Event) {
        for check in &mut self.all {
            check.follow(event, self.at);
        }
        self.at += 1;
    }
}

impl Recheck {
    pub(super) fn new(proofs: Vec<Proof>) -> Self {
        Recheck {
            checks: Checks {
                all: proofs.into_iter().map(Check::new).collect(),
                at: 0,
            },
            late: Late::default(),
        }
    }

    /// Takes all events out of the run.
    fn take_all(&mut self, run: &mut Run) {
        for event in run.events.drain(..) {
            self.late
                .put(event, &mut |event| self.checks.follow(&event));
        }
    }

    /// Takes all events out of the run, which are the last.
    pub(super) fn take_rest(&mut self, run: &mut Run) {
        self.take_all(run);
        self.late.finish(&mut |event| self.checks.follow(&event));
    }

    /// What was accepted, as parts of `run`, and how many were not.
    pub(super) fn finish(self, run: &Run) -> (Vec<Run>, usize) {
        let checks = self.checks.all;
        let all = checks.len();
        let accepted = checks.into_iter().filter(Check::holds);
        let parts: Vec<Run> = accepted.map(|check| part(check.proof, run)).collect();
        let refused = all - parts.len();
        (parts, refused)
    }
}

impl Consumer for Recheck {
    fn take(&mut self, run: &mut Run) {
        if run.events.len() >= CHUNK {
            self.take_all(run);
        }
    }
}

/// A run that begins where the schedule of a proof has led to.
fn part(proof: Proof, run: &Run) -> Run {
    let mut events = Vec::new();
    for side in &proof.sides {
        let holds = side.holds.iter();
        events.extend(holds.map(|hold| hold.held.waited_for_by(side.thread)));
    }
    let made_up = (0..events.len()).filter_map(|at| u32::try_from(at).ok());
    let made_up = made_up.collect();
    let sides = proof.sides.iter();
    events.extend(sides.map(|side| side.want.waited_for_by(side.thread)));
    Run {
        label: run.label.clone(),
        threads: run.threads.clone(),
        locks: run.locks.clone(),
        resources: run.resources.clone(),
        complete: run.complete,
        behind: Behind::Anything,
        holes: run.holes,
        events,
        made_up,
        begins_after: proof.events,
        stops: proof.stops,
        ..Run::default()
    }
}
