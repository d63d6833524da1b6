//! The threads of a pool and what they share.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use super::returns::Returns;
use super::stuck::WaitingWorkers;
use super::unfinished::Unfinished;
use crate::sync::backend::{Backend, Lock};
use crate::sync::deadline::Deadline;
use crate::sync::event::Event;
use crate::sync::promise::{End, Failure, Host, Keeper, Kept, Planned, address_of};
use crate::sync::queue::Queue;
use crate::sync::threads::{Described, Threads};
use crate::watch::Site;

/// What runs first on each worker. It fails by panicking.
pub(super) type Initializer = Arc<dyn Fn() + Send + Sync>;

/// What the threads of a pool and its handle share.
pub(super) struct Crew<B: Backend> {
    pub(super) jobs: Queue<Planned, B>,
    pub(super) unfinished: Unfinished<B>,
    pub(super) returns: Returns,
    pub(super) state: B::Mutex<State<B::Threads>>,
    /// Workers that wait for a job, or are about to.
    idle: AtomicUsize,
    /// Set when the last worker has ended and none will be started.
    pub(super) ended: Event<B>,
    pub(super) plan: Plan,
}

/// How a pool is made.
pub(super) struct Plan {
    pub(super) name: Option<String>,
    pub(super) workers: usize,
    /// Workers are started when there is a job for them.
    pub(super) grows: bool,
    pub(super) stack_size: Option<usize>,
    pub(super) initializer: Option<Initializer>,
    pub(super) born: Site,
}

/// What changes as workers come and go.
pub(super) struct State<T: Threads> {
    /// How many were started: the number of the next one.
    started: usize,
    alive: usize,
    pub(super) handles: Vec<T::Started>,
    is_closed: bool,
    waiting: WaitingWorkers,
}

impl<T: Threads> State<T> {
    pub(super) fn alive(&self) -> usize {
        self.alive
    }
}

impl<B: Backend> Crew<B> {
    pub(super) fn new(plan: Plan) -> Arc<Crew<B>> {
        Arc::new(Crew {
            jobs: Queue::new_at(None, plan.born),
            unfinished: Unfinished::new(plan.born),
            returns: Returns::default(),
            state: B::Mutex::new_at(
                State {
                    started: 0,
                    alive: 0,
                    handles: Vec::new(),
                    is_closed: false,
                    waiting: WaitingWorkers::new(),
                },
                plan.born,
            ),
            idle: AtomicUsize::new(0),
            ended: Event::new_in(),
            plan,
        })
    }

