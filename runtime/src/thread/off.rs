//! The twin of [`std::thread`] with checks off: it *is* [`std::thread`].

pub use std::thread::*;

use crate::watch::Site;

/// Joining in the name of another place, which nobody is told.
pub(crate) trait JoinAt<T> {
    fn join_at(self, at: Site) -> Result<T>;
}

impl<T> JoinAt<T> for JoinHandle<T> {
    fn join_at(self, _at: Site) -> Result<T> {
        self.join()
    }
}
