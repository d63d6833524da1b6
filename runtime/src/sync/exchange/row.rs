//! Readers of an exchange side by side under one lock: [`Row`].
//!
//! A message goes to all readers of a row in one turn of its lock, each gets a copy of its own, and takes it in a
//! turn by itself. What happens to a reader otherwise is what happens to any queue: its [`State`] lies in a
//! [`Seat`] of the row instead of under a lock of its own.
//!
//! Copies for a few readers are put into their queues. To do that for many costs more than to make the copies: they are
//! left in a [`Table`], from which each reader takes one. Whoever wants more of a reader than the next message, or
//! has to wait, finds all that there is in the queue: it is put there when the lock is taken.
//!
//! The first row of an exchange has the list of all its subscribers too. So who sends to readers that all sit
//! there needs no look at the list.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU64, AtomicUsize};

use super::copies::{Copies, FEW};
use super::list::{Changes, Snapshot};
use super::place::{Marks, Place, Places};
use super::ring::Ring;
use super::table::Table;
use crate::sync::backend::{Backend, Flow, Lock};
use crate::sync::queue::{Home, State, Store};
use crate::sync::threads::Threads;
use crate::watch::Site;

/// How many readers sit in a row: a bit each in a [`Set`].
const SEATS: usize = Set::BITS as usize;

/// Some seats of a row.
pub(super) type Set = u64;

/// Copies for the first seats. They are put into the queues of the readers at once; more are left together in a table.
pub(super) type Few<T> = [Option<T>; FEW];

/// Readers under one lock.
pub(super) struct Row<T: Send, B: Backend> {
    seats: B::Mutex<Seats<T, B>>,
    /// [`Seats::alone`], for who makes copies before the lock is taken.
    alone: AtomicU64,
    /// [`Table::end`], for who looks on for a while before it waits.
    end: AtomicUsize,
    /// Asked whether anybody is told.
    told: B::Flow,
    born: Site,
}

/// What is under the lock of a row.
pub(super) struct Seats<T: Send, B: Backend> {
    places: Places<T>,
    taken: Set,
    /// Copies for quiet readers; they come after all that is in their queues.
    table: Table<T>,
    /// Those of which it is known that an entry needs only to be pushed.
    quiet: Set,
    /// Those of them that use the table and have nothing in their queues, so that what comes next for them is there.
    direct: Set,
    /// All subscribers, in a first row; nothing as long as nobody has subscribed.
    pub(super) list: Option<Snapshot<T, B>>,
    /// What of it has changed, if it has.
    pub(super) changes: Changes<T, B>,
    /// Those who sit here, if nobody else has subscribed and the list has not changed.
    alone: Set,
    /// Other rows of the exchange, in a first row.
    pub(super) more: Vec<Arc<Row<T, B>>>,
}

/// The guard of a row.
pub(super) type RowGuard<'a, T, B> =
    <<B as Backend>::Mutex<Seats<T, B>> as Lock<Seats<T, B>>>::Guard<'a>;

/// A place in a row, until this is dropped.
pub(in crate::sync) struct Seat<T: Send, B: Backend> {
    row: Arc<Row<T, B>>,
    number: usize,
    /// It among the seats of its row.
    bit: Set,
    marks: Arc<Marks>,
}

/// The right to use the state of a reader.
pub(in crate::sync) struct SeatGuard<'a, T: Send + 'a, B: Backend> {
    seats: RowGuard<'a, T, B>,
    number: usize,
}

/// What became of the copies for a row.
pub(super) enum Spread<T: Send, B: Backend> {
    /// All are where they belong.
    ToAll,
    /// Some of these subscribers may need more.
    Partly(Left, Option<Snapshot<T, B>>),
    /// Others have subscribed, or not all of these: nothing was done.
    ToNobody,
}

/// What is left to do when copies were given to a row.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Left {
    /// There is more to do than to push these copies; they lie where they lay.
    pub(super) refused: Set,
    /// What lies there is no copy, but what was displaced by it.
    pub(super) displaced: Set,
}

/// Whether this number is one of them.
#[inline]
pub(super) fn has(set: Set, number: usize) -> bool {
    set >> (number % SEATS) & 1 == 1
}

impl<T: Send, B: Backend> Row<T, B> {
    pub(super) fn new(born: Site) -> Row<T, B> {
        let seats = Seats {
            places: Places::new(),
            taken: 0,
            table: Table::new(),
            quiet: 0,
            direct: 0,
            list: None,
            changes: Changes::new(),
            alone: 0,
            more: Vec::new(),
        };
        Row {
            seats: B::Mutex::new_at(seats, born),
            alone: AtomicU64::new(0),
            end: AtomicUsize::new(0),
            told: B::Flow::new_at(born, std::any::type_name::<T>),
            born,
        }
    }

