//! [`std::sync::Barrier`], watched.

use std::any::type_name;
use std::fmt;
use std::sync::BarrierWaitResult;

use crate::watch::hooks;
use crate::watch::{Identity, Kind, Site};

use super::identify::identify;
use super::named::{Label, Named};

/// A place where a number of threads wait for each other, as [`std::sync::Barrier`].
pub struct Barrier {
    identity: Identity,
    /// How many threads it takes to pass, as the program said it.
    parties: usize,
    inner: std::sync::Barrier,
}

impl Barrier {
    /// A barrier for `n` threads; 0 means 1.
    #[must_use]
    #[inline]
    #[track_caller]
    pub const fn new(n: usize) -> Barrier {
        Barrier::with_identity(
            Identity::new(Kind::Barrier, Site::caller(), type_name::<()>),
            n,
        )
    }

    const fn with_identity(identity: Identity, n: usize) -> Barrier {
        Barrier {
            identity,
            parties: n,
            inner: std::sync::Barrier::new(n),
        }
    }

    /// Waits until all threads have arrived here. One of them is the leader.
    #[track_caller]
    pub fn wait(&self) -> BarrierWaitResult {
        let parties = u32::try_from(self.parties.max(1)).unwrap_or(u32::MAX);
        hooks::arrived(&self.identity, parties, Site::caller());
        let result = self.inner.wait();
        hooks::passed(&self.identity);
        result
    }
}

impl Named for Barrier {
    type Content = usize;

    fn labelled(label: Label, content: usize) -> Self {
        let identity = Identity::new(Kind::Barrier, Site::caller(), type_name::<()>);
        Barrier::with_identity(identify(identity, label), content)
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
