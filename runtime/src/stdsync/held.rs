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
}

impl Drop for Held<'_> {
    #[cfg_attr(not(lockwise_overlay), inline)]
    #[cfg_attr(lockwise_overlay, inline(never))]
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

impl Request<'_> {
    /// Takes the lock with `take`, or, if it is not free, waits for it with `wait`, which ends with the
    /// lock held, or by unwinding. What is got is the caller's, who puts a [`Held`] beside it.
    ///
    /// A poisoned lock is acquired like any other. This is compiled for each type that a lock of the
    /// program protects, also in the smallest example of a documentation: what does not depend on that
    /// type stands elsewhere.
    #[inline]
    #[track_caller]
    pub(super) fn wait<G>(
        self,
        take: impl Fn() -> TryLockResult<G>,
        wait: impl FnOnce() -> LockResult<G>,
    ) -> LockResult<G> {
        let Request { lock, mode, at } = self;
        // Made anew where it is needed in memory: what is written before the lock's atomic instruction has to drain.
        let again = move || Request { lock, mode, at };
        let asked = hooks::request(lock, mode, Ask::Wait, at);
        match take() {
            Ok(guard) => {
                hooks::acquired_at_once(asked, lock, mode, at);
                Ok(guard)
            }
            Err(TryLockError::Poisoned(poisoned)) => {
                again().acquired_poisoned(asked);
                Err(poisoned)
            }
            Err(TryLockError::WouldBlock) => again().wait_for(take, wait),
        }
    }

    /// Tells of a lock that was free and is poisoned. It stands apart, as what is done mostly is short.
    #[cold]
    #[inline(never)]
    fn acquired_poisoned(self, asked: Asked) {
        hooks::acquired_at_once(asked, self.lock, self.mode, self.at);
    }

    /// Takes a lock that is not free now.
    #[cold]
    #[track_caller]
    fn wait_for<G>(
        self,
        take: impl Fn() -> TryLockResult<G>,
        wait: impl FnOnce() -> LockResult<G>,
    ) -> LockResult<G> {
        let mut got = None;
        self.begin_to_wait(&mut || {
            got = match take() {
                Ok(guard) => Some(Ok(guard)),
                Err(TryLockError::Poisoned(poisoned)) => Some(Err(poisoned)),
                Err(TryLockError::WouldBlock) => None,
            };
            got.is_some()
        });
        let outcome = if let Some(outcome) = got {
            outcome
        } else {
            let waiting = Waiting(self.lock);
            let outcome = wait();
            waiting.ended();
            outcome
        };
        self.acquired(Ask::Wait);
        outcome
    }

    /// Tries a few times more with `again`, which is true when it got the lock; if that was in vain, tells
    /// that the thread is about to park, and does not return as long as that would be for ever.
    #[cold]
    #[inline(never)]
    #[track_caller]
    fn begin_to_wait(self, again: &mut dyn FnMut() -> bool) {
        if hooks::try_again(|| again().then_some(())).is_some() {
            return;
        }
        if !matches!(self.mode, Mode::Shared) {
            hooks::blocked(self.lock, self.mode, Ask::Wait, self.at);
        } else if hooks::blocked_reading(self.lock, self.at, again) {
            hooks::unblocked();
        }
    }

    /// Tells of the outcome of a request that does not wait.
    #[inline]
    pub(super) fn tried<G>(self, taken: TryLockResult<G>) -> TryLockResult<G> {
        if !matches!(taken, Err(TryLockError::WouldBlock)) {
            self.acquired(Ask::Try);
        }
        taken
    }

    #[cfg_attr(not(lockwise_overlay), inline)]
    #[cfg_attr(lockwise_overlay, inline(never))]
    fn acquired(self, ask: Ask) {
        hooks::acquired(self.lock, self.mode, ask, self.at);
    }
}

/// A thread that waits. Dropping this tells the watcher that it does not any more, and got nothing:
/// std may panic instead of waiting, when a lock has too many readers for instance.
pub(super) struct Waiting<'a>(pub(super) &'a Identity);

impl Waiting<'_> {
    /// The thread got what it waited for.
    #[cold]
    #[inline(never)]
    fn ended(self) {
        mem::forget(self);
        hooks::unblocked();
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        hooks::gave_up(self.0);
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
