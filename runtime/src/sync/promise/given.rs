//! The side that gives the result: [`Promise`].

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Acquire;
use std::sync::atomic::fence;

use super::failure::{End, Failure};
use super::future::Future;
use super::kept::Kept;
use super::shared::{Outcome, Shared};
use crate::sync::backend::{Backend, Tracked};
use crate::waiting::Ticket;
use crate::watch::Site;

/// The duty to give a result, once.
///
/// - **Once, drop**: giving the result consumes the promise. A promise that is dropped without one fails its
///   future with [`Failure::Dropped`], so nobody waits for ever for work that has been lost.
/// - **Order**: what came before the result was given has happened for whoever gets it.
/// - **Blocking, fairness**: giving a result never waits. Those who wait are woken, in the order in which they came,
///   and then the callbacks run, on this thread and with no lock held.
/// - **Re-entrancy**: a callback may use the future, drop it, or keep other promises.
/// - **Capacity, close**: there is one result; dropping the future is how its owner says that he wants none
///   ([`is_wanted`](Promise::is_wanted)).
/// - **Panic**: [`fulfil`](Promise::fulfil) catches that of the work, and delivers it.
///
/// ```
/// use lockwise::sync::Promise;
/// use lockwise::thread;
///
/// let (promise, future) = Promise::new();
/// let worker = thread::spawn(move || promise.fulfil(|| 6 * 7));
/// assert_eq!(future.wait().unwrap(), 42);
/// # worker.join().unwrap();
/// ```
///
/// A promise cannot be kept twice:
///
/// ```compile_fail,E0382
/// let (promise, _future) = lockwise::sync::Promise::new();
/// let _ = promise.set(1);
/// let _ = promise.set(2);
/// ```
pub struct Promise<T: Send, B: Backend = Tracked> {
    /// Nothing once it is kept.
    shared: Option<Arc<Shared<T, B, ()>>>,
}

impl<T: Send> Promise<T> {
    /// A promise and the future of its result. The caller is their creation site.
    #[track_caller]
    pub fn new() -> (Promise<T>, Future<T>) {
        Promise::new_in()
    }
}

impl<T: Send, B: Backend> Promise<T, B> {
    /// [`Promise::new`], made of `B`.
    #[track_caller]
    pub fn new_in() -> (Promise<T, B>, Future<T, B>) {
        Promise::new_at(Site::caller(), Kept::ByAnybody)
    }

    /// A promise, and who keeps it, if somebody has a say in waits for it.
    #[inline]
    pub(in crate::sync) fn new_at(born: Site, kept: Kept) -> (Promise<T, B>, Future<T, B>) {
        let shared = Arc::new(Shared::new(born, kept, ()));
        let promise = Promise::with(Arc::clone(&shared));
        (promise, Future::of(shared, Ticket::new()))
    }

    /// The promise of what is there.
    #[inline]
    pub(super) fn with(shared: Arc<Shared<T, B, ()>>) -> Promise<T, B> {
        let shared = Some(shared);
        Promise { shared }
    }

    /// Gives the result.
    ///
    /// # Errors
    ///
    /// The value, if the future has been dropped or cancelled.
    #[inline]
    #[track_caller]
    pub fn set(mut self, value: T) -> Result<(), T> {
        let Some(shared) = self.shared.take() else {
            return Err(value);
        };
        shared.give(value, Site::caller())
    }

    /// Says that the work panicked.
    #[track_caller]
    pub fn panicked(self, payload: Box<dyn Any + Send>) {
        self.fail(End::Panicked, Failure::Panicked(payload), Site::caller());
    }

    /// Does the work and gives its result, or its panic. If the future was cancelled, nothing is done.
    #[track_caller]
    pub fn fulfil(mut self, work: impl FnOnce() -> T) {
        let at = Site::caller();
        if !self.begin(at) {
            return;
        }
        let duty = self.shared.as_ref().map(|shared| shared.duty());
        let (end, outcome) = done(work);
        drop(duty);
        if let Some(shared) = self.shared.take() {
            // Nobody wants it, perhaps; then it is dropped here.
            drop(shared.end(end, outcome, None, at));
        }
    }

    /// Says that the work begins: from now on it cannot be cancelled. False if it was.
    #[track_caller]
    pub fn start(&self) -> bool {
        let at = Site::caller();
        self.shared.as_ref().is_some_and(|shared| shared.start(at))
    }

    /// [`start`](Promise::start), without the lock if nobody is left who could cancel the work.
    fn begin(&self, at: Site) -> bool {
        let Some(shared) = &self.shared else {
            return false;
        };
        if Arc::strong_count(shared) > 1 {
            return shared.start(at);
        }
        // What the future did before it was dropped is seen from here on.
        fence(Acquire);
        !shared.has_ended()
    }

    /// Whether somebody may still take the result: the future is there and was not cancelled.
    #[track_caller]
    pub fn is_wanted(&self) -> bool {
        let at = Site::caller();
        self.shared
            .as_ref()
            .is_some_and(|shared| shared.is_wanted(at))
    }

    fn fail(mut self, end: End, failure: Failure, at: Site) {
        if let Some(shared) = self.shared.take() {
            drop(shared.end(end, Err(failure), None, at));
        }
    }
}

/// Does work, and says how that has ended.
pub(super) fn done<T>(work: impl FnOnce() -> T) -> (End, Outcome<T>) {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(value) => (End::Done, Ok(value)),
        Err(payload) => (End::Panicked, Err(Failure::Panicked(payload))),
    }
}

impl<T: Send, B: Backend> Drop for Promise<T, B> {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.take() {
            let outcome = Err(Failure::Dropped);
            drop(shared.end(End::Dropped, outcome, None, shared.born()));
        }
    }
}

impl<T: Send, B: Backend> fmt::Debug for Promise<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Promise").finish_non_exhaustive()
    }
}
