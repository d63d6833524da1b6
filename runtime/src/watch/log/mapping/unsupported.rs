//! No log here yet: the system is not a Unix, and its way of mapping files has not been tried.

use std::fs::File;
use std::io;

/// Always fails.
///
/// # Errors
///
/// [`io::ErrorKind::Unsupported`].
pub(crate) fn map(_: &File, _: u64) -> io::Result<*mut u8> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Never called, because nothing is ever mapped.
///
/// # Safety
///
/// None.
pub(crate) unsafe fn unmap(_: *mut u8) {}
