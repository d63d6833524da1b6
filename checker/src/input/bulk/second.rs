//! The second pass: what concerns the locks on cycles, waits under locks and misuse, and the events
//! around what may be a deadlock.

use std::collections::{BTreeMap, BTreeSet};

use lockwise::watch::Mode;
use rustc_hash::{FxHashMap, FxHashSet};

use super::aside::{Asides, Proof};
use super::excerpt::Window;
use super::late::Late;
use super::survey::Suspects;
use super::{CHUNK, Consumer, Limits, count};
use crate::holders::{Hold, Holders};
use crate::trace::{
    Ask, Chain, Event, Evidence, Held, HeldId, HeldNode, Lock, LockId, Op, ResourceId, Run, Slip,
    ThreadId,
};

/// What a thread asked for so far.
#[derive(Debug, Default)]
struct Asker {
    /// The nodes of the first so many locks that it holds.
    nodes: Vec<HeldId>,
    /// Forks and joins of its own so far.
    stretch: u32,
    /// A request, if that is its last word.
    asked: Option<Event>,
}

/// What ends a wait: the operation that does, and on what.
type Waker = (u8, ResourceId);

/// The second pass.
pub(super) struct Second<'l> {
    limits: &'l Limits,
    suspects: Suspects,
    late: Late,
    holders: Holders,
    askers: Vec<Asker>,
    nodes: Vec<HeldNode>,
    node_of: FxHashMap<(Option<HeldId>, LockId, u8), HeldId>,
    chains: Vec<Chain>,
    known: FxHashSet<(ThreadId, u32, Option<HeldId>, LockId, u8)>,
    /// Chains that were not kept.
    left_out: u64,
    /// Forks, joins and waits under locks, in order.
    events: Vec<Event>,
    /// Which of them are waits, and what was held.
    held_waits: Vec<(u32, HeldId)>,
    known_waits: FxHashSet<(ThreadId, HeldId, Waker)>,
    /// Per resource and thread, the last event that ends waits for it.
    wakers: BTreeMap<Waker, BTreeMap<ThreadId, Event>>,
    slips: BTreeSet<Slip>,
    /// Waits and wrong uses that were not kept.
    few_left_out: u64,
    /// Per condition, how many notifications there were.
    notified: FxHashMap<ResourceId, u64>,
    /// Per thread that sleeps, how many there had been by then.
    asleep: FxHashMap<ThreadId, u64>,
    /// Threads that came back from a condition without one.
    woken_unseen: BTreeSet<ThreadId>,
    window: Window,
    asides: Asides,
}

impl<'l> Second<'l> {
    pub(super) fn new(suspects: Suspects, limits: &'l Limits) -> Self {
        Second {
            limits,
            asides: Asides::new(limits, suspects.threads),
            suspects,
            late: Late::default(),
            holders: Holders::default(),
            askers: Vec::new(),
            nodes: Vec::new(),
            node_of: FxHashMap::default(),
            chains: Vec::new(),
            known: FxHashSet::default(),
            left_out: 0,
            events: Vec::new(),
            held_waits: Vec::new(),
            known_waits: FxHashSet::default(),
            wakers: BTreeMap::new(),
            slips: BTreeSet::new(),
            few_left_out: 0,
            notified: FxHashMap::default(),
            asleep: FxHashMap::default(),
            woken_unseen: BTreeSet::new(),
            window: Window::new(limits),
        }
    }

    /// Takes all events out of the run.
    fn take_all(&mut self, run: &mut Run) {
        let mut late = std::mem::take(&mut self.late);
        let mut events = std::mem::take(&mut run.events);
        for event in events.drain(..) {
            late.put(event, &mut |event| self.take_one(event, run));
        }
        run.events = events;
        self.late = late;
    }

    /// Takes all events out of the run, which are the last.
    pub(super) fn take_rest(&mut self, run: &mut Run) {
        self.take_all(run);
        let mut late = std::mem::take(&mut self.late);
        late.finish(&mut |event| self.take_one(event, run));
    }

