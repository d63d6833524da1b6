//! What can be taken at once with others, and how.

use std::time::Instant;

use super::subject::Subject;
use crate::watch::{Ask, Site};

/// The mode of a lock without a mode word: exclusive.
#[derive(Debug, Clone, Copy)]
pub struct Exclusive;

/// The mode of `read`: shared.
#[derive(Debug, Clone, Copy)]
pub struct Read;

/// The mode of `write`: exclusive, of a lock that can also be shared.
#[derive(Debug, Clone, Copy)]
pub struct Write;

/// The mode of `upgradable`: shared with readers, and may become exclusive.
#[derive(Debug, Clone, Copy)]
pub struct Upgradable;

/// A lock that `acquire!` and `try_acquire!` can take in mode `M`, one of [`Exclusive`], [`Read`],
/// [`Write`] and [`Upgradable`].
///
/// All locks of this crate are. The trait is sealed; it is of use as a bound.
///
/// ```
/// use lockwise::acquire::{Acquire, Exclusive};
/// use lockwise::{Mutex, acquire};
///
/// fn with_both<L: Acquire<Exclusive>>(a: &L, b: &L, work: impl FnOnce()) {
///     let _guards = acquire!(a, b);
///     work();
/// }
///
/// with_both(&Mutex::new(1), &Mutex::new(2), || println!("alone with both"));
/// ```
///
/// What is no lock, or has no such mode, does not compile:
///
/// ```compile_fail,E0599
/// let name = String::from("no lock");
/// lockwise::acquire!(name);
/// ```
///
/// ```compile_fail,E0599
/// let plain = lockwise::Mutex::new(1);
/// lockwise::acquire!(read plain);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a lock that can be acquired in mode `{M}`",
    label = "cannot be acquired in mode `{M}`",
    note = "`acquire!` takes the locks of `lockwise` and `lockwise::stdsync`, and what dereferences to one",
    note = "`read`, `write` and `upgradable` are for an `RwLock`; a mutex is taken without a word"
)]
pub trait Acquire<M>: Sealed {
    /// What holds the lock: the type that the lock's own method returns.
    type Guard<'a>
    where
        Self: 'a;

    /// Who the lock is.
    #[doc(hidden)]
    fn subject(&self) -> Subject<'_>;

    /// Takes the lock, or waits no longer for it.
    #[doc(hidden)]
    fn take(&self, patience: Patience, at: Site) -> Option<Self::Guard<'_>>;
}

/// How long to wait for a lock.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum Patience {
    /// As long as it takes.
    Endless,
    /// Not at all.
    None,
    /// Until then.
    Until(Instant),
}

impl Patience {
    /// How such an acquisition asks, in the watcher's words.
    pub(super) fn ask(self) -> Ask {
        match self {
            Patience::Endless => Ask::Wait,
            Patience::None => Ask::Try,
            Patience::Until(_) => Ask::Timed,
        }
    }
}

/// Keeps [`Acquire`] to the locks of this crate, whose `subject` tells the truth.
pub trait Sealed {}
