//! What a party does not have.

use crate::shapes::{Condvar, Mutex, RwLock};

/// What a party does not have.
pub(crate) enum Absent {}

impl Mutex for Absent {
    const THERE: bool = false;
    type Guard<'a> = &'a mut u64;

    fn make() -> Self {
        unreachable!("`THERE` is asked first")
    }

    fn lock(&self) -> &mut u64 {
        match *self {}
    }
}

impl RwLock for Absent {
    const THERE: bool = false;
    type Read<'a> = &'a u64;
    type Write<'a> = &'a mut u64;

    fn make() -> Self {
        unreachable!("`THERE` is asked first")
    }

    fn read(&self) -> &u64 {
        match *self {}
    }

    fn write(&self) -> &mut u64 {
        match *self {}
    }
}

impl<M: Mutex> Condvar<M> for Absent {
    const THERE: bool = false;

    fn make() -> Self {
        unreachable!("`THERE` is asked first")
    }

    fn wait<'a>(&self, _guard: M::Guard<'a>) -> M::Guard<'a> {
        match *self {}
    }

    fn notify(&self) {
        match *self {}
    }
}
