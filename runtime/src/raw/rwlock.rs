//! A watched raw read-write lock is one, with all the abilities of the one inside.
//!
//! `lock_api` releases a recursive read as any other read, so the watcher is told
//! [`Mode::Shared`] in both cases.

use lock_api::{
    RawRwLock, RawRwLockDowngrade, RawRwLockFair, RawRwLockRecursive, RawRwLockRecursiveTimed,
    RawRwLockTimed, RawRwLockUpgrade, RawRwLockUpgradeDowngrade, RawRwLockUpgradeFair,
    RawRwLockUpgradeTimed,
};

use super::watched::{Watched, shared, unknown};
use crate::tag::{Tag, effective};
use crate::watch::hooks::Ask;
use crate::watch::{Mode, Site};

// SAFETY: exclusivity is `raw`'s: each operation takes or releases `raw` exactly once in the same
// mode, and the watcher changes no lock.
unsafe impl<R: RawRwLock> RawRwLock for Watched<R> {
    const INIT: Self = Watched::from_raw(R::INIT, unknown());

    type GuardMarker = R::GuardMarker;

    #[inline]
    #[track_caller]
    fn lock_shared(&self) {
        let (asked, at) = self
            .tag_for::<R::GuardMarker>()
            .request_through_trait(shared::<R>(), Site::caller());
        self.acquire(asked, shared::<R>(), at, R::try_lock_shared, R::lock_shared);
    }

    #[inline]
    #[track_caller]
    fn try_lock_shared(&self) -> bool {
        let at = effective(Site::caller());
        self.attempt::<R::GuardMarker>(shared::<R>(), at, R::try_lock_shared)
    }

    #[inline]
    unsafe fn unlock_shared(&self) {
        self.tag.released(Mode::Shared);
        // SAFETY: the caller holds this lock shared, and that is to hold `raw` so.
        unsafe { self.raw.unlock_shared() }
    }

    #[inline]
    #[track_caller]
    fn lock_exclusive(&self) {
        let (asked, at) = self
            .tag_for::<R::GuardMarker>()
            .request_through_trait(Mode::Exclusive, Site::caller());
        self.acquire(
            asked,
            Mode::Exclusive,
            at,
            R::try_lock_exclusive,
            R::lock_exclusive,
        );
    }

    #[inline]
    #[track_caller]
    fn try_lock_exclusive(&self) -> bool {
        let at = effective(Site::caller());
        self.attempt::<R::GuardMarker>(Mode::Exclusive, at, R::try_lock_exclusive)
    }

    #[inline]
    unsafe fn unlock_exclusive(&self) {
        self.tag.released(Mode::Exclusive);
        // SAFETY: the caller holds this lock exclusively, and that is to hold `raw` so.
        unsafe { self.raw.unlock_exclusive() }
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.raw.is_locked()
    }

    #[inline]
    fn is_locked_exclusive(&self) -> bool {
        self.raw.is_locked_exclusive()
    }
}

// SAFETY: as for `RawRwLock`; fairness is `raw`'s.
unsafe impl<R: RawRwLockFair> RawRwLockFair for Watched<R> {
    #[inline]
    unsafe fn unlock_shared_fair(&self) {
        self.tag.released(Mode::Shared);
        // SAFETY: the caller holds this lock shared, and that is to hold `raw` so.
        unsafe { self.raw.unlock_shared_fair() }
    }

    #[inline]
    unsafe fn unlock_exclusive_fair(&self) {
        self.tag.released(Mode::Exclusive);
        // SAFETY: the caller holds this lock exclusively, and that is to hold `raw` so.
        unsafe { self.raw.unlock_exclusive_fair() }
    }

    #[inline]
    #[track_caller]
    unsafe fn bump_shared(&self) {
        self.bump_by(Mode::Shared, Site::caller(), |raw| {
            // SAFETY: the caller holds this lock shared, and that is to hold `raw` so.
            unsafe { raw.bump_shared() }
        });
    }

    #[inline]
    #[track_caller]
    unsafe fn bump_exclusive(&self) {
        self.bump_by(Mode::Exclusive, Site::caller(), |raw| {
            // SAFETY: the caller holds this lock exclusively, and that is to hold `raw` so.
            unsafe { raw.bump_exclusive() }
        });
    }
}

// SAFETY: as for `RawRwLock`; time is `raw`'s.
unsafe impl<R: RawRwLockTimed> RawRwLockTimed for Watched<R> {
    type Duration = R::Duration;
    type Instant = R::Instant;

    #[inline]
    #[track_caller]
    fn try_lock_shared_for(&self, timeout: R::Duration) -> bool {
        let at = effective(Site::caller());
        self.attempt_timed::<R::GuardMarker>(shared::<R>(), at, R::try_lock_shared, |raw| {
            raw.try_lock_shared_for(timeout)
        })
    }

