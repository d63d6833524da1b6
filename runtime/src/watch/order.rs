//! The learned order: every chain of locks that a thread ever held while it asked for another, as
//! a tree, and the search for cycles in it (`search`).
//!
//! A node of the tree is an acquisition in its context: the path from the root is what was held,
//! oldest first, and the node itself is what was asked for then (and, for nodes below it, held). A
//! new chain is one new node, however many locks are held, where a graph of edges would need one
//! edge per held lock. Edges are implied: `a -> b` exists if a node for `b` lies below one for `a`. Locks
//! that are only ever taken after one that has many below it are no nodes yet (`leaves`).
//!
//! A cycle is a list of nodes, each of which asks for a lock that the next one holds (Goodlock:
//! Havelund, 2000; iGoodlock: Joshi et al., PLDI 2009). It is reported only if it could happen by
//! what is known here: the modes exclude each other, no lock that all sides hold keeps them apart
//! (gate lock), the sides were seen on different threads, and no side ends before another begins
//! (fork and join). The search runs only when a thread shows a chain for the first time.
//!
//! What it cannot see: cycles over other instances of the same classes, which the checker finds in
//! the log; sides that only some other order of events could bring together; cycles longer than
//! [`CYCLE_MAX`]; what was forgotten because the tree was full; and what the search gave up after
//! [`STEPS_MAX`] steps. The last two are counted.
//!
//! What may be false: sides that a barrier, a condition variable, a semaphore or a channel keeps
//! apart are reported all the same; the checker, which has the log, knows barriers. The side of the
//! running thread names its own sites and stack; every other side those at which its chain was seen
//! first, maybe on another thread than the one named.

mod children;
mod held_at;
mod leaves;
mod links;
mod locks;
mod search;
mod threads;

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use self::held_at::HeldAt;
use self::leaves::{Leaf, Leaves};
pub(super) use self::leaves::{learn_leaf, likely_hub};
use self::links::{Links, Sure};
use self::locks::Locks;
use self::threads::Threads;
use super::identity::LockId;
use super::log::{self, Op};
use super::memory::{SysMap, SysVec};
use super::mode::{Ask, Mode};
use super::own_lock::Guarded;
use super::site::Site;
use super::slot::{HeldLock, Slot, split};
use super::stack::Stack;
use super::{registry, settings};

/// The most nodes that are kept; a full tree is forgotten as a whole, and that is counted.
const NODES_MAX: usize = 1 << 18;
/// The most stacks that are kept.
const STACKS_MAX: usize = 1 << 15;
/// The longest cycle that is looked for while the program runs.
pub(super) const CYCLE_MAX: usize = 8;
/// The most nodes that one search looks at.
const STEPS_MAX: usize = 20_000;
/// On how many threads a node is remembered to have been seen.
const SEEN_MAX: usize = 3;

static ORDER: Guarded<Learned> = Guarded::new(Learned::NOTHING);

struct Learned {
    /// By number, from 1.
    nodes: SysVec<Node>,
    /// Node by hash of (parent, lock, mode, ask), where neither the parent nor the lock has only a few (`children`).
    children: SysMap,
    locks: Locks,
    leaves: Leaves,
    /// The stacks of new chains, where they are captured, and the threads that showed them.
    stacks: SysVec<(u32, Stack)>,
    /// By number of the node its place in `stacks`.
    stack_of: SysMap,
    /// By number of the node, from 1, its number in the log and the log generation in which that was defined; no longer
    /// than the log needs it.
    logged: SysVec<(u32, u32)>,
    /// Hashes of what was reported.
    reported: SysMap,
    threads: Threads,
    links: Links,
    /// What each side of the path of a search holds.
    held_at: [HeldAt; CYCLE_MAX],
    forgotten: u64,
    searches_cut: u64,
}

