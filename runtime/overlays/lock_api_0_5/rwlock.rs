//! A watched raw read-write lock is one, with all the abilities of the one inside.
//!
//! A read that waits for no writer who waits himself is released as any other, so the watcher is told
//! [`Mode::Shared`] in both cases.

use scopeguard::ScopeGuard;

use crate::tag::{Tag, effective};
use crate::watch::hooks::Ask;
use crate::watch::{Mode, Site};
use crate::{
    RawRwLock, RawRwLockDowngrade, RawRwLockFair, RawRwLockTimed, RawRwLockUpgrade,
    RawRwLockUpgradeDowngrade, RawRwLockUpgradeFair, RawRwLockUpgradeTimed,
};

use super::watched::{Watched, unknown};

/// The mode of reads.
const fn reading<R: RawRwLock>() -> Mode {
    if R::READS_RECUR {
        Mode::RecursiveShared
    } else {
        Mode::Shared
    }
}

// SAFETY: exclusivity is `raw`'s: each operation takes or releases `raw` exactly once in the same
// mode, and the watcher changes no lock. A request may unwind, but only before `raw` is taken.
unsafe impl<R: RawRwLock> RawRwLock for Watched<R> {
    const INIT: Self = Watched::from_raw(R::INIT, unknown());
    const READS_RECUR: bool = R::READS_RECUR;

    type SharedGuard = R::SharedGuard;
    type ExclusiveGuard = R::ExclusiveGuard;

    #[inline]
    #[track_caller]
    fn lock_shared(&self) -> R::SharedGuard {
        let (asked, at) = self
            .tag_for::<R::SharedGuard>()
            .request_through_trait(reading::<R>(), Site::caller());
        self.acquire(asked, reading::<R>(), at, R::try_lock_shared, R::lock_shared)
    }

    #[inline]
    #[track_caller]
    fn try_lock_shared(&self) -> Option<R::SharedGuard> {
        let at = effective(Site::caller());
        self.attempt(reading::<R>(), at, R::try_lock_shared)
    }

    #[inline]
    unsafe fn unlock_shared(&self, guard: R::SharedGuard) {
        self.tag.released(Mode::Shared);
        // SAFETY: the caller holds this lock shared by `guard`, and that is to hold `raw` so.
        unsafe { self.raw.unlock_shared(guard) }
    }

    #[inline]
    #[track_caller]
    fn lock_exclusive(&self) -> R::ExclusiveGuard {
        let (asked, at) = self
            .tag_for::<R::ExclusiveGuard>()
            .request_through_trait(Mode::Exclusive, Site::caller());
        self.acquire(
            asked,
            Mode::Exclusive,
            at,
            R::try_lock_exclusive,
            R::lock_exclusive,
        )
    }

    #[inline]
    #[track_caller]
    fn try_lock_exclusive(&self) -> Option<R::ExclusiveGuard> {
        let at = effective(Site::caller());
        self.attempt(Mode::Exclusive, at, R::try_lock_exclusive)
    }

    #[inline]
    unsafe fn unlock_exclusive(&self, guard: R::ExclusiveGuard) {
        self.tag.released(Mode::Exclusive);
        // SAFETY: the caller holds this lock exclusively by `guard`, and that is to hold `raw` so.
        unsafe { self.raw.unlock_exclusive(guard) }
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
    unsafe fn unlock_shared_fair(&self, guard: R::SharedGuard) {
        self.tag.released(Mode::Shared);
        // SAFETY: the caller holds this lock shared by `guard`, and that is to hold `raw` so.
        unsafe { self.raw.unlock_shared_fair(guard) }
    }

    #[inline]
    unsafe fn unlock_exclusive_fair(&self, guard: R::ExclusiveGuard) {
        self.tag.released(Mode::Exclusive);
        // SAFETY: the caller holds this lock exclusively by `guard`, and that is to hold `raw` so.
        unsafe { self.raw.unlock_exclusive_fair(guard) }
    }

    #[inline]
    #[track_caller]
    unsafe fn bump_shared(&self, guard: &mut R::SharedGuard) {
        self.bump_by(Mode::Shared, Site::caller(), |raw| {
            // SAFETY: the caller holds this lock shared by `guard`, and that is to hold `raw` so.
            unsafe { raw.bump_shared(guard) }
        });
    }

    #[inline]
    #[track_caller]
    unsafe fn bump_exclusive(&self, guard: &mut R::ExclusiveGuard) {
        self.bump_by(Mode::Exclusive, Site::caller(), |raw| {
            // SAFETY: the caller holds this lock exclusively by `guard`, and that is to hold `raw`
            // so.
            unsafe { raw.bump_exclusive(guard) }
        });
    }
}

// SAFETY: as for `RawRwLock`; time is `raw`'s.
unsafe impl<R: RawRwLockTimed> RawRwLockTimed for Watched<R> {
    type Duration = R::Duration;
    type Instant = R::Instant;