    pub(super) fn born(&self) -> Site {
        self.born
    }

    pub(super) fn lock(&self, at: Site) -> RowGuard<'_, T, B> {
        self.seats.lock_at(at)
    }

    pub(super) fn try_lock(&self, at: Site) -> Option<RowGuard<'_, T, B>> {
        self.seats.try_lock_at(at)
    }

    /// Takes a seat for a reader of which so many messages are kept, and which has room for so many. Nothing if all
    /// are taken.
    pub(super) fn seat(
        self: &Arc<Self>,
        keeps: Option<usize>,
        room: Option<usize>,
        at: Site,
    ) -> Option<Seat<T, B>> {
        let marks = Arc::<Marks>::default();
        let place = Place {
            state: State::new(Ring::new(keeps), room),
            marks: Arc::clone(&marks),
        };
        let mut seats = self.lock(at);
        let number = seats.taken.trailing_ones() as usize;
        if number >= SEATS {
            return None;
        }
        seats.taken |= 1 << number;
        let vacant = seats.places.put(number, place);
        seats.look_whether_quiet(number);
        let end = seats.table.end();
        marks.next.store(end, Relaxed);
        marks.seen.store(end, Relaxed);
        drop(seats);
        drop(vacant);
        let row = Arc::clone(self);
        Some(Seat {
            row,
            number,
            bit: 1 << number,
            marks,
        })
    }

    /// Says who sits here, if nobody else has subscribed.
    pub(super) fn set_alone(&self, seats: &mut Seats<T, B>, alone: Set) {
        seats.alone = alone;
        if alone >> FEW == 0 {
            seats.leave_table();
        }
        B::Threads::step();
        self.alone.store(alone, Relaxed);
    }

    /// Says that whoever sends must look at the list.
    pub(super) fn say_that_others_may_be_there(&self, seats: &mut Seats<T, B>) {
        seats.alone = 0;
        B::Threads::step();
        self.alone.store(0, Relaxed);
    }

    /// Those who sit here, if nobody else has subscribed, and nobody is told of each lock and unit.
    #[inline]
    pub(super) fn alone(&self) -> Set {
        B::Threads::step();
        if self.told.is_told() {
            0
        } else {
            self.alone.load(Relaxed)
        }
    }

    /// Gives these readers, which sit in the first seats, their copies, if they are all that have subscribed.
    #[inline]
    pub(super) fn spread_few(&self, to: Set, copies: &mut Few<T>) -> Spread<T, B> {
        let mut seats = self.seats.lock_untold_at(self.born);
        if seats.alone == to && to & (!seats.quiet | seats.table.seats()) == 0 {
            seats.push_quietly(to, copies);
            return Spread::ToAll;
        }
        Self::spread_among_others(seats, to, copies)
    }

    /// Gives these readers the copies, which are as many, if that is all that there is to do, and they are all that have
    /// subscribed. False if nothing was done.
    #[inline]
    pub(super) fn spread_line(&self, to: Set, copies: &mut Vec<T>) -> bool {
        let mut seats = self.seats.lock_untold_at(self.born);
        seats.alone == to && self.put_quietly(&mut seats, to, copies)
    }

    /// Gives these readers their copies, if they are all that have subscribed.
    pub(super) fn spread(&self, to: Set, copies: &mut Copies<T>) -> Spread<T, B> {
        Self::spread_among_others(self.seats.lock_untold_at(self.born), to, copies)
    }

    #[inline(never)]
    fn spread_among_others(
        mut seats: RowGuard<'_, T, B>,
        to: Set,
        copies: &mut Copies<T>,
    ) -> Spread<T, B> {
        if seats.alone != to {
            return Spread::ToNobody;
        }
        let list = seats.list.clone();
        Spread::Partly(seats.push(copies), list)
    }

    /// Gives some of all readers their copies. Nobody is told of it.
    pub(super) fn give(&self, copies: &mut Copies<T>) -> Left {
        self.seats.lock_untold_at(self.born).push(copies)
    }

    /// Gives these readers, some of all, the copies, which are as many, if that is all that there is to do. False if
    /// nothing was done.
    pub(super) fn give_line(&self, to: Set, copies: &mut Vec<T>) -> bool {
        let mut seats = self.seats.lock_untold_at(self.born);
        // Readers that stand apart in the list would have the table by turns, which does not pay.
        seats.taken == to && self.put_quietly(&mut seats, to, copies)
    }

    /// Puts the copies for these readers into the table, if that is all that there is to do.
    #[inline]
    fn put_quietly(&self, seats: &mut Seats<T, B>, to: Set, copies: &mut Vec<T>) -> bool {
        let is_laid_out = seats.table.seats() == to && seats.table.has_room();
        if to & !seats.quiet != 0 || !is_laid_out && !seats.make_room(to) {
            return false;
        }
        seats.table.put(copies);
        B::Threads::step();
        self.end.store(seats.table.end(), Relaxed);
        true
    }

    /// Whether nobody is told of each lock and unit, so that copies can be [given](Row::give).
    pub(super) fn is_untold(&self) -> bool {
        !self.told.is_told()
    }
}