    #[inline]
    #[track_caller]
    fn try_lock_shared_until(&self, deadline: R::Instant) -> bool {
        let at = effective(Site::caller());
        self.attempt_timed::<R::GuardMarker>(shared::<R>(), at, R::try_lock_shared, |raw| {
            raw.try_lock_shared_until(deadline)
        })
    }

    #[inline]
    #[track_caller]
    fn try_lock_exclusive_for(&self, timeout: R::Duration) -> bool {
        let at = effective(Site::caller());
        self.attempt_timed::<R::GuardMarker>(Mode::Exclusive, at, R::try_lock_exclusive, |raw| {
            raw.try_lock_exclusive_for(timeout)
        })
    }

    #[inline]
    #[track_caller]
    fn try_lock_exclusive_until(&self, deadline: R::Instant) -> bool {
        let at = effective(Site::caller());
        self.attempt_timed::<R::GuardMarker>(Mode::Exclusive, at, R::try_lock_exclusive, |raw| {
            raw.try_lock_exclusive_until(deadline)
        })
    }
}

// SAFETY: as for `RawRwLock`; whom a recursive read waits for is `raw`'s.
unsafe impl<R: RawRwLockRecursive> RawRwLockRecursive for Watched<R> {
    #[inline]
    #[track_caller]
    fn lock_shared_recursive(&self) {
        let (asked, at) = self
            .tag_for::<R::GuardMarker>()
            .request_through_trait(Mode::RecursiveShared, Site::caller());
        self.acquire(
            asked,
            Mode::RecursiveShared,
            at,
            R::try_lock_shared_recursive,
            R::lock_shared_recursive,
        );
    }

    #[inline]
    #[track_caller]
    fn try_lock_shared_recursive(&self) -> bool {
        let at = effective(Site::caller());
        self.attempt::<R::GuardMarker>(Mode::RecursiveShared, at, R::try_lock_shared_recursive)
    }
}

// SAFETY: as for `RawRwLockRecursive`; time is `raw`'s.
unsafe impl<R: RawRwLockRecursiveTimed> RawRwLockRecursiveTimed for Watched<R> {
    #[inline]
    #[track_caller]
    fn try_lock_shared_recursive_for(&self, timeout: R::Duration) -> bool {
        let at = effective(Site::caller());
        let attempt = R::try_lock_shared_recursive;
        self.attempt_timed::<R::GuardMarker>(Mode::RecursiveShared, at, attempt, |raw| {
            raw.try_lock_shared_recursive_for(timeout)
        })
    }

    #[inline]
    #[track_caller]
    fn try_lock_shared_recursive_until(&self, deadline: R::Instant) -> bool {
        let at = effective(Site::caller());
        let attempt = R::try_lock_shared_recursive;
        self.attempt_timed::<R::GuardMarker>(Mode::RecursiveShared, at, attempt, |raw| {
            raw.try_lock_shared_recursive_until(deadline)
        })
    }
}

// SAFETY: as for `RawRwLock`. An upgrade upgrades `raw` exactly if it succeeds; if the request
// before it unwinds, both are still held upgradably.
unsafe impl<R: RawRwLockUpgrade> RawRwLockUpgrade for Watched<R> {
    #[inline]
    #[track_caller]
    fn lock_upgradable(&self) {
        let (asked, at) = self
            .tag_for::<R::GuardMarker>()
            .request_through_trait(Mode::Upgradable, Site::caller());
        self.acquire(
            asked,
            Mode::Upgradable,
            at,
            R::try_lock_upgradable,
            R::lock_upgradable,
        );
    }

    #[inline]
    #[track_caller]
    fn try_lock_upgradable(&self) -> bool {
        let at = effective(Site::caller());
        self.attempt::<R::GuardMarker>(Mode::Upgradable, at, R::try_lock_upgradable)
    }

    #[inline]
    unsafe fn unlock_upgradable(&self) {
        self.tag.released(Mode::Upgradable);
        // SAFETY: the caller holds this lock upgradably, and that is to hold `raw` so.
        unsafe { self.raw.unlock_upgradable() }
    }

    #[inline]
    #[track_caller]
    unsafe fn upgrade(&self) {
        let at = Site::caller();
        self.tag.upgrading(at);
        // SAFETY: the caller holds this lock upgradably, and that is to hold `raw` so.
        if !unsafe { self.raw.try_upgrade() } {
            self.tag.blocked(Mode::Exclusive, Ask::Wait, at);
            // SAFETY: as above; a failed attempt left `raw` as it was.
            unsafe { self.raw.upgrade() };
            Tag::unblocked();
        }
        self.tag.changed_mode(Mode::Upgradable, Mode::Exclusive, at);
    }

    #[inline]
    #[track_caller]
    unsafe fn try_upgrade(&self) -> bool {
        // SAFETY: the caller holds this lock upgradably, and that is to hold `raw` so.
        let upgraded = unsafe { self.raw.try_upgrade() };
        if upgraded {
            self.tag
                .changed_mode(Mode::Upgradable, Mode::Exclusive, Site::caller());
        }
        upgraded
    }
}

