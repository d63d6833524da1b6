//! [`Exchange`]: publish and subscribe.

use std::any::Any;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Poll;

use super::reader::{Inlet, Reader, Slow};
use super::sink::{Delivery, Sink};
use super::subscriber::{InDelivery, Subscriber, SubscriptionId, To, is_delivering};
use crate::sync::backend::{Backend, Lock, Tracked};
use crate::sync::leaf::LeafMutex;
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
/// - **Locks**: none is held during a delivery, a clone or a drop.
/// - **Closed** sinks are taken off the list.
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
    /// The subscribers; another list for each change. Nothing, as long as nobody has subscribed.
    list: B::Mutex<Option<Snapshot<T, B>>>,
    born: Site,
}

/// The subscribers at one moment.
type Snapshot<T, B> = Arc<Vec<Arc<Subscriber<T, B>>>>;

/// How many subscribers there were for a message, by what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delivered {
    /// They took it.
    pub taken: usize,
    /// It, or an older one in its place, was dropped.
    pub dropped: usize,
    /// They were closed, and are detached now.
    pub closed: usize,
}

/// A subscription that ends with this guard.
#[must_use = "the subscription ends when this is dropped"]
pub struct Subscription<'a, T: Send + 'static, B: Backend = Tracked> {
    exchange: &'a Exchange<T, B>,
    id: SubscriptionId,
}

impl<T: Send + 'static> Exchange<T> {
    /// An exchange without subscribers. The caller is its creation site.
    #[track_caller]
    pub const fn new() -> Exchange<T> {
        let born = Site::caller();
        Exchange {
            list: LeafMutex::of(None, born),
            born,
        }
    }
}

