//! What every order of the events that leads to some requests must contain, and in which order; and
//! a schedule that follows it, if one is to be had.
//!
//! This goes beyond sync-preserving prediction: two critical sections of a lock may change places.
//! The set of events is closed under what holds in *any* correct reordering: what comes before in a
//! thread, forks and joins, the write that a read sees, and the end of each section that has to come
//! before another. The order is saturated likewise (after Mathur, Pavlogiannis and Viswanathan, *The
//! Complexity of Dynamic Data Race Prediction*, LICS 2020, and `SeqCheck`, Cai et al., ISSTA 2021):
//!
//! - a lock that is held at a request stays held, so every other section of it ends before;
//! - a section that begins before another of its lock has ended ends before that begins;
//! - no write comes between a write and a read that sees it.
//!
//! If that takes in one of the requests, or goes in a circle, no reordering leads there
//! ([`Forced::Never`]). Else the events are put in order one by one, in the order of the run where
//! they can be. That may fail where another choice would not; what it returns is for the witness check
//! to accept or refuse. Where a section is left open that conflicts with others, it has to end or to
//! come last: both are tried.

mod line;
mod order;

use std::collections::HashMap;

use lockwise::watch::Mode;

use self::order::Order;
use super::timeline::{NONE, Timeline};
use super::witness::Step;
use crate::history::History;
use crate::limits::{Limits, count};
use crate::trace::{LockId, Op, Run, ThreadId};

/// What came of it.
#[derive(Debug)]
pub(super) enum Forced {
    /// A schedule that should lead to the requests.
    Schedule(Vec<Step>),
    /// No reordering leads there. If one of the requests is taken in itself, which: a later request
    /// of that thread may do.
    Never(Option<ThreadId>),
    /// Neither.
    Open,
}

/// Looks for a way to the requests `goals`, one of each of several threads.
///
/// `steps` is lowered by one for each event that is taken in or ordered again.
pub(super) fn solve(
    run: &Run,
    history: &History,
    timeline: &Timeline,
    goals: &[(ThreadId, u32)],
    bounds: &Limits,
    steps: &mut u64,
) -> Forced {
    let mut set = Set::new(run, history, timeline, goals);
    for &(thread, event) in goals {
        set.require(thread, timeline.before(event));
        set.enter(thread);
    }
    // What is taken in before any order is looked at is taken in on the way to later requests too.
    match set.close(steps) {
        Closed::Whole => {}
        Closed::Past(goal) => return Forced::Never(Some(goal)),
        Closed::Never => return Forced::Never(None),
        Closed::Open => return Forced::Open,
    }
    let mut work = vec![set];
    let mut ways = bounds.reversal_ways;
    let mut open = false;
    while let Some(set) = work.pop() {
        match one_way(set, bounds, steps) {
            Way::Schedule(schedule) => return Forced::Schedule(schedule),
            Way::Never => {}
            Way::Either(sets) if ways > 0 => {
                ways -= 1;
                // That it ends is tried first.
                work.extend((*sets).into_iter().rev());
            }
            Way::Either(_) | Way::Open => open = true,
        }
    }
    if open {
        Forced::Open
    } else {
        Forced::Never(None)
    }
}

enum Way<'a> {
    Schedule(Vec<Step>),
    Never,
    Either(Box<[Set<'a>; 2]>),
    Open,
}

fn one_way<'a>(mut set: Set<'a>, bounds: &Limits, steps: &mut u64) -> Way<'a> {
    for _ in 0..bounds.reversal_rounds {
        match set.close(steps) {
            Closed::Whole => {}
            Closed::Past(_) | Closed::Never => return Way::Never,
            Closed::Open => return Way::Open,
        }
        let events: usize = set.taken.iter().map(|&count| count as usize).sum();
        if events * set.taken.len() > count(bounds.reversal_words) {
            return Way::Open;
        }
        let Some(left) = steps.checked_sub(events as u64) else {
            return Way::Open;
        };
        *steps = left;
        let Some(order) = Order::of(&set) else {
            return Way::Never;
        };
        let Some(forced) = order.forced(&set) else {
            return Way::Never;
        };
        if forced.is_empty() {
            if let Some((lock, thread, section)) = set.contested() {
                let mut open = set.clone();
                set.end(section);
                open.keep(lock, thread, section);
                return Way::Either(Box::new([set, open]));
            }
            return match line::line_up(&set) {
                Some(events) => Way::Schedule(super::closure::steps(
                    set.run,
                    set.timeline,
                    events.into_iter(),
                )),
                None => Way::Open,
            };
        }
        for (before, after) in forced {
            set.require_event(before);
            set.after.entry(after).or_default().push(before);
        }
    }
    Way::Open
}

