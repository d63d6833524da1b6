//! [`std::sync::Once`], watched.

use std::any::type_name;
use std::fmt;
use std::sync::OnceState;

use crate::watch::{Identity, Kind, Site};

use super::entry::{CALLED_ONCE, Entry};
use super::identify::identify;
use super::named::{Label, Named};

/// Something that happens once, as [`std::sync::Once`].
pub struct Once {
    entry: Entry,
    inner: std::sync::Once,
}

/// A value to make a static [`Once`] of.
#[deprecated(since = "0.1.0", note = "replaced by `Once::new()`, as in std")]
#[expect(
    clippy::declare_interior_mutable_const,
    reason = "std has it, and each use is an object of its own"
)]
pub const ONCE_INIT: Once = Once::new();

impl Once {
    /// Something that has not happened yet.
    #[inline]
    #[must_use]
    #[track_caller]
    pub const fn new() -> Once {
        Once::with_identity(Identity::new(Kind::Once, Site::caller(), type_name::<()>))
    }

    const fn with_identity(identity: Identity) -> Once {
        Once {
            entry: Entry::new(identity),
            inner: std::sync::Once::new(),
        }
    }

    /// Calls `f` if this is the first call; in any case, some first call has ended on return.
    ///
    /// # Panics
    ///
    /// If an earlier call panicked, or if `f` itself comes here again.
    #[inline]
    #[track_caller]
    pub fn call_once<F>(&self, f: F)
    where
        F: FnOnce(),
    {
        if !self.inner.is_completed() {
            // Dropped outside if it is not called: what it owns may take locks.
            let mut f = Some(f);
            let _inside = self.entry.enter(Site::caller());
            self.inner.call_once(|| f.take().expect(CALLED_ONCE)());
        }
    }

    /// The same, and an earlier call that panicked does not count.
    ///
    /// # Panics
    ///
    /// If `f` itself comes here again.
    #[inline]
    #[track_caller]
    pub fn call_once_force<F>(&self, f: F)
    where
        F: FnOnce(&OnceState),
    {
        if !self.inner.is_completed() {
            // Dropped outside if it is not called: what it owns may take locks.
            let mut f = Some(f);
            let _inside = self.entry.enter(Site::caller());
            self.inner
                .call_once_force(|state| f.take().expect(CALLED_ONCE)(state));
        }
    }

    /// Whether some call has ended without a panic.
    #[inline]
    pub fn is_completed(&self) -> bool {
        self.inner.is_completed()
    }

    /// Waits until some call has ended without a panic.
    ///
    /// # Panics
    ///
    /// If a call panicked, or in the function that is being called once.
    #[track_caller]
    pub fn wait(&self) {
        if !self.inner.is_completed() {
            self.entry
                .wait_outside(Site::caller(), || self.inner.wait());
        }
    }

    /// The same, and a call that panicked does not count.
    ///
    /// # Panics
    ///
    /// In the function that is being called once.
    #[track_caller]
    pub fn wait_force(&self) {
        if !self.inner.is_completed() {
            self.entry
                .wait_outside(Site::caller(), || self.inner.wait_force());
        }
    }
}

/// Std has it from 1.100 on.
impl Default for Once {
    #[track_caller]
    fn default() -> Once {
        Once::new()
    }
}

impl Named for Once {
    type Content = ();

    fn labelled(label: Label, (): ()) -> Self {
        let identity = Identity::new(Kind::Once, Site::caller(), type_name::<()>);
        Once::with_identity(identify(identity, label))
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
