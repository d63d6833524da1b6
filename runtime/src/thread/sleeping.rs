//! Sleeping, which no other thread can end: told so that it is not taken for waiting where nobody watches.

use std::time::Duration;

use crate::watch::hooks;

/// Lets the thread sleep for at least so long, as [`std::thread::sleep`].
pub fn sleep(dur: Duration) {
    hooks::sleeps();
    std::thread::sleep(dur);
    hooks::unblocked();
}

/// [`sleep`] with whole milliseconds.
#[deprecated(since = "1.6.0", note = "replaced by `std::thread::sleep`")]
pub fn sleep_ms(ms: u32) {
    sleep(Duration::from_millis(ms.into()));
}
