//! [`Exchange`]: publish and subscribe.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock};

use super::copies::{Copies, FEW, Missed, fill, keep_room, make, one_for_each, room_of_before};
use super::list::{Changes, List, Listed, Snapshot};
use super::reader::{Inlet, Reader, Slow};
use super::round::Round;
use super::row::{Left, Row, Seat, Set, Spread};
use super::sink::Sink;
use super::subscriber::{InDelivery, Subscriber, SubscriptionId, To, is_delivering};
use crate::sync::backend::{Backend, Tracked};
use crate::sync::queue::is_large;
use crate::watch::Site;

/// Hands each message to all who have subscribed.
///
/// - **Who**: a message goes to those who are subscribed when it is sent. Who subscribes in a delivery gets the
///   next one. Who is detached in the meantime may get the one that is under way, but none that is sent
///   later; [`detach_sync`](Exchange::detach_sync) waits for the one under way.
/// - **Ordering**: each subscriber gets the messages of one sender in their order. Those of two senders may be
///   mixed differently for two subscribers. A subscriber that sends to the exchange in a delivery sends at
///   once: those behind it in the list get its message first.
/// - **Slow subscribers**: a sink says what happens when it is full; [`Slow`] is the choice for a [`Reader`]. If
///   it is to be waited for, that is done after all others have got the message, wherever it stands in the
///   list: a slow one keeps nobody else waiting but the sender.
/// - **Panic**: that of one subscriber does not keep the message from the others; it goes on when all are
///   served.
/// - **Blocking**: sending waits only for subscribers that want that; subscribing and [`detach`](Exchange::detach)
///   never wait.
/// - **Capacity, fairness**: any number of subscribers. The exchange keeps no message; each subscriber has the room
///   that it chose, and they are served in the order in which they came.
/// - **Re-entrancy**: a subscriber may send, subscribe and detach in a delivery, and so may a clone or a destructor of
///   a message.
/// - **Drop**: readers get what they have, and then learn that the exchange is gone.
/// - **Locks**: none is held during a delivery, a clone or a drop.
/// - **Closed** sinks are taken off the list by the next message, readers when they are dropped.
///
/// ```
/// use lockwise::sync::{Exchange, Slow};
///
/// let news = Exchange::new();
/// let all = news.reader(Slow::Never);
/// let last = news.reader(Slow::DropOldest(1));
/// news.send("one");
/// news.send("two");
/// assert_eq!((all.get(), all.get()), (Ok("one"), Ok("two")));
/// assert!(last.get().is_err_and(|error| error.lagged() == Some(1)));
/// assert_eq!(last.get(), Ok("two"));
/// ```
pub struct Exchange<T: Send, B: Backend = Tracked> {
    /// The list of subscribers, and those of them that are readers. Nothing as long as nobody has subscribed.
    row: OnceLock<Arc<Row<T, B>>>,
    born: Site,
}

/// How many subscribers there were for a message, by what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delivered {
    /// They took it.
    pub taken: usize,
    /// It, or an older one in its place, was dropped.
    pub dropped: usize,
    /// They were closed, and are detached now. A [`Reader`] that was dropped before is not there to be counted.
    pub closed: usize,
}

/// A subscription that ends with this guard.
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use std::sync::Arc;
///
/// use lockwise::sync::Exchange;
///
/// let (news, count) = (Exchange::new(), Arc::new(AtomicUsize::new(0)));
/// let counts = Arc::clone(&count);
/// let subscription = news.subscribe(move |_: &str| {
///     counts.fetch_add(1, Ordering::Relaxed);
/// });
/// news.send("heard");
/// drop(subscription);
/// news.send("not heard");
/// assert_eq!(count.load(Ordering::Relaxed), 1);
/// ```
#[must_use = "the subscription ends when this is dropped"]
pub struct Subscription<'a, T: Send + 'static, B: Backend = Tracked> {
    exchange: &'a Exchange<T, B>,
    id: SubscriptionId,
}

