//! What is held at one node of the learned order, to be asked by lock.

use super::super::identity::LockId;
use super::super::memory::SysMap;
use super::super::mode::Mode;

/// The locks held where one side of a cycle asks, each with the modes in which it is held.
pub(super) struct HeldAt {
    /// The youngest of them, as a node; 0 for none.
    pub(super) youngest: u32,
    /// By lock, one bit for each mode.
    modes: SysMap,
}

impl HeldAt {
    pub(super) const fn new() -> Self {
        HeldAt {
            youngest: 0,
            modes: SysMap::new(),
        }
    }

    /// Adds a held lock; false without memory.
    pub(super) fn add(&mut self, lock: LockId, mode: Mode) -> bool {
        let key = lock.0.max(1);
        let modes = self.modes.get(key).unwrap_or(0) | 1 << mode as u32;
        self.modes.insert(key, modes)
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.youngest = 0;
        self.modes.clear();
    }

    /// Whether the lock is held.
    pub(super) fn holds(&self, lock: LockId) -> bool {
        self.modes.get(lock.0.max(1)).is_some()
    }

    /// Whether the lock is held in a mode that keeps out a request in this one.
    pub(super) fn keeps_out(&self, lock: LockId, wanted: Mode) -> bool {
        self.modes_of(lock).any(|held| held.excludes(wanted))
    }

    /// Whether the lock cannot be held here and elsewhere in this mode at once.
    pub(super) fn is_gate(&self, lock: LockId, mode: Mode) -> bool {
        self.modes_of(lock)
            .any(|held| held.excludes(mode) || mode.excludes(held))
    }

    fn modes_of(&self, lock: LockId) -> impl Iterator<Item = Mode> {
        let modes = self.modes.get(lock.0.max(1)).unwrap_or(0);
        let held = move |mode: &Mode| modes >> *mode as u32 & 1 == 1;
        Mode::ALL.into_iter().filter(held)
    }
}
