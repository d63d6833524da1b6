//! From one stream of records per thread to one order that the program could have shown.
//!
//! There is no clock in the log. What orders records of different threads is: each object's own count of its
//! acquisitions (*turn*), that a lock is free before it is taken, that a thread starts after its fork and ends before
//! its join. The real order obeyed all of this, so taking any record that may come next never leads into a dead end, as
//! long as no record is missing. Where some are, the merge gets stuck; then it takes the record that is behind by the
//! least and counts that.

mod turns;
mod waits;

use std::collections::{BTreeMap, VecDeque};

use lockwise::watch::log::{Event as Record, LogFile, Segment};
use lockwise::watch::{Ask as Asked, Mode};
use rustc_hash::FxHashMap;

use self::turns::{first_turns, turn_of};
use super::names::Names;
use super::{Limits, count};
use crate::input::bulk::Consumer;
use crate::trace::{AcquireClass, Ask, Event, LockId, Op, Run, Side, SiteId, ThreadId};

/// How the merge went.
pub(super) struct Merged {
    /// In how many places records were missing.
    pub(super) forced: usize,
    /// Whether the limit on events was reached.
    pub(super) events_left_out: bool,
    /// Units beyond the limit of one operation.
    pub(super) units_left_out: u64,
}

/// How an acquisition asks, for the purposes of judging.
pub(super) fn ask(asked: Asked) -> Ask {
    match asked {
        Asked::Wait => Ask::Wait,
        Asked::Try | Asked::Timed => Ask::Try,
    }
}

/// What comes next in a thread.
#[derive(Clone, Copy)]
enum Next<'a> {
    Record(Record<'a>),
    /// Records are missing here.
    Gap,
}

/// What std may keep for the next parking of a thread.
#[derive(PartialEq, Eq)]
enum Permit {
    /// Nothing: it ends by another unparking.
    Spent,
    /// Maybe the permit of an unparking that was told and then counted already.
    MaybeLeft,
}

/// The records of one thread, and where it is.
struct Stream<'a> {
    id: ThreadId,
    number: u32,
    items: std::iter::Peekable<Box<dyn Iterator<Item = Next<'a>> + 'a>>,
    /// Whether its fork must come first, and has not.
    unborn: bool,
    /// Whether records were missing: then a release of what is not held is no misuse.
    gappy: bool,
    /// Whether its last records may be missing.
    endless: bool,
    /// The locks that it holds by the records so far.
    held: Vec<LockId>,
    /// A wait of which no end was seen yet.
    waiting: Option<(Op, SiteId)>,
    permit: Permit,
}

/// What a record must wait for.
enum Blocked {
    /// A turn of this object, or that it is free; how many turns are missing.
    Object(u64, u32),
    /// The fork of this thread.
    Birth(u32),
    /// The end of this thread.
    End(u32),
}

/// An object as the records so far have left it.
#[derive(Default)]
struct Object {
    turn: u32,
    /// Who holds it exclusively.
    owner: Option<ThreadId>,
    /// How often the owner, or how many readers.
    holds: usize,
    /// Of a semaphore: units posted and not yet obtained.
    units: u32,
    /// Streams that wait for it to change, by the turn that they come with: of a thousand that wait
    /// for a thousand turns, one is woken at a time.
    waiters: BTreeMap<u32, Vec<usize>>,
}

struct Merge<'a, 'n> {
    names: &'n mut Names<'a>,
    /// What the events are appended to.
    run: &'n mut Run,
    consumer: &'n mut dyn Consumer,
    /// Units of one operation that become events, and how many more there were.
    units_max: u32,
    units_left_out: u64,
    /// How many events the consumer has taken out of the run, and how many it has left there.
    taken: usize,
    left: usize,
    streams: Vec<Stream<'a>>,
    by_number: FxHashMap<u32, usize>,
    objects: FxHashMap<u64, Object>,
    /// Streams that wait for the fork or the end of a thread.
    thread_waiters: FxHashMap<u32, Vec<usize>>,
    ended: Vec<bool>,
    ready: VecDeque<usize>,
    fork_seen: Vec<bool>,
}

/// Events that are appended before the consumer is asked.
const AT_ONCE: usize = 8_192;

