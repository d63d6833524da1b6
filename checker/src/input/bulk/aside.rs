//! Proofs at any distance: one thread stops before a request, and the rest of the trace goes on.
//!
//! A *stand* takes a thread to stop for good before one of its requests, with what it holds. The other
//! threads go on as the trace has them, until one needs what is left out by that: a lock that is held by a
//! thread that stands, the end of such a thread or what it would have written, posted or woken. Then that
//! thread stands too. What was done is a part of the trace in its own order, so it is a legal
//! schedule; if threads that stand before requests hold what each other wants, it ends in a deadlock. For
//! circles of more than two, those who ask while they hold what the last one wants stand in turn.
//! (In words of Tunc et al., PLDI 2023: it is sync-preserving. Not all such schedules are of this kind: a
//! thread here goes as far as it can, and may so get into the way of another.)
//!
//! All stands are followed at once, a bit each, so an event costs a few words. What is found is no more
//! than a guess until [`super::recheck`] has followed it anew.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::holders::{Hold, Holders};
use crate::limits::{Limits, count};
use crate::trace::{Ask, Event, Held, HeldId, LockId, Op, ResourceId, ThreadId, VariableId};

/// What makes two requests one: who, holding what, wants what.
type Key = (ThreadId, Option<HeldId>, LockId, u8);

/// A thread that goes no further.
#[derive(Debug, Clone)]
struct Stander {
    thread: ThreadId,
    /// How many events of the trace come before the one that it stands before.
    at: u64,
    holds: Vec<Hold>,
    /// What it waits for, if that is a lock.
    want: Option<Held>,
}

/// One assumption, and what follows from it.
#[derive(Debug, Default)]
struct Stand {
    key: Option<Key>,
    /// What the next side of a longer circle would have to hold, if such sides are to stand too.
    next: Option<LockId>,
    standers: Vec<Stander>,
    /// Where its bit may be set.
    locks: Vec<LockId>,
    variables: Vec<VariableId>,
    resources: Vec<ResourceId>,
}

/// A side of a deadlock that a schedule leads to.
#[derive(Debug, Clone)]
pub(super) struct Side {
    pub(super) thread: ThreadId,
    pub(super) holds: Vec<Hold>,
    pub(super) want: Held,
}

/// A schedule: the first events of the trace in their order, without those of some threads from
/// somewhere on.
#[derive(Debug, Clone)]
pub(super) struct Proof {
    /// How many events of the trace, those that are left out too.
    pub(super) events: u64,
    /// Per thread that stands, how many events of the trace come before its first that is left out.
    pub(super) stops: Vec<(ThreadId, u64)>,
    pub(super) sides: Vec<Side>,
}

impl Proof {
    /// Threads and wanted locks of the sides.
    pub(super) fn key(&self) -> Vec<(ThreadId, LockId)> {
        let sides = self.sides.iter();
        let mut key: Vec<_> = sides.map(|side| (side.thread, side.want.lock)).collect();
        key.sort_unstable();
        key
    }
}

/// Sets of stands, one for each thing of a kind.
#[derive(Debug, Default)]
struct Bits {
    words: usize,
    bits: Vec<u64>,
}

impl Bits {
    fn new(words: usize) -> Self {
        Bits {
            words,
            bits: Vec::new(),
        }
    }

    fn of(&mut self, at: usize) -> &mut [u64] {
        let end = (at + 1) * self.words;
        if self.bits.len() < end {
            self.bits.resize(end.next_power_of_two(), 0);
        }
        &mut self.bits[end - self.words..end]
    }

    fn set(&mut self, at: usize, stand: usize) -> bool {
        let word = &mut self.of(at)[stand / 64];
        let was = *word;
        *word |= 1 << (stand % 64);
        was != *word
    }

    fn clear(&mut self, at: usize, stand: usize) {
        self.of(at)[stand / 64] &= !(1 << (stand % 64));
    }
}

