//! Sorts, checks, takes and, if it must, releases.

use std::error::Error;
use std::fmt;

use super::lock::{Acquire, Patience};
use super::subject::{self, Subject};
use super::want::Wanted;
use crate::watch::{Finding, Note, Site};

/// The most locks in one call. The macros count too.
pub(super) const LOCKS_MAX: usize = 12;

/// One lock of several, of whatever type.
pub(super) trait Step<'a> {
    fn subject(&self) -> Subject<'a>;
    fn note(&self) -> &'static Note;
    /// Takes the lock, unless patience ends first.
    fn take(&mut self, patience: Patience) -> Result<(), TryAcquireError>;
    /// Gives the lock back.
    fn release(&mut self);
}

/// A lock and, once it is taken, its guard.
pub(super) struct Slot<'a, L: Acquire<M> + ?Sized, M> {
    wanted: Wanted<'a, L, M>,
    guard: Option<L::Guard<'a>>,
}

impl<'a, L: Acquire<M> + ?Sized, M> Slot<'a, L, M> {
    pub(super) fn new(wanted: Wanted<'a, L, M>) -> Self {
        Slot {
            wanted,
            guard: None,
        }
    }

    pub(super) fn into_guard(self) -> L::Guard<'a> {
        self.guard.expect("`ascend` succeeds only if it took all")
    }
}

impl<'a, L: Acquire<M> + ?Sized, M> Step<'a> for Slot<'a, L, M> {
    fn subject(&self) -> Subject<'a> {
        self.wanted.lock.subject()
    }

    fn note(&self) -> &'static Note {
        self.wanted.note
    }

    fn take(&mut self, patience: Patience) -> Result<(), TryAcquireError> {
        let note = self.wanted.note;
        self.guard = self.wanted.lock.take(patience, Site::Noted(note));
        match (&self.guard, patience) {
            (Some(_), _) => Ok(()),
            (None, Patience::Until(_)) => Err(TryAcquireError::TimedOut { lock: note }),
            (None, _) => Err(TryAcquireError::WouldBlock { lock: note }),
        }
    }

    fn release(&mut self) {
        self.guard = None;
    }
}

/// Takes all locks in ascending order, or none; leaves `steps` sorted.
///
/// At most [`LOCKS_MAX`]. Allocates nothing, but for a finding.
pub(super) fn ascend(
    steps: &mut [&mut dyn Step<'_>],
    patience: Patience,
) -> Result<(), TryAcquireError> {
    steps.sort_unstable_by(|a, b| a.subject().order(&b.subject()));
    refuse_duplicates(steps)?;
    let wanted = steps.iter().map(|step| (step.subject(), step.note()));
    subject::may_follow(wanted, patience.ask()).map_err(TryAcquireError::Order)?;
    let mut taken = Taken { steps, count: 0 };
    while let Some(step) = taken.steps.get_mut(taken.count) {
        step.take(patience)?;
        taken.count += 1;
    }
    // All are the caller's now.
    taken.count = 0;
    Ok(())
}

/// Refuses two requests for one lock, which stand side by side once sorted.
///
/// Two for a shared mode are refused as well: a writer that comes between them would block both.
fn refuse_duplicates(sorted: &[&mut dyn Step<'_>]) -> Result<(), TryAcquireError> {
    let same = |pair: &&[&mut dyn Step<'_>]| pair[0].subject().order(&pair[1].subject()).is_eq();
    let Some(pair) = sorted.windows(2).find(same) else {
        return Ok(());
    };
    let mut notes = [pair[0].note(), pair[1].note()];
    notes.sort_by_key(|note| (note.line, note.column));
    let [first, second] = notes;
    Err(TryAcquireError::Duplicate { first, second })
}

/// The first `count` of `steps` are taken; dropped, in a panic too, it releases just these,
/// descending.
struct Taken<'s, 'd, 'a> {
    steps: &'s mut [&'d mut dyn Step<'a>],
    count: usize,
}

impl Drop for Taken<'_, '_, '_> {
    fn drop(&mut self) {
        for step in self.steps[..self.count].iter_mut().rev() {
            step.release();
        }
    }
}

/// Why `try_acquire!` gave no guards. Nothing is held because of it.
#[derive(Debug)]
#[non_exhaustive]
pub enum TryAcquireError {
    /// A lock was not free.
    WouldBlock {
        /// Where it was asked for.
        lock: &'static Note,
    },
    /// A lock was not free until the time was up.
    TimedOut {
        /// Where it was asked for.
        lock: &'static Note,
    },
    /// Two expressions are the same lock. Nothing was taken.
    Duplicate {
        /// The expression that stands first.
        first: &'static Note,
        /// The expression that stands second.
        second: &'static Note,
    },
    /// A lock does not come after all those that this thread already holds. Nothing was taken.
    Order(Box<Finding>),
}

impl fmt::Display for TryAcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TryAcquireError::WouldBlock { lock } => {
                write!(f, "{} is not free", Named(lock))
            }
            TryAcquireError::TimedOut { lock } => {
                write!(f, "{} was not free in time", Named(lock))
            }
            TryAcquireError::Duplicate { first, second } => {
                write!(
                    f,
                    "{} and {} are the same lock",
                    Named(first),
                    Named(second)
                )
            }
            TryAcquireError::Order(finding) => {
                let Finding { message, .. } = &**finding;
                write!(f, "the locks are not acquired in their order: {message}")
            }
        }
    }
}

impl Error for TryAcquireError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            TryAcquireError::Order(finding) => Some(&**finding),
            _ => None,
        }
    }
}

/// A lock as a message names it: by its expression and place.
pub(super) struct Named(pub(super) &'static Note);

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Note {
            expression,
            file,
            line,
            column,
            ..
        } = self.0;
        write!(f, "`{expression}` at {file}:{line}:{column}")
    }
}
