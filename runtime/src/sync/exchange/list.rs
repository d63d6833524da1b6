//! Who has subscribed: [`List`].

use std::collections::BTreeSet;
use std::sync::Arc;

use super::row::{Row, Seats, Set};
use super::subscriber::{Subscriber, SubscriptionId};
use crate::sync::backend::Backend;
use crate::watch::Site;

/// The subscribers at one moment; another list when they have changed.
pub(super) type Snapshot<T, B> = Arc<List<T, B>>;

/// Subscribers, in the order in which they came, which is that of their numbers.
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
        self.row.strike(&[self.id], self.row.born());
    }
}

/// Changes of the list that nobody has looked at yet. A list is copied for the next message, or when most of it is gone;
/// so many subscribers come and go for what it costs to copy it a few times.
pub(super) struct Changes<T: Send, B: Backend> {
    /// By number.
    come: Vec<Arc<Subscriber<T, B>>>,
    /// Of those in the list, and of those that have come.
    gone: BTreeSet<SubscriptionId>,
}

/// What is not needed any more, to be dropped when the lock is given back.
type Replaced<T, B> = (Option<Snapshot<T, B>>, Changes<T, B>);

impl<T: Send, B: Backend> Changes<T, B> {
    pub(super) const fn new() -> Changes<T, B> {
        Changes {
            come: Vec::new(),
            gone: BTreeSet::new(),
        }
    }

    fn is_empty(&self) -> bool {
        self.come.is_empty() && self.gone.is_empty()
    }
}

/// The one of this number, in a list by number.
fn find<T: Send, B: Backend>(
    all: &[Arc<Subscriber<T, B>>],
    id: SubscriptionId,
) -> Option<&Arc<Subscriber<T, B>>> {
    let place = all.binary_search_by_key(&id, |one| one.id);
    place.ok().map(|place| &all[place])
}

impl<T: Send, B: Backend> Seats<T, B> {
    /// How many are in the list, with all changes.
    pub(super) fn subscribers(&self) -> usize {
        let before = self.list.as_ref().map_or(0, |list| list.all().len());
        before + self.changes.come.len() - self.changes.gone.len()
    }

    /// The subscriber of this number, if it has not gone.
    fn subscriber(&self, id: SubscriptionId) -> Option<&Arc<Subscriber<T, B>>> {
        if self.changes.gone.contains(&id) {
            return None;
        }
        let list = self.list.as_ref().and_then(|list| find(list.all(), id));
        list.or_else(|| find(&self.changes.come, id))
    }
}

/// The list of a first row.
impl<T: Send, B: Backend> Row<T, B> {
    /// The list, with all changes.
    pub(super) fn snapshot(self: &Arc<Self>, at: Site) -> Option<Snapshot<T, B>> {
        let mut seats = self.lock(at);
        let replaced = self.make_changes(&mut seats);
        let list = seats.list.clone();
        drop(seats);
        drop(replaced);
        list
    }

    /// Puts a subscriber into the list.
    pub(super) fn enter(self: &Arc<Self>, subscriber: Arc<Subscriber<T, B>>, at: Site) {
        let mut seats = self.lock(at);
        let come = &mut seats.changes.come;
        // Others may have come between its number and this.
        let place = come.partition_point(|one| one.id < subscriber.id);
        come.insert(place, subscriber);
        self.say_that_others_may_be_there(&mut seats);
    }

    /// Takes subscribers off the list, those of them that are there. A sink is gone from it at once, as it may have
    /// something of the program.
    fn strike(self: &Arc<Self>, ids: &[SubscriptionId], at: Site) -> Vec<Arc<Subscriber<T, B>>> {
        let mut struck = Vec::new();
        let mut seats = self.lock(at);
        for id in ids {
            if let Some(found) = seats.subscriber(*id) {
                struck.push(Arc::clone(found));
                seats.changes.gone.insert(*id);
            }
        }
        let mut replaced = None;
        if !struck.is_empty() {
            self.say_that_others_may_be_there(&mut seats);
            let most_are_gone = seats.changes.gone.len() >= seats.subscribers();
            if most_are_gone || struck.iter().any(|one| one.seat().is_none()) {
                replaced = self.make_changes(&mut seats);
            }
        }
        drop(seats);
        drop(replaced);
        struck
    }

    /// Copies the list, with its changes, if there are any.
    fn make_changes(self: &Arc<Self>, seats: &mut Seats<T, B>) -> Option<Replaced<T, B>> {
        if seats.changes.is_empty() {
            return None;
        }
        let changes = std::mem::replace(&mut seats.changes, Changes::new());
        let before = seats.list.take();
        let listed = before.as_ref().map_or(&[][..], |list| list.all());
        let all = listed.iter().chain(&changes.come);
        let all = all.filter(|one| !changes.gone.contains(&one.id));
        let mut all: Vec<_> = all.map(Arc::clone).collect();
        all.sort_by_key(|one| one.id);
        let list = List::new(all);
        self.set_alone(seats, list.alone_in(self).unwrap_or(0));
        seats.list = Some(Arc::new(list));
        Some((before, changes))
    }

    /// Takes subscribers off the list; no more deliveries to them begin.
    pub(super) fn take_out(
        self: &Arc<Self>,
        ids: &[SubscriptionId],
        at: Site,
    ) -> Vec<Arc<Subscriber<T, B>>> {
        let struck = self.strike(ids, at);
        for one in &struck {
            one.leave();
        }
        struck
    }
}

#[cfg(test)]
mod tests;
