//! Parking: [`park`], and [`Thread`], which can be unparked.
//!
//! A thread's parking is told like a semaphore: an unparking puts a unit in before it really happens,
//! and who comes back from parking takes all that are there by then. So nothing that was done before
//! an unparking is taken to come after what its thread did next, and waiting to be unparked under a
//! lock that the unparking thread needs is found. std keeps one permit at most, and a thread may come
//! back early; that units are told of which no permit is left only orders more than must be.
//!
//! What it cannot see: a thread that comes back because somebody else woke it, and what is handed over
//! without parking, as channels do while the receiver is still busy.

use std::any::type_name;
use std::cell::{Cell, OnceCell};
use std::fmt;
use std::sync::Arc;
use std::thread::ThreadId;
use std::time::Duration;

use crate::watch::hooks::{self, ALL_UNITS, Ask};
use crate::watch::{Identity, Kind, Site};

/// A handle of a thread, as [`std::thread::Thread`].
#[derive(Clone)]
pub struct Thread {
    inner: std::thread::Thread,
    /// None in a handle that was asked for while the thread made its own.
    parking: Option<Parking>,
}

/// What all handles of one thread share.
#[derive(Clone)]
pub(super) struct Parking(Arc<Identity>);

std::thread_local! {
    /// The handle of the thread itself. Empty until the thread is started by us, or asks.
    static OWN: OnceCell<Thread> = const { OnceCell::new() };
    /// Whether the thread makes its own handle. That allocates, and the program's allocator may ask
    /// for the thread as well.
    static MAKES: Cell<bool> = const { Cell::new(false) };
}

impl Parking {
    /// For a thread that is about to be started.
    pub(super) fn born(at: Site) -> Parking {
        let parking = Identity::new(Kind::Parking, at, type_name::<std::thread::Thread>);
        Parking(Arc::new(parking))
    }

    /// Makes this the parking of the thread that calls, which has just been started.
    pub(super) fn settle(self) {
        let thread = self.of(&std::thread::current());
        // At the very end of a thread there is no room for it, and then nobody asks.
        let _ = OWN.try_with(|own| own.set(thread));
    }

    /// The handle of the thread whose parking this is.
    pub(super) fn of(self, inner: &std::thread::Thread) -> Thread {
        Thread {
            inner: inner.clone(),
            parking: Some(self),
        }
    }
}

impl Thread {
    /// Waits by calling `park`.
    fn wait(&self, ask: Ask, at: Site, park: impl FnOnce()) {
        if let Some(Parking(parking)) = &self.parking {
            hooks::pending(parking, ask, at);
        }
        park();
        if let Some(Parking(parking)) = &self.parking {
            hooks::obtained(parking, ALL_UNITS, ask, at);
        }
    }

    /// Wakes the thread if it is parked; else its next parking ends at once.
    #[track_caller]
    pub fn unpark(&self) {
        if let Some(Parking(parking)) = &self.parking {
            hooks::posted(parking, 1, Site::caller());
        }
        self.inner.unpark();
    }

    /// The number of the thread, which no other thread of the process ever has.
    #[must_use]
    pub fn id(&self) -> ThreadId {
        self.inner.id()
    }

    /// The name of the thread, if it has one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.inner.name()
    }
}

impl fmt::Debug for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// The handle of the thread that calls, as [`std::thread::current`].
#[must_use]
#[track_caller]
pub fn current() -> Thread {
    let at = Site::caller();
    let own = OWN.try_with(|own| {
        if own.get().is_none() && !MAKES.replace(true) {
            let _ = own.set(Parking::born(at).of(&std::thread::current()));
            MAKES.set(false);
        }
        own.get().cloned()
    });
    own.ok().flatten().unwrap_or_else(|| Thread {
        inner: std::thread::current(),
        parking: None,
    })
}

/// Waits until the thread is unparked, as [`std::thread::park`].
#[track_caller]
pub fn park() {
    current().wait(Ask::Wait, Site::caller(), std::thread::park);
}

/// Waits until the thread is unparked, but not much longer than `timeout`, as
/// [`std::thread::park_timeout`].
#[track_caller]
pub fn park_timeout(timeout: Duration) {
    let park = || std::thread::park_timeout(timeout);
    current().wait(Ask::Timed, Site::caller(), park);
}

/// [`park_timeout`] with whole milliseconds.
#[deprecated(since = "1.6.0", note = "replaced by `std::thread::park_timeout`")]
#[track_caller]
pub fn park_timeout_ms(timeout: u32) {
    park_timeout(Duration::from_millis(timeout.into()));
}
