//! The order that the events of a set must have, as vector clocks, and what else that forces.

use std::collections::HashMap;

use super::{Section, Set};
use crate::judge::timeline::NONE;
use crate::trace::{Op, ThreadId, VariableId};

/// Per event of the set, how many events of each thread must have happened by its end.
pub(super) struct Order {
    /// Per thread, where its first event stands in `clocks`.
    from: Vec<usize>,
    clocks: Vec<u32>,
    threads: usize,
}

/// The accesses to one variable, per thread.
#[derive(Default)]
struct Accesses {
    writes: HashMap<ThreadId, Vec<u32>>,
    reads: Vec<u32>,
}

impl Order {
    /// Orders the set; `None` if it goes in a circle.
    pub(super) fn of(set: &Set<'_>) -> Option<Order> {
        let threads = set.taken.len();
        let mut from = Vec::with_capacity(threads);
        let mut total = 0;
        for &count in &set.taken {
            from.push(total);
            total += count as usize;
        }
        let mut order = Order {
            from,
            clocks: vec![0; total * threads],
            threads,
        };
        let mut done = vec![0_u32; threads];
        // Threads that stand before an event that needs another one first.
        let mut waits: HashMap<u32, Vec<usize>> = HashMap::new();
        let mut work: Vec<usize> = (0..threads).collect();
        let mut ordered = 0;
        while let Some(thread) = work.pop() {
            while done[thread] < set.taken[thread] {
                let event = set.timeline.events_of[thread][done[thread] as usize];
                let before = Self::before(set, event);
                let is_done =
                    |&other: &u32| set.timeline.before(other) < done[set.thread(other).at()];
                if let Some(&other) = before.iter().find(|other| !is_done(other)) {
                    waits.entry(other).or_default().push(thread);
                    break;
                }
                order.place(set, event, &before);
                done[thread] += 1;
                ordered += 1;
                work.extend(waits.remove(&event).into_iter().flatten());
            }
        }
        (ordered == total).then_some(order)
    }

    /// What must come before an event, apart from what its own thread did.
    fn before(set: &Set<'_>, event: u32) -> Vec<u32> {
        let mut before: Vec<u32> = set.after.get(&event).cloned().unwrap_or_default();
        // All who meet at a barrier need each other: that is no order.
        let meets = matches!(set.run.events[event as usize].op, Op::Barrier { .. });
        let need = set.timeline.needs[event as usize];
        if need != NONE && !meets {
            before.push(need);
        }
        if set.timeline.before(event) == 0 {
            let fork = set.timeline.forked_by[set.thread(event).at()];
            before.extend((fork != NONE).then_some(fork));
        }
        before
    }

    fn place(&mut self, set: &Set<'_>, event: u32, before: &[u32]) {
        let thread = set.thread(event).at();
        let at = self.at(set, event);
        let first = set.timeline.before(event);
        if first > 0 {
            self.clocks.copy_within(at - self.threads..at, at);
        }
        for &other in before {
            let other = self.at(set, other);
            for of in 0..self.threads {
                self.clocks[at + of] = self.clocks[at + of].max(self.clocks[other + of]);
            }
        }
        self.clocks[at + thread] = first + 1;
    }

    fn at(&self, set: &Set<'_>, event: u32) -> usize {
        let thread = set.thread(event).at();
        (self.from[thread] + set.timeline.before(event) as usize) * self.threads
    }

    /// How many events of `thread` come before the end of `event`.
    fn known(&self, set: &Set<'_>, event: u32, thread: ThreadId) -> u32 {
        self.clocks[self.at(set, event) + thread.at()]
    }

    /// Whether an event must come before another one, or is it.
    fn precedes(&self, set: &Set<'_>, one: u32, other: u32) -> bool {
        set.timeline.before(one) < self.known(set, other, set.thread(one))
    }

    /// Pairs that must be in order and are not yet; `None` if one of them cannot be.
    pub(super) fn forced(&self, set: &Set<'_>) -> Option<Vec<(u32, u32)>> {
        let mut forced = Vec::new();
        for of_lock in set.sections.values() {
            for (&thread, sections) in of_lock {
                for (&other, others) in of_lock {
                    if thread != other {
                        self.sections(set, (thread, sections), others, &mut forced)?;
                    }
                }
            }
        }
        self.accesses(set, &mut forced)?;
        Some(forced)
    }

    /// A section that begins before another has ended ends before that begins.
    fn sections(
        &self,
        set: &Set<'_>,
        (thread, firsts): (ThreadId, &[Section]),
        others: &[Section],
        forced: &mut Vec<(u32, u32)>,
    ) -> Option<()> {
        for second in others {
            let end = if set.has(second.given) {
                second.given
            } else {
                let thread = set.thread(second.taken).at();
                set.timeline.events_of[thread][set.taken[thread] as usize - 1]
            };
            let known = self.known(set, end, thread);
            let begun = firsts.partition_point(|first| set.timeline.before(first.taken) < known);
            let Some(first) = firsts[..begun]
                .iter()
                .rev()
                .find(|first| first.conflicts(second))
            else {
                continue;
            };
            if first.given == NONE {
                return None;
            }
            if !set.has(first.given) || !self.precedes(set, first.given, second.taken) {
                forced.push((first.given, second.taken));
            }
        }
        Some(())
    }

    /// No write comes between a write and a read that sees it.
    fn accesses(&self, set: &Set<'_>, forced: &mut Vec<(u32, u32)>) -> Option<()> {
        let mut of: HashMap<VariableId, Accesses> = HashMap::new();
        for (thread, &count) in set.taken.iter().enumerate() {
            for &event in &set.timeline.events_of[thread][..count as usize] {
                match set.run.events[event as usize].op {
                    Op::Read { variable } => of.entry(variable).or_default().reads.push(event),
                    Op::Write { variable } => {
                        let writes = &mut of.entry(variable).or_default().writes;
                        let thread = ThreadId::from(thread);
                        writes.entry(thread).or_default().push(event);
                    }
                    _ => {}
                }
            }
        }
        for accesses in of.values() {
            for &read in &accesses.reads {
                let seen = set.timeline.needs[read as usize];
                for (&thread, writes) in &accesses.writes {
                    let known = self.known(set, read, thread);
                    let by =
                        |known| writes.partition_point(|&write| set.timeline.before(write) < known);
                    if let Some(&write) = by(known).checked_sub(1).and_then(|at| writes.get(at))
                        && write != seen
                    {
                        if seen == NONE {
                            return None;
                        }
                        if !self.precedes(set, write, seen) {
                            forced.push((write, seen));
                        }
                    }
                    let next = if seen == NONE {
                        writes.first()
                    } else {
                        // Clocks grow along a thread, so those that follow the write stand last.
                        let follows = |&&write: &&u32| self.precedes(set, seen, write);
                        let first = writes.partition_point(|write| !follows(&write));
                        writes[first..].iter().find(|&&write| write != seen)
                    };
                    if let Some(&next) = next
                        && !self.precedes(set, read, next)
                    {
                        forced.push((read, next));
                    }
                }
            }
        }
        Some(())
    }
}