/// An acquisition in its context. Numbers of nodes are 0 for none. It is as long as a cache line.
#[derive(Clone, Copy)]
struct Node {
    parent: u32,
    first_child: u32,
    next_sibling: u32,
    /// The next one below which something was asked for, of the same lock.
    next_of_lock: u32,
    /// The next one of the same lock, of those that have a parent.
    next_of_same: u32,
    /// How many children it has.
    children: u32,
    /// The number of the lock in `locks`.
    number: u32,
    mode: Mode,
    ask: Ask,
    /// Packed.
    site: u64,
    /// The threads that showed it, with the stretch in which each did last.
    seen: [(u32, u32); SEEN_MAX],
}

const _: () = assert!(
    size_of::<Node>() == 64,
    "what is learnt fills little memory"
);

/// One side of a cycle, as plain data.
#[derive(Clone, Copy)]
pub(super) struct CycleSide {
    pub(super) thread: u32,
    pub(super) name: [u8; 32],
    pub(super) holds: HeldLock,
    pub(super) wants: HeldLock,
    /// Where somebody asked for the same while holding the same: the first one that did.
    pub(super) stack: Stack,
    /// Who that was.
    pub(super) stack_of: u32,
}

/// A cycle that a new chain closes; the running thread's side comes first.
#[derive(Clone, Copy)]
pub(super) struct Cycle {
    pub(super) len: usize,
    pub(super) sides: [Option<CycleSide>; CYCLE_MAX],
    /// Whether all sides were seen on one thread only.
    pub(super) one_thread: bool,
}

/// Learns that this thread asks for `want` while it holds what it holds.
///
/// Returns the node of the request and whether its stack is worth keeping (no thread has asked so before, and not too
/// many are kept), and puts the cycle that it closes, if it is new, into `cycle`, which is none: a cycle is great, and
/// hardly ever there to be moved.
pub(super) fn learn(slot: &Slot, want: &HeldLock, cycle: &mut Option<Cycle>) -> (u32, bool) {
    let leaves = !settings::stacks_wanted();
    alone(|order| order.learn(slot, want, leaves, cycle)).unwrap_or_default()
}

/// Runs `work` on what is learned, alone. None, and it is in the log's count of what was lost, if a handler of a signal
/// keeps that from being done.
fn alone<R>(work: impl FnOnce(&mut Learned) -> R) -> Option<R> {
    let done = ORDER.with(work);
    if done.is_none() {
        log::count_lost();
    }
    done
}

/// Keeps the stack of a request that was just learned to be new.
pub(super) fn keep_stack(slot: &Slot, node: u32, stack: &Stack) {
    alone(|order| {
        // Where all was forgotten meanwhile the number is another's.
        if !slot.is_stale() {
            order.keep_stack(node, slot.thread.load(Relaxed), stack);
        }
    });
}

/// Whether this was not reported before; it counts as reported from now on.
pub(super) fn is_first_report(hash: u64) -> bool {
    let first = alone(|order| {
        let hash = hash | 1;
        let fresh = order.reported.get(hash).is_none();
        if order.reported.len() < NODES_MAX {
            // Without memory it may be reported again: better than not at all.
            let _ = order.reported.insert(hash, 1);
        }
        fresh
    });
    first.unwrap_or(true)
}

/// A number for a thread; with its parent and the parent's stretch if its fork was seen.
pub(super) fn new_thread(name: &str, parent: Option<(u32, u32)>) -> u32 {
    let number = alone(|order| {
        if order.threads.are_enough() {
            order.keep_needed_threads();
        }
        order.threads.add(short(name), parent)
    });
    // Unordered, and without a name.
    number.unwrap_or_else(number_of_ours)
}

/// A number for a thread of the watcher's own: none that is given in turn.
pub(super) fn number_of_ours() -> u32 {
    static OURS: AtomicU32 = AtomicU32::new(0);
    u32::MAX - OURS.fetch_add(1, Relaxed)
}

/// Gives a thread its name, now that it runs.
pub(super) fn name_thread(thread: u32, name: &str) {
    alone(|order| {
        if let Some(thread) = order.threads.get_mut(thread) {
            thread.name = short(name);
        }
    });
}

