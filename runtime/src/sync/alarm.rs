//! Being woken at a time, as a task: [`Alarm`] and [`within`].
//!
//! A thread that waits parks until its deadline. A task must be woken by somebody, and executors have each their
//! own way of that; so there is one thread of ours that does it, for the whole process. It is started when a
//! task first asks, waits for nothing but its next alarm, and uses wakers with no lock held. A child made by
//! `fork` starts its own; it parks, and is unparked by name, as a condition variable would go on waking the
//! thread that only the parent has.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::deadline::due_after;
use super::threads::OsThreads;
use crate::waiting::Later;

/// Who is to be woken when, and by whom.
struct Row {
    wakers: BTreeMap<(Instant, u64), Waker>,
    next: u64,
    /// The process in which there is a thread for it, and that thread.
    server: Option<(u32, Thread)>,
}

static ROW: Mutex<Row> = Mutex::new(Row {
    wakers: BTreeMap::new(),
    next: 0,
    server: None,
});

/// Wakes whoever polled it last, at a time. It can be dropped at any time.
#[derive(Debug)]
pub(super) struct Alarm {
    due: Instant,
    /// The number under which it stands in the row.
    number: Option<u64>,
}

impl Alarm {
    pub(super) fn at(due: Instant) -> Alarm {
        Alarm { due, number: None }
    }

    /// When it is due.
    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// Whether it is due; otherwise the waker is used when it is.
    pub(super) fn poll(&mut self, waker: &Waker) -> Poll<()> {
        if self.due <= Instant::now() {
            return Poll::Ready(());
        }
        let (waker, mut later) = (waker.clone(), Later::new());
        let mut row = ROW.lock();
        let Some(server) = row.server() else {
            // It is looked again at once, until the system has room for a thread.
            later.push(waker);
            return Poll::Pending;
        };
        let number = *self.number.get_or_insert_with(|| {
            row.next += 1;
            row.next
        });
        later.drop_later(row.wakers.insert((self.due, number), waker));
        let first = row.wakers.first_key_value();
        let is_first = first.is_some_and(|(first, _)| *first == (self.due, number));
        drop(row);
        if is_first {
            server.unpark();
        }
        Poll::Pending
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            let waker = ROW.lock().wakers.remove(&(self.due, number));
            drop(waker);
        }
    }
}

impl Row {
    /// The thread that serves it; one is started if there is none in this process.
    fn server(&mut self) -> Option<Thread> {
        let process = std::process::id();
        if let Some((here, server)) = &self.server
            && *here == process
        {
            return Some(server.clone());
        }
        let server = thread::Builder::new().name("lockwise-alarms".to_owned());
        let server = server.spawn(serve).ok()?.thread().clone();
        self.server = Some((process, server.clone()));
        Some(server)
    }
}

/// Wakes one after the other, each at its time.
fn serve() {
    loop {
        let mut row = ROW.lock();
        let Some(first) = row.wakers.first_entry() else {
            drop(row);
            thread::park();
            continue;
        };
        let rest = first.key().0.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            let mut later = Later::new();
            later.push(first.remove());
            drop(row);
            later.run();
        } else {
            // Whoever puts in one that is earlier unparks it.
            drop(row);
            thread::park_timeout(rest);
        }
    }
}

/// A future of what `future` gives, if it does so within `timeout` from now, whatever executor runs it.
///
/// With it each `_async` method has a deadline; `future` is dropped then. Nothing was got by that, and nothing put; what
/// was to be put is dropped with it, unless it is [taken back](super::Put::take_back). A timeout of zero is one try, and
/// what is ready is got also after the deadline.
///
/// ```
/// use std::time::Duration;
///
/// use lockwise::sync::{Queue, block_on, within};
///
/// let queue = Queue::<u32>::new();
/// block_on(async {
///     assert_eq!(within(Duration::from_millis(5), queue.get_async()).await, None);
///     queue.put(1).unwrap();
///     assert_eq!(within(Duration::ZERO, queue.get_async()).await, Some(Ok(1)));
/// });
/// ```
pub fn within<F: Future>(timeout: Duration, future: F) -> impl Future<Output = Option<F::Output>> {
    let due = due_after::<OsThreads>(timeout);
    async move {
        let (mut future, mut alarm) = (pin!(future), Alarm::at(due));
        poll_fn(move |context: &mut Context<'_>| {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Some(output));
            }
            alarm.poll(context.waker()).map(|()| None)
        })
        .await
    }
}
