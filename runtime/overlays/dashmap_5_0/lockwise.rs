//! Shards, made and taken in closures, which lose the caller.

use parking_lot::lock_api::lockwise::{carrying, rwlock_at};
use lockwise_core::watch::Site;

use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// A shard of a map that is made at `at`.
pub(crate) fn shard<T>(at: Site, table: T) -> RwLock<T> {
    rwlock_at(at, RwLock::new(table))
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
