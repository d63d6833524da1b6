//! Messages that an actor has sent to itself for later.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::sync::deadline::due_after;
use crate::sync::threads::Threads;

/// A message that an actor has sent to itself for later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Timer(Instant, u64);

/// Messages of an actor to itself, by the time when they are due.
#[derive(Debug)]
pub(super) struct Timers<M> {
    row: RefCell<BTreeMap<(Instant, u64), M>>,
    next: Cell<u64>,
}

impl<M> Timers<M> {
    pub(super) fn new() -> Timers<M> {
        Timers {
            row: RefCell::default(),
            next: Cell::new(0),
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.row.borrow().len()
    }

    /// When the first one is due.
    pub(super) fn first(&self) -> Option<Instant> {
        self.row.borrow().first_key_value().map(|(key, _)| key.0)
    }

    /// The first one, if it is due.
    #[inline]
    pub(super) fn due<T: Threads>(&self) -> Option<M> {
        if self.is_empty() {
            return None;
        }
        self.first_due::<T>()
    }

    /// Whether there are none.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.row.borrow().is_empty()
    }

    #[inline(never)]
    fn first_due<T: Threads>(&self) -> Option<M> {
        let mut row = self.row.borrow_mut();
        let first = row.first_entry()?;
        (first.key().0 <= T::now()).then(|| first.remove())
    }

    pub(super) fn add<T: Threads>(&self, delay: Duration, message: M) -> Timer {
        let due = due_after::<T>(delay);
        let number = self.next.get();
        self.next.set(number + 1);
        self.row.borrow_mut().insert((due, number), message);
        Timer(due, number)
    }

    pub(super) fn cancel(&self, timer: Timer) -> Option<M> {
        self.row.borrow_mut().remove(&(timer.0, timer.1))
    }
}
