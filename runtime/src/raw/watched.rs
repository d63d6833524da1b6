//! A raw lock that the watcher sees.
//!
//! The protocol of each kind of operation stands here once; the trait impls in `mutex` and `rwlock`
//! say only which mode it is about and which operation of the raw lock to call. A blocking
//! operation first tries, so that the watcher hears of a wait only if there is one.
//!
//! What it cannot see: `bump` tells whether it had to wait to nobody, so a thread is known as waiting
//! in each, however short. A guard's `unlocked` loses the caller on its way through a closure; the
//! site of that acquisition lies inside `lock_api`.

use std::any::type_name;

use crate::tag::{Asked, Tag};
use crate::watch::hooks::{Ask, try_again};
use crate::watch::{Identity, Kind, Mode, Site};

/// Any raw lock of `lock_api`, together with who it is.
///
/// Wrap a foreign raw lock to have it watched like our own:
///
/// ```
/// use lockwise::{Watched, lock_api};
///
/// type Mutex<T> = lock_api::Mutex<Watched<parking_lot::RawFairMutex>, T>;
///
/// static JOBS: Mutex<Vec<u32>> = Mutex::new(Vec::new());
/// JOBS.lock().push(7);
/// ```
///
/// A lock made like that has no creation site, as `lock_api` does not hand one on: it is judged as
/// an instance, not as a member of a class. [`Watched::from_raw`] gives it an identity of its own:
///
/// ```
/// use lockwise::watch::{Identity, Kind, Site};
/// use lockwise::{Watched, lock_api};
///
/// type Raw = parking_lot::RawFairMutex;
///
/// static JOBS: lock_api::Mutex<Watched<Raw>, Vec<u32>> = lock_api::Mutex::from_raw(
///     Watched::from_raw(
///         <Raw as lock_api::RawMutex>::INIT,
///         Identity::new(Kind::Foreign, Site::caller(), std::any::type_name::<Vec<u32>>)
///             .named("jobs"),
///     ),
///     Vec::new(),
/// );
/// JOBS.lock().push(7);
/// ```
///
/// To take a lock through the traits of `lock_api` must not panic, so a finding about such a lock is
/// reported and the program goes on, also if it chose to panic.
#[derive(Debug)]
// The state of the lock stands beside what each acquisition reads of its tag, in one cache line mostly.
#[repr(C)]
pub struct Watched<R> {
    pub(super) raw: R,
    pub(crate) tag: Tag,
}

impl<R> Watched<R> {
    /// Watches `raw`, which nobody holds yet, under this identity.
    #[inline]
    pub const fn from_raw(raw: R, identity: Identity) -> Self {
        Watched {
            tag: Tag::new(identity),
            raw,
        }
    }

    /// Who the lock is; nobody, if checks are off.
    #[inline]
    pub const fn identity(&self) -> Option<&Identity> {
        self.tag.identity()
    }

    /// The tag, which is told whether guards with the marker `M` may be sent to other threads.
    #[inline]
    pub(super) fn tag_for<M>(&self) -> &Tag {
        if may_be_sent::<M>() {
            self.tag.let_guards_be_sent();
        }
        &self.tag
    }

    /// Takes the lock, right after it was `asked` for: by `attempt`, else by `park`, which waits.
    #[inline]
    #[track_caller]
    pub(super) fn acquire(
        &self,
        asked: Asked,
        mode: Mode,
        at: Site,
        attempt: impl Fn(&R) -> bool,
        park: impl FnOnce(&R),
    ) {
        if attempt(&self.raw) {
            self.tag.acquired_at_once(asked, mode, at);
        } else {
            self.wait(mode, at, attempt, park);
            self.tag.acquired(mode, Ask::Wait, at);
        }
    }

    /// Takes the lock, which is not free now.
    #[cold]
    #[inline(never)]
    #[track_caller]
    pub(super) fn wait(
        &self,
        mode: Mode,
        at: Site,
        attempt: impl Fn(&R) -> bool,
        park: impl FnOnce(&R),
    ) {
        if try_again(|| attempt(&self.raw).then_some(())).is_some() {
            return;
        }
        if mode == Mode::Shared && only_writers_shut_out::<R>() {
            if !self.tag.blocked_reading(at, &mut || attempt(&self.raw)) {
                park(&self.raw);
            }
            Tag::unblocked();
        } else {
            self.park(mode, at, park);
        }
    }