    fn take_one(&mut self, event: Event, run: &Run) {
        // A text trace is taken at its word; in a recorded run a join may be the last that was seen.
        let over = |child: ThreadId| run.complete || run.threads[child.at()].end_seen;
        let over = matches!(event.op, Op::Join { child } if over(child));
        self.follow(event, &run.locks, over);
    }

    fn follow(&mut self, mut event: Event, locks: &[Lock], over: bool) {
        if let Op::Acquire { lock, mode, .. } | Op::Request { lock, mode } = &mut event.op
            && *mode == Mode::Exclusive
            && self.suspects.reentered.contains(lock)
        {
            *mode = Mode::Reentrant;
        }
        self.asker(event.thread).asked = None;
        match event.op {
            Op::Request { .. } => self.asker(event.thread).asked = Some(event.clone()),
            Op::Acquire {
                lock, mode, ask, ..
            } => self.request(&event, lock, mode, ask),
            Op::Upgrade { lock } => self.request(&event, lock, Mode::Exclusive, Ask::Wait),
            Op::WaitEnd { lock, .. } => {
                if let Some(hold) = self.holders.waited(event.thread) {
                    self.request(&event, lock, hold.held.mode, Ask::Wait);
                }
            }
            Op::Fork { .. } => self.events.push(event.clone()),
            Op::Join { .. }
            | Op::Barrier { .. }
            | Op::Pend { ask: Ask::Wait, .. }
            | Op::PendTimed { .. } => self.wait(&event),
            _ => {}
        }
        self.asides.follow(&event, &self.holders);
        self.holders.follow(&event, locks, over);
        match event.op {
            Op::Fork { .. } | Op::Join { .. } => self.asker(event.thread).stretch += 1,
            Op::WaitBegin { .. } => self.wait(&event),
            _ => {}
        }
        self.wakes(&event);
        if self.suspects.complete {
            self.sleeps(&event);
        }
        for slip in std::mem::take(&mut self.holders.slips) {
            if self.slips.len() < count(self.limits.waits) {
                self.slips.insert(slip);
            } else if !self.slips.contains(&slip) {
                self.few_left_out += 1;
            }
        }
        self.window.push(event);
    }

    /// Notes who comes back from a condition that nobody has notified since.
    fn sleeps(&mut self, event: &Event) {
        let thread = event.thread;
        let told = |condvar| self.notified.get(&condvar).copied().unwrap_or(0);
        match event.op {
            Op::WaitBegin { condvar, timed, .. } if !timed => {
                self.asleep.insert(thread, told(condvar));
            }
            Op::WaitEnd { condvar, .. } if self.asleep.remove(&thread) == Some(told(condvar)) => {
                self.woken_unseen.insert(thread);
            }
            Op::Notify { condvar } | Op::NotifyAll { condvar } => {
                *self.notified.entry(condvar).or_default() += 1;
            }
            _ => {}
        }
    }

    fn asker(&mut self, thread: ThreadId) -> &mut Asker {
        if self.askers.len() <= thread.at() {
            self.askers.resize_with(thread.at() + 1, Asker::default);
        }
        &mut self.askers[thread.at()]
    }

