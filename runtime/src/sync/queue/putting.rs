//! A put that may have to wait: [`Putting`].

/// A put between its attempts.
pub(in crate::sync) struct Putting<E> {
    /// The entry, while it is not in the queue.
    pub(in crate::sync) slot: Option<E>,
    pub(super) keeps: Keeps,
    /// The number under which it waits for room.
    pub(super) waits: Option<u64>,
    /// It waited, and was accepted.
    pub(super) was_admitted: bool,
}

impl<E> Putting<E> {
    /// Whether it waited, and was accepted.
    pub(in crate::sync) fn was_admitted(&self) -> bool {
        self.was_admitted
    }

    /// Whether it waits for room.
    pub(super) fn waits(&self) -> bool {
        self.waits.is_some()
    }

    pub(in crate::sync) fn new(entry: E) -> Putting<E> {
        Putting::of(Some(entry), Keeps::Nothing)
    }

    /// A put of a future.
    pub(super) fn of_future(entry: E) -> Putting<E> {
        Putting::of(Some(entry), Keeps::Entry)
    }

    pub(super) fn of(slot: Option<E>, keeps: Keeps) -> Putting<E> {
        Putting {
            slot,
            keeps,
            waits: None,
            was_admitted: false,
        }
    }
}

/// What a put keeps while it waits for room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeps {
    /// Nothing: whoever makes room takes its entry.
    Nothing,
    /// Its entry, as it may be dropped.
    Entry,
}

/// Gives a put its entry back, unless it has kept that.
pub(super) fn give_back<E>(entry: Option<E>, slot: &mut Option<E>) {
    if entry.is_some() {
        *slot = entry;
    }
}
