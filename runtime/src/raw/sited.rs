//! Raw locks that are told where they are acquired, instead of finding it out.
//!
//! Our lock types take their raw locks through these traits: `acquire!` knows more of a site than
//! `#[track_caller]` does, and a request may panic here, because no guard exists yet.

use std::time::Instant;

use crate::watch::{Identity, Site};

/// A raw mutex that is told the site.
pub(crate) trait SitedMutex {
    /// Who the lock is; nobody, if checks are off.
    fn identity(&self) -> Option<&Identity>;
    /// Takes the lock; panics before it blocks if the watcher says so.
    fn lock_at(&self, at: Site);
    /// Takes the lock if it is free.
    fn try_lock_at(&self, at: Site) -> bool;
    /// Takes the lock if it becomes free before the deadline.
    fn try_lock_until_at(&self, deadline: Instant, at: Site) -> bool;
}

/// A raw read-write lock that is told the site.
pub(crate) trait SitedRwLock {
    /// Who the lock is; nobody, if checks are off.
    fn identity(&self) -> Option<&Identity>;
    /// Takes the lock shared; panics before it blocks if the watcher says so.
    fn lock_shared_at(&self, at: Site);
    /// Takes the lock shared if it can be had at once.
    fn try_lock_shared_at(&self, at: Site) -> bool;
    /// Takes the lock shared if it can be had before the deadline.
    fn try_lock_shared_until_at(&self, deadline: Instant, at: Site) -> bool;
    /// Takes the lock shared, whoever waits; panics before it blocks if the watcher says so.
    fn lock_shared_recursive_at(&self, at: Site);
    /// Takes the lock exclusively; panics before it blocks if the watcher says so.
    fn lock_exclusive_at(&self, at: Site);
    /// Takes the lock exclusively if it is free.
    fn try_lock_exclusive_at(&self, at: Site) -> bool;
    /// Takes the lock exclusively if it becomes free before the deadline.
    fn try_lock_exclusive_until_at(&self, deadline: Instant, at: Site) -> bool;
    /// Takes the lock upgradably; panics before it blocks if the watcher says so.
    fn lock_upgradable_at(&self, at: Site);
    /// Takes the lock upgradably if it can be had at once.
    fn try_lock_upgradable_at(&self, at: Site) -> bool;
    /// Takes the lock upgradably if it can be had before the deadline.
    fn try_lock_upgradable_until_at(&self, deadline: Instant, at: Site) -> bool;
}
