//! What the primitives are made of: a mutex, and somebody to be told who waits for whom.
//!
//! One source serves two purposes: [`Tracked`] is made of watched locks and tells the watcher what
//! passes through a primitive; [`Raw`] is made of `parking_lot`'s locks and tells nobody. Both can
//! live in one program, so a type alias of the user decides, not a compiler flag. With the feature
//! `checks` off [`Tracked`] costs what [`Raw`] does.
//!
//! A waiting thread parks ([`std::thread::park`]); nothing is waited for under a lock, so there is no
//! condition variable here.

use std::any::type_name;
use std::fmt;
use std::ops::DerefMut;

use super::leaf::LeafMutex;
use super::threads::{OsThreads, Threads};
use crate::tag::Tag;
use crate::watch::hooks::Ask;
use crate::watch::{Identity, Kind, Site};

/// What primitives are made of.
pub trait Backend: fmt::Debug + Send + Sync + Sized + 'static {
    /// The leaf lock of a primitive.
    type Mutex<T: Send>: Lock<T>;
    /// Who is told what passes through a primitive.
    type Flow: Flow;
    /// Who uses it.
    type Threads: Threads;
}

/// A mutex that a panic does not poison.
pub trait Lock<T>: Send + Sync {
    /// The right to use the value; dropping it unlocks.
    type Guard<'a>: DerefMut<Target = T>
    where
        Self: 'a;

    /// An unlocked mutex, made at `born`.
    fn new_at(value: T, born: Site) -> Self;

    /// Waits until the lock is free and takes it, as if called from `at`.
    fn lock_at(&self, at: Site) -> Self::Guard<'_>;

    /// Takes the lock if it is free, as if called from `at`.
    fn try_lock_at(&self, at: Site) -> Option<Self::Guard<'_>>;

    /// [`lock_at`](Lock::lock_at) for who knows that nobody is told of it: see [`Flow::is_told`].
    #[inline]
    fn lock_untold_at(&self, at: Site) -> Self::Guard<'_> {
        self.lock_at(at)
    }

    /// The value of a mutex that nobody else uses any more.
    fn get_mut(&mut self) -> &mut T;
}

/// What passes through a primitive, unit by unit: whoever has waited for a unit knows that all that
/// came before its posting is done.
pub trait Flow: fmt::Debug + Send + Sync {
    /// A flow of the primitive made at `born`, of what `type_name` names.
    fn new_at(born: Site, type_name: fn() -> &'static str) -> Self;

    /// Whether anybody is told of units that nobody has waited for, and of locks. Asked once where nothing else is to
    /// be done, so that being watched costs a look.
    #[inline]
    fn is_told(&self) -> bool {
        true
    }

    /// The thread puts units in. Told before anybody can take them.
    fn posted(&self, units: u32, at: Site);

    /// The thread is about to wait for a unit; with a deadline, if `timed`.
    fn pending(&self, timed: bool, at: Site);

    /// The same for a unit that only a thread can put in which has said so ([`begin_work`](Flow::begin_work)).
    /// May panic, if the program chose that for waits without an end.
    #[inline]
    #[track_caller]
    fn pending_work(&self, timed: bool, at: Site) {
        self.pending(timed, at);
    }

    /// The thread begins to work for units that nobody else can put in, and puts none in before that
    /// work is done. True if [`end_work`](Flow::end_work) must follow, on this thread.
    #[inline]
    fn begin_work(&self) -> bool {
        false
    }

    /// That work is done, and the units are about to be put in.
    #[inline]
    fn end_work(&self) {}

    /// The thread has taken a unit, which it would have waited for; with a deadline, if `timed`.
    fn obtained(&self, timed: bool, at: Site);

    /// The same where no task but a thread waits, and units are got in the order in which they are put in: what one
    /// thread puts in and one thread gets is the very same in each run.
    #[inline]
    fn obtained_in_order(&self, timed: bool, at: Site) {
        self.obtained(timed, at);
    }

    /// The thread has waited and does not any more, without a unit.
    fn gave_up(&self);

    /// What is waited for is there from now on, also for those who take no unit of it, and comes after all that was
    /// told so before. Told before anybody can [find](Flow::found) it there.
    #[inline]
    fn told(&self, _at: Site) {}

    /// The thread has found there what it would have waited for, and has taken no unit: it comes after what was
    /// [told](Flow::told).
    #[inline]
    fn found(&self, _at: Site) {}
}

/// Watched locks, and the watcher is told who waits for whom. This is the default. See [`LeafMutex`] for what
/// is watched when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tracked;

/// `parking_lot`'s locks, and nobody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Raw;

impl Backend for Tracked {
    type Mutex<T: Send> = LeafMutex<T>;
    type Flow = TrackedFlow;
    type Threads = OsThreads;
}

impl Backend for Raw {
    type Mutex<T: Send> = parking_lot::Mutex<T>;
    type Flow = NoFlow;
    type Threads = OsThreads;
}

impl<T: Send> Lock<T> for parking_lot::Mutex<T> {
    type Guard<'a>
        = parking_lot::MutexGuard<'a, T>
    where
        T: 'a;