impl<T: Send, B: Backend> Seats<T, B> {
    /// Makes room in the table for a message to these readers. False if that takes too much memory.
    #[cold]
    fn make_room(&mut self, to: Set) -> bool {
        let (before, higher) = (self.table.seats(), self.table.higher(to));
        if before == to {
            let marks = self.places.iter().map(|place| &place.marks);
            let next = marks.map(|marks| marks.next.load(Relaxed));
            let late = self.table.look_for_room(next);
            if late == 0 {
                return true;
            }
            if higher.is_none() {
                self.settle_all(late);
                // Now there is: nobody lags behind by more than half of the lines.
                return self.make_room(to);
            }
        }
        let Some(height) = higher else { return false };
        if before != to {
            self.settle_all(before);
        }
        self.table.lay_out(to, height);
        // What came before was not for those who are new here.
        self.settle_all(to & !before);
        let changed = self.taken & (to | before);
        for number in (0..SEATS).filter(|number| has(changed, *number)) {
            self.look_whether_quiet(number);
        }
        true
    }

    /// Puts all that is in the table into the queues, and does without a table.
    fn leave_table(&mut self) {
        let all = self.table.seats();
        if all != 0 {
            self.settle_all(all);
            self.table = Table::after(&self.table);
            self.direct = 0;
        }
    }

    /// Pushes copies for these readers into their queues, where that is all that there is to do.
    #[inline]
    fn push_quietly(&mut self, to: Set, copies: &mut Few<T>) {
        self.direct &= !to;
        for (place, copy) in self.places.first.iter_mut().zip(copies) {
            if let Some(message) = copy.take()
                && place.state.store.push_kept(message)
            {
                place.marks.total.store(1, Relaxed);
            }
        }
    }

    /// Pushes the copies for which that is all that there is to do.
    fn push(&mut self, copies: &mut Copies<T>) -> Left {
        let mut left = Left::default();
        for (number, copy) in copies.iter_mut().enumerate() {
            let Some(message) = copy.take() else { continue };
            self.settle(number);
            let place = &mut self.places[number];
            if place.state.puts_plainly() {
                *copy = place.state.store.push_message(message);
                self.direct &= !(1 << number);
                left.displaced |= Set::from(copy.is_some()) << number;
                place.marks.total.store(place.state.store.total(), Relaxed);
            } else {
                *copy = Some(message);
                left.refused |= 1 << number;
            }
        }
        left
    }

    /// Takes the next entry out of the queue of a reader that is quiet.
    #[inline]
    fn take_from_queue(&mut self, number: usize) -> Option<T> {
        let place = &mut self.places[number];
        let (message, last) = place.state.store.pop_kept();
        if last {
            place.marks.total.store(0, Relaxed);
            self.look_whether_quiet(number);
        }
        message
    }

    /// Puts what there is for these readers in the table into their queues.
    fn settle_all(&mut self, readers: Set) {
        // Who has left has nothing in there.
        let readers = readers & self.taken;
        for number in (0..SEATS).filter(|number| has(readers, *number)) {
            self.settle(number);
        }
    }

    /// Puts what there is for a reader in the table into its queue.
    #[inline]
    fn settle(&mut self, number: usize) {
        let place = &mut self.places[number];
        if place.marks.next.load(Relaxed) != self.table.end() {
            Self::settle_late(&mut self.table, place, number);
            self.look_whether_quiet(number);
        }
    }

    #[inline(never)]
    fn settle_late(table: &mut Table<T>, place: &mut Place<T>, number: usize) {
        // What came for others alone is passed over.
        if has(table.seats(), number) {
            let mut next = place.marks.next.load(Relaxed);
            while let Some(message) = table.take(&mut next) {
                place.state.store.push_kept(message);
            }
        }
        place.marks.next.store(table.end(), Relaxed);
        let total = place.state.store.total();
        place.marks.total.store(total, Relaxed);
    }

