//! [`std::sync::Condvar`], watched.

use std::any::type_name;
use std::fmt;
use std::mem;
use std::sync::{LockResult, WaitTimeoutResult};
use std::time::{Duration, Instant};

use crate::watch::hooks::{self, Ask};
use crate::watch::{Identity, Kind, Site};

use super::held::{Held, Waiting, map_result};
use super::identify::identify;
use super::mutex::MutexGuard;
use super::named::{Label, Named};

/// A condition variable, as [`std::sync::Condvar`].
pub struct Condvar {
    identity: Identity,
    inner: std::sync::Condvar,
}

impl Condvar {
    /// A condition variable that nobody waits for.
    #[must_use]
    #[inline]
    #[track_caller]
    pub const fn new() -> Condvar {
        Condvar::with_identity(Identity::new(
            Kind::Condvar,
            Site::caller(),
            type_name::<()>,
        ))
    }

    const fn with_identity(identity: Identity) -> Condvar {
        Condvar {
            identity,
            inner: std::sync::Condvar::new(),
        }
    }

    /// Unlocks the mutex, waits for a notification and locks the mutex again.
    ///
    /// # Errors
    ///
    /// The guard all the same, if the mutex is poisoned when it is locked again.
    ///
    /// # Panics
    ///
    /// On some systems, if used with different mutexes over time; or if taking the mutex again will
    /// break a rule and the program chose to panic on that.
    #[track_caller]
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        let woken = self.park(guard, Ask::Wait, Site::caller(), |inner| {
            map_result(self.inner.wait(inner), |inner| (inner, ()))
        });
        map_result(woken, |(guard, ())| guard)
    }

    /// Waits while `condition` is true of what the mutex protects.
    ///
    /// # Errors
    ///
    /// The guard all the same, if the mutex is poisoned when it is locked again.
    ///
    /// # Panics
    ///
    /// On some systems, if used with different mutexes over time; or if taking the mutex again will
    /// break a rule and the program chose to panic on that.
    #[track_caller]
    pub fn wait_while<'a, T, F>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: F,
    ) -> LockResult<MutexGuard<'a, T>>
    where
        F: FnMut(&mut T) -> bool,
    {
        while condition(&mut *guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// Waits for a notification, at most `ms` milliseconds; false if the time ran out.
    ///
    /// # Errors
    ///
    /// The same, if the mutex is poisoned when it is locked again.
    #[deprecated(
        since = "0.1.0",
        note = "replaced by `Condvar::wait_timeout`, as in std"
    )]
    #[track_caller]
    pub fn wait_timeout_ms<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        ms: u32,
    ) -> LockResult<(MutexGuard<'a, T>, bool)> {
        let woken = self.wait_timeout(guard, Duration::from_millis(u64::from(ms)));
        map_result(woken, |(guard, result)| (guard, !result.timed_out()))
    }

    /// Waits for a notification, at most for `dur`.
    ///
    /// # Errors
    ///
    /// The same, if the mutex is poisoned when it is locked again.
    ///
    /// # Panics
    ///
    /// On some systems, if used with different mutexes over time; or if taking the mutex again will
    /// break a rule and the program chose to panic on that.
    #[track_caller]
    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        dur: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        self.park(guard, Ask::Timed, Site::caller(), |inner| {
            self.inner.wait_timeout(inner, dur)
        })
    }

    /// Waits while `condition` is true of what the mutex protects, at most for `dur`.
    ///
    /// # Errors
    ///
    /// The same, if the mutex is poisoned when it is locked again.
    ///
    /// # Panics
    ///
    /// On some systems, if used with different mutexes over time; or if taking the mutex again will
    /// break a rule and the program chose to panic on that.
    #[track_caller]
    pub fn wait_timeout_while<'a, T, F>(
        &self,
        mut guard: MutexGuard<'a, T>,
        dur: Duration,
        mut condition: F,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)>
    where
        F: FnMut(&mut T) -> bool,
    {
        let start = Instant::now();
        loop {
            if !condition(&mut *guard) {
                return Ok((guard, timeout_result(false)));
            }
            let Some(left) = dur.checked_sub(start.elapsed()) else {
                return Ok((guard, timeout_result(true)));
            };
            guard = self.wait_timeout(guard, left)?.0;
        }
    }

    /// Wakes one thread that waits.
    #[track_caller]
    pub fn notify_one(&self) {
        hooks::notified(&self.identity, false, Site::caller());
        self.inner.notify_one();
    }

    /// Wakes all threads that wait.
    #[track_caller]
    pub fn notify_all(&self) {
        hooks::notified(&self.identity, true, Site::caller());
        self.inner.notify_all();
    }

    /// Takes the guard apart, waits with `wait`, and puts the guard together again.
    #[track_caller]
    fn park<'a, T, R>(
        &self,
        guard: MutexGuard<'a, T>,
        ask: Ask,
        at: Site,
        wait: impl FnOnce(std::sync::MutexGuard<'a, T>) -> LockResult<(std::sync::MutexGuard<'a, T>, R)>,
    ) -> LockResult<(MutexGuard<'a, T>, R)> {
        // The guard is still whole: if this panics it is dropped as always.
        hooks::waiting(&self.identity, guard.held.lock, guard.held.mode, ask, at);
        let MutexGuard { held, inner } = guard;
        let (lock, mode) = held.dissolve();
        let waiting = Waiting(&self.identity);
        let woken = wait(inner);
        mem::forget(waiting);
        hooks::woken(&self.identity, lock, mode, at);
        map_result(woken, |(inner, result)| {
            let held = Held { lock, mode };
            (MutexGuard { held, inner }, result)
        })
    }
}

/// A result of std, which lets nobody make one: a condition variable that nobody else knows does.
fn timeout_result(timed_out: bool) -> WaitTimeoutResult {
    let nobody = std::sync::Mutex::new(());
    let guard = nobody.lock().expect("no other thread can poison it");
    std::sync::Condvar::new()
        .wait_timeout_while(guard, Duration::ZERO, |()| timed_out)
        .expect("no other thread can poison it")
        .1
}

impl Named for Condvar {
    type Content = ();

    fn labelled(label: Label, (): ()) -> Self {
        let identity = Identity::new(Kind::Condvar, Site::caller(), type_name::<()>);
        Condvar::with_identity(identify(identity, label))
    }
}

impl Default for Condvar {
    #[track_caller]
    fn default() -> Condvar {
        Condvar::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
