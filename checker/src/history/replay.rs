//! The replay: held sets moved forward event by event.

use std::collections::HashMap;

use lockwise::watch::Mode;
use rustc_hash::FxHashSet;

use super::{
    ChainId, Dependency, HeldWait, History, Link, Pending, Recursion, Subclass, blocks_itself,
};
use crate::holders::{Hold, Holders};
use crate::stretch::Stretches;
use crate::trace::{
    Ask, Chain, ClassId, Held, HeldId, LockId, Op, ResourceId, Run, SiteId, ThreadId,
};

/// A thread in the middle of the replay.
#[derive(Debug, Default)]
struct Asker {
    /// The chains of the first so many of its held locks; the rest is interned when it is needed.
    chains: Vec<ChainId>,
    /// A request whose answer was not seen yet, and its event.
    asked: Option<(u32, Held, ChainId)>,
}

/// The replay.
pub(super) struct Replay<'a> {
    run: &'a Run,
    history: History,
    threads: Vec<Asker>,
    holders: Holders,
    link_of: HashMap<Link, ChainId>,
    dependency_of: HashMap<(ThreadId, u32, ChainId, Held, Subclass, bool), u32>,
    /// Per barrier, the threads that stand at it.
    arrived: HashMap<ResourceId, Vec<ThreadId>>,
    /// Per thread, the stretch that it was in after so many forks and joins of its own: recorded
    /// chains count these alone.
    own: Vec<Vec<u32>>,
    /// Which threads take which objects exclusively.
    wrote: FxHashSet<(LockId, ThreadId)>,
    /// What a thread held in chains taken in so far.
    recorded: HashMap<(ThreadId, HeldId), ChainId>,
}

impl<'a> Replay<'a> {
    pub(super) fn new(run: &'a Run) -> Self {
        let nothing = Link {
            below: ChainId::EMPTY,
            held: Held {
                lock: LockId(u32::MAX),
                mode: Mode::Shared,
                site: SiteId(u32::MAX),
            },
            class: Subclass {
                class: ClassId(u32::MAX),
                sub: None,
            },
        };
        let mut object: Vec<LockId> = Vec::with_capacity(run.locks.len());
        for (at, lock) in run.locks.iter().enumerate() {
            // A former life has a smaller number, so its object is known.
            let first = lock.former.and_then(|former| object.get(former.at()));
            object.push(first.copied().unwrap_or_else(|| LockId::from(at)));
        }
        Replay {
            run,
            history: History {
                links: vec![nothing],
                dependencies: Vec::new(),
                recursions: Vec::new(),
                held_waits: Vec::new(),
                timed_waits: Vec::new(),
                slips: run.slips.clone(),
                pending: Vec::new(),
                at_end: Vec::new(),
                died: vec![u32::MAX; run.locks.len()],
                object,
                writers: HashMap::new(),
                stretches: Stretches::new(run.threads.len()),
            },
            threads: run.threads.iter().map(|_| Asker::default()).collect(),
            holders: Holders::default(),
            link_of: HashMap::new(),
            dependency_of: HashMap::new(),
            arrived: HashMap::new(),
            own: vec![vec![0]; run.threads.len()],
            wrote: FxHashSet::default(),
            recorded: HashMap::new(),
        }
    }

    /// Takes in an event.
    pub(super) fn event(&mut self, at: u32) {
        let event = &self.run.events[at as usize];
        let (thread, site) = (event.thread, event.site);
        // A request is open only while it is the thread's last word.
        self.threads[thread.at()].asked = None;
        let held = |lock, mode| Held { lock, mode, site };
        // What it asks for with what it holds before.
        match event.op {
            Op::Acquire {
                lock,
                mode,
                ask,
                class,
            } => {
                if ask == Ask::Wait {
                    let nested = class
                        .nest
                        .is_some_and(|gate| self.holders.holds(thread, gate));
                    let class = self.subclass(lock, class.sub);
                    self.depend(at, thread, held(lock, mode), class, nested);
                }
                if mode.is_exclusive() {
                    self.writes(lock, thread);
                }
            }
            Op::Request { lock, mode } => {
                let chain = self.held_at(at, thread);
                self.threads[thread.at()].asked = Some((at, held(lock, mode), chain));
            }
            Op::Upgrade { lock } => {
                let class = self.subclass(lock, None);
                self.depend(at, thread, held(lock, Mode::Exclusive), class, false);
                self.writes(lock, thread);
            }
            Op::Join { .. } | Op::Barrier { .. } | Op::Pend { ask: Ask::Wait, .. } => {
                self.held_wait(at, thread);
            }
            Op::PendTimed { .. } => {
                let wait = self.wait_under_locks(at, thread);
                self.history.timed_waits.extend(wait);
            }
            Op::WaitEnd { lock, .. } => {
                if let Some(hold) = self.holders.waited(thread) {
                    let class = self.subclass(hold.held.lock, hold.sub);
                    self.depend(at, thread, held(lock, hold.held.mode), class, false);
                }
            }
            _ => {}
        }
        // In a recorded run the last event of a thread may be a join that never came back.
        let over = |child: ThreadId| self.run.complete || self.run.threads[child.at()].end_seen;
        let over = matches!(event.op, Op::Join { child } if over(child));
        self.holders.follow(event, &self.run.locks, over);
        // What it has led to.
        match event.op {
            Op::Fork { child } => {
                self.history.stretches.fork(thread, child);
                self.note_stretch(thread);
                // A thread begins behind its fork.
                if let [begin] = self.own[child.at()].as_mut_slice() {
                    *begin = self.history.stretches.now(child);
                }
            }
            Op::Join { child } => {
                if over {
                    self.history.stretches.join(thread, child);
                }
                self.note_stretch(thread);
            }
            Op::WaitBegin { .. } => self.held_wait(at, thread),
            Op::Barrier { barrier, parties } => self.arrive(thread, barrier, parties),
            Op::Init { lock } => {
                if let Some(former) = self.run.locks[lock.at()].former {
                    self.ends(former, at);
                }
            }
            Op::Destroy { lock } => self.ends(lock, at),
            _ => {}
        }
    }