/// Puts all records of the log into one order and appends them to the run, from where `consumer` may take them.
pub(super) fn merge<'a>(
    log: &'a LogFile<'a>,
    threads: &BTreeMap<u32, ThreadId>,
    names: &mut Names<'a>,
    run: &mut Run,
    limits: &Limits,
    consumer: &mut dyn Consumer,
) -> Merged {
    let mut all: FxHashMap<u32, Vec<Segment<'a>>> = FxHashMap::default();
    for segment in &log.segments {
        all.entry(segment.thread).or_default().push(*segment);
    }
    let streams: Vec<Stream<'a>> = threads
        .iter()
        .map(|(&number, &id)| {
            let segments = all.remove(&number).unwrap_or_default();
            let forked = segments.iter().any(|segment| segment.forked);
            let stopped = log.header.fell || log.header.stopped;
            let endless =
                stopped || log.is_cut_off() || segments.last().is_some_and(|segment| segment.cut);
            let items = segments.into_iter().flat_map(move |segment| {
                let gap = segment.after_gap.then_some(Next::Gap);
                gap.into_iter()
                    .chain(log.records(&segment).map(Next::Record))
            });
            let items: Box<dyn Iterator<Item = Next<'a>> + 'a> = Box::new(items);
            Stream {
                id,
                number,
                items: items.peekable(),
                unborn: forked,
                // The child of a fork may hold what its log never saw it take.
                gappy: log.header.parent_nonce != 0,
                endless,
                held: Vec::new(),
                waiting: None,
                permit: Permit::Spent,
            }
        })
        .collect();
    let all = streams.len();
    let mut merge = Merge {
        names,
        run,
        consumer,
        units_max: u32::try_from(limits.units).unwrap_or(u32::MAX),
        units_left_out: 0,
        taken: 0,
        left: 0,
        by_number: streams
            .iter()
            .enumerate()
            .map(|(at, stream)| (stream.number, at))
            .collect(),
        ready: (0..all).collect(),
        streams,
        objects: first_turns(log),
        thread_waiters: FxHashMap::default(),
        ended: vec![false; all],
        fork_seen: vec![false; all],
    };
    let merged = merge.run(limits);
    merge.hand_over();
    for (at, thread) in merge.run.threads.iter_mut().enumerate() {
        let forked = merge.streams[at].unborn || merge.fork_seen[at];
        // A thread that says it was forked, but whose fork is lost, started we know not when.
        thread.start_seen &= !forked || merge.fork_seen[at];
    }
    merged
}

impl Merge<'_, '_> {
    fn run(&mut self, limits: &Limits) -> Merged {
        let mut forced = 0;
        loop {
            while let Some(at) = self.ready.pop_front() {
                while let Some(next) = self.streams[at].items.peek().copied() {
                    if self.run.events.len() >= self.left + AT_ONCE {
                        self.hand_over();
                    }
                    if self.run.events.len() >= count(limits.events) {
                        return Merged {
                            forced,
                            events_left_out: true,
                            units_left_out: self.units_left_out,
                        };
                    }
                    if let Some(blocked) = self.blocked(at, &next) {
                        self.wait(at, &blocked);
                        break;
                    }
                    self.streams[at].items.next();
                    self.take(at, next);
                }
                if self.streams[at].items.peek().is_none() && !self.ended[at] {
                    self.end(at);
                }
            }
            let Some(at) = self.least_behind() else {
                return Merged {
                    forced,
                    events_left_out: false,
                    units_left_out: self.units_left_out,
                };
            };
            forced += 1;
            self.force(at);
        }
    }

    /// Lets the consumer take events out of the run.
    fn hand_over(&mut self) {
        let before = self.run.events.len();
        self.consumer.take(self.run);
        self.left = self.run.events.len();
        self.taken += before - self.left;
    }

    /// What the next record of a thread must wait for, if it must.
    fn blocked(&self, at: usize, next: &Next<'_>) -> Option<Blocked> {
        let stream = &self.streams[at];
        if stream.unborn {
            return Some(Blocked::Birth(stream.number));
        }
        let Next::Record(record) = next else {
            return None;
        };
        if let Record::Join { child, .. } = *record {
            let child_at = self.by_number.get(&child)?;
            return (!self.ended[*child_at]).then_some(Blocked::End(child));
        }
        let (object, turn, mode) = turn_of(record)?;
        let state = self.objects.get(&object);
        let upgrade = matches!(record, Record::Changed { to, .. } if to.is_exclusive());
        let before = state.map_or(0, |state| state.turn);
        let missing = turn.saturating_sub(before).saturating_sub(1);
        if missing > 0 {
            return Some(Blocked::Object(object, missing));
        }
        let free = match (mode, state) {
            (Some(mode), Some(state)) if mode.is_exclusive() => {
                state.holds == 0 || state.owner == Some(stream.id) && mode == Mode::Reentrant
            }
            (Some(_), Some(state)) => state.owner.is_none(),
            // An upgrade waits for the readers to leave.
            (None, Some(state)) if upgrade => state.holds <= 1,
            _ => true,
        };
        (!free).then_some(Blocked::Object(object, 0))
    }

    fn wait(&mut self, at: usize, blocked: &Blocked) {
        match blocked {
            Blocked::Object(object, missing) => {
                let state = self.objects.entry(*object).or_default();
                let turn = state.turn.saturating_add(*missing).saturating_add(1);
                state.waiters.entry(turn).or_default().push(at);
            }
            Blocked::Birth(thread) | Blocked::End(thread) => {
                self.thread_waiters.entry(*thread).or_default().push(at);
            }
        }
    }

