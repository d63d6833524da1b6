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

/// All locks by number, from 1.
pub(super) struct Locks {
    /// The page of a lock, by all of its word but what tells it from the others of that page.
    pages: SysMap,
    /// The numbers of the locks of each page; 0 for none.
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

    /// The number of a lock, and whether it was given just now; none without memory.
    pub(super) fn number(&mut self, lock: LockId) -> Option<(u32, bool)> {
        let page = self.page(lock)? as usize;
        let number = self.numbers[page][place(lock)];
        if number != 0 {
            return Some((number, false));
        }
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
            (number, true)
        })
    }

    /// The page of a lock, an empty one if there was none; none without memory.
    fn page(&mut self, lock: LockId) -> Option<u32> {
        let key = page_key(lock);
        if self.latest.0 != key {
            let page = match self.pages.get(key) {
                Some(page) => page,
                None => self.new_page(lock)?,
            };
            self.latest = (key, page);
        }
        Some(self.latest.1)
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
