//! Where the state of a queue is, and under which lock: [`Home`].

use std::ops::DerefMut;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use super::state::State;
use super::store::Store;
use crate::sync::backend::{Backend, Lock, Tracked};
use crate::sync::leaf::LeafMutex;

use crate::watch::Site;

/// A place for the state of a queue: most have a lock of their [`Own`], some share one.
pub(in crate::sync) trait Home<S: Store>: Send + Sync {
    /// The right to use the state; dropping it unlocks.
    type Guard<'a>: DerefMut<Target = State<S>>
    where
        Self: 'a;

    /// Waits until the lock is free and takes it.
    fn lock(&self, at: Site) -> Self::Guard<'_>;

    /// [`lock`](Home::lock) for who knows that nobody is told of it.
    fn lock_untold(&self, at: Site) -> Self::Guard<'_>;

    /// Takes the lock if it is free, for a look.
    fn try_lock(&self, at: Site) -> Option<Self::Guard<'_>>;

    /// [`lock`](Home::lock) for who does not look at the entries.
    #[inline]
    fn lock_to_put(&self, at: Site) -> Self::Guard<'_> {
        self.lock(at)
    }

    /// [`lock_untold`](Home::lock_untold) for who does not look at the entries.
    #[inline]
    fn lock_to_put_untold(&self, at: Site) -> Self::Guard<'_> {
        self.lock_untold(at)
    }

    /// The next entry, if it can be had without the lock; otherwise the lock.
    #[inline]
    fn next_untold(&self, at: Site) -> Result<S::Entry, Self::Guard<'_>> {
        Err(self.lock_untold(at))
    }

    /// Entries may be taken from now on where they can be had without this lock.
    #[inline]
    fn lend(&self, _state: &mut State<S>, _at: Site) {}

    /// Counts anew how much room is taken by what is lent.
    #[inline]
    fn count_lent(&self, _state: &mut State<S>) {}

    /// How many entries can be had without the lock.
    #[inline]
    fn lent(&self) -> usize {
        0
    }

    /// How many entries there were when the lock was last given back: for those who look on for a while before
    /// they wait.
    fn total(&self) -> &AtomicUsize;

    /// Whether there seems to be an entry.
    #[inline]
    fn has_entries(&self) -> bool {
        self.total().load(Relaxed) > 0 || self.lent() > 0
    }
}

/// A state with a lock of its own.
pub(in crate::sync) struct Own<S: Store<Entry: Send> + Send, B: Backend> {
    state: B::Mutex<State<S>>,
    total: AtomicUsize,
}

impl<S: Store<Entry: Send> + Send> Own<S, Tracked> {
    pub(super) const fn tracked(state: State<S>, born: Site) -> Own<S, Tracked> {
        Own {
            state: LeafMutex::of(state, born),
            total: AtomicUsize::new(0),
        }
    }
}

impl<S: Store<Entry: Send> + Send, B: Backend> Own<S, B> {
    pub(super) fn new_at(state: State<S>, born: Site) -> Own<S, B> {
        Own {
            state: B::Mutex::new_at(state, born),
            total: AtomicUsize::new(0),
        }
    }
}

impl<S: Store<Entry: Send> + Send, B: Backend> Home<S> for Own<S, B> {
    type Guard<'a>
        = <B::Mutex<State<S>> as Lock<State<S>>>::Guard<'a>
    where
        Self: 'a;

    #[inline]
    fn lock(&self, at: Site) -> Self::Guard<'_> {
        self.state.lock_at(at)
    }

    #[inline]
    fn lock_untold(&self, at: Site) -> Self::Guard<'_> {
        self.state.lock_untold_at(at)
    }

    #[inline]
    fn try_lock(&self, at: Site) -> Option<Self::Guard<'_>> {
        self.state.try_lock_at(at)
    }

    #[inline]
    fn total(&self) -> &AtomicUsize {
        &self.total
    }
}
