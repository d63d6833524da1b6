//! A watched raw mutex is a raw mutex, as fair and as timed as the one inside.

use crate::tag::effective;
use crate::watch::Site;
use crate::{RawMutex, RawMutexFair, RawMutexTimed};

use super::watched::{Watched, unknown};

// SAFETY: exclusivity is `raw`'s: each operation takes or releases `raw` exactly once, and the
// watcher changes no lock. A request may unwind, but only before `raw` is taken.
unsafe impl<R: RawMutex> RawMutex for Watched<R> {
    const INIT: Self = Watched::from_raw(R::INIT, unknown());

    type Guard = R::Guard;

    #[inline]
    #[track_caller]
    fn lock(&self) -> R::Guard {
        let mode = self.tag.mutex_mode();
        let (asked, at) = self
            .tag_for::<R::Guard>()
            .request_through_trait(mode, Site::caller());
        self.acquire(asked, mode, at, R::try_lock, R::lock)
    }

    #[inline]
    #[track_caller]
    fn try_lock(&self) -> Option<R::Guard> {
        let at = effective(Site::caller());
        self.attempt(self.tag.mutex_mode(), at, R::try_lock)
    }

    #[inline]
    unsafe fn unlock(&self, guard: R::Guard) {
        self.tag.released(self.tag.mutex_mode());
        // SAFETY: the caller holds this lock by `guard`, and that is to hold `raw` by it.
        unsafe { self.raw.unlock(guard) }
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.raw.is_locked()
    }
}

// SAFETY: as for `RawMutex`; fairness is `raw`'s.
unsafe impl<R: RawMutexFair> RawMutexFair for Watched<R> {
    #[inline]
    unsafe fn unlock_fair(&self, guard: R::Guard) {
        self.tag.released(self.tag.mutex_mode());
        // SAFETY: the caller holds this lock by `guard`, and that is to hold `raw` by it.
        unsafe { self.raw.unlock_fair(guard) }
    }

    #[inline]
    #[track_caller]
    unsafe fn bump(&self, guard: &mut R::Guard) {
        self.bump_by(self.tag.mutex_mode(), effective(Site::caller()), |raw| {
            // SAFETY: the caller holds this lock by `guard`, and that is to hold `raw` by it.
            unsafe { raw.bump(guard) }
        });
    }
}

// SAFETY: as for `RawMutex`; time is `raw`'s.
unsafe impl<R: RawMutexTimed> RawMutexTimed for Watched<R> {
    type Duration = R::Duration;
    type Instant = R::Instant;

    #[inline]
    #[track_caller]
    fn try_lock_for(&self, timeout: R::Duration) -> Option<R::Guard> {
        let at = effective(Site::caller());
        self.attempt_timed(self.tag.mutex_mode(), at, R::try_lock, |raw| {
            raw.try_lock_for(timeout)
        })
    }

    #[inline]
    #[track_caller]
    fn try_lock_until(&self, deadline: R::Instant) -> Option<R::Guard> {
        let at = effective(Site::caller());
        self.attempt_timed(self.tag.mutex_mode(), at, R::try_lock, |raw| {
            raw.try_lock_until(deadline)
        })
    }
}

impl<R: RawMutex> Watched<R> {
    /// Takes the mutex again for its guard.
    #[inline]
    pub(crate) fn relock(&self, at: Site) -> R::Guard {
        self.take_again(self.tag.mutex_mode(), at, R::try_lock, R::lock)
    }
}
