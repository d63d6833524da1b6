//! What was seen at a request and need not be looked up again when the lock was free.

use std::fmt;

use super::super::identity::Identity;
use super::super::mode::{Ask, Mode};
use super::super::slot::Slot;
use super::has_to_catch_up;

/// A request that was judged, for [`acquired_at_once`](super::acquired_at_once).
#[derive(Debug, Clone, Copy)]
pub struct Asked(pub(super) Option<Glance>);

/// What was seen of a thread at a request of which nothing had to be looked up.
#[derive(Clone, Copy)]
pub(super) struct Glance {
    pub(super) slot: &'static Slot,
    /// The chain of what it holds; 0 if that is nothing.
    pub(super) key: u64,
}

impl fmt::Debug for Glance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Glance")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// What is seen of the thread, if nothing is held or it is seen in the lock that this request was judged.
#[inline]
pub(super) fn glance(slot: &'static Slot, lock: &Identity, mode: Mode, ask: Ask) -> Option<Glance> {
    if slot.depth() == 0 {
        return Some(Glance { slot, key: 0 });
    }
    let plain = mode == Mode::Exclusive && ask == Ask::Wait;
    if !plain || has_to_catch_up() {
        return None;
    }
    let key = slot.key_above();
    lock.is_known_after(key).then_some(Glance { slot, key })
}
