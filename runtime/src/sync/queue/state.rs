//! What happens to a queue under its lock.
//!
//! A put that has to wait leaves its entry here, in a row. Whoever makes room moves entries from the head
//! of that row into the store, so that waiting puts succeed in the order in which they came, and a put
//! that comes later cannot pass them. A get that has to wait queues up, and is chosen when an entry gets
//! into the store; it then tries again.
//!
//! A future may be dropped instead of being told that its put succeeded. So it keeps its entry while it waits:
//! whoever makes room keeps some for it, and it puts its entry there when it is polled, or gives the room on.
//!
//! A queue without capacity has as much room as there are gets that wait and have nothing to take yet. There
//! futures leave their entries too: a get that does not wait could meet none of them otherwise.

use std::collections::VecDeque;
use std::task::Waker;

use super::putting::{Keeps, give_back};
use super::store::Store;
use crate::sync::backend::{Backend, Flow};
use crate::waiting::{Later, Left, Ticket, Waiters};
use crate::watch::Site;

/// How far a queue is closed. It only ever goes forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    Open,
    /// Nothing can be put.
    Closed,
    /// And what was left has been taken out.
    Emptied,
}

/// What the watcher is told of a queue.
pub(in crate::sync) struct Flows<B: Backend> {
    /// A unit per entry, from put to get.
    pub(super) entries: B::Flow,
    /// A unit per put that had to wait, from who made room for it.
    pub(super) room: B::Flow,
    /// Units for those who learn that the queue is closed.
    pub(super) end: B::Flow,
    /// Units for those who wait until all is done.
    pub(super) done: B::Flow,
}

impl<B: Backend> Flows<B> {
    pub(in crate::sync) fn entries(&self) -> &B::Flow {
        &self.entries
    }
}

/// An end of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sync) enum End {
    /// Where things are got.
    Get,
    /// Where they are put.
    Put,
}

/// The state of a queue. What each put changes comes first, on the line of memory of the lock.
#[repr(C)]
pub(in crate::sync) struct State<S: Store> {
    pub(in crate::sync) store: S,
    /// How many entries that count there is room for.
    room: usize,
    /// How many entries take room that are not in the store, since consumers have taken them ahead: at least as many
    /// as there are of these yet.
    lent: usize,
    pub(super) phase: Phase,
    /// Puts that wait for room, in the order in which they came. There is none for the first.
    putters: VecDeque<Putter<S::Entry>>,
    next_putter: u64,
    /// Waiting puts that were accepted, or have room kept for them, and do not know it yet.
    admitted: usize,
    /// Puts that did not have to wait, since one of those was accepted or came back.
    passed_by: u32,
    getters: Waiters,
    /// Pollers that want to know when something can be got, or put.
    get_watchers: Waiters,
    put_watchers: Waiters,
    /// Entries that were got, and are not done yet. Those in the store are not either.
    kept: usize,
    joiners: Waiters,
    /// Units of the end that nobody has taken.
    end_units: u32,
    /// How many of those that were [admitted](State::admitted) have room kept for them.
    promised: usize,
}

/// From here on puts that do not have to wait let those run that had to: as many as fill the queue, so that
/// who runs has something to do, but of a small one some more, as it would else be a switch of threads each.
fn passed_by_max(room: usize) -> u32 {
    u32::try_from(room).unwrap_or(u32::MAX).max(8)
}

/// A put that waits for room.
struct Putter<E> {
    number: u64,
    /// There until it leaves the row, unless its future keeps it.
    entry: Option<E>,
    owner: Owner,
}

enum Owner {
    /// Somebody waits; woken already, if there is no waker.
    Waits(Option<Waker>),
    /// It was put for good, behind others that wait.
    Nobody,
}

/// What became of a put that waited.
pub(super) enum Fate {
    Waits,
    Accepted,
    /// The queue was closed meanwhile; the entry is back in the slot.
    Refused {
        /// Room was kept for it, of which it was told.
        had_room: bool,
    },
}