    fn arrive(&mut self, thread: ThreadId, barrier: ResourceId, parties: u32) {
        let arrived = self.arrived.entry(barrier).or_default();
        arrived.push(thread);
        if arrived.len() == parties as usize {
            let group = std::mem::take(arrived);
            // Recorded chains count forks and joins alone: a barrier would put them wrong.
            if self.run.chains.is_empty() {
                self.history.stretches.barrier(&group);
            }
        }
    }

    /// Notes by when the life of a lock has ended.
    fn ends(&mut self, lock: LockId, at: u32) {
        let died = &mut self.history.died[lock.at()];
        *died = (*died).min(at);
    }

    /// Takes in a chain of a run of level `order`.
    pub(super) fn recorded(&mut self, chain: &Chain) {
        let below = chain.held.map_or(ChainId::EMPTY, |held| {
            self.recorded_held(chain.thread, held)
        });
        if chain.want.mode.is_exclusive() {
            self.writes(chain.want.lock, chain.thread);
        }
        if chain.ask == Ask::Wait {
            let class = self.subclass(chain.want.lock, None);
            let own = &self.own[chain.thread.at()];
            let stretch = own[own.len().min(chain.stretch as usize + 1) - 1];
            let key = (chain.thread, stretch, below, chain.want, class, false);
            let again = self.run.held_in(chain).any(|h| h.lock == chain.want.lock);
            self.add(key, None, again);
        }
    }

    /// Notes the stretch that a thread's own fork or join has led to.
    fn note_stretch(&mut self, thread: ThreadId) {
        self.own[thread.at()].push(self.history.stretches.now(thread));
    }

    /// Takes in what a thread held in a chain; what it shares with an earlier one only once.
    fn recorded_held(&mut self, thread: ThreadId, held: HeldId) -> ChainId {
        let mut fresh = Vec::new();
        let mut next = Some(held);
        let mut below = ChainId::EMPTY;
        while let Some(node) = next {
            if let Some(&known) = self.recorded.get(&(thread, node)) {
                below = known;
                break;
            }
            fresh.push(node);
            next = self.run.held[node.at()].below;
        }
        for node in fresh.into_iter().rev() {
            let held = self.run.held[node.at()].held;
            if held.mode.is_exclusive() {
                self.writes(held.lock, thread);
            }
            let class = self.subclass(held.lock, None);
            below = self.link(Link { below, held, class });
            self.recorded.insert((thread, node), below);
        }
        below
    }

    /// What it adds up to, with what is open at the end.
    pub(super) fn finish(mut self) -> History {
        for at in 0..self.threads.len() {
            let thread = ThreadId::from(at);
            if let Some((event, want, chain)) = self.threads[at].asked.take() {
                let pending = Pending {
                    thread,
                    want,
                    chain,
                };
                self.history.pending.push(pending);
                let class = self.subclass(want.lock, None);
                let stretch = self.history.stretches.now(thread);
                let again = {
                    let mut held = self.history.chain(chain);
                    held.any(|(_, link)| link.held.lock == want.lock)
                };
                let event = (self.run.events_seen == 0).then_some(event);
                self.add((thread, stretch, chain, want, class, false), event, again);
            }
            let holds = self.holders.of(thread);
            if !self.holders.ended(thread) && !holds.is_empty() {
                let held = holds.iter().map(|hold| hold.held).collect();
                self.history.at_end.push((thread, held));
            }
        }
        for &(thread, held) in &self.run.at_end {
            let held: Vec<Held> = self.run.held_at(Some(held)).collect();
            let held = held.into_iter().rev().collect();
            self.history.at_end.push((thread, held));
        }
        // Of events that are left out it would be wrong.
        if self.run.events_seen == 0 {
            self.history.slips.append(&mut self.holders.slips);
        }
        for writers in self.history.writers.values_mut() {
            writers.sort_unstable();
        }
        self.history
    }

