//! Checks on: a tag is an identity, and its calls go to the hooks.

use super::{GUARDS_ASK_APART, Wake, carried};
use crate::watch::hooks::{self, Ask};
use crate::watch::{Identity, Kind, Mode, Site};

pub(crate) use crate::watch::hooks::Asked;

/// Who a watched object is.
#[derive(Debug)]
pub(crate) struct Tag(Identity);

/// Runs `path` with the site at hand for the raw lock at its end.
#[inline]
pub(crate) fn carrying<T>(at: Site, path: impl FnOnce() -> T) -> T {
    carried::carrying(at, path)
}

/// The site of a raw operation: the carried one, else the caller of the raw lock.
#[inline]
pub(crate) fn effective(caller: Site) -> Site {
    carried::take().unwrap_or(caller)
}

impl Tag {
    /// The tag of an object with this identity.
    #[inline]
    pub(crate) const fn new(identity: Identity) -> Tag {
        Tag(identity)
    }

    /// The identity; there is always one while checks are on.
    #[inline]
    #[expect(clippy::unnecessary_wraps, reason = "the twin has none")]
    pub(crate) const fn identity(&self) -> Option<&Identity> {
        Some(&self.0)
    }

    /// The mode in which a mutex with this tag is taken.
    #[inline]
    pub(crate) fn mutex_mode(&self) -> Mode {
        match self.0.kind() {
            Kind::ReentrantMutex => Mode::Reentrant,
            _ => Mode::Exclusive,
        }
    }

    /// Says that guards of this lock may be sent to other threads.
    #[inline]
    pub(crate) fn let_guards_be_sent(&self) {
        self.0.let_guards_be_sent();
    }

    /// Judges a request before the thread may block.
    #[inline]
    #[track_caller]
    pub(crate) fn request(&self, mode: Mode, at: Site) -> Asked {
        hooks::request(&self.0, mode, Ask::Wait, at)
    }

    /// Judges the upgrade of a lock that the thread holds upgradably, before it may block.
    #[inline]
    #[track_caller]
    pub(crate) fn upgrading(&self, at: Site) {
        hooks::upgrading(&self.0, at);
    }

    /// Judges a request on behalf of a guard that exists already, and so never panics.
    ///
    /// `MutexGuard::unlocked` and `bump` give the lock back and take it again, and whatever happens
    /// the guard will release it in the end: a panic would make it release what is not held. Such a
    /// request is reported, and then goes on to block.
    #[inline]
    pub(crate) fn request_for_guard(&self, mode: Mode, at: Site) -> Asked {
        hooks::request_quietly(&self.0, mode, Ask::Wait, at)
    }

    /// Judges a request that came through a trait of `lock_api`, and returns that with its site.
    ///
    /// A site that is carried comes from our own lock types, where no guard exists yet. Without one
    /// the caller may be `MutexGuard::unlocked`, unless [`GUARDS_ASK_APART`].
    #[inline]
    #[track_caller]
    pub(crate) fn request_through_trait(&self, mode: Mode, caller: Site) -> (Asked, Site) {
        let carried = carried::take();
        let at = carried.unwrap_or(caller);
        let asked = if GUARDS_ASK_APART || carried.is_some() {
            self.request(mode, at)
        } else {
            self.request_for_guard(mode, at)
        };
        (asked, at)
    }

    /// The same, where unwinding would lose a guard.
    #[inline]
    #[allow(dead_code, reason = "the overlay of lock_api 0.5 has such a place")]
    pub(crate) fn blocked_quietly(&self, mode: Mode, ask: Ask, at: Site) {
        hooks::blocked_quietly(&self.0, mode, ask, at);
    }

    /// The thread is about to wait until another has initialised this object.
    #[inline]
    #[allow(dead_code, reason = "an overlay has its own way to such objects")]
    pub(crate) fn blocked_outside(&self, at: Site) {
        hooks::blocked_outside(&self.0, at);
    }

    /// The thread has what it waited for.
    #[inline]
    pub(crate) fn unblocked() {
        hooks::unblocked();
    }

    /// The lock was not free: the thread is about to park. May panic, as [`hooks::blocked`].
    #[inline]
    #[track_caller]
    pub(crate) fn blocked(&self, mode: Mode, ask: Ask, at: Site) {
        hooks::blocked(&self.0, mode, ask, at);
    }

    /// The same for a thread that asks to read; as [`hooks::blocked_reading`].
    #[inline]
    #[track_caller]
    pub(crate) fn blocked_reading(&self, at: Site, again: &mut dyn FnMut() -> bool) -> bool {
        hooks::blocked_reading(&self.0, at, again)
    }

    /// The thread lets others have the lock, and waits until it has it again.
    #[inline]
    pub(crate) fn letting_others_in(&self, mode: Mode, at: Site) {
        hooks::letting_others_in(&self.0, mode, at);
    }

    /// The thread does not wait any more, and did not get what it waited for.
    #[inline]
    pub(crate) fn gave_up(&self) {
        hooks::gave_up(&self.0);
    }

    /// The thread got the lock.
    #[inline]
    pub(crate) fn acquired(&self, mode: Mode, ask: Ask, at: Site) {
        hooks::acquired(&self.0, mode, ask, at);
    }

