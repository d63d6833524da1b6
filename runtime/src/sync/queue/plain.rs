//! Putting and getting where nobody else is concerned: under the lock an entry is pushed or popped, and that
//! is all.
//!
//! Here an entry is handed on by value, and the slot that the store wants is made on the spot; what is left to
//! do otherwise is behind a call of its own. So the compiler keeps a small entry, and whether it was put, in
//! registers: through memory that a call may see, each would be written in parts and read as a whole, which
//! costs more than a lock. What is large would be copied in each frame, and goes by a slot all the way.
//!
//! Where somebody is told of each unit and lock, there is more to do.

use std::task::Waker;

use super::core::{Core, Guard, Work};
use super::home::Home;
use super::how::How;
use super::refusal::{GetError, PutError, Refusal};
use super::store::Store;
use crate::sync::backend::Backend;
use crate::sync::deadline::Deadline;
use crate::waiting::{Ticket, wake};
use crate::watch::Site;

/// What takes more bytes than this is large.
const LARGE: usize = 256;

/// Whether an entry of this type is to go by a slot.
pub(in crate::sync) const fn is_large<E>() -> bool {
    size_of::<E>() > LARGE
}

/// There is more to do: the lock, and the entry.
pub(in crate::sync) type More<'a, S, H> = (Guard<'a, S, H>, <S as Store>::Entry);

/// What became of a put: what it has displaced, or what was refused.
type Put<E> = Result<Option<E>, PutError<E>>;

