//! Which lock is requested next while which is the youngest held: enough to see that no cycle can
//! close, for older locks of a chain reach the wanted one through the younger ones.
//!
//! The locks stand in a topological order, kept up to date as Marchetti-Spaccamela, Nanni and
//! Rohnert do (Information Processing Letters 59, 1996): a link against the order moves what lies
//! behind it. So as long as locks are taken in one order everywhere, asking costs nothing. A link
//! that closes a circle stays outside the order; from then on asking costs a walk.

use super::super::memory::{SysMap, SysVec, near};

/// A lock that is requested next.
#[derive(Clone, Copy)]
struct Link {
    to: u32,
    /// The link before this one from the same lock, plus one; 0 for none.
    next: u32,
    /// Whether it closes a circle of links that were there before.
    back: bool,
}

/// Whether a link is known to be new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sure {
    Yes,
    No,
}

/// What is known of a lock.
#[derive(Clone, Copy)]
struct Row {
    /// The latest of its links, plus one; 0 for none.
    latest: u32,
    /// Its place in the order, plus one; 0 for none. Links ascend, but for those that go back.
    place: u32,
    /// The round of the walk that met it last.
    visited: u32,
}

/// All links between neighbours in chains. Locks are told by number, from 1.
pub(super) struct Links {
    /// Which (lock, lock requested next) there are, but for those of which the caller was sure.
    known: SysMap,
    all: SysVec<Link>,
    rows: SysVec<Row>,
    by_place: SysVec<u32>,
    /// Whether some link goes back, or one could not be kept for want of memory.
    circular: bool,
    round: u32,
    /// Locks that the walk has still to go on from.
    to_visit: SysVec<u32>,
}

impl Links {
    pub(super) const fn new() -> Self {
        Links {
            known: SysMap::new(),
            all: SysVec::new(),
            rows: SysVec::new(),
            by_place: SysVec::new(),
            circular: false,
            round: 0,
            to_visit: SysVec::new(),
        }
    }

    /// Notes that `to` is requested while `from` is the youngest lock held. A link that is there already may be
    /// added once more by a caller that is `sure` that it is new; that costs memory and time only.
    pub(super) fn add(&mut self, from: u32, to: u32, sure: Sure) {
        if from == to {
            return;
        }
        if !self.make_room(from.max(to)) {
            self.circular = true;
            return;
        }
        if sure == Sure::No {
            let known = near(from.into(), to.into());
            if self.known.get(known).is_some() {
                return;
            }
            self.circular |= !self.known.insert(known, 1);
        }
        let back = !self.ascend(from, to);
        let next = self.row(from).latest;
        let kept = self.all.push(Link { to, next, back });
        if kept {
            self.row_mut(from).latest = self.all.len() as u32;
        }
        self.circular |= back || !kept;
    }

    /// Makes rows for all locks up to this one; false without memory.
    fn make_room(&mut self, lock: u32) -> bool {
        const NONE: Row = Row {
            latest: 0,
            place: 0,
            visited: 0,
        };
        while self.rows.len() < lock as usize {
            if !self.rows.push(NONE) {
                return false;
            }
        }
        true
    }

    fn row(&self, lock: u32) -> &Row {
        &self.rows[lock as usize - 1]
    }

    fn row_mut(&mut self, lock: u32) -> &mut Row {
        &mut self.rows[lock as usize - 1]
    }

    fn link(&self, number: u32) -> &Link {
        &self.all[number as usize - 1]
    }

    /// Whether some path of links leads from `start` to a lock that is wanted.
    pub(super) fn lead(&mut self, start: u32, wanted: impl Fn(u32) -> bool) -> bool {
        if !self.circular {
            return false;
        }
        if !self.make_room(start) {
            return true;
        }
        let mark = self.next_round();
        if !self.visit(start, mark) {
            return true;
        }
        while let Some(lock) = self.to_visit.pop() {
            let mut at = self.row(lock).latest;
            while at != 0 {
                let Link { to, next, .. } = *self.link(at);
                if wanted(to) {
                    return true;
                }
                if self.row(to).visited != mark && !self.visit(to, mark) {
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
        self.all.clear();
        self.rows.clear();
        self.by_place.clear();
        self.circular = false;
    }

    /// Orders the locks so that `from` comes before `to`; false if links lead back already.
    fn ascend(&mut self, from: u32, to: u32) -> bool {
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
            let mut at = self.row(lock).latest;
            while at != 0 {
                let Link { to, next, back } = *self.link(at);
                at = next;
                if back {
                    continue;
                }
                if to == from {
                    return false;
                }
                let within = self.place(to).is_some_and(|place| place < upper);
                if within && self.row(to).visited != mark && !self.visit(to, mark) {
                    return false;
                }
            }
        }
        let mut free = lower;
        for place in lower..=upper {
            let lock = self.by_place[place];
            if self.row(lock).visited == mark {
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
    fn place(&mut self, lock: u32) -> Option<usize> {
        if let Some(place) = self.row(lock).place.checked_sub(1) {
            return Some(place as usize);
        }
        let last = self.by_place.len();
        self.by_place.push(lock).then(|| {
            self.row_mut(lock).place = last as u32 + 1;
            last
        })
    }

    fn put(&mut self, lock: u32, place: usize) {
        self.by_place[place] = lock;
        self.row_mut(lock).place = place as u32 + 1;
    }

    fn next_round(&mut self) -> u32 {
        if self.round == u32::MAX {
            self.round = 0;
            for row in self.rows.iter_mut() {
                row.visited = 0;
            }
        }
        self.round += 1;
        self.to_visit.clear();
        self.round
    }

    /// Has the walk go on from a lock; false without memory.
    fn visit(&mut self, lock: u32, mark: u32) -> bool {
        self.row_mut(lock).visited = mark;
        self.to_visit.push(lock)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::memory::mix;
    use super::*;

    /// Whether `from` leads to `to`, by repeated looks at all links.
    fn leads(links: &[(u32, u32)], from: u32, to: u32) -> bool {
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
        let mut draw = |below: u32| {
            random = mix(random, 9);
            (random % u64::from(below)) as u32 + 1
        };
        for locks in [4, 9, 20, 40] {
            let mut ours = Links::new();
            let mut all = Vec::new();
            for _ in 0..2 * locks {
                let (from, to) = (draw(locks), draw(locks));
                let fresh = !all.contains(&(from, to));
                let sure = if fresh && draw(2) == 1 {
                    Sure::Yes
                } else {
                    Sure::No
                };
                ours.add(from, to, sure);
                if from != to {
                    all.push((from, to));
                }
                let circle = (1..=locks).any(|lock| leads(&all, lock, lock));
                assert_eq!(ours.are_ordered(), !circle, "{all:?}");
                if circle {
                    let (from, to) = (draw(locks), draw(locks));
                    let said = ours.lead(from, |lock| lock == to);
                    assert_eq!(said, leads(&all, from, to), "{from} {to} {all:?}");
                } else {
                    let place = |lock| ours.row(lock).place;
                    assert!(all.iter().all(|link| place(link.0) < place(link.1)));
                }
            }
        }
    }
}
