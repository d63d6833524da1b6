//! How many jobs of a pool are not done yet, and who waits until all are: [`Unfinished`].
//!
//! Who submits counts in one place, and who does jobs in another: each line of memory stays with those who write it, and
//! whoever joins looks at both. All is done if both numbers are equal, the one that is never ahead being read first.

use std::future::poll_fn;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::task::{Poll, Waker};

use crate::sync::backend::{Backend, Duty, Flow, Lock};
use crate::sync::deadline::Deadline;
use crate::sync::park;
use crate::sync::threads::Threads;
use crate::waiting::{Later, Left, Ticket, Waiters};
use crate::watch::Site;

/// The jobs of a pool, by their number.
pub(super) struct Unfinished<B: Backend> {
    submitted: Apart,
    finished: Apart,
    /// Whether somebody may wait, to be read without the lock.
    is_awaited: AtomicUsize,
    joiners: B::Mutex<Waiters>,
    /// Units for those who wait.
    flow: B::Flow,
    born: Site,
}

/// A number with lines of memory of its own: processors fetch two at once.
#[repr(align(128))]
struct Apart(AtomicUsize);

impl<B: Backend> Unfinished<B> {
    pub(super) fn new(born: Site) -> Unfinished<B> {
        Unfinished {
            submitted: Apart(AtomicUsize::new(0)),
            finished: Apart(AtomicUsize::new(0)),
            is_awaited: AtomicUsize::new(0),
            joiners: B::Mutex::new_at(Waiters::new(), born),
            flow: B::Flow::new_at(born, std::any::type_name::<Unfinished<B>>),
            born,
        }
    }

    /// A job is about to be submitted.
    #[inline]
    pub(super) fn add(&self) {
        B::Threads::step();
        self.submitted.0.fetch_add(1, SeqCst);
    }

    /// A job is done, was ended, or was not submitted after all.
    #[inline]
    pub(super) fn finish(&self) {
        B::Threads::step();
        self.flow.told(self.born);
        self.finished.0.fetch_add(1, SeqCst);
        B::Threads::step();
        // Who comes to wait says so before it looks at the numbers.
        if self.is_awaited.load(SeqCst) != 0 {
            self.tell();
        }
    }

    /// This thread does a job, until the result is dropped: till then not all is done.
    pub(super) fn duty(&self) -> Duty<'_, B::Flow> {
        Duty::begin(&self.flow)
    }

    /// Whether all that was submitted is done.
    fn is_done(&self) -> bool {
        B::Threads::step();
        let finished = self.finished.0.load(SeqCst);
        B::Threads::step();
        finished == self.submitted.0.load(SeqCst)
    }

    /// Tells all who wait, if all is done.
    #[cold]
    fn tell(&self) {
        let mut later = Later::new();
        let mut joiners = self.joiners.lock_at(self.born);
        // Under the lock: who has come since must not be told of what was done before.
        if joiners.any_waiting() && self.is_done() {
            let waiting = u32::try_from(joiners.waiting()).unwrap_or(u32::MAX);
            self.flow.posted(waiting, self.born);
            joiners.choose_all(&mut later);
        }
        drop(joiners);
        later.run();
    }

    /// Waits until all that was submitted is done. Whether it is.
    pub(super) fn join(&self, deadline: Deadline, at: Site) -> bool {
        if self.is_done() {
            self.flow.found(at);
            return true;
        }
        let timed = deadline.is_timed();
        self.flow.pending_work(timed, at);
        let mut joining = Joining {
            jobs: self,
            ticket: Ticket::new(),
            timed,
            at,
        };
        let joined = park::wait::<B::Threads, _>(deadline, |waker| joining.poll(waker));
        let (was_joined, left) = joining.leave();
        if left == Left::Waiting {
            self.flow.gave_up();
        }
        joined.is_some() || was_joined
    }

    /// [`join`](Unfinished::join), as a future. It can be dropped at any time.
    pub(super) fn join_async(&self, at: Site) -> impl Future<Output = ()> + use<'_, B> {
        let mut joining = Joining {
            jobs: self,
            ticket: Ticket::new(),
            timed: false,
            at,
        };
        poll_fn(move |context| joining.poll(context.waker()))
    }
}

/// Somebody who waits until all is done. Dropped, it waits no more.
struct Joining<'a, B: Backend> {
    jobs: &'a Unfinished<B>,
    ticket: Ticket,
    timed: bool,
    at: Site,
}

impl<B: Backend> Joining<'_, B> {
    /// Whether all is done, or was, since it came; otherwise it queues up.
    fn poll(&mut self, waker: &Waker) -> Poll<()> {
        let (waker, mut later) = (waker.clone(), Later::new());
        let mut joiners = self.jobs.joiners.lock_at(self.at);
        let mut is_joined = joiners.is_chosen(&self.ticket);
        if !is_joined {
            joiners.enter(&mut self.ticket, waker, &mut later);
            B::Threads::step();
            self.jobs.is_awaited.store(1, SeqCst);
            is_joined = self.jobs.is_done();
        }
        drop(joiners);
        later.run();
        if is_joined {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    /// It waits no more. Whether all is done, or was since it came, and whether it was told of that.
    fn leave(&mut self) -> (bool, Left) {
        let mut later = Later::new();
        let mut joiners = self.jobs.joiners.lock_at(self.at);
        let is_joined = joiners.is_chosen(&self.ticket) || self.jobs.is_done();
        let left = joiners.leave(&mut self.ticket, &mut later);
        if !joiners.any_waiting() {
            B::Threads::step();
            self.jobs.is_awaited.store(0, SeqCst);
        }
        drop(joiners);
        if left == Left::Chosen {
            self.jobs.flow.obtained(self.timed, self.at);
        } else if is_joined {
            self.jobs.flow.found(self.at);
        }
        (is_joined, left)
    }
}

impl<B: Backend> Drop for Joining<'_, B> {
    fn drop(&mut self) {
        if self.ticket.is_some() {
            self.leave();
        }
    }
}