/// All stands.
#[derive(Debug)]
pub(super) struct Asides {
    stands: Vec<Stand>,
    free: Vec<usize>,
    /// Which are followed.
    active: Vec<u64>,
    /// Per thread, the stands in which it stands; per lock, those in which it is held by such a thread;
    /// per variable and resource, those in which what was last done to it is left out.
    standing: Bits,
    barred: Bits,
    stale: Bits,
    missed: Bits,
    /// Per request, the stands that its first time is followed in, and the latest: with two sides in
    /// mind, with more, and with two.
    stands_of: FxHashMap<Key, [Option<usize>; 3]>,
    /// Per lock, the stands in which whoever holds it would be the next side.
    nexts: FxHashMap<LockId, Vec<usize>>,
    /// Per barrier, the group that meets there or met last.
    arrived: FxHashMap<ResourceId, Vec<ThreadId>>,
    /// Requests that proofs were found for.
    proved: FxHashSet<Key>,
    known: FxHashSet<Vec<(ThreadId, LockId)>>,
    pub(super) proofs: Vec<Proof>,
    proofs_max: usize,
    /// Requests that were not followed.
    pub(super) left_out: u64,
    /// Events so far.
    now: u64,
    /// How many threads there are.
    threads: usize,
}

impl Asides {
    /// None yet, in a trace of so many threads.
    pub(super) fn new(limits: &Limits, threads: usize) -> Self {
        let most = count(limits.asides);
        let words = most.div_ceil(64);
        Asides {
            stands: (0..most).map(|_| Stand::default()).collect(),
            free: (0..most).rev().collect(),
            active: vec![0; words],
            standing: Bits::new(words),
            barred: Bits::new(words),
            stale: Bits::new(words),
            missed: Bits::new(words),
            stands_of: FxHashMap::default(),
            nexts: FxHashMap::default(),
            arrived: FxHashMap::default(),
            proved: FxHashSet::default(),
            known: FxHashSet::default(),
            proofs: Vec::new(),
            proofs_max: count(limits.aside_proofs),
            left_out: 0,
            now: 0,
            threads,
        }
    }

    /// Takes in a request on a cycle that is the next event: from here its thread may stand.
    pub(super) fn request(
        &mut self,
        thread: ThreadId,
        held: Option<HeldId>,
        want: Held,
        holders: &Holders,
    ) {
        self.lengthen(thread, want, holders);
        let key = (thread, held, want.lock, want.mode as u8);
        if self.proved.contains(&key) || self.proofs.len() >= self.proofs_max {
            return;
        }
        let stands = self.stands_of.get(&key).copied().unwrap_or_default();
        if let Some(latest) = stands[2] {
            self.end(latest);
        }
        let fresh = if stands[0].is_none() && stands[1].is_none() {
            0..2
        } else {
            2..3
        };
        for kind in fresh {
            let Some(stand) = self.free.pop() else {
                self.left_out += 1;
                return;
            };
            self.stands_of.entry(key).or_default()[kind] = Some(stand);
            self.stands[stand].key = Some(key);
            self.active[stand / 64] |= 1 << (stand % 64);
            if kind == 1 {
                self.expect(stand, want.lock);
            }
            self.stop(stand, thread, Some(want), holders);
        }
    }

    /// Has the next thread that asks for something while it holds `lock` stand too.
    fn expect(&mut self, stand: usize, lock: LockId) {
        if let Some(before) = self.stands[stand].next.replace(lock) {
            self.forget(stand, before);
        }
        self.nexts.entry(lock).or_default().push(stand);
    }

    fn forget(&mut self, stand: usize, lock: LockId) {
        if let Some(stands) = self.nexts.get_mut(&lock) {
            stands.retain(|other| *other != stand);
        }
    }

    /// Has a thread stand before its request where it would be the next side.
    fn lengthen(&mut self, thread: ThreadId, want: Held, holders: &Holders) {
        let mut stands = Vec::new();
        for hold in holders.of(thread) {
            stands.extend(self.nexts.get(&hold.held.lock).into_iter().flatten());
        }
        for stand in stands {
            let standing = self.standing.of(thread.at())[stand / 64] >> (stand % 64) & 1 == 1;
            if !standing {
                self.expect(stand, want.lock);
                self.stop(stand, thread, Some(want), holders);
            }
        }
    }