impl<T: Send + 'static> Exchange<T> {
    /// An exchange without subscribers. The caller is its creation site.
    #[track_caller]
    pub const fn new() -> Exchange<T> {
        Exchange {
            row: OnceLock::new(),
            born: Site::caller(),
        }
    }
}

impl<T: Send + 'static, B: Backend> Exchange<T, B> {
    /// [`Exchange::new`], made of `B`.
    #[track_caller]
    pub fn new_in() -> Exchange<T, B> {
        Exchange {
            row: OnceLock::new(),
            born: Site::caller(),
        }
    }

    /// Subscribes a sink. The same sink twice gets each message twice.
    #[track_caller]
    pub fn attach(&self, sink: impl Sink<T> + 'static) -> SubscriptionId {
        self.add(To::Sink(Box::new(sink)), Site::caller())
    }

    fn add(&self, to: To<T, B>, at: Site) -> SubscriptionId {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = SubscriptionId(NEXT.fetch_add(1, Relaxed));
        let subscriber = Arc::new(Subscriber::new(id, to));
        self.row().enter(subscriber, at);
        id
    }

    /// Subscribes a sink for as long as the guard lives.
    #[track_caller]
    pub fn subscribe(&self, sink: impl Sink<T> + 'static) -> Subscription<'_, T, B> {
        let id = self.attach(sink);
        Subscription { exchange: self, id }
    }

    /// Subscribes a queue, and returns its other end. The subscription ends when that is dropped.
    #[track_caller]
    pub fn reader(&self, slow: Slow) -> Reader<T, B> {
        let at = Site::caller();
        let inlet = Inlet::new(slow, at, |keeps, room| self.seat(keeps, room, at));
        let mailbox = inlet.mailbox();
        let id = self.add(To::Reader(inlet), at);
        Reader::new(mailbox, Listed::new(Arc::clone(self.row()), id))
    }

    /// The first row.
    pub(super) fn row(&self) -> &Arc<Row<T, B>> {
        self.row.get_or_init(|| Arc::new(Row::new(self.born)))
    }

    /// Finds a seat for a reader, in a row of its own if all are taken.
    fn seat(&self, keeps: Option<usize>, room: Option<usize>, at: Site) -> Seat<T, B> {
        let first = self.row();
        let more = first.lock(at).more.clone();
        let mut rows = std::iter::once(first).chain(&more);
        if let Some(seat) = rows.find_map(|row| row.seat(keeps, room, at)) {
            return seat;
        }
        let row = Arc::new(Row::new(self.born));
        let seat = row.seat(keeps, room, at).expect("a new row has free seats");
        first.lock(at).more.push(row);
        seat
    }

    /// Ends a subscription; false if there is none. A delivery may be under way.
    #[track_caller]
    pub fn detach(&self, id: SubscriptionId) -> bool {
        self.take_out(id, Site::caller()).is_some()
    }

    /// Ends a subscription, and waits until no delivery to it is under way; false if there is none.
    ///
    /// # Errors
    ///
    /// If this thread is delivering to it; the subscription goes on then.
    #[track_caller]
    pub fn detach_sync(&self, id: SubscriptionId) -> Result<bool, InDelivery> {
        if is_delivering::<B::Threads>(id) {
            return Err(InDelivery);
        }
        let at = Site::caller();
        let gone = self.take_out(id, at);
        if let Some(gone) = &gone {
            gone.wait_quiet(at);
        }
        Ok(gone.is_some())
    }

    /// [`detach_sync`](Exchange::detach_sync), as a future. The subscription ends when this is called, also if the
    /// future is dropped.
    ///
    /// # Errors
    ///
    /// As [`detach_sync`](Exchange::detach_sync).
    #[track_caller]
    pub fn detach_async(
        &self,
        id: SubscriptionId,
    ) -> impl Future<Output = Result<bool, InDelivery>> + use<T, B> {
        let here = is_delivering::<B::Threads>(id);
        let gone = (!here).then(|| self.take_out(id, Site::caller()));
        async move {
            let gone = gone.ok_or(InDelivery)?;
            if let Some(gone) = &gone {
                gone.wait_quiet_async().await;
            }
            Ok(gone.is_some())
        }
    }

    /// How many subscriptions there are: a hint. A sink that was closed counts until the next message finds that.
    #[track_caller]
    pub fn len(&self) -> usize {
        self.subscribers(Site::caller())
    }

    /// Whether nobody has subscribed: a hint.
    #[track_caller]
    pub fn is_empty(&self) -> bool {
        self.subscribers(Site::caller()) == 0
    }

    /// Hands the message to all subscribers.
    ///
    /// # Panics
    ///
    /// If a subscriber does, or a clone; after the others have been served.
    #[track_caller]
    pub fn send(&self, message: T) -> Delivered
    where
        T: Clone,
    {
        let at = Site::caller();
        let Some(row) = self.row.get() else {
            return Delivered::default();
        };
        let readers = row.alone();
        if readers == 0 || is_large::<T>() {
            return self.send_to_each(message, Round::default(), at);
        }
        let last = (Set::BITS - 1 - readers.leading_zeros()) as usize;
        if last >= FEW {
            return self.send_to_many(row, readers, message, at);
        }
        let mut copies = [const { None }; FEW];
        let missed = fill(&mut copies, readers & !(1 << last), &message);
        copies[last] = Some(message);
        let spread = row.spread_few(readers, &mut copies);
        self.end_spread(spread, readers, &mut copies, missed, at)
    }

    /// [`send`](Exchange::send) to these readers of the first row, if they are all that have subscribed.
    #[inline(never)]
    fn send_to_many(&self, row: &Row<T, B>, readers: Set, message: T, at: Site) -> Delivered
    where
        T: Clone,
    {
        let count = readers.count_ones() as usize;
        let mut copies = room_of_before(count);
        let missed = make(&mut copies, count - 1, &message);
        copies.push(message);
        if row.spread_line(readers, &mut copies) {
            keep_room(copies);
            return match missed {
                None => Delivered {
                    taken: count,
                    ..Delivered::default()
                },
                missed => self.send_what_is_left(Spread::ToAll, readers, &mut [], missed, at),
            };
        }
        let mut copies = one_for_each(readers, *copies);
        let spread = row.spread(readers, &mut copies);
        self.end_spread(spread, readers, &mut copies, missed, at)
    }

    /// Says what became of a message to readers alone.
    #[inline]
    fn end_spread(
        &self,
        spread: Spread<T, B>,
        readers: Set,
        copies: &mut Copies<T>,
        missed: Option<Missed>,
        at: Site,
    ) -> Delivered
    where
        T: Clone,
    {
        match spread {
            Spread::ToAll if missed.is_none() => Delivered {
                taken: readers.count_ones() as usize,
                dropped: 0,
                closed: 0,
            },
            spread => self.send_what_is_left(spread, readers, copies, missed, at),
        }
    }

    /// Does what is left to do for a message to readers alone.
    #[inline(never)]
    fn send_what_is_left(
        &self,
        spread: Spread<T, B>,
        readers: Set,
        copies: &mut Copies<T>,
        missed: Option<Missed>,
        at: Site,
    ) -> Delivered
    where
        T: Clone,
    {
        let mut round = Round::default();
        round.have_missed(missed);
        let (left, list) = match spread {
            Spread::ToAll => (Left::default(), None),
            Spread::Partly(left, list) => (left, list),
            Spread::ToNobody => {
                let mut unused = copies.iter_mut().filter_map(Option::take);
                // The last one is the message itself.
                let message = unused.next_back();
                for copy in unused {
                    let dropped = catch_unwind(AssertUnwindSafe(|| drop(copy)));
                    round.panic = round.panic.take().or(dropped.err());
                }
                round.missed = 0;
                let message = message.expect("the message is among its copies");
                return self.send_to_each(message, round, at);
            }
        };
        round.offered = readers.count_ones() as usize;
        let (list, mut full) = (list.as_deref(), Vec::new());
        let all = list.map_or(&[][..], List::all);
        round.go_on(all, left, copies, &mut full);
        for (subscriber, mut slot) in full {
            round.wait_with(subscriber, &mut slot);
        }
        self.end(&mut round, at)
    }

    #[inline(never)]
    fn send_to_each(&self, message: T, mut round: Round, at: Site) -> Delivered
    where
        T: Clone,
    {
        let list = self.snapshot(at);
        let mut full = Vec::new();
        round.begin(list.as_deref(), message, &mut full);
        // Those that are to be waited for come last, so that nobody else waits for them.
        for (subscriber, mut slot) in full {
            round.wait_with(subscriber, &mut slot);
        }
        self.end(&mut round, at)
    }

    /// [`send`](Exchange::send), as a future. Whoever has room gets the message when it is first polled. Dropped
    /// before it is ready, it is not given to those that were still to be waited for.
    ///
    /// # Panics
    ///
    /// As [`send`](Exchange::send), when it is polled.
    #[track_caller]
    pub fn send_async(&self, message: T) -> impl Future<Output = Delivered> + use<'_, T, B>
    where
        T: Clone,
    {
        let at = Site::caller();
        async move {
            let list = self.snapshot(at);
            let (mut round, mut full) = (Round::default(), Vec::new());
            round.begin(list.as_deref(), message, &mut full);
            for (subscriber, mut slot) in full {
                round.wait_with_async(subscriber, &mut slot).await;
            }
            self.end(&mut round, at)
        }
    }

    /// Takes those off the list that are closed, and says what became of a message.
    fn end(&self, round: &mut Round, at: Site) -> Delivered {
        if !round.closed.is_empty()
            && let Some(row) = self.row.get()
        {
            row.take_out(&round.closed, at);
        }
        if let Some(panic) = round.panic.take() {
            resume_unwind(panic);
        }
        Delivered {
            taken: round.offered - round.missed,
            dropped: round.dropped,
            closed: round.closed.len(),
        }
    }

    fn subscribers(&self, at: Site) -> usize {
        self.row.get().map_or(0, |row| row.lock(at).subscribers())
    }

    fn snapshot(&self, at: Site) -> Option<Snapshot<T, B>> {
        self.row.get()?.snapshot(at)
    }

    /// Takes a subscriber off the list; no more deliveries to it begin.
    fn take_out(&self, id: SubscriptionId, at: Site) -> Option<Arc<Subscriber<T, B>>> {
        self.row.get()?.take_out(&[id], at).pop()
    }
}

