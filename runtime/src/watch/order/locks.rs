//! The locks of the learned order, numbered as they were met.
//!
//! All else is kept by these numbers, in rows: who takes locks in turn has what is known of them side by
//! side, and only one map has to be asked.

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
}

/// All locks by number, from 1.
pub(super) struct Locks {
    numbers: SysMap,
    rows: SysVec<Row>,
}

impl Locks {
    pub(super) const fn new() -> Self {
        Locks {
            numbers: SysMap::new(),
            rows: SysVec::new(),
        }
    }

    /// The number of a lock, given now if it has none; 0 without memory.
    pub(super) fn number(&mut self, lock: LockId) -> u32 {
        if let Some(number) = self.find(lock) {
            return number;
        }
        let number = self.rows.len() as u32 + 1;
        let fits = self.rows.push(Row {
            lock,
            holder: 0,
            root: 0,
        }) && self.numbers.insert(key(lock), number);
        if fits { number } else { 0 }
    }

    /// The number of a lock, if it has one.
    pub(super) fn find(&self, lock: LockId) -> Option<u32> {
        self.numbers.get(key(lock))
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
        self.numbers.clear();
        self.rows.clear();
    }
}

/// The key of a lock in the map, where 0 marks a free place.
fn key(lock: LockId) -> u64 {
    lock.0.max(1)
}
