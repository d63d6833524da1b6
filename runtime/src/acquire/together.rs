//! Tuples of wanted locks, up to twelve.

use super::ascend::{Slot, Step, TryAcquireError, ascend};
use super::lock::{Acquire, Patience};
use super::want::Wanted;

/// Several wanted locks: a tuple of [`Wanted`].
pub trait Together {
    /// The guards, in the order of the tuple.
    type Guards;

    /// Takes all in ascending order, or none.
    ///
    /// # Errors
    ///
    /// See [`TryAcquireError`].
    fn take(self, patience: Patience) -> Result<Self::Guards, TryAcquireError>;
}

impl Together for () {
    type Guards = ();

    fn take(self, _: Patience) -> Result<(), TryAcquireError> {
        Ok(())
    }
}

macro_rules! together {
    ($($lock:ident $mode:ident $index:tt),*) => {
        impl<'a, $($lock: Acquire<$mode> + ?Sized, $mode),*> Together
            for ($(Wanted<'a, $lock, $mode>,)*)
        {
            type Guards = ($($lock::Guard<'a>,)*);

            fn take(self, patience: Patience) -> Result<Self::Guards, TryAcquireError> {
                let mut slots = ($(Slot::new(self.$index),)*);
                let mut steps = [$(&mut slots.$index as &mut dyn Step<'a>),*];
                ascend(&mut steps, patience)?;
                Ok(($(slots.$index.into_guard(),)*))
            }
        }
    };
}

together!(A MA 0);
together!(A MA 0, B MB 1);
together!(A MA 0, B MB 1, C MC 2);
together!(A MA 0, B MB 1, C MC 2, D MD 3);
together!(A MA 0, B MB 1, C MC 2, D MD 3, E ME 4);
together!(A MA 0, B MB 1, C MC 2, D MD 3, E ME 4, F MF 5);
together!(A MA 0, B MB 1, C MC 2, D MD 3, E ME 4, F MF 5, G MG 6);
together!(A MA 0, B MB 1, C MC 2, D MD 3, E ME 4, F MF 5, G MG 6, H MH 7);
together!(A MA 0, B MB 1, C MC 2, D MD 3, E ME 4, F MF 5, G MG 6, H MH 7, I MI 8);
together!(A MA 0, B MB 1, C MC 2, D MD 3, E ME 4, F MF 5, G MG 6, H MH 7, I MI 8, J MJ 9);
together!(
    A MA 0, B MB 1, C MC 2, D MD 3, E ME 4, F MF 5, G MG 6, H MH 7, I MI 8, J MJ 9, K MK 10
);
together!(
    A MA 0, B MB 1, C MC 2, D MD 3, E ME 4, F MF 5, G MG 6, H MH 7, I MI 8, J MJ 9, K MK 10,
    L ML 11
);
