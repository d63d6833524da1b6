//! Puts the events of a set in one line: always the one that came first in the run, of those that
//! can come next.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use lockwise::watch::Mode;

use super::Set;
use crate::judge::timeline::NONE;
use crate::trace::{LockId, Op, ThreadId, VariableId};

/// What has been put in line so far.
struct Line<'s, 'a> {
    set: &'s Set<'a>,
    done: Vec<u32>,
    held: HashMap<LockId, Vec<(ThreadId, Mode)>>,
    /// Per variable, its last write.
    written: HashMap<VariableId, u32>,
    /// Per write, and per variable for reads of what was there from the start, the reads in the set
    /// that are still to come.
    unread: HashMap<(VariableId, u32), u32>,
}

/// All events of the set in an order in which each can come; `None` if the line gets stuck.
pub(super) fn line_up(set: &Set<'_>) -> Option<Vec<u32>> {
    let mut line = Line {
        set,
        done: vec![0; set.taken.len()],
        held: HashMap::new(),
        written: HashMap::new(),
        unread: HashMap::new(),
    };
    let mut total = 0;
    for (thread, &count) in set.taken.iter().enumerate() {
        total += count as usize;
        for &event in &set.timeline.events_of[thread][..count as usize] {
            if let Op::Read { variable } = set.run.events[event as usize].op {
                let seen = set.timeline.needs[event as usize];
                *line.unread.entry((variable, seen)).or_default() += 1;
            }
        }
    }
    let mut order = Vec::with_capacity(total);
    let mut ready: BinaryHeap<Reverse<(u32, usize)>> = BinaryHeap::new();
    // Threads that could not go on the last time that they were looked at.
    let mut parked = BinaryHeap::new();
    ready.extend((0..set.taken.len()).filter_map(|thread| line.next(thread)));
    while let Some(Reverse((event, thread))) = ready.pop() {
        if !line.can(event) {
            parked.push(Reverse((event, thread)));
            continue;
        }
        line.take(event);
        ready.append(&mut parked);
        order.push(event);
        ready.extend(line.next(thread));
    }
    (order.len() == total).then_some(order)
}

impl Line<'_, '_> {
    /// The next event of a thread that is in the set.
    fn next(&self, thread: usize) -> Option<Reverse<(u32, usize)>> {
        let done = self.done[thread];
        (done < self.set.taken[thread])
            .then(|| Reverse((self.set.timeline.events_of[thread][done as usize], thread)))
    }

    fn is_done(&self, event: u32) -> bool {
        self.set.timeline.before(event) < self.done[self.set.thread(event).at()]
    }

    /// Whether an event can come now.
    fn can(&self, event: u32) -> bool {
        let set = self.set;
        let thread = set.thread(event);
        let op = &set.run.events[event as usize].op;
        let after = set.after.get(&event).into_iter().flatten();
        let need = set.timeline.needs[event as usize];
        let need = (need != NONE && !matches!(op, Op::Barrier { .. })).then_some(need);
        let fork = Some(set.timeline.forked_by[thread.at()]).filter(|&fork| fork != NONE);
        let mut before = after.copied().chain(need).chain(fork);
        if before.any(|other| !self.is_done(other)) {
            return false;
        }
        if let Some((lock, section)) = set.section(event) {
            let mut holders = self.held.get(&lock).into_iter().flatten();
            if holders.any(|(holder, mode)| *holder != thread && mode.excludes(section.mode)) {
                return false;
            }
        }
        match *op {
            Op::Read { variable } => {
                let last = self.written.get(&variable).copied().unwrap_or(NONE);
                last == set.timeline.needs[event as usize]
            }
            Op::Write { variable } => {
                let last = self.written.get(&variable).copied().unwrap_or(NONE);
                self.unread
                    .get(&(variable, last))
                    .is_none_or(|&left| left == 0)
            }
            _ => true,
        }
    }

    /// Takes an event.
    fn take(&mut self, event: u32) {
        let set = self.set;
        let thread = set.thread(event);
        self.done[thread.at()] += 1;
        if let Some((lock, section)) = set.section(event) {
            let holders = self.held.entry(lock).or_default();
            holders.push((thread, section.mode));
            return;
        }
        match set.run.events[event as usize].op {
            Op::Release { lock, .. } => {
                let lock = set.history.object[lock.at()];
                let holders = self.held.entry(lock).or_default();
                if let Some(at) = holders.iter().rposition(|(holder, _)| *holder == thread) {
                    holders.remove(at);
                }
            }
            Op::WaitBegin { lock, .. } => {
                let lock = set.history.object[lock.at()];
                self.held
                    .entry(lock)
                    .or_default()
                    .retain(|(holder, _)| *holder != thread);
            }
            Op::Read { variable } => {
                let seen = set.timeline.needs[event as usize];
                if let Some(left) = self.unread.get_mut(&(variable, seen)) {
                    *left -= 1;
                }
            }
            Op::Write { variable } => {
                self.written.insert(variable, event);
            }
            _ => {}
        }
    }
}
