//! How long a thread has run, and how long it was ready to run and did not, as Linux tells it.

use std::ffi::{c_int, c_long};
use std::fs::File;
use std::io::{Read, Write};

use super::unix;

unsafe extern "C" {
    fn clock_gettime(clock: c_int, time: *mut Time) -> c_int;
    fn atexit(work: extern "C" fn()) -> c_int;
}

/// `struct timespec` where a `long` has 64 bits.
#[repr(C)]
struct Time {
    seconds: c_long,
    nanoseconds: c_long,
}

/// `CLOCK_THREAD_CPUTIME_ID`.
const THREAD_RAN: c_int = 3;

/// The number of this thread.
pub(crate) fn this_thread() -> Option<u32> {
    u32::try_from(unix::thread_number()).ok()
}

/// How long this thread has run so far, in nanoseconds.
pub(crate) fn this_thread_ran() -> Option<u64> {
    let mut time = Time {
        seconds: 0,
        nanoseconds: 0,
    };
    // SAFETY: `time` is valid for a write of this type.
    if unsafe { clock_gettime(THREAD_RAN, &raw mut time) } != 0 {
        return None;
    }
    let seconds = u64::try_from(time.seconds).ok()?;
    Some(seconds * 1_000_000_000 + u64::try_from(time.nanoseconds).ok()?)
}

/// How long a thread of this process has run and how long it was ready to run and did not, in nanoseconds; up
/// to one tick of the system's clock late while it runs. None if there is no such thread or the system does not
/// say.
pub(crate) fn ran_and_ready(thread: u32) -> Option<(u64, u64)> {
    let mut path = [0_u8; 48];
    let mut rest = &mut path[..];
    write!(rest, "/proc/self/task/{thread}/schedstat").ok()?;
    let left = rest.len();
    let path = std::str::from_utf8(&path[..path.len() - left]).ok()?;
    let mut text = [0_u8; 96];
    // Short paths are opened without allocating.
    let read = File::open(path).ok()?.read(&mut text).ok()?;
    let mut numbers = std::str::from_utf8(&text[..read])
        .ok()?
        .split_ascii_whitespace();
    let mut next = || numbers.next()?.parse().ok();
    Some((next()?, next()?))
}

/// Has `work` called when the process ends by returning from `main` or by `exit`.
pub(crate) fn at_exit(work: extern "C" fn()) {
    // SAFETY: the handler is a function of this program and has the type that is asked for. If there is no
    // room for it, it is not called.
    let _ = unsafe { atexit(work) };
}
