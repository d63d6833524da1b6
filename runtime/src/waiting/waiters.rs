//! Those who wait for one thing, in the order in which they came.
//!
//! A waiter is *chosen* when it is taken out in order to be woken. It then tries again; somebody else may
//! have been quicker, and then it queues up in its old place. A waiter that leaves after it was chosen,
//! and without having got anything, passes that on: see [`Waiters::leave`].

use std::collections::VecDeque;
use std::task::Waker;

use super::later::Later;

/// The place of a waiter, kept between its attempts.
#[derive(Debug, Default)]
pub struct Ticket(Option<u64>);

impl Ticket {
    /// No place yet.
    pub(crate) const fn new() -> Ticket {
        Ticket(None)
    }

    /// Whether its owner has queued up.
    pub(crate) fn is_some(&self) -> bool {
        self.0.is_some()
    }
}

/// What a waiter was when it left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    /// It waited, or was not there at all.
    Waiting,
    /// It had been chosen: if there is something to be had, the next one must be told.
    Chosen,
}

/// Those who wait for one thing. Part of a primitive's state, under its lock.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    /// The number of the next one to come.
    next: u64,
    row: Row,
    /// How many have queued up and not left yet, those that were chosen included.
    present: usize,
}

/// A waiter in the row: its number, and how it is woken.
type Waiting = (u64, Waker);

/// Waiters by number. One alone, as is usual, takes no memory of its own.
#[derive(Debug, Default)]
struct Row {
    /// There is one as long as there are others.
    first: Option<Waiting>,
    /// Nothing before there was a second one: most rows never have one, and many are made and dropped.
    others: Option<Box<Others>>,
}

/// Waiters behind the first, by number.
#[derive(Debug, Default)]
struct Others(VecDeque<Waiting>);

impl Row {
    const fn new() -> Row {
        Row {
            first: None,
            others: None,
        }
    }

    #[inline]
    fn len(&self) -> usize {
        let others = self.others.as_ref().map_or(0, |others| others.0.len());
        usize::from(self.first.is_some()) + others
    }

    #[inline]
    fn pop_front(&mut self) -> Option<Waiting> {
        let first = self.first.take();
        if let Some(others) = &mut self.others {
            self.first = others.0.pop_front();
        }
        first
    }

    /// Whether the one of this number is there.
    fn has(&self, number: u64) -> bool {
        let others = || {
            self.others
                .as_ref()
                .is_some_and(|others| others.place(number).is_ok())
        };
        self.first.as_ref().is_some_and(|first| first.0 == number) || others()
    }

    /// Puts one in, in its place, and returns the waker that it replaces.
    #[inline]
    fn insert(&mut self, (number, waker): Waiting) -> Option<Waker> {
        match &mut self.first {
            None => self.first = Some((number, waker)),
            Some(first) if first.0 == number => {
                return Some(std::mem::replace(&mut first.1, waker));
            }
            Some(_) => return self.insert_among_others((number, waker)),
        }
        None
    }

    #[inline(never)]
    fn insert_among_others(&mut self, (number, waker): Waiting) -> Option<Waker> {
        let others = self.others.get_or_insert_default();
        match &mut self.first {
            Some(first) if number < first.0 => {
                let second = std::mem::replace(first, (number, waker));
                others.0.push_front(second);
            }
            _ => match others.place(number) {
                Ok(at) => return Some(std::mem::replace(&mut others.0[at].1, waker)),
                Err(at) => others.0.insert(at, (number, waker)),
            },
        }
        None
    }

    /// Takes the one of this number out, if it is there.
    #[inline]
    fn remove(&mut self, number: u64) -> Option<Waker> {
        if self.first.as_ref().is_some_and(|first| first.0 == number) {
            return self.pop_front().map(|(_, waker)| waker);
        }
        let others = self.others.as_mut()?;
        let at = others.place(number).ok()?;
        others.0.remove(at).map(|(_, waker)| waker)
    }
}

impl Others {
    /// Where that one is, or would be.
    fn place(&self, number: u64) -> Result<usize, usize> {
        self.0.binary_search_by_key(&number, |(number, _)| *number)
    }
}

