//! What is known of threads: who started and who joined whom, and their names.
//!
//! Each thread has a row, from before it is started. Once it has ended its row is kept only as long as it can still
//! tell something: if the tree names the thread, or if it stands between two threads that are kept so, as an
//! ancestor of one and a (later) joiner of the other, or may yet come to. Others are taken out whenever there are
//! twice as many rows as were needed last, and what pointed to them then points to where they pointed. So memory
//! follows the threads that are alive and the tree, not how many threads a program ever starts, and no answer
//! changes by it.
//!
//! What it cannot see: rows beyond [`ROWS_MAX`]; such threads count as unordered.

use super::super::memory::SysVec;

/// The most rows that are kept.
const ROWS_MAX: usize = 1 << 20;
/// The most steps by which two threads are compared.
const STEPS_MAX: usize = 20_000;
/// So many rows are kept without asking which are needed.
const FEW: usize = 64;

/// What is known of a thread's place among the others. Numbers of threads are 0 for none.
#[derive(Clone, Copy)]
pub(super) struct Thread {
    number: u32,
    parent: u32,
    /// The parent's stretch that ended with the fork.
    forked_in: u32,
    joiner: u32,
    /// The joiner's stretch that ended with the join.
    joined_in: u32,
    pub(super) name: [u8; 32],
    /// It has not ended; it may not have begun either.
    lives: bool,
    needs: Needs,
}

/// Who needs a row, while that is found out.
#[derive(Clone, Copy, Default)]
struct Needs {
    /// The thread lives, or the tree names it.
    itself: bool,
    /// Such a thread descends from it.
    descendant: bool,
    /// It has joined such a thread, or one that had.
    joined: bool,
}

/// All threads that may still matter.
pub(super) struct Threads {
    /// By number, which ascends.
    rows: SysVec<Thread>,
    /// The number that was given last.
    latest: u32,
    /// With so many rows it is time to look which are needed.
    enough: usize,
}

/// A way from a thread to another that came before or after: its parent, or who joined it.
#[derive(Clone, Copy)]
enum Way {
    Parent,
    Joiner,
}

impl Thread {
    /// Whether it still tells something. If it has joined others, and was not joined itself yet, it may be the way to
    /// who will.
    fn is_needed(&self) -> bool {
        let Needs {
            itself,
            descendant,
            joined,
        } = self.needs;
        itself || joined && (descendant || self.joiner == 0)
    }

    fn link(&self, way: Way) -> (u32, u32) {
        match way {
            Way::Parent => (self.parent, self.forked_in),
            Way::Joiner => (self.joiner, self.joined_in),
        }
    }

    fn set_link(&mut self, way: Way, to: (u32, u32)) {
        match way {
            Way::Parent => (self.parent, self.forked_in) = to,
            Way::Joiner => (self.joiner, self.joined_in) = to,
        }
    }
}

impl Threads {
    pub(super) const fn new() -> Threads {
        Threads {
            rows: SysVec::new(),
            latest: 0,
            enough: FEW,
        }
    }

    /// Whether it is time for [`keep_needed`](Threads::keep_needed).
    pub(super) fn are_enough(&self) -> bool {
        self.rows.len() >= self.enough
    }

    /// A number for a new thread, with its parent and the parent's stretch if its fork was seen. Without memory it
    /// has no row.
    pub(super) fn add(&mut self, name: [u8; 32], parent: Option<(u32, u32)>) -> u32 {
        let (parent, forked_in) = parent.unwrap_or((0, 0));
        let number = self.latest.saturating_add(1);
        if self.rows.len() < ROWS_MAX && self.latest < number {
            // Without a row it is unordered.
            let _ = self.rows.push(Thread {
                number,
                parent,
                forked_in,
                joiner: 0,
                joined_in: 0,
                name,
                lives: true,
                needs: Needs::default(),
            });
        }
        self.latest = number;
        number
    }

    fn place(&self, number: u32) -> Option<usize> {
        // Where nothing was taken out yet.
        let first = (number as usize).wrapping_sub(1);
        if self.rows.get(first).is_some_and(|row| row.number == number) {
            return Some(first);
        }
        self.rows
            .binary_search_by_key(&number, |row| row.number)
            .ok()
    }

