//! Who a lock is: an instance number that is never reused, a class, and a place in one order.
//!
//! A lock carries its [`Identity`] beside its state. Everything about it that is known when the
//! lock is made fits into a `const fn`, so that it works in statics; the instance number is given
//! at first use, from a block of numbers that the using thread owns, so that making, using and
//! dropping locks shares no write between threads. Numbers are never reused and never an address.
//!
//! The *order* of two locks does not depend on timing where the program allows it: first the
//! declared rank, then the creation site, and only among locks of one creation site the instance
//! number.
//!
//! An identity has no `Drop`: a lock that stands in for another's must not have one (`const fn`s
//! that destructure would not compile, `needs_drop` would change). So nobody here sees a lock die,
//! and nothing here grows with the number of locks ever made.
//!
//! What it cannot see: creation sites can lie. All fields of one derived `Default` share a site,
//! and `Arc::default` or `map(Mutex::new)` point into the standard library. [`Class::trusted`]
//! says whether a site means a class.

use std::cmp::Ordering;
use std::fmt;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};

use super::memory::fold;
use super::mode::Kind;
use super::site::Site;

/// A lock instance, or another watched object: a number that is never reused in its process.
///
/// The number of its class stands in the bits above the number of the instance, so that a held
/// lock needs no look at the lock itself, which may be gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LockId(pub(super) u64);

impl LockId {
    /// The number of the instance among all watched objects of the process, in order of first use
    /// on each thread.
    pub fn instance(self) -> u64 {
        super::slot::split(self).0
    }
}

impl fmt::Display for LockId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.instance())
    }
}

/// A position that the program declared: acquisition must ascend.
///
/// Locks without a rank come after all locks with one, where the order of locks is asked for; the
/// *rule* for ranked locks compares ranked locks only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rank(pub u32);

/// What makes instances one class: their name if they have one, else where they were made and of
/// which type.
#[derive(Debug, Clone, Copy)]
pub struct Class {
    /// What kind of object it is.
    pub kind: Kind,
    /// The name that the program gave.
    pub name: Option<&'static str>,
    /// The creation site.
    pub born: Site,
    /// The protected type.
    pub type_name: &'static str,
}

impl Class {
    /// Whether the instances of this class may be taken for the same kind of lock.
    ///
    /// A given name always may. A creation site inside the standard library or inside a vendored
    /// toolchain source is the site of whoever called `Default` or `map`, not of the lock.
    pub fn trusted(&self) -> bool {
        self.name.is_some() || !lies(self.born)
    }
}

/// Whether a creation site says nothing about the lock made there.
fn lies(site: Site) -> bool {
    let file = site.file();
    // A foreign raw lock that was made by a constant has no site at all.
    file.is_empty()
        || file.starts_with("/rustc/")
        || file.contains("/lib/rustlib/src/rust/library/")
        // Our own stand-ins for constants of std, as overlays name them.
        || file.starts_with("/lockwise/")
}

/// Guards of the lock may be sent to other threads.
pub(super) const SENDABLE: u8 = 1;
/// The lock has a declared rank.
pub(super) const RANKED: u8 = 2;

/// What a lock carries so that it can be watched.
#[repr(C)]
pub struct Identity {
    // What each acquisition looks at stands together, beside the state of the lock itself.
    /// The instance number; 0 until first use.
    id: AtomicU64,
    /// The chain of held locks under which an exclusive, waiting request of this lock was judged last,
    /// as the hash that only the thread that showed it has for it, and only in that stretch and epoch.
    known: AtomicU64,
    /// How often the lock was acquired: counted inside the critical section (or, for shared modes,
    /// by an atomic addition), it orders the acquisitions of this lock in the log.
    turn: AtomicU32,
    /// The thread that holds a re-entrant lock, by number, or 0.
    owner: AtomicU32,
    /// The declared rank, if `traits` has `RANKED`; of a semaphore: its first units.
    rank: u32,
    /// What the held set has to know of this lock: `SENDABLE` and `RANKED`.
    traits: AtomicU8,
    kind: Kind,
    born: Site,
    /// Empty if the program gave no name.
    name: &'static str,
    type_name: fn() -> &'static str,
}

impl Identity {
    /// An identity for an object of this kind, made at `born`, that protects the type named by
    /// `type_name` (usually `std::any::type_name::<T>`).
    pub const fn new(kind: Kind, born: Site, type_name: fn() -> &'static str) -> Self {
        Identity {
            id: AtomicU64::new(0),
            known: AtomicU64::new(0),
            turn: AtomicU32::new(0),
            owner: AtomicU32::new(0),
            rank: 0,
            traits: AtomicU8::new(0),
            kind,
            born,
            name: "",
            type_name,
        }
    }

    /// The same with a name. Instances of one name form one class.
    #[must_use]
    pub const fn named(self, name: &'static str) -> Self {
        Identity { name, ..self }
    }

    /// The same with a declared rank.
    #[must_use]
    pub const fn ranked(self, rank: Rank) -> Self {
        Identity {
            rank: rank.0,
            traits: AtomicU8::new(RANKED),
            ..self
        }
    }

    /// The same for a semaphore that starts with this many units.
    #[must_use]
    pub const fn with_units(self, units: u32) -> Self {
        self.ranked(Rank(units))
    }