impl Waiters {
    /// Nobody waits.
    pub(crate) const fn new() -> Waiters {
        Waiters {
            next: 0,
            row: Row::new(),
            present: 0,
        }
    }

    /// One who waits from the beginning, and its place.
    #[inline]
    pub(crate) fn of_one(waker: Waker) -> (Waiters, Ticket) {
        let waiters = Waiters {
            next: 1,
            row: Row {
                first: Some((0, waker)),
                others: None,
            },
            present: 1,
        };
        (waiters, Ticket(Some(0)))
    }

    /// How many wait and have not been chosen.
    #[inline]
    pub(crate) fn waiting(&self) -> usize {
        self.row.len()
    }

    /// Whether somebody waits and has not been chosen: quicker to be seen than how many.
    #[inline]
    pub(crate) fn any_waiting(&self) -> bool {
        self.row.first.is_some()
    }

    /// How many have come and not left, the chosen ones included.
    #[inline]
    pub(crate) fn present(&self) -> usize {
        self.present
    }

    /// Whether this waiter was chosen, and has not queued up again.
    pub(crate) fn is_chosen(&self, ticket: &Ticket) -> bool {
        ticket.0.is_some_and(|number| !self.row.has(number))
    }

    /// Queues up, in the old place if there is one. `waker` was cloned before the lock was taken; what it
    /// replaces goes into `later`, to be dropped after.
    #[inline]
    pub(crate) fn enter(&mut self, ticket: &mut Ticket, waker: Waker, later: &mut Later) {
        let number = self.number(ticket);
        later.drop_later(self.row.insert((number, waker)));
    }

    /// The number of this waiter, who has come now if it had none.
    #[inline]
    fn number(&mut self, ticket: &mut Ticket) -> u64 {
        *ticket.0.get_or_insert_with(|| {
            let number = self.next;
            self.next += 1;
            self.present += 1;
            number
        })
    }

    /// Leaves, with or without having got something.
    #[inline]
    pub(crate) fn leave(&mut self, ticket: &mut Ticket, later: &mut Later) -> Left {
        let Some(number) = ticket.0.take() else {
            return Left::Waiting;
        };
        self.present -= 1;
        match self.row.remove(number) {
            Some(waker) => {
                later.drop_later(Some(waker));
                Left::Waiting
            }
            None => Left::Chosen,
        }
    }

    /// Chooses the one who came first, if there is one.
    #[inline]
    pub(crate) fn choose_one(&mut self, later: &mut Later) {
        if let Some((_, waker)) = self.row.pop_front() {
            later.push(waker);
        }
    }

    /// Whether one waits at most that has not been chosen.
    #[inline]
    pub(crate) fn one_waits_at_most(&self) -> bool {
        let others = self.row.others.as_ref();
        others.is_none_or(|others| others.0.is_empty())
    }

    /// [`choose_one`](Waiters::choose_one), to be woken by who asks, once the lock is given back.
    #[inline]
    pub(crate) fn choose(&mut self) -> Option<Waker> {
        self.row.pop_front().map(|(_, waker)| waker)
    }

    /// [`enter`](Waiters::enter) if nobody else waits. The waker, if somebody does.
    #[inline]
    pub(crate) fn enter_alone(&mut self, ticket: &mut Ticket, waker: Waker) -> Option<Waker> {
        if self.any_waiting() {
            return Some(waker);
        }
        let number = self.number(ticket);
        self.row.first = Some((number, waker));
        None
    }

    /// Chooses all.
    #[inline]
    pub(crate) fn choose_all(&mut self, later: &mut Later) {
        if let Some((_, waker)) = self.row.first.take() {
            later.push(waker);
            if let Some(others) = &mut self.row.others {
                others.0.drain(..).for_each(|(_, waker)| later.push(waker));
            }
        }
    }

    /// Chooses all that are woken otherwise than by `waker`.
    pub(crate) fn choose_others(&mut self, waker: &Waker, later: &mut Later) {
        let mut all = std::mem::take(&mut self.row);
        while let Some(one) = all.pop_front() {
            if one.1.will_wake(waker) {
                self.row.insert(one);
            } else {
                later.push(one.1);
            }
        }
    }
}
