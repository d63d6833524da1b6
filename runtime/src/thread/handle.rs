//! Joining a thread: [`JoinHandle`].

use std::fmt;
use std::thread::Result;

use crate::watch::Site;
use crate::watch::hooks::{self, ThreadRef};

use super::parking::{Parking, Thread};

/// The right to join a thread, as [`std::thread::JoinHandle`].
pub struct JoinHandle<T> {
    pub(super) inner: std::thread::JoinHandle<T>,
    handle: Thread,
    thread: ThreadRef,
}

impl<T> JoinHandle<T> {
    pub(super) fn new(
        inner: std::thread::JoinHandle<T>,
        thread: ThreadRef,
        parking: Parking,
    ) -> JoinHandle<T> {
        JoinHandle {
            handle: parking.of(inner.thread()),
            inner,
            thread,
        }
    }

    /// The thread.
    #[must_use]
    pub fn thread(&self) -> &Thread {
        &self.handle
    }

    /// Waits until the thread has ended.
    ///
    /// # Errors
    ///
    /// What the thread panicked with.
    ///
    /// # Panics
    ///
    /// On some systems, if a thread joins itself.
    #[track_caller]
    pub fn join(self) -> Result<T> {
        self.join_at(Site::caller())
    }

    /// [`join`](JoinHandle::join), in the name of another place.
    pub(crate) fn join_at(self, at: Site) -> Result<T> {
        hooks::joining(self.thread, at);
        let result = self.inner.join();
        hooks::joined(self.thread, at);
        result
    }

    /// Whether the thread has ended its work. Never waits.
    pub fn is_finished(&self) -> bool {
        self.inner.is_finished()
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
