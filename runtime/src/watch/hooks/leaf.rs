//! A short way for who takes one new lock after another under the same one.

use super::super::identity::{Identity, LockId};
use super::super::reaction::Order;
use super::super::site::Site;
use super::super::slot::Slot;
use super::super::{log, order, settings};
use super::{Busy, is_trace};

/// Whether a lock that was never used is asked for as one of many under the same one, whose node is `parent`: then
/// that is learned here, and no more can be wrong with it. Nobody holds it, and nothing was ever asked for under it.
#[inline(never)]
pub(super) fn is_leaf(slot: &Slot, parent: u32, lock: &Identity, at: Site) -> bool {
    // A lock with a rank may break a rule, and any lock if they all must ascend.
    if lock.traits() != 0 || settings::order() == Order::Every {
        return false;
    }
    let traced = is_trace();
    if traced && log::generation() != 1 {
        return false;
    }
    let Some(fresh) = slot.fresh_word_at_hand(lock) else {
        return false;
    };
    let _busy = Busy::new(slot);
    if !lock.take_word(fresh) {
        return false;
    }
    let id = LockId(fresh);
    if traced {
        slot.define_later(id);
    }
    order::learn_leaf(slot, parent, id, at)
}
