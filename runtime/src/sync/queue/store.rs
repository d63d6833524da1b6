//! In which order entries come out.

use std::collections::VecDeque;
use std::mem;

/// The entries of a queue. No method may run code of the program.
///
/// Entries move through slots, not through arguments: a large one would otherwise be copied in each frame.
pub(in crate::sync) trait Store {
    /// What is put and got.
    type Entry;

    /// Whether entries come out in the order in which they are put in, each of them.
    const IN_ORDER: bool = false;

    /// Whether an entry takes room and is work to be done; a stop is neither.
    fn counts(entry: &Self::Entry) -> bool;

    /// Puts an entry in, if there is one in the slot. What it has displaced is left there, to be dropped when the
    /// lock is given back.
    fn push(&mut self, slot: &mut Option<Self::Entry>);

    /// Takes the entry that is next out, into the slot. Whether there was one.
    fn pop(&mut self, slot: &mut Option<Self::Entry>) -> bool;

    /// Takes the entry that is next out, if there is one. For small entries, which need no slot.
    #[inline]
    fn next(&mut self) -> Option<Self::Entry> {
        let mut slot = None;
        self.pop(&mut slot);
        slot
    }

    /// How many entries there are that count.
    fn len(&self) -> usize;

    /// How many entries there are.
    fn total(&self) -> usize;
}

/// What lies in a [`Queue`](super::Queue): an item, or nothing, which stops one consumer. The program cannot
/// make a stop that looks like an item, nor the other way round.
pub(super) type Entry<T> = Option<T>;

/// How much memory is fetched together: some lines.
const FETCHED_BYTES: usize = 512;
/// For so few entries no memory is fetched.
const FEW: usize = 8;

/// First in, first out. What each put changes comes first.
#[repr(C)]
pub(in crate::sync) struct Fifo<T> {
    row: VecDeque<Entry<T>>,
    stops: usize,
    /// How many entries are put yet before memory is fetched for others.
    fetched: usize,
    /// What comes out before the row: entries that were lent and came back. Seldom any.
    before: VecDeque<Entry<T>>,
}

impl<T> Fifo<T> {
    pub(super) const fn new() -> Fifo<T> {
        Fifo {
            row: VecDeque::new(),
            stops: 0,
            fetched: FEW,
            before: VecDeque::new(),
        }
    }

    /// For how many entries memory is fetched together; for large ones it does not pay.
    const FETCHED: usize = match size_of::<Entry<T>>() {
        0 => FETCHED_BYTES,
        size => FETCHED_BYTES / size,
    };

    /// Fetches the memory of the entries that come next to this processor: who has got what lay there before may
    /// have used another one. Each line of it takes as long as a dozen puts, but several at once take hardly longer,
    /// while puts fetch one after the other, as each waits for its lock.
    #[cold]
    fn fetch(&mut self) {
        let (len, more) = (self.row.len(), Fifo::<T>::FETCHED);
        if len + more <= self.row.capacity() {
            self.row.resize_with(len + more, || None);
            self.row.truncate(len);
        }
        self.fetched = more.max(FEW);
    }

    /// Lends the entries that come out first, unless one of all is a stop, in exchange for an empty row.
    pub(super) fn lend(&mut self, row: &mut VecDeque<Entry<T>>) {
        debug_assert!(row.is_empty(), "what was lent before is gone or came back");
        if self.stops == 0 {
            // So that it begins at the beginning of its memory.
            row.clear();
            self.fetched = FEW;
            let first = if self.before.is_empty() {
                &mut self.row
            } else {
                &mut self.before
            };
            mem::swap(first, row);
        }
    }

    /// Takes back what is left of those that were lent: they still come out first.
    pub(super) fn take_back(&mut self, row: &mut VecDeque<Entry<T>>) {
        if !row.is_empty() {
            debug_assert!(self.before.is_empty(), "those are lent first");
            mem::swap(&mut self.before, row);
        }
    }
}

impl<T> Store for Fifo<T> {
    type Entry = Entry<T>;
    const IN_ORDER: bool = true;

    #[inline]
    fn counts(entry: &Entry<T>) -> bool {
        entry.is_some()
    }

    #[inline]
    fn push(&mut self, slot: &mut Option<Entry<T>>) {
        if let Some(entry) = slot.take() {
            self.stops += usize::from(entry.is_none());
            match self.fetched.checked_sub(1) {
                Some(fetched) => self.fetched = fetched,
                None => self.fetch(),
            }
            self.row.push_back(entry);
        }
    }

    #[inline]
    fn pop(&mut self, slot: &mut Option<Entry<T>>) -> bool {
        *slot = if self.before.is_empty() {
            self.row.pop_front()
        } else {
            self.before.pop_front()
        };
        let Some(entry) = slot else { return false };
        self.stops -= usize::from(entry.is_none());
        true
    }

    #[inline]
    fn len(&self) -> usize {
        self.total() - self.stops
    }

    #[inline]
    fn total(&self) -> usize {
        self.before.len() + self.row.len()
    }
}
