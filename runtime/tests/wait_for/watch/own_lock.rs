//! The watcher's own lock, as one that loom sees.

use std::cell::UnsafeCell;

use loom::sync::Mutex;

loom::lazy_static! {
    static ref TAKEN: Mutex<u32> = Mutex::new(0);
}

/// Data that one thread at a time may touch. There is one lock for all, made anew for each schedule.
pub(crate) struct Guarded<T>(UnsafeCell<T>);

// SAFETY: `with` hands the data to one thread at a time of one model, and models run one after the other.
unsafe impl<T: Send> Sync for Guarded<T> {}

impl<T> Guarded<T> {
    pub(super) const fn new(data: T) -> Self {
        Guarded(UnsafeCell::new(data))
    }

    /// Nobody has to go without: no handler of a signal comes in between.
    #[expect(clippy::unnecessary_wraps, reason = "the real one may give nothing")]
    pub(super) fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> Option<R> {
        let mut searches = TAKEN.lock().expect("no thread of a model panics");
        *searches += 1;
        crate::searched(*searches);
        // SAFETY: `TAKEN` is ours until `searches` is dropped.
        Some(work(unsafe { &mut *self.0.get() }))
    }

    #[expect(clippy::unused_self, reason = "the real one has a state")]
    pub(super) fn begin_fork(&self) {}

    #[expect(clippy::unused_self, reason = "the real one has a state")]
    pub(super) fn end_fork(&self) -> bool {
        true
    }
}