    /// Looks whether an entry for this one needs only to be pushed.
    #[inline]
    fn look_whether_quiet(&mut self, number: usize) {
        let state = &self.places[number].state;
        let quiet = state.puts_plainly_always() && state.store.keeps_all();
        let uses_table = has(self.table.seats(), number);
        let direct = quiet && uses_table && state.store.total() == 0;
        self.quiet = self.quiet & !(1 << number) | Set::from(quiet) << number;
        self.direct = self.direct & !(1 << number) | Set::from(direct) << number;
    }
}

impl<T: Send, B: Backend> Seat<T, B> {
    /// It among the seats of its row.
    pub(super) fn as_set(&self) -> Set {
        self.bit
    }

    pub(super) fn row(&self) -> &Arc<Row<T, B>> {
        &self.row
    }

    /// The state of this reader, with all that there is for it in its queue.
    #[inline]
    fn guard<'a>(&'a self, mut seats: RowGuard<'a, T, B>) -> SeatGuard<'a, T, B> {
        seats.settle(self.number);
        self.marks.seen.store(seats.table.end(), Relaxed);
        SeatGuard {
            seats,
            number: self.number,
        }
    }

    /// Takes a message out, if there is one and nobody has to be told of anything. Otherwise the lock, unless somebody
    /// is told of that too.
    #[inline]
    pub(super) fn get_quietly(&self, at: Site) -> Result<T, Option<SeatGuard<'_, T, B>>> {
        if self.row.told.is_told() {
            return Err(None);
        }
        // What does not change is looked at before the lock is taken, as nothing else is while it is being taken.
        let (marks, number, bit) = (&*self.marks, self.number, self.bit);
        let mut seats = self.row.seats.lock_untold_at(at);
        if seats.direct & bit != 0 {
            let mut next = marks.next.load(Relaxed);
            let message = seats.table.take(&mut next);
            marks.next.store(next, Relaxed);
            if let Some(message) = message {
                return Ok(message);
            }
        } else if seats.quiet & bit != 0
            && let Some(message) = seats.take_from_queue(number)
        {
            return Ok(message);
        }
        Err(Some(self.guard(seats)))
    }
}

impl<T: Send, B: Backend> Home<Ring<T>> for Seat<T, B> {
    type Guard<'a>
        = SeatGuard<'a, T, B>
    where
        Self: 'a;

    #[inline]
    fn lock(&self, at: Site) -> SeatGuard<'_, T, B> {
        self.guard(self.row.seats.lock_at(at))
    }

    #[inline]
    fn lock_untold(&self, at: Site) -> SeatGuard<'_, T, B> {
        self.guard(self.row.seats.lock_untold_at(at))
    }

    fn try_lock(&self, at: Site) -> Option<SeatGuard<'_, T, B>> {
        self.row
            .seats
            .try_lock_at(at)
            .map(|seats| self.guard(seats))
    }

    #[inline]
    fn total(&self) -> &AtomicUsize {
        &self.marks.total
    }

    #[inline]
    fn has_entries(&self) -> bool {
        let end = self.row.end.load(Relaxed);
        self.marks.total.load(Relaxed) > 0 || end != self.marks.seen.load(Relaxed)
    }
}

impl<T: Send, B: Backend> Drop for Seat<T, B> {
    fn drop(&mut self) {
        let mut seats = self.row.lock(self.row.born);
        let place = seats.places.put(self.number, Place::vacant());
        seats.taken &= !self.bit;
        seats.quiet &= !self.bit;
        seats.direct &= !self.bit;
        let used = SEATS - seats.taken.leading_zeros() as usize;
        seats.places.forget_from(used);
        // What was in it is dropped after the lock is given back.
        drop(seats);
        drop(place);
    }
}

impl<'a, T: Send + 'a, B: Backend> Deref for SeatGuard<'a, T, B> {
    type Target = State<Ring<T>>;

    #[inline]
    fn deref(&self) -> &State<Ring<T>> {
        &self.seats.places[self.number].state
    }
}

impl<'a, T: Send + 'a, B: Backend> DerefMut for SeatGuard<'a, T, B> {
    #[inline]
    fn deref_mut(&mut self) -> &mut State<Ring<T>> {
        &mut self.seats.places[self.number].state
    }
}

impl<'a, T: Send + 'a, B: Backend> Drop for SeatGuard<'a, T, B> {
    #[inline]
    fn drop(&mut self) {
        self.seats.look_whether_quiet(self.number);
    }
}
