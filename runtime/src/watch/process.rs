//! The life of a process: its log is opened before `main`, and the child of a `fork` is a process of
//! its own, with a log of its own.
//!
//! The log is opened early so that "no lock was taken" and "nothing was watched" can be told apart:
//! a program that is linked with this code makes a log even if it takes no lock.
//!
//! A fork copies the memory of all threads but runs only one of them. So all locks of the watcher
//! are taken before and given back after, in the parent and in the child; the child then starts a
//! new log and takes what was defined in the parent's for not yet defined.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::{hooks, log, order, platform, registry, settings, slot, wait_for};

#[cfg(any(feature = "checks", lockwise_overlay))]
mod start;

/// Sets the handlers up, once.
pub(super) fn prepare() {
    static DONE: AtomicBool = AtomicBool::new(false);
    if !DONE.swap(true, Relaxed) {
        platform::on_fork(before, after_in_parent, after_in_child);
        if settings::log_wanted() {
            platform::clocks::at_exit(ends);
        }
        hooks::wait_for_signal();
    }
}

extern "C" fn ends() {
    slot::process_ends();
}

/// The order is that in which slow paths take them.
extern "C" fn before() {
    wait_for::before_fork();
    hooks::before_fork();
    order::before_fork();
    registry::before_fork();
    log::before_fork();
}

extern "C" fn after_in_parent() {
    log::after_fork_in_parent();
    registry::after_fork();
    order::after_fork();
    hooks::after_fork();
    wait_for::after_fork();
}

extern "C" fn after_in_child() {
    log::after_fork_in_child();
    registry::after_fork();
    order::after_fork();
    hooks::after_fork();
    hooks::after_fork_in_child();
    wait_for::after_fork();
    wait_for::after_fork_in_child();
    slot::after_fork_in_child();
    settings::forked();
}
