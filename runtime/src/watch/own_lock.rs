//! The watcher's own lock: it guards what only slow paths touch.
//!
//! It is a plain flag and not a lock of the standard library, because it must survive `fork`: the
//! handler takes it before and gives it back after, in the parent and in the child. It yields while
//! it waits; the sections are short and happen for new chains only.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, Ordering};

/// Data that one thread at a time may touch.
pub(super) struct Guarded<T> {
    taken: AtomicBool,
    data: UnsafeCell<T>,
}

// SAFETY: `with` hands the data to one thread at a time, so sharing `Guarded` only sends `T`.
unsafe impl<T: Send> Sync for Guarded<T> {}

impl<T> Guarded<T> {
    pub(super) const fn new(data: T) -> Self {
        Guarded {
            taken: AtomicBool::new(false),
            data: UnsafeCell::new(data),
        }
    }

    /// Runs `work` on the data, alone. `work` must not call out of the watcher, and not call
    /// `with` on the same data.
    pub(super) fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        self.take();
        // Gives the lock back also if `work` unwinds.
        let _free = Free(self);
        // SAFETY: the flag is ours until `_free` is dropped, so nobody else refers to the data.
        work(unsafe { &mut *self.data.get() })
    }

    /// Takes the lock and keeps it: for the handlers of `fork`.
    pub(super) fn take(&self) {
        let mut rounds = 0_u32;
        while self
            .taken
            .compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            rounds += 1;
            if rounds < 64 {
                std::hint::spin_loop();
            } else {
                std::thread::yield_now();
            }
        }
    }

    /// Gives the lock back that [`Guarded::take`] took, maybe in another process.
    pub(super) fn give_back(&self) {
        self.taken.store(false, Ordering::Release);
    }
}

struct Free<'a, T>(&'a Guarded<T>);

impl<T> Drop for Free<'_, T> {
    fn drop(&mut self) {
        self.0.give_back();
    }
}
