//! Which node is the child of another for an acquisition.
//!
//! Three ways lead to a child, and the first that is short is taken: the children of its parent, the nodes of its
//! lock that have a parent, and a map of those that have many siblings and many of the same lock. Mostly one of the lists is short: a
//! lock under which thousands are taken has many children, but each of these has few nodes. What stands in a list
//! was made lately, and beside the others; places in a large map are far away.

use super::super::identity::LockId;
use super::super::memory::{mix, near};
use super::super::mode::{Ask, Mode};
use super::super::slot::HeldLock;
use super::{Learned, Node};

/// How many nodes make a list too long to be looked through.
pub(super) const FEW: u32 = 5;

/// The key of a node among all children of all nodes.
fn child_key(parent: u32, lock: LockId, mode: Mode, ask: Ask) -> u64 {
    let how = mode as u64 | (ask as u64) << 8;
    near(u64::from(parent) << 16 | how, lock.0)
}

impl Learned {
    /// The child of `parent` for this acquisition of the lock with the number `lock`, if there is one; 0 is the parent
    /// of those that have none.
    pub(super) fn find_child(&self, parent: u32, lock: u32, held: &HeldLock) -> Option<u32> {
        let row = self.locks.row(lock);
        let fits = |&number: &u32| {
            let node = self.node(number);
            (node.parent, node.number, node.mode, node.ask) == (parent, lock, held.mode, held.ask)
        };
        if parent == 0 {
            return self.list(row.root, |node| node.next_sibling).find(fits);
        }
        let above = self.node(parent);
        if above.children < FEW {
            let mut siblings = self.list(above.first_child, |node| node.next_sibling);
            return siblings.find(fits);
        }
        if row.count < FEW {
            return self.list(row.latest, |node| node.next_of_same).find(fits);
        }
        let mut key = child_key(parent, held.lock, held.mode, held.ask);
        loop {
            let found = self.children.get(key)?;
            if fits(&found) {
                return Some(found);
            }
            key = mix(key, 5) | 1;
        }
    }

    /// Has a new node, which stands in the lists of its parent and of its lock, be found among these.
    pub(super) fn index_child(&mut self, number: u32) {
        let node = self.node(number);
        let siblings = self.node(node.parent).children;
        let same = self.locks.row(node.number).count;
        // The others of a list which is too long from now on.
        if siblings == FEW {
            let mut at = node.next_sibling;
            while at != 0 {
                if self.is_in_long_lists(at) {
                    self.index(at);
                }
                at = self.node(at).next_sibling;
            }
        }
        if same == FEW {
            let mut at = self.node(number).next_of_same;
            while at != 0 {
                if self.is_in_long_lists(at) {
                    self.index(at);
                }
                at = self.node(at).next_of_same;
            }
        }
        if self.is_in_long_lists(number) {
            self.index(number);
        }
    }

    /// Whether neither list is short in which the node stands.
    fn is_in_long_lists(&self, number: u32) -> bool {
        let node = self.node(number);
        self.node(node.parent).children >= FEW && self.locks.row(node.number).count >= FEW
    }

    /// The nodes of a list.
    fn list(&self, first: u32, next: impl Fn(&Node) -> u32) -> impl Iterator<Item = u32> {
        let some = |number: u32| (number != 0).then_some(number);
        std::iter::successors(some(first), move |&number| some(next(self.node(number))))
    }

    /// Has a node be found by its key.
    fn index(&mut self, number: u32) {
        let node = self.node(number);
        let lock = self.lock_of(number);
        let mut key = child_key(node.parent, lock, node.mode, node.ask);
        while let Some(there) = self.children.get(key) {
            if there == number {
                return;
            }
            key = mix(key, 5) | 1;
        }
        // An entry that does not fit makes the node findable on fewer ways, never wrong.
        let _ = self.children.insert(key, number);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::super::super::site::Site;
    use super::*;

    /// A lock that is asked for in one of two ways.
    fn held(lock: u64, mode: Mode) -> HeldLock {
        HeldLock {
            lock: LockId(lock),
            mode,
            ask: Ask::Wait,
            again: false,
            sendable: false,
            rank: None,
            site: Site::caller(),
        }
    }

    /// So many acquisitions of so many locks, each below one of the first `parents` nodes, are found again, and none
    /// is found that was not made.
    fn are_found(acquisitions: usize, locks: u64, parents: u32) {
        let mut order = Learned::NOTHING;
        let mut before = HashMap::new();
        let mut random = 1;
        let mut draw = |below: u64| {
            random = mix(random, 9);
            random % below
        };
        for _ in 0..acquisitions {
            let above = u64::from(parents).min(order.nodes.len() as u64);
            let parent = draw(above + 1) as u32;
            let lock = draw(locks) + 1;
            let mode = [Mode::Exclusive, Mode::Shared][draw(2) as usize];
            let (node, fresh) = order.child(parent, &held(lock, mode));
            let known = before.insert((parent, lock, mode.name()), node);
            assert_eq!(known, (!fresh).then_some(node));
        }
        assert_eq!(before.len(), order.nodes.len());
    }

    #[test]
    fn many_locks_below_few_nodes_are_found_again() {
        are_found(2_000, 400, 2);
    }

    #[test]
    fn few_locks_below_many_nodes_are_found_again() {
        are_found(2_000, 3, 400);
    }

    #[test]
    fn whatever_the_lists_are_like_what_was_made_is_found_again() {
        for locks in 1..20 {
            are_found(300, locks, 20);
        }
    }
}