    #[inline]
    #[track_caller]
    fn try_lock_shared_for(&self, timeout: R::Duration) -> Option<R::SharedGuard> {
        let at = effective(Site::caller());
        self.attempt_timed(reading::<R>(), at, R::try_lock_shared, |raw| {
            raw.try_lock_shared_for(timeout)
        })
    }

    #[inline]
    #[track_caller]
    fn try_lock_shared_until(&self, deadline: R::Instant) -> Option<R::SharedGuard> {
        let at = effective(Site::caller());
        self.attempt_timed(reading::<R>(), at, R::try_lock_shared, |raw| {
            raw.try_lock_shared_until(deadline)
        })
    }

    #[inline]
    #[track_caller]
    fn try_lock_exclusive_for(&self, timeout: R::Duration) -> Option<R::ExclusiveGuard> {
        let at = effective(Site::caller());
        self.attempt_timed(Mode::Exclusive, at, R::try_lock_exclusive, |raw| {
            raw.try_lock_exclusive_for(timeout)
        })
    }

    #[inline]
    #[track_caller]
    fn try_lock_exclusive_until(&self, deadline: R::Instant) -> Option<R::ExclusiveGuard> {
        let at = effective(Site::caller());
        self.attempt_timed(Mode::Exclusive, at, R::try_lock_exclusive, |raw| {
            raw.try_lock_exclusive_until(deadline)
        })
    }
}

// SAFETY: as for `RawRwLock`. An upgrade upgrades `raw` exactly if it succeeds; if the request
// before it unwinds, `raw` is released, as the trait wants it.
unsafe impl<R: RawRwLockUpgrade> RawRwLockUpgrade for Watched<R> {
    type UpgradableGuard = R::UpgradableGuard;

    #[inline]
    #[track_caller]
    fn lock_upgradable(&self) -> R::UpgradableGuard {
        let (asked, at) = self
            .tag_for::<R::UpgradableGuard>()
            .request_through_trait(Mode::Upgradable, Site::caller());
        self.acquire(
            asked,
            Mode::Upgradable,
            at,
            R::try_lock_upgradable,
            R::lock_upgradable,
        )
    }

    #[inline]
    #[track_caller]
    fn try_lock_upgradable(&self) -> Option<R::UpgradableGuard> {
        let at = effective(Site::caller());
        self.attempt(Mode::Upgradable, at, R::try_lock_upgradable)
    }

    #[inline]
    unsafe fn unlock_upgradable(&self, guard: R::UpgradableGuard) {
        self.tag.released(Mode::Upgradable);
        // SAFETY: the caller holds this lock upgradably by `guard`, and that is to hold `raw` so.
        unsafe { self.raw.unlock_upgradable(guard) }
    }

