//! Futures that only wait: for their turn, or for a time.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use crate::sync::deadline::Deadline;
use crate::sync::park;
use crate::sync::threads::OsThreads;

/// Lets all other tasks have their turn.
pub fn yield_now() -> YieldNow {
    YieldNow { was_polled: false }
}

/// Ends at the second look: see [`yield_now`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct YieldNow {
    was_polled: bool,
}

impl Future for YieldNow {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.was_polled, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Runs a future on this thread, which parks while it is not ready.
///
/// ```
/// use lockwise::sync::{Queue, block_on};
///
/// let queue = Queue::new();
/// assert_eq!(block_on(async {
///     queue.put_async(1).await.unwrap();
///     queue.get_async().await
/// }), Ok(1));
/// ```
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        // Without a deadline it always ends.
        if let Some(output) = park::wait::<OsThreads, _>(Deadline::Never, |waker| {
            future.as_mut().poll(&mut Context::from_waker(waker))
        }) {
            return output;
        }
    }
}

/// Who sleeps until when.
#[derive(Debug, Default)]
pub(super) struct Sleepers {
    row: RefCell<BTreeMap<(Instant, u64), Waker>>,
    next: RefCell<u64>,
}

impl Sleepers {
    /// When the first one wakes.
    pub(super) fn first(&self) -> Option<Instant> {
        self.row.borrow().first_key_value().map(|(key, _)| key.0)
    }

    /// Wakes those whose time has come.
    pub(super) fn wake(&self) {
        loop {
            let mut row = self.row.borrow_mut();
            let Some(first) = row.first_entry() else {
                return;
            };
            if first.key().0 > Instant::now() {
                return;
            }
            let waker = first.remove();
            drop(row);
            waker.wake();
        }
    }
}

/// Ends at a time: see [`Scheduler::sleep`](super::Scheduler::sleep).
#[must_use = "futures do nothing unless awaited"]
pub struct Sleep {
    sleepers: Rc<Sleepers>,
    until: Instant,
    /// The number under which it sleeps.
    number: Option<u64>,
}

impl Sleep {
    pub(super) fn new(sleepers: Rc<Sleepers>, until: Instant) -> Sleep {
        Sleep {
            sleepers,
            until,
            number: None,
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.until <= Instant::now() {
            return Poll::Ready(());
        }
        let sleepers = Rc::clone(&self.sleepers);
        let number = *self.number.get_or_insert_with(|| {
            let mut next = sleepers.next.borrow_mut();
            *next += 1;
            *next
        });
        let waker = context.waker().clone();
        let key = (self.until, number);
        let old = sleepers.row.borrow_mut().insert(key, waker);
        drop(old);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            let key = (self.until, number);
            let waker = self.sleepers.row.borrow_mut().remove(&key);
            drop(waker);
        }
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").finish_non_exhaustive()
    }
}
