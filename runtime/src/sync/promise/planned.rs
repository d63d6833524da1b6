//! Work that lies where its result will: [`Planned`].
//!
//! Work and promise are one piece of memory, which many threads that hand each other small jobs would else be asked for
//! twice; and if the future was dropped before the work is done, as of a job whose result nobody wants, whoever does
//! it is alone with it and needs no lock.

use std::any::Any;
use std::sync::Arc;

use parking_lot::Mutex;

use super::failure::{End, Failure};
use super::future::Future;
use super::given::done;
use super::kept::Kept;
use super::shared::{Host, Shared};
use crate::sync::backend::Backend;
use crate::waiting::Ticket;
use crate::watch::Site;

/// Work of any kind, with the promise of its result. Dropped without having been done, it fails its future.
pub(in crate::sync) struct Planned(Arc<dyn Plan>);

/// What is left of work that is done and whose future is gone: memory, and nothing of the program.
pub(in crate::sync) struct Spent(#[expect(dead_code, reason = "it is only dropped")] Planned);

/// What is left takes little memory if it is at most so many bytes.
const LITTLE: usize = 512;

/// What a [`Planned`] is made of.
trait Plan: Send + Sync {
    /// Does it, for a future that may be there.
    fn run(&self, host: &dyn Host, at: Site);

    /// Does it, for nobody.
    fn run_alone(&mut self, host: &dyn Host, at: Site);

    fn end(&self, end: End, failure: Failure, at: Site);

    /// Ends it as dropped, unless it has ended.
    fn end_if_undone(&self);

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

/// Work that has not been begun. Only who has the [`Planned`] uses it, so that nobody ever waits for this lock.
struct Work<F>(Mutex<Option<F>>);

impl Planned {
    /// Work, and the future of its result.
    #[inline]
    pub(in crate::sync) fn new<F, T, B>(born: Site, kept: Kept, work: F) -> (Planned, Future<T, B>)
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
        B: Backend,
    {
        let work = Work(Mutex::new(Some(work)));
        let shared = Arc::new(Shared::<T, B, _>::new(born, kept, work));
        let plan = Arc::clone(&shared) as Arc<dyn Plan>;
        (Planned(plan), Future::of(shared, Ticket::new()))
    }

    /// Does it. Its panic goes into its result. What is left, if that is little and nobody else has it.
    pub(in crate::sync) fn run(mut self, host: &dyn Host, at: Site) -> Option<Spent> {
        let Some(plan) = Arc::get_mut(&mut self.0) else {
            self.0.run(host, at);
            return None;
        };
        plan.run_alone(host, at);
        (size_of_val(plan) <= LITTLE).then_some(Spent(self))
    }

    /// Ends it without having begun it.
    pub(in crate::sync) fn end(self, end: End, failure: Failure, at: Site) {
        self.0.end(end, failure, at);
    }

    /// The work again, which was planned as such.
    pub(in crate::sync) fn into_work<F, T, B>(self) -> F
    where
        F: Send + 'static,
        T: Send + 'static,
        B: Backend,
    {
        let plan = Arc::clone(&self.0).into_any();
        let shared = plan.downcast::<Shared<T, B, Work<F>>>().ok();
        let work = shared.and_then(|shared| shared.work.take());
        work.expect("it is asked for as what it was planned as, and was not begun")
    }
}

impl Drop for Planned {
    #[inline]
    fn drop(&mut self) {
        self.0.end_if_undone();
    }
}

impl<F> Work<F> {
    fn take(&self) -> Option<F> {
        self.0.lock().take()
    }
}

impl<F, T, B> Plan for Shared<T, B, Work<F>>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
    B: Backend,
{
    fn run(&self, host: &dyn Host, at: Site) {
        let begun = self.start(at);
        // What was cancelled is dropped here.
        if let Some(work) = self.work.take().filter(|_| begun) {
            let duty = self.duty();
            let (end, outcome) = done(work);
            drop(duty);
            host.almost_free();
            // Nobody wants it, perhaps; then it is dropped here.
            drop(self.end(end, outcome, Some(host), at));
        }
    }

    fn run_alone(&mut self, host: &dyn Host, at: Site) {
        let work = self.work.0.get_mut().take();
        if let Some(work) = work.filter(|_| self.start_alone()) {
            let duty = self.duty();
            let (end, outcome) = done(work);
            drop(duty);
            host.almost_free();
            self.end_alone(end, Some(host), at);
            drop(outcome);
        }
    }

    fn end(&self, end: End, failure: Failure, at: Site) {
        drop(Shared::end(self, end, Err(failure), None, at));
        drop(self.work.take());
    }

    #[inline]
    fn end_if_undone(&self) {
        if !self.has_ended() {
            Plan::end(self, End::Dropped, Failure::Dropped, self.born());
        }
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}