    #[inline]
    #[track_caller]
    unsafe fn upgrade(&self, guard: R::UpgradableGuard) -> R::ExclusiveGuard {
        let at = effective(Site::caller());
        let kept = scopeguard::guard(guard, |guard| {
            // SAFETY: the caller holds this lock upgradably by `guard`, which nobody else has now.
            unsafe { self.unlock_upgradable(guard) }
        });
        self.tag.upgrading(at);
        let guard = ScopeGuard::into_inner(kept);
        // SAFETY: the caller holds this lock upgradably by `guard`, and that is to hold `raw` so.
        let guard = unsafe { self.raw.try_upgrade(guard) }.unwrap_or_else(|guard| {
            // Unwinding here would lose `guard`, and with it the lock.
            self.tag.blocked_quietly(Mode::Exclusive, Ask::Wait, at);
            // SAFETY: as above; a failed attempt left `raw` as it was.
            let guard = unsafe { self.raw.upgrade(guard) };
            Tag::unblocked();
            guard
        });
        self.tag.changed_mode(Mode::Upgradable, Mode::Exclusive, at);
        guard
    }

    #[inline]
    #[track_caller]
    unsafe fn try_upgrade(
        &self,
        guard: R::UpgradableGuard,
    ) -> Result<R::ExclusiveGuard, R::UpgradableGuard> {
        let at = effective(Site::caller());
        // SAFETY: the caller holds this lock upgradably by `guard`, and that is to hold `raw` so.
        let upgraded = unsafe { self.raw.try_upgrade(guard) };
        if upgraded.is_ok() {
            self.tag.changed_mode(Mode::Upgradable, Mode::Exclusive, at);
        }
        upgraded
    }
}

// SAFETY: as for `RawRwLockUpgrade`; fairness is `raw`'s.
unsafe impl<R: RawRwLockUpgradeFair> RawRwLockUpgradeFair for Watched<R> {
    #[inline]
    unsafe fn unlock_upgradable_fair(&self, guard: R::UpgradableGuard) {
        self.tag.released(Mode::Upgradable);
        // SAFETY: the caller holds this lock upgradably by `guard`, and that is to hold `raw` so.
        unsafe { self.raw.unlock_upgradable_fair(guard) }
    }

    #[inline]
    #[track_caller]
    unsafe fn bump_upgradable(&self, guard: &mut R::UpgradableGuard) {
        self.bump_by(Mode::Upgradable, Site::caller(), |raw| {
            // SAFETY: the caller holds this lock upgradably by `guard`, and that is to hold `raw`
            // so.
            unsafe { raw.bump_upgradable(guard) }
        });
    }
}

// SAFETY: as for `RawRwLock`: a downgrade downgrades `raw`. The watcher is told while the stronger
// mode is still held, so that nobody else's acquisition comes before it.
unsafe impl<R: RawRwLockDowngrade> RawRwLockDowngrade for Watched<R> {
    #[inline]
    #[track_caller]
    unsafe fn downgrade(&self, guard: R::ExclusiveGuard) -> R::SharedGuard {
        self.tag
            .changed_mode(Mode::Exclusive, Mode::Shared, Site::caller());
        // SAFETY: the caller holds this lock exclusively by `guard`, and that is to hold `raw` so.
        unsafe { self.raw.downgrade(guard) }
    }
}

// SAFETY: as for `RawRwLockDowngrade`.
unsafe impl<R: RawRwLockUpgradeDowngrade> RawRwLockUpgradeDowngrade for Watched<R> {
    #[inline]
    #[track_caller]
    unsafe fn downgrade_upgradable(&self, guard: R::UpgradableGuard) -> R::SharedGuard {
        self.tag
            .changed_mode(Mode::Upgradable, Mode::Shared, Site::caller());
        // SAFETY: the caller holds this lock upgradably by `guard`, and that is to hold `raw` so.
        unsafe { self.raw.downgrade_upgradable(guard) }
    }

