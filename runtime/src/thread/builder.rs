//! Starting a thread: [`spawn`] and [`Builder`].

use std::io;

use crate::watch::Site;
use crate::watch::hooks;

use super::handle::JoinHandle;
use super::parking::{Parking, current};
use super::scope::{Scope, ScopedJoinHandle};

/// Starts a thread that calls `f`, as [`std::thread::spawn`].
///
/// # Panics
///
/// If the system has no room for another thread.
#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T,
    F: Send + 'static,
    T: Send + 'static,
{
    Builder::new().spawn(f).expect("failed to spawn thread")
}

/// The properties of a thread that is to be started, as [`std::thread::Builder`].
#[must_use = "must eventually spawn the thread"]
pub struct Builder {
    pub(super) inner: std::thread::Builder,
}

impl Builder {
    /// A thread without a name and with the usual size of stack.
    #[allow(clippy::new_without_default, reason = "std has none")]
    pub fn new() -> Builder {
        Builder {
            inner: std::thread::Builder::new(),
        }
    }

    /// Names the thread.
    ///
    /// Spawning panics if the name contains a zero byte.
    pub fn name(self, name: String) -> Builder {
        Builder {
            inner: self.inner.name(name),
        }
    }

    /// Sets the size of the stack, in bytes.
    pub fn stack_size(self, size: usize) -> Builder {
        Builder {
            inner: self.inner.stack_size(size),
        }
    }

    /// Starts a thread that calls `f`.
    ///
    /// # Errors
    ///
    /// That of the system, if it has no room for another thread.
    ///
    /// # Panics
    ///
    /// If the name contains a zero byte.
    #[track_caller]
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T,
        F: Send + 'static,
        T: Send + 'static,
    {
        let at = Site::caller();
        let birth = hooks::forking(at);
        let thread = birth.thread();
        let parking = Parking::born(at);
        let own = parking.clone();
        let inner = self.inner.spawn(move || {
            own.settle();
            birth.start(current().name());
            f()
        })?;
        Ok(JoinHandle::new(inner, thread, parking))
    }

    /// Starts a thread that calls `f`, which may borrow.
    ///
    /// # Errors
    ///
    /// That of the system, if it has no room for another thread.
    ///
    /// # Panics
    ///
    /// If the name contains a zero byte.
    ///
    /// # Safety
    ///
    /// What `f` borrows must outlive the thread, and so must what its result borrows: the thread is
    /// joined before, or both are `'static`.
    #[track_caller]
    pub unsafe fn spawn_unchecked<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T,
        F: Send,
        T: Send,
    {
        let at = Site::caller();
        let birth = hooks::forking(at);
        let thread = birth.thread();
        let parking = Parking::born(at);
        let own = parking.clone();
        let run = move || {
            own.settle();
            birth.start(current().name());
            f()
        };
        // SAFETY: `run` borrows only what `f` borrows, which the caller has promised to outlive the
        // thread, and gives back the result of `f`, of which the caller has promised the same.
        let inner = unsafe { self.inner.spawn_unchecked(run) }?;
        Ok(JoinHandle::new(inner, thread, parking))
    }

    /// Starts a thread in `scope` that calls `f`.
    ///
    /// # Errors
    ///
    /// That of the system, if it has no room for another thread.
    ///
    /// # Panics
    ///
    /// If the name contains a zero byte.
    #[track_caller]
    pub fn spawn_scoped<'scope, 'env, F, T>(
        self,
        scope: &'scope Scope<'scope, 'env>,
        f: F,
    ) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        scope.start(self.inner, f, Site::caller())
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.fmt(f)
    }
}
