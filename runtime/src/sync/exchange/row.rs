//! Readers of an exchange side by side under one lock: [`Row`].
//!
//! A message goes to all readers of a row in one turn of its lock, each gets a copy of its own, and takes it in a
//! turn by itself. What happens to a reader otherwise is what happens to any queue: its [`State`] lies in a
//! [`Seat`] of the row instead of under a lock of its own.
//!
//! To put a copy into the queue of each reader costs more than to make the copies: they are left in a [`Table`] for
//! those who have nothing in their queues. Whoever wants more of a reader than the next message, or has to wait, finds
//! all that there is in the queue: it is put there when the lock is taken.
//!
//! The first row of an exchange has the list of all its subscribers too. So who sends to readers that all sit
//! there needs no look at the list.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU64, AtomicUsize};

use super::list::Snapshot;
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
    /// Copies for those who take them directly.
    table: Table<T>,
    /// Those of which it is known that an entry needs only to be pushed.
    quiet: Set,
    /// Those of them that have nothing in their queues, and take the next copy out of the table. All others have none
    /// there.
    direct: Set,
    /// All subscribers, in a first row; nothing as long as nobody has subscribed.
    pub(super) list: Option<Snapshot<T, B>>,
    /// Those who sit here, if nobody else has subscribed.
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
    Partly(Left<T>, Option<Snapshot<T, B>>),
    /// Others have subscribed, or not all of these: nothing was done.
    ToNobody,
}

/// What is left to do when copies were given to a row, for each seat.
pub(super) type Left<T> = Vec<Option<Rest<T>>>;

/// What is left to do for a reader.
pub(super) enum Rest<T> {
    /// To give it this copy, which takes more than to push it.
    Refused(T),
    /// To drop this, which was displaced by its copy.
    Displaced(T),
}

/// Whether this number is one of them.
#[inline]
pub(super) fn has(set: Set, number: usize) -> bool {
    set >> (number % SEATS) & 1 == 1
}

/// The numbers in a set, in their order.
fn numbers(set: Set) -> impl Iterator<Item = usize> {
    let mut rest = set;
    std::iter::from_fn(move || {
        let number = rest.trailing_zeros() as usize;
        rest &= rest.checked_sub(1)?;
        Some(number)
    })
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
        marks.seen.store(seats.table.end(), Relaxed);
        drop(seats);
        drop(vacant);
        let row = Arc::clone(self);
        Some(Seat { row, number, marks })
    }

    /// Says who sits here, if nobody else has subscribed.
    pub(super) fn set_alone(&self, seats: &mut Seats<T, B>, alone: Set) {
        seats.alone = alone;
        if alone == 0 {
            // The table was used for these readers alone.
            seats.settle_all(seats.direct);
            seats.table.clear();
        }
        B::Threads::step();
        self.alone.store(alone, Relaxed);
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

    /// Gives `N` copies and the message itself to these readers, who are one more, if they are all that have subscribed
    /// and all of them take their copies out of the table. Otherwise all come back.
    #[inline]
    pub(super) fn spread_few<const N: usize>(
        &self,
        to: Set,
        copies: [Option<T>; N],
        message: T,
    ) -> Result<(), ([Option<T>; N], T)> {
        let mut seats = self.seats.lock_untold_at(self.born);
        if seats.alone != to || seats.direct != to || !seats.table.has_room() {
            return Err((copies, message));
        }
        // What was put there before has left memory for a few.
        if let Some(line) = seats.table.next_line() {
            line.extend(copies.into_iter().flatten());
            line.push(message);
        }
        B::Threads::step();
        self.end.store(seats.table.end(), Relaxed);
        Ok(())
    }

    /// Gives these readers their copies, if they are all that have subscribed. What comes back in their place is to be
    /// dropped.
    #[inline]
    pub(super) fn spread(&self, to: Set, copies: &mut Vec<T>) -> Spread<T, B> {
        let mut seats = self.seats.lock_untold_at(self.born);
        if seats.alone == to && to & !seats.quiet == 0 {
            self.put(&mut seats, to, copies);
            return Spread::ToAll;
        }
        Self::spread_among_others(seats, to, copies)
    }

    #[inline(never)]
    fn spread_among_others(
        mut seats: RowGuard<'_, T, B>,
        to: Set,
        copies: &mut Vec<T>,
    ) -> Spread<T, B> {
        if seats.alone != to {
            return Spread::ToNobody;
        }
        let list = seats.list.clone();
        Spread::Partly(seats.push(to, copies), list)
    }

    /// Gives these readers, some of all, their copies. Nobody is told of it.
    pub(super) fn give(&self, to: Set, copies: &mut Vec<T>) -> Left<T> {
        let mut seats = self.seats.lock_untold_at(self.born);
        if to & !seats.quiet == 0 {
            self.put(&mut seats, to, copies);
            return Vec::new();
        }
        seats.push(to, copies)
    }

    /// Gives these readers, which are quiet, their copies.
    #[inline]
    fn put(&self, seats: &mut Seats<T, B>, to: Set, copies: &mut Vec<T>) {
        if seats.direct == to && seats.table.has_room() {
            seats.put_in_line(copies);
        } else {
            seats.put_apart(to, copies);
        }
        B::Threads::step();
        self.end.store(seats.table.end(), Relaxed);
    }

    /// Whether nobody is told of each lock and unit, so that copies can be [given](Row::give).
    pub(super) fn is_untold(&self) -> bool {
        !self.told.is_told()
    }
}

