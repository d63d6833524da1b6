//! Excerpts: stretches of a long trace in which the sides of a cycle come close to each other.
//!
//! The last events stand in a ring, with the state before the first of them. When a request closes a
//! cycle with requests that other threads made within the ring, the events from some way before the
//! first of these to some way behind the last become an excerpt.
//!
//! What leads to its start is made up ([`prologue`]).

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::aside::Proof;
use super::prologue::{self, Excerpt, Start};
use super::survey::Suspects;
use crate::holders::Hold;
use crate::limits::{Limits, count};
use crate::trace::{Behind, Event, Held, LockId, Op, ResourceId, Run, ThreadId};

/// Parts of the ring that an excerpt takes in before the first side and behind the last, at least so
/// many events.
const BEFORE: (usize, usize) = (20, 2);
const BEHIND: (usize, usize) = (40, 4);

/// Cycles that one request is taken for the end of.
const FOUND_MAX: usize = 4;

/// Threads of a cycle at most.
const SIDES_MAX: usize = 64;

/// Threads and wanted locks of a cycle, sorted.
type Sides = Vec<(ThreadId, LockId)>;

/// A request that may be a side.
#[derive(Debug, Clone)]
struct Side {
    thread: ThreadId,
    want: LockId,
    /// Where it stands, and where the oldest lock held at it was taken.
    at: u64,
    since: u64,
}

/// A wait for something else than a lock, under a lock.
#[derive(Debug, Clone)]
struct Wait {
    thread: ThreadId,
    /// Whom it waits for, if that is one.
    child: Option<ThreadId>,
    at: u64,
    since: u64,
}

/// The ring, and what was cut out of it.
pub(super) struct Window {
    size: usize,
    before: u64,
    behind: u64,
    start: Start,
    ring: VecDeque<Event>,
    /// The state at the start of the last excerpt: the next one begins near it as a rule.
    near: Option<Start>,
    /// How many events have left the ring.
    gone: u64,
    /// Per held lock, the last requests of each thread and wanted lock.
    recent: FxHashMap<LockId, Vec<Side>>,
    /// Per lock that is held in a wait, the last request of each thread, and the last waits.
    asked: FxHashMap<LockId, Vec<(ThreadId, u64)>>,
    waited: FxHashMap<LockId, Vec<Wait>>,
    /// Per thread, where its held locks were taken.
    taken: Vec<Vec<(LockId, u64)>>,
    /// How often each cycle was met, by its sides.
    met: FxHashMap<Sides, u32>,
    /// The parts that were cut out for each: from, to.
    covered: FxHashMap<Sides, Vec<(u64, u64)>>,
    /// What is to be cut out: from, to.
    due: Option<(u64, u64)>,
    cut_out: Vec<Excerpt>,
    /// Per resource, the last event that may end a wait.
    ends: FxHashMap<ResourceId, u64>,
    room: usize,
    /// Requests that may be looked at each time, and in all from now on.
    steps_each: u64,
    steps: u64,
    /// Excerpts for one and the same cycle, after which each second, fourth, … is made.
    each: u32,
    left_out: LeftOut,
}

/// What was not looked at.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct LeftOut {
    /// Places for which there was no room.
    pub(super) places: u64,
    /// Places of cycles that had many already.
    pub(super) alike: u64,
    /// Requests behind which not all cycles were looked for.
    pub(super) requests: u64,
}

/// What was cut out.
pub(super) struct Excerpts {
    pub(super) runs: Vec<Run>,
    pub(super) left_out: LeftOut,
}

impl Window {
    pub(super) fn new(limits: &Limits) -> Self {
        let size = count(limits.window);
        let part = |(of, least): (usize, usize)| (size / of).max(least) as u64;
        Window {
            size,
            before: part(BEFORE),
            behind: part(BEHIND),
            start: Start::default(),
            ring: VecDeque::new(),
            near: None,
            gone: 0,
            recent: FxHashMap::default(),
            asked: FxHashMap::default(),
            waited: FxHashMap::default(),
            taken: Vec::new(),
            met: FxHashMap::default(),
            covered: FxHashMap::default(),
            due: None,
            cut_out: Vec::new(),
            ends: FxHashMap::default(),
            room: count(limits.excerpt_events),
            steps_each: limits.excerpt_steps,
            steps: limits.excerpt_steps_all,
            each: u32::try_from(limits.excerpts).unwrap_or(u32::MAX),
            left_out: LeftOut::default(),
        }
    }

