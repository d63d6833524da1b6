//! Threads that start others and wait for their end.

use std::sync::atomic::Ordering::Relaxed;

use super::super::log::Op;
use super::super::site::Site;
use super::super::slot::{self, Slot};
use super::super::{order, registry};
use super::{Busy, tracing, watching};

/// A thread that is about to be started: made by its parent, carried into it.
#[derive(Debug)]
pub struct Birth(u32);

/// A thread that was started, as its parent can join it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ThreadRef(u32);

impl Birth {
    /// The thread as its parent knows it.
    pub fn thread(&self) -> ThreadRef {
        ThreadRef(self.0)
    }

    /// Called first thing on the new thread.
    pub fn start(self, name: Option<&str>) {
        if self.0 == 0 {
            return;
        }
        if let Some(name) = name {
            order::name_thread(self.0, name);
        }
        match slot::existing() {
            None => {
                slot::enter(Some((self.0, name)));
            }
            // Something on this thread took a lock before we were called.
            Some(slot) => slot.become_thread(self.0),
        }
    }
}

/// The thread is about to start another.
pub fn forking(at: Site) -> Birth {
    let Some(slot) = watching() else {
        return Birth(0);
    };
    let _busy = Busy::new(slot);
    let me = slot.thread.load(Relaxed);
    let child = order::new_thread("", Some((me, slot.stretch.get())));
    let site = registry::site_number(slot, at);
    slot.log(Op::Fork, |record| record.number(child).number(site));
    next_stretch(slot);
    Birth(child)
}

/// The thread is about to wait until `thread` has ended.
pub fn joining(thread: ThreadRef, at: Site) {
    if let Some(slot) = tracing() {
        let _busy = Busy::new(slot);
        let site = registry::site_number(slot, at);
        slot.log(Op::Joining, |record| record.number(thread.0).number(site));
    }
}

/// `thread` has ended, and this thread knows.
pub fn joined(thread: ThreadRef, at: Site) {
    let Some(slot) = watching() else { return };
    if thread.0 == 0 {
        return;
    }
    let _busy = Busy::new(slot);
    order::joined(thread.0, slot.thread.load(Relaxed), slot.stretch.get());
    let site = registry::site_number(slot, at);
    slot.log(Op::Join, |record| record.number(thread.0).number(site));
    next_stretch(slot);
}

/// A fork or join ends a stretch: what was seen before it is evidence of its own.
pub(super) fn next_stretch(slot: &Slot) {
    slot.stretch.set(slot.stretch.get().wrapping_add(1));
    slot.forget_chains();
}
