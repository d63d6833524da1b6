//! What a put or a get does that cannot go on at once, before it queues up: it looks on for a moment.
//!
//! Queueing up costs two turns of the lock, and whoever ends the wait has to wake a thread. Where both sides
//! keep pace there is no need for either. Nobody passes those who have queued up: as long as one of
//! them waits, whoever comes later finds no room.

use std::cell::Cell;

use super::core::{Core, Work};
use super::home::Home;
use super::how::How;
use super::plain::is_large;
use super::refusal::{GetError, Refusal};
use super::store::Store;
use crate::sync::backend::Backend;
use crate::sync::deadline::Deadline;
use crate::sync::park::{self, Look};
use crate::sync::threads::Threads;
use crate::watch::Site;

/// How often a put or a get that looked on, and saw a change, finds that another was quicker, before it
/// queues up.
const LOOKS: u32 = 4;

/// Room for so many entries is worth waiting for together.
const SEVERAL: usize = 64;

/// How often a put gives way to others before it goes on.
const YIELDS: u32 = 2;

impl<S: Store<Entry: Send> + Send, B: Backend, H: Home<S>> Core<S, B, H> {
    /// Goes on with a put that has passed by others, or that found no room.
    #[cold]
    pub(super) fn put_with_patience(
        &self,
        mut outcome: Result<bool, Refusal>,
        slot: &mut Option<S::Entry>,
        deadline: Deadline,
        at: Site,
    ) -> Result<(), Refusal> {
        let room = self.capacity().unwrap_or(usize::MAX);
        let rendezvous = room == 0;
        let mut looks = if rendezvous { LOOKS } else { 0 };
        // Not for room for one: it would be full again at once, and both sides would meet at each entry.
        let few = room - room.div_ceil(2).min(SEVERAL);
        while outcome == Err(Refusal::Full)
            && looks < LOOKS
            && self.look_for_room(few, room, deadline)
        {
            outcome = self.put_among_others(self.lock_to_put(at), slot, at);
            looks += 1;
        }
        match outcome {
            Ok(passes_by) => {
                if passes_by {
                    self.let_others_run(at);
                }
                Ok(())
            }
            // Now it gives way in the row, where room is kept for it: outside it might find none again and again.
            Err(Refusal::Full) => {
                let look = if rendezvous {
                    Look::Both
                } else {
                    Look::GiveWay
                };
                self.put_later(slot, look, deadline, at)
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// Goes on with a get that found nothing.
    #[cold]
    pub(super) fn get_with_patience(
        &self,
        mut outcome: Result<(), GetError>,
        slot: &mut Option<S::Entry>,
        work: Work,
        deadline: Deadline,
        how: How,
    ) -> Result<(), GetError> {
        // From hand to hand nothing is given to somebody who does not wait.
        let rendezvous = self.capacity() == Some(0);
        let mut looks = if rendezvous { LOOKS } else { 0 };
        while outcome == Err(GetError::Empty)
            && looks < LOOKS
            && park::look_on::<B::Threads>(Look::Both, deadline, || self.home().has_entries())
        {
            outcome = self.get_again(slot, work, how);
            looks += 1;
        }
        match outcome {
            Err(GetError::Empty) => {
                let look = rendezvous.then_some(Look::Both);
                self.get_later(slot, work, look, deadline, how)
            }
            outcome => outcome,
        }
    }

    /// Looks on until there are at most `few` entries, but has had its fill if there is some room at last.
    fn look_for_room(&self, few: usize, room: usize, deadline: Deadline) -> bool {
        let looks = Cell::new(1);
        park::look_on::<B::Threads>(Look::Both, deadline, || {
            let is_late = looks.replace(looks.get() + 1) >= park::ROUNDS;
            let total = self.seen_total();
            total <= few || is_late && total < room
        })
    }

    /// Tries a get again.
    fn get_again(&self, slot: &mut Option<S::Entry>, work: Work, how: How) -> Result<(), GetError> {
        if is_large::<S::Entry>() {
            return self.get_among_others(self.lock(how.at), slot, work, how);
        }
        match self.get_plainly(work, how) {
            Ok(entry) => {
                *slot = Some(entry);
                Ok(())
            }
            Err(state) => self.get_among_others(state, slot, work, how),
        }
    }

    /// Gives way to producers that were woken and do not run yet: one that runs and never has to wait would take
    /// all the room meanwhile. If they still do not run they are passed by once more.
    #[cold]
    fn let_others_run(&self, at: Site) {
        for _ in 0..YIELDS {
            B::Threads::give_way();
            if !self.lock_to_put(at).passes_by() {
                return;
            }
        }
        self.lock_to_put(at).pass_by_again();
    }
}