impl<S: Store> State<S> {
    pub(in crate::sync) const fn new(store: S, capacity: Option<usize>) -> State<S> {
        State {
            store,
            room: match capacity {
                Some(capacity) => capacity,
                None => usize::MAX,
            },
            lent: 0,
            phase: Phase::Open,
            putters: VecDeque::new(),
            next_putter: 0,
            admitted: 0,
            passed_by: 0,
            getters: Waiters::new(),
            get_watchers: Waiters::new(),
            put_watchers: Waiters::new(),
            kept: 0,
            joiners: Waiters::new(),
            end_units: 0,
            promised: 0,
        }
    }

    pub(in crate::sync) fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    /// Whether an entry that counts could be put now.
    #[inline]
    pub(in crate::sync) fn has_room(&self) -> bool {
        self.putters.is_empty() && self.fits()
    }

    /// Whether there is room for an entry, and nobody to be told of it or to be let pass: then
    /// [`Store::push`] is all that there is to do.
    #[inline]
    pub(in crate::sync) fn puts_plainly(&self) -> bool {
        self.fits_store() && self.concerns_nobody()
    }

    /// Whether a put concerns nobody but one who waits for an entry: then [`Store::push`] and
    /// [`choose_getter`](State::choose_getter) are all that there is to do.
    #[inline]
    pub(super) fn puts_waking(&self) -> bool {
        let nobody = self.putters.len() | self.admitted == 0;
        self.fits_store() && nobody && !self.get_watchers.any_waiting() && self.is_open()
    }

    /// The first of those who wait for an entry, to be woken.
    #[inline]
    pub(super) fn choose_getter(&mut self) -> Option<Waker> {
        self.getters.choose()
    }

    /// The only one who gets waits for the next entry. The waker, if that is not so.
    #[inline]
    pub(super) fn wait_alone(&mut self, ticket: &mut Ticket, waker: Waker) -> Option<Waker> {
        self.getters.enter_alone(ticket, waker)
    }

    /// Whether entries may be taken ahead by who gets: where they go from hand to hand it is counted who waits.
    #[inline]
    pub(super) fn may_lend(&self) -> bool {
        !self.is_rendezvous()
    }

    /// So many entries take room that are not in the store.
    #[inline]
    pub(super) fn note_lent(&mut self, lent: usize) {
        self.lent = lent;
    }

    /// Whether a put is plain, however many come before it.
    #[inline]
    pub(in crate::sync) fn puts_plainly_always(&self) -> bool {
        self.room == usize::MAX && self.concerns_nobody()
    }

    /// Whether a put that there is room for concerns nobody else.
    #[inline]
    fn concerns_nobody(&self) -> bool {
        let others = self.getters.any_waiting() | self.get_watchers.any_waiting();
        let nobody = self.putters.len() | self.admitted == 0;
        nobody && !others && self.is_open()
    }

    /// Whether nobody is to be told if an entry is taken out: then [`Store::pop`] is all that there is to do.
    #[inline]
    pub(super) fn gets_plainly(&self) -> bool {
        let others = self.put_watchers.any_waiting() | self.joiners.any_waiting();
        !others && self.putters.is_empty()
    }

    /// Whether producers that were woken do not get to run, and are passed by again and again.
    #[inline]
    pub(super) fn passes_by(&self) -> bool {
        self.admitted > 0 && self.passed_by >= passed_by_max(self.room)
    }

    /// Begins anew to count who is passed by.
    pub(super) fn pass_by_again(&mut self) {
        self.passed_by = 0;
    }

    /// Whether entries go from hand to hand.
    #[inline]
    fn is_rendezvous(&self) -> bool {
        self.room == 0
    }

    /// Whether there is room for the first of those that wait.
    #[inline]
    fn fits(&self) -> bool {
        if self.is_rendezvous() {
            self.store.total() < self.getters.present()
        } else {
            self.store.len() + self.lent + self.promised < self.room
        }
    }