    /// Takes in the next event; `holders` has not.
    pub(super) fn follow(&mut self, event: &Event, holders: &Holders) {
        self.arrive(event);
        if self.free.len() < self.stands.len() {
            self.lead(event, holders);
        }
        self.now += 1;
    }

    /// Keeps who is in the group that meets at a barrier, to the last of them.
    fn arrive(&mut self, event: &Event) {
        if let Op::Barrier { barrier, parties } = event.op {
            let arrived = self.arrived.entry(barrier).or_default();
            if arrived.len() >= parties as usize {
                arrived.clear();
            }
            arrived.push(event.thread);
        }
    }

    fn lead(&mut self, event: &Event, holders: &Holders) {
        let thread = event.thread;
        let site = event.site;
        let wanted = |lock, mode| Some(Held { lock, mode, site });
        match event.op {
            Op::Acquire {
                lock, mode, ask, ..
            } => {
                let want = wanted(lock, mode).filter(|_| ask == Ask::Wait);
                self.meet(event, lock, want, holders);
            }
            Op::Request { lock, mode } => self.meet(event, lock, wanted(lock, mode), holders),
            Op::Upgrade { lock } => {
                let want = wanted(lock, lockwise::watch::Mode::Exclusive);
                self.meet(event, lock, want, holders);
            }
            Op::WaitEnd { condvar, lock } => {
                self.use_resource(event, condvar, holders);
                let mode = holders.waited(thread).map(|hold| hold.held.mode);
                let want = mode.and_then(|mode| wanted(lock, mode));
                self.meet(event, lock, want, holders);
            }
            Op::WaitBegin { condvar, .. } | Op::Notify { condvar } | Op::NotifyAll { condvar } => {
                self.use_resource(event, condvar, holders);
            }
            Op::Post { semaphore } | Op::Pend { semaphore, .. } => {
                self.use_resource(event, semaphore, holders);
            }
            Op::Barrier { barrier, .. } => {
                self.use_resource(event, barrier, holders);
                // Where an arrival is left out, those who came before wait on.
                let group = self.arrived.get(&barrier).cloned().unwrap_or_default();
                for stand in ones(&self.active, self.standing.of(thread.at())) {
                    for &other in &group {
                        self.stop(stand, other, None, holders);
                    }
                }
            }
            Op::Init { lock } | Op::Destroy { lock } => {
                self.meet(event, lock, None, holders);
                for stand in ones(&self.active, self.standing.of(thread.at())) {
                    self.bar(stand, lock);
                }
            }
            Op::Fork { child } => {
                for stand in ones(&self.active, self.standing.of(thread.at())) {
                    self.stop(stand, child, None, holders);
                }
            }
            Op::Join { child } => {
                for stand in self.live(thread, |asides| asides.standing.of(child.at())) {
                    self.stop(stand, thread, None, holders);
                }
            }
            Op::Read { variable } => {
                for stand in self.live(thread, |asides| asides.stale.of(variable.at())) {
                    self.stop(stand, thread, None, holders);
                }
            }
            Op::Write { variable } => {
                for stand in ones(&self.active, self.standing.of(thread.at())) {
                    if self.stale.set(variable.at(), stand) {
                        self.stands[stand].variables.push(variable);
                    }
                }
                let stale = self.stale.of(variable.at());
                let standing = self.standing.of(thread.at());
                for (stale, standing) in stale.iter_mut().zip(standing) {
                    *stale &= *standing;
                }
            }
            Op::Release { .. } | Op::Downgrade { .. } | Op::PendTimed { .. } | Op::End => {}
        }
    }

    /// A thread asks for a lock, or does something to it: where it is held by one that stands, it stands
    /// too.
    fn meet(&mut self, event: &Event, lock: LockId, want: Option<Held>, holders: &Holders) {
        for stand in self.live(event.thread, |asides| asides.barred.of(lock.at())) {
            self.stop(stand, event.thread, want, holders);
        }
    }

    /// A thread uses a resource: where a use of it is left out, it stands.
    fn use_resource(&mut self, event: &Event, resource: ResourceId, holders: &Holders) {
        for stand in self.live(event.thread, |asides| asides.missed.of(resource.at())) {
            self.stop(stand, event.thread, None, holders);
        }
        for stand in ones(&self.active, self.standing.of(event.thread.at())) {
            if self.missed.set(resource.at(), stand) {
                self.stands[stand].resources.push(resource);
            }
        }
    }

