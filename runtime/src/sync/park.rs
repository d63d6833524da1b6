//! A thread that waits: it hands out a [`Waker`] as a task would, and parks until that is used.
//!
//! So a primitive knows one kind of waiter, and threads, tasks and pollers queue up for it alike. The
//! waker of a thread is made once and used for one wait after the other. A wait inside a wait (a
//! destructor that runs while a waiter is registered may wait itself) gets one of its own, as
//! otherwise it would take the outer one's wake-up.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::AcqRel, Ordering::Acquire};
use std::task::{Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

use super::deadline::Deadline;
use crate::tag::Tag;

/// A thread that can be woken.
struct Parked {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.woken.swap(true, AcqRel) {
            self.thread.unpark();
        }
    }
}

/// How a thread waits: the same object in two shapes.
struct Parker {
    parked: Arc<Parked>,
    waker: Waker,
}

thread_local! {
    /// The parker of this thread, while it is not in use.
    static IDLE: Cell<Option<Parker>> = const { Cell::new(None) };
}

impl Parker {
    fn new() -> Parker {
        let parked = Arc::new(Parked {
            thread: thread::current(),
            woken: AtomicBool::new(false),
        });
        let waker = Waker::from(Arc::clone(&parked));
        Parker { parked, waker }
    }

    /// Parks until woken since the last time, or until the deadline. Whether it was woken.
    fn park(&self, deadline: Deadline) -> bool {
        loop {
            if self.parked.woken.swap(false, Acquire) {
                return true;
            }
            match deadline {
                Deadline::Never => {
                    Tag::parks();
                    thread::park();
                    Tag::unparks();
                }
                Deadline::At(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return false;
                    }
                    thread::park_timeout(left);
                }
            }
        }
    }
}

/// A parker that goes back when dropped, also by unwinding.
struct Borrowed(Option<Parker>);

impl Drop for Borrowed {
    fn drop(&mut self) {
        let parker = self.0.take();
        // Once the thread's locals are gone it is simply dropped.
        let _ = IDLE.try_with(|idle| idle.set(parker));
    }
}

/// Waits until `attempt` is ready, and returns what it gives, or nothing if the deadline comes first.
///
/// `attempt` registers the waker where it will be woken if it is not ready. It is not asked again
/// after the deadline: the caller takes the waker back, and looks one last time as it does.
pub(super) fn wait<R>(deadline: Deadline, mut attempt: impl FnMut(&Waker) -> Poll<R>) -> Option<R> {
    let idle = IDLE.try_with(Cell::take).ok().flatten();
    let borrowed = Borrowed(Some(idle.unwrap_or_else(Parker::new)));
    let parker = borrowed.0.as_ref()?;
    loop {
        if let Poll::Ready(ready) = attempt(&parker.waker) {
            return Some(ready);
        }
        if !parker.park(deadline) {
            return None;
        }
    }
}