    fn subclass(&self, lock: LockId, sub: Option<u32>) -> Subclass {
        Subclass {
            class: self.run.locks[lock.at()].class,
            sub,
        }
    }

    fn writes(&mut self, lock: LockId, thread: ThreadId) {
        let object = self.history.object[lock.at()];
        if self.wrote.insert((object, thread)) {
            self.history.writers.entry(object).or_default().push(thread);
        }
    }

    /// Notes that `thread` asks for `want` with all that it holds.
    fn depend(&mut self, at: u32, thread: ThreadId, want: Held, class: Subclass, nested: bool) {
        let chain = self.intern(thread);
        let stretch = self.history.stretches.now(thread);
        let again = self.holders.holds(thread, want.lock) && !self.is_upgrade(at);
        self.add(
            (thread, stretch, chain, want, class, nested),
            Some(at),
            again,
        );
    }

    fn is_upgrade(&self, at: u32) -> bool {
        matches!(self.run.events[at as usize].op, Op::Upgrade { .. })
    }

    /// Adds a dependency, or another event of one that is known.
    fn add(
        &mut self,
        key: (ThreadId, u32, ChainId, Held, Subclass, bool),
        event: Option<u32>,
        again: bool,
    ) {
        if again && self.reenters(key.2, key.3) {
            return;
        }
        let next = u32::try_from(self.history.dependencies.len())
            .expect("there are no more dependencies than events");
        let known = *self.dependency_of.entry(key).or_insert(next);
        if known == next {
            let (thread, stretch, chain, want, class, nested_in_order) = key;
            self.history.dependencies.push(Dependency {
                thread,
                stretch,
                chain,
                want,
                class,
                nested_in_order,
                events: Vec::new(),
            });
            if again {
                self.recursion(next, chain, want);
            }
        }
        self.history.dependencies[known as usize]
            .events
            .extend(event);
    }

    /// Whether it is a lock that its holder may enter again, and so never waits for: that is no order.
    fn reenters(&self, chain: ChainId, want: Held) -> bool {
        let mut held = self.history.chain(chain).map(|(_, link)| link.held);
        want.mode == Mode::Reentrant
            && held.any(|held| held.lock == want.lock && held.mode == Mode::Reentrant)
    }

    /// Notes the youngest hold of `want`'s lock that may get in the way of `want`.
    fn recursion(&mut self, dependency: u32, chain: ChainId, want: Held) {
        let blocking = self
            .history
            .chain(chain)
            .map(|(_, link)| link.held)
            .find(|held| held.lock == want.lock && blocks_itself(held.mode, want.mode));
        if let Some(held) = blocking {
            self.history.recursions.push(Recursion { dependency, held });
        }
    }

    /// Notes a wait for something other than a lock, if locks are held.
    fn held_wait(&mut self, event: u32, thread: ThreadId) {
        let wait = self.wait_under_locks(event, thread);
        self.history.held_waits.extend(wait);
    }

    /// A wait for something other than a lock, if locks are held.
    fn wait_under_locks(&mut self, event: u32, thread: ThreadId) -> Option<HeldWait> {
        let chain = self.held_at(event, thread);
        (chain != ChainId::EMPTY).then(|| HeldWait {
            event,
            stretch: self.history.stretches.now(thread),
            chain,
        })
    }

    /// The chain of all that a thread holds at an event of its own.
    fn held_at(&mut self, event: u32, thread: ThreadId) -> ChainId {
        let told = &self.run.held_waits;
        match told.binary_search_by_key(&event, |&(at, _)| at) {
            Ok(at) => self.recorded_held(thread, told[at].1),
            Err(_) => self.intern(thread),
        }
    }

    /// The chain of all that a thread holds.
    fn intern(&mut self, thread: ThreadId) -> ChainId {
        let settled = self.holders.settle(thread);
        let mut chains = std::mem::take(&mut self.threads[thread.at()].chains);
        chains.truncate(settled);
        let mut below = chains.last().copied().unwrap_or(ChainId::EMPTY);
        for at in settled..self.holders.of(thread).len() {
            let Hold { held, sub } = self.holders.of(thread)[at];
            let class = self.subclass(held.lock, sub);
            below = self.link(Link { below, held, class });
            chains.push(below);
        }
        self.threads[thread.at()].chains = chains;
        below
    }

    fn link(&mut self, link: Link) -> ChainId {
        let next = u32::try_from(self.history.links.len())
            .map(ChainId)
            .expect("a link costs more memory than its number");
        let known = *self.link_of.entry(link).or_insert(next);
        if known == next {
            self.history.links.push(link);
        }
        known
    }
}
