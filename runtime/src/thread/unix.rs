//! What std adds to a join handle on Unix.

use std::os::unix::thread::{JoinHandleExt, RawPthread};

use super::handle::JoinHandle;

impl<T> JoinHandleExt for JoinHandle<T> {
    fn as_pthread_t(&self) -> RawPthread {
        self.inner.as_pthread_t()
    }

    fn into_pthread_t(self) -> RawPthread {
        self.inner.into_pthread_t()
    }
}
