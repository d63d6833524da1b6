//! Copies of a message for readers side by side. They are made before the lock of the row is taken.

use std::any::Any;
use std::cell::Cell;
use std::iter::repeat_with;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::row::{Set, has};

/// Room for so many copies is made at once.
pub(super) const FEW: usize = 8;

/// A copy for each seat of a row, by its number. There is none where nobody gets one, where making it has panicked,
/// and where it was taken out.
pub(super) type Copies<T> = [Option<T>];

/// What a subscriber, or a copy, has panicked with.
pub(super) type Panic = Box<dyn Any + Send>;

/// Copies that could not be made.
pub(super) struct Missed {
    pub(super) count: usize,
    /// The first panic.
    pub(super) panic: Panic,
}

/// Makes copies for these readers, where there are none yet. A panic is that of one copy.
#[expect(
    clippy::inline_always,
    reason = "called out of line it costs as much as a few copies"
)]
#[inline(always)]
pub(super) fn fill<T: Clone>(copies: &mut Copies<T>, readers: Set, message: &T) -> Option<Missed> {
    let (mut next, mut missed) = (0, None);
    while next < copies.len() {
        let rest = AssertUnwindSafe(|| {
            for copy in &mut copies[next..] {
                let number = next;
                next += 1;
                if has(readers, number) {
                    *copy = Some(message.clone());
                }
            }
        });
        if let Err(panic) = catch_unwind(rest) {
            missed.get_or_insert(Missed { count: 0, panic }).count += 1;
        }
    }
    missed
}

/// Adds so many copies of a message. A panic is that of one copy.
#[inline]
pub(super) fn make<T: Clone>(copies: &mut Vec<T>, count: usize, message: &T) -> Option<Missed> {
    let (mut rest, mut missed) = (count, None);
    while rest > 0 {
        let before = copies.len();
        let made = AssertUnwindSafe(|| copies.extend(repeat_with(|| message.clone()).take(rest)));
        let made = catch_unwind(made);
        rest -= copies.len() - before;
        if let Err(panic) = made {
            rest -= 1;
            missed.get_or_insert(Missed { count: 0, panic }).count += 1;
        }
    }
    missed
}

thread_local! {
    /// Memory that copies of the last message to many readers did not need any more: a vector of what they were.
    static ROOM: Cell<Option<Box<dyn Any>>> = const { Cell::new(None) };
}

/// An empty vector with room for so many copies, if possible the one that this thread has [kept](keep_room): to fetch
/// and give back other memory costs as much as a few copies.
#[inline]
#[expect(
    clippy::box_collection,
    clippy::unnecessary_box_returns,
    reason = "the box is what is kept"
)]
pub(super) fn room_of_before<T: 'static>(count: usize) -> Box<Vec<T>> {
    // Locals of a thread that ends may be gone.
    let kept = ROOM.try_with(Cell::take).ok().flatten();
    let mut room: Box<Vec<T>> = match kept.map(<Box<dyn Any>>::downcast) {
        Some(Ok(room)) => room,
        _ => Box::default(),
    };
    room.reserve(count);
    room
}

/// Keeps memory for the copies of the next message.
#[inline]
#[expect(clippy::box_collection, reason = "the box is what is kept")]
pub(super) fn keep_room<T: 'static>(room: Box<Vec<T>>) {
    debug_assert!(room.is_empty(), "all who were to take copies have");
    let _ = ROOM.try_with(|kept| kept.set(Some(room)));
}

/// A copy for each of these readers, as long as there are any.
pub(super) fn one_for_each<T>(readers: Set, copies: Vec<T>) -> Vec<Option<T>> {
    let mut copies = copies.into_iter();
    let seats = Set::BITS - readers.leading_zeros();
    let copy = |seat| has(readers, seat).then(|| copies.next()).flatten();
    (0..seats as usize).map(copy).collect()
}