    fn wake_object(&mut self, object: u64) {
        if let Some(state) = self.objects.get_mut(&object) {
            let later = state.turn.saturating_add(2);
            let later = state.waiters.split_off(&later);
            let now = std::mem::replace(&mut state.waiters, later);
            self.ready.extend(now.into_values().flatten());
        }
    }

    fn wake_thread(&mut self, thread: u32) {
        if let Some(waiters) = self.thread_waiters.get_mut(&thread) {
            self.ready.extend(waiters.drain(..));
        }
    }

    /// Nothing may come next: the stream whose record lacks the fewest turns.
    fn least_behind(&mut self) -> Option<usize> {
        let mut best = None;
        for at in 0..self.streams.len() {
            let Some(next) = self.streams[at].items.peek().copied() else {
                continue;
            };
            let behind = match self.blocked(at, &next) {
                None => 0,
                Some(Blocked::Object(_, missing)) => u64::from(missing) + 1,
                Some(Blocked::Birth(_)) => 1 << 33,
                Some(Blocked::End(_)) => 1 << 34,
            };
            if best.is_none_or(|(least, _)| behind < least) {
                best = Some((behind, at));
            }
        }
        best.map(|(_, at)| at)
    }

    /// Takes the next record of a stream although something before it is missing.
    fn force(&mut self, at: usize) {
        let Some(next) = self.streams[at].items.peek().copied() else {
            return;
        };
        match self.blocked(at, &next) {
            Some(Blocked::Object(object, missing)) => {
                let state = self.objects.entry(object).or_default();
                state.turn += missing;
                if missing == 0 {
                    // Its release is what is missing.
                    state.owner = None;
                    state.holds = 0;
                }
                self.wake_object(object);
            }
            Some(Blocked::Birth(_)) => self.streams[at].unborn = false,
            Some(Blocked::End(child)) => {
                if let Some(&child) = self.by_number.get(&child) {
                    self.ended[child] = true;
                }
            }
            None => {}
        }
        self.ready.push_back(at);
    }

    /// A thread's records are over.
    fn end(&mut self, at: usize) {
        self.ended[at] = true;
        let end_seen = self.run.threads[self.streams[at].id.at()].end_seen;
        if self.streams[at].endless && !end_seen {
            // Whatever it held or waited for at this point is not where it ended.
            self.gap(at);
            self.streams[at].waiting = None;
        }
        if let Some((op, site)) = self.streams[at].waiting.take() {
            self.push(at, op, site);
        }
        self.wake_thread(self.streams[at].number);
    }

    fn push(&mut self, at: usize, op: Op, site: SiteId) {
        self.run.events.push(Event {
            thread: self.streams[at].id,
            op,
            site,
        });
    }

    fn take(&mut self, at: usize, next: Next<'_>) {
        let record = match next {
            Next::Record(record) => record,
            Next::Gap => return self.gap(at),
        };
        if let Some((object, turn, _)) = turn_of(&record) {
            let state = self.objects.entry(object).or_default();
            state.turn = state.turn.max(turn);
        }
        // Whatever it waited for, it does something else now.
        self.streams[at].waiting = None;
        match record {
            Record::Acquired {
                lock,
                mode,
                ask: asked,
                site,
                ..
            } => {
                self.hold(at, lock, mode);
                let (id, site) = (self.names.lock(lock), self.names.site(site));
                self.streams[at].held.push(id);
                let class = AcquireClass::default();
                self.push(
                    at,
                    Op::Acquire {
                        lock: id,
                        mode,
                        ask: ask(asked),
                        class,
                    },
                    site,
                );
            }
            Record::Released { lock } => self.release(at, lock),
            Record::Request {
                lock,
                mode,
                ask: asked,
                site,
            } => {
                let (lock, site) = (self.names.lock(lock), self.names.site(site));
                if asked == Asked::Wait {
                    self.push(at, Op::Request { lock, mode }, site);
                }
            }
            Record::Changed { lock, to, site, .. } => {
                let id = self.streams[at].id;
                let state = self.objects.entry(lock).or_default();
                state.owner = to.is_exclusive().then_some(id);
                state.holds = state.holds.max(1);
                let object = lock;
                let (lock, site) = (self.names.lock(lock), self.names.site(site));
                let op = if to.is_exclusive() {
                    Op::Upgrade { lock }
                } else {
                    Op::Downgrade { lock, mode: to }
                };
                self.push(at, op, site);
                self.wake_object(object);
            }
            Record::Fork { .. } | Record::Join { .. } | Record::Joining { .. } => {
                self.take_thread(at, record);
            }
            Record::End => {
                self.ends(at);
                let site = self.names.site(0);
                self.push(at, Op::End, site);
            }
            Record::GaveUp { .. }
            | Record::Seen { .. }
            | Record::Finding { .. }
            | Record::Side { .. }
            | Record::Stack { .. } => {}
            Record::Waiting { .. } | Record::Woken { .. } | Record::Notified { .. } => {
                self.take_condvar(at, record);
            }
            Record::Arrived { .. }
            | Record::Passed { .. }
            | Record::Posted { .. }
            | Record::Pending { .. }
            | Record::Obtained { .. } => self.take_other(at, record),
        }
        if let Some((object, ..)) = turn_of(&record) {
            self.wake_object(object);
        }
    }

