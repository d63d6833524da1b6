//! What std has behind features: `thread_raw`, `thread_spawn_hook`.

use super::{Builder, Thread};

impl Thread {
    /// The handle as a pointer, which [`Thread::from_raw`] takes back.
    #[must_use]
    pub fn into_raw(self) -> *const () {
        Box::into_raw(Box::new(self)).cast_const().cast()
    }

    /// The handle that became this pointer.
    ///
    /// # Safety
    ///
    /// `ptr` comes from [`Thread::into_raw`], and is given back only once.
    pub unsafe fn from_raw(ptr: *const ()) -> Thread {
        // SAFETY: the pointer comes from a box of this type, and the caller gives it back once only.
        *unsafe { Box::from_raw(ptr.cast_mut().cast::<Thread>()) }
    }
}

impl Builder {
    /// The thread inherits no hooks that run at the start of threads, and none run at its own.
    #[must_use]
    pub fn no_hooks(self) -> Builder {
        Builder {
            inner: self.inner.no_hooks(),
        }
    }
}