    /// The thread got the lock, which it had asked for, without waiting. Called inside the critical section.
    #[inline]
    pub(crate) fn acquired_at_once(&self, asked: Asked, mode: Mode, at: Site) {
        hooks::acquired_at_once(asked, &self.0, mode, at);
    }

    /// The thread is about to give the lock back.
    #[inline]
    pub(crate) fn released(&self, mode: Mode) {
        hooks::released(&self.0, mode);
    }

    /// The thread holds the lock in another mode now.
    #[inline]
    pub(crate) fn changed_mode(&self, from: Mode, to: Mode, at: Site) {
        hooks::changed_mode(&self.0, from, to, at);
    }

    /// The thread is about to give `lock` back and to wait for this condition variable.
    #[inline]
    #[track_caller]
    pub(crate) fn waiting(&self, lock: &Tag, ask: Ask, at: Site) {
        hooks::waiting(&self.0, &lock.0, Mode::Exclusive, ask, at);
    }

    /// The wait is over and the thread holds `lock` again.
    #[inline]
    pub(crate) fn woken(&self, lock: &Tag, at: Site) {
        hooks::woken(&self.0, &lock.0, Mode::Exclusive, at);
    }

    /// The thread wakes one waiter, or all.
    #[inline]
    pub(crate) fn notified(&self, who: Wake, at: Site) {
        hooks::notified(&self.0, matches!(who, Wake::All), at);
    }

    /// The thread has arrived at this barrier.
    #[inline]
    pub(crate) fn arrived(&self, parties: &Parties, at: Site) {
        hooks::arrived(&self.0, parties.0, at);
    }

    /// All parties have arrived, and the thread goes on.
    #[inline]
    pub(crate) fn passed(&self) {
        hooks::passed(&self.0);
    }

    /// The thread is about to wait for a unit of this semaphore.
    #[inline]
    pub(crate) fn pending(&self, ask: Ask, at: Site) {
        hooks::pending(&self.0, ask, at);
    }

    /// The thread is about to wait until one of several objects is ready.
    #[allow(dead_code, reason = "an overlay has no pollers of ours")]
    pub(crate) fn pending_any(at: Site) {
        hooks::pending_any(at);
    }

    /// It does not any more.
    #[allow(dead_code, reason = "as above")]
    pub(crate) fn waits_no_more() {
        hooks::waits_no_more();
    }

    /// The thread begins to work for what it alone can give. False if nobody watches.
    #[inline]
    #[allow(dead_code, reason = "an overlay has no results of ours")]
    pub(crate) fn owes(&self) -> bool {
        hooks::owes(&self.0)
    }

    /// That work is done.
    #[inline]
    #[allow(dead_code, reason = "as above")]
    pub(crate) fn gives() {
        hooks::gives();
    }

    /// The thread is about to wait for what somebody may owe.
    #[inline]
    #[track_caller]
    #[allow(dead_code, reason = "as above")]
    pub(crate) fn pending_owed(&self, ask: Ask, at: Site) {
        hooks::pending_owed(&self.0, ask, at);
    }

    /// The thread parks for what it said it waits for.
    #[inline]
    #[track_caller]
    #[allow(dead_code, reason = "as above")]
    pub(crate) fn parks() {
        hooks::parks();
    }

    /// It does not park any more.
    #[inline]
    #[allow(dead_code, reason = "as above")]
    pub(crate) fn unparks() {
        hooks::unparks();
    }

    /// The thread has taken a unit of this semaphore.
    #[inline]
    pub(crate) fn obtained(&self, ask: Ask, at: Site) {
        hooks::obtained(&self.0, 1, ask, at);
    }

    /// Whether all events are recorded, also of locks that close no circle.
    #[inline]
    #[allow(dead_code, reason = "an overlay has no primitives of ours")]
    pub(crate) fn sees_all() -> bool {
        hooks::sees_all()
    }

    /// Whether the thread holds no lock.
    #[inline]
    #[allow(dead_code, reason = "an overlay has no channels of ours")]
    pub(crate) fn holds_nothing() -> bool {
        hooks::held_count() == 0
    }

    /// The thread is about to put units into this semaphore.
    #[inline]
    pub(crate) fn posted(&self, units: u32, at: Site) {
        hooks::posted(&self.0, units, at);
    }

    /// What is looked for here is there from now on.
    #[inline]
    pub(crate) fn told(&self, at: Site) {
        hooks::told(&self.0, at);
    }

    /// The thread has found here what it looked for.
    #[inline]
    pub(crate) fn found(&self, at: Site) {
        hooks::found(&self.0, at);
    }
}

/// How many threads a barrier waits for.
#[derive(Debug)]
pub(crate) struct Parties(u32);

impl Parties {
    /// `count` threads, for which more than four billion stand as that many.
    #[expect(clippy::cast_possible_truncation, reason = "compared before")]
    pub(crate) const fn new(count: usize) -> Parties {
        if count > u32::MAX as usize {
            Parties(u32::MAX)
        } else {
            Parties(count as u32)
        }
    }
}