    #[inline]
    #[track_caller]
    unsafe fn downgrade_to_upgradable(&self, guard: R::ExclusiveGuard) -> R::UpgradableGuard {
        let at = effective(Site::caller());
        self.tag
            .changed_mode(Mode::Exclusive, Mode::Upgradable, at);
        // SAFETY: the caller holds this lock exclusively by `guard`, and that is to hold `raw` so.
        unsafe { self.raw.downgrade_to_upgradable(guard) }
    }
}

// SAFETY: as for `RawRwLockUpgrade`; time is `raw`'s.
unsafe impl<R: RawRwLockUpgradeTimed> RawRwLockUpgradeTimed for Watched<R> {
    #[inline]
    #[track_caller]
    fn try_lock_upgradable_for(&self, timeout: R::Duration) -> Option<R::UpgradableGuard> {
        let at = effective(Site::caller());
        self.attempt_timed(Mode::Upgradable, at, R::try_lock_upgradable, |raw| {
            raw.try_lock_upgradable_for(timeout)
        })
    }

    #[inline]
    #[track_caller]
    fn try_lock_upgradable_until(&self, deadline: R::Instant) -> Option<R::UpgradableGuard> {
        let at = effective(Site::caller());
        self.attempt_timed(Mode::Upgradable, at, R::try_lock_upgradable, |raw| {
            raw.try_lock_upgradable_until(deadline)
        })
    }

    #[inline]
    #[track_caller]
    unsafe fn try_upgrade_for(
        &self,
        guard: R::UpgradableGuard,
        timeout: R::Duration,
    ) -> Result<R::ExclusiveGuard, R::UpgradableGuard> {
        let at = effective(Site::caller());
        // SAFETY: the caller holds this lock upgradably by `guard`, and that is to hold `raw` so.
        let upgraded = unsafe { self.raw.try_upgrade(guard) }.or_else(|guard| {
            self.tag.blocked(Mode::Exclusive, Ask::Timed, at);
            // SAFETY: as above; a failed attempt left `raw` as it was.
            unsafe { self.raw.try_upgrade_for(guard, timeout) }
        });
        self.upgrade_ended(upgraded, at)
    }

    #[inline]
    #[track_caller]
    unsafe fn try_upgrade_until(
        &self,
        guard: R::UpgradableGuard,
        deadline: R::Instant,
    ) -> Result<R::ExclusiveGuard, R::UpgradableGuard> {
        let at = effective(Site::caller());
        // SAFETY: the caller holds this lock upgradably by `guard`, and that is to hold `raw` so.
        let upgraded = unsafe { self.raw.try_upgrade(guard) }.or_else(|guard| {
            self.tag.blocked(Mode::Exclusive, Ask::Timed, at);
            // SAFETY: as above; a failed attempt left `raw` as it was.
            unsafe { self.raw.try_upgrade_until(guard, deadline) }
        });
        self.upgrade_ended(upgraded, at)
    }
}

impl<R> Watched<R> {
    /// Tells how a timed upgrade has ended.
    #[inline]
    fn upgrade_ended<G, E>(&self, upgraded: Result<G, E>, at: Site) -> Result<G, E> {
        if upgraded.is_ok() {
            self.tag.changed_mode(Mode::Upgradable, Mode::Exclusive, at);
        } else {
            self.tag.gave_up();
        }
        upgraded
    }
}

impl<R: RawRwLock> Watched<R> {
    /// Takes the lock shared again for its guard.
    #[inline]
    pub(crate) fn relock_shared(&self, at: Site) -> R::SharedGuard {
        self.take_again(reading::<R>(), at, R::try_lock_shared, R::lock_shared)
    }

    /// Takes the lock exclusively again for its guard.
    #[inline]
    pub(crate) fn relock_exclusive(&self, at: Site) -> R::ExclusiveGuard {
        self.take_again(
            Mode::Exclusive,
            at,
            R::try_lock_exclusive,
            R::lock_exclusive,
        )
    }
}

impl<R: RawRwLockUpgrade> Watched<R> {
    /// Takes the lock upgradably again for its guard.
    #[inline]
    pub(crate) fn relock_upgradable(&self, at: Site) -> R::UpgradableGuard {
        self.take_again(
            Mode::Upgradable,
            at,
            R::try_lock_upgradable,
            R::lock_upgradable,
        )
    }
}