    pub(super) fn get(&self, number: u32) -> Option<&Thread> {
        self.rows.get(self.place(number)?)
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut Thread> {
        let place = self.place(number)?;
        self.rows.get_mut(place)
    }

    /// `joiner` has waited for `thread` to end, in its given stretch.
    pub(super) fn joined(&mut self, thread: u32, joiner: u32, stretch: u32) {
        if thread == joiner {
            return;
        }
        if let Some(row) = self.get_mut(thread).filter(|row| row.joiner == 0) {
            row.joiner = joiner;
            row.joined_in = stretch;
        }
    }

    /// The thread has ended, or was not started after all.
    pub(super) fn ended(&mut self, thread: u32) {
        if let Some(row) = self.get_mut(thread) {
            row.lives = false;
        }
    }

    /// All threads but this one have ended.
    pub(super) fn all_ended_but(&mut self, thread: u32) {
        for row in self.rows.iter_mut() {
            row.lives &= row.number == thread;
        }
    }

    /// Takes out what nobody needs, with the threads that the tree names, each once or more often. With `spare` more
    /// rows than are twice needed it is time for this again.
    pub(super) fn keep_needed(&mut self, named: impl Iterator<Item = u32>, spare: usize) {
        for row in self.rows.iter_mut() {
            row.needs = Needs {
                itself: row.lives,
                ..Needs::default()
            };
        }
        for thread in named {
            if let Some(row) = self.get_mut(thread) {
                row.needs.itself = true;
            }
        }
        for at in 0..self.rows.len() {
            if self.rows[at].needs.itself {
                self.mark(at, Way::Parent);
                self.mark(at, Way::Joiner);
            }
        }
        for at in 0..self.rows.len() {
            if self.rows[at].is_needed() {
                self.shorten(at, Way::Parent);
                self.shorten(at, Way::Joiner);
            }
        }
        let mut kept = 0;
        for at in 0..self.rows.len() {
            if self.rows[at].is_needed() {
                self.rows[kept] = self.rows[at];
                kept += 1;
            }
        }
        self.rows.truncate(kept);
        self.enough = 2 * kept + FEW + spare;
    }

    /// Marks all that this way leads to from a row.
    fn mark(&mut self, from: usize, way: Way) {
        let mut at = from;
        while let Some(next) = self.place(self.rows[at].link(way).0) {
            let needs = &mut self.rows[next].needs;
            let mark = match way {
                Way::Parent => &mut needs.descendant,
                Way::Joiner => &mut needs.joined,
            };
            if std::mem::replace(mark, true) {
                return;
            }
            at = next;
        }
    }

    /// Lets this way from a row lead to the first that is needed, past those that are not.
    fn shorten(&mut self, from: usize, way: Way) {
        let mut end = self.rows[from].link(way);
        // No way leads back; but if one did this would end all the same, as unordered.
        for steps in 0.. {
            let Some(next) = self.place(end.0) else { break };
            if self.rows[next].is_needed() {
                break;
            }
            end = self.rows[next].link(way);
            if steps > self.rows.len() {
                end = (0, 0);
                break;
            }
        }
        // Those on the way too: others come by here.
        let mut at = Some(from);
        while let Some(here) = at {
            let next = self.rows[here].link(way);
            self.rows[here].set_link(way, end);
            at = (next != end).then(|| self.place(next.0)).flatten();
        }
    }

    /// Whether all that thread `a` did up to its stretch `a.1` came before all that thread `b` did
    /// in its stretch `b.1`, by fork and join.
    ///
    /// What came after `a` for sure: its joiner from the join on, that one's joiner, and so on.
    /// What came before `b` for sure: its parent up to the fork, that one's parent, and so on, and
    /// whatever those had joined by then. Other paths through forks and joins are not followed: a
    /// finding that they would exclude is then only called possible.
    pub(super) fn before(&self, a: (u32, u32), b: (u32, u32)) -> bool {
        let mut steps = 0;
        // Pairs (thread, stretch): all that this thread did from then on came after `a`.
        let mut after = Some(a);
        while let Some((thread, from)) = after {
            let mut ancestor = Some(b);
            while let Some((number, upto)) = ancestor {
                steps += 1;
                if steps > STEPS_MAX {
                    return false;
                }
                if number == thread && upto >= from && (number, b.0) != (a.0, a.0) {
                    return true;
                }
                let row = self.get(number);
                ancestor = row.map(|row| row.link(Way::Parent)).filter(|it| it.0 != 0);
            }
            let row = self.get(thread);
            let joiner = row.map(|row| row.link(Way::Joiner)).filter(|it| it.0 != 0);
            after = joiner.map(|(joiner, joined_in)| (joiner, joined_in.saturating_add(1)));
        }
        false
    }
}

#[cfg(test)]
mod tests;
