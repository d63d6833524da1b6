//! The word of a lock that spins, watched.
//!
//! A reader is let in beside a writer that waits, so reading again what is read already is no risk:
//! readers are recursive ones. A thread that spins is one that waits.
//!
//! What it cannot see: upgradable guards, which no function of a map takes.

mod carried;

use core::any::type_name;
use core::ops::Deref;
use core::sync::atomic::AtomicUsize;

use lockwise_core::watch::hooks::{self, Ask};
use lockwise_core::watch::{Identity, Kind, Mode, Site};

use crate::lock::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// How readers hold a lock.
pub(crate) const READ: Mode = Mode::RecursiveShared;
/// How writers do.
pub(crate) const WRITE: Mode = Mode::Exclusive;

/// The word of a lock, and who the lock is.
pub struct Word {
    bits: AtomicUsize,
    identity: Identity,
}

impl Deref for Word {
    type Target = AtomicUsize;

    #[inline]
    fn deref(&self) -> &AtomicUsize {
        &self.bits
    }
}

impl core::fmt::Debug for Word {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.bits.fmt(f)
    }
}

impl Word {
    /// The word of a free lock that protects a `T` and is made by the caller.
    #[track_caller]
    pub(crate) const fn new<T>() -> Word {
        Word {
            bits: AtomicUsize::new(0),
            identity: Identity::new(Kind::RwLock, Site::caller(), type_name::<T>),
        }
    }

    /// Takes the lock with `take`, again and again if it is not free.
    #[inline]
    #[track_caller]
    pub(crate) fn wait<G>(&self, mode: Mode, take: impl Fn() -> Option<G>) -> G {
        let at = here(Site::caller());
        hooks::request(&self.identity, mode, Ask::Wait, at);
        let guard = match take() {
            Some(guard) => guard,
            None => self.spin(mode, at, take),
        };
        hooks::acquired(&self.identity, mode, Ask::Wait, at);
        guard
    }

    #[cold]
    #[track_caller]
    fn spin<G>(&self, mode: Mode, at: Site, take: impl Fn() -> Option<G>) -> G {
        if let Some(guard) = hooks::try_again(&take) {
            return guard;
        }
        hooks::blocked(&self.identity, mode, Ask::Wait, at);
        let guard = loop {
            if let Some(guard) = take() {
                break guard;
            }
            core::hint::spin_loop();
        };
        hooks::unblocked();
        guard
    }

    /// Tells of the outcome of a request that does not wait.
    #[inline]
    #[track_caller]
    pub(crate) fn tried<G>(&self, mode: Mode, guard: Option<G>) -> Option<G> {
        if guard.is_some() {
            hooks::acquired(&self.identity, mode, Ask::Try, here(Site::caller()));
        }
        guard
    }

    /// The thread is about to release the lock.
    #[inline]
    pub(crate) fn released(&self, mode: Mode) {
        // A writer that has become a reader drops its first guard too.
        if mode == WRITE && hooks::held_mode(&self.identity) == Some(READ) {
            return;
        }
        hooks::released(&self.identity, mode);
    }

    /// A guard turns from one mode into another.
    #[track_caller]
    pub(crate) fn changed(&self, to: Mode) {
        let at = Site::caller();
        match hooks::held_mode(&self.identity) {
            Some(from) => hooks::changed_mode(&self.identity, from, to, at),
            None => hooks::acquired(&self.identity, to, Ask::Try, at),
        }
    }
}

/// The place that is carried, else this one.
#[inline]
fn here(at: Site) -> Site {
    carried::take().unwrap_or(at)
}

/// Runs `path`, at whose end one lock is taken, at `at`.
#[inline]
pub(crate) fn carrying<T>(at: Site, path: impl FnOnce() -> T) -> T {
    carried::carrying(at, path)
}

/// A shard of a map that is made at `at`.
pub(crate) fn shard<T>(at: Site, table: T) -> RwLock<T> {
    let mut lock = RwLock::new(table);
    lock.word().identity = Identity::new(Kind::RwLock, at, type_name::<T>);
    lock
}

/// Takes a shard shared, for whoever stands at `at`.
#[inline]
pub(crate) fn read<T>(at: Site, shard: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    carrying(at, || shard.read())
}

/// Takes a shard exclusively, for whoever stands at `at`.
#[inline]
pub(crate) fn write<T>(at: Site, shard: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    carrying(at, || shard.write())
}
