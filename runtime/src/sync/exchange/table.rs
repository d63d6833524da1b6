//! Copies of messages that quiet readers side by side have not taken yet: [`Table`].
//!
//! A column for each seat, and in it a cell for each of the latest messages. All columns have one end, so that to put a
//! copy where it belongs is to write it there. Who lags behind by more cells than a column has gets its oldest copies
//! into a queue of its own.

use super::copies::Copies;
use super::row::{Set, has};

/// How many cells a column has at first.
const HEIGHT_MIN: usize = 16;

/// How much memory all cells of a table take, in bytes, at most.
const BYTES_MAX: usize = 256 * 1024;

/// So many bytes lie between two columns, as the cells of a message would compete for the same places of the cache if
/// they lay a power of two apart.
const GAP: usize = 64;

/// The columns of a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    /// Whose columns are in use.
    seats: Set,
    /// How many columns there are: up to that of the last seat.
    width: usize,
    /// How many cells a column has: a power of two, or none.
    height: usize,
}

/// The cells.
pub(super) struct Table<T> {
    cells: Vec<Option<T>>,
    layout: Layout,
    /// So many messages can be put without a look at how far readers lag behind.
    room: usize,
    /// The number of the message that comes next. They are counted from the first one on.
    end: usize,
}

impl<T> Table<T> {
    pub(super) const fn new() -> Table<T> {
        Table {
            cells: Vec::new(),
            layout: Layout {
                seats: 0,
                width: 0,
                height: 0,
            },
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
        self.layout.seats
    }

    /// Takes the next copy for a seat that has taken those of all messages before the one with the number `next`.
    #[inline]
    pub(super) fn take(&mut self, seat: usize, next: &mut usize) -> Option<T> {
        if self.end.wrapping_sub(*next) > self.layout.height {
            self.skip_others(next);
        }
        let column = seat * self.layout.distance::<T>();
        let mask = self.layout.height.wrapping_sub(1);
        while *next != self.end {
            let cell = self.cells.get_mut(column + (*next & mask));
            *next = next.wrapping_add(1);
            if let Some(copy) = cell.and_then(Option::take) {
                return Some(copy);
            }
        }
        None
    }

    /// Goes on behind messages that were for others.
    #[cold]
    fn skip_others(&self, next: &mut usize) {
        *next = self.end.wrapping_sub(self.layout.height);
    }

    /// Whether it is known that nobody lags behind by a whole column.
    #[inline]
    pub(super) fn has_room(&self) -> bool {
        self.room > 0
    }

    /// Looks how far those lag behind who sit in the first seats, by the number of the message that each takes next. If
    /// that is too far for one, half of it is for others: all of them are returned.
    pub(super) fn look_for_room(&mut self, next: impl Iterator<Item = usize>) -> Set {
        let (mut most, mut late) = (0, 0);
        for (seat, next) in next
            .enumerate()
            .filter(|(seat, _)| has(self.layout.seats, *seat))
        {
            let lag = self.end.wrapping_sub(next).min(self.layout.height);
            most = most.max(lag);
            late |= Set::from(lag * 2 >= self.layout.height) << seat;
        }
        self.room = self.layout.height - most;
        if self.room > 0 { 0 } else { late }
    }

    /// Puts the copies of a message, which are for the seats whose columns are in use. There must be room.
    #[inline]
    pub(super) fn put(&mut self, copies: &mut Copies<T>) {
        let distance = self.layout.distance::<T>();
        let mut at = self.end & self.layout.height.wrapping_sub(1);
        self.end = self.end.wrapping_add(1);
        self.room -= 1;
        for copy in copies.iter_mut().take(self.layout.width) {
            if let Some(cell) = self.cells.get_mut(at) {
                *cell = copy.take();
            }
            at += distance;
        }
    }

    /// Columns for these seats, higher than those that they have. Nothing if they would take too much memory.
    pub(super) fn layout(&self, seats: Set) -> Option<Layout> {
        let before = if seats == self.layout.seats {
            self.layout.height
        } else {
            0
        };
        let layout = Layout {
            seats,
            height: (before * 2).max(HEIGHT_MIN),
            width: (Set::BITS - seats.leading_zeros()) as usize,
        };
        let bytes = layout.cells::<T>() * size_of::<Option<T>>();
        (bytes <= BYTES_MAX).then_some(layout)
    }

    /// Lays the columns out, which are empty.
    pub(super) fn lay_out(&mut self, layout: Layout) {
        self.layout = layout;
        self.cells.clear();
        self.cells.resize_with(layout.cells::<T>(), || None);
        self.room = layout.height;
    }
}

impl Layout {
    /// How many cells there are.
    fn cells<T>(self) -> usize {
        self.width * self.distance::<T>()
    }

    /// How many cells lie between the beginnings of two columns.
    #[inline]
    fn distance<T>(self) -> usize {
        self.height + GAP.div_ceil(size_of::<Option<T>>().max(1))
    }
}
