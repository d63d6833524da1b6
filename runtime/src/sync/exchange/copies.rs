//! Copies of a message for readers side by side. They are made before the lock of the row is taken.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::row::{Set, has};

/// Room for so many copies is made at once.
pub(super) const FEW: usize = 8;

/// Copies that take more bytes than this have no room on the stack, if they are many.
const SMALL: usize = 32;

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

/// Room for a copy for each of more than a few seats, up to the last one.
pub(super) fn with_room<T, R>(last: usize, used: impl FnOnce(&mut Copies<T>) -> R) -> R {
    match last {
        _ if size_of::<T>() > SMALL => {
            let mut room = Vec::new();
            room.resize_with(last + 1, || None);
            used(&mut room)
        }
        ..FEW => used(&mut [const { None }; FEW]),
        FEW..16 => used(&mut [const { None }; 16]),
        16..32 => used(&mut [const { None }; 32]),
        _ => used(&mut [const { None }; 64]),
    }
}

/// Makes copies for these readers, where there are none yet. A panic is that of one copy.
#[expect(
    clippy::inline_always,
    reason = "called out of line it costs as much as a few copies"
)]
#[inline(always)]
pub(super) fn fill<T: Clone>(copies: &mut Copies<T>, readers: Set, message: &T) -> Option<Missed> {
    let (mut next, mut missed) = (0, None);
    // Where all get one there is nothing to ask for each; a few are asked all at once.
    let many = (readers.trailing_ones() as usize).min(copies.len());
    let many = if many > FEW { many } else { 0 };
    while next < copies.len() {
        let rest = AssertUnwindSafe(|| {
            for copy in copies.get_mut(next..many).unwrap_or_default() {
                *copy = Some(message.clone());
            }
            next = next.max(many);
            for copy in &mut copies[next..] {
                let number = next;
                next += 1;
                if has(readers, number) {
                    *copy = Some(message.clone());
                }
            }
        });
        if let Err(panic) = catch_unwind(rest) {
            if next < many {
                // They are not counted as they are made, which costs a tenth of all: the first that is not there is
                // the one that could not be made.
                let made = copies[next..many].iter().take_while(|copy| copy.is_some());
                next += made.count() + 1;
            }
            missed.get_or_insert(Missed { count: 0, panic }).count += 1;
        }
    }
    missed
}
