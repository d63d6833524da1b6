//! The lock of a watched primitive.
//!
//! It is a leaf: while it is held no other lock is taken, nothing is waited for, and no code of the program
//! runs. So it can be the last lock of a chain but never stand between two, and no circle leads through it.
//! Therefore it is watched only where all events are recorded (level `trace`, which `cargo lockwise run` and
//! `test` choose): there the checker sees whether it is a leaf indeed. Elsewhere watching it could tell nothing,
//! and it costs a look at a flag. What waits *at* a primitive is told everywhere; see
//! [`Flow`](super::Flow).

use std::fmt;
use std::ops::{Deref, DerefMut};

use super::backend::Lock;
use crate::tag::Tag;
use crate::watch::hooks::Ask;
use crate::watch::{Identity, Kind, Mode, Site};

/// The mutex of a primitive on [`Tracked`](super::Tracked) locks.
///
/// It is a leaf: while it is held no other lock is taken, nothing is waited for, and no code of the program runs. So no
/// circle of locks leads through it, and there is nothing to be told of it while the program runs: it is watched only
/// where all events are recorded (level `trace` of the log, which `cargo lockwise run` and `test` choose), so that the
/// checker sees whether it is a leaf indeed. Who waits *at* a primitive, and for what, is told everywhere; that is what
/// a [`Flow`](super::Flow) is for.
pub struct LeafMutex<T> {
    tag: Tag,
    value: parking_lot::Mutex<T>,
}

/// The right to use the value of a [`LeafMutex`]; dropping it unlocks.
#[must_use = "the lock is given back when this is dropped"]
pub struct LeafGuard<'a, T> {
    /// Who is told that it is given back, if somebody was told that it was taken.
    told: Option<&'a Tag>,
    /// Dropped last, so that the lock is still held when that is told.
    value: parking_lot::MutexGuard<'a, T>,
}

impl<T> LeafMutex<T> {
    /// [`Lock::new_at`] in a constant.
    pub(super) const fn of(value: T, born: Site) -> LeafMutex<T> {
        let identity = Identity::new(Kind::Mutex, born, std::any::type_name::<T>);
        LeafMutex {
            tag: Tag::new(identity),
            value: parking_lot::const_mutex(value),
        }
    }

    #[cold]
    fn lock_and_tell(&self, at: Site) -> LeafGuard<'_, T> {
        self.tag.request(Mode::Exclusive, at);
        let value = self.value.try_lock().unwrap_or_else(|| {
            self.tag.blocked(Mode::Exclusive, Ask::Wait, at);
            let value = self.value.lock();
            Tag::unblocked();
            value
        });
        self.told(value, Ask::Wait, at)
    }

    fn told<'a>(
        &'a self,
        value: parking_lot::MutexGuard<'a, T>,
        ask: Ask,
        at: Site,
    ) -> LeafGuard<'a, T> {
        self.tag.acquired(Mode::Exclusive, ask, at);
        let told = Some(&self.tag);
        LeafGuard { told, value }
    }
}

impl<T: Send> Lock<T> for LeafMutex<T> {
    type Guard<'a>
        = LeafGuard<'a, T>
    where
        T: 'a;

    fn new_at(value: T, born: Site) -> Self {
        LeafMutex::of(value, born)
    }

    #[inline]
    fn lock_at(&self, at: Site) -> LeafGuard<'_, T> {
        if Tag::sees_all() {
            return self.lock_and_tell(at);
        }
        let value = self.value.lock();
        LeafGuard { told: None, value }
    }

    #[inline]
    fn try_lock_at(&self, at: Site) -> Option<LeafGuard<'_, T>> {
        let value = self.value.try_lock()?;
        if Tag::sees_all() {
            return Some(self.told(value, Ask::Try, at));
        }
        Some(LeafGuard { told: None, value })
    }

    #[inline]
    fn lock_untold_at(&self, _at: Site) -> LeafGuard<'_, T> {
        let value = self.value.lock();
        LeafGuard { told: None, value }
    }

    #[inline]
    fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }
}

impl<T> Deref for LeafGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for LeafGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T> Drop for LeafGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if let Some(tag) = self.told {
            given_back(tag);
        }
    }
}

#[cold]
fn given_back(tag: &Tag) {
    tag.released(Mode::Exclusive);
}

impl<T> fmt::Debug for LeafMutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeafMutex").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for LeafGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeafGuard").finish_non_exhaustive()
    }
}
