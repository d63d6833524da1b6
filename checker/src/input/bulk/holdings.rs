//! Who holds what, by number, made for speed: an acquisition or a release in order costs a few loads.
//!
//! An acquisition notes the pair of the lock held last and the lock wanted, not a pair for each lock
//! held: the older ones lead to the one held last by pairs noted before, so the same locks reach each
//! other, and the same locks lie on cycles. That needs the lock held last to have been waited for; where
//! it was only tried, the search goes on to the next older one.

use std::hint::select_unpredictable;

use super::pairs::Pairs;

/// What a thread holds.
#[derive(Debug)]
struct Holder {
    /// Oldest first; the very first stands for holding nothing, so that there is always a last. Behind
    /// the last is room.
    places: Vec<Entry>,
    /// Where the last one is.
    last: u32,
    /// The lock that its last operation on locks asked for, if that was a mere request, else [`NOBODY`].
    asked: u32,
}

impl Default for Holder {
    fn default() -> Self {
        Holder {
            places: vec![NOTHING; 8],
            last: 0,
            asked: NOBODY,
        }
    }
}

impl Holder {
    fn held(&self) -> &[Entry] {
        &self.places[..=self.last as usize]
    }

    fn held_mut(&mut self) -> &mut [Entry] {
        &mut self.places[..=self.last as usize]
    }

    fn push(&mut self, entry: Entry) {
        self.last += 1;
        let last = self.last as usize;
        if last + 1 >= self.places.len() {
            self.places.resize(last * 2 + 2, NOTHING);
        }
        self.places[last] = entry;
    }

    fn remove(&mut self, at: usize) {
        self.places.copy_within(at + 1..=self.last as usize, at);
        self.last -= 1;
    }

    /// The lock that it asks for.
    fn asked(&self) -> Option<u32> {
        (self.asked != NOBODY).then_some(self.asked)
    }
}

/// A lock held, in one word: the number of the lock and one more, so that 0 is free for holding nothing,
/// with how it is held above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry(u32);

/// Nothing held: it leads to each lock, and nothing to it, so it is on no cycle.
const NOTHING: Entry = Entry(0);

/// Set in an entry of a lock that is held shared.
const SHARED: u32 = 1 << 31;

/// Set in an entry if not all locks below lead to this one by pairs.
const APART: u32 = 1 << 30;

/// No lock, or nobody.
const NOBODY: u32 = u32::MAX;

impl Entry {
    fn new(lock: u32, side: Side) -> Entry {
        // Each lock takes many bytes elsewhere: there are never so many.
        debug_assert!(lock < APART - 1);
        Entry((lock + 1) | if side == Side::Shared { SHARED } else { 0 })
    }

    /// The lock's number and one more.
    fn lock(self) -> u32 {
        self.0 & !(SHARED | APART)
    }

    fn is_shared(self) -> bool {
        self.0 & SHARED != 0
    }

    /// Whether all locks below lead to it by pairs.
    fn is_led_to(self) -> bool {
        self.0 & APART == 0
    }
}

/// Of a lock that nobody holds.
const FREE: u32 = 0;

/// Of a lock that is held shared, by several threads or several times by one: the fast paths leave it
/// alone until all have let go.
const MANY: u32 = u32::MAX;

/// How an operation asks for a lock, or gives it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Exclusive,
    Shared,
    /// Whichever it holds.
    Any,
}

/// How a release went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Released {
    Well,
    /// It was not held so.
    Wrongly,
}

/// Held locks of all threads, and the pairs that they made.
#[derive(Debug)]
pub(super) struct Holdings {
    threads: Vec<Holder>,
    /// Per lock the number of its one exclusive holder and one more, or [`FREE`], or [`MANY`].
    owners: Vec<u32>,
    /// Per lock of which there are many, how many.
    holds: Vec<u32>,
    pub(super) pairs: Pairs,
    /// Locks whose holder asked for them once more and got them, with how often each is held beyond
    /// the first time, by thread and lock.
    again: super::FxHashMap<(u32, u32), u32>,
    /// Whether to take any lock for one that its holder may take again.
    reentrant: bool,
    /// The locks that were taken again.
    pub(super) reentered: super::FxHashSet<u32>,
}