    /// Notes a request that concerns a suspect.
    fn request(&mut self, event: &Event, lock: LockId, mode: Mode, ask: Ask) {
        let thread = event.thread;
        let held = self.holders.of(thread).iter();
        let suspects = &self.suspects;
        let with_held = |such: fn(&Suspects, LockId) -> bool| {
            such(suspects, lock) && held.clone().any(|hold| such(suspects, hold.held.lock))
        };
        let cyclic = with_held(Suspects::is_on_cycle);
        let waited_under = suspects.waited_under.contains(&lock);
        if !cyclic && !waited_under && !with_held(Suspects::is_on_any) {
            return;
        }
        let want = Held {
            lock,
            mode,
            site: event.site,
        };
        if ask == Ask::Wait {
            let held: Vec<Held> = held.map(|hold| hold.held).collect();
            self.window
                .request(thread, &held, want, &self.suspects, cyclic);
        }
        let held = self.held_node(thread);
        if cyclic && ask == Ask::Wait {
            self.asides.request(thread, held, want, &self.holders);
        }
        let stretch = self.asker(thread).stretch;
        if self.chains.len() >= count(self.limits.chains) {
            self.left_out += 1;
        } else if self
            .known
            .insert((thread, stretch, held, want.lock, want.mode as u8))
        {
            self.chains.push(Chain {
                thread,
                stretch,
                held,
                want,
                ask,
            });
        }
    }

    /// The node of all that a thread holds.
    fn held_node(&mut self, thread: ThreadId) -> Option<HeldId> {
        let settled = self.holders.settle(thread);
        let mut nodes = std::mem::take(&mut self.asker(thread).nodes);
        nodes.truncate(settled);
        for Hold { held, .. } in &self.holders.of(thread)[settled..] {
            let below = nodes.last().copied();
            let next = HeldId::from(self.nodes.len());
            let key = (below, held.lock, held.mode as u8);
            let node = *self.node_of.entry(key).or_insert(next);
            if node == next {
                self.nodes.push(HeldNode { below, held: *held });
            }
            nodes.push(node);
        }
        let last = nodes.last().copied();
        self.asker(thread).nodes = nodes;
        last
    }

    /// Notes a wait for something else than a lock, if its thread holds one; joins in any case.
    fn wait(&mut self, event: &Event) {
        let waker = match event.op {
            Op::WaitBegin { condvar, .. } => (0, condvar),
            Op::Barrier { barrier, .. } => (1, barrier),
            Op::Pend { semaphore, .. } => (2, semaphore),
            Op::Join { child } => (3, ResourceId(child.0)),
            Op::PendTimed { semaphore } => (4, semaphore),
            _ => return,
        };
        let child = match event.op {
            Op::Join { child } => Some(child),
            _ => None,
        };
        // A wait with a deadline is no side of a deadlock.
        if !matches!(event.op, Op::PendTimed { .. }) {
            self.window
                .wait(event.thread, child, self.holders.of(event.thread));
        }
        let held = self.held_node(event.thread);
        let fresh = held.is_some_and(|held| {
            let known = (event.thread, held, waker);
            self.held_waits.len() < count(self.limits.waits) && self.known_waits.insert(known)
        });
        if let Some(held) = held.filter(|_| fresh) {
            let at = u32::try_from(self.events.len()).expect("forks and few others");
            self.held_waits.push((at, held));
        } else if held.is_some() && self.held_waits.len() >= count(self.limits.waits) {
            self.few_left_out += 1;
        }
        if fresh || matches!(event.op, Op::Join { .. }) {
            self.events.push(event.clone());
        }
    }

    /// Notes an event that ends waits.
    fn wakes(&mut self, event: &Event) {
        let waker = match event.op {
            Op::Notify { condvar } | Op::NotifyAll { condvar } => (0, condvar),
            Op::Barrier { barrier, .. } => (1, barrier),
            Op::Post { semaphore } => (2, semaphore),
            _ => return,
        };
        let wakers = self.wakers.entry(waker).or_default();
        wakers.insert(event.thread, event.clone());
    }

    /// Adds the requests that were never answered, with what was held at the end.
    fn end(&mut self, run: &mut Run) {
        let threads = (0..self.askers.len()).map(ThreadId::from);
        let mut holders: Vec<ThreadId> = threads.collect();
        holders.retain(|&thread| !self.holders.ended(thread));
        if self.askers.iter().all(|asker| asker.asked.is_none()) {
            return;
        }
        for thread in holders {
            let Some(held) = self.held_node(thread) else {
                continue;
            };
            run.at_end.push((thread, held));
            if let Some(request) = self.asker(thread).asked.take() {
                let at = u32::try_from(self.events.len()).expect("forks and few others");
                self.held_waits.push((at, held));
                self.events.push(request);
            }
        }
    }

