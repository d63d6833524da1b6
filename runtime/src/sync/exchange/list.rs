//! Who has subscribed: [`List`].

use std::sync::Arc;

use super::row::{Row, Set};
use super::subscriber::Subscriber;
use crate::sync::backend::Backend;

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