impl<S: Store<Entry: Send> + Send, B: Backend, H: Home<S>> Core<S, B, H> {
    /// Puts an entry if that is all that there is to do. What it has displaced; otherwise the lock, and the entry.
    #[inline]
    pub(in crate::sync) fn put_plainly(
        &self,
        entry: S::Entry,
        at: Site,
    ) -> Result<Option<S::Entry>, More<'_, S, H>> {
        if !self.is_untold() {
            return Err((self.lock_to_put(at), entry));
        }
        let mut state = self.home().lock_to_put_untold(at);
        if !state.puts_plainly() {
            return Err((state, entry));
        }
        let mut slot = Some(entry);
        state.store.push(&mut slot);
        self.release(state);
        Ok(slot)
    }

    /// [`try_put`](Core::try_put) for who usually wakes one that waits for an entry.
    #[inline]
    pub(in crate::sync) fn try_put_waking(&self, entry: S::Entry, at: Site) -> Put<S::Entry> {
        if !self.is_untold() {
            return self.try_put_locked(self.lock_to_put(at), entry, at);
        }
        let mut state = self.home().lock_to_put_untold(at);
        if !state.puts_waking() {
            return self.try_put_locked(state, entry, at);
        }
        let mut slot = Some(entry);
        state.store.push(&mut slot);
        let waker = state.choose_getter();
        self.release(state);
        if let Some(waker) = waker {
            wake(waker);
        }
        Ok(slot)
    }

    /// Gets the next entry, if there is one and that is all that there is to do. Otherwise the lock.
    #[expect(
        clippy::inline_always,
        reason = "called out of line it costs as much as its two turns of a lock"
    )]
    #[inline(always)]
    pub(in crate::sync) fn get_plainly(
        &self,
        work: Work,
        how: How,
    ) -> Result<S::Entry, Guard<'_, S, H>> {
        if !self.is_untold() {
            return Err(self.lock(how.at));
        }
        if work == Work::Kept {
            return self.take_plainly(self.home().lock_untold(how.at), work);
        }
        match self.home().next_untold(how.at) {
            Ok(entry) => Ok(entry),
            Err(state) => self.take_plainly(state, work),
        }
    }

    /// [`get_plainly`](Core::get_plainly) for who has the lock, of which nobody is told.
    #[expect(clippy::inline_always, reason = "it is most of `get_plainly`")]
    #[inline(always)]
    pub(in crate::sync) fn take_plainly<'a>(
        &'a self,
        mut state: Guard<'a, S, H>,
        work: Work,
    ) -> Result<S::Entry, Guard<'a, S, H>> {
        let inner = &mut *state;
        if !inner.gets_plainly() {
            return Err(state);
        }
        let mut slot = None;
        inner.store.pop(&mut slot);
        let Some(entry) = slot else {
            return Err(state);
        };
        match work {
            Work::Kept if S::counts(&entry) => inner.keep(),
            Work::Kept => {}
            // A get that does nothing else to the state needs it no more.
            Work::Done => self.home().lend(inner, self.born()),
        }
        self.release(state);
        Ok(entry)
    }

    /// [`get_plainly`](Core::get_plainly) for the only one who gets, and waits for the next entry if it is given a
    /// waker and got the last one: in the same turn of the lock. The entry, and whether it waits.
    #[inline]
    pub(in crate::sync) fn get_plainly_and_wait(
        &self,
        ticket: &mut Ticket,
        waker: Option<&Waker>,
        how: How,
    ) -> Option<(S::Entry, bool)> {
        // Dropped when the lock is given back, if it is not used.
        let mut waker = waker.cloned();
        let mut state = self.lock_untold(how.at)?;
        let inner = &mut *state;
        if !inner.gets_plainly() {
            return None;
        }
        let entry = inner.store.next()?;
        let mut waits = false;
        if inner.store.total() == 0
            && inner.is_open()
            && let Some(own) = waker.take()
        {
            waker = inner.wait_alone(ticket, own);
            waits = waker.is_none();
        }
        self.release(state);
        Some((entry, waits))
    }

    /// Puts an entry if there is room for it, or if it needs none.
    #[inline]
    pub(in crate::sync) fn try_put(&self, entry: S::Entry, at: Site) -> Put<S::Entry> {
        match self.put_plainly(entry, at) {
            Ok(displaced) => Ok(displaced),
            Err((state, entry)) => self.try_put_locked(state, entry, at),
        }
    }

    #[inline(never)]
    pub(in crate::sync) fn try_put_locked(
        &self,
        state: Guard<'_, S, H>,
        entry: S::Entry,
        at: Site,
    ) -> Put<S::Entry> {
        let mut slot = Some(entry);
        let put = self.put_among_others(state, &mut slot, at);
        outcome(put.map(|_| ()), slot)
    }

    /// Puts an entry when there is room for it.
    #[inline]
    pub(in crate::sync) fn put(
        &self,
        entry: S::Entry,
        deadline: Deadline,
        at: Site,
    ) -> Put<S::Entry> {
        match self.put_plainly(entry, at) {
            Ok(displaced) => Ok(displaced),
            Err((state, entry)) => self.put_locked(state, entry, deadline, at),
        }
    }

    #[inline(never)]
    pub(in crate::sync) fn put_locked(
        &self,
        state: Guard<'_, S, H>,
        entry: S::Entry,
        deadline: Deadline,
        at: Site,
    ) -> Put<S::Entry> {
        let mut slot = Some(entry);
        let put = self.put_among_others(state, &mut slot, at);
        outcome(self.put_with_patience(put, &mut slot, deadline, at), slot)
    }

    /// Puts the entry of the slot when there is room for it.
    pub(super) fn put_slot(
        &self,
        slot: &mut Option<S::Entry>,
        deadline: Deadline,
        at: Site,
    ) -> Result<(), Refusal> {
        let put = self.put_among_others(self.lock(at), slot, at);
        self.put_with_patience(put, slot, deadline, at)
    }

    /// Gets the next entry, if there is one.
    #[inline]
    pub(in crate::sync) fn try_get(&self, work: Work, how: How) -> Result<S::Entry, GetError> {
        match self.get_plainly(work, how) {
            Ok(entry) => Ok(entry),
            Err(state) => self.try_get_locked(state, work, how),
        }
    }

    #[inline(never)]
    pub(in crate::sync) fn try_get_locked(
        &self,
        state: Guard<'_, S, H>,
        work: Work,
        how: How,
    ) -> Result<S::Entry, GetError> {
        let mut slot = None;
        self.get_among_others(state, &mut slot, work, how)?;
        Ok(slot.expect("what was got is in the slot"))
    }

    /// Gets the next entry, when there is one.
    #[inline]
    pub(in crate::sync) fn get(
        &self,
        work: Work,
        deadline: Deadline,
        at: Site,
    ) -> Result<S::Entry, GetError> {
        match self.get_plainly(work, How::until(deadline, at)) {
            Ok(entry) => Ok(entry),
            Err(state) => self.get_locked(state, work, deadline, at),
        }
    }

    #[inline(never)]
    pub(in crate::sync) fn get_locked(
        &self,
        state: Guard<'_, S, H>,
        work: Work,
        deadline: Deadline,
        at: Site,
    ) -> Result<S::Entry, GetError> {
        let (mut slot, how) = (None, How::until(deadline, at));
        let got = self.get_among_others(state, &mut slot, work, how);
        self.get_with_patience(got, &mut slot, work, deadline, how)?;
        Ok(slot.expect("what was got is in the slot"))
    }

    /// Gets the next entry, into the slot, when there is one.
    pub(super) fn get_slot(
        &self,
        slot: &mut Option<S::Entry>,
        work: Work,
        deadline: Deadline,
        at: Site,
    ) -> Result<(), GetError> {
        let how = How::until(deadline, at);
        let got = self.get_among_others(self.lock(at), slot, work, how);
        self.get_with_patience(got, slot, work, deadline, how)
    }
}

/// What a put by a slot has come to: what it has displaced, or what was refused, is in the slot.
pub(super) fn outcome<E>(put: Result<(), Refusal>, slot: Option<E>) -> Put<E> {
    match put {
        Ok(()) => Ok(slot),
        Err(refusal) => Err(refusal.of(slot.expect("what is refused stays in its slot"))),
    }
}