    /// Whether it would fit into the store, as far as that counts, and if no room is promised.
    #[inline]
    fn fits_store(&self) -> bool {
        self.store.len() + self.lent < self.room
    }

    /// How many threads, tasks and pollers wait for anything.
    pub(super) fn waiting(&self) -> usize {
        let rows = [
            &self.getters,
            &self.get_watchers,
            &self.put_watchers,
            &self.joiners,
        ];
        self.putters.len() + rows.map(Waiters::waiting).iter().sum::<usize>()
    }

    /// Whether something could be got now.
    fn has_entry(&self) -> bool {
        self.store.total() > 0
            || (self.is_rendezvous() && self.is_open() && !self.putters.is_empty())
    }

    /// Whether something could be done at this end, or never can.
    pub(super) fn is_ready(&self, end: End) -> bool {
        let possible = match end {
            End::Get => self.has_entry(),
            End::Put => self.has_room(),
        };
        possible || !self.is_open()
    }

    /// The pollers of this end.
    pub(super) fn watchers(&mut self, end: End) -> &mut Waiters {
        match end {
            End::Get => &mut self.get_watchers,
            End::Put => &mut self.put_watchers,
        }
    }

    /// Puts an entry that there is room for, or that needs none. What it has displaced is left in the slot.
    #[inline]
    pub(in crate::sync) fn put<B: Backend>(
        &mut self,
        slot: &mut Option<S::Entry>,
        flows: &Flows<B>,
        at: Site,
        later: &mut Later,
    ) {
        flows.entries.posted(1, at);
        if self.putters.is_empty() {
            self.passed_by = self.passed_by.saturating_add(1);
            self.accept(slot, later);
        } else {
            // A stop keeps its place behind the items that came before.
            self.queue(slot, Owner::Nobody);
        }
    }

    /// Puts an entry in place of one that was taken out, which is done in a way, ahead of puts that wait.
    pub(in crate::sync) fn replace(&mut self, slot: &mut Option<S::Entry>, later: &mut Later) {
        self.accept(slot, later);
    }

    /// Lets a put wait for room, and returns its number.
    pub(super) fn wait_for_room<B: Backend>(
        &mut self,
        slot: &mut Option<S::Entry>,
        keeps: Keeps,
        waker: Waker,
        flows: &Flows<B>,
        at: Site,
        later: &mut Later,
    ) -> u64 {
        if keeps == Keeps::Entry && !self.is_rendezvous() {
            return self.queue(&mut None, Owner::Waits(Some(waker)));
        }
        flows.entries.posted(1, at);
        if self.is_rendezvous() {
            // But not the one who waits here: a select may watch both ends.
            self.get_watchers.choose_others(&waker, later);
        }
        self.queue(slot, Owner::Waits(Some(waker)))
    }

    fn queue(&mut self, slot: &mut Option<S::Entry>, owner: Owner) -> u64 {
        let number = self.next_putter;
        self.next_putter += 1;
        self.putters.push_back(Putter {
            number,
            entry: slot.take(),
            owner,
        });
        number
    }

    /// Takes an entry into the store. What it has displaced is left in the slot.
    #[inline]
    fn accept(&mut self, slot: &mut Option<S::Entry>, later: &mut Later) {
        self.store.push(slot);
        self.getters.choose_one(later);
        self.get_watchers.choose_all(later);
    }

    /// Moves entries of waiting puts into the store, as far as there is room.
    #[inline]
    fn admit<B: Backend>(&mut self, flows: &Flows<B>, at: Site, later: &mut Later) {
        while let Some(first) = self.putters.front()
            && self.is_open()
            && (first.entry.as_ref().is_some_and(|entry| !S::counts(entry)) || self.fits())
        {
            if let Some(mut first) = self.putters.pop_front() {
                self.admitted += first.owner.wake(flows, at, later);
                if first.entry.is_some() {
                    self.accept(&mut first.entry, later);
                } else {
                    self.promised += 1;
                }
            }
        }
    }

