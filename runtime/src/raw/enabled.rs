//! Checks on: our lock types are made of watched raw locks.

use std::mem::ManuallyDrop;
use std::time::{Duration, Instant};

use lock_api::{
    RawMutexTimed, RawRwLock as _, RawRwLockRecursive, RawRwLockTimed, RawRwLockUpgrade,
    RawRwLockUpgradeTimed,
};

use super::sited::{SitedMutex, SitedRwLock};
use super::waitable::Waitable;
use super::watched::{Watched, mutex_mode};
use crate::tag::Tag;
use crate::watch::hooks::Ask;
use crate::watch::{Identity, Mode, Site};

/// The raw lock of [`crate::Mutex`].
pub type RawMutex = Watched<Waitable>;
/// The raw lock of [`crate::FairMutex`].
pub type RawFairMutex = Watched<parking_lot::RawFairMutex>;
/// The raw lock that [`crate::ReentrantMutex`] takes when its first guard is made.
pub type RawReentrantMutex = Watched<parking_lot::RawMutex>;
/// The raw lock of [`crate::RwLock`].
pub type RawRwLock = Watched<parking_lot::RawRwLock>;

/// A raw mutex with this identity.
pub(crate) const fn mutex(identity: Identity) -> RawMutex {
    Watched::from_raw(lock_api::RawMutex::INIT, identity)
}

/// A raw fair mutex with this identity.
pub(crate) const fn fair_mutex(identity: Identity) -> RawFairMutex {
    Watched::from_raw(lock_api::RawMutex::INIT, identity)
}

/// A raw mutex for a re-entrant one with this identity.
pub(crate) const fn reentrant_mutex(identity: Identity) -> RawReentrantMutex {
    Watched::from_raw(lock_api::RawMutex::INIT, identity)
}

/// A raw read-write lock with this identity.
pub(crate) const fn rwlock(identity: Identity) -> RawRwLock {
    Watched::from_raw(lock_api::RawRwLock::INIT, identity)
}

/// Waits for a condition variable, by `wait` on a guard that `parking_lot` accepts.
///
/// For the watcher, `condvar` is waited for from before the lock is given back until it is held
/// again, also if `wait` refuses and panics.
#[track_caller]
pub(crate) fn wait_on<T: ?Sized, U>(
    condvar: &Tag,
    guard: &mut lock_api::MutexGuard<'_, RawMutex, T>,
    ask: Ask,
    at: Site,
    wait: impl FnOnce(&mut parking_lot::MutexGuard<'_, ()>) -> U,
) -> U {
    /// Tells that the wait is over, also if it unwinds.
    struct Woken<'a>(&'a Tag, &'a Tag, Site);
    impl Drop for Woken<'_> {
        fn drop(&mut self) {
            self.0.woken(self.1, self.2);
        }
    }
    // SAFETY: the raw mutex is unlocked only by `wait`, which locks it again before it returns or
    // unwinds; until then `guard` is borrowed, so that nobody can use the value.
    let lock: &RawMutex = unsafe { lock_api::MutexGuard::mutex(guard).raw() };
    // SAFETY: `guard` is there, so this thread holds the mutex of nothing inside. The second guard
    // is used only while the first one is borrowed, and never dropped, so that it releases nothing.
    let mut nothing = ManuallyDrop::new(unsafe { lock.raw.0.make_guard_unchecked() });
    condvar.waiting(&lock.tag, ask, at);
    let _woken = Woken(condvar, &lock.tag, at);
    wait(&mut nothing)
}

impl<R: RawMutexTimed<Duration = Duration, Instant = Instant>> SitedMutex for Watched<R> {
    #[inline]
    fn identity(&self) -> Option<&Identity> {
        self.tag.identity()
    }

    #[inline]
    #[track_caller]
    fn lock_at(&self, at: Site) {
        let mode = mutex_mode::<R>(&self.tag);
        let asked = self.tag_for::<R::GuardMarker>().request(mode, at);
        if self.raw.try_lock() {
            self.tag.acquired_at_once(asked, mode, at);
        } else {
            self.lock_late(mode, at);
        }
    }

    #[inline]
    fn try_lock_at(&self, at: Site) -> bool {
        self.attempt::<R::GuardMarker>(mutex_mode::<R>(&self.tag), at, R::try_lock)
    }

    #[inline]
    fn try_lock_until_at(&self, deadline: Instant, at: Site) -> bool {
        self.attempt_timed::<R::GuardMarker>(mutex_mode::<R>(&self.tag), at, R::try_lock, |raw| {
            raw.try_lock_until(deadline)
        })
    }
}

