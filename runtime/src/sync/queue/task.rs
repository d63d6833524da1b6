//! Work that is not done yet: [`Task`].

use std::fmt;
use std::ops::{Deref, DerefMut};

use super::fifo::Queue;
use crate::sync::backend::{Backend, Tracked};
use crate::watch::Site;

/// An item of a [`Queue`], not done until this is dropped, also by a panic.
///
/// It cannot be done twice, nor more often than was put: that is what the guard is for.
///
/// ```
/// use lockwise::sync::Queue;
/// use lockwise::thread;
///
/// let jobs = Queue::new();
/// thread::scope(|scope| {
///     scope.spawn(|| {
///         while let Ok(job) = jobs.get_task() {
///             println!("at work on {}", *job);
///         }
///     });
///     jobs.put_many(["one", "two"]).unwrap();
///     // Until both are done, not only got.
///     jobs.join();
///     jobs.close();
/// });
/// ```
#[must_use = "the item is done when this is dropped"]
pub struct Task<'a, T: Send, B: Backend = Tracked> {
    /// Dropped before the item counts as done.
    item: T,
    _done: Done<'a, T, B>,
}

/// Says, when dropped, that an item is done.
struct Done<'a, T: Send, B: Backend> {
    queue: &'a Queue<T, B>,
    at: Site,
}

impl<T: Send, B: Backend> Drop for Done<'_, T, B> {
    fn drop(&mut self) {
        self.queue.core.finish(self.at);
    }
}

impl<'a, T: Send, B: Backend> Task<'a, T, B> {
    pub(super) fn new(queue: &'a Queue<T, B>, item: T, at: Site) -> Task<'a, T, B> {
        Task {
            item,
            _done: Done { queue, at },
        }
    }

    /// Says that it is done, and drops the item.
    pub fn done(self) {}

    /// Uses the item up, and then says that it is done, also if `f` panics.
    pub fn consume<R>(self, f: impl FnOnce(T) -> R) -> R {
        let Task { item, _done } = self;
        f(item)
    }

    /// Says that it is done, and keeps the item.
    pub fn into_inner(self) -> T {
        self.item
    }
}

impl<T: Send, B: Backend> Deref for Task<'_, T, B> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.item
    }
}

impl<T: Send, B: Backend> DerefMut for Task<'_, T, B> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.item
    }
}

impl<T: Send + fmt::Debug, B: Backend> fmt::Debug for Task<'_, T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Task").field(&**self).finish()
    }
}
