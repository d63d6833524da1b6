//! One held lock, as its slot keeps it and as others copy it.
//!
//! The words of an entry are written with plain stores by the slot's own thread. Another thread may read
//! them at any time, and knows what it has read only if it knows that nobody wrote meanwhile.
//!
//! A lock that is taken while nothing else is held costs two words: which it is, and where and how it was
//! taken. The others are written for locks that need them.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use super::super::identity::{LockId, RANKED, Rank, SENDABLE};
use super::super::mode::{Ask, Mode};
use super::super::site::{Note, Site};

/// One held lock.
#[repr(C, align(32))]
pub(super) struct Entry {
    /// The lock's word.
    pub(super) lock: AtomicU64,
    /// Where and how it was taken, an [`At`].
    pub(super) at: AtomicU64,
    /// The chain of what is held below, as a hash; of the oldest entry that of a thread that holds nothing.
    pub(super) below: AtomicU64,
    /// The chain up to and with this entry, as a node of the learned order; 0 if not looked up. Not
    /// kept for the oldest entry.
    pub(super) node: AtomicU32,
    /// The declared rank, if the lock has one.
    pub(super) rank: AtomicU32,
}

/// How a lock is held: mode in bits 0..3, ask in 3..5, re-entry in bit 5, then the traits of the lock.
#[derive(Clone, Copy)]
pub(in super::super) struct How(u8);

const MODE: u8 = 0b111;
const ASK_SHIFT: u32 = 3;
const AGAIN: u8 = 1 << 5;
const TRAITS_SHIFT: u32 = 6;

impl How {
    /// Held for the first time, of a lock with these traits.
    #[inline]
    pub(in super::super) fn new(mode: Mode, ask: Ask, traits: u8) -> How {
        How(mode as u8 | (ask as u8) << ASK_SHIFT | traits << TRAITS_SHIFT)
    }
}

/// Where and how a lock was taken, in one word: the site, packed, in bits 0..48, and a [`How`] above.
#[derive(Clone, Copy)]
pub(in super::super) struct At(u64);

const HOW_SHIFT: u32 = 48;

impl At {
    #[inline]
    pub(in super::super) fn new(site: Site, how: How) -> At {
        let mut word = site.pack();
        if word >> HOW_SHIFT != 0 {
            word = far_away().pack();
        }
        At(word | u64::from(how.0) << HOW_SHIFT)
    }

    #[inline]
    fn how(self) -> u8 {
        (self.0 >> HOW_SHIFT) as u8
    }

    /// Whether the lock was asked for exclusively, to be waited for, and was not held before.
    #[inline]
    pub(in super::super) fn is_plain(self) -> bool {
        const PLAIN: u8 = Mode::Exclusive as u8 | (Ask::Wait as u8) << ASK_SHIFT;
        self.how() & !(0b11 << TRAITS_SHIFT) == PLAIN
    }

    /// The same if the thread held it already.
    pub(in super::super) fn again(self, again: bool) -> At {
        let how = if again { u64::from(AGAIN) } else { 0 };
        At(self.0 | how << HOW_SHIFT)
    }

    #[inline]
    pub(in super::super) fn is_again(self) -> bool {
        self.how() & AGAIN != 0
    }

    #[inline]
    fn is_ranked(self) -> bool {
        self.how() >> TRAITS_SHIFT & RANKED != 0
    }

    /// Whether the lock has no trait that the held set or the log has to know of.
    #[inline]
    pub(in super::super) fn is_unmarked(self) -> bool {
        self.how() >> TRAITS_SHIFT == 0
    }

    fn is_sendable(self) -> bool {
        self.how() >> TRAITS_SHIFT & SENDABLE != 0
    }

    /// The mode.
    #[inline]
    pub(in super::super) fn mode(self) -> Mode {
        Mode::from_number(self.how() & MODE).unwrap_or(Mode::Exclusive)
    }

    /// Whether the mode is this one.
    #[inline]
    pub(super) fn is_in(self, mode: Mode) -> bool {
        self.how() & MODE == mode as u8
    }

    /// Whether others may have the lock at the same time.
    #[inline]
    pub(in super::super) fn is_shared(self) -> bool {
        let mode = self.how() & MODE;
        mode != Mode::Exclusive as u8 && mode != Mode::Reentrant as u8
    }

    /// Mode and ask, as the log has them: `mode + 8 * ask`.
    #[inline]
    pub(in super::super) fn how_logged(self) -> u8 {
        self.how() & (MODE | 0b11 << ASK_SHIFT)
    }

    /// How it was asked for.
    #[inline]
    pub(in super::super) fn ask(self) -> Ask {
        Ask::from_number(self.how() >> ASK_SHIFT & 0b11)
    }

