//! More of channels: `deadline_api`, `mpsc_is_disconnected`.

use std::time::Instant;

use crate::watch::Site;

use super::super::mpsc::{Receiver, RecvTimeoutError, Sender};

impl<T> Sender<T> {
    /// Whether the receiver is gone.
    pub fn is_disconnected(&self) -> bool {
        self.inner.is_disconnected()
    }
}

impl<T> Receiver<T> {
    /// The next message, waiting for it until `deadline` at most.
    ///
    /// # Errors
    ///
    /// That none came in time, or that there will not be any more.
    #[track_caller]
    pub fn recv_deadline(&self, deadline: Instant) -> Result<T, RecvTimeoutError> {
        self.recv_within(Site::caller(), |inner| inner.recv_deadline(deadline))
    }

    /// Whether all senders are gone.
    pub fn is_disconnected(&self) -> bool {
        self.inner.is_disconnected()
    }
}