    /// Whether this thread is a worker of this crew.
    pub(super) fn is_here(&self) -> bool {
        let crew = B::Threads::with_own(|own| own.crew.borrow().as_ref().map(address_of));
        crew.flatten() == Some(self.address())
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Says of a job that it is this crew's.
    pub(super) fn keeps(&self) -> Kept {
        Kept::ByCrew(self.address())
    }

    /// Starts a worker, unless there are enough.
    pub(super) fn start_one(self: &Arc<Self>, at: Site) -> io::Result<()> {
        let mut state = self.state.lock_at(at);
        if state.is_closed || state.started == self.plan.workers {
            return Ok(());
        }
        let number = state.started;
        state.started += 1;
        state.alive += 1;
        drop(state);
        let name = self.plan.name.as_ref();
        let described = Described {
            name: name.map(|name| format!("{name}-{number}")),
            stack_size: self.plan.stack_size,
        };
        let crew = Arc::clone(self);
        match B::Threads::start(described, move || crew.work()) {
            Ok(handle) => {
                self.state.lock_at(at).handles.push(handle);
                Ok(())
            }
            Err(error) => {
                self.state.lock_at(at).started -= 1;
                self.leave(at);
                Err(error)
            }
        }
    }

    /// Sees to it that there is somebody for each job that waits, as far as there may be.
    pub(super) fn need_one(self: &Arc<Self>, at: Site) {
        if !self.plan.grows {
            return;
        }
        let waiting = self.jobs.len();
        B::Threads::step();
        if waiting <= self.idle.load(SeqCst) {
            return;
        }
        if self.start_one(at).is_err() && self.state.lock_at(at).alive == 0 {
            // There is nobody, and nobody can be had.
            self.give_up(End::Broken, at);
        }
    }

    /// What a worker does.
    fn work(self: Arc<Self>) {
        let at = self.plan.born;
        let keeper = Arc::clone(&self) as Arc<dyn Keeper>;
        B::Threads::with_own(|own| own.crew.replace(Some(keeper)));
        let initializer = self.plan.initializer.as_ref();
        let ready = initializer
            .is_none_or(|initialize| catch_unwind(AssertUnwindSafe(|| initialize())).is_ok());
        if ready {
            let here = Here(&self);
            here.almost_free();
            let mut batch = self.returns.batch();
            while let Ok(job) = self.jobs.get() {
                here.still_busy();
                let duty = self.unfinished.duty();
                batch.add(survived(|| job.run(&here, at)).flatten());
                drop(duty);
                here.almost_free();
                // It counts as done after it has given its result, and everything of it is dropped.
                self.unfinished.finish();
            }
            here.still_busy();
        } else {
            self.give_up(End::Broken, at);
        }
        B::Threads::with_own(|own| own.crew.take());
        self.leave(at);
    }

    /// A worker has ended, or was not started.
    fn leave(&self, at: Site) {
        let mut state = self.state.lock_at(at);
        state.alive -= 1;
        let last = state.alive == 0 && state.is_closed;
        drop(state);
        if last {
            self.ended.set();
        }
    }

    /// Takes no more jobs.
    pub(super) fn close(&self, at: Site) {
        self.jobs.close();
        let mut state = self.state.lock_at(at);
        state.is_closed = true;
        let last = state.alive == 0;
        drop(state);
        if last {
            self.ended.set();
        }
    }

    /// Takes no more jobs, and ends those that have not begun.
    pub(super) fn give_up(&self, end: End, at: Site) {
        self.close(at);
        for job in self.jobs.close_now() {
            let failure = match end {
                End::Broken => Failure::Broken,
                End::Cancelled => Failure::Cancelled,
                _ => Failure::Dropped,
            };
            survived(|| job.end(end, failure, at));
            self.unfinished.finish();
        }
    }

    /// Waits until all workers have ended.
    pub(super) fn join(&self, at: Site) {
        let mut state = self.state.lock_at(at);
        let handles = std::mem::take(&mut state.handles);
        drop(state);
        for handle in handles {
            // Jobs are caught; what is left is a destructor of a thread-local.
            B::Threads::join_at(handle, at);
        }
        if !self.ended.is_set() {
            self.ended.wait_at(Deadline::Never, at);
        }
    }
}

/// Does something to a job. What that drops may panic, as a value that nobody wants, and must neither end a worker nor
/// keep other jobs from being ended; the panic was printed.
fn survived<R>(act: impl FnOnce() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(act)).ok()
}

/// This thread, as a worker.
struct Here<'a, B: Backend>(&'a Arc<Crew<B>>);

/// Whether it is news that this thread counts as idle, or does not.
fn set_idle<T: Threads>(is_idle: bool) -> bool {
    T::with_own(|own| own.is_idle.replace(is_idle)) == Some(!is_idle)
}

impl<B: Backend> Host for Here<'_, B> {
    fn almost_free(&self) {
        // Only who might start another worker asks.
        if self.0.plan.grows && set_idle::<B::Threads>(true) {
            B::Threads::step();
            self.0.idle.fetch_add(1, SeqCst);
        }
    }

    fn still_busy(&self) {
        if set_idle::<B::Threads>(false) {
            B::Threads::step();
            self.0.idle.fetch_sub(1, SeqCst);
            // Who submitted a job meanwhile may have counted on this worker.
            self.0.need_one(self.0.plan.born);
        }
    }
}

impl<B: Backend> Keeper for Crew<B> {
    fn begin_wait(self: Arc<Self>, results: Vec<Arc<AtomicBool>>) -> bool {
        if !self.is_here() {
            return true;
        }
        let at = self.plan.born;
        let mut state = self.state.lock_at(at);
        let full = state.started == self.plan.workers || state.is_closed;
        let workers = if full { state.alive } else { usize::MAX };
        let all = state.waiting.begin(B::Threads::number(), results, workers);
        drop(state);
        let Some(all) = all else { return true };
        B::Threads::step();
        if !all.is_hopeless() {
            return true;
        }
        let mut state = self.state.lock_at(at);
        let stuck = state.waiting.lasts(&all);
        if stuck {
            state.waiting.end(B::Threads::number());
        }
        !stuck
    }

    fn end_wait(&self) {
        if self.is_here() {
            self.state
                .lock_at(self.plan.born)
                .waiting
                .end(B::Threads::number());
        }
    }
}
