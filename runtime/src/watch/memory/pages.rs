//! Whole pages from the system, by no allocator: a handler of a signal that comes while the C library's one is at work
//! may take a lock, whose hook wants memory, and that allocator waits for itself then.

use std::alloc::{GlobalAlloc, Layout};
use std::ffi::{c_int, c_long, c_void};
use std::ptr::null_mut;

unsafe extern "C" {
    fn mmap(
        at: *mut c_void,
        len: usize,
        protection: c_int,
        flags: c_int,
        file: c_int,
        offset: c_long,
    ) -> *mut c_void;
    fn mremap(at: *mut c_void, old: usize, new: usize, flags: c_int, ...) -> *mut c_void;
    fn munmap(at: *mut c_void, len: usize) -> c_int;
}

/// `PROT_READ | PROT_WRITE`.
const READ_WRITE: c_int = 3;
/// `MAP_PRIVATE | MAP_ANONYMOUS`.
#[cfg(not(any(target_arch = "mips", target_arch = "mips64")))]
const OWN: c_int = 0x2 | 0x20;
#[cfg(any(target_arch = "mips", target_arch = "mips64"))]
const OWN: c_int = 0x2 | 0x800;
/// `MREMAP_MAYMOVE`.
const MAY_MOVE: c_int = 1;
/// The smallest page there is; the system counts in its own pages, of which each has several of these.
const PAGE: usize = 4096;

/// Gives pages, zeroed. A layout's alignment is no greater than a page.
pub(in super::super) struct Pages;

// SAFETY: what `mmap` gives is used by nobody else until it is unmapped, has as many bytes as were asked for, and begins
// with a page; and nothing here unwinds.
unsafe impl GlobalAlloc for Pages {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() > PAGE {
            return null_mut();
        }
        // SAFETY: new pages anywhere touch no memory in use, and the length is not zero, as the caller promises.
        let at = unsafe { mmap(null_mut(), layout.size(), READ_WRITE, OWN, -1, 0) };
        or_null(at)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the same is asked of the caller. New pages are zeros.
        unsafe { self.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller promises that this was allocated here with that length, and is unused.
        let _ = unsafe { munmap(at.cast(), layout.size()) };
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if layout.size().div_ceil(PAGE) == size.div_ceil(PAGE) {
            return at;
        }
        // SAFETY: the caller promises that this was allocated here with that length, and uses what is returned from now
        // on, unless that is null; the new length is not zero.
        let moved = unsafe { mremap(at.cast(), layout.size(), size, MAY_MOVE) };
        or_null(moved)
    }
}

/// `MAP_FAILED` is -1.
fn or_null(at: *mut c_void) -> *mut u8 {
    if at.addr() == usize::MAX {
        null_mut()
    } else {
        at.cast()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_by_pages_keeps_what_it_has_and_is_zero_behind() {
        let mut layout = Layout::from_size_align(24, 8).unwrap();
        // SAFETY: the size is not zero.
        let mut at = unsafe { Pages.alloc_zeroed(layout) };
        let mut filled = 0;
        for size in [24, 4000, 4097, 40_000, 1_000_000] {
            // SAFETY: it was allocated with this layout, and the size is not zero.
            at = unsafe { Pages.realloc(at, layout, size) };
            assert!(!at.is_null());
            layout = Layout::from_size_align(size, 8).unwrap();
            // SAFETY: so many bytes are there, and nobody else refers to them.
            let bytes = unsafe { std::slice::from_raw_parts_mut(at, size) };
            let (old, new) = bytes.split_at_mut(filled);
            assert!(old.iter().all(|byte| *byte == 7), "{size}");
            assert!(new.iter().all(|byte| *byte == 0), "{size}");
            new.fill(7);
            filled = size;
        }
        // SAFETY: it was allocated with this layout, and is unused from now on.
        unsafe { Pages.dealloc(at, layout) };
    }

    #[test]
    fn a_refusal_is_null() {
        let all = Layout::from_size_align(isize::MAX as usize & !7, 8).unwrap();
        // SAFETY: the size is not zero.
        assert!(unsafe { Pages.alloc(all) }.is_null());
    }
}