/// The name of a thread, zeros after its end.
pub(super) fn thread_name(thread: u32) -> [u8; 32] {
    let name = alone(|order| order.threads.get(thread).map(|row| row.name));
    name.flatten().unwrap_or_default()
}

/// `joiner` has waited for `thread` to end, in its given stretch.
pub(super) fn joined(thread: u32, joiner: u32, stretch: u32) {
    alone(|order| order.threads.joined(thread, joiner, stretch));
}

/// The thread has ended, or was not started after all.
pub(super) fn thread_ended(thread: u32) {
    alone(|order| order.threads.ended(thread));
}

/// In the child of a fork this thread is the only one.
pub(super) fn all_ended_but(thread: u32) {
    alone(|order| order.threads.all_ended_but(thread));
}

fn short(name: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    let len = name.len().min(32);
    bytes[..len].copy_from_slice(&name.as_bytes()[..len]);
    bytes
}

impl Learned {
    const NOTHING: Learned = Learned {
        nodes: SysVec::new(),
        children: SysMap::new(),
        locks: Locks::new(),
        leaves: Leaves::new(),
        stacks: SysVec::new(),
        stack_of: SysMap::new(),
        logged: SysVec::new(),
        reported: SysMap::new(),
        threads: Threads::new(),
        links: Links::new(),
        held_at: [const { HeldAt::new() }; CYCLE_MAX],
        forgotten: 0,
        searches_cut: 0,
    };

    /// Forgets threads that have ended and that no node names.
    fn keep_needed_threads(&mut self) {
        let of_nodes = self.nodes.iter().flat_map(|node| node.seen);
        let named = of_nodes.map(|seen| seen.0).chain(self.leaves.threads());
        // Not so often that looking at all of them would be dear.
        let spare = self.learnt() / 4;
        self.threads.keep_needed(named, spare);
    }

    /// How many acquisitions are known.
    fn learnt(&self) -> usize {
        self.nodes.len() + self.leaves.len()
    }

    fn node(&self, number: u32) -> &Node {
        &self.nodes[number as usize - 1]
    }

    /// The lock that was asked for at a node.
    fn lock_of(&self, node: u32) -> LockId {
        self.locks.row(self.node(node).number).lock
    }

    /// Learns a request, as a leaf only if that is allowed: where no stacks are kept, which belong to nodes.
    fn learn(
        &mut self,
        slot: &Slot,
        want: &HeldLock,
        leaves: bool,
        found: &mut Option<Cycle>,
    ) -> (u32, bool) {
        if self.learnt() + slot.depth() + 1 > NODES_MAX && !self.nodes.is_empty() {
            self.forget();
        }
        if slot.is_stale() {
            // The nodes that this thread remembers may be gone.
            slot.refresh();
        }
        // From the youngest entry whose node is known, mostly the youngest of all.
        let known = |at: &usize| (1..=self.nodes.len()).contains(&(slot.node(*at) as usize));
        let from = (0..slot.depth()).rev().find(known);
        let mut parent = from.map_or(0, |at| slot.node(at));
        for at in from.map_or(0, |at| at + 1)..slot.depth() {
            let held = slot.held(at);
            if !held.again {
                parent = self.child(parent, &held).0;
            }
            slot.set_node(at, parent);
        }
        slot.learned_under.set(parent);
        let seen = (slot.thread.load(Relaxed), slot.stretch.get());
        let leaf = Leaf {
            site: want.site.pack(),
            parent,
            mode: want.mode,
            ask: want.ask,
            seen,
        };
        if leaves && self.learn_leaf(want.lock, leaf) {
            return (0, false);
        }
        let (node, fresh) = self.child(parent, want);
        if node == 0 {
            return (0, false);
        }
        let keeps = fresh && self.stacks.len() < STACKS_MAX;
        let (thread, stretch) = seen;
        let new_thread = self.see(node, thread, stretch);
        self.log(slot, node);
        if want.ask != Ask::Wait || !new_thread || !self.may_close(node) {
            return (node, keeps);
        }
        *found = self.search(node, thread);
        let own = found.as_mut().and_then(|cycle| cycle.sides[0].as_mut());
        if let Some(own) = own.filter(|own| own.thread == thread) {
            own.tell(slot, *want);
        }
        (node, keeps)
    }

