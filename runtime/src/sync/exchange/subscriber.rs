//! A place in the list of an exchange.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::AcqRel;

use super::reader::Inlet;
use super::row::{Row, Seat, Set};
use super::sink::Sink;
use crate::sync::backend::{Backend, Duty};
use crate::sync::deadline::Deadline;
use crate::sync::event::Event;
use crate::sync::queue::is_large;
use crate::sync::threads::Threads;
use crate::watch::Site;

/// Which subscription: a number that is used once in its process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubscriptionId(pub(super) u64);

/// The subscriber is being delivered to on this very thread, so that could not be waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InDelivery;

impl fmt::Display for InDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a subscriber cannot wait for the delivery that it is in")
    }
}

impl Error for InDelivery {}

/// A sink, and how many deliveries to it are under way.
pub(super) struct Subscriber<T: Send, B: Backend> {
    pub(super) id: SubscriptionId,
    pub(super) to: To<T, B>,
    /// The number of deliveries, and [`GONE`].
    under_way: AtomicU64,
    /// Set when it is gone and no delivery is under way.
    quiet: Event<B>,
}

/// What stands in the list.
pub(super) enum To<T: Send, B: Backend> {
    /// A reader, which is the usual thing. Nobody knows its number, so that it is detached by its drop only, and that
    /// closes it. So nobody ever waits for the end of a delivery to it, and those under way are not counted.
    Reader(Inlet<T, B>),
    Sink(Box<dyn Sink<T>>),
}

impl<T: Send, B: Backend> To<T, B> {
    /// It as a sink.
    pub(super) fn sink(&self) -> &dyn Sink<T> {
        match self {
            To::Reader(inlet) => inlet,
            To::Sink(sink) => &**sink,
        }
    }
}

/// It was detached: no more deliveries begin.
const GONE: u64 = 1 << 63;

/// A delivery under way.
pub(super) struct UnderWay<'a, T: Send, B: Backend>(&'a Subscriber<T, B>);

/// This thread is at work on a delivery, until this is dropped. Before that nobody learns that none is under way.
pub(super) struct OnIt<'a, B: Backend> {
    id: SubscriptionId,
    _duty: Duty<'a, B::Flow>,
}

impl<B: Backend> Drop for OnIt<'_, B> {
    fn drop(&mut self) {
        B::Threads::with_own(|own| {
            let mut row = own.delivering.borrow_mut();
            // Deliveries end in the order opposite to that in which they began.
            debug_assert_eq!(row.last(), Some(&self.id));
            row.pop();
        });
    }
}

impl<T: Send, B: Backend> Subscriber<T, B> {
    pub(super) fn new(id: SubscriptionId, to: To<T, B>) -> Subscriber<T, B> {
        Subscriber {
            id,
            to,
            under_way: AtomicU64::new(0),
            quiet: Event::new_in(),
        }
    }

    /// Where it sits, if it is a reader.
    fn its_seat(&self) -> Option<&Seat<T, B>> {
        match &self.to {
            To::Reader(inlet) => Some(inlet.seat()),
            To::Sink(_) => None,
        }
    }

    /// The seat of a reader among those of its row.
    pub(super) fn seat(&self) -> Option<Set> {
        self.its_seat().map(Seat::as_set)
    }

    /// The same, if it is in this row.
    pub(super) fn seat_within(&self, row: &Arc<Row<T, B>>) -> Option<Set> {
        let seat = self.its_seat()?;
        Arc::ptr_eq(seat.row(), row).then(|| seat.as_set())
    }

    /// Whether both are readers of one row.
    pub(super) fn sits_beside(&self, other: &Subscriber<T, B>) -> bool {
        let its_row = self.its_seat().map(Seat::row);
        its_row.is_some_and(|row| other.seat_within(row).is_some())
    }

    /// The row of a reader, if copies can be given to all who sit there at once.
    pub(super) fn row_to_give_to(&self) -> Option<&Row<T, B>> {
        let row = self.its_seat()?.row();
        (row.is_untold() && !is_large::<T>()).then_some(row)
    }

    /// A delivery begins, unless the subscriber is gone.
    pub(super) fn begin(&self) -> Option<UnderWay<'_, T, B>> {
        B::Threads::step();
        let before = self.under_way.fetch_add(1, AcqRel);
        let under_way = UnderWay(self);
        (before & GONE == 0).then_some(under_way)
    }

    /// This thread works on a delivery that is under way.
    pub(super) fn on_it(&self) -> OnIt<'_, B> {
        // Locals of a thread that ends may be gone: then nothing is known of deliveries on it.
        B::Threads::with_own(|own| own.delivering.borrow_mut().push(self.id));
        OnIt {
            id: self.id,
            _duty: self.quiet.duty(),
        }
    }

    /// No more deliveries begin.
    pub(super) fn leave(&self) {
        B::Threads::step();
        let before = self.under_way.fetch_or(GONE, AcqRel);
        if before & !GONE == 0 {
            self.quiet.set();
        }
    }

    /// Waits until no delivery is under way to a subscriber that is gone: all who work on one keep this thread waiting.
    #[track_caller]
    pub(super) fn wait_quiet(&self, at: Site) {
        if !self.quiet.is_set() {
            self.quiet.wait_for_work(Deadline::Never, at);
        }
    }

    /// [`wait_quiet`](Subscriber::wait_quiet), as a future.
    pub(super) async fn wait_quiet_async(&self) {
        self.quiet.wait_async().await;
    }
}

/// Whether this thread is delivering to that subscriber.
pub(super) fn is_delivering<T: Threads>(id: SubscriptionId) -> bool {
    let here = T::with_own(|own| own.delivering.borrow().contains(&id));
    here.unwrap_or(false)
}

impl<T: Send, B: Backend> Drop for UnderWay<'_, T, B> {
    fn drop(&mut self) {
        B::Threads::step();
        if self.0.under_way.fetch_sub(1, AcqRel) == GONE + 1 {
            self.0.quiet.set();
        }
    }
}
