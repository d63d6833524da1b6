//! A signal that asks for a description of all waits: held back from all threads, and waited for by one of
//! ours, so that no handler runs.

use std::ffi::c_int;
use std::ptr;

unsafe extern "C" {
    fn sigemptyset(set: *mut SignalSet) -> c_int;
    fn sigaddset(set: *mut SignalSet, number: c_int) -> c_int;
    fn pthread_sigmask(how: c_int, set: *const SignalSet, old: *mut SignalSet) -> c_int;
    fn sigwait(set: *const SignalSet, number: *mut c_int) -> c_int;
}

/// `sigset_t`.
type SignalSet = [u64; 16];
const SIG_BLOCK: c_int = 0;

/// The signal alone, as a set.
fn only(number: u8) -> SignalSet {
    let mut set: SignalSet = [0; 16];
    // SAFETY: the set is as large as the C library has it.
    unsafe { sigemptyset(&raw mut set) };
    // SAFETY: as above; a number that is none is refused.
    unsafe { sigaddset(&raw mut set, c_int::from(number)) };
    set
}

/// Holds the signal back from this thread and from those that it starts.
pub(crate) fn hold_back(number: u8) {
    let set = only(number);
    // SAFETY: the set is valid, and the old one is not asked for.
    unsafe { pthread_sigmask(SIG_BLOCK, &raw const set, ptr::null_mut()) };
}

/// Waits until the signal comes. False if that cannot be waited for.
pub(crate) fn wait(number: u8) -> bool {
    let set = only(number);
    let mut came = 0;
    // SAFETY: the set is valid, and `came` valid for a write.
    unsafe { sigwait(&raw const set, &raw mut came) == 0 }
}
