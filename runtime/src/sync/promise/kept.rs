//! Who keeps a promise, and may have a say in waits for it: [`Kept`].

use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::sync::threads::Threads;

/// Who is to keep a promise, if somebody has a say in waits for it.
pub(in crate::sync) enum Kept {
    /// Nobody has.
    ByAnybody,
    /// This one.
    By(Arc<dyn Keeper>),
    /// The crew of a pool that has this address for as long as the promise is not kept. It has a say in the waits of
    /// its own workers only, who know it, and so its references need not be counted for each job.
    ByCrew(usize),
}

impl Kept {
    /// Who has a say in waits of this thread.
    fn keeper<T: Threads>(&self) -> Option<Arc<dyn Keeper>> {
        match self {
            Kept::ByAnybody => None,
            Kept::By(keeper) => Some(Arc::clone(keeper)),
            Kept::ByCrew(address) => T::with_own(|own| {
                let crew = own.crew.borrow();
                let its = crew.as_ref().filter(|crew| address_of(crew) == *address);
                its.map(Arc::clone)
            })
            .flatten(),
        }
    }

    /// Whether it is one and the same who has a say.
    pub(super) fn is_as(&self, other: &Kept) -> bool {
        match (self, other) {
            (Kept::By(one), Kept::By(other)) => Arc::ptr_eq(one, other),
            (Kept::ByCrew(one), Kept::ByCrew(other)) => one == other,
            _ => false,
        }
    }
}

/// Where a keeper is.
pub(in crate::sync) fn address_of(keeper: &Arc<dyn Keeper>) -> usize {
    Arc::as_ptr(keeper).addr()
}

/// Who is to keep a promise, and may see that a wait for it can never end.
pub(in crate::sync) trait Keeper: Send + Sync {
    /// This thread is about to wait for one of these results, all of which are kept by this one, however long that
    /// takes. False if that has no end.
    fn begin_wait(self: Arc<Self>, results: Vec<Arc<AtomicBool>>) -> bool;

    /// [`begin_wait`](Keeper::begin_wait) for the result of this promise alone.
    fn begin_wait_for(self: Arc<Self>, promise: Name, result: Arc<AtomicBool>) -> bool {
        let _ = promise;
        self.begin_wait(vec![result])
    }

    /// This thread does not wait any more.
    fn end_wait(&self);
}

/// Tells a promise from all others that are there: the address of what both its sides share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sync) struct Name(NonZeroUsize);

impl Name {
    /// As a number, which is never 0.
    pub(in crate::sync) fn number(self) -> usize {
        self.0.get()
    }

    /// The name of a promise with something at this address.
    pub(super) fn of<T>(part: &T) -> Name {
        Name(NonNull::from(part).addr())
    }
}

/// Says, when dropped, that the thread does not wait any more.
pub(super) struct Waiting(Option<Arc<dyn Keeper>>);

/// A wait would never end.
pub(super) struct NoEnd;

/// A promise, and what is set when it ends.
pub(super) type Awaited = (Name, Arc<AtomicBool>);

impl Waiting {
    /// This thread is about to wait for one of these results, all of which are kept by the same one.
    pub(super) fn begin<T: Threads>(
        kept: &Kept,
        results: impl Iterator<Item = Awaited>,
    ) -> Result<Waiting, NoEnd> {
        let Some(keeper) = kept.keeper::<T>() else {
            return Ok(Waiting(None));
        };
        let keeps = Arc::clone(&keeper);
        let mut results: Vec<Awaited> = results.collect();
        let begun = if results.len() == 1
            && let Some((promise, told)) = results.pop()
        {
            keeps.begin_wait_for(promise, told)
        } else {
            keeps.begin_wait(results.into_iter().map(|(_, told)| told).collect())
        };
        if begun {
            Ok(Waiting(Some(keeper)))
        } else {
            Err(NoEnd)
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(keeper) = &self.0 {
            keeper.end_wait();
        }
    }
}
