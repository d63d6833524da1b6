//! `lockwise::sync`: what the primitives promise, on watched and on raw locks.
//!
//! The names of the tests are those of the list of cases that the contracts were written from.

use lockwise::thread::{self, Thread};
use std::fmt::Debug;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

mod actor;
mod against;
mod arms;
mod awaited;
mod barrier;
#[path = "../compiled/mod.rs"]
mod compiled;
mod condition;
mod contracts;
mod counted;
mod deadlines;
mod delay;
mod edges;
mod event;
mod exchange;
mod leaf;
mod locks;
mod poller;
mod pool;
mod priority;
mod promise;
mod queue;
mod refused;
mod scenes;
mod scheduler;
mod semaphore;
mod thread_local;
mod threads;
mod unwinding;
mod waits;
#[cfg(feature = "checks")]
mod watched;

/// Makes each test of a module three times: `B` is the backend in it.
macro_rules! on_each_backend {
    ($($(#[$meta:meta])* fn $name:ident() $body:block)*) => {
        crate::on_each_backend!(@ on_tracked, lockwise::sync::Tracked, $($(#[$meta])* fn $name() $body)*);
        crate::on_each_backend!(@ on_raw, lockwise::sync::Raw, $($(#[$meta])* fn $name() $body)*);
        crate::on_each_backend!(@ on_leaf, crate::leaf::Leaf, $($(#[$meta])* fn $name() $body)*);
    };
    (@ $backend:ident, $B:ty, $($(#[$meta:meta])* fn $name:ident() $body:block)*) => {
        mod $backend {
            #[allow(unused_imports, reason = "the tests decide")]
            use super::*;
            #[allow(dead_code, reason = "not each test names it")]
            type B = $B;
            $($(#[$meta])* #[test] fn $name() $body)*
        }
    };
}
use on_each_backend;

/// Long enough for anything that is going to happen.
const LONG: Duration = Duration::from_secs(60);
/// Short, for what is not going to happen.
const SHORT: Duration = Duration::from_millis(20);

/// A moment that has passed.
fn past(by: Duration) -> Instant {
    let moment = Instant::now().checked_sub(by);
    moment.expect("the machine has run for longer than that")
}

/// How often a test does something that it does very often: `full` times, or fewer if the variable says so.
///
/// The end-to-end tests judge a run of each test, and look at many orders of what happened in it.
fn rounds(full: usize) -> usize {
    std::env::var("PRIMITIVES_ROUNDS")
        .ok()
        .and_then(|most| most.parse().ok())
        .map_or(full, |most: usize| most.min(full))
}

/// Waits until `condition` holds, which it must sooner or later.
#[track_caller]
fn until(condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < LONG, "it never happened");
        thread::yield_now();
    }
}

/// Waits until so many threads and tasks wait for this.
#[track_caller]
fn until_waiting(count: usize, source: &dyn Debug) {
    let waiting = format!("waiting: {count}");
    until(|| format!("{source:?}").contains(&waiting));
}

/// A waker that counts how often it was used.
#[derive(Debug, Default)]
struct Counting(AtomicUsize);

impl Wake for Counting {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

impl Counting {
    fn new() -> (Arc<Counting>, Waker) {
        let counting = Arc::new(Counting::default());
        (Arc::clone(&counting), Waker::from(counting))
    }

    fn count(&self) -> usize {
        self.0.load(SeqCst)
    }
}

/// Runs a future on this thread, by an executor that knows nothing of us.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Polls a future once.
fn poll_once<F: Future + ?Sized>(future: std::pin::Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}
