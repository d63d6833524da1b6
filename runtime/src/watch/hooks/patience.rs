//! A few more tries before a thread parks.
//!
//! A lock that is not free is free again within a microsecond, as a rule, and locks of `parking_lot` and
//! of std themselves try for a while before they park. A wait that is told costs more than that; so it is
//! told only when these tries were in vain. What is told then is no different: the thread does wait.

use std::hint::spin_loop;
use std::thread::yield_now;

/// How often a thread tries again.
const TRIES: u32 = 10;
/// Up to which try it stays on its processor in between, each time twice as long as before.
const SPINS: u32 = 3;

/// What one of a few tries gives, with some time between them; none if all were in vain.
#[cold]
#[inline(never)]
pub fn try_again<T>(mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
    (1..=TRIES).find_map(|tries| {
        if tries <= SPINS {
            (0..1 << tries).for_each(|_| spin_loop());
        } else {
            yield_now();
        }
        attempt()
    })
}