/// A critical section: taken, and given back or not.
#[derive(Debug, Clone, Copy)]
struct Section {
    taken: u32,
    /// The event, or [`NONE`].
    given: u32,
    mode: Mode,
}

impl Section {
    fn conflicts(&self, other: &Section) -> bool {
        self.mode.excludes(other.mode) || other.mode.excludes(self.mode)
    }
}

/// How the closing of a set ended.
enum Closed {
    Whole,
    /// It takes in the request of this thread.
    Past(ThreadId),
    /// It takes in what cannot be.
    Never,
    /// The steps ran out.
    Open,
}

/// A set of events, a prefix of each thread, and what is known of their order.
#[derive(Clone)]
struct Set<'a> {
    run: &'a Run,
    history: &'a History,
    timeline: &'a Timeline,
    /// Per thread, how many of its events must stay out, if it has a request to come to.
    limits: HashMap<ThreadId, u32>,
    /// Per object, the sections that the requests' threads are in at their requests.
    kept: HashMap<LockId, Vec<(ThreadId, Section)>>,
    wanted: Vec<u32>,
    taken: Vec<u32>,
    entered: Vec<bool>,
    work: Vec<ThreadId>,
    /// Per object and thread, the sections that begin in the set.
    sections: HashMap<LockId, HashMap<ThreadId, Vec<Section>>>,
    /// Per event, others that must come before it.
    after: HashMap<u32, Vec<u32>>,
    impossible: bool,
}

impl<'a> Set<'a> {
    fn new(
        run: &'a Run,
        history: &'a History,
        timeline: &'a Timeline,
        goals: &[(ThreadId, u32)],
    ) -> Self {
        let mut set = Set {
            run,
            history,
            timeline,
            limits: HashMap::new(),
            kept: HashMap::new(),
            wanted: vec![0; run.threads.len()],
            taken: vec![0; run.threads.len()],
            entered: vec![false; run.threads.len()],
            work: Vec::new(),
            sections: HashMap::new(),
            after: HashMap::new(),
            impossible: false,
        };
        for &(thread, event) in goals {
            let limit = timeline.before(event);
            set.limits.insert(thread, limit);
            for &taken in &timeline.events_of[thread.at()][..limit as usize] {
                if let Some((lock, section)) = set.section(taken)
                    && (section.given == NONE || timeline.before(section.given) >= limit)
                {
                    set.kept.entry(lock).or_default().push((thread, section));
                }
            }
        }
        set
    }

    /// The section that an event begins.
    fn section(&self, event: u32) -> Option<(LockId, Section)> {
        let (lock, mode) = match self.run.events[event as usize].op {
            Op::Acquire { lock, mode, .. } => (lock, mode),
            Op::Upgrade { lock } => (lock, Mode::Exclusive),
            Op::WaitEnd { lock, .. } => {
                let mode = self.timeline.retaken.get(&event).copied();
                (lock, mode.unwrap_or(Mode::Exclusive))
            }
            _ => return None,
        };
        let section = Section {
            taken: event,
            given: self.timeline.closes[event as usize],
            mode,
        };
        Some((self.history.object[lock.at()], section))
    }

    fn thread(&self, event: u32) -> ThreadId {
        self.run.events[event as usize].thread
    }

    fn has(&self, event: u32) -> bool {
        event != NONE && self.timeline.before(event) < self.taken[self.thread(event).at()]
    }

    fn require(&mut self, thread: ThreadId, count: u32) {
        let wanted = &mut self.wanted[thread.at()];
        if *wanted < count {
            *wanted = count;
            self.work.push(thread);
        }
    }

