//! Which lock is requested next while which is the youngest held: enough to see that no cycle can
//! close, for older locks of a chain reach the wanted one through the younger ones.
//!
//! The locks stand in a topological order, kept up to date as Marchetti-Spaccamela, Nanni and
//! Rohnert do (Information Processing Letters 59, 1996): a link against the order moves what lies
//! behind it. So as long as locks are taken in one order everywhere, asking costs nothing. A link
//! that closes a circle stays outside the order; from then on asking costs a walk.

use std::cmp::Ordering;

use super::super::identity::LockId;
use super::super::memory::{SysMap, SysVec, near};

/// How many links from a lock are looked up in a map: fewer are looked through.
const LINKS_FEW: u32 = 5;

/// A lock that is requested next.
#[derive(Clone, Copy)]
struct Link {
    to: LockId,
    /// The link before this one from the same lock, plus one; 0 for none.
    next: u32,
    /// How many links from the same lock there were before this one.
    before: u32,
    /// Whether it closes a circle of links that were there before.
    back: bool,
}

/// All links between neighbours in chains.
pub(super) struct Links {
    /// Which (lock, lock requested next) there are, for locks with not only a few.
    known: SysMap,
    /// For each lock the latest of its `rows`, plus one.
    after: SysMap,
    rows: SysVec<Link>,
    /// The place of each lock in the order; links ascend, but for those that go back.
    places: SysMap,
    by_place: SysVec<LockId>,
    /// Whether some link goes back, or one could not be kept for want of memory.
    circular: bool,
    /// Locks met by the walk of this round, marked with its number.
    visited: SysMap,
    round: u32,
    /// Locks that the walk has still to go on from.
    to_visit: SysVec<LockId>,
}

impl Links {
    pub(super) const fn new() -> Self {
        Links {
            known: SysMap::new(),
            after: SysMap::new(),
            rows: SysVec::new(),
            places: SysMap::new(),
            by_place: SysVec::new(),
            circular: false,
            visited: SysMap::new(),
            round: 0,
            to_visit: SysVec::new(),
        }
    }

    /// Notes that `to` is requested while `from` is the youngest lock held.
    pub(super) fn add(&mut self, from: LockId, to: LockId) {
        let next = self.first(from);
        if from == to || self.is_known(from, to, next) {
            return;
        }
        let back = !self.ascend(from, to);
        let before = if next == 0 {
            0
        } else {
            self.rows[next as usize - 1].before + 1
        };
        let kept = self.rows.push(Link {
            to,
            next,
            before,
            back,
        }) && self.after.insert(key(from), self.rows.len() as u32)
            && self.index(from, before);
        self.circular |= back || !kept;
    }

    /// Whether there is a link, of which the latest from the same lock is `latest`, plus one.
    fn is_known(&self, from: LockId, to: LockId, latest: u32) -> bool {
        let row = |at: u32| &self.rows[at as usize - 1];
        if latest != 0 && row(latest).before + 1 >= LINKS_FEW {
            return self.known.get(near(from.0, to.0)).is_some();
        }
        let mut at = latest;
        while at != 0 && row(at).to != to {
            at = row(at).next;
        }
        at != 0
    }

    /// Has the latest link from a lock be known, where so many were there `before` it, and all of them when
    /// they are not few any more; false without memory.
    fn index(&mut self, from: LockId, before: u32) -> bool {
        let mut left = match (before + 1).cmp(&LINKS_FEW) {
            Ordering::Less => 0,
            Ordering::Equal => LINKS_FEW,
            Ordering::Greater => 1,
        };
        let mut at = self.rows.len() as u32;
        while left > 0 {
            let Link { to, next, .. } = self.rows[at as usize - 1];
            if !self.known.insert(near(from.0, to.0), 1) {
                return false;
            }
            at = next;
            left -= 1;
        }
        true
    }

    /// Whether some path of links leads from `start` to a lock that is wanted.
    pub(super) fn lead(&mut self, start: LockId, wanted: impl Fn(LockId) -> bool) -> bool {
        if !self.circular {
            return false;
        }
        let mark = self.next_round();
        if !self.visit(start, mark) {
            return true;
        }
        while let Some(lock) = self.to_visit.pop() {
            let mut at = self.first(lock);
            while at != 0 {
                let Link { to, next, .. } = self.rows[at as usize - 1];
                if wanted(to) {
                    return true;
                }
                if self.visited.get(key(to)) != Some(mark) && !self.visit(to, mark) {
                    return true;
                }
                at = next;
            }
        }
        false
    }

    /// Whether all links ascend, so that `lead` is always false for what is held with them.
    pub(super) fn are_ordered(&self) -> bool {
        !self.circular
    }

