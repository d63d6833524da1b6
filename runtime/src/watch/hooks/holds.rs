//! What this thread holds, for whoever asks.

use std::sync::atomic::Ordering::Relaxed;

use super::super::identity::Identity;
use super::super::mode::Mode;
use super::super::site::Site;
use super::super::slot::{self, Slot};
use super::foreign::{FOREIGN_COUNT, drop_foreign};

/// The mode in which this thread holds the lock, if it does: the latest, if several times.
pub fn held_mode(lock: &Identity) -> Option<Mode> {
    let slot = slot::existing()?;
    if FOREIGN_COUNT.load(Relaxed) != 0 {
        drop_foreign(slot);
    }
    slot.find(lock.known_id()?).map(|held| held.mode)
}

/// Where this thread acquired the lock, if it holds it: the latest, if several times.
pub fn held_since(lock: &Identity) -> Option<Site> {
    slot::existing()?
        .find(lock.known_id()?)
        .map(|held| held.site)
}

/// How many locks this thread holds, a lock held twice counting twice.
pub fn held_count() -> usize {
    slot::existing().map_or(0, Slot::depth)
}
