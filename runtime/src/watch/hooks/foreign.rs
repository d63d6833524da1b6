//! Locks released by another thread than their holder: posted to the holder, which drops them when it
//! looks next.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::super::identity::LockId;
use super::super::memory::SysVec;
use super::super::own_lock::Guarded;
use super::super::slot::{self, Slot};
use super::super::{log, settings};

/// Locks released by another thread than their holder: the holder's number and the lock.
pub(super) static FOREIGN: Guarded<SysVec<(u32, LockId)>> = Guarded::new(SysVec::new());

/// How many of them wait for their holder to notice.
pub(super) static FOREIGN_COUNT: AtomicU32 = AtomicU32::new(0);

/// Has `holder` forget that it holds `lock`, when it looks next.
pub(in super::super) fn post_foreign_release(holder: u32, lock: LockId) {
    let posted = FOREIGN.with(|foreign| {
        if foreign.push((holder, lock)) {
            FOREIGN_COUNT.store(foreign.len() as u32, Relaxed);
        }
    });
    if posted.is_none() {
        // The holder would be taken to hold it for ever, and false things be told of that.
        log::count_stopped();
        settings::stop();
    }
}

/// Whether another thread has released `lock`, which `holder` has not noticed yet; or this cannot be told now.
pub(in super::super) fn is_posted(holder: u32, lock: LockId) -> bool {
    FOREIGN_COUNT.load(Relaxed) != 0
        && FOREIGN.with(|foreign| foreign.contains(&(holder, lock))) != Some(false)
}

#[cold]
pub(super) fn drop_foreign(slot: &Slot) {
    let thread = slot.thread.load(Relaxed);
    keep_posted(|holder, lock| {
        let mine = holder == thread;
        if mine {
            slot.remove(lock, None);
        }
        !mine
    });
}

/// Forgets what was posted to a thread that ends.
pub(in super::super) fn forget_posted(thread: u32) {
    if FOREIGN_COUNT.load(Relaxed) != 0 {
        keep_posted(|holder, _| holder != thread);
    }
}

/// Takes the lock of what is posted before a fork.
pub(in super::super) fn before_fork() {
    FOREIGN.begin_fork();
}

/// Gives it back afterwards, in the parent and in the child.
pub(in super::super) fn after_fork() {
    FOREIGN.end_fork();
}

/// In the child of a fork only the forking thread lives.
pub(in super::super) fn after_fork_in_child() {
    super::stall::after_fork_in_child();
    let me = slot::existing().map_or(0, |slot| slot.thread.load(Relaxed));
    keep_posted(|holder, _| holder == me);
}

/// Forgets what of all that is posted `keep` does not want.
pub(super) fn keep_posted(keep: impl Fn(u32, LockId) -> bool) {
    FOREIGN.with(|foreign| {
        let mut kept = 0;
        for at in 0..foreign.len() {
            let (holder, lock) = foreign[at];
            if keep(holder, lock) {
                foreign[kept] = (holder, lock);
                kept += 1;
            }
        }
        foreign.truncate(kept);
        FOREIGN_COUNT.store(kept as u32, Relaxed);
    });
}
