//! Mutual exclusion: `parking_lot`'s `Mutex` and `FairMutex`, watched.
//!
//! Both have the same methods, so one macro writes them; they differ in the raw lock. The guards
//! are those of `lock_api`, and `MutexGuard::mutex` therefore gives the `lock_api` mutex inside.

use std::any::type_name;
use std::fmt;
use std::mem::ManuallyDrop;
use std::ptr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::constructors::{constructors, inner_arc};
use crate::raw::{self, RawFairMutex, RawMutex, SitedMutex};
use crate::tag::carrying;
use crate::watch::{Identity, Kind, Rank, Site};

/// A mutual-exclusion lock that protects a value.
///
/// It has the methods of `parking_lot::Mutex` and is not poisoned by a panic. Taking it is judged
/// before the thread may block: see the [crate documentation](crate).
///
/// ```
/// use lockwise::{Mutex, Rank};
///
/// static TOTAL: Mutex<u64> = Mutex::named("total", 0);
/// static AUDIT: Mutex<Vec<u64>> = Mutex::ranked(Rank(10), Vec::new());
///
/// *TOTAL.lock() += 5;
/// AUDIT.lock().push(5);
/// assert_eq!(*TOTAL.lock(), 5);
/// ```
#[repr(transparent)]
pub struct Mutex<T: ?Sized>(lock_api::Mutex<RawMutex, T>);

/// A [`Mutex`] that is always handed to the thread that waited longest.
///
/// Fairness costs a context switch whenever the lock is contended; [`Mutex`] is fair only now and
/// then, and on request (`MutexGuard::unlock_fair`).
#[repr(transparent)]
pub struct FairMutex<T: ?Sized>(lock_api::Mutex<RawFairMutex, T>);

/// The right to use the value of a [`Mutex`]; dropping it unlocks.
pub type MutexGuard<'a, T> = lock_api::MutexGuard<'a, RawMutex, T>;
/// A [`MutexGuard`] of a part of the value.
pub type MappedMutexGuard<'a, T> = lock_api::MappedMutexGuard<'a, RawMutex, T>;
/// A [`MutexGuard`] that keeps the mutex alive instead of borrowing it.
pub type ArcMutexGuard<T> = lock_api::ArcMutexGuard<RawMutex, T>;

/// The right to use the value of a [`FairMutex`]; dropping it unlocks.
pub type FairMutexGuard<'a, T> = lock_api::MutexGuard<'a, RawFairMutex, T>;
/// A [`FairMutexGuard`] of a part of the value.
pub type MappedFairMutexGuard<'a, T> = lock_api::MappedMutexGuard<'a, RawFairMutex, T>;
/// A [`FairMutexGuard`] that keeps the mutex alive instead of borrowing it.
pub type ArcFairMutexGuard<T> = lock_api::ArcMutexGuard<RawFairMutex, T>;

constructors!(Mutex, raw::mutex, lock_api::Mutex::from_raw);
constructors!(FairMutex, raw::fair_mutex, lock_api::Mutex::from_raw);