    fn now(&self) -> u64 {
        self.gone + self.ring.len() as u64
    }

    /// Takes in the next event of the trace.
    pub(super) fn push(&mut self, event: Event) {
        let now = self.now();
        match event.op {
            Op::Acquire { lock, .. } => self.taken_by(event.thread).push((lock, now)),
            Op::Release { lock, .. } => {
                let taken = self.taken_by(event.thread);
                if let Some(at) = taken.iter().rposition(|(held, _)| *held == lock) {
                    taken.remove(at);
                }
            }
            ref op => {
                let ended = op.ends_waits_at();
                self.ends.extend(ended.map(|resource| (resource, now)));
            }
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
        let side = Side {
            thread,
            want: want.lock,
            at,
            since: self.since(thread),
        };
        if suspects.waited_under.contains(&want.lock) {
            let asked = self.asked.entry(want.lock).or_default();
            asked.retain(|&(other, at)| other != thread && at >= self.gone);
            asked.push((thread, at));
            self.meet_waits(&side);
        }
        if !cyclic {
            return;
        }
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

    /// Where the oldest lock that a thread holds was taken.
    fn since(&self, thread: ThreadId) -> u64 {
        let taken = self.taken.get(thread.at()).and_then(|taken| taken.first());
        taken.map_or(self.now(), |&(_, at)| at)
    }

    fn taken_by(&mut self, thread: ThreadId) -> &mut Vec<(LockId, u64)> {
        if self.taken.len() <= thread.at() {
            self.taken.resize_with(thread.at() + 1, Vec::new);
        }
        &mut self.taken[thread.at()]
    }

    /// Takes in a wait under locks that is the next event, for `child` or for anybody: with a request of
    /// who ends it for what is held it may be a circle.
    pub(super) fn wait(&mut self, thread: ThreadId, child: Option<ThreadId>, held: &[Hold]) {
        let wait = Wait {
            thread,
            child,
            at: self.now(),
            since: self.since(thread),
        };
        for Hold { held, .. } in held {
            let asked = self.asked.get(&held.lock).map_or(&[][..], Vec::as_slice);
            let asked: Vec<(ThreadId, u64)> = asked
                .iter()
                .filter(|&&(other, at)| at >= self.gone && wait.may_be_for(other))
                .copied()
                .collect();
            for (other, at) in asked {
                self.note(&[
                    Side {
                        thread: other,
                        want: held.lock,
                        at,
                        since: at,
                    },
                    wait.side(held.lock),
                ]);
            }
            let waited = self.waited.entry(held.lock).or_default();
            waited.retain(|other| other.thread != thread && other.at >= self.gone);
            waited.push(wait.clone());
        }
    }

    /// Looks for waits under the lock that `side` wants.
    fn meet_waits(&mut self, side: &Side) {
        let waited = self.waited.get(&side.want).map_or(&[][..], Vec::as_slice);
        let met: Vec<Side> = waited
            .iter()
            .filter(|wait| wait.at >= self.gone && wait.may_be_for(side.thread))
            .map(|wait| wait.side(side.want))
            .collect();
        for wait in met {
            self.note(&[side.clone(), wait]);
        }
    }

    /// Looks for a way back from what `side` wants to what it holds, by recent requests of others.
    fn close(&mut self, held: LockId, side: &Side) {
        let room_min = usize::try_from(self.before + self.behind).unwrap_or(usize::MAX);
        if self.steps == 0 || self.room < room_min {
            self.left_out.requests += u64::from(self.steps == 0);
            self.left_out.places += u64::from(self.steps > 0);
            return;
        }
        let mut steps = self.steps_each;
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
            if steps == 0 {
                self.left_out.requests += 1;
                break;
            }
            *next += 1;
            steps -= 1;
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
        self.steps = self.steps.saturating_sub(self.steps_each - steps);
        for cycle in found {
            self.note(&cycle);
        }
    }

    /// Notes that a cycle is to be cut out.
    fn note(&mut self, cycle: &[Side]) {
        let mut key: Sides = cycle.iter().map(|side| (side.thread, side.want)).collect();
        key.sort_unstable();
        let times = self.met.entry(key.clone()).or_default();
        *times += 1;
        if *times > self.each && !times.is_power_of_two() {
            self.left_out.alike += 1;
            return;
        }
        let from = cycle.iter().map(|side| side.since).min().unwrap_or(0);
        let from = from.saturating_sub(self.before).max(self.gone);
        // The request is not in the ring yet.
        let to = self.now() + 1 + self.behind;
        let length = usize::try_from(to - from).unwrap_or(usize::MAX);
        if length > self.room {
            self.left_out.places += 1;
            return;
        }
        let from_all = self.due.map_or(from, |(earlier, _)| earlier.min(from));
        self.due = Some((from_all, to));
        // One that goes on and on is cut before its start leaves the ring, and so before the request.
        if to - from_all > (self.size as u64).saturating_sub(self.behind) {
            self.cut();
        } else {
            self.covered.entry(key).or_default().push((from, to));
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
        let start = self.start_at(from);
        let events: Vec<Event> = self.ring.iter().skip(skip).take(length).cloned().collect();
        self.room = self.room.saturating_sub(events.len());
        match prologue::excerpt(&start, events) {
            Some(excerpt) => self.cut_out.push(excerpt),
            None => self.left_out.places += 1,
        }
        self.near = Some(start);
    }

    /// The state before the event `from`, which is in the ring.
    fn start_at(&mut self, from: u64) -> Start {
        let near = self.near.take();
        let near = near.filter(|near| (self.gone..=from).contains(&near.events()));
        let mut start = near.unwrap_or_else(|| self.start.clone());
        let position = |at: u64| usize::try_from(at - self.gone).expect("it lies within the ring");
        let passed = position(start.events())..position(from);
        for event in self.ring.range(passed) {
            start.follow(event.clone());
        }
        start
    }

    /// Whether a part was cut out in which the sides of a proof at a distance make their requests: others of the
    /// same threads for the same locks may not meet.
    pub(super) fn covers(&self, proof: &Proof) -> bool {
        let parts = self.covered.get(&proof.key()).into_iter().flatten();
        let stops = || {
            let sides = proof.sides.iter().map(|side| side.thread);
            let of = |thread| proof.stops.iter().find(move |(other, _)| *other == thread);
            sides.filter_map(of).map(|&(_, at)| at)
        };
        parts
            .clone()
            .any(|&(from, to)| (from..to).contains(&proof.events) && stops().all(|at| at >= from))
    }

    /// All excerpts, as parts of `run`.
    pub(super) fn finish(mut self, run: &Run) -> Excerpts {
        self.cut();
        let ends = self.ends;
        let runs = self
            .cut_out
            .into_iter()
            .map(|Excerpt { run: part, units }| {
                let mut resources = run.resources.clone();
                for (semaphore, (more, most)) in units {
                    let at_start = &mut resources[semaphore.at()].units;
                    let now = (i64::from(*at_start) + more).clamp(0, i64::from(most));
                    *at_start = u32::try_from(now).unwrap_or(most);
                }
                let own = part.events.len() - part.made_up.len() - part.stops.len();
                let behind = part.begins_after + own as u64;
                let ended_later = ends.iter().filter(|&(_, &at)| at >= behind);
                let ended_later = ended_later.map(|(&resource, _)| resource);
                let behind = match run.behind {
                    Behind::Anything => Behind::Anything,
                    _ => Behind::Ends(ended_later.collect()),
                };
                // It may have been before the excerpt.
                let woken = run.woken_unseen.iter();
                Run {
                    label: run.label.clone(),
                    threads: run.threads.clone(),
                    locks: run.locks.clone(),
                    resources,
                    complete: run.complete,
                    behind,
                    holes: run.holes,
                    woken_unseen: woken.map(|&(thread, _)| (thread, 0)).collect(),
                    ..part
                }
            });
        Excerpts {
            runs: runs.collect(),
            left_out: self.left_out,
        }
    }
}

impl Wait {
    /// Whether it may be this thread that ends it.
    fn may_be_for(&self, other: ThreadId) -> bool {
        other != self.thread && self.child.is_none_or(|child| child == other)
    }

    /// As a side, under this lock.
    fn side(&self, lock: LockId) -> Side {
        Side {
            thread: self.thread,
            want: lock,
            at: self.at,
            since: self.since,
        }
    }
}
