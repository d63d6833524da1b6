//! A raw lock that the watcher sees, for the traits of `lock_api` 0.5.
//!
//! As that for 0.4, but an acquisition has a value here, which the raw lock gives and takes back. It
//! is handed on as it is, so that whoever builds a guard by hand can go on to do so.
//!
//! What it cannot see: `bump` tells whether it had to wait to nobody, so a thread is known as waiting
//! in each, however short. Whether the value of an acquisition may be sent is known of the crate's
//! own two only; of all others it is assumed.

use std::any::type_name;

use crate::GuardNoSend;
use crate::tag::{Asked, Tag};
use crate::watch::hooks::{Ask, try_again};
use crate::watch::{Identity, Kind, Mode, Site};

/// Any raw lock, together with who it is.
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

    /// Who the lock is.
    #[inline]
    pub const fn identity(&self) -> Option<&Identity> {
        self.tag.identity()
    }

    /// The tag, which is told whether guards with a `G` inside may be sent to other threads.
    #[inline]
    pub(super) fn tag_for<G>(&self) -> &Tag {
        // Whether a type is `Send` cannot be asked of a type parameter; its name can.
        if type_name::<G>() != type_name::<GuardNoSend>() {
            self.tag.let_guards_be_sent();
        }
        &self.tag
    }

    /// Takes the lock, right after it was `asked` for: by `attempt`, else by `park`, which waits.
    #[inline]
    pub(super) fn acquire<G>(
        &self,
        asked: Asked,
        mode: Mode,
        at: Site,
        attempt: impl Fn(&R) -> Option<G>,
        park: impl FnOnce(&R) -> G,
    ) -> G {
        if let Some(guard) = attempt(&self.raw) {
            self.tag.acquired_at_once(asked, mode, at);
            guard
        } else {
            let guard = self.wait(mode, at, attempt, park);
            self.tag.acquired(mode, Ask::Wait, at);
            guard
        }
    }

    /// Takes the lock, which is not free now.
    #[cold]
    #[inline(never)]
    #[track_caller]
    fn wait<G>(
        &self,
        mode: Mode,
        at: Site,
        attempt: impl Fn(&R) -> Option<G>,
        park: impl FnOnce(&R) -> G,
    ) -> G {
        if let Some(guard) = try_again(|| attempt(&self.raw)) {
            return guard;
        }
        let mut got = None;
        if mode == Mode::Shared && only_writers_shut_out::<R>() {
            self.tag.blocked_reading(at, &mut || {
                got = attempt(&self.raw);
                got.is_some()
            });
        } else {
            self.tag.blocked(mode, Ask::Wait, at);
        }
        let guard = got.unwrap_or_else(|| park(&self.raw));
        Tag::unblocked();
        guard
    }

    /// Takes the lock if it is free.
    #[inline]
    pub(super) fn attempt<G>(
        &self,
        mode: Mode,
        at: Site,
        attempt: impl FnOnce(&R) -> Option<G>,
    ) -> Option<G> {
        let guard = attempt(&self.raw)?;
        self.tag_for::<G>().acquired(mode, Ask::Try, at);
        Some(guard)
    }

    /// Takes the lock if it is free, or becomes so while `wait` waits.
    #[inline]
    pub(super) fn attempt_timed<G>(
        &self,
        mode: Mode,
        at: Site,
        attempt: impl FnOnce(&R) -> Option<G>,
        wait: impl FnOnce(&R) -> Option<G>,
    ) -> Option<G> {
        let tag = self.tag_for::<G>();
        let guard = attempt(&self.raw).or_else(|| {
            tag.blocked(mode, Ask::Timed, at);
            let guard = wait(&self.raw);
            if guard.is_none() {
                tag.gave_up();
            }
            guard
        })?;
        tag.acquired(mode, Ask::Timed, at);
        Some(guard)
    }

    /// Takes the lock again for a guard that gave it back.
    ///
    /// The guard exists, so that such a request never panics.
    #[inline]
    pub(super) fn take_again<G>(
        &self,
        mode: Mode,
        at: Site,
        attempt: impl Fn(&R) -> Option<G>,
        park: impl FnOnce(&R) -> G,
    ) -> G {
        let asked = self.tag.request_for_guard(mode, at);
        self.acquire(asked, mode, at, attempt, park)
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

/// Whether an attempt to read such a lock fails only if a writer holds it or waits for it.
#[inline]
fn only_writers_shut_out<R>() -> bool {
    type_name::<R>() == "parking_lot::raw_rwlock::RawRwLock"
}

/// The identity of a lock of which nothing is known.
pub(super) const fn unknown() -> Identity {
    /// The protected type, which a raw lock does not know.
    fn no_type() -> &'static str {
        ""
    }
    Identity::new(Kind::Foreign, Site::NOWHERE, no_type)
}
