//! A lock that was asked for, but not yet taken.

use std::fmt;
use std::marker::PhantomData;

use super::lock::{Acquire, Exclusive, Read, Upgradable, Write};
use crate::watch::Note;

/// A lock that is to be taken in mode `M`, and where the program asks for it.
pub struct Wanted<'a, L: ?Sized, M> {
    pub(super) lock: &'a L,
    pub(super) note: &'static Note,
    mode: PhantomData<M>,
}

impl<'a, L: ?Sized, M> Wanted<'a, L, M> {
    pub(super) fn new(lock: &'a L, note: &'static Note) -> Self {
        Wanted {
            lock,
            note,
            mode: PhantomData,
        }
    }
}

impl<L: ?Sized, M> fmt::Debug for Wanted<'_, L, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Wanted").field(self.note).finish()
    }
}

/// One trait a mode, whose method the macros call on the lock expression.
///
/// Each is implemented for the locks only, and not for all types with a bound on the method: so the
/// compiler looks through references and boxes for the lock, as it does for any method.
macro_rules! want {
    ($($trait:ident, $method:ident, $mode:ident;)*) => {$(
        #[allow(missing_docs, reason = "called by the macros only")]
        pub trait $trait {
            fn $method(&self, note: &'static Note) -> Wanted<'_, Self, $mode>;
        }

        impl<L: Acquire<$mode> + ?Sized> $trait for L {
            #[inline]
            fn $method(&self, note: &'static Note) -> Wanted<'_, Self, $mode> {
                Wanted::new(self, note)
            }
        }
    )*};
}

want! {
    WantExclusive, __lockwise_exclusive, Exclusive;
    WantRead, __lockwise_read, Read;
    WantWrite, __lockwise_write, Write;
    WantUpgradable, __lockwise_upgradable, Upgradable;
}
