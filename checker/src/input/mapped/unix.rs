//! Files mapped into memory, so that a long log is never in it as a whole.

use std::fs::File;
use std::path::Path;
use std::ptr::NonNull;

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap, munmap};

/// Shorter files are read: that is as fast, and nobody can make them shorter meanwhile.
const BYTES_MIN: u64 = 32 << 20;

/// A long file in memory, as far as it is looked at.
///
/// Whoever makes it shorter meanwhile ends this process (`SIGBUS`). Logs are only ever made longer.
#[derive(Debug)]
pub(super) struct Mapped {
    start: NonNull<u8>,
    length: usize,
}

impl Mapped {
    /// Maps a file; `None` if it is short or cannot be mapped, and should be read.
    pub(super) fn of(path: &Path) -> Option<Mapped> {
        let file = File::open(path).ok()?;
        let bytes = file.metadata().ok()?.len();
        let length = usize::try_from(bytes).ok()?;
        if bytes < BYTES_MIN {
            return None;
        }
        // SAFETY: no address is asked for, so no mapping of ours is replaced; the length is not zero; the
        // mapping is private and never written to.
        let start = unsafe {
            mmap(
                std::ptr::null_mut(),
                length,
                ProtFlags::READ,
                MapFlags::PRIVATE,
                &file,
                0,
            )
        };
        let start = NonNull::new(start.ok()?.cast::<u8>())?;
        // It is only about speed, so it may fail.
        // SAFETY: the range is the mapping made above, and this advice changes no byte of it.
        let _ = unsafe { madvise(start.as_ptr().cast(), length, Advice::Sequential) };
        Some(Mapped { start, length })
    }

    /// All bytes of the file.
    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: the mapping is `length` bytes long, readable, and stays as long as `self`, which is
        // borrowed; a `u8` may have any value, and nobody here writes to it. That nobody else changes the
        // file is what this type asks for.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // If it stays mapped, it costs addresses and no more.
        // SAFETY: start and length are those of the mapping, and no slice of it can be left: they borrow
        // from `self`.
        let _ = unsafe { munmap(self.start.as_ptr().cast(), self.length) };
    }
}