impl<T: Send + 'static, B: Backend> Exchange<T, B> {
    /// [`Exchange::new`], made of `B`.
    #[track_caller]
    pub fn new_in() -> Exchange<T, B> {
        let born = Site::caller();
        Exchange {
            list: B::Mutex::new_at(None, born),
            born,
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
        self.change(at, |list| list.push(Arc::clone(&subscriber)));
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
        let (inlet, reader) = Inlet::new(slow, at);
        self.add(To::Reader(inlet), at);
        reader
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
        let gone = self.take_out(id, Site::caller());
        if let Some(gone) = &gone {
            gone.wait_quiet();
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

    /// How many subscriptions there are: a hint.
    #[track_caller]
    pub fn len(&self) -> usize {
        self.snapshot(Site::caller()).map_or(0, |list| list.len())
    }

    /// Whether nobody has subscribed: a hint.
    #[track_caller]
    pub fn is_empty(&self) -> bool {
        self.snapshot(Site::caller())
            .is_none_or(|list| list.is_empty())
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
        let list = self.snapshot(at);
        let (mut round, mut full) = (Round::default(), Vec::new());
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
        for id in &round.closed {
            self.take_out(*id, at);
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

    fn snapshot(&self, at: Site) -> Option<Snapshot<T, B>> {
        self.list.lock_at(at).clone()
    }

    /// Replaces the list by a changed one. It is copied, and what it was dropped, outside the lock, unless
    /// others change it meanwhile.
    fn change(&self, at: Site, change: impl Fn(&mut Vec<Arc<Subscriber<T, B>>>)) {
        loop {
            let old = self.snapshot(at);
            let mut list = old.as_deref().cloned().unwrap_or_default();
            change(&mut list);
            let new = Some(Arc::new(list));
            let mut now = self.list.lock_at(at);
            let unchanged = match (&*now, &old) {
                (None, None) => true,
                (Some(now), Some(old)) => Arc::ptr_eq(now, old),
                _ => false,
            };
            if unchanged {
                let replaced = std::mem::replace(&mut *now, new);
                drop(now);
                drop(replaced);
                return;
            }
            drop(now);
        }
    }

    /// Takes a subscriber off the list; no more deliveries to it begin.
    fn take_out(&self, id: SubscriptionId, at: Site) -> Option<Arc<Subscriber<T, B>>> {
        let list = self.snapshot(at)?;
        let found = list.iter().find(|subscriber| subscriber.id == id)?;
        // Of several who take it out at the same time one did.
        let mine = found.leave();
        self.change(at, |list| list.retain(|subscriber| subscriber.id != id));
        mine.then(|| Arc::clone(found))
    }
}

/// A message on its way through the list.
#[derive(Default)]
struct Round {
    /// To how many it was to go.
    offered: usize,
    /// How many of them have not taken it, and will not. So the usual delivery has nothing to note.
    missed: usize,
    dropped: usize,
    closed: Vec<SubscriptionId>,
    /// The first panic.
    panic: Option<Box<dyn Any + Send>>,
}

/// Subscribers that are to be waited for, each with its copy of the message.
type Full<'a, T, B> = Vec<(&'a Subscriber<T, B>, Option<T>)>;

impl Round {
    /// Offers the message to all; those that are to be waited for are left over. In place: a round that is moved is
    /// written in parts and read as a whole, which costs more than two deliveries.
    #[inline]
    fn begin<'a, T: Clone + Send, B: Backend>(
        &mut self,
        list: Option<&'a Vec<Arc<Subscriber<T, B>>>>,
        message: T,
        full: &mut Full<'a, T, B>,
    ) {
        let Some((youngest, others)) = list.and_then(|all| all.split_last()) else {
            return;
        };
        self.offered = others.len() + 1;
        let mut next = 0;
        // A panic is that of one subscriber, or of its copy: the others behind it come after.
        while next < others.len() {
            let rest = AssertUnwindSafe(|| {
                while let Some(to) = others.get(next) {
                    next += 1;
                    if let Some(back) = self.offer(to, message.clone()) {
                        full.push((&**to, Some(back)));
                    }
                }
            });
            if let Err(panic) = catch_unwind(rest) {
                self.missed(Some(panic));
            }
        }
        match catch_unwind(AssertUnwindSafe(|| self.offer(youngest, message))) {
            Ok(None) => {}
            Ok(back) => full.push((&**youngest, back)),
            Err(panic) => self.missed(Some(panic)),
        }
    }

    /// Offers the message to a subscriber. It comes back if that is full, and to be waited for.
    #[inline]
    fn offer<T: Send, B: Backend>(&mut self, to: &Subscriber<T, B>, message: T) -> Option<T> {
        match &to.to {
            To::Reader(inlet) => match inlet.offer(message) {
                Ok(delivery) => {
                    self.note(to.id, delivery);
                    None
                }
                Err(back) => Some(back),
            },
            To::Sink(sink) => self.offer_to_sink(to, &**sink, message),
        }
    }

    #[inline(never)]
    fn offer_to_sink<T: Send, B: Backend>(
        &mut self,
        to: &Subscriber<T, B>,
        sink: &dyn Sink<T>,
        message: T,
    ) -> Option<T> {
        let Some(_under_way) = to.begin() else {
            self.missed(None);
            return None;
        };
        let _on_it = to.on_it();
        let mut slot = Some(message);
        match sink.try_deliver(&mut slot) {
            Delivery::Full if slot.is_some() => slot,
            delivery => {
                self.note(to.id, delivery);
                None
            }
        }
    }

    /// Waits until a subscriber has taken the message.
    fn wait_with<T: Send, B: Backend>(&mut self, to: &Subscriber<T, B>, slot: &mut Option<T>) {
        let Some(_under_way) = to.begin() else {
            return self.missed(None);
        };
        let _on_it = to.on_it();
        let delivered = catch_unwind(AssertUnwindSafe(|| to.to.sink().deliver(slot)));
        self.note_or_panic(to.id, delivered);
    }

    /// [`wait_with`](Round::wait_with), as a future.
    async fn wait_with_async<T: Send, B: Backend>(
        &mut self,
        to: &Subscriber<T, B>,
        slot: &mut Option<T>,
    ) {
        let Some(_under_way) = to.begin() else {
            return self.missed(None);
        };
        // The sink makes its future, and drops it, when it is polled: that is part of the delivery.
        let mut delivering = pin!(async { to.to.sink().deliver_async(slot).await });
        let delivered = poll_fn(|context| {
            let _on_it = to.on_it();
            let polled = AssertUnwindSafe(|| delivering.as_mut().poll(context));
            match catch_unwind(polled) {
                Ok(Poll::Pending) => Poll::Pending,
                Ok(Poll::Ready(delivery)) => Poll::Ready(Ok(delivery)),
                Err(panic) => Poll::Ready(Err(panic)),
            }
        });
        let delivered = delivered.await;
        self.note_or_panic(to.id, delivered);
    }

    fn note_or_panic(&mut self, to: SubscriptionId, delivered: std::thread::Result<Delivery>) {
        match delivered {
            Ok(delivery) => self.note(to, delivery),
            Err(panic) => self.missed(Some(panic)),
        }
    }

    /// A subscriber does not get it, perhaps by a panic.
    #[cold]
    fn missed(&mut self, panic: Option<Box<dyn Any + Send>>) {
        self.missed += 1;
        self.panic = self.panic.take().or(panic);
    }

    /// Notes what became of a delivery.
    #[inline]
    fn note(&mut self, to: SubscriptionId, delivery: Delivery) {
        match delivery {
            Delivery::Taken => return,
            Delivery::Dropped => self.dropped += 1,
            Delivery::Full => {}
            Delivery::Closed => self.closed.push(to),
        }
        self.missed += 1;
    }
}

impl<T: Send + 'static, B: Backend> Subscription<'_, T, B> {
    /// Which subscription this is.
    pub fn id(&self) -> SubscriptionId {
        self.id
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
        let list = self.list.try_lock_at(self.born).map(|list| list.clone());
        match list {
            Some(list) => shown.field("subscribers", &list.map_or(0, |list| list.len())),
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
