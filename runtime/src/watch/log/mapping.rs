//! A piece of the log file as memory.
//!
//! The blocks are written as zeros before they are mapped: on a full disk the write fails with an
//! error, where touching a mapped hole would kill the program with `SIGBUS`.

#[cfg(all(unix, not(miri)))]
mod mapped;
#[cfg(any(not(unix), miri))]
mod unsupported;

#[cfg(all(unix, not(miri)))]
pub(super) use mapped::{map, unmap};
#[cfg(any(not(unix), miri))]
pub(super) use unsupported::{map, unmap};
