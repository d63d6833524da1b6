//! What the system calls a thread: 15 bytes, which a thread has from the one that starts it until it gets its own.
//!
//! By these it is told whether a thread may have been started this moment, and have no handle of the standard library
//! yet. It must not ask for one then: it would get one too early, and the process is ended for that. Only a handler of a
//! signal runs at that time.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// How many there are of a [`ShortName`].
const SHORT_NAMES: usize = 64;

/// How many threads are being started by threads of each short name.
static STARTING: [AtomicU32; SHORT_NAMES] = [const { AtomicU32::new(0) }; SHORT_NAMES];

/// A number that threads of the same short name share, and others seldom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ShortName(u8);

impl ShortName {
    /// That of the thread that calls. Where the system does not tell, all threads have the same.
    pub(super) fn of_this_thread() -> ShortName {
        super::system_name().map_or(ShortName(0), |name| ShortName::of(&name))
    }

    pub(super) fn of(name: &[u8; 16]) -> ShortName {
        // Fibonacci hashing; the highest bits depend on all of the name.
        let sum =
            u128::from_le_bytes(*name).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        let highest = sum >> (u128::BITS - SHORT_NAMES.ilog2());
        ShortName(u8::try_from(highest).unwrap_or_default())
    }

    /// Whether the standard library may be asked for the handle of a thread that is called so.
    pub(super) fn may_have_handle(self) -> bool {
        self.starting().load(Relaxed) == 0
    }

    fn starting(self) -> &'static AtomicU32 {
        &STARTING[usize::from(self.0)]
    }
}

/// A thread that is being started, until this is dropped.
#[derive(Debug)]
pub(crate) struct Starting(ShortName);

impl Starting {
    /// One that the thread that calls is about to start.
    pub(crate) fn by_this_thread() -> Starting {
        let short = ShortName::of_this_thread();
        short.starting().fetch_add(1, Relaxed);
        Starting(short)
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        self.0.starting().fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests;