    /// Takes the entry that is next out, into the slot, and lets waiting puts move up. Whether there was one.
    #[inline]
    pub(in crate::sync) fn take<B: Backend>(
        &mut self,
        slot: &mut Option<S::Entry>,
        flows: &Flows<B>,
        at: Site,
        later: &mut Later,
    ) -> bool {
        if !self.store.pop(slot) {
            // Without capacity an entry goes from hand to hand.
            if !self.is_rendezvous() || !self.is_open() {
                return false;
            }
            let Some(mut first) = self.putters.pop_front() else {
                return false;
            };
            self.admitted += first.owner.wake(flows, at, later);
            *slot = first.entry.take();
        }
        self.made_room(flows, at, later);
        true
    }

    /// Something was taken out.
    pub(in crate::sync) fn made_room<B: Backend>(
        &mut self,
        flows: &Flows<B>,
        at: Site,
        later: &mut Later,
    ) {
        self.admit(flows, at, later);
        if self.has_room() {
            self.put_watchers.choose_all(later);
        }
    }

    /// A get waits, or goes on waiting.
    #[inline]
    pub(super) fn wait_for_entry(&mut self, ticket: &mut Ticket, waker: Waker, later: &mut Later) {
        self.getters.enter(ticket, waker, later);
        if self.is_rendezvous() && self.has_room() {
            self.put_watchers.choose_all(later);
        }
    }

    /// A get waits no more, and has got what it wanted, or knows that there is nothing.
    pub(super) fn leave_get(&mut self, ticket: &mut Ticket, later: &mut Later) {
        self.getters.leave(ticket, later);
    }

    /// A get waits no more, and has not looked: if it was chosen, the next one is.
    pub(super) fn abandon_get(&mut self, ticket: &mut Ticket, later: &mut Later) {
        if self.getters.leave(ticket, later) == Left::Chosen && self.store.total() > 0 {
            self.getters.choose_one(later);
        }
    }

    /// What became of a put that waits. If it still does, it is woken by `waker` from now on.
    pub(super) fn fate<B: Backend>(
        &mut self,
        number: u64,
        slot: &mut Option<S::Entry>,
        waker: Waker,
        flows: &Flows<B>,
        site: Site,
        later: &mut Later,
    ) -> Fate {
        let Some(at) = self.putter(number) else {
            later.drop_later(Some(waker));
            self.admitted -= 1;
            self.passed_by = 0;
            if slot.is_none() {
                return Fate::Accepted;
            }
            self.promised -= 1;
            if !self.is_open() {
                return Fate::Refused { had_room: true };
            }
            flows.entries.posted(1, site);
            self.accept(slot, later);
            return Fate::Accepted;
        };
        if self.is_open() {
            let old = std::mem::replace(&mut self.putters[at].owner, Owner::Waits(Some(waker)));
            if let Owner::Waits(old) = old {
                later.drop_later(old);
            }
            return Fate::Waits;
        }
        later.drop_later(Some(waker));
        let putter = self.putters.remove(at);
        give_back(putter.and_then(|putter| putter.entry), slot);
        Fate::Refused { had_room: false }
    }

    /// Takes a put back: its entry is in the slot then, unless it was accepted meanwhile. False if it was, or had room
    /// kept for it.
    pub(super) fn withdraw<B: Backend>(
        &mut self,
        number: u64,
        slot: &mut Option<S::Entry>,
        flows: &Flows<B>,
        at: Site,
        later: &mut Later,
    ) -> bool {
        let Some(putter) = self.putter(number) else {
            self.admitted -= 1;
            if slot.is_some() {
                self.promised -= 1;
                self.made_room(flows, at, later);
            }
            return false;
        };
        if let Some(putter) = self.putters.remove(putter) {
            if let Owner::Waits(waker) = putter.owner {
                later.drop_later(waker);
            }
            give_back(putter.entry, slot);
        }
        self.made_room(flows, at, later);
        true
    }

