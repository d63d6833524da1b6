//! Copies of a message for readers side by side. They are made before the lock of the row is taken.

use std::any::Any;
use std::iter::repeat_with;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a subscriber, or a copy, has panicked with.
pub(super) type Panic = Box<dyn Any + Send>;

/// Copies that could not be made.
pub(super) struct Missed {
    pub(super) count: usize,
    /// The first panic.
    pub(super) panic: Panic,
}

/// Makes so many copies of a message. A panic is that of one copy.
#[inline]
pub(super) fn make<T: Clone>(copies: &mut Vec<T>, count: usize, message: &T) -> Option<Missed> {
    let rest = AssertUnwindSafe(|| copies.extend(repeat_with(|| message.clone()).take(count)));
    let mut missed = None;
    if let Err(panic) = catch_unwind(rest) {
        have_missed(&mut missed, panic);
        for _ in copies.len() + 1..count {
            copies.extend(copy(message, &mut missed));
        }
    }
    missed
}

/// Makes a few copies of a message. There is none where making it has panicked.
#[inline]
pub(super) fn few<T: Clone, const N: usize>(
    message: &T,
    missed: &mut Option<Missed>,
) -> [Option<T>; N] {
    std::array::from_fn(|_| copy(message, missed))
}

/// A copy, if making it does not panic.
#[inline]
fn copy<T: Clone>(message: &T, missed: &mut Option<Missed>) -> Option<T> {
    let made = catch_unwind(AssertUnwindSafe(|| message.clone()));
    made.map_err(|panic| have_missed(missed, panic)).ok()
}

#[cold]
fn have_missed(missed: &mut Option<Missed>, panic: Panic) {
    missed.get_or_insert(Missed { count: 0, panic }).count += 1;
}