impl Holdings {
    /// Nothing held. `reentrant`: each lock may be taken again by its holder, and not only those for
    /// which a request was answered.
    pub(super) fn new(pairs_max: usize, reentrant: bool) -> Self {
        Holdings {
            threads: Vec::new(),
            owners: Vec::new(),
            holds: Vec::new(),
            pairs: Pairs::new(pairs_max),
            again: super::FxHashMap::default(),
            reentrant,
            reentered: super::FxHashSet::default(),
        }
    }

    /// Makes room for a thread.
    pub(super) fn thread(&mut self, thread: u32) {
        let count = thread as usize + 1;
        if self.threads.len() < count {
            self.threads.resize_with(count, Holder::default);
        }
    }

    /// Makes room for a lock.
    pub(super) fn lock(&mut self, lock: u32) {
        let count = lock as usize + 1;
        if self.owners.len() < count {
            self.owners.resize(count, FREE);
            self.holds.resize(count, 0);
        }
    }

    /// `thread` waits for `lock` and gets it exclusively if `takes`, else it gives it back. Both must
    /// have room.
    ///
    /// Whether it is the one or the other cannot be foreseen by a processor, so both are done by the same
    /// instructions. The branches here are for what is rare.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "a call for each event would cost as much as its work"
    )]
    pub(super) fn step(&mut self, thread: u32, lock: u32, takes: bool) -> Released {
        let holder = &mut self.threads[thread as usize];
        let owner = &mut self.owners[lock as usize];
        let top = holder.places[holder.last as usize];
        let own = thread + 1;
        let (before, after) = select_unpredictable(takes, (FREE, own), (own, FREE));
        // What the last lock held must be: one that all others lead to, or the very one.
        let expected = select_unpredictable(takes, top.0 & !APART, lock + 1);
        let next = holder.last as usize + 1;
        if *owner ^ before | top.0 ^ expected != 0 || next >= holder.places.len() {
            if takes {
                self.acquire_somehow(thread, lock, Side::Exclusive, true);
                return Released::Well;
            }
            return self.release_somehow(thread, lock, Side::Exclusive);
        }
        *owner = after;
        holder.asked = NOBODY;
        // A release leaves it behind the last one, where it is nothing.
        holder.places[next] = Entry(lock + 1);
        holder.last = holder
            .last
            .wrapping_sub(1)
            .wrapping_add(u32::from(takes) * 2);
        // For a release a pair that is of no meaning, and known.
        self.pairs
            .note(select_unpredictable(takes, top.lock(), 0), lock + 1);
        Released::Well
    }

    /// `thread` gets `lock`, in any state and side; `waits` unless it was only tried.
    #[inline(never)]
    pub(super) fn acquire_somehow(&mut self, thread: u32, lock: u32, side: Side, waits: bool) {
        let holder = &mut self.threads[thread as usize];
        let asked = std::mem::replace(&mut holder.asked, NOBODY) == lock;
        let holds = holder.held().iter().any(|entry| entry.lock() == lock + 1);
        if holds && side != Side::Shared && (self.reentrant || asked) {
            *self.again.entry((thread, lock)).or_default() += 1;
            self.reentered.insert(lock);
            self.make_many(lock);
            return;
        }
        if waits {
            for entry in holder.held().iter().rev() {
                self.pairs.note(entry.lock(), lock + 1);
                if entry.is_led_to() {
                    break;
                }
            }
        }
        let mut entry = Entry::new(lock, side);
        if !waits && holder.last > 0 {
            entry.0 |= APART;
        }
        holder.push(entry);
        if self.owners[lock as usize] == FREE && side != Side::Shared {
            self.owners[lock as usize] = thread + 1;
        } else {
            self.make_many(lock);
            self.holds[lock as usize] += 1;
        }
    }

    /// Takes a lock out of the hands of the fast paths.
    fn make_many(&mut self, lock: u32) {
        match std::mem::replace(&mut self.owners[lock as usize], MANY) {
            MANY => {}
            FREE => self.holds[lock as usize] = 0,
            _ => self.holds[lock as usize] = 1,
        }
    }

    /// `thread` asks for `lock` in a stronger mode than it holds it in.
    pub(super) fn ask_for_more(&mut self, thread: u32, lock: u32) {
        for entry in self.threads[thread as usize].held().iter().rev() {
            if entry.lock() != lock + 1 {
                self.pairs.note(entry.lock(), lock + 1);
            }
            if entry.is_led_to() {
                break;
            }
        }
    }

    /// `thread` asks for `lock` and may not get it.
    #[inline]
    pub(super) fn request(&mut self, thread: u32, lock: u32) {
        self.threads[thread as usize].asked = lock;
    }

    /// `thread` gives `lock` back, from any state and side.
    #[inline(never)]
    pub(super) fn release_somehow(&mut self, thread: u32, lock: u32, side: Side) -> Released {
        let holder = &mut self.threads[thread as usize];
        holder.asked = NOBODY;
        if let Some(times) = self.again.get_mut(&(thread, lock)) {
            *times -= 1;
            if *times == 0 {
                self.again.remove(&(thread, lock));
            }
            return Released::Well;
        }
        let fits = |entry: &Entry| {
            entry.lock() == lock + 1
                && (side == Side::Any || entry.is_shared() == (side == Side::Shared))
        };
        let fitting = holder.held().iter().rposition(fits);
        let any = || {
            let mut held = holder.held().iter();
            held.rposition(|entry| entry.lock() == lock + 1)
        };
        let Some(at) = fitting.or_else(any) else {
            return Released::Wrongly;
        };
        holder.remove(at);
        let holds = &mut self.holds[lock as usize];
        *holds = holds.saturating_sub(1);
        let owner = &mut self.owners[lock as usize];
        if *owner != MANY || *holds == 0 {
            *owner = FREE;
        }
        match fitting {
            Some(_) => Released::Well,
            None => Released::Wrongly,
        }
    }

    /// Changes the side on which `thread` holds `lock`.
    pub(super) fn change(&mut self, thread: u32, lock: u32, side: Side) {
        let held = self.threads[thread as usize].held_mut();
        if let Some(entry) = held.iter_mut().rfind(|entry| entry.lock() == lock + 1) {
            let apart = entry.0 & APART;
            *entry = Entry(Entry::new(lock, side).0 | apart);
            self.make_many(lock);
        }
    }

    /// Whether `thread` holds `lock`.
    pub(super) fn holds(&self, thread: u32, lock: u32) -> bool {
        let holder = self.threads.get(thread as usize);
        holder.is_some_and(|holder| holder.held().iter().any(|entry| entry.lock() == lock + 1))
    }

    /// Whether `thread` holds anything.
    pub(super) fn holds_some(&self, thread: u32) -> bool {
        let holder = self.threads.get(thread as usize);
        holder.is_some_and(|holder| holder.last > 0)
    }

    /// The pairs of what threads hold and what they ask for as the trace ends.
    pub(super) fn note_requests(&mut self) {
        for thread in 0..self.threads.len() {
            let holder = &self.threads[thread];
            let Some(lock) = holder.asked() else { continue };
            if holder.held().iter().any(|entry| entry.lock() == lock + 1) {
                continue;
            }
            for entry in holder.held().iter().rev() {
                self.pairs.note(entry.lock(), lock + 1);
                if entry.is_led_to() {
                    break;
                }
            }
        }
    }

    /// The locks that their holder asks for and never gets, though it may take them.
    pub(super) fn reenters(&self) -> impl Iterator<Item = u32> + '_ {
        let asked = |holder: &Holder| {
            let lock = holder.asked().filter(|_| self.reentrant)?;
            let holds = holder.held().iter().any(|entry| entry.lock() == lock + 1);
            holds.then_some(lock)
        };
        self.threads.iter().filter_map(asked)
    }

    /// Whether a thread asks for a lock and holds another.
    pub(super) fn is_stuck(&self) -> bool {
        let stuck = |holder: &Holder| holder.asked().is_some() && holder.last > 0;
        self.threads.iter().any(stuck)
    }

    /// The locks that `thread` holds.
    pub(super) fn held(&self, thread: u32) -> impl Iterator<Item = u32> + '_ {
        let held = self
            .threads
            .get(thread as usize)
            .map_or(&[][..], Holder::held);
        held.iter().skip(1).map(|entry| entry.lock() - 1)
    }

    /// Takes `lock` from whoever holds it; whether anybody did.
    pub(super) fn free(&mut self, lock: u32) -> bool {
        let mut any = false;
        for holder in &mut self.threads {
            while let Some(at) = holder
                .held()
                .iter()
                .position(|entry| entry.lock() == lock + 1)
            {
                holder.remove(at);
                any = true;
            }
        }
        if let Some(owner) = self.owners.get_mut(lock as usize) {
            *owner = FREE;
        }
        self.again.retain(|&(_, again), _| again != lock);
        any
    }
}
