//! A watched raw mutex is a raw mutex, as fair and as timed as the one inside.

use lock_api::{RawMutex, RawMutexFair, RawMutexTimed};

use super::watched::{Watched, mutex_mode, unknown};
use crate::tag::effective;
use crate::watch::Site;

// SAFETY: exclusivity is `raw`'s: each operation takes or releases `raw` exactly once, and the
// watcher changes no lock.
unsafe impl<R: RawMutex> RawMutex for Watched<R> {
    const INIT: Self = Watched::from_raw(R::INIT, unknown());

    type GuardMarker = R::GuardMarker;

    #[inline]
    #[track_caller]
    fn lock(&self) {
        let mode = mutex_mode::<R>(&self.tag);
        let (asked, at) = self
            .tag_for::<R::GuardMarker>()
            .request_through_trait(mode, Site::caller());
        self.acquire(asked, mode, at, R::try_lock, R::lock);
    }

    #[inline]
    #[track_caller]
    fn try_lock(&self) -> bool {
        let at = effective(Site::caller());
        self.attempt::<R::GuardMarker>(mutex_mode::<R>(&self.tag), at, R::try_lock)
    }

    #[inline]
    unsafe fn unlock(&self) {
        self.tag.released(mutex_mode::<R>(&self.tag));
        // SAFETY: the caller holds this lock in the current context, and that is to hold `raw`.
        unsafe { self.raw.unlock() }
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.raw.is_locked()
    }
}

// SAFETY: as for `RawMutex`; fairness is `raw`'s.
unsafe impl<R: RawMutexFair> RawMutexFair for Watched<R> {
    #[inline]
    unsafe fn unlock_fair(&self) {
        self.tag.released(mutex_mode::<R>(&self.tag));
        // SAFETY: the caller holds this lock in the current context, and that is to hold `raw`.
        unsafe { self.raw.unlock_fair() }
    }

    #[inline]
    #[track_caller]
    unsafe fn bump(&self) {
        self.bump_by(
            mutex_mode::<R>(&self.tag),
            effective(Site::caller()),
            |raw| {
                // SAFETY: the caller holds this lock in the current context, and that is to hold `raw`.
                unsafe { raw.bump() }
            },
        );
    }
}

// SAFETY: as for `RawMutex`; time is `raw`'s.
unsafe impl<R: RawMutexTimed> RawMutexTimed for Watched<R> {
    type Duration = R::Duration;
    type Instant = R::Instant;

    #[inline]
    #[track_caller]
    fn try_lock_for(&self, timeout: R::Duration) -> bool {
        let at = effective(Site::caller());
        self.attempt_timed::<R::GuardMarker>(mutex_mode::<R>(&self.tag), at, R::try_lock, |raw| {
            raw.try_lock_for(timeout)
        })
    }

    #[inline]
    #[track_caller]
    fn try_lock_until(&self, deadline: R::Instant) -> bool {
        let at = effective(Site::caller());
        self.attempt_timed::<R::GuardMarker>(mutex_mode::<R>(&self.tag), at, R::try_lock, |raw| {
            raw.try_lock_until(deadline)
        })
    }
}