    /// The stands of a set in which the thread goes on.
    fn live(&mut self, thread: ThreadId, set: impl Fn(&mut Self) -> &mut [u64]) -> Vec<usize> {
        let mut live = Vec::new();
        for at in 0..self.active.len() {
            let set = set(self)[at] & self.active[at];
            if set != 0 {
                bits(at, set & !self.standing.of(thread.at())[at], &mut live);
            }
        }
        live
    }

    fn bar(&mut self, stand: usize, lock: LockId) {
        if self.barred.set(lock.at(), stand) {
            self.stands[stand].locks.push(lock);
        }
    }

    /// Lets a thread stand from here, unless it does.
    fn stop(&mut self, stand: usize, thread: ThreadId, want: Option<Held>, holders: &Holders) {
        if !self.standing.set(thread.at(), stand) {
            return;
        }
        let holds = holders.of(thread).to_vec();
        for hold in &holds {
            self.bar(stand, hold.held.lock);
        }
        let standers = &mut self.stands[stand].standers;
        standers.push(Stander {
            thread,
            at: self.now,
            holds,
            want,
        });
        let Some(sides) = circle(standers) else {
            // Where nobody goes on there is nothing to come.
            if standers.len() >= self.threads {
                self.end(stand);
            }
            return;
        };
        let stops = standers.iter().map(|stander| (stander.thread, stander.at));
        let proof = Proof {
            events: self.now,
            stops: stops.collect(),
            sides,
        };
        self.proved.extend(self.stands[stand].key);
        if self.known.insert(proof.key()) {
            self.proofs.push(proof);
        }
        self.end(stand);
    }

    /// Follows a stand no longer.
    fn end(&mut self, stand: usize) {
        let Stand {
            key,
            next,
            standers,
            locks,
            variables,
            resources,
        } = std::mem::take(&mut self.stands[stand]);
        if let Some(lock) = next {
            self.forget(stand, lock);
        }
        for stander in standers {
            self.standing.clear(stander.thread.at(), stand);
        }
        for lock in locks {
            self.barred.clear(lock.at(), stand);
        }
        for variable in variables {
            self.stale.clear(variable.at(), stand);
        }
        for resource in resources {
            self.missed.clear(resource.at(), stand);
        }
        self.active[stand / 64] &= !(1 << (stand % 64));
        self.free.push(stand);
        if let Some(stands) = key.and_then(|key| self.stands_of.get_mut(&key)) {
            for own in stands.iter_mut() {
                *own = own.filter(|own| *own != stand);
            }
        }
    }
}

/// The sides of a circle of waits that the last one to stand has closed.
fn circle(standers: &[Stander]) -> Option<Vec<Side>> {
    let last = standers.last()?;
    let mut sides: Vec<&Stander> = vec![last];
    while sides.len() <= standers.len() {
        let waiting = sides.last()?;
        let want = waiting.want?;
        let next = standers.iter().find(|other| {
            other.thread != waiting.thread
                && other
                    .holds
                    .iter()
                    .any(|hold| hold.held.lock == want.lock && hold.held.mode.excludes(want.mode))
        })?;
        if next.thread == last.thread {
            let side = |stander: &&Stander| {
                Some(Side {
                    thread: stander.thread,
                    holds: stander.holds.clone(),
                    want: stander.want?,
                })
            };
            return sides.iter().map(side).collect();
        }
        sides.push(next);
    }
    None
}

/// The stands in both sets.
fn ones(active: &[u64], set: &[u64]) -> Vec<usize> {
    let mut ones = Vec::new();
    for (at, (&active, &set)) in active.iter().zip(set).enumerate() {
        bits(at, active & set, &mut ones);
    }
    ones
}

/// Adds the stands of a word.
fn bits(at: usize, mut word: u64, to: &mut Vec<usize>) {
    while word != 0 {
        to.push(at * 64 + word.trailing_zeros() as usize);
        word &= word - 1;
    }
}

#[cfg(test)]
mod tests;
