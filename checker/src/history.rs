//! What each thread held when it asked: a run's events replayed once, in the order seen.
//!
//! The result is what all later stages work on. An acquisition that may wait becomes a
//! [`Dependency`]: the wanted lock and the *chain* of locks held at the time. Chains are interned as
//! a tree, one [`Link`] per lock, so ten thousand nested locks cost ten thousand links and not fifty
//! million pairs. Equal dependencies of one thread in one stretch (the time between two forks, joins
//! or barriers, see [`crate::stretch`]) are one, with the list of events it stands for.
//!
//! A run of level `order` has chains already; they become the same dependencies, without events.
//!
//! Wrong use of locks is noticed on the way ([`Slip`]): the events are taken in the order seen, and
//! what cannot be (a release of what is not held) is noted and otherwise left without effect.

mod replay;

use std::collections::HashMap;

use lockwise::watch::Mode;

use self::replay::Replay;
use crate::stretch::{Stretches, Tie};
use crate::trace::{ClassId, Evidence, Held, LockId, Run, ThreadId};
pub use crate::trace::{Slip, SlipKind};

/// A held chain, in [`History::links`]: this link and all before it. Link 0 is the empty chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChainId(pub u32);

impl ChainId {
    /// Nothing held.
    pub const EMPTY: ChainId = ChainId(0);

    /// The position as a `usize`.
    pub fn at(self) -> usize {
        self.0 as usize
    }
}

/// The class that an acquisition counts for: that of its lock, or a subclass of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subclass {
    /// The lock's class.
    pub class: ClassId,
    /// The `sub` mark of the acquisition.
    pub sub: Option<u32>,
}

/// One lock of a held chain, on top of those it was acquired under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Link {
    /// The chain below.
    pub below: ChainId,
    /// The lock.
    pub held: Held,
    /// The class that its acquisition counted for.
    pub class: Subclass,
}

/// A request for a lock that may have to wait, with all that the thread held.
#[derive(Debug, Clone)]
pub struct Dependency {
    /// Who asks.
    pub thread: ThreadId,
    /// In which stretch of that thread.
    pub stretch: u32,
    /// What it holds.
    pub chain: ChainId,
    /// What it wants.
    pub want: Held,
    /// The class that the request counts for.
    pub class: Subclass,
    /// Whether a lock that orders this class was held: then nesting in the class is in order.
    pub nested_in_order: bool,
    /// The events, as positions in [`Run::events`]; empty for a run of level `order`.
    pub events: Vec<u32>,
}

impl Dependency {
    /// How often it was seen.
    pub fn count(&self) -> u64 {
        self.events.len().max(1) as u64
    }

    /// The first event; 0 for a run of level `order`.
    pub fn first(&self) -> u32 {
        self.events.first().copied().unwrap_or(0)
    }
}

/// A request for a lock that the thread holds already, in a mode that may get in its way.
#[derive(Debug, Clone, Copy)]
pub struct Recursion {
    /// The request, in [`History::dependencies`].
    pub dependency: u32,
    /// The earlier acquisition.
    pub held: Held,
}

/// A wait for something other than a lock, by a thread that holds locks.
#[derive(Debug, Clone, Copy)]
pub struct HeldWait {
    /// The waiting event, in [`Run::events`].
    pub event: u32,
    /// In which stretch of its thread.
    pub stretch: u32,
    /// What is held during the wait.
    pub chain: ChainId,
}

/// A request that was still unanswered when the run ended.
#[derive(Debug, Clone, Copy)]
pub struct Pending {
    /// Who.
    pub thread: ThreadId,
    /// What it wants.
    pub want: Held,
    /// What it holds.
    pub chain: ChainId,
}

/// A run, replayed.
#[derive(Debug)]
pub struct History {
    /// All held chains.
    pub links: Vec<Link>,
    /// All requests that may wait, in the order first seen.
    pub dependencies: Vec<Dependency>,
    /// Requests for a lock already held.
    pub recursions: Vec<Recursion>,
    /// Waits for other things than locks while holding locks.
    pub held_waits: Vec<HeldWait>,
    /// The same until a deadline, but for conditions, which are among the others.
    pub timed_waits: Vec<HeldWait>,
    /// Wrong uses, in the order seen.
    pub slips: Vec<Slip>,
    /// Requests unanswered at the end.
    pub pending: Vec<Pending>,
    /// What the threads that are not through held at the end of the run.
    pub at_end: Vec<(ThreadId, Vec<Held>)>,
    /// Per lock, the event that ended its life; `u32::MAX` if it lives.
    pub died: Vec<u32>,
    /// Per lock, the instance that stands for the whole object, over all its lives.
    pub object: Vec<LockId>,
    /// Per object, the threads that take it exclusively, in ascending order.
    pub writers: HashMap<LockId, Vec<ThreadId>>,
    /// What happens before what, by fork, join and barrier.
    pub stretches: Stretches,
}

impl History {
    /// Replays a run. Time and memory are linear in the events, apart from releases that are not
    /// last-in-first-out: these cost the number of locks held.
    ///
    /// # Panics
    ///
    /// If there are more than `u32::MAX` events: readers stop long before.
    pub fn of(run: &Run) -> History {
        let mut replay = Replay::new(run);
        for at in 0..run.events.len() {
            replay.event(u32::try_from(at).expect("readers bound the number of events"));
        }
        for chain in &run.chains {
            replay.recorded(chain);
        }
        replay.finish()
    }

    /// The locks of a chain, youngest first.
    pub fn chain(&self, chain: ChainId) -> impl Iterator<Item = (ChainId, &Link)> {
        let mut next = chain;
        std::iter::from_fn(move || {
            let here = next;
            (here != ChainId::EMPTY).then(|| {
                let link = &self.links[here.at()];
                next = link.below;
                (here, link)
            })
        })
    }
}

/// All runs, replayed.
pub fn histories(evidence: &Evidence) -> Vec<History> {
    evidence.runs.iter().map(History::of).collect()
}

/// Whether a thread that holds a lock in one mode can get in its own way by asking for another.
pub fn blocks_itself(held: Mode, want: Mode) -> bool {
    let reentrant = held == Mode::Reentrant && want == Mode::Reentrant;
    !reentrant && held.may_block(want)
}

/// Which tie orders two dependencies of different threads, if any does.
pub fn ordered(history: &History, a: &Dependency, b: &Dependency) -> Option<Tie> {
    history
        .stretches
        .ordered((a.thread, a.stretch), (b.thread, b.stretch))
}

#[cfg(test)]
mod tests;
