//! The pattern of an acquisition, and the part of a guard that ends it.
//!
//! A guard consists of a [`Held`] and the guard of std, in this order: fields are dropped in the
//! order of their declaration, so the watcher hears of the release before it happens, also when the
//! thread unwinds; and as no guard has a `Drop` of its own, a condition variable can take it apart.

use std::mem;
use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

use crate::watch::hooks::{self, Ask, Asked};
use crate::watch::{Identity, Mode, Site};

/// A lock that is held; dropping this tells the watcher that it is about to be released.
pub(super) struct Held<'a> {
    pub(super) lock: &'a Identity,
    pub(super) mode: Mode,
}

impl<'a> Held<'a> {
    /// Takes the lock out of the hands of this value: nothing will be told at its end.
    pub(super) fn dissolve(self) -> (&'a Identity, Mode) {
        let parts = (self.lock, self.mode);
        mem::forget(self);
        parts
    }

    /// Tells that the thread is about to let other readers in.
    pub(super) fn downgrade(&mut self, at: Site) {
        hooks::changed_mode(self.lock, self.mode, Mode::Shared, at);
        self.mode = Mode::Shared;
    }

    /// Holds the lock that a condition variable gave back and has taken again.
    pub(super) fn resumed(lock: &'a Identity, mode: Mode) -> Self {
        Held { lock, mode }
    }
}

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        hooks::released(self.lock, self.mode);
    }
}

/// What a thread asks of a lock.
#[derive(Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) lock: &'a Identity,
    pub(super) mode: Mode,
    pub(super) at: Site,
}

impl<'a> Request<'a> {
    /// Takes the lock with `take`, or, if it is not free, waits for it with `wait`.
    ///
    /// A poisoned lock is acquired like any other.
    #[inline]
    #[track_caller]
    pub(super) fn wait<G>(
        self,
        take: impl Fn() -> TryLockResult<G>,
        wait: impl FnOnce() -> LockResult<G>,
    ) -> LockResult<(Held<'a>, G)> {
        let asked = hooks::request(self.lock, self.mode, Ask::Wait, self.at);
        match take() {
            Ok(guard) => {
                hooks::acquired_at_once(asked, self.lock, self.mode, self.at);
                Ok((Held::resumed(self.lock, self.mode), guard))
            }
            Err(TryLockError::Poisoned(poisoned)) => Err(self.poisoned(asked, poisoned)),
            Err(TryLockError::WouldBlock) => {
                let taken = self.wait_for(take, wait);
                let held = self.granted(Ask::Wait);
                map_result(taken, |guard| (held, guard))
            }
        }
    }

    /// Tells of a lock that was free and is poisoned. It stands apart, as what is done mostly is short.
    #[cold]
    fn poisoned<G>(self, asked: Asked, poisoned: PoisonError<G>) -> PoisonError<(Held<'a>, G)> {
        hooks::acquired_at_once(asked, self.lock, self.mode, self.at);
        let held = Held::resumed(self.lock, self.mode);
        PoisonError::new((held, poisoned.into_inner()))
    }

    /// Takes a lock that is not free now.
    #[cold]
    #[track_caller]
    fn wait_for<G>(
        self,
        take: impl Fn() -> TryLockResult<G>,
        wait: impl FnOnce() -> LockResult<G>,
    ) -> LockResult<G> {
        match hooks::try_again(|| taken(take())) {
            Some(taken) => taken,
            None => self.park(take, wait),
        }
    }

    /// Tells of the outcome of a request that does not wait.
    #[inline]
    pub(super) fn tried<G>(self, taken: TryLockResult<G>) -> TryLockResult<(Held<'a>, G)> {
        match taken {
            Ok(guard) => Ok((self.granted(Ask::Try), guard)),
            Err(TryLockError::Poisoned(poisoned)) => Err(TryLockError::Poisoned(PoisonError::new(
                (self.granted(Ask::Try), poisoned.into_inner()),
            ))),
            Err(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
        }
    }

    /// Waits with `wait`, which ends with the lock held, or by unwinding.
    #[cold]
    #[track_caller]
    fn park<G>(
        self,
        take: impl Fn() -> TryLockResult<G>,
        wait: impl FnOnce() -> LockResult<G>,
    ) -> LockResult<G> {
        let mut got = None;
        if matches!(self.mode, Mode::Shared) {
            hooks::blocked_reading(self.lock, self.at, || {
                got = taken(take());
                got.is_some()
            });
        } else {
            hooks::blocked(self.lock, self.mode, Ask::Wait, self.at);
        }
        let waiting = Waiting(self.lock);
        let outcome = got.unwrap_or_else(wait);
        mem::forget(waiting);
        hooks::unblocked();
        outcome
    }

    #[inline]
    fn granted(self, ask: Ask) -> Held<'a> {
        hooks::acquired(self.lock, self.mode, ask, self.at);
        Held {
            lock: self.lock,
            mode: self.mode,
        }
    }
}

/// A thread that waits. Dropping this tells the watcher that it does not any more, and got nothing:
/// std may panic instead of waiting, when a lock has too many readers for instance.
pub(super) struct Waiting<'a>(pub(super) &'a Identity);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        hooks::gave_up(self.0);
    }
}

/// What an attempt got, unless the lock was not free.
#[inline]
fn taken<G>(attempt: TryLockResult<G>) -> Option<LockResult<G>> {
    match attempt {
        Ok(guard) => Some(Ok(guard)),
        Err(TryLockError::Poisoned(poisoned)) => Some(Err(poisoned)),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// The same result with another guard.
#[inline]
pub(super) fn map_result<G, H>(result: LockResult<G>, map: impl FnOnce(G) -> H) -> LockResult<H> {
    match result {
        Ok(guard) => Ok(map(guard)),
        Err(poisoned) => Err(PoisonError::new(map(poisoned.into_inner()))),
    }
}

/// The same result with another guard.
#[inline]
pub(super) fn map_try_result<G, H>(
    result: TryLockResult<G>,
    map: impl FnOnce(G) -> H,
) -> TryLockResult<H> {
    match result {
        Ok(guard) => Ok(map(guard)),
        Err(TryLockError::Poisoned(poisoned)) => Err(TryLockError::Poisoned(PoisonError::new(
            map(poisoned.into_inner()),
        ))),
        Err(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
    }
}
