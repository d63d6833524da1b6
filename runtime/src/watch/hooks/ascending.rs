//! The ascending rule for several locks at once: what `acquire!` asks before it takes anything.

use std::sync::atomic::Ordering::Relaxed;

use super::super::finding::Finding;
use super::super::identity::Identity;
use super::super::mode::{Ask, Mode};
use super::super::reaction::{self, Enforcement, Order};
use super::super::settings;
use super::super::site::Site;
use super::judging::{greatest, log_finding, order_violation, wanted_stack};
use super::{Busy, catch_up, held_lock, watching};

/// A lock that is about to be asked for: which, in which mode, and where.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The lock.
    pub lock: &'a Identity,
    /// The mode.
    pub mode: Mode,
    /// The acquisition site.
    pub at: Site,
}

/// What the ascending rule says of several requests at once, before any is made.
///
/// `wanted` is in ascending order of [`Identity::place`] and free of duplicates; all of it asks in
/// the way of `ask`.
///
/// # Errors
///
/// The violation, if a lock in `wanted` does not come after the greatest lock that this thread
/// holds, unless the rule binds nothing or is only to be reported. The callback and the log know
/// of it already. Re-entering a re-entrant lock is none.
pub fn check_ascending(wanted: &[Wanted<'_>], ask: Ask) -> Result<(), Box<Finding>> {
    let Some(slot) = watching() else {
        return Ok(());
    };
    if slot.depth() == 0 || wanted.is_empty() || settings::order() == Order::Learn {
        return Ok(());
    }
    catch_up(slot);
    let _busy = Busy::new(slot);
    let me = slot.thread.load(Relaxed);
    let Some((holds, place)) = greatest(slot.all_held()) else {
        return Ok(());
    };
    let offending = wanted.iter().find(|wanted| {
        let re_entry = wanted.mode == Mode::Reentrant && wanted.lock.owner() == me;
        !re_entry && wanted.lock.place() <= place
    });
    let Some(&Wanted { lock, mode, at }) = offending else {
        return Ok(());
    };
    let stack = wanted_stack();
    let want = held_lock(lock, mode, ask, at);
    // Where it is held already, that says more than the greatest lock does.
    let holds = slot.find(want.lock).unwrap_or(holds);
    let violation = order_violation(slot, holds, want, &stack);
    log_finding(slot, &violation);
    reaction::call_back(&violation);
    match settings::enforcement() {
        Enforcement::Refuse => Err(Box::new(violation)),
        Enforcement::Report => {
            reaction::print(&violation);
            Ok(())
        }
    }
}
