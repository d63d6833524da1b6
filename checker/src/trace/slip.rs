//! Wrong uses of locks.

use super::{LockId, SiteId, ThreadId};

/// How a lock was used wrongly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SlipKind {
    /// Released by a thread that does not hold it, nor does another.
    UnlockNotHeld,
    /// Released by a thread that does not hold it, while another does.
    UnlockNotOwner,
    /// Released as shared but held exclusively, or the other way round.
    UnlockWrongMode,
    /// A condition wait with a lock that nobody holds.
    WaitUnlocked,
    /// A condition wait with a lock that another thread holds.
    WaitNotOwner,
    /// Acquired after its end.
    UseAfterDestroy,
    /// Destroyed while held.
    DestroyHeld,
    /// Destroyed twice.
    DoubleDestroy,
    /// Made anew while held.
    InitHeld,
    /// Made anew without having been destroyed.
    ReinitWithoutDestroy,
    /// Acquired as ordered by a lock that is not held.
    NestLockNotHeld,
    /// The thread ended while holding it.
    HeldAtExit,
}

/// One wrong use of a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slip {
    /// What was wrong.
    pub kind: SlipKind,
    /// Who did it.
    pub thread: ThreadId,
    /// To which lock.
    pub lock: LockId,
    /// Where.
    pub site: SiteId,
}
