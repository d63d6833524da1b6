//! Locks that were asked for in one context only, while nothing was ever asked for under them.
//!
//! Where thousands of locks are taken under one, most of them are such leaves of the tree. No cycle goes through a
//! leaf: nobody waits for anything while he holds it. So what is known of it is kept in 24 bytes, outside of all lists and without a number for the lock, until something else is learnt of that lock: that it is held while
//! another is asked for, or that it is asked for in another context or by another thread. Then the leaf becomes the
//! node that it would have been from the beginning, before that is looked at.

use std::sync::atomic::Ordering::Relaxed;

use super::super::identity::LockId;
use super::super::log;
use super::super::memory::SysVec;
use super::super::mode::{Ask, Mode};
use super::super::settings::{self, Level};
use super::super::site::Site;
use super::super::slot::Slot;
use super::locks::Known;
use super::{Learned, NODES_MAX, alone, children};

/// The only acquisition that is known of a lock.
#[derive(Clone, Copy)]
pub(super) struct Leaf {
    /// Packed.
    pub(super) site: u64,
    /// The node of what was held as the youngest.
    pub(super) parent: u32,
    pub(super) mode: Mode,
    pub(super) ask: Ask,
    /// The thread that showed it, and the stretch in which it did last.
    pub(super) seen: (u32, u32),
}

/// A place for a leaf: one that is taken, or the next one that is not.
#[derive(Clone, Copy)]
enum Place {
    Taken(Leaf),
    /// The number of the next free place, plus one; 0 for none.
    Free(u32),
}

const _: () = assert!(size_of::<Place>() <= 24, "many leaves fill little memory");

/// All leaves.
pub(super) struct Leaves {
    places: SysVec<Place>,
    /// The first free place, plus one; 0 for none.
    free: u32,
    count: usize,
}

impl Leaf {
    /// The same acquisition, in the same context.
    fn is(&self, other: &Leaf) -> bool {
        (self.parent, self.mode, self.ask) == (other.parent, other.mode, other.ask)
    }
}