    /// Says that guards of this lock may be sent to other threads: then a thread that asks for what
    /// it holds may be waiting for another, to which it gave the guard.
    ///
    /// A lock type whose guards can be sent says so before each request.
    #[inline]
    pub fn let_guards_be_sent(&self) {
        if self.traits() & SENDABLE == 0 {
            // The other trait was there from the beginning, so nothing is lost between the two.
            self.traits.store(self.traits() | SENDABLE, Relaxed);
        }
    }

    /// Whether guards of this lock may be sent to other threads.
    #[inline]
    pub fn guards_may_be_sent(&self) -> bool {
        self.traits() & SENDABLE != 0
    }

    /// `SENDABLE` and `RANKED`, as they apply.
    #[inline]
    pub(super) fn traits(&self) -> u8 {
        self.traits.load(Relaxed)
    }

    /// The instance number, given now if this is the first use.
    #[inline]
    pub fn id(&self) -> LockId {
        let id = self.id.load(Relaxed);
        if id != 0 { LockId(id) } else { self.number() }
    }

    /// The word of the lock, 0 if it was never used.
    #[inline]
    pub(super) fn word(&self) -> u64 {
        self.id.load(Relaxed)
    }

    /// Whether this thread has shown, in this stretch and epoch, that it asks for the lock exclusively
    /// while it holds the chain `key`. Never for sure: it may have, all the same.
    #[inline]
    pub(super) fn is_known_after(&self, key: u64) -> bool {
        self.known.load(Relaxed) == key
    }

    /// Notes that this thread has. Since `key` is its own, nobody else can be misled.
    #[inline]
    pub(super) fn set_known_after(&self, key: u64) {
        self.known.store(key, Relaxed);
    }

    /// The instance number, if the lock was ever used.
    pub fn known_id(&self) -> Option<LockId> {
        let id = self.id.load(Relaxed);
        (id != 0).then_some(LockId(id))
    }

    #[cold]
    fn number(&self) -> LockId {
        let fresh = super::hooks::fresh_word(self);
        if self.take_word(fresh) {
            LockId(fresh)
        } else {
            LockId(self.word())
        }
    }

    /// Makes a fresh word that of the lock, if it has none.
    #[inline]
    pub(super) fn take_word(&self, fresh: u64) -> bool {
        self.id.compare_exchange(0, fresh, Relaxed, Relaxed).is_ok()
    }

    /// Tells classes apart without looking at content: equal keys may still be one class under two
    /// keys, never two classes under one, but for a freak of hashing.
    #[inline]
    pub(super) fn class_key(&self) -> u64 {
        let name = self.name.as_ptr().addr() as u64 ^ (self.name.len() as u64) << 48;
        fold(
            self.born.pack() ^ (self.kind as u64) << 56,
            name.rotate_left(17) ^ self.type_name as usize as u64,
        )
    }

    /// What kind of object it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The declared rank.
    pub fn rank(&self) -> Option<Rank> {
        (self.traits() & RANKED != 0).then_some(Rank(self.rank))
    }

    /// The declared rank, or 0.
    #[inline]
    pub(super) fn rank_word(&self) -> u32 {
        self.rank
    }

    /// The class.
    pub fn class(&self) -> Class {
        Class {
            kind: self.kind,
            name: (!self.name.is_empty()).then_some(self.name),
            born: self.born,
            type_name: (self.type_name)(),
        }
    }

    /// The place of this lock in the one order of all locks.
    pub fn place(&self) -> Place {
        Place {
            rank: self.rank(),
            born: self.born,
            id: self.id(),
        }
    }

    /// The number of the next acquisition, of a caller that has the lock with others or alone.
    #[inline]
    pub(super) fn next_turn(&self, shared: bool) -> u32 {
        if shared {
            self.next_turn_shared()
        } else {
            self.next_turn_exclusive()
        }
    }

    /// The number of the next acquisition; the caller holds the lock exclusively.
    #[inline]
    pub(super) fn next_turn_exclusive(&self) -> u32 {
        let turn = self.turn.load(Relaxed).wrapping_add(1);
        self.turn.store(turn, Relaxed);
        turn
    }

    /// The number of the next acquisition, while others may be acquiring too.
    pub(super) fn next_turn_shared(&self) -> u32 {
        self.turn.fetch_add(1, Relaxed).wrapping_add(1)
    }

    /// The thread that holds the re-entrant lock, or 0.
    pub(super) fn owner(&self) -> u32 {
        self.owner.load(Relaxed)
    }

    /// Sets who holds the re-entrant lock; 0 for nobody.
    #[inline]
    pub(super) fn set_owner(&self, thread: u32) {
        self.owner.store(thread, Relaxed);
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("id", &self.known_id())
            .field("class", &self.class())
            .field("rank", &self.rank())
            .finish()
    }
}

/// The place of a lock in the one order of all locks: rank, else creation site; then number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub(super) rank: Option<Rank>,
    pub(super) born: Site,
    pub(super) id: LockId,
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_rank = match (self.rank, other.rank) {
            (Some(a), Some(b)) => a.cmp(&b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        by_rank
            .then_with(|| self.born.cmp(&other.born))
            .then_with(|| self.id.instance().cmp(&other.id.instance()))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
