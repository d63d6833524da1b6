//! Copies of messages that quiet readers side by side have not taken yet: [`Table`].
//!
//! A line for each of the latest messages, and in it as many copies as there are readers to take one. Copies are alike:
//! each reader takes the last one of the line, once. So a message goes to all readers as one vector, whose memory the
//! sender gets back when all have taken their copies. Who lags behind by more lines than there are gets its copies into
//! a queue of its own.

use super::row::Set;

/// How many lines there are at first.
const HEIGHT_MIN: usize = 16;

/// How many bytes all lines take at most, if they are not few.
const BYTES_MAX: usize = 256 * 1024;

/// The lines.
pub(super) struct Table<T> {
    /// As many as a power of two, or none. What comes next for all is empty.
    lines: Vec<Vec<T>>,
    /// So many messages can be put without a look at how far readers lag behind.
    room: usize,
    /// The number of the message that comes next. They are counted from the first one on.
    end: usize,
}

impl<T> Table<T> {
    pub(super) const fn new() -> Table<T> {
        Table {
            lines: Vec::new(),
            room: 0,
            end: 0,
        }
    }

    #[inline]
    pub(super) fn end(&self) -> usize {
        self.end
    }

    /// Takes the next copy for a reader that has taken those of all messages before the one with the number `next`.
    /// Nothing if there is none, or none of that message.
    #[inline]
    pub(super) fn take(&mut self, next: &mut usize) -> Option<T> {
        let line = *next & self.mask();
        let copy = self.lines.get_mut(line)?.pop()?;
        *next = next.wrapping_add(1);
        Some(copy)
    }

    /// Takes all copies for such a reader.
    pub(super) fn take_all(&mut self, next: usize) -> impl Iterator<Item = T> {
        let missed = self.end.wrapping_sub(next);
        let mask = self.mask();
        // There is none where making it has panicked, and others came before.
        (0..missed).filter_map(move |number| {
            let line = next.wrapping_add(number) & mask;
            self.lines.get_mut(line)?.pop()
        })
    }

    /// Whether it is known that nobody lags behind so far that there is no empty line.
    #[inline]
    pub(super) fn has_room(&self) -> bool {
        self.room > 0
    }

    /// The line for the message that comes next, which is empty. There must be room.
    #[inline]
    pub(super) fn next_line(&mut self) -> Option<&mut Vec<T>> {
        let line = self.end & self.mask();
        self.room -= 1;
        self.end = self.end.wrapping_add(1);
        self.lines.get_mut(line)
    }

    /// Makes room for messages to so many readers, where these take what is in here, each by the number of the message
    /// that it takes next. If only they can make room, by lagging behind less, those that lag behind most are returned.
    pub(super) fn make_room(
        &mut self,
        readers: usize,
        next: impl Iterator<Item = (usize, usize)>,
    ) -> Set {
        let (mut most, mut late) = (0, 0);
        for (seat, next) in next {
            let lag = self.end.wrapping_sub(next);
            most = most.max(lag);
            late |= Set::from(lag * 2 >= self.lines.len()) << seat;
        }
        let line = size_of::<Vec<T>>() + readers * size_of::<T>();
        let height = (self.lines.len() * 2).max(HEIGHT_MIN);
        if most + 1 >= self.lines.len() && (height == HEIGHT_MIN || height * line <= BYTES_MAX) {
            self.heighten(height);
        }
        // One line stays empty, for whoever has taken all.
        self.room = self.lines.len() - 1 - most;
        if self.has_room() { 0 } else { late }
    }

    fn heighten(&mut self, height: usize) {
        let mut before = std::mem::take(&mut self.lines);
        self.lines.resize_with(height, Vec::new);
        for behind in 1..=before.len() {
            let number = self.end.wrapping_sub(behind);
            let (from, to) = (number & (before.len() - 1), number & (height - 1));
            self.lines[to] = std::mem::take(&mut before[from]);
        }
    }

    /// Gives all memory back. Everybody must have taken all.
    pub(super) fn clear(&mut self) {
        self.lines = Vec::new();
        self.room = 0;
    }

    /// What of the number of a message says which line is its own.
    #[inline]
    fn mask(&self) -> usize {
        self.lines.len().wrapping_sub(1)
    }
}