/// The methods of a mutex type over the raw lock `$Raw`.
macro_rules! mutex_methods {
    ($Lock:ident, $Raw:ident, $Guard:ident, $ArcGuard:ident) => {
        impl<T: ?Sized> $Lock<T> {
            /// Waits until the lock is free and takes it.
            ///
            /// # Panics
            ///
            /// If the request breaks a rule and the program chose to panic on that. Nothing is
            /// taken then.
            #[inline]
            #[track_caller]
            pub fn lock(&self) -> $Guard<'_, T> {
                self.lock_at(Site::caller())
            }

            /// Takes the lock if it is free.
            #[inline]
            #[track_caller]
            pub fn try_lock(&self) -> Option<$Guard<'_, T>> {
                self.try_lock_at(Site::caller())
            }

            /// Takes the lock if it becomes free within `timeout`.
            #[inline]
            #[track_caller]
            pub fn try_lock_for(&self, timeout: Duration) -> Option<$Guard<'_, T>> {
                self.0.try_lock_for(timeout)
            }

            /// Takes the lock if it becomes free before `deadline`.
            #[inline]
            #[track_caller]
            pub fn try_lock_until(&self, deadline: Instant) -> Option<$Guard<'_, T>> {
                self.try_lock_until_at(deadline, Site::caller())
            }

            /// Waits until the lock is free and takes it, with a guard that owns a count.
            ///
            /// # Panics
            ///
            /// As `lock`.
            #[inline]
            #[track_caller]
            pub fn lock_arc(self: &Arc<Self>) -> $ArcGuard<T> {
                let inner = inner_arc!(self, lock_api::Mutex<$Raw, T>);
                carrying(Site::caller(), || inner.lock_arc())
            }

            /// Takes the lock if it is free, with a guard that owns a count.
            #[inline]
            #[track_caller]
            pub fn try_lock_arc(self: &Arc<Self>) -> Option<$ArcGuard<T>> {
                inner_arc!(self, lock_api::Mutex<$Raw, T>).try_lock_arc()
            }

            /// Takes the lock if it becomes free within `timeout`, with a guard that owns a count.
            #[inline]
            #[track_caller]
            pub fn try_lock_arc_for(self: &Arc<Self>, timeout: Duration) -> Option<$ArcGuard<T>> {
                inner_arc!(self, lock_api::Mutex<$Raw, T>).try_lock_arc_for(timeout)
            }

            /// Takes the lock if it becomes free before `deadline`, with a guard that owns a count.
            #[inline]
            #[track_caller]
            pub fn try_lock_arc_until(
                self: &Arc<Self>,
                deadline: Instant,
            ) -> Option<$ArcGuard<T>> {
                inner_arc!(self, lock_api::Mutex<$Raw, T>).try_lock_arc_until(deadline)
            }

            /// The value, of which the exclusive borrow makes sure without locking.
            #[inline]
            pub fn get_mut(&mut self) -> &mut T {
                self.0.get_mut()
            }

            /// Whether the lock is held now, by whomever.
            #[inline]
            pub fn is_locked(&self) -> bool {
                self.0.is_locked()
            }

            /// A pointer to the value.
            ///
            /// To use it safely the lock must be held, or nobody else use it.
            #[inline]
            pub fn data_ptr(&self) -> *mut T {
                self.0.data_ptr()
            }

            /// The raw lock.
            ///
            /// # Safety
            ///
            /// It must not be unlocked while a guard is alive, nor left locked where a guard is
            /// expected to be able to lock it.
            #[inline]
            pub unsafe fn raw(&self) -> &$Raw {
                // SAFETY: the caller promises what `lock_api::Mutex::raw` asks for.
                unsafe { self.0.raw() }
            }

            /// A guard for a lock that is held already, say through a guard that was forgotten.
            ///
            /// # Safety
            ///
            /// The thread must hold the lock, and no other guard for it may be alive.
            #[inline]
            pub unsafe fn make_guard_unchecked(&self) -> $Guard<'_, T> {
                // SAFETY: the caller promises that the lock is held and that no guard exists.
                unsafe { self.0.make_guard_unchecked() }
            }

            /// Unlocks without a guard, say for one that was forgotten.
            ///
            /// # Safety
            ///
            /// The thread must hold the lock, and the guard must never be used again.
            #[inline]
            pub unsafe fn force_unlock(&self) {
                // SAFETY: the caller promises that the lock is held in this context.
                unsafe { self.0.force_unlock() }
            }

            /// Unlocks without a guard, and hands the lock to a waiting thread.
            ///
            /// # Safety
            ///
            /// As for `force_unlock`.
            #[inline]
            pub unsafe fn force_unlock_fair(&self) {
                // SAFETY: the caller promises that the lock is held in this context.
                unsafe { self.0.force_unlock_fair() }
            }

            /// Who the lock is; nobody, if checks are off.
            #[inline]
            pub fn identity(&self) -> Option<&Identity> {
                self.sited().identity()
            }

            /// `lock`, as if called from `at`.
            #[doc(hidden)]
            #[inline]
            #[track_caller]
            pub fn lock_at(&self, at: Site) -> $Guard<'_, T> {
                self.sited().lock_at(at);
                // SAFETY: the lock was just taken, and nobody else has made a guard for that.
                unsafe { self.0.make_guard_unchecked() }
            }

            /// `try_lock`, as if called from `at`.
            #[doc(hidden)]
            #[inline]
            pub fn try_lock_at(&self, at: Site) -> Option<$Guard<'_, T>> {
                self.sited().try_lock_at(at).then(|| {
                    // SAFETY: the lock was just taken, and nobody else has made a guard for that.
                    unsafe { self.0.make_guard_unchecked() }
                })
            }

            /// `try_lock_until`, as if called from `at`.
            #[doc(hidden)]
            #[inline]
            pub fn try_lock_until_at(
                &self,
                deadline: Instant,
                at: Site,
            ) -> Option<$Guard<'_, T>> {
                self.sited().try_lock_until_at(deadline, at).then(|| {
                    // SAFETY: the lock was just taken, and nobody else has made a guard for that.
                    unsafe { self.0.make_guard_unchecked() }
                })
            }

            /// The raw lock, to be taken for a guard that is made at once.
            #[inline]
            fn sited(&self) -> &impl SitedMutex {
                // SAFETY: `SitedMutex` cannot unlock, and whoever locks through it makes a guard.
                unsafe { self.0.raw() }
            }
        }
    };
}

mutex_methods!(Mutex, RawMutex, MutexGuard, ArcMutexGuard);
mutex_methods!(FairMutex, RawFairMutex, FairMutexGuard, ArcFairMutexGuard);

/// Makes a [`Mutex`] in a constant. [`Mutex::new`] does the same; this is for `parking_lot`'s users.
#[inline]
#[track_caller]
pub const fn const_mutex<T>(value: T) -> Mutex<T> {
    Mutex::new(value)
}

/// Makes a [`FairMutex`] in a constant; [`FairMutex::new`] does the same.
#[inline]
#[track_caller]
pub const fn const_fair_mutex<T>(value: T) -> FairMutex<T> {
    FairMutex::new(value)
}
