//! Readers of an exchange side by side under one lock: [`Row`].
//!
//! A message goes to all readers of a row in one turn of its lock, each gets a copy of its own, and takes it in a
//! turn by itself. What happens to a reader otherwise is what happens to any queue: its [`State`] lies in a
//! [`Seat`] of the row instead of under a lock of its own.
//!
//! The first row of an exchange has the list of all its subscribers too. So who sends to readers that all sit
//! there needs no look at the list.

use std::array;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU8, AtomicUsize};

use super::bus::Snapshot;
use super::ring::Ring;
use crate::sync::backend::{Backend, Flow, Lock};
use crate::sync::queue::{Home, State, Store};
use crate::sync::threads::Threads;
use crate::watch::Site;

/// How many readers sit in a row: a bit each in a [`Set`].
pub(super) const SEATS: usize = 8;

/// Some seats of a row.
pub(super) type Set = u8;

/// A message for each seat, by its number.
pub(super) type Copies<T> = [Option<T>; SEATS];

/// Readers under one lock.
pub(super) struct Row<T: Send, B: Backend> {
    seats: B::Mutex<Seats<T, B>>,
    /// [`Seats::alone`], for who makes copies before the lock is taken.
    alone: AtomicU8,
    /// Asked whether anybody is told.
    told: B::Flow,
    born: Site,
}

/// What is under the lock of a row.
pub(super) struct Seats<T: Send, B: Backend> {
    places: [Place<T>; SEATS],
    taken: Set,
    /// Those of which it is known that an entry needs only to be pushed.
    quiet: Set,
    /// All subscribers, in a first row; nothing as long as nobody has subscribed.
    pub(super) list: Option<Snapshot<T, B>>,
    /// Those who sit here, if nobody else has subscribed.
    alone: Set,
    /// Other rows of the exchange, in a first row.
    pub(super) more: Vec<Arc<Row<T, B>>>,
}

/// What lies in a seat.
struct Place<T> {
    state: State<Ring<T>>,
    total: Arc<AtomicUsize>,
}

/// The guard of a row.
pub(super) type RowGuard<'a, T, B> =
    <<B as Backend>::Mutex<Seats<T, B>> as Lock<Seats<T, B>>>::Guard<'a>;

/// A place in a row, until this is dropped.
pub(in crate::sync) struct Seat<T: Send, B: Backend> {
    row: Arc<Row<T, B>>,
    number: usize,
    total: Arc<AtomicUsize>,
}

