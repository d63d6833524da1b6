//! Words of locks that spin: where they are made and taken.
//!
//! What it cannot see: upgradable guards, which no function of a map takes.

mod carried;
mod word;

use core::any::type_name;
use core::sync::atomic::AtomicUsize;

use lockwise_core::watch::hooks::{self, Ask};
use lockwise_core::watch::{Identity, Kind, Site};

use crate::lock::{RwLock, RwLockReadGuard, RwLockWriteGuard};

pub(crate) use word::{Mode, READ, WRITE};

/// The word of a lock, and who the lock is.
pub type Word = word::Word<AtomicUsize>;

/// The word of a free lock that protects a `T` and is made by the caller.
#[track_caller]
pub(crate) const fn free<T>() -> Word {
    Word::new::<T>(Kind::RwLock, AtomicUsize::new(0))
}

/// Takes a lock with `take`, again and again if it is not free.
#[inline]
#[track_caller]
pub(crate) fn wait<G>(word: &Word, mode: Mode, take: impl Fn() -> Option<G>) -> G {
    word.wait(mode, here(), &take, || loop {
        if let Some(guard) = take() {
            break guard;
        }
        core::hint::spin_loop();
    })
}

/// Tells of the outcome of a request that does not wait.
#[inline]
#[track_caller]
pub(crate) fn tried<G>(word: &Word, mode: Mode, guard: Option<G>) -> Option<G> {
    // What is carried is for whoever gets the lock.
    match guard {
        Some(guard) => word.tried(mode, here(), Some(guard)),
        None => None,
    }
}

/// A writer is about to release the lock.
#[inline]
pub(crate) fn written(word: &Word) {
    // One that has become a reader drops its first guard too.
    if hooks::held_mode(word.identity()) != Some(READ) {
        word.released(WRITE);
    }
}

/// A guard turns from whatever mode into another.
#[track_caller]
pub(crate) fn changed(word: &Word, to: Mode) {
    let at = Site::caller();
    match hooks::held_mode(word.identity()) {
        Some(from) => hooks::changed_mode(word.identity(), from, to, at),
        None => hooks::acquired(word.identity(), to, Ask::Try, at),
    }
}

/// The place that is carried, else that of the caller.
#[inline]
#[track_caller]
fn here() -> Site {
    carried::take().unwrap_or(Site::caller())
}

/// Runs `path`, at whose end one lock is taken, at `at`.
#[inline]
pub(crate) fn carrying<T>(at: Site, path: impl FnOnce() -> T) -> T {
    carried::carrying(at, path)
}

/// A shard of a map that is made at `at`.
pub(crate) fn shard<T>(at: Site, table: T) -> RwLock<T> {
    let mut lock = RwLock::new(table);
    lock.word().identify(Identity::new(Kind::RwLock, at, type_name::<T>));
    lock
}

/// Takes a shard shared, for whoever stands at `at`.
#[inline]
pub(crate) fn read<T>(at: Site, shard: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    carrying(at, || shard.read())
}

/// Takes a shard exclusively, for whoever stands at `at`.
#[inline]
pub(crate) fn write<T>(at: Site, shard: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    carrying(at, || shard.write())
}
