//! The locks of the learned order, numbered as they were met.
//!
//! All else is kept by these numbers, in rows: who takes locks in turn has what is known of them side by
//! side, and only one map has to be asked. That map knows pages of locks that were named in a row, which are
//! mostly taken in a row too: so it is small, and what it leads to is at hand already.

use super::super::identity::LockId;
use super::super::memory::{SysMap, SysVec};

/// What is known of a lock.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) lock: LockId,
    /// The latest of its nodes below which something was asked for; the others hang on it.
    pub(super) holder: u32,
    /// The latest of its nodes above which nothing was held; the others are its siblings.
    pub(super) root: u32,
    /// The latest of its nodes above which something was held; the others hang on it.
    pub(super) latest: u32,
    /// How many these are.
    pub(super) count: u32,
}

/// How many locks a page has: as many as there is room for in a cache line.
const PAGE: usize = 16;

/// What there is of a lock.
pub(super) enum Known {
    Nothing,
    /// The place of its only acquisition among the leaves.
    Leaf(u32),
    /// Its number.
    Row(u32),
}

/// Marks the place of a leaf, where else the number of a lock stands.
const LEAF: u32 = 1 << 31;

/// All locks by number, from 1.
pub(super) struct Locks {
    /// The page of a lock, by all of its word but what tells it from the others of that page.
    pages: SysMap,
    /// The numbers of the locks of each page, or the places of their leaves; 0 for none.
    numbers: SysVec<[u32; PAGE]>,
    rows: SysVec<Row>,
    /// The key of the page that was asked for last, and that page: the next lock mostly stands there too.
    latest: (u64, u32),
}

impl Locks {
    pub(super) const fn new() -> Self {
        Locks {
            pages: SysMap::new(),
            numbers: SysVec::new(),
            rows: SysVec::new(),
            latest: (0, 0),
        }
    }

    /// What there is of a lock; none without memory.
    #[inline]
    pub(super) fn known(&mut self, lock: LockId) -> Option<Known> {
        let page = self.page(lock)? as usize;
        Some(match self.numbers[page][place(lock)] {
            0 => Known::Nothing,
            leaf if leaf & LEAF != 0 => Known::Leaf(leaf & !LEAF),
            number => Known::Row(number),
        })
    }

    /// A number for a lock that has none; none without memory.
    #[inline]
    pub(super) fn add(&mut self, lock: LockId) -> Option<u32> {
        let page = self.page(lock)? as usize;
        let fits = self.rows.push(Row {
            lock,
            holder: 0,
            root: 0,
            latest: 0,
            count: 0,
        });
        let number = self.rows.len() as u32;
        fits.then(|| {
            self.numbers[page][place(lock)] = number;
            number
        })
    }

    /// Notes the place of the leaf of a lock that has no number; false without memory.
    #[inline]
    pub(super) fn set_leaf(&mut self, lock: LockId, leaf: u32) -> bool {
        let page = self.page(lock);
        if let Some(page) = page {
            self.numbers[page as usize][place(lock)] = leaf | LEAF;
        }
        page.is_some()
    }

    /// The page of a lock, an empty one if there was none; none without memory.
    #[inline]
    fn page(&mut self, lock: LockId) -> Option<u32> {
        if self.latest.0 == page_key(lock) {
            return Some(self.latest.1);
        }
        self.other_page(lock)
    }

    /// The page of a lock that does not stand in the one that was asked for last.
    #[inline(never)]
    fn other_page(&mut self, lock: LockId) -> Option<u32> {
        let key = page_key(lock);
        let page = match self.pages.get(key) {
            Some(page) => page,
            None => self.new_page(lock)?,
        };
        self.latest = (key, page);
        Some(page)
    }

    /// An empty page for a lock and those beside it; none without memory.
    fn new_page(&mut self, lock: LockId) -> Option<u32> {
        let page = self.numbers.len() as u32;
        let fits = self.numbers.push([0; PAGE]) && self.pages.insert(page_key(lock), page);
        fits.then_some(page)
    }

    /// What is known of the lock with this number.
    pub(super) fn row(&self, number: u32) -> &Row {
        &self.rows[number as usize - 1]
    }

    /// The same, to be changed.
    pub(super) fn row_mut(&mut self, number: u32) -> &mut Row {
        &mut self.rows[number as usize - 1]
    }

    /// Forgets all locks.
    pub(super) fn clear(&mut self) {
        self.pages.clear();
        self.numbers.clear();
        self.rows.clear();
        self.latest = (0, 0);
    }
}

/// The key of a lock's page in the map, where 0 marks a free place.
fn page_key(lock: LockId) -> u64 {
    lock.0 / PAGE as u64 + 1
}

/// The place of a lock in its page.
fn place(lock: LockId) -> usize {
    lock.0 as usize % PAGE
}
