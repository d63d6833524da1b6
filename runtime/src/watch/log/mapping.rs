//! A piece of the log file as memory.
//!
//! The blocks are written as zeros before they are mapped: on a full disk the write fails with an
//! error, where touching a mapped hole would kill the program with `SIGBUS`.

#[cfg(unix)]
mod mapped;
#[cfg(not(unix))]
mod unsupported;

#[cfg(unix)]
pub(super) use mapped::{map, unmap};
#[cfg(not(unix))]
pub(super) use unsupported::{map, unmap};