/// The right to use the state of a reader.
pub(in crate::sync) struct SeatGuard<'a, T: Send + 'a, B: Backend> {
    seats: RowGuard<'a, T, B>,
    number: usize,
    /// Nothing but the entries has changed.
    plainly: bool,
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

impl<T> Place<T> {
    fn vacant() -> Place<T> {
        Place {
            state: State::new(Ring::new(None), None),
            total: Arc::default(),
        }
    }
}

/// Whether this number is one of them.
#[inline]
pub(super) fn has(set: Set, number: usize) -> bool {
    set >> (number % SEATS) & 1 == 1
}

impl<T: Send, B: Backend> Row<T, B> {
    pub(super) fn new(born: Site) -> Row<T, B> {
        let seats = Seats {
            places: array::from_fn(|_| Place::vacant()),
            taken: 0,
            quiet: 0,
            list: None,
            alone: 0,
            more: Vec::new(),
        };
        Row {
            seats: B::Mutex::new_at(seats, born),
            alone: AtomicU8::new(0),
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
        let total = Arc::<AtomicUsize>::default();
        let mut place = Place {
            state: State::new(Ring::new(keeps), room),
            total: Arc::clone(&total),
        };
        let mut seats = self.lock(at);
        let number = seats.taken.trailing_ones() as usize;
        if number >= SEATS {
            return None;
        }
        seats.taken |= 1 << number;
        std::mem::swap(&mut seats.places[number], &mut place);
        seats.look_whether_quiet(number);
        drop(seats);
        let row = Arc::clone(self);
        Some(Seat { row, number, total })
    }

    /// Says who sits here, if nobody else has subscribed.
    pub(super) fn set_alone(&self, seats: &mut Seats<T, B>, alone: Set) {
        seats.alone = alone;
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

    /// Gives these readers their copies, if they are all that have subscribed.
    #[inline]
    pub(super) fn spread(&self, to: Set, copies: &mut Copies<T>) -> Spread<T, B> {
        let mut seats = self.seats.lock_untold_at(self.born);
        if seats.alone == to && to & !seats.quiet == 0 {
            seats.push_quietly(copies);
            return Spread::ToAll;
        }
        Self::spread_among_others(seats, to, copies)
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

    /// Gives the readers to whom they belong these copies. Nobody is told of it.
    pub(super) fn give(&self, copies: &mut Copies<T>) -> Left {
        self.seats.lock_untold_at(self.born).push(copies)
    }

    /// Whether nobody is told of each lock and unit, so that copies can be [given](Row::give).
    pub(super) fn is_untold(&self) -> bool {
        !self.told.is_told()
    }
}

impl<T: Send, B: Backend> Seats<T, B> {
    /// Pushes the copies, where that is all that there is to do.
    #[inline]
    fn push_quietly(&mut self, copies: &mut Copies<T>) {
        for (place, copy) in self.places.iter_mut().zip(copies) {
            if let Some(message) = copy.take()
                && place.state.store.push_kept(message)
            {
                place.total.store(1, Relaxed);
            }
        }
    }

    /// Pushes the copies for which that is all that there is to do.
    fn push(&mut self, copies: &mut Copies<T>) -> Left {
        let mut left = Left::default();
        for (number, (place, copy)) in self.places.iter_mut().zip(copies).enumerate() {
            let Some(message) = copy.take() else { continue };
            if place.state.puts_plainly() {
                *copy = place.state.store.push_message(message);
                left.displaced |= Set::from(copy.is_some()) << number;
                place.total.store(place.state.store.total(), Relaxed);
            } else {
                *copy = Some(message);
                left.refused |= 1 << number;
            }
        }
        left
    }

    /// Looks whether an entry for this one needs only to be pushed.
    #[inline]
    fn look_whether_quiet(&mut self, number: usize) {
        let state = &self.places[number % SEATS].state;
        let quiet = state.puts_plainly_always() && state.store.keeps_all();
        self.quiet = self.quiet & !(1 << number) | Set::from(quiet) << number;
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

    /// Takes a message out, if there is one and nobody has to be told of anything. Otherwise the lock, unless somebody
    /// is told of that too.
    #[inline]
    pub(super) fn get_quietly(&self, at: Site) -> Result<T, Option<SeatGuard<'_, T, B>>> {
        if self.row.told.is_told() {
            return Err(None);
        }
        let mut guard = self.lock_untold(at);
        if has(guard.seats.quiet, self.number) {
            let place = &mut guard.seats.places[self.number % SEATS];
            let (message, last) = place.state.store.pop_kept();
            if last {
                self.total.store(0, Relaxed);
            }
            if let Some(message) = message {
                Self::release_plainly(guard);
                return Ok(message);
            }
        }
        Err(Some(guard))
    }
}

impl<T: Send, B: Backend> Home<Ring<T>> for Seat<T, B> {
    type Guard<'a>
        = SeatGuard<'a, T, B>
    where
        Self: 'a;

    #[inline]
    fn lock(&self, at: Site) -> SeatGuard<'_, T, B> {
        SeatGuard {
            seats: self.row.seats.lock_at(at),
            number: self.number,
            plainly: false,
        }
    }

    #[inline]
    fn lock_untold(&self, at: Site) -> SeatGuard<'_, T, B> {
        SeatGuard {
            seats: self.row.seats.lock_untold_at(at),
            number: self.number,
            plainly: false,
        }
    }

    fn try_lock(&self, at: Site) -> Option<SeatGuard<'_, T, B>> {
        Some(SeatGuard {
            seats: self.row.seats.try_lock_at(at)?,
            number: self.number,
            plainly: false,
        })
    }

    #[inline]
    fn total(&self) -> &AtomicUsize {
        &self.total
    }

    #[inline]
    fn release_plainly<'a>(mut guard: SeatGuard<'a, T, B>)
    where
        Self: 'a,
    {
        guard.plainly = true;
    }
}

impl<T: Send, B: Backend> Drop for Seat<T, B> {
    fn drop(&mut self) {
        let mut place = Place::vacant();
        let mut seats = self.row.lock(self.row.born);
        std::mem::swap(&mut seats.places[self.number], &mut place);
        let bit = 1 << self.number;
        seats.taken &= !bit;
        seats.quiet &= !bit;
        // What was in it is dropped after the lock is given back.
        drop(seats);
    }
}

impl<'a, T: Send + 'a, B: Backend> Deref for SeatGuard<'a, T, B> {
    type Target = State<Ring<T>>;

    #[inline]
    fn deref(&self) -> &State<Ring<T>> {
        &self.seats.places[self.number % SEATS].state
    }
}

impl<'a, T: Send + 'a, B: Backend> DerefMut for SeatGuard<'a, T, B> {
    #[inline]
    fn deref_mut(&mut self) -> &mut State<Ring<T>> {
        &mut self.seats.places[self.number % SEATS].state
    }
}

impl<'a, T: Send + 'a, B: Backend> Drop for SeatGuard<'a, T, B> {
    #[inline]
    fn drop(&mut self) {
        if !self.plainly {
            self.seats.look_whether_quiet(self.number);
        }
    }
}