    /// Waits for the lock, which is not free, by `park`.
    #[cold]
    #[inline(never)]
    #[track_caller]
    pub(super) fn park(&self, mode: Mode, at: Site, park: impl FnOnce(&R)) {
        self.tag.blocked(mode, Ask::Wait, at);
        park(&self.raw);
        Tag::unblocked();
    }

    /// Takes the lock if it is free.
    #[inline]
    pub(super) fn attempt<M>(
        &self,
        mode: Mode,
        at: Site,
        attempt: impl FnOnce(&R) -> bool,
    ) -> bool {
        let got = attempt(&self.raw);
        if got {
            self.tag_for::<M>().acquired(mode, Ask::Try, at);
        }
        got
    }

    /// Takes the lock if it is free, or becomes so while `wait` waits.
    #[inline]
    pub(super) fn attempt_timed<M>(
        &self,
        mode: Mode,
        at: Site,
        attempt: impl FnOnce(&R) -> bool,
        wait: impl FnOnce(&R) -> bool,
    ) -> bool {
        let tag = self.tag_for::<M>();
        if !attempt(&self.raw) {
            tag.blocked(mode, Ask::Timed, at);
            if !wait(&self.raw) {
                tag.gave_up();
                return false;
            }
        }
        tag.acquired(mode, Ask::Timed, at);
        true
    }

    /// Lets others have the lock for a moment and takes it again, by `bump`.
    ///
    /// For the watcher that is a release and a request, which is judged anew.
    #[inline]
    pub(super) fn bump_by(&self, mode: Mode, at: Site, bump: impl FnOnce(&R)) {
        self.tag.released(mode);
        let _ = self.tag.request_for_guard(mode, at);
        self.tag.letting_others_in(mode, at);
        bump(&self.raw);
        Tag::unblocked();
        self.tag.acquired(mode, Ask::Wait, at);
    }
}

/// Whether a guard with this marker may be sent to another thread: any but the one that says no.
///
/// Whether a type is `Send` cannot be asked of a type parameter; its name can.
#[inline]
fn may_be_sent<M>() -> bool {
    type_name::<M>() != type_name::<lock_api::GuardNoSend>()
}

/// The mode of a plain read of a raw lock. Where readers pass waiting writers each read is a recursive
/// one. Of a raw lock that nobody has looked into, the opposite is assumed.
#[inline]
pub(super) fn shared<R>() -> Mode {
    /// Raw locks of others whose readers pass waiting writers, by how their names begin.
    const PASSING: [&str; 2] = ["dashmap::lock::RawRwLock", "spin::rwlock::RwLock<"];
    if PASSING
        .iter()
        .any(|passing| type_name::<R>().starts_with(passing))
    {
        Mode::RecursiveShared
    } else {
        Mode::Shared
    }
}

/// Whether an attempt to read such a lock fails only if a writer holds it or waits for it.
#[inline]
fn only_writers_shut_out<R>() -> bool {
    type_name::<R>() == "parking_lot::raw_rwlock::RawRwLock"
}

/// The mode in which a mutex is taken: its tag knows, but of raw locks of ours the type does.
#[inline]
pub(super) fn mutex_mode<R>(tag: &Tag) -> Mode {
    /// The raw lock of [`crate::Mutex`], around which nobody but it is made.
    const NEVER_REENTRANT: &str = "lockwise::raw::waitable::Waitable";
    if type_name::<R>() == NEVER_REENTRANT {
        Mode::Exclusive
    } else {
        tag.mutex_mode()
    }
}

/// The identity of a lock of which nothing is known.
pub(super) const fn unknown() -> Identity {
    /// The protected type, which a raw lock does not know.
    fn no_type() -> &'static str {
        ""
    }
    Identity::new(Kind::Foreign, Site::NOWHERE, no_type)
}
