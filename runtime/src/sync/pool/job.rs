//! A job, with the promise of its result.

use std::any::Any;
use std::error::Error;
use std::fmt;

use crate::sync::backend::Backend;
use crate::sync::promise::{End, Failure, Host, Promise};
use crate::watch::Site;

/// A job of any kind.
pub(super) trait Job: Send {
    /// Does it. Its panic goes into its result.
    fn run(self: Box<Self>, host: &dyn Host, at: Site);

    /// Ends it without having begun it.
    fn end(self: Box<Self>, end: End, at: Site);

    /// Itself, to be given back.
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

/// A job that gives a `T`.
pub(super) struct Promised<F, T: Send, B: Backend> {
    pub(super) work: F,
    pub(super) promise: Promise<T, B>,
}

impl<F, T, B> Job for Promised<F, T, B>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
    B: Backend,
{
    fn run(self: Box<Self>, host: &dyn Host, at: Site) {
        let Promised { work, promise } = *self;
        promise.fulfil_on(Some(host), work, at);
    }

    fn end(self: Box<Self>, end: End, at: Site) {
        let failure = match end {
            End::Broken => Failure::Broken,
            End::Cancelled => Failure::Cancelled,
            _ => Failure::Dropped,
        };
        self.promise.fail(end, failure, at);
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

impl<F, T, B> Promised<F, T, B>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
    B: Backend,
{
    /// The work of such a job that was refused.
    pub(super) fn work_of(job: Box<dyn Job>) -> F {
        let job = job.into_any().downcast::<Promised<F, T, B>>();
        job.expect("what comes back is what was put").work
    }
}

/// A job was not taken, and comes back: the pool was shut down, or is broken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Refused<F>(pub F);

impl<F> fmt::Debug for Refused<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Refused(..)")
    }
}

impl<F> fmt::Display for Refused<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the pool takes no more jobs")
    }
}

impl<F> Error for Refused<F> {}
