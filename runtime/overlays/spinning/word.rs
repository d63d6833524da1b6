//! The word of a lock that spins, watched.
//!
//! A reader is let in beside a writer that waits, so reading again what is read already is no risk:
//! readers are recursive ones. A thread that spins is one that waits.

use core::any::type_name;
use core::ops::Deref;

pub(crate) use lockwise_core::watch::Mode;
use lockwise_core::watch::hooks::{self, Ask};
use lockwise_core::watch::{Identity, Kind, Site};

/// How readers hold a lock.
pub(crate) const READ: Mode = Mode::RecursiveShared;
/// How writers do.
pub(crate) const WRITE: Mode = Mode::Exclusive;

/// The word of a lock, and who the lock is.
pub struct Word<A> {
    bits: A,
    identity: Identity,
    /// Whether anybody is told of it.
    is_watched: bool,
    /// Whether a guard may be dropped on another thread.
    is_sendable: bool,
}

impl<A> Deref for Word<A> {
    type Target = A;

    #[inline]
    fn deref(&self) -> &A {
        &self.bits
    }
}

impl<A: core::fmt::Debug> core::fmt::Debug for Word<A> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.bits.fmt(f)
    }
}

impl<A> Word<A> {
    /// The word of a free lock that protects a `T` and is made by the caller.
    #[track_caller]
    pub(crate) const fn new<T>(kind: Kind, bits: A) -> Self {
        Word {
            bits,
            identity: Identity::new(kind, Site::caller(), type_name::<T>),
            is_watched: true,
            is_sendable: false,
        }
    }

    /// The same for a lock whose guards may be sent to other threads, of which nobody is told unless it `is_watched`.
    #[track_caller]
    pub(crate) const fn sendable<T>(kind: Kind, bits: A, is_watched: bool) -> Self {
        Word {
            bits,
            identity: Identity::new(kind, Site::caller(), type_name::<T>),
            is_watched,
            is_sendable: true,
        }
    }

    /// Who the lock is.
    #[inline]
    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Says who the lock is.
    pub(crate) fn identify(&mut self, identity: Identity) {
        self.identity = identity;
    }

    /// Takes the lock with `take`; if it is not free, with `insist`.
    #[inline]
    #[track_caller]
    pub(crate) fn wait<G>(
        &self,
        mode: Mode,
        at: Site,
        take: impl Fn() -> Option<G>,
        insist: impl FnOnce() -> G,
    ) -> G {
        if !self.is_watched {
            return insist();
        }
        self.say_whether_sendable();
        hooks::request(&self.identity, mode, Ask::Wait, at);
        let guard = match take() {
            Some(guard) => guard,
            None => self.spin(mode, at, take, insist),
        };
        hooks::acquired(&self.identity, mode, Ask::Wait, at);
        guard
    }

    #[cold]
    #[track_caller]
    fn spin<G>(
        &self,
        mode: Mode,
        at: Site,
        take: impl Fn() -> Option<G>,
        insist: impl FnOnce() -> G,
    ) -> G {
        if let Some(guard) = hooks::try_again(&take) {
            return guard;
        }
        hooks::blocked(&self.identity, mode, Ask::Wait, at);
        let guard = insist();
        hooks::unblocked();
        guard
    }

    /// Tells of the outcome of a request that does not wait.
    #[inline]
    pub(crate) fn tried<G>(&self, mode: Mode, at: Site, guard: Option<G>) -> Option<G> {
        if guard.is_some() {
            self.obtained(mode, at);
        }
        guard
    }

    /// The thread has the lock, and did not have to wait.
    #[inline]
    pub(crate) fn obtained(&self, mode: Mode, at: Site) {
        if self.is_watched {
            self.say_whether_sendable();
            hooks::acquired(&self.identity, mode, Ask::Try, at);
        }
    }

    /// The thread is about to release the lock.
    #[inline]
    pub(crate) fn released(&self, mode: Mode) {
        if self.is_watched {
            hooks::released(&self.identity, mode);
        }
    }

    /// The thread, which holds the lock upgradably, is about to ask for it alone.
    #[track_caller]
    pub(crate) fn upgrading(&self, at: Site) {
        if self.is_watched {
            hooks::upgrading(&self.identity, at);
        }
    }

    /// The lock is not free: the thread is about to spin until it has `mode`.
    #[cold]
    #[track_caller]
    pub(crate) fn blocked(&self, mode: Mode, at: Site) {
        if self.is_watched {
            hooks::blocked(&self.identity, mode, Ask::Wait, at);
        }
    }

    /// A guard has turned from one mode into another.
    pub(crate) fn changed(&self, from: Mode, to: Mode, at: Site) {
        if self.is_watched {
            hooks::changed_mode(&self.identity, from, to, at);
        }
    }

    #[inline]
    fn say_whether_sendable(&self) {
        if self.is_sendable {
            self.identity.let_guards_be_sent();
        }
    }
}
