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
    pub(super) const fn new() -> Ticket {
        Ticket(None)
    }

    /// Whether its owner has queued up.
    pub(super) fn is_some(&self) -> bool {
        self.0.is_some()
    }
}

/// What a waiter was when it left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// It waited, or was not there at all.
    Waiting,
    /// It had been chosen: if there is something to be had, the next one must be told.
    Chosen,
}

/// Those who wait for one thing. Part of a primitive's state, under its lock.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    /// The number of the next one to come.
    next: u64,
    /// By number.
    row: VecDeque<(u64, Waker)>,
    /// How many have queued up and not left yet, those that were chosen included.
    present: usize,
}

impl Waiters {
    /// Nobody waits.
    pub(super) const fn new() -> Waiters {
        Waiters {
            next: 0,
            row: VecDeque::new(),
            present: 0,
        }
    }

    /// How many wait and have not been chosen.
    #[inline]
    pub(super) fn waiting(&self) -> usize {
        self.row.len()
    }

    /// How many have come and not left, the chosen ones included.
    #[inline]
    pub(super) fn present(&self) -> usize {
        self.present
    }

    /// Whether this waiter was chosen, and has not queued up again.
    pub(super) fn is_chosen(&self, ticket: &Ticket) -> bool {
        ticket.0.is_some_and(|number| {
            self.row
                .binary_search_by_key(&number, |(number, _)| *number)
                .is_err()
        })
    }

    /// Queues up, in the old place if there is one. `waker` was cloned before the lock was taken; what it
    /// replaces goes into `later`, to be dropped after.
    pub(super) fn enter(&mut self, ticket: &mut Ticket, waker: Waker, later: &mut Later) {
        let number = *ticket.0.get_or_insert_with(|| {
            let number = self.next;
            self.next += 1;
            self.present += 1;
            number
        });
        match self
            .row
            .binary_search_by_key(&number, |(number, _)| *number)
        {
            Ok(at) => {
                let old = std::mem::replace(&mut self.row[at].1, waker);
                later.drop_later(Some(old));
            }
            Err(at) => self.row.insert(at, (number, waker)),
        }
    }

    /// Leaves, with or without having got something.
    pub(super) fn leave(&mut self, ticket: &mut Ticket, later: &mut Later) -> Left {
        let Some(number) = ticket.0.take() else {
            return Left::Waiting;
        };
        self.present -= 1;
        match self
            .row
            .binary_search_by_key(&number, |(number, _)| *number)
        {
            Ok(at) => {
                let waiter = self.row.remove(at);
                later.drop_later(waiter.map(|(_, waker)| waker));
                Left::Waiting
            }
            Err(_) => Left::Chosen,
        }
    }

    /// Chooses the one who came first, if there is one.
    #[inline]
    pub(super) fn choose_one(&mut self, later: &mut Later) {
        if let Some((_, waker)) = self.row.pop_front() {
            later.push(waker);
        }
    }

    /// Chooses all.
    #[inline]
    pub(super) fn choose_all(&mut self, later: &mut Later) {
        for (_, waker) in self.row.drain(..) {
            later.push(waker);
        }
    }

    /// Chooses all that are woken otherwise than by `waker`.
    pub(super) fn choose_others(&mut self, waker: &Waker, later: &mut Later) {
        let (own, others): (VecDeque<_>, VecDeque<_>) = std::mem::take(&mut self.row)
            .into_iter()
            .partition(|(_, its)| its.will_wake(waker));
        self.row = own;
        for (_, waker) in others {
            later.push(waker);
        }
    }
}
