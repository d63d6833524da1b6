//! The replay: held sets moved forward event by event.

use std::collections::HashMap;

use lockwise::watch::Mode;

use super::{
    ChainId, Dependency, HeldWait, History, Link, Pending, Recursion, Slip, SlipKind, Subclass,
    blocks_itself,
};
use crate::stretch::Stretches;
use crate::trace::{
    Ask, Chain, ClassId, Held, HeldId, LockId, Op, ResourceId, Run, Side, SiteId, ThreadId,
};

/// A lock in a thread's held set.
#[derive(Debug, Clone, Copy)]
struct Hold {
    held: Held,
    class: Subclass,
}

/// A thread in the middle of the replay.
#[derive(Debug, Default)]
struct Holder {
    /// Held locks, oldest first.
    holds: Vec<Hold>,
    /// The chains of the first so many of them; the rest is interned when it is needed.
    chains: Vec<ChainId>,
    /// A request whose answer was not seen yet, and its event.
    asked: Option<(u32, Held, ChainId)>,
    /// The mode in which a condition wait gave its lock back.
    waited: Option<Hold>,
    ended: bool,
}

/// The replay.
pub(super) struct Replay<'a> {
    run: &'a Run,
    history: History,
    threads: Vec<Holder>,
    /// Per lock, the threads that hold it; a thread stands there as often as it holds the lock.
    holders: Vec<Vec<ThreadId>>,
    /// Per lock: whether its life began by `init`.
    inited: Vec<bool>,
    link_of: HashMap<Link, ChainId>,
    dependency_of: HashMap<(ThreadId, u32, ChainId, Held, Subclass, bool), u32>,
    /// Per barrier, the threads that stand at it.
    arrived: HashMap<ResourceId, Vec<ThreadId>>,
    /// Per thread, the stretch that it was in after so many forks and joins of its own: recorded
    /// chains count these alone.
    own: Vec<Vec<u32>>,
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
                slips: Vec::new(),
                pending: Vec::new(),
                at_end: Vec::new(),
                died: vec![u32::MAX; run.locks.len()],
                object,
                writers: HashMap::new(),
                stretches: Stretches::new(run.threads.len()),
            },
            threads: run.threads.iter().map(|_| Holder::default()).collect(),
            holders: vec![Vec::new(); run.locks.len()],
            inited: vec![false; run.locks.len()],
            link_of: HashMap::new(),
            dependency_of: HashMap::new(),
            arrived: HashMap::new(),
            own: vec![vec![0]; run.threads.len()],
            recorded: HashMap::new(),
        }
    }

    /// Takes in an event.
    #[expect(clippy::too_many_lines, reason = "one arm per kind of event")]
    pub(super) fn event(&mut self, at: u32) {
        let event = &self.run.events[at as usize];
        let (thread, site) = (event.thread, event.site);
        // A request is open only while it is the thread's last word.
        self.threads[thread.at()].asked = None;
        let held = |lock, mode| Held { lock, mode, site };
        match event.op {
            Op::Acquire {
                lock,
                mode,
                ask,
                class,
            } => {
                if self.is_dead(lock) {
                    self.slip(SlipKind::UseAfterDestroy, thread, lock, site);
                }
                let nest_held = class.nest.map(|gate| self.holds(thread, gate));
                if nest_held == Some(false) {
                    self.slip(SlipKind::NestLockNotHeld, thread, lock, site);
                }
                let class = self.subclass(lock, class.sub);
                let want = held(lock, mode);
                if ask == Ask::Wait {
                    self.depend(at, thread, want, class, nest_held == Some(true));
                }
                if mode.is_exclusive() {
                    self.writes(lock, thread);
                }
                self.hold(thread, Hold { held: want, class });
            }
            Op::Request { lock, mode } => {
                let chain = self.intern(thread);
                self.threads[thread.at()].asked = Some((at, held(lock, mode), chain));
            }
            Op::Release { lock, side } => self.release(thread, lock, side, site),
            Op::Upgrade { lock } => {
                let class = self.subclass(lock, None);
                self.depend(at, thread, held(lock, Mode::Exclusive), class, false);
                self.writes(lock, thread);
                self.change_mode(thread, lock, Mode::Exclusive);
            }
            Op::Downgrade { lock, mode } => self.change_mode(thread, lock, mode),
            Op::Fork { child } => {
                self.history.stretches.fork(thread, child);
                self.note_stretch(thread);
                // A thread begins behind its fork.
                if let [begin] = self.own[child.at()].as_mut_slice() {
                    *begin = self.history.stretches.now(child);
                }
            }
            Op::Join { child } => {
                self.held_wait(at, thread);
                // In a recorded run the last event of a thread may be a join that never came back.
                if self.run.complete || self.run.threads[child.at()].end_seen {
                    self.exit(child);
                    self.history.stretches.join(thread, child);
                }
                self.note_stretch(thread);
            }
            Op::WaitBegin { lock, .. } => {
                let taken = self.take(thread, lock, |_| true);
                if taken.is_none() {
                    let kind = if self.holders[lock.at()].is_empty() {
                        SlipKind::WaitUnlocked
                    } else {
                        SlipKind::WaitNotOwner
                    };
                    self.slip(kind, thread, lock, site);
                }
                self.threads[thread.at()].waited = taken;
                self.held_wait(at, thread);
            }
            Op::WaitEnd { lock, .. } => {
                if let Some(hold) = self.threads[thread.at()].waited.take() {
                    let want = held(lock, hold.held.mode);
                    self.depend(at, thread, want, hold.class, false);
                    let class = hold.class;
                    self.hold(thread, Hold { held: want, class });
                }
            }
            Op::Barrier { barrier, parties } => {
                self.held_wait(at, thread);
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
            Op::Pend { ask, .. } => {
                if ask == Ask::Wait {
                    self.held_wait(at, thread);
                }
            }
            Op::Init { lock } => self.init(at, thread, lock, site),
            Op::Destroy { lock } => self.destroy(at, thread, lock, site),
            Op::End => self.exit(thread),
            Op::Notify { .. }
            | Op::NotifyAll { .. }
            | Op::Post { .. }
            | Op::Read { .. }
            | Op::Write { .. } => {}
        }
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
                self.depend(event, thread, want, class, false);
            }
            if !self.threads[at].ended && !self.threads[at].holds.is_empty() {
                let held = self.threads[at].holds.iter().map(|h| h.held).collect();
                self.history.at_end.push((thread, held));
            }
        }
        for writers in self.history.writers.values_mut() {
            writers.sort_unstable();
            writers.dedup();
        }
        self.history
    }

    fn subclass(&self, lock: LockId, sub: Option<u32>) -> Subclass {
        Subclass {
            class: self.run.locks[lock.at()].class,
            sub,
        }
    }

    fn slip(&mut self, kind: SlipKind, thread: ThreadId, lock: LockId, site: SiteId) {
        self.history.slips.push(Slip {
            kind,
            thread,
            lock,
            site,
        });
    }

    /// Whether this life follows one that was ended, and was not begun.
    fn is_dead(&self, lock: LockId) -> bool {
        let former = self.run.locks[lock.at()].former;
        !self.inited[lock.at()]
            && former.is_some_and(|former| self.history.died[former.at()] != u32::MAX)
    }

    fn holds(&self, thread: ThreadId, lock: LockId) -> bool {
        self.holders[lock.at()].contains(&thread)
    }

    fn writes(&mut self, lock: LockId, thread: ThreadId) {
        let object = self.history.object[lock.at()];
        let writers = self.history.writers.entry(object).or_default();
        if writers.last() != Some(&thread) && !writers.contains(&thread) {
            writers.push(thread);
        }
    }

    /// Notes that `thread` asks for `want` with all that it holds.
    fn depend(&mut self, at: u32, thread: ThreadId, want: Held, class: Subclass, nested: bool) {
        let chain = self.intern(thread);
        let stretch = self.history.stretches.now(thread);
        let again = self.holds(thread, want.lock) && !self.is_upgrade(at);
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

    fn hold(&mut self, thread: ThreadId, hold: Hold) {
        self.holders[hold.held.lock.at()].push(thread);
        self.threads[thread.at()].holds.push(hold);
    }

    /// Takes the youngest hold of `lock` in a fitting mode out of the thread's held set.
    fn take(
        &mut self,
        thread: ThreadId,
        lock: LockId,
        fits: impl Fn(Mode) -> bool,
    ) -> Option<Hold> {
        if !self.holds(thread, lock) {
            return None;
        }
        let holder = &mut self.threads[thread.at()];
        let at = holder
            .holds
            .iter()
            .rposition(|hold| hold.held.lock == lock && fits(hold.held.mode))?;
        holder.chains.truncate(at);
        let hold = holder.holds.remove(at);
        let holders = &mut self.holders[lock.at()];
        let entry = holders.iter().position(|&held_by| held_by == thread)?;
        holders.swap_remove(entry);
        Some(hold)
    }

    fn release(&mut self, thread: ThreadId, lock: LockId, named: Side, site: SiteId) {
        let fits = |mode: Mode| match named {
            Side::Exclusive => mode.is_exclusive(),
            Side::Shared => !mode.is_exclusive(),
            Side::Held => true,
        };
        if self.take(thread, lock, fits).is_some() {
            return;
        }
        let kind = if self.take(thread, lock, |_| true).is_some() {
            SlipKind::UnlockWrongMode
        } else if self.holders[lock.at()].is_empty() {
            SlipKind::UnlockNotHeld
        } else {
            SlipKind::UnlockNotOwner
        };
        self.slip(kind, thread, lock, site);
    }

    fn change_mode(&mut self, thread: ThreadId, lock: LockId, mode: Mode) {
        let holder = &mut self.threads[thread.at()];
        if let Some(at) = holder.holds.iter().rposition(|h| h.held.lock == lock) {
            holder.holds[at].held.mode = mode;
            holder.chains.truncate(at);
        }
    }

    fn init(&mut self, at: u32, thread: ThreadId, lock: LockId, site: SiteId) {
        let former = self.run.locks[lock.at()].former;
        let mut held = self.drop_holders(lock);
        if let Some(former) = former {
            held |= self.drop_holders(former);
        }
        if held {
            self.slip(SlipKind::InitHeld, thread, lock, site);
        }
        if let Some(former) = former.filter(|f| self.history.died[f.at()] == u32::MAX) {
            self.slip(SlipKind::ReinitWithoutDestroy, thread, lock, site);
            self.history.died[former.at()] = at;
        }
        self.inited[lock.at()] = true;
    }

    fn destroy(&mut self, at: u32, thread: ThreadId, lock: LockId, site: SiteId) {
        if self.drop_holders(lock) {
            self.slip(SlipKind::DestroyHeld, thread, lock, site);
        }
        if self.history.died[lock.at()] != u32::MAX || self.is_dead(lock) {
            self.slip(SlipKind::DoubleDestroy, thread, lock, site);
        }
        let died = &mut self.history.died[lock.at()];
        *died = (*died).min(at);
    }

    /// Takes `lock` out of all held sets; whether it was in any.
    fn drop_holders(&mut self, lock: LockId) -> bool {
        let holders = self.holders[lock.at()].clone();
        for &thread in &holders {
            self.take(thread, lock, |_| true);
        }
        !holders.is_empty()
    }

    /// Notes what `thread` still holds as it ends.
    fn exit(&mut self, thread: ThreadId) {
        let holder = &mut self.threads[thread.at()];
        if std::mem::replace(&mut holder.ended, true) {
            return;
        }
        let left: Vec<Held> = holder.holds.iter().map(|hold| hold.held).collect();
        // A lock that others hold too was never granted: the trace goes on behind a deadlock.
        let left = left
            .into_iter()
            .filter(|held| held.mode.is_shared() || self.holders[held.lock.at()].len() == 1);
        for held in left.collect::<Vec<_>>() {
            self.slip(SlipKind::HeldAtExit, thread, held.lock, held.site);
        }
    }

    /// Notes a wait for something other than a lock, if locks are held.
    fn held_wait(&mut self, event: u32, thread: ThreadId) {
        if self.threads[thread.at()].holds.is_empty() {
            return;
        }
        let chain = self.intern(thread);
        let stretch = self.history.stretches.now(thread);
        self.history.held_waits.push(HeldWait {
            event,
            stretch,
            chain,
        });
    }

    /// The chain of all that a thread holds.
    fn intern(&mut self, thread: ThreadId) -> ChainId {
        let holder = &self.threads[thread.at()];
        let mut below = holder.chains.last().copied().unwrap_or(ChainId::EMPTY);
        for at in holder.chains.len()..holder.holds.len() {
            let Hold { held, class } = self.threads[thread.at()].holds[at];
            below = self.link(Link { below, held, class });
            self.threads[thread.at()].chains.push(below);
        }
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