impl<T: Send + 'static, B: Backend> Subscription<'_, T, B> {
    /// Which subscription this is.
    pub fn id(&self) -> SubscriptionId {
        self.id
    }
}

impl<T: Send, B: Backend> Drop for Exchange<T, B> {
    /// Nobody gets a message any more. The list has inlets of readers, which have seats in the row that has the list.
    fn drop(&mut self) {
        if let Some(row) = self.row.get() {
            let mut seats = row.lock(self.born);
            let changes = std::mem::replace(&mut seats.changes, Changes::new());
            let (list, more) = (seats.list.take(), std::mem::take(&mut seats.more));
            row.set_alone(&mut seats, 0);
            drop(seats);
            drop((list, changes, more));
        }
    }
}

impl<T: Send + 'static, B: Backend> Drop for Subscription<'_, T, B> {
    fn drop(&mut self) {
        self.exchange.take_out(self.id, self.exchange.born);
    }
}

impl<T: Send + 'static> Default for Exchange<T> {
    #[track_caller]
    fn default() -> Exchange<T> {
        Exchange::new()
    }
}

impl<T: Send + 'static, B: Backend> fmt::Debug for Exchange<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Exchange");
        let subscribers = match self.row.get() {
            None => Some(0),
            Some(row) => row.try_lock(self.born).map(|seats| seats.subscribers()),
        };
        match subscribers {
            Some(count) => shown.field("subscribers", &count),
            None => shown.field("subscribers", &format_args!("<locked>")),
        };
        shown.finish()
    }
}

impl<T: Send + 'static, B: Backend> fmt::Debug for Subscription<'_, T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Subscription").field(&self.id).finish()
    }
}