impl Leaves {
    pub(super) const fn new() -> Leaves {
        Leaves {
            places: SysVec::new(),
            free: 0,
            count: 0,
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// The threads that showed them.
    pub(super) fn threads(&self) -> impl Iterator<Item = u32> {
        self.places.iter().filter_map(|place| match place {
            Place::Taken(leaf) => Some(leaf.seen.0),
            Place::Free(_) => None,
        })
    }

    /// The place of a new leaf; none without memory.
    fn add(&mut self, leaf: Leaf) -> Option<u32> {
        let taken = Place::Taken(leaf);
        let place = match self.free.checked_sub(1) {
            None => self
                .places
                .push(taken)
                .then(|| self.places.len() as u32 - 1)?,
            Some(free) => {
                let place = std::mem::replace(&mut self.places[free as usize], taken);
                self.free = match place {
                    Place::Free(next) => next,
                    Place::Taken(_) => 0,
                };
                free
            }
        };
        self.count += 1;
        Some(place)
    }

    fn get_mut(&mut self, place: u32) -> Option<&mut Leaf> {
        match self.places.get_mut(place as usize)? {
            Place::Taken(leaf) => Some(leaf),
            Place::Free(_) => None,
        }
    }

    /// Takes a leaf out.
    fn take(&mut self, place: u32) -> Option<Leaf> {
        let leaf = *self.get_mut(place)?;
        self.places[place as usize] = Place::Free(self.free);
        self.free = place + 1;
        self.count -= 1;
        Some(leaf)
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.places.clear();
        self.free = 0;
        self.count = 0;
    }
}

/// The node of what this thread holds as the youngest, if what it asks for next is worth a try as a leaf: it learned
/// under the same node the last time.
#[inline]
pub(in super::super) fn likely_hub(slot: &Slot) -> Option<u32> {
    let parent = slot.node(slot.depth() - 1);
    let likely = parent != 0 && parent == slot.learned_under.get() && !settings::stacks_wanted();
    likely.then_some(parent)
}

/// Learns that this thread asks for a lock alone, as long as it takes, while it holds others, the youngest at the node
/// `parent`, if no more has to be done for that than to note a leaf. No cycle can close by it. False if it was not
/// learned.
pub(in super::super) fn learn_leaf(slot: &Slot, parent: u32, lock: LockId, site: Site) -> bool {
    let leaf = Leaf {
        site: site.pack(),
        parent,
        mode: Mode::Exclusive,
        ask: Ask::Wait,
        seen: (slot.thread.load(Relaxed), slot.stretch.get()),
    };
    alone(|order| {
        let fits = order.learnt() + slot.depth() < NODES_MAX;
        // Where all was forgotten meanwhile the number of the node is another's.
        fits && !slot.is_stale() && order.learn_leaf(lock, leaf)
    })
    .unwrap_or_default()
}

impl Learned {
    /// Learns an acquisition as a leaf, if it is one and the lock stands under a node that has many children. No cycle
    /// can close by it.
    ///
    /// A log of orders only is told of nodes, and so has none of these.
    #[inline]
    pub(super) fn learn_leaf(&mut self, lock: LockId, new: Leaf) -> bool {
        if !self.is_hub(new.parent) || settings::level() == Level::Order && settings::log_wanted() {
            return false;
        }
        match self.locks.known(lock) {
            Some(Known::Nothing) => {
                let place = self.leaves.add(new);
                place.is_some_and(|place| self.locks.set_leaf(lock, place))
            }
            Some(Known::Leaf(place)) => self.leaves.get_mut(place).is_some_and(|leaf| {
                let same = leaf.is(&new) && leaf.seen.0 == new.seen.0;
                if same {
                    leaf.seen = new.seen;
                }
                same
            }),
            _ => false,
        }
    }

    fn is_hub(&self, node: u32) -> bool {
        node != 0 && self.node(node).children >= children::FEW
    }

    /// The number of a lock, and whether it was given just now; none without memory. What was a leaf is a node then.
    #[inline]
    pub(super) fn number(&mut self, lock: LockId) -> Option<(u32, bool)> {
        match self.locks.known(lock)? {
            Known::Row(number) => Some((number, false)),
            Known::Nothing => Some((self.locks.add(lock)?, true)),
            Known::Leaf(place) => self.number_leaf(lock, place),
        }
    }

    #[inline(never)]
    fn number_leaf(&mut self, lock: LockId, place: u32) -> Option<(u32, bool)> {
        let leaf = self.leaves.take(place);
        let number = self.locks.add(lock)?;
        let grown = leaf.is_some_and(|leaf| self.grow(leaf, number));
        if !grown {
            // For want of memory.
            self.forgotten += 1;
            log::count_forgotten(1);
        }
        Some((number, !grown))
    }

    /// Makes a leaf the node that it would have been; false without memory.
    fn grow(&mut self, leaf: Leaf, number: u32) -> bool {
        let node = self.add_child(leaf.parent, number, leaf.mode, leaf.ask, leaf.site);
        if node != 0 {
            self.see(node, leaf.seen.0, leaf.seen.1);
        }
        node != 0
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Relaxed;
    use std::thread;

    use super::super::super::memory::mix;
    use super::super::super::site::Site;
    use super::super::super::slot::{self, At, HeldLock, How};
    use super::*;

    /// The first cycle that closes in a small random program: the step at which it does, how long it is, and whether
    /// one thread alone shows it.
    #[derive(Debug, PartialEq, Eq)]
    struct Closed {
        step: usize,
        len: usize,
        one_thread: bool,
    }

    /// Three threads take a few locks of forty, mostly after the same one. Second, how many locks were leaves at most.
    fn program(seed: u64, leaves: bool) -> (Option<Closed>, usize) {
        let slot = slot::current().expect("there is memory");
        let mut order = Learned::NOTHING;
        let threads = [0; 3].map(|_| order.threads.add([0; 32], None));
        let mut random = seed;
        let mut draw = |below: u64| {
            random = mix(random, 9);
            random % below
        };
        let mut most = 0;
        for step in 0..80 {
            slot.thread.store(threads[draw(3) as usize], Relaxed);
            slot.forget_chains();
            let mut taken = Vec::new();
            for depth in 0..=draw(3) {
                let lock = if draw(4) > 0 && depth == 0 {
                    0
                } else {
                    draw(40)
                } + 1;
                if taken.contains(&lock) {
                    continue;
                }
                taken.push(lock);
                let mode = [Mode::Exclusive, Mode::Exclusive, Mode::Shared][draw(3) as usize];
                let ask = [Ask::Wait, Ask::Wait, Ask::Wait, Ask::Try][draw(4) as usize];
                let want = HeldLock {
                    lock: LockId(lock),
                    mode,
                    ask,
                    again: false,
                    sendable: false,
                    rank: None,
                    site: Site::caller(),
                };
                let mut found = None;
                if slot.depth() > 0 {
                    order.learn(slot, &want, leaves, &mut found);
                }
                most = most.max(order.leaves.len());
                if let Some(cycle) = found {
                    while slot.depth() > 0 {
                        slot.remove(slot.held(slot.depth() - 1).lock, None);
                    }
                    let closed = Closed {
                        step,
                        len: cycle.len,
                        one_thread: cycle.one_thread,
                    };
                    return (Some(closed), most);
                }
                let at = At::new(want.site, How::new(mode, ask, 0));
                if slot.depth() == 0 {
                    slot.push_first((lock, at, 0));
                } else {
                    slot.push(want);
                }
            }
            while slot.depth() > 0 {
                slot.remove(slot.held(slot.depth() - 1).lock, None);
            }
        }
        (None, most)
    }

    #[test]
    #[cfg_attr(miri, ignore = "too many rounds")]
    fn what_closes_where_leaves_are_kept_apart_closes_where_they_are_nodes() {
        let rounds = 3_000;
        let run = |leaves| {
            let all = move || (1..=rounds).map(|seed| program(seed, leaves)).collect();
            let thread: thread::JoinHandle<Vec<_>> = thread::spawn(all);
            thread.join().expect("the programs end")
        };
        let (apart, nodes) = (run(true), run(false));
        assert!(nodes.iter().all(|(_, leaves)| *leaves == 0));
        let closed = apart.iter().filter(|(closed, _)| closed.is_some()).count();
        let with_leaves = apart.iter().filter(|(_, leaves)| *leaves > 1).count();
        assert!(
            closed * 5 > apart.len() && (apart.len() - closed) * 10 > apart.len(),
            "{closed}"
        );
        assert!(with_leaves * 2 > apart.len(), "{with_leaves}");
        for (seed, (apart, nodes)) in apart.iter().zip(&nodes).enumerate() {
            assert_eq!(apart.0, nodes.0, "seed {}", seed + 1);
        }
    }

    #[test]
    fn a_place_that_was_left_is_taken_again() {
        let leaf = |parent| Leaf {
            site: 0,
            parent,
            mode: Mode::Exclusive,
            ask: Ask::Wait,
            seen: (1, 0),
        };
        let mut leaves = Leaves::new();
        let places = [1, 2, 3].map(|parent| leaves.add(leaf(parent)));
        assert_eq!(places, [Some(0), Some(1), Some(2)]);
        assert!(leaves.take(1).is_some_and(|leaf| leaf.parent == 2));
        assert!(leaves.take(0).is_some_and(|leaf| leaf.parent == 1));
        assert!(leaves.take(0).is_none(), "it is free");
        assert_eq!(leaves.len(), 1);
        let places = [4, 5, 6].map(|parent| leaves.add(leaf(parent)));
        assert_eq!(places, [Some(0), Some(1), Some(3)]);
        assert_eq!(leaves.threads().count(), 4);
    }
}
