//! Which pairs of a held and a wanted lock can lie on a cycle between different threads.
//!
//! A side of such a cycle holds what another thread wants while holding something, and wants what
//! another thread holds while wanting something. Pairs for which that is not so are crossed out,
//! and what rested on them, until no more are: ten thousand locks that one thread holds at once
//! leave only those that a second thread takes the other way round.

use std::collections::HashMap;

use crate::history::{ChainId, Dependency, History};
use crate::trace::{LockId, ThreadId};

/// Some of the threads that do something: two are enough to ask for one other than a given one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Threads {
    one: Option<ThreadId>,
    other: Option<ThreadId>,
}

impl Threads {
    fn add(&mut self, thread: ThreadId) {
        match self.one {
            None => self.one = Some(thread),
            Some(one) if one != thread => self.other = Some(thread),
            Some(_) => {}
        }
    }

    /// Whether there is one besides `thread`.
    fn besides(self, thread: ThreadId) -> bool {
        self.one.is_some_and(|one| one != thread) || self.other.is_some()
    }
}

/// What the pairs have to be like.
#[derive(Debug)]
pub(super) struct Apart {
    /// Per lock, who asks for it while holding something.
    wanted: Vec<Threads>,
    /// Per lock, who holds it while asking for something.
    held: Vec<Threads>,
    /// Per chain, the nearest part of it, itself or below, whose youngest lock may be in a pair.
    nearest: Vec<ChainId>,
}

/// Rounds of crossing out; what is left after them is taken as it is.
const ROUNDS_MAX: usize = 100;

impl Apart {
    /// Crosses out until no more is to be crossed out, or `steps_max` locks were looked at.
    pub(super) fn of(history: &History, steps_max: u64) -> Apart {
        let mut apart = Apart::shared(history);
        let mut steps = steps_max;
        for _ in 0..ROUNDS_MAX {
            let Some((wanted, held)) = apart.round(history, &mut steps) else {
                break;
            };
            if wanted == apart.wanted && held == apart.held {
                break;
            }
            apart = Apart::new(history, wanted, held);
        }
        apart
    }

    /// Only asks that both locks are used by several threads.
    pub(super) fn shared(history: &History) -> Apart {
        let mut users = vec![Threads::default(); history.died.len()];
        // What lies below was met with what lies above.
        let mut met = vec![Threads::default(); history.links.len()];
        for dependency in &history.dependencies {
            let thread = dependency.thread;
            users[dependency.want.lock.at()].add(thread);
            for (chain, link) in history.chain(dependency.chain) {
                let met = &mut met[chain.at()];
                if met.one == Some(thread) || met.other.is_some() {
                    break;
                }
                met.add(thread);
                users[link.held.lock.at()].add(thread);
            }
        }
        Apart::new(history, users.clone(), users)
    }

    fn new(history: &History, wanted: Vec<Threads>, held: Vec<Threads>) -> Apart {
        let mut nearest = vec![ChainId::EMPTY; history.links.len()];
        // A chain has a greater number than the one below it.
        for at in 1..nearest.len() {
            let link = &history.links[at];
            let lock = link.held.lock.at();
            let here = u32::try_from(at).expect("a chain has a 32-bit number");
            nearest[at] = if wanted[lock].one.is_some() && held[lock].one.is_some() {
                ChainId(here)
            } else {
                nearest[link.below.at()]
            };
        }
        Apart {
            wanted,
            held,
            nearest,
        }
    }

    /// Who wants and who holds by the pairs that are left; `None` if the steps run out.
    fn round(&self, history: &History, steps: &mut u64) -> Option<(Vec<Threads>, Vec<Threads>)> {
        let mut wanted = vec![Threads::default(); self.wanted.len()];
        let mut held = vec![Threads::default(); self.held.len()];
        // Whether a thread holds any lock of a pair in a chain; all of them are noted by then.
        let mut noted: HashMap<(ThreadId, ChainId), bool> = HashMap::new();
        for dependency in &history.dependencies {
            let thread = dependency.thread;
            let want = dependency.want.lock;
            if !self.held[want.at()].besides(thread) {
                continue;
            }
            let mut any = false;
            let mut fresh = Vec::new();
            let mut here = self.nearest(dependency.chain);
            while here != ChainId::EMPTY {
                if let Some(&known) = noted.get(&(thread, here)) {
                    any |= known;
                    break;
                }
                *steps = steps.checked_sub(1)?;
                let link = &history.links[here.at()];
                let lock = link.held.lock;
                if self.wanted[lock.at()].besides(thread) {
                    any = true;
                    held[lock.at()].add(thread);
                }
                fresh.push(here);
                here = self.nearest(link.below);
            }
            for chain in fresh {
                noted.insert((thread, chain), any);
            }
            if any {
                wanted[want.at()].add(thread);
            }
        }
        Some((wanted, held))
    }

    /// The nearest part of a chain, itself or below, whose youngest lock may be in a pair.
    pub(super) fn nearest(&self, chain: ChainId) -> ChainId {
        self.nearest[chain.at()]
    }

    /// Whether a lock held in this request and the one that it wants may be a pair.
    pub(super) fn meets(&self, dependency: &Dependency, held: LockId) -> bool {
        let thread = dependency.thread;
        self.wanted[held.at()].besides(thread) && self.wants(dependency)
    }

    /// Whether the wanted lock of this request may be in any pair.
    pub(super) fn wants(&self, dependency: &Dependency) -> bool {
        self.held[dependency.want.lock.at()].besides(dependency.thread)
    }
}
