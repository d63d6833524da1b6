//! What the runtime itself reported.

use super::{Held, ResourceId, SiteId, ThreadId};

/// A finding that the runtime made while the program ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// The code, such as `LW0005`.
    pub code: String,
    /// Whether all threads of the process were seen to wait.
    pub nobody_runs: bool,
    /// Who has a part in it, first whom it is about. Never empty.
    pub sides: Vec<Part>,
    /// What was wrong, as a clause without a full stop.
    pub message: String,
}

/// The part of one thread in a finding of the runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Who.
    pub thread: ThreadId,
    /// What was held, if that matters.
    pub holds: Option<Held>,
    /// What was asked for.
    pub wants: Asked,
}

/// What a thread asked for, or waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// A lock.
    Lock(Held),
    /// A condition variable, a barrier, a semaphore or a channel; and where.
    Resource(ResourceId, SiteId),
    /// The end of a thread; and where.
    End(ThreadId, SiteId),
}

impl Part {
    /// Gives its sites other numbers.
    pub(super) fn relocate(&mut self, new: impl Fn(SiteId) -> SiteId) {
        if let Some(held) = &mut self.holds {
            held.site = new(held.site);
        }
        self.wants.relocate(new);
    }
}

impl Asked {
    /// Where it was asked for.
    pub fn site(self) -> SiteId {
        match self {
            Asked::Lock(Held { site, .. }) | Asked::Resource(_, site) | Asked::End(_, site) => site,
        }
    }

    /// Gives its site another number.
    pub(super) fn relocate(&mut self, new: impl Fn(SiteId) -> SiteId) {
        match self {
            Asked::Lock(Held { site, .. }) | Asked::Resource(_, site) | Asked::End(_, site) => {
                *site = new(*site);
            }
        }
    }
}