    fn keep_stack(&mut self, node: u32, thread: u32, stack: &Stack) {
        if !stack.is_empty() && self.stacks.push((thread, *stack)) {
            // Without memory it is not found again.
            let place = self.stacks.len() as u32 - 1;
            let _ = self.stack_of.insert(node.into(), place);
        }
    }

    /// The child of `parent` for this acquisition, and whether it is new; 0 without memory.
    fn child(&mut self, parent: u32, held: &HeldLock) -> (u32, bool) {
        let Some((lock, fresh)) = self.number(held.lock) else {
            return (0, false);
        };
        if !fresh && let Some(found) = self.find_child(parent, lock, held) {
            return (found, false);
        }
        let node = self.add_child(parent, lock, held.mode, held.ask, held.site.pack());
        (node, node != 0)
    }

    /// A new child of `parent` for an acquisition of the lock with this number; 0 without memory.
    #[inline]
    fn add_child(&mut self, parent: u32, lock: u32, mode: Mode, ask: Ask, site: u64) -> u32 {
        let above = (parent != 0).then(|| {
            let above = self.node(parent);
            (above.first_child, above.number)
        });
        let row = self.locks.row(lock);
        let (next_sibling, next_of_same) = match above {
            Some((siblings, _)) => (siblings, row.latest),
            None => (row.root, 0),
        };
        let fresh = self.nodes.push(Node {
            parent,
            first_child: 0,
            next_sibling,
            next_of_lock: 0,
            next_of_same,
            children: 0,
            number: lock,
            mode,
            ask,
            site,
            seen: [(0, 0); SEEN_MAX],
        });
        if !fresh {
            return 0;
        }
        let node = self.nodes.len() as u32;
        let Some((siblings, holder)) = above else {
            self.locks.row_mut(lock).root = node;
            return node;
        };
        let row = &mut self.nodes[parent as usize - 1];
        if siblings == 0 {
            // Only what is held while something else is asked for stands in the list.
            let latest = &mut self.locks.row_mut(holder).holder;
            row.next_of_lock = std::mem::replace(latest, parent);
        }
        row.first_child = node;
        row.children += 1;
        let row = self.locks.row_mut(lock);
        row.latest = node;
        row.count += 1;
        self.index_child(node);
        // What no other node holds was asked for here for the first time.
        let alone = self.node(parent).next_of_lock == 0 && self.locks.row(holder).holder == parent;
        let sure = if alone { Sure::Yes } else { Sure::No };
        self.links.add(holder, lock, sure);
        node
    }

    /// Notes that `thread` showed the node; whether it is the first time for that thread.
    fn see(&mut self, node: u32, thread: u32, stretch: u32) -> bool {
        let seen = &mut self.nodes[node as usize - 1].seen;
        if let Some(place) = seen.iter_mut().find(|place| place.0 == thread) {
            // A later stretch may be unordered where the earlier one was not, so it is searched.
            let fresh = place.1 != stretch;
            place.1 = stretch;
            return fresh;
        }
        match seen.iter_mut().find(|place| place.0 == 0) {
            Some(place) => *place = (thread, stretch),
            None => seen[SEEN_MAX - 1] = (thread, stretch),
        }
        true
    }

    /// Writes the chain into the log: its nodes where they are not there yet, and who showed it.
    fn log(&mut self, slot: &Slot, node: u32) {
        if settings::level() != settings::Level::Order || !settings::log_wanted() {
            return;
        }
        let logged = self.define(slot, node);
        slot.log(Op::Seen, |record| {
            record.number(logged).number(slot.stretch.get())
        });
    }

    /// The number of a node in the log, and the generation in which that was defined.
    fn logged(&self, node: u32) -> (u32, u32) {
        let there = self.logged.get(node as usize - 1);
        there.copied().unwrap_or((0, 0))
    }

