//! [`Exchange`]: publish and subscribe.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use super::reader::{Inlet, Reader, Slow};
use super::sink::{Delivery, Sink};
use super::subscriber::{InDelivery, Subscriber, SubscriptionId, is_delivering};
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
pub struct Exchange<T, B: Backend = Tracked> {
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
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let at = Site::caller();
        let id = SubscriptionId(NEXT.fetch_add(1, Relaxed));
        let subscriber = Arc::new(Subscriber::new(id, Box::new(sink)));
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
        let (inlet, reader) = Inlet::new(slow, Site::caller());
        self.attach(inlet);
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
        let mut round = Round {
            delivered: Delivered::default(),
            closed: Vec::new(),
            panic: None,
        };
        let list = self.snapshot(at);
        let mut full = Vec::new();
        if let Some((last, others)) = list.as_deref().and_then(|list| list.split_last()) {
            for subscriber in others {
                let mut slot = None;
                let copy = catch_unwind(AssertUnwindSafe(|| message.clone()));
                match copy {
                    Ok(copy) => slot = Some(copy),
                    Err(panic) => drop(round.panic.get_or_insert(panic)),
                }
                if round.offer(subscriber, &mut slot) {
                    full.push((subscriber, slot));
                }
            }
            let mut slot = Some(message);
            if round.offer(last, &mut slot) {
                full.push((last, slot));
            }
        }
        // Those that are to be waited for come last, so that nobody else waits for them.
        for (subscriber, mut slot) in full {
            round.wait_with(subscriber, &mut slot);
        }
        for id in &round.closed {
            self.take_out(*id, at);
        }
        if let Some(panic) = round.panic {
            resume_unwind(panic);
        }
        round.delivered
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
struct Round {
    delivered: Delivered,
    closed: Vec<SubscriptionId>,
    /// The first panic.
    panic: Option<Box<dyn Any + Send>>,
}

impl Round {
    /// Offers the message to a subscriber. Whether that is full, and to be waited for.
    fn offer<T, B: Backend>(&mut self, to: &Subscriber<T, B>, slot: &mut Option<T>) -> bool {
        let offered = |sink: &dyn Sink<T>, slot: &mut Option<T>| sink.try_deliver(slot);
        slot.is_some() && self.give(to, slot, offered) == Some(Delivery::Full)
    }

    /// Waits until a subscriber has taken the message.
    fn wait_with<T, B: Backend>(&mut self, to: &Subscriber<T, B>, slot: &mut Option<T>) {
        self.give(to, slot, |sink, slot| sink.deliver(slot));
    }

    fn give<T, B: Backend>(
        &mut self,
        to: &Subscriber<T, B>,
        slot: &mut Option<T>,
        how: impl FnOnce(&dyn Sink<T>, &mut Option<T>) -> Delivery,
    ) -> Option<Delivery> {
        let _under_way = to.begin()?;
        match catch_unwind(AssertUnwindSafe(|| how(&*to.sink, slot))) {
            Ok(delivery) => {
                match delivery {
                    Delivery::Taken => self.delivered.taken += 1,
                    Delivery::Dropped => self.delivered.dropped += 1,
                    Delivery::Full => {}
                    Delivery::Closed => {
                        self.delivered.closed += 1;
                        self.closed.push(to.id);
                    }
                }
                Some(delivery)
            }
            Err(panic) => {
                self.panic.get_or_insert(panic);
                None
            }
        }
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