    fn new_at(value: T, _born: Site) -> Self {
        parking_lot::Mutex::new(value)
    }

    #[inline]
    fn lock_at(&self, _at: Site) -> Self::Guard<'_> {
        self.lock()
    }

    #[inline]
    fn try_lock_at(&self, _at: Site) -> Option<Self::Guard<'_>> {
        self.try_lock()
    }

    #[inline]
    fn get_mut(&mut self) -> &mut T {
        parking_lot::Mutex::get_mut(self)
    }
}

/// The [`Flow`] of [`Tracked`]: for the watcher it is a channel.
#[derive(Debug)]
pub struct TrackedFlow(Tag);

impl TrackedFlow {
    /// [`Flow::new_at`] in a constant.
    pub(super) const fn of<T>(born: Site) -> TrackedFlow {
        TrackedFlow(Tag::new(Identity::new(Kind::Channel, born, type_name::<T>)))
    }
}

impl Flow for TrackedFlow {
    fn new_at(born: Site, type_name: fn() -> &'static str) -> Self {
        TrackedFlow(Tag::new(Identity::new(Kind::Channel, born, type_name)))
    }

    #[inline]
    fn is_told(&self) -> bool {
        Tag::sees_all()
    }

    #[inline]
    fn posted(&self, units: u32, at: Site) {
        if Tag::sees_all() {
            self.0.posted(units, at);
        }
    }

    #[inline]
    fn pending(&self, timed: bool, at: Site) {
        self.0.pending(asks(timed), at);
    }

    #[inline]
    #[track_caller]
    fn pending_work(&self, timed: bool, at: Site) {
        self.0.pending_owed(asks(timed), at);
    }

    #[inline]
    fn begin_work(&self) -> bool {
        self.0.owes()
    }

    #[inline]
    fn end_work(&self) {
        Tag::gives();
    }

    /// A thread that holds nothing keeps nobody waiting by waiting here. Its unit is told as one that it could
    /// have gone without: where several threads take units, each would otherwise seem to need the very unit that it
    /// got in this run, and a run in which another was quicker would look like a deadlock.
    #[inline]
    fn obtained(&self, timed: bool, at: Site) {
        self.0.obtained(asks(timed || Tag::holds_nothing()), at);
    }

    /// Whoever judges the log sees how many threads put in and get.
    #[inline]
    fn obtained_in_order(&self, timed: bool, at: Site) {
        self.0.obtained(asks(timed), at);
    }

    #[inline]
    fn gave_up(&self) {
        self.0.gave_up();
    }

    #[inline]
    fn told(&self, at: Site) {
        if Tag::sees_all() {
            self.0.told(at);
        }
    }

    #[inline]
    fn found(&self, at: Site) {
        if Tag::sees_all() {
            self.0.found(at);
        }
    }
}

/// How a wait asks.
fn asks(timed: bool) -> Ask {
    if timed { Ask::Timed } else { Ask::Wait }
}

/// Work that a thread does for units of a flow; it is done when this is dropped, also by unwinding.
pub(super) struct Duty<'a, F: Flow>(Option<&'a F>);

impl<'a, F: Flow> Duty<'a, F> {
    #[inline]
    pub(super) fn begin(flow: &'a F) -> Duty<'a, F> {
        Duty(flow.begin_work().then_some(flow))
    }
}

impl<F: Flow> Drop for Duty<'_, F> {
    #[inline]
    fn drop(&mut self) {
        if let Some(flow) = self.0 {
            flow.end_work();
        }
    }
}

/// The [`Flow`] of [`Raw`]: nothing.
#[derive(Debug)]
pub struct NoFlow;

impl Flow for NoFlow {
    #[inline]
    fn new_at(_born: Site, _type_name: fn() -> &'static str) -> Self {
        NoFlow
    }

    #[inline]
    fn is_told(&self) -> bool {
        false
    }

    #[inline]
    fn posted(&self, _units: u32, _at: Site) {}

    #[inline]
    fn pending(&self, _timed: bool, _at: Site) {}

    #[inline]
    fn obtained(&self, _timed: bool, _at: Site) {}

    #[inline]
    fn gave_up(&self) {}
}
