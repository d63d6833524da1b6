//! A state that producers use, and entries that consumers have taken from it together: [`Sides`].
//!
//! Under one lock who gets would stop who puts, again and again, and each turn of it would fetch the state from
//! another processor. So a get that finds several entries takes all of them at once to the consumers' side, which
//! has a lock and a line of memory of its own, and the gets after it take them from there, while the producers
//! have the state to themselves. That is done only while a get concerns nobody else: what looks at all entries, or
//! waits for what becomes of them or for room, first takes back what was lent. So hardly anything else in a
//! queue knows of it. What is lent still takes room; how much is looked at when there seems to be none.
//!
//! These are two locks, and each is a leaf all the same: while a thread has the one it only ever tries the other.
//! Entries are lent and taken back by who has both; so while a thread has the lock of the state nothing is lent,
//! and if nothing is lent then nothing will be.

use std::collections::VecDeque;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use super::home::Home;
use super::state::State;
use super::store::{Entry, Fifo, Store};
use crate::sync::backend::{Backend, Lock, Tracked};
use crate::sync::leaf::LeafMutex;
use crate::sync::threads::Threads;
use crate::watch::Site;

/// So many entries are worth a turn of another lock.
const LENT_MIN: usize = 2;

/// The state of a queue, and beside it what consumers have taken of it together.
pub(in crate::sync) struct Sides<T: Send, B: Backend> {
    state: B::Mutex<State<Fifo<T>>>,
    total: AtomicUsize,
    lent: Lent<T, B>,
}

/// Entries that come out before those of the state. None is a stop. Processors fetch two lines of memory at once.
#[repr(align(128))]
struct Lent<T: Send, B: Backend> {
    row: B::Mutex<VecDeque<Entry<T>>>,
    /// How many they are. Only who has both locks makes it more than it was.
    total: AtomicUsize,
}

impl<T: Send> Sides<T, Tracked> {
    pub(super) const fn tracked(state: State<Fifo<T>>, born: Site) -> Sides<T, Tracked> {
        Sides {
            state: LeafMutex::of(state, born),
            total: AtomicUsize::new(0),
            lent: Lent {
                row: LeafMutex::of(VecDeque::new(), born),
                total: AtomicUsize::new(0),
            },
        }
    }
}

/// The guard of the state.
type Guard<'a, T, B> = <<B as Backend>::Mutex<State<Fifo<T>>> as Lock<State<Fifo<T>>>>::Guard<'a>;

impl<T: Send, B: Backend> Sides<T, B> {
    pub(super) fn new_at(state: State<Fifo<T>>, born: Site) -> Sides<T, B> {
        Sides {
            state: B::Mutex::new_at(state, born),
            total: AtomicUsize::new(0),
            lent: Lent {
                row: B::Mutex::new_at(VecDeque::new(), born),
                total: AtomicUsize::new(0),
            },
        }
    }

    /// The state, with all entries in it.
    #[inline]
    fn whole<'a>(&'a self, mut state: Guard<'a, T, B>, at: Site) -> Guard<'a, T, B> {
        if self.lent() == 0 {
            // What was lent may have been got since that was counted.
            state.note_lent(0);
            return state;
        }
        self.take_back(state, at)
    }

    /// Takes back what is lent. Whoever has the lock of that has it for a moment, and never waits meanwhile.
    #[cold]
    fn take_back<'a>(&'a self, mut state: Guard<'a, T, B>, at: Site) -> Guard<'a, T, B> {
        loop {
            if let Some(mut row) = self.lent.row.try_lock_at(at) {
                self.take_back_row(&mut state, &mut row);
                return state;
            }
            drop(state);
            let mut row = self.lent.row.lock_at(at);
            if let Some(mut state) = self.state.try_lock_at(at) {
                self.take_back_row(&mut state, &mut row);
                return state;
            }
            drop(row);
            state = self.state.lock_at(at);
            if self.lent() == 0 {
                state.note_lent(0);
                return state;
            }
        }
    }

    fn take_back_row(&self, state: &mut State<Fifo<T>>, row: &mut VecDeque<Entry<T>>) {
        state.store.take_back(row);
        state.note_lent(0);
        self.lent.total.store(0, Relaxed);
    }

    #[cold]
    fn lend_row(&self, state: &mut State<Fifo<T>>, at: Site) {
        // If another consumer is there just now, it is not worth to wait for it.
        if let Some(mut row) = self.lent.row.try_lock_at(at) {
            state.store.lend(&mut row);
            state.note_lent(row.len());
            self.lent.total.store(row.len(), Relaxed);
        }
    }

    /// The next one of those that are lent, if there are any.
    #[inline]
    fn next_lent(&self, at: Site) -> Option<Entry<T>> {
        if self.lent() == 0 {
            return None;
        }
        let mut row = self.lent.row.lock_untold_at(at);
        let entry = row.pop_front()?;
        self.lent.total.store(row.len(), Relaxed);
        Some(entry)
    }
}

impl<T: Send, B: Backend> Home<Fifo<T>> for Sides<T, B> {
    type Guard<'a>
        = Guard<'a, T, B>
    where
        Self: 'a;

    #[inline]
    fn lock(&self, at: Site) -> Self::Guard<'_> {
        self.whole(self.state.lock_at(at), at)
    }

    #[inline]
    fn lock_untold(&self, at: Site) -> Self::Guard<'_> {
        self.whole(self.state.lock_untold_at(at), at)
    }

    #[inline]
    fn try_lock(&self, at: Site) -> Option<Self::Guard<'_>> {
        self.state.try_lock_at(at)
    }

    #[inline]
    fn lock_to_put(&self, at: Site) -> Self::Guard<'_> {
        self.state.lock_at(at)
    }

    #[inline]
    fn lock_to_put_untold(&self, at: Site) -> Self::Guard<'_> {
        self.state.lock_untold_at(at)
    }

    #[inline]
    fn next_untold(&self, at: Site) -> Result<Entry<T>, Self::Guard<'_>> {
        loop {
            if let Some(entry) = self.next_lent(at) {
                return Ok(entry);
            }
            let state = self.state.lock_untold_at(at);
            if self.lent() == 0 {
                return Err(state);
            }
            // Another consumer was quicker, and has taken several.
            drop(state);
        }
    }

    #[inline]
    fn count_lent(&self, state: &mut State<Fifo<T>>) {
        state.note_lent(self.lent());
    }

    #[inline]
    fn lend(&self, state: &mut State<Fifo<T>>, at: Site) {
        if state.store.total() >= LENT_MIN && state.may_lend() {
            self.lend_row(state, at);
        }
    }

    #[inline]
    fn lent(&self) -> usize {
        B::Threads::step();
        self.lent.total.load(Relaxed)
    }

    #[inline]
    fn total(&self) -> &AtomicUsize {
        &self.total
    }
}
