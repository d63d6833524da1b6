//! Checks on: a gate is a watched mutex that remembers where it was entered.

use std::num::NonZeroUsize;
use std::panic::RefUnwindSafe;

use lock_api::GetThreadId;
use parking_lot::RawThreadId;

use crate::raw::Watched;
use crate::tag::carrying;
use crate::watch::{Identity, Mode, Site};

/// What an initialiser holds while it runs.
#[derive(Debug)]
pub(crate) struct Gate {
    lock: lock_api::Mutex<Watched<parking_lot::RawMutex>, ()>,
    /// The thread that stands in the gate, and where it entered. Not watched, held for a moment.
    inside: parking_lot::Mutex<Option<(NonZeroUsize, Site)>>,
}

/// A panic cannot leave it half changed: leaving it is a single store.
impl RefUnwindSafe for Gate {}

/// Standing in a gate; dropping it leaves.
#[derive(Debug)]
pub(crate) struct Inside<'a> {
    gate: &'a Gate,
    /// Dropped after the gate was marked empty.
    _lock: lock_api::MutexGuard<'a, Watched<parking_lot::RawMutex>, ()>,
}

impl Gate {
    /// The gate of an object with this identity.
    pub(crate) const fn new(identity: Identity) -> Gate {
        let raw = <parking_lot::RawMutex as lock_api::RawMutex>::INIT;
        Gate {
            lock: lock_api::Mutex::from_raw(Watched::from_raw(raw, identity), ()),
            inside: parking_lot::Mutex::new(None),
        }
    }

    /// Who the object behind the gate is.
    pub(crate) fn identity(&self) -> Option<&Identity> {
        self.raw().identity()
    }

    /// Waits until nobody stands in the gate, and enters it.
    ///
    /// # Panics
    ///
    /// If this thread stands in it already, and if the program chose to panic on what the request
    /// breaks.
    #[cold]
    #[track_caller]
    pub(crate) fn enter(&self, at: Site) -> Inside<'_> {
        self.refuse_reentry(at);
        let lock = carrying(at, || self.lock.lock());
        *self.inside.lock() = Some((this_thread(), at));
        Inside {
            gate: self,
            _lock: lock,
        }
    }

    /// Runs `wait`, which waits until some thread has passed the gate.
    ///
    /// # Panics
    ///
    /// As [`Gate::enter`].
    #[cold]
    #[track_caller]
    pub(crate) fn wait<T>(&self, at: Site, wait: impl FnOnce() -> T) -> T {
        self.refuse_reentry(at);
        let raw = self.raw();
        raw.tag.request(Mode::Exclusive, at);
        raw.tag.blocked_outside(at);
        let passed = wait();
        raw.tag.gave_up();
        passed
    }

    /// Reports and panics if this thread stands in the gate.
    #[track_caller]
    fn refuse_reentry(&self, at: Site) {
        let inside = *self.inside.lock();
        let Some((thread, outer)) = inside else {
            return;
        };
        if thread != this_thread() {
            return;
        }
        let tag = &self.raw().tag;
        tag.request(Mode::Exclusive, at);
        let kind = tag.identity().map_or("object", |id| id.kind().name());
        panic!(
            "{kind} is initialised by its own initialiser: \
             asked for at {at} while the initialisation begun at {outer} is running"
        );
    }

    fn raw(&self) -> &Watched<parking_lot::RawMutex> {
        // SAFETY: only its tag is used.
        unsafe { self.lock.raw() }
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        *self.gate.inside.lock() = None;
    }
}

/// A number that no other living thread has.
fn this_thread() -> NonZeroUsize {
    RawThreadId::INIT.nonzero_thread_id()
}
