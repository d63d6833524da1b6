//! A counting semaphore.
//!
//! It counts units: to *acquire* takes one and waits while there is none, to *release* puts some in.
//! Whoever releases need not have acquired, so a semaphore can be a permit (guards give back what
//! they took) as well as a signal (one thread releases, another acquires and forgets the guard).
//!
//! Because of that nobody *holds* a semaphore: the watcher sees who waits and who posted, and never
//! takes the order of a semaphore among locks for a proof of anything.
//!
//! A thread that comes while a unit is free takes it, also ahead of threads that have been woken but
//! do not run yet; so it is not fair.

use std::any::type_name;
use std::fmt;
use std::mem;
use std::time::{Duration, Instant};

use crate::tag::Tag;
use crate::watch::hooks::Ask;
use crate::watch::{Identity, Kind, Site};

/// A number of units, which threads take and put back.
///
/// ```
/// use lockwise::Semaphore;
///
/// static CONNECTIONS: Semaphore = Semaphore::named("connections", 2);
///
/// let first = CONNECTIONS.acquire();
/// let second = CONNECTIONS.acquire();
/// assert!(CONNECTIONS.try_acquire().is_none());
/// drop(first);
/// assert_eq!(CONNECTIONS.available(), 1);
/// # drop(second);
/// ```
pub struct Semaphore {
    tag: Tag,
    /// The free units. Not watched, and held for a moment only.
    units: parking_lot::Mutex<u32>,
    /// Notified when units are put in.
    freed: parking_lot::Condvar,
}

/// A unit taken from a [`Semaphore`]; dropping it puts the unit back.
#[derive(Debug)]
#[must_use = "if unused the unit goes back at once"]
pub struct SemaphoreGuard<'a> {
    semaphore: &'a Semaphore,
    /// Where it was acquired; also told as the site of its release, as `drop` has no caller.
    at: Site,
}

impl Semaphore {
    /// Makes a semaphore with this many free units. The caller is its creation site.
    #[inline]
    #[track_caller]
    pub const fn new(units: u32) -> Semaphore {
        Semaphore::with_identity(Semaphore::identity_at(Site::caller()), units)
    }

    /// Makes a semaphore of the class `name`.
    #[inline]
    #[track_caller]
    pub const fn named(name: &'static str, units: u32) -> Semaphore {
        Semaphore::with_identity(Semaphore::identity_at(Site::caller()).named(name), units)
    }

    /// Waits until a unit is free and takes it.
    #[track_caller]
    pub fn acquire(&self) -> SemaphoreGuard<'_> {
        let at = Site::caller();
        self.tag.pending(Ask::Wait, at);
        let mut units = self.units.lock();
        self.freed.wait_while(&mut units, |units| *units == 0);
        self.take(&mut units, Ask::Wait, at)
    }

    /// Takes a unit if one is free.
    #[track_caller]
    pub fn try_acquire(&self) -> Option<SemaphoreGuard<'_>> {
        self.attempt(Ask::Try, Site::caller())
    }

    /// Takes a unit if one becomes free within `timeout`.
    #[track_caller]
    pub fn try_acquire_for(&self, timeout: Duration) -> Option<SemaphoreGuard<'_>> {
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.try_acquire_until(deadline),
            None => Some(self.acquire()),
        }
    }

    /// Takes a unit if one becomes free before `deadline`.
    #[track_caller]
    pub fn try_acquire_until(&self, deadline: Instant) -> Option<SemaphoreGuard<'_>> {
        let at = Site::caller();
        if let Some(guard) = self.attempt(Ask::Timed, at) {
            return Some(guard);
        }
        self.tag.pending(Ask::Timed, at);
        let mut units = self.units.lock();
        self.freed
            .wait_while_until(&mut units, |units| *units == 0, deadline);
        if *units == 0 {
            self.tag.gave_up();
            return None;
        }
        Some(self.take(&mut units, Ask::Timed, at))
    }

    /// Puts units in, and wakes as many waiting threads.
    ///
    /// # Panics
    ///
    /// If there were more than `u32::MAX` units then; none is put in.
    #[track_caller]
    pub fn release(&self, count: u32) {
        self.put(count, Site::caller());
    }

    /// How many units are free now.
    pub fn available(&self) -> u32 {
        *self.units.lock()
    }

    /// Takes a unit if there is one.
    fn attempt(&self, ask: Ask, at: Site) -> Option<SemaphoreGuard<'_>> {
        let mut units = self.units.lock();
        (*units > 0).then(|| self.take(&mut units, ask, at))
    }

    /// Takes a unit, of which there is at least one.
    fn take(&self, units: &mut u32, ask: Ask, at: Site) -> SemaphoreGuard<'_> {
        *units -= 1;
        self.tag.obtained(ask, at);
        SemaphoreGuard {
            semaphore: self,
            at,
        }
    }

    /// Puts units in, told while nobody can take them yet.
    fn put(&self, count: u32, at: Site) {
        let mut units = self.units.lock();
        let sum = units
            .checked_add(count)
            .expect("a semaphore holds at most u32::MAX units");
        self.tag.posted(count, at);
        *units = sum;
        drop(units);
        match count {
            0 => {}
            1 => drop(self.freed.notify_one()),
            _ => drop(self.freed.notify_all()),
        }
    }

    /// Who the object is; nobody, if checks are off.
    #[inline]
    pub fn identity(&self) -> Option<&Identity> {
        self.tag.identity()
    }

    const fn identity_at(born: Site) -> Identity {
        Identity::new(Kind::Semaphore, born, type_name::<()>)
    }

    const fn with_identity(identity: Identity, units: u32) -> Semaphore {
        Semaphore {
            tag: Tag::new(identity.with_units(units)),
            units: parking_lot::Mutex::new(units),
            freed: parking_lot::Condvar::new(),
        }
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("available", &self.available())
            .finish()
    }
}

impl SemaphoreGuard<'_> {
    /// Keeps the unit for good: it does not go back.
    pub fn forget(self) {
        mem::forget(self);
    }
}

impl Drop for SemaphoreGuard<'_> {
    fn drop(&mut self) {
        self.semaphore.put(1, self.at);
    }
}
