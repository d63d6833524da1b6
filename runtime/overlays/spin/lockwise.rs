//! Who the locks and the one-time objects of spin are.

mod word;

use core::any::type_name;

pub(crate) use lockwise_core::stdsync::Entry;
use lockwise_core::watch::{Identity, Kind, Mode};
pub(crate) use lockwise_core::watch::Site;

pub(crate) use self::word::{READ, WRITE, Word};

/// How a reader that may become a writer holds a lock.
pub(crate) const UPGRADABLE: Mode = Mode::Upgradable;

/// The word of a free mutex that protects a `T` and is made by the caller.
#[track_caller]
pub(crate) const fn mutex<T, A>(bits: A) -> Word<A> {
    Word::sendable::<T>(Kind::Mutex, bits, true)
}

/// The word of a free read-write lock that protects a `T` and is made by the caller.
#[track_caller]
pub(crate) const fn rwlock<T, A>(bits: A) -> Word<A> {
    Word::sendable::<T>(Kind::RwLock, bits, true)
}

/// The word of a free lock of which nobody is told: part of something that is watched, or that takes it again and
/// again while it waits.
pub(crate) const fn unwatched<T, A>(bits: A) -> Word<A> {
    Word::sendable::<T>(Kind::Foreign, bits, false)
}

/// The way to an object that is initialised once, holds a `T` and is made by the caller.
#[track_caller]
pub(crate) const fn once<T>() -> Entry {
    Entry::new(Identity::new(Kind::OnceCell, Site::caller(), type_name::<T>))
}

/// The same for one that is made of a constant, which says nothing about where.
pub(crate) const fn once_somewhere<T>() -> Entry {
    Entry::new(Identity::new(Kind::OnceCell, Site::NOWHERE, type_name::<T>))
}