    /// Gives the nodes numbers behind those that the run has already.
    fn renumber(&mut self, run: &mut Run) {
        let first = run.held.len();
        let later = |node: &mut HeldId| *node = HeldId::from(node.at() + first);
        let below = self.nodes.iter_mut().filter_map(|node| node.below.as_mut());
        below.for_each(later);
        let held = self
            .chains
            .iter_mut()
            .filter_map(|chain| chain.held.as_mut());
        held.for_each(later);
        self.held_waits.iter_mut().for_each(|(_, held)| later(held));
        run.at_end.iter_mut().for_each(|(_, held)| later(held));
    }

    /// Proofs at a distance that have yet to be checked: those for which there is no excerpt.
    pub(super) fn far_proofs(&mut self) -> Vec<Proof> {
        let mut proofs = std::mem::take(&mut self.asides.proofs);
        proofs.retain(|proof| !self.window.covers(proof));
        proofs
    }

    pub(super) fn finish(mut self, label: &str, evidence: &mut Evidence) {
        let run = &mut evidence.runs[0];
        self.end(run);
        self.renumber(run);
        let woken = self.woken_unseen.into_iter();
        run.woken_unseen.extend(woken.map(|thread| (thread, 0)));
        let excerpts = self.window.finish(run);
        run.events = self.events;
        let wakers = self.wakers.into_values();
        run.events.extend(wakers.flat_map(BTreeMap::into_values));
        run.held_waits = self.held_waits;
        run.chains.extend(self.chains);
        run.held.extend(self.nodes);
        run.slips = self.slips.into_iter().collect();
        let limits = &mut evidence.limits;
        if self.left_out > 0 {
            limits.push(format!(
                "{label}: {} requests in lock-order cycles or for locks held in waits left out, after the \
                 first {} distinct ones (limit `chains`)",
                self.left_out, self.limits.chains
            ));
        }
        if self.few_left_out > 0 {
            limits.push(format!(
                "{label}: {} waits under locks and wrong uses of locks left out, after the first {} \
                 distinct ones of each (limit `waits`)",
                self.few_left_out, self.limits.waits
            ));
        }
        if self.suspects.objects.contains(&true) || !self.suspects.waited_under.is_empty() {
            limits.push(format!(
                "{label}: proofs were looked for where sides of a cycle come within {} events of each \
                 other (limit `window`), and further apart where the order of all other events may stay",
                self.limits.window
            ));
        }
        if self.asides.left_out > 0 {
            limits.push(format!(
                "{label}: {} times a request on a cycle was not looked at for a proof at a distance (limit \
                 `asides`)",
                self.asides.left_out
            ));
        }
        if excerpts.left_out.places > 0 {
            limits.push(format!(
                "{label}: {} such places left out, after the first with {} events in all (limit \
                 `excerpt-events`)",
                excerpts.left_out.places, self.limits.excerpt_events
            ));
        }
        if excerpts.left_out.alike > 0 {
            limits.push(format!(
                "{label}: {} such places left out of cycles that had {} before (limit `excerpts`)",
                excerpts.left_out.alike, self.limits.excerpts
            ));
        }
        if excerpts.left_out.requests > 0 {
            limits.push(format!(
                "{label}: not all cycles looked for that {} requests may close (limits `excerpt-steps`, \
                 `excerpt-steps-all`)",
                excerpts.left_out.requests
            ));
        }
        evidence.excerpts = excerpts.runs;
    }
}

impl Consumer for Second<'_> {
    fn take(&mut self, run: &mut Run) {
        if run.events.len() >= CHUNK {
            self.take_all(run);
        }
    }
}