    fn take_thread(&mut self, at: usize, record: Record<'_>) {
        match record {
            Record::Fork { child, site } => {
                let site = self.names.site(site);
                if let Some(&child_at) = self.by_number.get(&child) {
                    self.fork_seen[child_at] = true;
                    self.streams[child_at].unborn = false;
                    let child = self.streams[child_at].id;
                    self.descends(child, self.streams[at].id);
                    self.push(at, Op::Fork { child }, site);
                    self.ready.push_back(child_at);
                }
                self.wake_thread(child);
            }
            Record::Join { child, site } => {
                let site = self.names.site(site);
                if let Some(&child) = self.by_number.get(&child) {
                    // Its own last record may be lost, or come a little later.
                    self.ends(child);
                    let child = self.streams[child].id;
                    self.push(at, Op::Join { child }, site);
                }
            }
            Record::Joining { child, site } => {
                let site = self.names.site(site);
                if let Some(&child) = self.by_number.get(&child) {
                    let child = self.streams[child].id;
                    self.streams[at].waiting = Some((Op::Join { child }, site));
                }
            }
            _ => {}
        }
    }

    /// The thread was seen to end.
    fn ends(&mut self, at: usize) {
        self.run.threads[self.streams[at].id.at()].end_seen = true;
    }

    /// Says of a thread without a name in which one it was started.
    fn descends(&mut self, child: ThreadId, parent: ThreadId) {
        let parent = &self.run.threads[parent.at()];
        let parent = match &parent.name {
            Some(name) if name != "main" => Some(name.clone()),
            Some(_) => None,
            None => parent.started_in.clone(),
        };
        let child = &mut self.run.threads[child.at()];
        if child.name.is_none() {
            child.started_in = parent;
        }
    }

    fn hold(&mut self, at: usize, lock: u64, mode: Mode) {
        let id = self.streams[at].id;
        let state = self.objects.entry(lock).or_default();
        if mode.is_exclusive() {
            state.owner = Some(id);
        }
        state.holds += 1;
    }

    fn free(&mut self, lock: u64) {
        let state = self.objects.entry(lock).or_default();
        state.holds = state.holds.saturating_sub(1);
        if state.holds == 0 {
            state.owner = None;
        }
    }

    fn release(&mut self, at: usize, lock: u64) {
        let owner = self.objects.get(&lock).and_then(|state| state.owner);
        self.free(lock);
        let id = self.names.lock(lock);
        let site = self.names.site(0);
        let had = forget(&mut self.streams[at].held, id);
        // Another thread than the holder may release a lock (a guard that was sent away, a forced
        // unlock): then it is the holder who does not hold it any more.
        let holder = if had {
            Some(at)
        } else {
            // Who holds it alone is known; only for readers all threads are looked through.
            let owner = owner.map(ThreadId::at);
            let all = 0..self.streams.len();
            let mut likely = owner.into_iter().chain(all);
            likely.find(|&other| forget(&mut self.streams[other].held, id))
        };
        match holder {
            Some(holder) => self.push(
                holder,
                Op::Release {
                    lock: id,
                    side: Side::Held,
                },
                site,
            ),
            None if self.streams[at].gappy => {}
            None => self.push(
                at,
                Op::Release {
                    lock: id,
                    side: Side::Held,
                },
                site,
            ),
        }
        self.wake_object(lock);
    }

    /// Records are missing: what the thread held may long be free, so it is taken for free. That
    /// can hide an order, and never makes one up.
    fn gap(&mut self, at: usize) {
        self.streams[at].gappy = true;
        let site = self.names.site(0);
        for lock in std::mem::take(&mut self.streams[at].held).into_iter().rev() {
            self.push(
                at,
                Op::Release {
                    lock,
                    side: Side::Held,
                },
                site,
            );
        }
    }
}

/// Takes the youngest of this lock out; whether there was one.
fn forget(held: &mut Vec<LockId>, lock: LockId) -> bool {
    match held.iter().rposition(|&held| held == lock) {
        Some(at) => {
            held.remove(at);
            true
        }
        None => false,
    }
}