    /// Forgets all links.
    pub(super) fn clear(&mut self) {
        self.known.clear();
        self.after.clear();
        self.rows.clear();
        self.places.clear();
        self.by_place.clear();
        self.circular = false;
        self.visited.clear();
    }

    /// Orders the locks so that `from` comes before `to`; false if links lead back already.
    fn ascend(&mut self, from: LockId, to: LockId) -> bool {
        let (Some(upper), Some(lower)) = (self.place(from), self.place(to)) else {
            return false;
        };
        if upper < lower {
            return true;
        }
        // What lies behind `to` and not behind `from`: that is to move behind it.
        let mark = self.next_round();
        if !self.visit(to, mark) {
            return false;
        }
        while let Some(lock) = self.to_visit.pop() {
            let mut at = self.first(lock);
            while at != 0 {
                let Link { to, next, back, .. } = self.rows[at as usize - 1];
                at = next;
                if back {
                    continue;
                }
                if to == from {
                    return false;
                }
                let within = self.place(to).is_some_and(|place| place < upper);
                if within && self.visited.get(key(to)) != Some(mark) && !self.visit(to, mark) {
                    return false;
                }
            }
        }
        let mut free = lower;
        for place in lower..=upper {
            let lock = self.by_place[place];
            if self.visited.get(key(lock)) == Some(mark) {
                if !self.to_visit.push(lock) {
                    return false;
                }
            } else {
                self.put(lock, free);
                free += 1;
            }
        }
        for at in 0..self.to_visit.len() {
            self.put(self.to_visit[at], free + at);
        }
        true
    }

    /// The place of a lock; a new one comes last. None without memory.
    fn place(&mut self, lock: LockId) -> Option<usize> {
        if let Some(place) = self.places.get(key(lock)) {
            return Some(place as usize);
        }
        let last = self.by_place.len();
        let fits = self.by_place.push(lock) && self.places.insert(key(lock), last as u32);
        fits.then_some(last)
    }

    fn put(&mut self, lock: LockId, place: usize) {
        self.by_place[place] = lock;
        self.circular |= !self.places.insert(key(lock), place as u32);
    }

    /// The latest link from a lock, plus one; 0 for none.
    fn first(&self, lock: LockId) -> u32 {
        self.after.get(key(lock)).unwrap_or(0)
    }

    fn next_round(&mut self) -> u32 {
        if self.round == u32::MAX {
            self.round = 0;
            self.visited.clear();
        }
        self.round += 1;
        self.to_visit.clear();
        self.round
    }

    /// Has the walk go on from a lock; false without memory.
    fn visit(&mut self, lock: LockId, mark: u32) -> bool {
        self.visited.insert(key(lock), mark) && self.to_visit.push(lock)
    }
}

/// The key of a lock in maps, where 0 marks a free place.
fn key(lock: LockId) -> u64 {
    lock.0.max(1)
}

#[cfg(test)]
mod tests {
    use super::super::super::memory::mix;
    use super::*;

    /// Whether `from` leads to `to`, by repeated looks at all links.
    fn leads(links: &[(u64, u64)], from: u64, to: u64) -> bool {
        let mut met = vec![from];
        let mut at = 0;
        while let Some(&lock) = met.get(at) {
            for link in links.iter().filter(|link| link.0 == lock) {
                if link.1 == to {
                    return true;
                }
                if !met.contains(&link.1) {
                    met.push(link.1);
                }
            }
            at += 1;
        }
        false
    }

    #[test]
    fn what_leads_where_is_what_a_walk_over_all_links_says() {
        let mut random = 1_u64;
        let mut draw = |below: u64| {
            random = mix(random, 9);
            random % below + 1
        };
        for locks in [4, 9, 20, 40] {
            let mut ours = Links::new();
            let mut all = Vec::new();
            for _ in 0..2 * locks {
                let (from, to) = (draw(locks), draw(locks));
                ours.add(LockId(from), LockId(to));
                if from != to {
                    all.push((from, to));
                }
                let circle = (1..=locks).any(|lock| leads(&all, lock, lock));
                assert_eq!(ours.are_ordered(), !circle, "{all:?}");
                if circle {
                    let (from, to) = (draw(locks), draw(locks));
                    let said = ours.lead(LockId(from), |lock| lock.0 == to);
                    assert_eq!(said, leads(&all, from, to), "{from} {to} {all:?}");
                } else {
                    let place = |lock| ours.places.get(lock);
                    assert!(all.iter().all(|link| place(link.0) < place(link.1)));
                }
            }
        }
    }
}
