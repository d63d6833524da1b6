//! One state of the search, and what its parts say.

use lockwise::watch::Mode;

use crate::judge::timeline::NONE;
use crate::trace::{LockId, ResourceId, ThreadId, VariableId};

/// Where a thread is within its next event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::judge) enum Phase {
    /// Before it.
    Before,
    /// Asleep on a condition, or arrived at a barrier.
    Waits,
    /// Woken; it wants its lock back.
    Woken,
}

/// A state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::judge) struct State {
    /// Per thread, how many events it has executed, and in the two highest bits where it is within the next. A run of
    /// many threads is all here: plain numbers are copied and hashed as bytes.
    threads: Vec<u32>,
    /// Held locks: object, holder, mode; sorted.
    pub(super) held: Vec<(LockId, ThreadId, Mode)>,
    /// Units in semaphores; those without any are left out.
    pub(super) units: Vec<(ResourceId, u32)>,
    /// Last writes, of variables that several threads use.
    pub(super) written: Vec<(VariableId, u32)>,
}

/// How many bits of a number say how many events a thread has executed: more than a run of any size that is searched.
const DONE_BITS: u32 = 30;

impl State {
    /// Nothing executed, by so many threads.
    pub(super) fn new(threads: usize) -> Self {
        State {
            threads: vec![0; threads],
            held: Vec::new(),
            units: Vec::new(),
            written: Vec::new(),
        }
    }

    /// How many events a thread has executed.
    pub(in crate::judge) fn done(&self, thread: ThreadId) -> u32 {
        self.threads[thread.at()] & ((1 << DONE_BITS) - 1)
    }

    /// Where a thread is within its next event.
    pub(super) fn phase(&self, thread: ThreadId) -> Phase {
        match self.threads[thread.at()] >> DONE_BITS {
            0 => Phase::Before,
            1 => Phase::Waits,
            _ => Phase::Woken,
        }
    }

    /// Moves a thread to another place within its next event.
    pub(super) fn enter(&mut self, thread: ThreadId, phase: Phase) {
        self.threads[thread.at()] = self.done(thread) | (phase as u32) << DONE_BITS;
    }

    /// Moves a thread to before the event that follows its next one.
    pub(super) fn pass(&mut self, thread: ThreadId) {
        self.threads[thread.at()] = self.done(thread) + 1;
    }

    /// A measure of its memory, in words.
    pub(in crate::judge) fn size(&self) -> u64 {
        (4 + self.threads.len() + self.held.len() + self.units.len() + self.written.len()) as u64
    }

    /// Who holds an object, and how.
    fn holders(&self, lock: LockId) -> impl Iterator<Item = (ThreadId, Mode)> + use<'_> {
        let from = self.held.partition_point(|&(held, ..)| held < lock);
        let holds = self.held[from..].iter();
        holds
            .take_while(move |&&(held, ..)| held == lock)
            .map(|&(_, thread, mode)| (thread, mode))
    }

    /// Puts a unit into a semaphore.
    pub(super) fn post(&mut self, semaphore: ResourceId) {
        match self.units.binary_search_by_key(&semaphore, |unit| unit.0) {
            Ok(at) => self.units[at].1 += 1,
            Err(at) => self.units.insert(at, (semaphore, 1)),
        }
    }

    /// Takes a unit from a semaphore, if there is one.
    pub(super) fn pend(&mut self, semaphore: ResourceId) -> Option<()> {
        let at = self.units.binary_search_by_key(&semaphore, |unit| unit.0);
        let at = at.ok()?;
        self.units[at].1 -= 1;
        if self.units[at].1 == 0 {
            self.units.remove(at);
        }
        Some(())
    }

    /// The last write to a variable.
    pub(super) fn last_write(&self, variable: VariableId) -> u32 {
        let at = self
            .written
            .binary_search_by_key(&variable, |write| write.0);
        at.map_or(NONE, |at| self.written[at].1)
    }

    /// Notes a write to a variable.
    pub(super) fn write(&mut self, variable: VariableId, event: u32) {
        let at = self
            .written
            .binary_search_by_key(&variable, |write| write.0);
        match at {
            Ok(at) => self.written[at].1 = event,
            Err(at) => self.written.insert(at, (variable, event)),
        }
    }

    /// Lets a thread hold an object.
    pub(super) fn hold(&mut self, lock: LockId, thread: ThreadId, mode: Mode) {
        let new = (lock, thread, mode);
        let at = self.held.partition_point(|hold| *hold <= new);
        self.held.insert(at, new);
    }

    /// Whether a thread holds an object.
    pub(in crate::judge) fn holds(&self, thread: ThreadId, lock: LockId) -> bool {
        self.holders(lock).any(|(holder, _)| holder == thread)
    }

    /// Whether readers pass a writer that queues for this object: not itself, but another, holds it upgradable, and the
    /// writer waits for that one first.
    pub(super) fn lets_readers_pass(&self, lock: LockId, writer: ThreadId) -> bool {
        self.holders(lock)
            .any(|(holder, held)| held == Mode::Upgradable && holder != writer)
    }

    /// The holders that keep a request out: for an object, in a mode, maybe as an upgrade.
    pub(super) fn in_the_way(
        &self,
        thread: ThreadId,
        (lock, mode, upgrade): (LockId, Mode, bool),
    ) -> impl Iterator<Item = ThreadId> + use<'_> {
        self.holders(lock)
            .filter(move |&(holder, held)| {
                let own = holder == thread;
                let reenters = own && held == Mode::Reentrant && mode == Mode::Reentrant;
                let upgrades = own && upgrade && held == Mode::Upgradable;
                held.excludes(mode) && !reenters && !upgrades
            })
            .map(|(holder, _)| holder)
    }
}