    fn require_event(&mut self, event: u32) {
        self.require(self.thread(event), self.timeline.before(event) + 1);
    }

    /// Wants a thread to be started.
    fn enter(&mut self, thread: ThreadId) {
        if !std::mem::replace(&mut self.entered[thread.at()], true) {
            let fork = self.timeline.forked_by[thread.at()];
            if fork != NONE {
                self.require_event(fork);
            }
        }
    }

    /// Wants a section to end.
    fn end(&mut self, section: Section) {
        if section.given == NONE {
            self.impossible = true;
        } else {
            self.require_event(section.given);
        }
    }

    /// Takes in all that is wanted.
    fn close(&mut self, steps: &mut u64) -> Closed {
        while let Some(thread) = self.work.pop() {
            while self.taken[thread.at()] < self.wanted[thread.at()] {
                let Some(left) = steps.checked_sub(1) else {
                    return Closed::Open;
                };
                *steps = left;
                let at = self.taken[thread.at()];
                if self.limits.get(&thread).is_some_and(|&limit| at >= limit) {
                    return Closed::Past(thread);
                }
                let Some(&event) = self.timeline.events_of[thread.at()].get(at as usize) else {
                    return Closed::Never;
                };
                self.taken[thread.at()] += 1;
                self.enter(thread);
                let need = self.timeline.needs[event as usize];
                if need != NONE {
                    self.require_event(need);
                }
                self.begin(thread, event);
            }
        }
        if self.impossible {
            return Closed::Never;
        }
        Closed::Whole
    }

    /// Notes the section that an event begins. What others keep to the end, it has to give back.
    fn begin(&mut self, thread: ThreadId, event: u32) {
        let Some((lock, section)) = self.section(event) else {
            return;
        };
        let of_lock = self.sections.entry(lock).or_default();
        of_lock.entry(thread).or_default().push(section);
        let kept = self.kept.get(&lock).into_iter().flatten();
        let kept: Vec<u32> = kept
            .filter(|(keeper, kept)| *keeper != thread && kept.conflicts(&section))
            .map(|(_, kept)| kept.taken)
            .collect();
        for kept in kept {
            self.put_before(section, kept);
        }
    }

    /// Wants a section to end before another one begins.
    fn put_before(&mut self, section: Section, other: u32) {
        self.end(section);
        if section.given != NONE {
            self.after.entry(other).or_default().push(section.given);
        }
    }

    /// Keeps a section open to the end: all others of its lock that conflict with it come before.
    fn keep(&mut self, lock: LockId, thread: ThreadId, section: Section) {
        if section.given != NONE {
            let limit = self.limits.entry(thread).or_insert(u32::MAX);
            *limit = (*limit).min(self.timeline.before(section.given));
        }
        let of_lock = self.sections.get(&lock).into_iter().flatten();
        let others: Vec<Section> = of_lock
            .filter(|(other, _)| **other != thread)
            .flat_map(|(_, sections)| sections)
            .filter(|other| other.conflicts(&section))
            .copied()
            .collect();
        for other in others {
            self.put_before(other, section.taken);
        }
        self.kept.entry(lock).or_default().push((thread, section));
    }

    /// A section that is open at the end of the set while others of its lock conflict with it, and
    /// that nothing keeps open yet; the first one of the run. It has to end, or to come last.
    fn contested(&self) -> Option<(LockId, ThreadId, Section)> {
        let mut found: Option<(LockId, ThreadId, Section)> = None;
        for (&lock, of_lock) in &self.sections {
            let kept = self.kept.get(&lock).map_or(&[][..], Vec::as_slice);
            for (&thread, sections) in of_lock {
                let open = sections.iter().filter(|section| {
                    let is_kept = kept.iter().any(|(_, kept)| kept.taken == section.taken);
                    !self.has(section.given) && !is_kept
                });
                for section in open {
                    let mut others = of_lock.iter().filter(|(other, _)| **other != thread);
                    let contested = others
                        .any(|(_, others)| others.iter().any(|other| other.conflicts(section)));
                    let first = found.is_none_or(|(.., found)| section.taken < found.taken);
                    if contested && first {
                        found = Some((lock, thread, *section));
                    }
                }
            }
        }
        found
    }
}