// SAFETY: as for `RawRwLockUpgrade`; fairness is `raw`'s.
unsafe impl<R: RawRwLockUpgradeFair> RawRwLockUpgradeFair for Watched<R> {
    #[inline]
    unsafe fn unlock_upgradable_fair(&self) {
        self.tag.released(Mode::Upgradable);
        // SAFETY: the caller holds this lock upgradably, and that is to hold `raw` so.
        unsafe { self.raw.unlock_upgradable_fair() }
    }

    #[inline]
    #[track_caller]
    unsafe fn bump_upgradable(&self) {
        self.bump_by(Mode::Upgradable, Site::caller(), |raw| {
            // SAFETY: the caller holds this lock upgradably, and that is to hold `raw` so.
            unsafe { raw.bump_upgradable() }
        });
    }
}

// SAFETY: as for `RawRwLock`: a downgrade downgrades `raw`. The watcher is told while the stronger
// mode is still held, so that nobody else's acquisition comes before it.
unsafe impl<R: RawRwLockDowngrade> RawRwLockDowngrade for Watched<R> {
    #[inline]
    #[track_caller]
    unsafe fn downgrade(&self) {
        self.tag
            .changed_mode(Mode::Exclusive, Mode::Shared, Site::caller());
        // SAFETY: the caller holds this lock exclusively, and that is to hold `raw` so.
        unsafe { self.raw.downgrade() }
    }
}

// SAFETY: as for `RawRwLockDowngrade`.
unsafe impl<R: RawRwLockUpgradeDowngrade> RawRwLockUpgradeDowngrade for Watched<R> {
    #[inline]
    #[track_caller]
    unsafe fn downgrade_upgradable(&self) {
        self.tag
            .changed_mode(Mode::Upgradable, Mode::Shared, Site::caller());
        // SAFETY: the caller holds this lock upgradably, and that is to hold `raw` so.
        unsafe { self.raw.downgrade_upgradable() }
    }

    #[inline]
    #[track_caller]
    unsafe fn downgrade_to_upgradable(&self) {
        let at = effective(Site::caller());
        self.tag.changed_mode(Mode::Exclusive, Mode::Upgradable, at);
        // SAFETY: the caller holds this lock exclusively, and that is to hold `raw` so.
        unsafe { self.raw.downgrade_to_upgradable() }
    }
}

// SAFETY: as for `RawRwLockUpgrade`; time is `raw`'s.
unsafe impl<R: RawRwLockUpgradeTimed> RawRwLockUpgradeTimed for Watched<R> {
    #[inline]
    #[track_caller]
    fn try_lock_upgradable_for(&self, timeout: R::Duration) -> bool {
        let at = effective(Site::caller());
        self.attempt_timed::<R::GuardMarker>(Mode::Upgradable, at, R::try_lock_upgradable, |raw| {
            raw.try_lock_upgradable_for(timeout)
        })
    }

    #[inline]
    #[track_caller]
    fn try_lock_upgradable_until(&self, deadline: R::Instant) -> bool {
        let at = effective(Site::caller());
        self.attempt_timed::<R::GuardMarker>(Mode::Upgradable, at, R::try_lock_upgradable, |raw| {
            raw.try_lock_upgradable_until(deadline)
        })
    }

    #[inline]
    #[track_caller]
    unsafe fn try_upgrade_for(&self, timeout: R::Duration) -> bool {
        let at = Site::caller();
        // SAFETY: the caller holds this lock upgradably, and that is to hold `raw` so.
        let mut upgraded = unsafe { self.raw.try_upgrade() };
        if !upgraded {
            self.tag.blocked(Mode::Exclusive, Ask::Timed, at);
            // SAFETY: as above; a failed attempt left `raw` as it was.
            upgraded = unsafe { self.raw.try_upgrade_for(timeout) };
        }
        self.upgrade_ended(upgraded, at)
    }

    #[inline]
    #[track_caller]
    unsafe fn try_upgrade_until(&self, deadline: R::Instant) -> bool {
        let at = Site::caller();
        // SAFETY: the caller holds this lock upgradably, and that is to hold `raw` so.
        let mut upgraded = unsafe { self.raw.try_upgrade() };
        if !upgraded {
            self.tag.blocked(Mode::Exclusive, Ask::Timed, at);
            // SAFETY: as above; a failed attempt left `raw` as it was.
            upgraded = unsafe { self.raw.try_upgrade_until(deadline) };
        }
        self.upgrade_ended(upgraded, at)
    }
}

impl<R> Watched<R> {
    /// Tells how a timed upgrade has ended.
    #[inline]
    fn upgrade_ended(&self, upgraded: bool, at: Site) -> bool {
        if upgraded {
            self.tag.changed_mode(Mode::Upgradable, Mode::Exclusive, at);
        } else {
            self.tag.gave_up();
        }
        upgraded
    }
}