    fn putter(&self, number: u64) -> Option<usize> {
        self.putters
            .binary_search_by_key(&number, |putter| putter.number)
            .ok()
    }

    /// Closes the queue; false if it was.
    pub(super) fn close<B: Backend>(
        &mut self,
        flows: &Flows<B>,
        at: Site,
        later: &mut Later,
    ) -> bool {
        if self.phase != Phase::Open {
            return false;
        }
        self.phase = Phase::Closed;
        // Entries that were put for good stay; the others go back to those who wait.
        let (waiting, put): (VecDeque<_>, VecDeque<_>) = std::mem::take(&mut self.putters)
            .into_iter()
            .partition(|putter| matches!(putter.owner, Owner::Waits(_)));
        self.putters = waiting;
        for mut putter in put {
            self.accept(&mut putter.entry, later);
        }
        self.end_units = u32::try_from(self.getters.waiting() + 1).unwrap_or(u32::MAX);
        flows.end.posted(self.end_units, at);
        self.getters.choose_all(later);
        self.get_watchers.choose_all(later);
        self.put_watchers.choose_all(later);
        for putter in &mut self.putters {
            if let Owner::Waits(waker) = &mut putter.owner
                && let Some(waker) = waker.take()
            {
                later.push(waker);
            }
        }
        true
    }

    /// Somebody learns that the queue is closed. Whether there is a unit for that.
    pub(super) fn take_end_unit(&mut self) -> bool {
        let is_there = self.end_units > 0;
        self.end_units -= u32::from(is_there);
        is_there
    }

    /// An entry was got that is not done yet.
    #[inline]
    pub(super) fn keep(&mut self) {
        self.kept += 1;
    }

    /// An entry that was kept is done.
    pub(super) fn finish_kept<B: Backend>(
        &mut self,
        flows: &Flows<B>,
        at: Site,
        later: &mut Later,
    ) {
        self.kept -= 1;
        self.finished(flows, at, later);
    }

    /// Whether all that was put is done.
    #[inline]
    pub(super) fn is_done(&self) -> bool {
        self.kept == 0 && self.store.len() == 0
    }

    /// Entries are done: those who wait until all are may be told.
    pub(in crate::sync) fn finished<B: Backend>(
        &mut self,
        flows: &Flows<B>,
        at: Site,
        later: &mut Later,
    ) {
        flows.done.told(at);
        if self.joiners.any_waiting() && self.is_done() {
            let waiting = u32::try_from(self.joiners.waiting()).unwrap_or(u32::MAX);
            flows.done.posted(waiting, at);
            self.joiners.choose_all(later);
        }
    }

    /// A join waits, or goes on waiting.
    pub(super) fn wait_for_done(&mut self, ticket: &mut Ticket, waker: Waker, later: &mut Later) {
        self.joiners.enter(ticket, waker, later);
    }

    /// Whether a join may go on: all is done, or was, since it came.
    pub(super) fn is_joined(&self, ticket: &Ticket) -> bool {
        self.is_done() || self.joiners.is_chosen(ticket)
    }

    /// A join waits no more.
    pub(super) fn leave_join(&mut self, ticket: &mut Ticket, later: &mut Later) -> Left {
        self.joiners.leave(ticket, later)
    }
}

impl Owner {
    /// Its entry is accepted, or may be put: whoever waits for that is woken. How many that are.
    fn wake<B: Backend>(&mut self, flows: &Flows<B>, at: Site, later: &mut Later) -> usize {
        let Owner::Waits(waker) = self else { return 0 };
        flows.room.posted(1, at);
        if let Some(waker) = waker.take() {
            later.push(waker);
        }
        1
    }
}
