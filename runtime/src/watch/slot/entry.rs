//! One held lock, as its slot keeps it and as others copy it.
//!
//! The words of an entry are written with plain stores by the slot's own thread. Another thread may read
//! them at any time, and knows what it has read only if it knows that nobody wrote meanwhile.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use super::super::identity::{LockId, Rank};
use super::super::memory::mix;
use super::super::mode::{Ask, Mode};
use super::super::site::Site;

/// One held lock.
#[derive(Default)]
pub(super) struct Entry {
    /// The lock's word.
    pub(super) lock: AtomicU64,
    /// The acquisition site, packed.
    pub(super) site: AtomicU64,
    /// Mode in bits 0..8, ask in 8..16, re-entry in bit 16, sendable in bit 17, rank plus one in
    /// bits 24..57.
    pub(super) meta: AtomicU64,
    /// The chain up to and with this entry, as a hash.
    pub(super) key: AtomicU64,
    /// The chain up to and with this entry, as a node of the learned order; 0 if not looked up.
    pub(super) node: AtomicU32,
}

/// The words of an entry, which fit together only if nobody wrote while they were read.
#[derive(Clone, Copy)]
pub(in super::super) struct Words {
    lock: u64,
    site: u64,
    meta: u64,
}

impl Entry {
    /// A copy of the words.
    pub(super) fn words(&self) -> Words {
        Words {
            lock: self.lock.load(Relaxed),
            site: self.site.load(Relaxed),
            meta: self.meta.load(Relaxed),
        }
    }

    /// Whether this hold keeps a request in `wanted` out until its own thread releases it.
    pub(super) fn keeps_out(&self, wanted: Mode) -> bool {
        let meta = self.meta.load(Relaxed);
        let sendable = meta >> 17 & 1 == 1;
        !sendable
            && Mode::from_number((meta & 0xff) as u8).is_some_and(|mode| mode.excludes(wanted))
    }
}

impl Words {
    /// What the words mean.
    ///
    /// # Safety
    ///
    /// They must fit together, as the slot's own thread wrote them.
    pub(in super::super) unsafe fn read(self) -> HeldLock {
        let meta = self.meta;
        HeldLock {
            lock: LockId(self.lock),
            mode: Mode::from_number((meta & 0xff) as u8).unwrap_or(Mode::Exclusive),
            ask: Ask::from_number((meta >> 8 & 0xff) as u8),
            again: meta >> 16 & 1 == 1,
            sendable: meta >> 17 & 1 == 1,
            rank: (meta >> 24).checked_sub(1).map(|rank| Rank(rank as u32)),
            // SAFETY: the caller promises that the word was written, and so packed, by the slot's thread.
            site: unsafe { Site::unpack(self.site) },
        }
    }
}

/// A copy of an entry.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct HeldLock {
    pub(in super::super) lock: LockId,
    pub(in super::super) mode: Mode,
    pub(in super::super) ask: Ask,
    /// The thread held it already: a re-entrant lock taken again.
    pub(in super::super) again: bool,
    /// Its guard may be sent to another thread.
    pub(in super::super) sendable: bool,
    pub(in super::super) rank: Option<Rank>,
    pub(in super::super) site: Site,
}

impl HeldLock {
    #[inline]
    /// The word of everything but lock and site.
    pub(super) fn meta(&self) -> u64 {
        let rank = self.rank.map_or(0, |rank| u64::from(rank.0) + 1);
        let flags = u64::from(self.again) | u64::from(self.sendable) << 1;
        self.mode as u64 | (self.ask as u64) << 8 | flags << 16 | rank << 24
    }
}

/// The chain that results when `lock` is added to the chain `before`.
#[inline]
pub(in super::super) fn chain_key(before: u64, lock: LockId, mode: Mode, again: bool) -> u64 {
    if again {
        return before;
    }
    // Never 0, which marks a free place.
    mix(before.rotate_left(5) ^ lock.0, mode as u64 + 1) | 1
}
