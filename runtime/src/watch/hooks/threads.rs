//! Threads that start others and wait for their end.

use std::sync::atomic::Ordering::Relaxed;

use super::super::log::Op;
use super::super::platform::Starting;
use super::super::site::Site;
use super::super::slot::{self, Slot};
use super::super::wait_for::Target;
use super::super::{order, registry};
use super::{Busy, is_trace, live, unblocked, watching, watching_a_wait};

/// A thread that is about to be started: made by its parent, carried into it.
#[derive(Debug)]
pub struct Birth {
    /// Its number; 0 if nobody watches.
    thread: u32,
    /// That it has not begun.
    starting: Option<Starting>,
}

/// A thread that was started, as its parent can join it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ThreadRef(u32);

impl Birth {
    /// The thread as its parent knows it.
    pub fn thread(&self) -> ThreadRef {
        ThreadRef(self.thread)
    }

    /// Called first thing on the new thread.
    pub fn start(mut self, name: Option<&str>) {
        let thread = std::mem::take(&mut self.thread);
        if thread == 0 {
            return;
        }
        self.starting = None;
        if let Some(name) = name {
            order::name_thread(thread, name);
        }
        match slot::existing() {
            None => {
                slot::enter(Some((thread, name)));
            }
            // Something on this thread took a lock before we were called.
            Some(slot) => slot.become_thread(thread),
        }
    }
}

impl Drop for Birth {
    /// The system had no room for the thread.
    fn drop(&mut self) {
        if self.thread != 0 {
            order::thread_ended(self.thread);
        }
    }
}

/// The thread is about to start another.
pub fn forking(at: Site) -> Birth {
    let Some(slot) = watching() else {
        return Birth {
            thread: 0,
            starting: None,
        };
    };
    let _busy = Busy::new(slot);
    let me = slot.thread.load(Relaxed);
    let child = order::new_thread("", Some((me, slot.stretch.get())));
    let site = registry::site_number(slot, at);
    slot.log(Op::Fork, |record| record.number(child).number(site));
    next_stretch(slot);
    Birth {
        thread: child,
        starting: Some(Starting::by_this_thread()),
    }
}

/// The thread is about to wait until `thread` has ended.
///
/// # Panics
///
/// If that closes a circle of threads that wait for each other and the program chose to panic then.
#[track_caller]
pub fn joining(thread: ThreadRef, at: Site) {
    about_to_join(thread, Target::Thread(thread.0), at, false);
}

/// The thread is about to wait until `thread` has done what it was started for, if it must, and must
/// not unwind.
pub fn joining_work(thread: ThreadRef, at: Site) {
    about_to_join(thread, Target::Work(thread.0), at, true);
}

/// This thread has done what it was started for: nobody waits for it in [`joining_work`] any more.
pub fn work_done() {
    if let Some(slot) = slot::existing() {
        slot.wait.set_work_done(true);
    }
}

#[track_caller]
fn about_to_join(thread: ThreadRef, target: Target, at: Site, quiet: bool) {
    let Some(slot) = watching_a_wait() else {
        return;
    };
    let _busy = Busy::new(slot);
    if is_trace() {
        let site = registry::site_number(slot, at);
        slot.log(Op::Joining, |record| record.number(thread.0).number(site));
    }
    if thread.0 != 0 {
        let waiting = EndsWait(slot);
        live::wait(slot, target, at, quiet);
        std::mem::forget(waiting);
    }
}

/// Ends the wait of a thread that unwinds.
pub(super) struct EndsWait(pub(super) &'static Slot);

impl Drop for EndsWait {
    fn drop(&mut self) {
        self.0.wait.end();
    }
}

/// `thread` has ended, and this thread knows.
pub fn joined(thread: ThreadRef, at: Site) {
    unblocked();
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
