//! Copies of messages that quiet readers side by side have not taken yet: [`Table`].
//!
//! A line for each of the latest messages, and in it as many copies as there are readers to take one. Copies are alike:
//! each reader takes the last one of the line, once. So a message goes to all readers as one vector. Who lags behind by
//! more lines than there are gets its oldest copies into a queue of its own.

use super::row::{Set, has};

/// How many lines there are at first.
const HEIGHT_MIN: usize = 16;

/// How much memory all lines take, in bytes, at most.
const BYTES_MAX: usize = 256 * 1024;

/// The lines.
pub(super) struct Table<T> {
    /// As many as a power of two, or none.
    lines: Vec<Vec<T>>,
    /// Whose copies they are.
    seats: Set,
    /// So many messages can be put without a look at how far readers lag behind.
    room: usize,
    /// The number of the message that comes next. They are counted from the first one on.
    end: usize,
}

impl<T> Table<T> {
    pub(super) const fn new() -> Table<T> {
        Table {
            lines: Vec::new(),
            seats: 0,
            room: 0,
            end: 0,
        }
    }

    /// A table that takes no memory, for messages that come after those of another one.
    pub(super) const fn after(other: &Table<T>) -> Table<T> {
        let mut table = Table::new();
        table.end = other.end;
        table
    }

    #[inline]
    pub(super) fn end(&self) -> usize {
        self.end
    }

    #[inline]
    pub(super) fn seats(&self) -> Set {
        self.seats
    }

    /// Takes the next copy for one of those whose lines these are, who has taken those of all messages before the one with
    /// the number `next`.
    #[inline]
    pub(super) fn take(&mut self, next: &mut usize) -> Option<T> {
        let mask = self.lines.len().wrapping_sub(1);
        while *next != self.end {
            let line = self.lines.get_mut(*next & mask);
            *next = next.wrapping_add(1);
            // There is none where making it has panicked, and others came before.
            if let Some(copy) = line.and_then(Vec::pop) {
                return Some(copy);
            }
        }
        None
    }

    /// Whether it is known that nobody lags behind by all lines.
    #[inline]
    pub(super) fn has_room(&self) -> bool {
        self.room > 0
    }

    /// Looks how far those lag behind who sit in the first seats, by the number of the message that each takes next. If
    /// that is too far for one, half of it is for others: all of them are returned.
    pub(super) fn look_for_room(&mut self, next: impl Iterator<Item = usize>) -> Set {
        let (mut most, mut late) = (0, 0);
        for (seat, next) in next.enumerate().filter(|(seat, _)| has(self.seats, *seat)) {
            let lag = self.end.wrapping_sub(next).min(self.lines.len());
            most = most.max(lag);
            late |= Set::from(lag * 2 >= self.lines.len()) << seat;
        }
        self.room = self.lines.len() - most;
        if self.room > 0 { 0 } else { late }
    }

    /// Puts the copies of a message, which are for those whose lines these are. There must be room. What comes back is
    /// empty.
    #[inline]
    pub(super) fn put(&mut self, copies: &mut Vec<T>) {
        let line = self.end & self.lines.len().wrapping_sub(1);
        self.end = self.end.wrapping_add(1);
        self.room -= 1;
        if let Some(line) = self.lines.get_mut(line) {
            std::mem::swap(line, copies);
        }
    }

    /// How many lines there are to be for these seats: more than there are. Nothing if they would take too much memory.
    pub(super) fn higher(&self, seats: Set) -> Option<usize> {
        let before = if seats == self.seats {
            self.lines.len()
        } else {
            0
        };
        let height = (before * 2).max(HEIGHT_MIN);
        let line = size_of::<Vec<T>>() + seats.count_ones() as usize * size_of::<T>();
        (height * line <= BYTES_MAX).then_some(height)
    }

    /// Has so many lines, more than before if these are the seats whose copies they are. Otherwise all must be empty.
    pub(super) fn lay_out(&mut self, seats: Set, height: usize) {
        let mut before = std::mem::take(&mut self.lines);
        self.lines.resize_with(height, Vec::new);
        if seats == self.seats {
            for behind in 1..=before.len() {
                let number = self.end.wrapping_sub(behind);
                let (from, to) = (number & (before.len() - 1), number & (height - 1));
                self.lines[to] = std::mem::take(&mut before[from]);
            }
            self.room += height - before.len();
        } else {
            debug_assert!(before.iter().all(Vec::is_empty));
            self.seats = seats;
            self.room = height;
        }
    }
}