    /// All of it in one word.
    #[inline]
    pub(super) fn word(self) -> u64 {
        self.0
    }

    /// The site, packed.
    #[inline]
    pub(in super::super) fn site_word(self) -> u64 {
        self.0 & ((1 << HOW_SHIFT) - 1)
    }

    /// The site.
    ///
    /// # Safety
    ///
    /// The word must be one that [`At::new`] made, in this process.
    pub(in super::super) unsafe fn site(self) -> Site {
        // SAFETY: the caller promises that this was made of a site.
        unsafe { Site::unpack(self.site_word()) }
    }
}

/// Stands for a site whose address leaves no room for how a lock is held: on systems that use more than
/// 48 bits for addresses, or mark them.
#[cold]
fn far_away() -> Site {
    const FAR_AWAY: &Note = &Note {
        file: "",
        line: 0,
        column: 0,
        module: "",
        expression: "",
    };
    Site::Noted(FAR_AWAY)
}

/// The words of an entry, which fit together only if nobody wrote while they were read.
#[derive(Clone, Copy)]
pub(in super::super) struct Words {
    lock: u64,
    at: At,
    rank: u32,
}

impl Entry {
    /// No lock.
    pub(super) const fn new() -> Entry {
        Entry {
            lock: AtomicU64::new(0),
            at: AtomicU64::new(0),
            below: AtomicU64::new(0),
            node: AtomicU32::new(0),
            rank: AtomicU32::new(0),
        }
    }

    /// A copy of the words.
    pub(super) fn words(&self) -> Words {
        Words {
            lock: self.lock.load(Relaxed),
            at: self.at(),
            rank: self.rank.load(Relaxed),
        }
    }

    /// Makes this the entry of a lock: its word, where and how it was taken, and its rank if it has one.
    #[inline]
    pub(super) fn set(&self, (lock, at, rank): (u64, At, u32)) {
        self.lock.store(lock, Relaxed);
        self.at.store(at.0, Relaxed);
        if at.is_ranked() {
            self.rank.store(rank, Relaxed);
        }
    }

    /// Puts a copy of another entry here, but for its place in a chain.
    pub(super) fn copy(&self, from: &Entry) {
        self.lock.store(from.lock.load(Relaxed), Relaxed);
        self.at.store(from.at.load(Relaxed), Relaxed);
        self.rank.store(from.rank.load(Relaxed), Relaxed);
    }

    /// Where and how it was taken.
    #[inline]
    pub(super) fn at(&self) -> At {
        At(self.at.load(Relaxed))
    }

    /// The chain up to and with this entry, as a hash.
    #[inline]
    pub(super) fn chain(&self) -> u64 {
        let below = self.below.load(Relaxed);
        let at = self.at();
        if at.is_again() {
            return below;
        }
        link(below, self.lock.load(Relaxed), at.how() & MODE)
    }

    /// Whether this hold keeps a request in `wanted` out until its own thread releases it.
    pub(super) fn keeps_out(&self, wanted: Mode) -> bool {
        let at = self.at();
        !at.is_sendable() && at.mode().excludes(wanted)
    }
}

impl Words {
    /// What the words mean.
    ///
    /// # Safety
    ///
    /// They must fit together, as the slot's own thread wrote them.
    pub(in super::super) unsafe fn read(self) -> HeldLock {
        let at = self.at;
        HeldLock {
            lock: LockId(self.lock),
            mode: at.mode(),
            ask: at.ask(),
            again: at.is_again(),
            sendable: at.is_sendable(),
            rank: at.is_ranked().then_some(Rank(self.rank)),
            // SAFETY: the caller promises that the word was written, and so made, by the slot's thread.
            site: unsafe { at.site() },
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
    /// Where and how it is held.
    pub(super) fn at(&self) -> At {
        let traits =
            if self.sendable { SENDABLE } else { 0 } | if self.rank.is_some() { RANKED } else { 0 };
        At::new(self.site, How::new(self.mode, self.ask, traits)).again(self.again)
    }
}

/// The chain that results when `lock` is added to the chain `below`.
#[inline]
pub(in super::super) fn chain_key(below: u64, lock: LockId, mode: Mode) -> u64 {
    link(below, lock.0, mode as u8)
}

/// The hash of a chain and a link more: both halves of a product, so that each bit of either
/// factor has a part in all bits.
#[inline]
fn link(below: u64, lock: u64, mode: u8) -> u64 {
    /// The golden ratio, as in other hashes by multiplication; an odd number with every mode.
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let factor = FACTOR ^ u64::from(mode) << 8;
    let product = u128::from(below ^ lock) * u128::from(factor);
    // Never 0, which marks a free place.
    (product as u64 ^ (product >> 64) as u64) | 1
}