impl<R: RawMutexTimed<Duration = Duration, Instant = Instant>> Watched<R> {
    /// Takes the lock, which is not free now.
    #[cold]
    #[inline(never)]
    #[track_caller]
    fn lock_late(&self, mode: Mode, at: Site) {
        // Locks of parking_lot try for a while before they look at the time, as they do before they park.
        if !self.raw.try_lock_for(Duration::ZERO) {
            self.park(mode, at, R::lock);
        }
        self.tag.acquired(mode, Ask::Wait, at);
    }
}

/// The marker of the guards of `parking_lot`'s read-write locks: what its features make of it.
type RwLockMarker = <parking_lot::RawRwLock as lock_api::RawRwLock>::GuardMarker;

impl SitedRwLock for RawRwLock {
    #[inline]
    fn identity(&self) -> Option<&Identity> {
        self.tag.identity()
    }

    #[inline]
    #[track_caller]
    fn lock_shared_at(&self, at: Site) {
        let asked = self.tag_for::<RwLockMarker>().request(Mode::Shared, at);
        self.acquire(
            asked,
            Mode::Shared,
            at,
            parking_lot::RawRwLock::try_lock_shared,
            parking_lot::RawRwLock::lock_shared,
        );
    }

    #[inline]
    fn try_lock_shared_at(&self, at: Site) -> bool {
        self.attempt::<RwLockMarker>(Mode::Shared, at, parking_lot::RawRwLock::try_lock_shared)
    }

    #[inline]
    fn try_lock_shared_until_at(&self, deadline: Instant, at: Site) -> bool {
        let attempt = parking_lot::RawRwLock::try_lock_shared;
        self.attempt_timed::<RwLockMarker>(Mode::Shared, at, attempt, |raw| {
            raw.try_lock_shared_until(deadline)
        })
    }

    #[inline]
    #[track_caller]
    fn lock_shared_recursive_at(&self, at: Site) {
        let asked = self
            .tag_for::<RwLockMarker>()
            .request(Mode::RecursiveShared, at);
        self.acquire(
            asked,
            Mode::RecursiveShared,
            at,
            parking_lot::RawRwLock::try_lock_shared_recursive,
            parking_lot::RawRwLock::lock_shared_recursive,
        );
    }

    #[inline]
    #[track_caller]
    fn lock_exclusive_at(&self, at: Site) {
        let asked = self.tag_for::<RwLockMarker>().request(Mode::Exclusive, at);
        self.acquire(
            asked,
            Mode::Exclusive,
            at,
            parking_lot::RawRwLock::try_lock_exclusive,
            parking_lot::RawRwLock::lock_exclusive,
        );
    }

    #[inline]
    fn try_lock_exclusive_at(&self, at: Site) -> bool {
        let attempt = parking_lot::RawRwLock::try_lock_exclusive;
        self.attempt::<RwLockMarker>(Mode::Exclusive, at, attempt)
    }

    #[inline]
    fn try_lock_exclusive_until_at(&self, deadline: Instant, at: Site) -> bool {
        let attempt = parking_lot::RawRwLock::try_lock_exclusive;
        self.attempt_timed::<RwLockMarker>(Mode::Exclusive, at, attempt, |raw| {
            raw.try_lock_exclusive_until(deadline)
        })
    }

    #[inline]
    #[track_caller]
    fn lock_upgradable_at(&self, at: Site) {
        let asked = self.tag_for::<RwLockMarker>().request(Mode::Upgradable, at);
        self.acquire(
            asked,
            Mode::Upgradable,
            at,
            parking_lot::RawRwLock::try_lock_upgradable,
            parking_lot::RawRwLock::lock_upgradable,
        );
    }

    #[inline]
    fn try_lock_upgradable_at(&self, at: Site) -> bool {
        let attempt = parking_lot::RawRwLock::try_lock_upgradable;
        self.attempt::<RwLockMarker>(Mode::Upgradable, at, attempt)
    }

    #[inline]
    fn try_lock_upgradable_until_at(&self, deadline: Instant, at: Site) -> bool {
        let attempt = parking_lot::RawRwLock::try_lock_upgradable;
        self.attempt_timed::<RwLockMarker>(Mode::Upgradable, at, attempt, |raw| {
            raw.try_lock_upgradable_until(deadline)
        })
    }
}
