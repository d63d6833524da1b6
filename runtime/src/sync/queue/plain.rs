//! Putting and getting where nobody else is concerned: under the lock an entry is pushed or popped, and that
//! is all.
//!
//! Here an entry is handed on by value, and the slot that the store wants is made on the spot: so the compiler
//! keeps it in registers, where it would be written and read again if the slot came from outside. What is
//! large would be copied in each frame, and goes by a slot all the way.

use super::core::{Core, Work};
use super::refusal::{GetError, PutError, Refusal};
use super::state::How;
use super::store::Store;
use crate::sync::backend::{Backend, Flow};
use crate::sync::deadline::Deadline;
use crate::watch::Site;

/// What takes more bytes than this is large.
const LARGE: usize = 256;

/// Whether an entry of this type is to go by a slot.
pub(super) const fn is_large<E>() -> bool {
    size_of::<E>() > LARGE
}

/// What became of a put: what it has displaced, or what was refused.
type Put<E> = Result<Option<E>, PutError<E>>;

impl<S: Store<Entry: Send> + Send, B: Backend> Core<S, B> {
    /// Puts an entry if there is room for it, or if it needs none.
    #[inline]
    pub(in crate::sync) fn try_put(&self, entry: S::Entry, at: Site) -> Put<S::Entry> {
        let mut state = self.lock(at);
        if state.puts_plainly() {
            let mut slot = Some(entry);
            self.flows().entries.posted(1, at);
            state.store.push(&mut slot);
            self.release(state);
            return Ok(slot);
        }
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
        let mut state = self.lock(at);
        if state.puts_plainly() {
            let mut slot = Some(entry);
            self.flows().entries.posted(1, at);
            state.store.push(&mut slot);
            self.release(state);
            return Ok(slot);
        }
        let mut slot = Some(entry);
        let put = self.put_among_others(state, &mut slot, at);
        outcome(self.put_with_patience(put, &mut slot, deadline, at), slot)
    }

    /// Puts the entry of the slot when there is room for it.
    pub(in crate::sync) fn put_slot(
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
        let mut state = self.lock(how.at);
        let mut slot = None;
        if state.gets_plainly()
            && state.store.pop(&mut slot)
            && let Some(entry) = slot
        {
            if work == Work::Kept && S::counts(&entry) {
                state.keep();
            }
            self.release(state);
            self.flows().entries.obtained(how.timed, how.at);
            return Ok(entry);
        }
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
        let how = How {
            at,
            timed: deadline.is_timed(),
        };
        match self.try_get(work, how) {
            Err(GetError::Empty) => {
                let mut slot = None;
                self.get_with_patience(&mut slot, work, deadline, how)?;
                Ok(slot.expect("what was got is in the slot"))
            }
            outcome => outcome,
        }
    }

    /// Gets the next entry, into the slot, when there is one.
    pub(in crate::sync) fn get_slot(
        &self,
        slot: &mut Option<S::Entry>,
        work: Work,
        deadline: Deadline,
        at: Site,
    ) -> Result<(), GetError> {
        let how = How {
            at,
            timed: deadline.is_timed(),
        };
        match self.get_among_others(self.lock(at), slot, work, how) {
            Err(GetError::Empty) => self.get_with_patience(slot, work, deadline, how),
            outcome => outcome,
        }
    }
}

/// What a put by a slot has come to: what it has displaced, or what was refused, is in the slot.
fn outcome<E>(put: Result<(), Refusal>, slot: Option<E>) -> Put<E> {
    match put {
        Ok(()) => Ok(slot),
        Err(refusal) => Err(refusal.of(slot.expect("what is refused stays in its slot"))),
    }
}