impl<T: Send, B: Backend> Seats<T, B> {
    /// Gives these readers, which are quiet, their copies: those who can take them directly by way of the table, if no
    /// others can.
    #[inline(never)]
    fn put_apart(&mut self, to: Set, copies: &mut Vec<T>) {
        let (readers, mut rest) = (to.count_ones() as usize, to);
        loop {
            let apart = if self.direct & !to == 0 {
                rest & !self.direct
            } else {
                rest
            };
            for number in numbers(apart) {
                let Some(copy) = copies.pop() else { break };
                self.settle(number);
                self.push_kept(number, copy);
            }
            rest &= !apart;
            if rest == 0 || copies.is_empty() {
                return;
            }
            if self.table.has_room() {
                return self.put_in_line(copies);
            }
            let next = self.places.iter().map(|place| &place.marks.next);
            let next = next.enumerate().filter(|(number, _)| has(rest, *number));
            let next = next.map(|(number, next)| (number, next.load(Relaxed)));
            let late = self.table.make_room(readers, next);
            self.settle_all(late);
        }
    }

    /// Puts copies into the table, and takes memory for others out of it. There must be room.
    #[inline]
    fn put_in_line(&mut self, copies: &mut Vec<T>) {
        if let Some(line) = self.table.next_line() {
            std::mem::swap(line, copies);
        }
    }

    /// Pushes a message into the queue of a reader that is quiet.
    #[inline]
    fn push_kept(&mut self, number: usize, message: T) {
        self.direct &= !(1 << number);
        let place = &mut self.places[number];
        if place.state.store.push_kept(message) {
            place.marks.total.store(1, Relaxed);
        }
    }

    /// Pushes the copies for which that is all that there is to do.
    fn push(&mut self, to: Set, copies: &mut Vec<T>) -> Left<T> {
        let mut left = Vec::new();
        for number in numbers(to) {
            let Some(message) = copies.pop() else { break };
            self.settle(number);
            let place = &mut self.places[number];
            let rest = if place.state.puts_plainly() {
                let displaced = place.state.store.push_message(message);
                self.direct &= !(1 << number);
                place.marks.total.store(place.state.store.total(), Relaxed);
                displaced.map(Rest::Displaced)
            } else {
                Some(Rest::Refused(message))
            };
            if rest.is_some() {
                left.resize_with(number, || None);
                left.push(rest);
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
        numbers(readers).for_each(|number| self.settle(number));
    }

    /// Puts what there is for a reader in the table into its queue.
    #[inline]
    fn settle(&mut self, number: usize) {
        let next = self.places[number].marks.next.load(Relaxed);
        if has(self.direct, number) && next != self.table.end() {
            self.settle_late(number, next);
        }
    }

    #[inline(never)]
    fn settle_late(&mut self, number: usize, next: usize) {
        let Place { state, marks } = &mut self.places[number];
        for message in self.table.take_all(next) {
            state.store.push_kept(message);
        }
        marks.next.store(self.table.end(), Relaxed);
        marks.total.store(state.store.total(), Relaxed);
        self.look_whether_quiet(number);
    }

    /// Looks whether an entry for this one needs only to be pushed.
    #[inline]
    fn look_whether_quiet(&mut self, number: usize) {
        let Place { state, marks } = &self.places[number];
        let quiet = state.puts_plainly_always() && state.store.keeps_all();
        let direct = quiet && state.store.total() == 0;
        if direct && !has(self.direct, number) {
            marks.next.store(self.table.end(), Relaxed);
        }
        self.quiet = self.quiet & !(1 << number) | Set::from(quiet) << number;
        self.direct = self.direct & !(1 << number) | Set::from(direct) << number;
    }
}

impl<T: Send, B: Backend> Seat<T, B> {
    /// It among the seats of its row.
    pub(super) fn as_set(&self) -> Set {
        1 << self.number
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
        let (marks, number) = (&*self.marks, self.number);
        let mut seats = self.row.seats.lock_untold_at(at);
        if has(seats.direct, number) {
            let mut next = marks.next.load(Relaxed);
            if let Some(message) = seats.table.take(&mut next) {
                marks.next.store(next, Relaxed);
                return Ok(message);
            }
        } else if has(seats.quiet, number)
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
        let bit = 1 << self.number;
        seats.taken &= !bit;
        seats.quiet &= !bit;
        seats.direct &= !bit;
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
