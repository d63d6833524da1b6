//! The site of an acquisition, carried past code that loses it.
//!
//! `#[track_caller]` ends at a closure, and a few paths of `lock_api` lead through one: taking a
//! re-entrant mutex, or an `Arc` guard by an explicit site. Our lock types know the site before
//! they enter such a path, put it here, and the raw lock at its end takes it out.
//!
//! The cell has no destructor, so it works while a thread's other locals are being destroyed.

use std::cell::Cell;

use crate::watch::Site;

thread_local! {
    /// The site that the next raw operation of this thread belongs to.
    static CARRIED: Cell<Option<Site>> = const { Cell::new(None) };
}

/// Runs `path`, at whose end a raw lock may [`take`] the site, and clears what was not taken.
#[inline]
pub(super) fn carrying<T>(at: Site, path: impl FnOnce() -> T) -> T {
    /// Forgets the site also if the path unwinds.
    struct Clear;
    impl Drop for Clear {
        #[inline]
        fn drop(&mut self) {
            CARRIED.set(None);
        }
    }
    CARRIED.set(Some(at));
    let _clear = Clear;
    path()
}

/// The carried site, for whoever asks first.
#[inline]
pub(super) fn take() -> Option<Site> {
    CARRIED.take()
}
