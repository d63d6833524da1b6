//! Memory shared with the file: what is written there outlives the process however it ends.

use std::ffi::{c_int, c_void};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;

use super::super::CHUNK_LEN;

unsafe extern "C" {
    fn mmap(
        at: *mut c_void,
        len: usize,
        protection: c_int,
        flags: c_int,
        file: c_int,
        offset: Offset,
    ) -> *mut c_void;
    fn munmap(at: *mut c_void, len: usize) -> c_int;
}

/// `off_t`: the size of a pointer on the systems at hand, 64 bits on Apple's and the BSDs'.
#[cfg(target_os = "linux")]
type Offset = std::ffi::c_long;
#[cfg(not(target_os = "linux"))]
type Offset = i64;

/// `PROT_READ | PROT_WRITE`.
const READ_WRITE: c_int = 3;
/// `MAP_SHARED`.
const SHARED: c_int = 1;

static ZEROS: [u8; CHUNK_LEN] = [0; CHUNK_LEN];

/// Allocates the block at `offset` in the file and maps it.
///
/// # Errors
///
/// Whatever the system says: no space, no memory, no permission.
pub(crate) fn map(file: &File, offset: u64) -> io::Result<*mut u8> {
    file.write_all_at(&ZEROS, offset)?;
    let place = Offset::try_from(offset).map_err(|_| io::ErrorKind::FileTooLarge)?;
    // SAFETY: a fresh mapping anywhere touches no memory in use; the arguments are a valid
    // descriptor, a length that is not zero, and an offset that is a multiple of the page size.
    let at = unsafe {
        mmap(
            std::ptr::null_mut(),
            CHUNK_LEN,
            READ_WRITE,
            SHARED,
            file.as_raw_fd(),
            place,
        )
    };
    // `MAP_FAILED` is -1.
    if at.addr() == usize::MAX {
        Err(io::Error::last_os_error())
    } else {
        Ok(at.cast())
    }
}

/// Gives the memory of a block back; what was written stays in the file.
///
/// # Safety
///
/// `at` must come from [`map`] and not be used any more.
pub(crate) unsafe fn unmap(at: *mut u8) {
    // SAFETY: the caller promises that the block was mapped, with this length, and is unused.
    let _ = unsafe { munmap(at.cast(), CHUNK_LEN) };
}
