//! Waiting for each other: `std`'s `Barrier`, watched.

use std::any::type_name;
use std::fmt;
pub use std::sync::BarrierWaitResult;

use crate::tag::{Parties, Tag};
use crate::watch::{Identity, Kind, Site};

/// A point that threads pass only together.
///
/// It has the methods of `std::sync::Barrier`, and that one inside.
///
/// ```
/// use std::thread;
///
/// use lockwise::Barrier;
///
/// let barrier = Barrier::new(3);
/// thread::scope(|scope| {
///     for _ in 0..3 {
///         scope.spawn(|| barrier.wait());
///     }
/// });
/// ```
pub struct Barrier {
    tag: Tag,
    parties: Parties,
    inner: std::sync::Barrier,
}

impl Barrier {
    /// Makes a barrier for `parties` threads; 0 is as good as 1. The caller is its creation site.
    #[inline]
    #[track_caller]
    pub const fn new(parties: usize) -> Barrier {
        Barrier::with_identity(Barrier::identity_at(Site::caller()), parties)
    }

    /// Makes a barrier of the class `name` for `parties` threads.
    #[inline]
    #[track_caller]
    pub const fn named(name: &'static str, parties: usize) -> Barrier {
        Barrier::with_identity(Barrier::identity_at(Site::caller()).named(name), parties)
    }

    /// Waits until all parties have arrived; then the barrier can be used again.
    ///
    /// One of them, no matter which, is told that it is the leader.
    #[track_caller]
    pub fn wait(&self) -> BarrierWaitResult {
        self.tag.arrived(&self.parties, Site::caller());
        let result = self.inner.wait();
        self.tag.passed();
        result
    }

    /// Who the object is; nobody, if checks are off.
    #[inline]
    pub fn identity(&self) -> Option<&Identity> {
        self.tag.identity()
    }

    const fn identity_at(born: Site) -> Identity {
        Identity::new(Kind::Barrier, born, type_name::<()>)
    }

    const fn with_identity(identity: Identity, parties: usize) -> Barrier {
        Barrier {
            tag: Tag::new(identity),
            parties: Parties::new(parties),
            inner: std::sync::Barrier::new(parties),
        }
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}
