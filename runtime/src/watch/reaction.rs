//! What happens on a finding, and where the ascending rule binds.

use super::finding::Finding;

/// What happens when something is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Reaction {
    /// A report on standard error; the program goes on. The default.
    Report = 0,
    /// A report, then a panic in the requesting thread, before it blocks and with nothing taken.
    Panic = 1,
    /// A report, then `abort`.
    Abort = 2,
    /// Nothing but the log and the callback.
    Silent = 3,
}

/// Where the ascending rule binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Order {
    /// Locks taken through `acquire!`, and locks with a declared rank. The default.
    Declared = 0,
    /// Every lock.
    Every = 1,
    /// None: the order is only learned.
    Learn = 2,
}

/// Chooses where the ascending rule binds, from now on, for all threads.
pub fn set_order(order: Order) {
    let _ = order;
}

/// Chooses what happens on a finding, from now on, for all threads.
pub fn set_reaction(reaction: Reaction) {
    let _ = reaction;
}

/// Has `callback` called with each finding, before the reaction. A later one replaces it.
///
/// It runs on the thread that made the finding, before that thread blocks. Locks that it takes are
/// not watched.
pub fn set_callback(callback: impl Fn(&Finding) + Send + Sync + 'static) {
    let _ = callback;
}
