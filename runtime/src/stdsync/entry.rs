//! Who initialises: one thread at a time, watched like the holder of a lock.
//!
//! std's one-time objects do not tell beforehand whether a caller will have to wait, and they hang
//! when an initialiser asks for what it is making. So every thread that may have to initialise, or
//! to wait for another that does, passes a door before it turns to the object of std. Who is inside
//! never waits there, and who finds the door shut is known to wait.
//!
//! Overlays of other crates' one-time objects use it too; in this crate nobody else sees it.

#![allow(unreachable_pub, reason = "reached where `lockwise_overlay` is set")]

#[cfg_attr(not(lockwise_overlay), path = "entry/refusal.rs")]
#[cfg_attr(lockwise_overlay, path = "entry/hang.rs")]
mod re_entry;

use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{MutexGuard, PoisonError, TryLockError};

use crate::watch::hooks::{self, Ask};
use crate::watch::{Identity, Mode, Site};

use super::held::{Held, Request, Waiting};

/// The way to an object that is initialised once.
pub struct Entry {
    pub(super) identity: Identity,
    /// Locked by the thread inside. Its poison means nothing: the object of std has its own.
    door: std::sync::Mutex<()>,
    /// The mark of the thread inside, or 0.
    occupant: AtomicUsize,
}

impl Entry {
    /// The way to an object with this identity.
    pub const fn new(identity: Identity) -> Self {
        Entry {
            identity,
            door: std::sync::Mutex::new(()),
            occupant: AtomicUsize::new(0),
        }
    }

    /// Lets this thread in as the only one, until the result is dropped.
    ///
    /// # Panics
    ///
    /// If this thread is inside already: it would wait for itself.
    #[track_caller]
    pub fn enter(&self, at: Site) -> Inside<'_> {
        let request = Request {
            lock: &self.identity,
            mode: Mode::Exclusive,
            at,
        };
        let take = || {
            let taken = self.door.try_lock();
            if matches!(taken, Err(TryLockError::WouldBlock)) {
                self.refuse_re_entry(at);
            }
            taken
        };
        let door = request
            .wait(take, || self.door.lock())
            .unwrap_or_else(PoisonError::into_inner);
        self.occupant.store(mark(), Relaxed);
        Inside {
            occupant: &self.occupant,
            _held: Held {
                lock: &self.identity,
                mode: Mode::Exclusive,
            },
            _door: door,
        }
    }

    /// Waits with `wait` until another thread has initialised the object, without going in.
    ///
    /// # Panics
    ///
    /// If this thread is inside: it would wait for itself.
    #[cold]
    #[track_caller]
    pub fn wait_outside<R>(&self, at: Site, wait: impl FnOnce() -> R) -> R {
        hooks::request(&self.identity, Mode::Exclusive, Ask::Wait, at);
        self.refuse_re_entry(at);
        hooks::blocked_outside(&self.identity, at);
        let _waiting = Waiting(&self.identity);
        wait()
    }

    /// Panics if this thread is inside, where std would hang; in an overlay it hangs, or ends as was chosen for
    /// deadlocks.
    ///
    /// The watcher knows too and has reported it by now; but it may be switched off.
    #[track_caller]
    fn refuse_re_entry(&self, at: Site) {
        // Only this thread itself can have stored its mark, so no stronger order is needed.
        if self.occupant.load(Relaxed) == mark() {
            re_entry::re_entered(&self.identity, at);
        }
    }
}

/// Why a function is there when it is called.
pub(super) const CALLED_ONCE: &str = "it is called once at most";

/// The thread that is inside; it leaves when this is dropped.
pub struct Inside<'a> {
    occupant: &'a AtomicUsize,
    // Dropped in this order.
    _held: Held<'a>,
    _door: MutexGuard<'a, ()>,
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.occupant.store(0, Relaxed);
    }
}

/// A number other than 0 that no other living thread has, to be had at any time in a thread's life.
fn mark() -> usize {
    thread_local!(static MARK: u8 = const { 0 });
    MARK.with(|mark| ptr::from_ref(mark).addr())
}
