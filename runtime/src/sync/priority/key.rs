//! What can be a priority.

use std::cmp::Reverse;

/// A priority: a number that is asked for once, before the lock is taken.
///
/// That is why it is no `Ord`: comparing would run code of the program under the lock of the queue, where it
/// must not panic, block or use that queue.
///
/// ```
/// use lockwise::sync::{Priority, PriorityQueue};
///
/// #[derive(Clone, Copy)]
/// enum Urgency {
///     Low,
///     High,
/// }
///
/// impl Priority for Urgency {
///     fn key(&self) -> i128 {
///         *self as i128
///     }
/// }
///
/// let queue = PriorityQueue::new();
/// queue.put("tidy up", Urgency::Low).unwrap();
/// queue.put("put out the fire", Urgency::High).unwrap();
/// assert_eq!(queue.get(), Ok("put out the fire"));
/// ```
pub trait Priority: Copy {
    /// The higher, the sooner.
    fn key(&self) -> i128;
}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl Priority for $number {
            #[inline]
            fn key(&self) -> i128 {
                i128::from(*self)
            }
        }
    )*};
}
numbers!(i8 i16 i32 i64 i128 u8 u16 u32 u64 bool);

impl Priority for isize {
    fn key(&self) -> i128 {
        *self as i128
    }
}

impl Priority for usize {
    fn key(&self) -> i128 {
        *self as i128
    }
}

/// Lowest first. What would overflow counts as its neighbour.
impl<P: Priority> Priority for Reverse<P> {
    fn key(&self) -> i128 {
        self.0.key().checked_neg().unwrap_or(i128::MAX)
    }
}
