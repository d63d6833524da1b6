//! Who has subscribed: [`List`].

use std::sync::Arc;

use super::row::{Row, Set};
use super::subscriber::{Subscriber, SubscriptionId};
use crate::sync::backend::Backend;
use crate::watch::Site;

/// The subscribers at one moment; another list for each change.
pub(super) type Snapshot<T, B> = Arc<List<T, B>>;

/// Subscribers, in the order in which they came.
pub(super) struct List<T: Send, B: Backend> {
    all: Vec<Arc<Subscriber<T, B>>>,
    groups: Vec<Group>,
}

/// Subscribers that stand one behind the other.
#[derive(Debug, Clone, Copy)]
struct Group {
    /// How many there are.
    len: usize,
    /// Their seats, if they are readers of one row.
    seats: Set,
}

impl<T: Send, B: Backend> List<T, B> {
    pub(super) fn new(all: Vec<Arc<Subscriber<T, B>>>) -> List<T, B> {
        let groups = all.chunk_by(|one, next| one.sits_beside(next));
        let groups = groups.map(|group| Group {
            len: group.len(),
            seats: group.iter().filter_map(|one| one.seat()).sum(),
        });
        let groups = groups.collect();
        List { all, groups }
    }

    pub(super) fn all(&self) -> &[Arc<Subscriber<T, B>>] {
        &self.all
    }

    /// Those who stand one behind the other and are readers of one row, with their seats, and all others apart,
    /// without.
    pub(super) fn groups(&self) -> impl Iterator<Item = (&[Arc<Subscriber<T, B>>], Set)> {
        let mut rest = &self.all[..];
        self.groups.iter().map(move |group| {
            let (these, behind) = rest.split_at(group.len);
            rest = behind;
            (these, group.seats)
        })
    }

    /// The seats of all, if all are readers of this row.
    pub(super) fn alone_in(&self, row: &Arc<Row<T, B>>) -> Option<Set> {
        let [Group { seats, .. }] = self.groups[..] else {
            return None;
        };
        self.all.first()?.seat_within(row).map(|_| seats)
    }
}

/// A place in the list of a first row, until this is dropped.
pub(super) struct Listed<T: Send, B: Backend> {
    row: Arc<Row<T, B>>,
    id: SubscriptionId,
}

impl<T: Send, B: Backend> Listed<T, B> {
    pub(super) fn new(row: Arc<Row<T, B>>, id: SubscriptionId) -> Listed<T, B> {
        Listed { row, id }
    }
}

impl<T: Send, B: Backend> Drop for Listed<T, B> {
    /// The subscriber does not [leave](Subscriber::leave): a message that is under way finds it closed, and counts it.
    fn drop(&mut self) {
        let (id, at) = (self.id, self.row.born());
        let list = self.row.snapshot(at);
        if list.is_some_and(|list| list.all().iter().any(|subscriber| subscriber.id == id)) {
            self.row
                .change(at, |list| list.retain(|subscriber| subscriber.id != id));
        }
    }
}

/// The list of a first row.
impl<T: Send, B: Backend> Row<T, B> {
    pub(super) fn snapshot(&self, at: Site) -> Option<Snapshot<T, B>> {
        self.lock(at).list.clone()
    }

    /// Replaces the list by a changed one. It is copied, and what it was dropped, outside the lock, unless
    /// others change it meanwhile.
    pub(super) fn change(
        self: &Arc<Self>,
        at: Site,
        change: impl Fn(&mut Vec<Arc<Subscriber<T, B>>>),
    ) {
        loop {
            let old = self.snapshot(at);
            let mut all = old.as_ref().map_or_else(Vec::new, |old| old.all().to_vec());
            change(&mut all);
            let list = List::new(all);
            let alone = list.alone_in(self).unwrap_or(0);
            let new = Some(Arc::new(list));
            let mut now = self.lock(at);
            let unchanged = match (&now.list, &old) {
                (None, None) => true,
                (Some(now), Some(old)) => Arc::ptr_eq(now, old),
                _ => false,
            };
            if unchanged {
                let replaced = std::mem::replace(&mut now.list, new);
                self.set_alone(&mut now, alone);
                drop(now);
                drop(replaced);
                return;
            }
            drop(now);
        }
    }

    /// Takes a subscriber off the list; no more deliveries to it begin.
    pub(super) fn take_out(
        self: &Arc<Self>,
        id: SubscriptionId,
        at: Site,
    ) -> Option<Arc<Subscriber<T, B>>> {
        let list = self.snapshot(at)?;
        let found = list.all().iter().find(|subscriber| subscriber.id == id)?;
        // Of several who take it out at the same time one did.
        let mine = found.leave();
        self.change(at, |list| list.retain(|subscriber| subscriber.id != id));
        mine.then(|| Arc::clone(found))
    }
}
