//! Who a lock is, for those that sort locks.

use std::cmp::Ordering;
use std::ptr;

use super::ascend::LOCKS_MAX;
use crate::watch::hooks::{self, Ask};
use crate::watch::{Finding, Identity, Mode, Note, Site};

/// A lock, and how it is to be taken.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Who it is; nobody, if checks are off. All locks of a program have one, or none has.
    identity: Option<&'a Identity>,
    /// Where it is, which orders locks that are nobody. A lock may begin with one that it protects,
    /// so the size is needed too.
    extent: (usize, usize),
    mode: Mode,
}

impl<'a> Subject<'a> {
    /// `lock`, to be taken in `mode`.
    #[inline]
    pub(super) fn new<L: ?Sized>(
        lock: &'a L,
        identity: Option<&'a Identity>,
        mode: Mode,
    ) -> Subject<'a> {
        Subject {
            identity,
            extent: (ptr::from_ref(lock).addr(), size_of_val(lock)),
            mode,
        }
    }

    /// Compares two locks by their place in the one order; equal if they are the same lock.
    pub(super) fn order(&self, other: &Subject<'_>) -> Ordering {
        let place = |subject: &Subject<'_>| subject.identity.map(Identity::place);
        let by_place = place(self).cmp(&place(other));
        by_place.then_with(|| self.extent.cmp(&other.extent))
    }
}

/// Whether locks in ascending order may be taken after those that this thread holds.
///
/// # Errors
///
/// The violation. There is none where locks are nobody.
pub(super) fn may_follow<'a>(
    ascending: impl Iterator<Item = (Subject<'a>, &'static Note)>,
    ask: Ask,
) -> Result<(), Box<Finding>> {
    let mut known = ascending.filter_map(|(subject, note)| {
        Some(hooks::Wanted {
            lock: subject.identity?,
            mode: subject.mode,
            at: Site::Noted(note),
        })
    });
    let Some(least) = known.next() else {
        return Ok(());
    };
    let mut list = [least; LOCKS_MAX];
    let mut len = 1;
    for (entry, wanted) in list[1..].iter_mut().zip(known) {
        *entry = wanted;
        len += 1;
    }
    hooks::check_ascending(&list[..len], ask)
}
