//! Two clocks: that of the wall, and that of the processor as far as this thread had it.
//!
//! On a machine that does other things too, only the second says what a piece of code costs; what
//! waiting costs only the first does.

use std::ops::AddAssign;
use std::time::Instant;

/// Time spent, in nanoseconds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spent {
    /// Of the processors, by all threads together.
    pub(crate) processor: f64,
    /// Between start and end.
    pub(crate) wall: f64,
}

impl Spent {
    /// The same for one of so many acquisitions.
    pub(crate) fn per(self, acquisitions: u64) -> Spent {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let count = acquisitions as f64;
        Spent {
            processor: self.processor / count,
            wall: self.wall / count,
        }
    }
}

impl AddAssign for Spent {
    fn add_assign(&mut self, other: Spent) {
        self.processor += other.processor;
        self.wall += other.wall;
    }
}

/// What `work` takes on this thread.
pub(crate) fn time(work: impl FnOnce()) -> Spent {
    let wall = Instant::now();
    let before = processor();
    work();
    let after = processor();
    let wall = wall.elapsed().as_secs_f64() * 1e9;
    let processor = match (before, after) {
        (Some(before), Some(after)) => after - before,
        _ => wall,
    };
    Spent { processor, wall }
}

#[cfg(all(unix, target_pointer_width = "64"))]
fn processor() -> Option<f64> {
    use std::ffi::{c_int, c_long};

    #[repr(C)]
    struct Time {
        seconds: c_long,
        nanoseconds: c_long,
    }

    unsafe extern "C" {
        fn clock_gettime(clock: c_int, time: *mut Time) -> c_int;
    }

    /// The processor time of the calling thread, by its number on this system.
    const THREAD: c_int = if cfg!(target_os = "macos") { 16 } else { 3 };
    let mut time = Time {
        seconds: 0,
        nanoseconds: 0,
    };
    // SAFETY: `time` is valid for writes, and two longs are what the system's structure is here.
    let outcome = unsafe { clock_gettime(THREAD, &raw mut time) };
    #[expect(
        clippy::cast_precision_loss,
        reason = "the run lasts minutes, not years"
    )]
    let nanoseconds = time.seconds as f64 * 1e9 + time.nanoseconds as f64;
    (outcome == 0).then_some(nanoseconds)
}

#[cfg(not(all(unix, target_pointer_width = "64")))]
fn processor() -> Option<f64> {
    None
}