    /// Remembers that; without memory it is defined once more.
    fn set_logged(&mut self, node: u32, number: (u32, u32)) {
        while self.logged.len() < node as usize {
            if !self.logged.push((0, 0)) {
                return;
            }
        }
        self.logged[node as usize - 1] = number;
    }

    fn define(&mut self, slot: &Slot, node: u32) -> u32 {
        // From the node up to the first ancestor that is defined, then down again.
        let generation = log::generation();
        let mut next = node;
        let mut first = node;
        while next != 0 && self.logged(next).1 != generation {
            first = next;
            next = self.node(next).parent;
        }
        if self.logged(node).1 == generation {
            return self.logged(node).0;
        }
        loop {
            let number = log::next_node_number();
            let Node {
                parent, mode, ask, ..
            } = *self.node(first);
            let parent = if parent == 0 {
                0
            } else {
                self.logged(parent).0
            };
            let (instance, class) = split(self.lock_of(first));
            registry::define_class(slot, class);
            let site = registry::site_number(slot, self.node(first).site());
            slot.log(Op::DefNode, |record| {
                record
                    .number(number)
                    .number(parent)
                    .number(instance)
                    .number(class)
                    .how(mode, ask)
                    .number(site)
            });
            self.set_logged(first, (number, generation));
            if first == node {
                return number;
            }
            // The ancestor of `node` just below `first`: found from below again, which makes a
            // long undefined chain quadratic once, and it is defined once.
            let mut below = node;
            while self.node(below).parent != first {
                below = self.node(below).parent;
            }
            first = below;
        }
    }

    /// Forgets all chains. What was reported stays, and so does what is known of threads.
    fn forget(&mut self) {
        self.forgotten += self.learnt() as u64;
        log::count_forgotten(self.learnt() as u64);
        self.nodes.clear();
        self.leaves.clear();
        self.children.clear();
        self.locks.clear();
        self.stacks.clear();
        self.stack_of.clear();
        self.logged.clear();
        self.links.clear();
        for held in &mut self.held_at {
            held.clear();
        }
        settings::new_epoch();
    }

    /// Whether all that the one did came before all that the other did: see [`Threads::before`].
    fn before(&self, a: (u32, u32), b: (u32, u32)) -> bool {
        self.threads.before(a, b)
    }

    /// The locks held at a node: its proper ancestors, youngest first.
    fn held(&self, node: u32) -> impl Iterator<Item = u32> + '_ {
        let mut at = self.node(node).parent;
        std::iter::from_fn(move || {
            let now = at;
            at = if now == 0 {
                return None;
            } else {
                self.node(now).parent
            };
            Some(now)
        })
    }
}

impl CycleSide {
    /// Says of the running thread what itself holds and wants, and where.
    fn tell(&mut self, slot: &Slot, want: HeldLock) {
        let (lock, mode) = (self.holds.lock, self.holds.mode);
        let mut held = slot.all_held().rev();
        if let Some(holds) = held.find(|held| held.lock == lock && held.mode == mode) {
            self.holds = holds;
        }
        self.wants = want;
    }
}

impl Cycle {
    /// Says where the running thread, whose number this is, asks.
    pub(super) fn tell_stack(&mut self, thread: u32, stack: &Stack) {
        let own = self.sides[0].as_mut();
        if let Some(own) = own.filter(|own| own.thread == thread) {
            own.stack = *stack;
            own.stack_of = thread;
        }
    }
}

impl Node {
    fn site(&self) -> Site {
        // SAFETY: the word was packed when the node was made, in this process.
        unsafe { Site::unpack(self.site) }
    }

    /// What was asked for here, as who got it holds it; the lock is the one with this number.
    fn as_held(&self, lock: LockId) -> HeldLock {
        HeldLock {
            lock,
            mode: self.mode,
            ask: self.ask,
            again: false,
            sendable: false,
            rank: None,
            site: self.site(),
        }
    }
}

/// Takes the lock before a fork.
pub(super) fn before_fork() {
    ORDER.begin_fork();
}

/// Gives it back afterwards, in the parent and in the child.
pub(super) fn after_fork() {
    ORDER.end_fork();
}
