//! Items that can be got when their time has come: [`DelayQueue`].

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use super::alarm::Alarm;
use super::backend::{Backend, Flow, Lock, Tracked, TrackedFlow};
use super::deadline::{Deadline, due_after};
use super::leaf::LeafMutex;
use super::number::Number;
use super::park;
use super::priority::Priority;
use super::queue::{GetError, PutError};
use super::threads::Threads;
use crate::waiting::{Later, Ticket, Waiters};
use crate::watch::Site;

/// A queue whose items can be got when their time has come: what a scheduler is made of.
///
/// - **Ordering**: earliest first; of what is due at the same time the highest priority first, and then in the
///   order in which they were put.
/// - **Blocking**: a get waits until something is due. It learns of an item that is put meanwhile and is due
///   earlier. There is no bound, so a put never waits.
/// - **Cancel**: exactly the item that a token names.
/// - **Close**: nothing can be put any more; what is there can be got when it is due, and then the queue is
///   [`Closed`](GetError::Closed).
/// - **Capacity**: none; what is not got stays there, and is dropped with the queue.
/// - **Panic, drop, re-entrancy**: as [`Queue`](crate::sync::Queue).
/// - **Fairness**: what is due goes to whoever looks first; gets that wait are woken in the order in which they came.
///
/// ```
/// use std::time::{Duration, Instant};
///
/// use lockwise::sync::DelayQueue;
///
/// let timetable = DelayQueue::new();
/// let now = Instant::now();
/// timetable.put_at("second", now, 1).unwrap();
/// timetable.put_at("first", now, 2).unwrap();
/// timetable.put_at("third", now + Duration::from_millis(5), 9).unwrap();
/// assert_eq!(timetable.get(), Ok("first"));
/// assert_eq!(timetable.get(), Ok("second"));
/// assert_eq!(timetable.get(), Ok("third"));
/// assert!(now.elapsed() >= Duration::from_millis(5));
/// ```
pub struct DelayQueue<T: Send, B: Backend = Tracked> {
    state: B::Mutex<State<T>>,
    /// Units for items.
    flow: B::Flow,
    /// Its own number, for its tokens.
    own: Number,
    born: Site,
}

struct State<T> {
    items: BTreeMap<Place, T>,
    next: u64,
    is_closed: bool,
    getters: Waiters,
}

/// When an item is due, its priority, and its number.
type Place = (Instant, Reverse<i128>, u64);

/// Which item of a [`DelayQueue`] was put.
///
/// ```
/// use std::time::Duration;
///
/// use lockwise::sync::{DelayQueue, GetError};
///
/// let queue = DelayQueue::new();
/// let token = queue.put_after("in an hour", Duration::from_secs(3600)).unwrap();
/// assert_eq!(queue.try_get(), Err(GetError::Empty));
/// assert_eq!(queue.cancel(&token), Some("in an hour"));
/// assert!(queue.is_empty());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DelayToken {
    place: Place,
    /// The number of the queue.
    queue: u64,
}

/// What a look at the queue says.
enum Look<T> {
    Got(T),
    Over(GetError),
    /// Nothing is due before this, and it is not what was waited for.
    NotBefore(Option<Instant>),
}

impl<T> State<T> {
    const fn new() -> State<T> {
        State {
            items: BTreeMap::new(),
            next: 0,
            is_closed: false,
            getters: Waiters::new(),
        }
    }

    fn first_due(&self) -> Option<Instant> {
        self.items.first_key_value().map(|(place, _)| place.0)
    }
}

impl<T: Send> DelayQueue<T> {
    /// A queue without items. The caller is its creation site.
    #[track_caller]
    pub const fn new() -> DelayQueue<T> {
        let born = Site::caller();
        DelayQueue {
            state: LeafMutex::of(State::new(), born),
            flow: TrackedFlow::of::<DelayQueue<T>>(born),
            own: Number::new(),
            born,
        }
    }
}

impl<T: Send, B: Backend> DelayQueue<T, B> {
    /// [`DelayQueue::new`], made of `B`.
    #[track_caller]
    pub fn new_in() -> DelayQueue<T, B> {
        let born = Site::caller();
        DelayQueue {
            state: B::Mutex::new_at(State::new(), born),
            flow: B::Flow::new_at(born, std::any::type_name::<DelayQueue<T>>),
            own: Number::new(),
            born,
        }
    }

    /// Puts an item in that is due at `due`.
    ///
    /// # Errors
    ///
    /// [`PutError::Closed`], with the item.
    #[track_caller]
    pub fn put_at(
        &self,
        item: T,
        due: Instant,
        priority: impl Priority,
    ) -> Result<DelayToken, PutError<T>> {
        let at = Site::caller();
        let key = priority.key();
        let mut later = Later::new();
        let mut state = self.state.lock_at(at);
        if state.is_closed {
            return Err(PutError::Closed(item));
        }
        let place = (due, Reverse(key), state.next);
        state.next += 1;
        self.flow.posted(1, at);
        state.items.insert(place, item);
        if state.first_due() == Some(due) {
            // Whoever waits waits for a later one, perhaps.
            state.getters.choose_all(&mut later);
        }
        drop(state);
        later.run();
        let queue = self.own.get();
        Ok(DelayToken { place, queue })
    }

    /// Puts an item in that is due after `delay`, with priority 0. A delay too long to be written down never ends.
    ///
    /// # Errors
    ///
    /// [`PutError::Closed`], with the item.
    #[track_caller]
    pub fn put_after(&self, item: T, delay: Duration) -> Result<DelayToken, PutError<T>> {
        self.put_at(item, due_after::<B::Threads>(delay), 0)
    }

    /// Gets what is due, waiting for it.
    ///
    /// # Errors
    ///
    /// [`GetError::Closed`], if nothing will come any more.
    #[track_caller]
    pub fn get(&self) -> Result<T, GetError> {
        self.get_until(Deadline::Never, Site::caller())
    }

    /// [`get`](DelayQueue::get), waiting at most for `timeout`.
    ///
    /// # Errors
    ///
    /// [`GetError::Timeout`], or as [`get`](DelayQueue::get).
    #[track_caller]
    pub fn get_timeout(&self, timeout: Duration) -> Result<T, GetError> {
        self.get_until(Deadline::after::<B::Threads>(timeout), Site::caller())
    }

    /// [`get`](DelayQueue::get), waiting at most until `deadline`.
    ///
    /// # Errors
    ///
    /// [`GetError::Timeout`], or as [`get`](DelayQueue::get).
    #[track_caller]
    pub fn get_deadline(&self, deadline: Instant) -> Result<T, GetError> {
        self.get_until(Deadline::At(deadline), Site::caller())
    }

    /// [`get`](DelayQueue::get), as a future. Dropped before it is ready, it takes nothing.
    ///
    /// # Errors
    ///
    /// As [`get`](DelayQueue::get).
    #[track_caller]
    pub fn get_async(&self) -> impl Future<Output = Result<T, GetError>> + use<'_, T, B> {
        let mut getting = Getting {
            queue: self,
            ticket: Ticket::new(),
            first: None,
            alarm: None,
            at: Site::caller(),
        };
        poll_fn(move |context| getting.poll(context.waker()))
    }

    /// Gets what is due now, if something is.
    ///
    /// # Errors
    ///
    /// [`GetError::Empty`], if nothing is due, or as [`get`](DelayQueue::get).
    #[track_caller]
    pub fn try_get(&self) -> Result<T, GetError> {
        self.last_look(Site::caller()).map_err(|error| match error {
            GetError::Timeout => GetError::Empty,
            other => other,
        })
    }

    /// Takes exactly this item out, if it is still there. A token of another queue names none of this one.
    #[track_caller]
    pub fn cancel(&self, token: &DelayToken) -> Option<T> {
        if !self.own.is(token.queue) {
            return None;
        }
        let at = Site::caller();
        let mut later = Later::new();
        let mut state = self.state.lock_at(at);
        let item = state.items.remove(&token.place);
        if state.is_closed && state.items.is_empty() {
            state.getters.choose_all(&mut later);
        }
        drop(state);
        if item.is_some() {
            self.taken(at);
        }
        later.run();
        item
    }

    /// Closes the queue: nothing can be put any more. Whether it was open.
    #[track_caller]
    pub fn close(&self) -> bool {
        let mut later = Later::new();
        let mut state = self.state.lock_at(Site::caller());
        let news = !std::mem::replace(&mut state.is_closed, true);
        state.getters.choose_all(&mut later);
        drop(state);
        later.run();
        news
    }

    /// Closes the queue and takes out what is there, earliest first.
    #[track_caller]
    pub fn close_now(&self) -> Vec<T> {
        let at = Site::caller();
        let mut later = Later::new();
        let mut state = self.state.lock_at(at);
        state.is_closed = true;
        let items = std::mem::take(&mut state.items);
        state.getters.choose_all(&mut later);
        drop(state);
        for _ in &items {
            self.taken(at);
        }
        later.run();
        items.into_values().collect()
    }

    /// Whether the queue is closed; it may still have items.
    #[track_caller]
    pub fn is_closed(&self) -> bool {
        self.state.lock_at(Site::caller()).is_closed
    }

    /// How many items there are, due or not: a hint.
    #[track_caller]
    pub fn len(&self) -> usize {
        self.state.lock_at(Site::caller()).items.len()
    }

    /// Whether there is no item: a hint.
    #[track_caller]
    pub fn is_empty(&self) -> bool {
        self.state.lock_at(Site::caller()).items.is_empty()
    }

    fn get_until(&self, deadline: Deadline, at: Site) -> Result<T, GetError> {
        let mut ticket = Ticket::new();
        // What the wait looks out for: the first item, as it was seen.
        let mut first = None;
        let got = loop {
            let until = match (first, deadline) {
                (Some(first), Deadline::At(deadline)) if first > deadline => Deadline::At(deadline),
                (Some(first), _) => Deadline::At(first),
                (None, deadline) => deadline,
            };
            match park::wait::<B::Threads, _>(until, |waker| {
                self.poll(&mut ticket, waker, first, at)
            }) {
                Some(Look::Got(item)) => break Ok(item),
                Some(Look::Over(error)) => break Err(error),
                Some(Look::NotBefore(due)) => first = due,
                None if until == deadline => break self.last_look(at),
                None => first = None,
            }
        };
        self.leave(&mut ticket, at);
        got
    }

    /// An item was taken out. Nobody is told as waiting for one: it is due when its time has come.
    fn taken(&self, at: Site) {
        if self.flow.is_told() {
            self.flow.obtained(true, at);
        }
    }

    /// A get waits no more.
    fn leave(&self, ticket: &mut Ticket, at: Site) {
        if ticket.is_some() {
            let mut later = Later::new();
            self.state.lock_at(at).getters.leave(ticket, &mut later);
        }
    }

    fn poll(
        &self,
        ticket: &mut Ticket,
        waker: &Waker,
        first: Option<Instant>,
        at: Site,
    ) -> Poll<Look<T>> {
        let (waker, mut later) = (waker.clone(), Later::new());
        let mut state = self.state.lock_at(at);
        let due = state.first_due();
        let look = if due.is_some_and(|due| due <= B::Threads::now()) {
            let item = state.items.pop_first();
            item.map_or(Look::NotBefore(None), |(_, item)| Look::Got(item))
        } else if due.is_none() && state.is_closed {
            Look::Over(GetError::Closed)
        } else if due != first {
            Look::NotBefore(due)
        } else {
            state.getters.enter(ticket, waker, &mut later);
            drop(state);
            return Poll::Pending;
        };
        drop(state);
        if matches!(look, Look::Got(_)) {
            self.taken(at);
        }
        Poll::Ready(look)
    }

    /// What is there when the deadline has come.
    fn last_look(&self, at: Site) -> Result<T, GetError> {
        let mut state = self.state.lock_at(at);
        let first = match state.first_due() {
            Some(due) if due <= B::Threads::now() => state.items.pop_first(),
            None if state.is_closed => return Err(GetError::Closed),
            _ => None,
        };
        drop(state);
        let (_, item) = first.ok_or(GetError::Timeout)?;
        self.taken(at);
        Ok(item)
    }
}

/// A get that waits as a task.
struct Getting<'a, T: Send, B: Backend> {
    queue: &'a DelayQueue<T, B>,
    ticket: Ticket,
    /// What it looks out for: the first item, as it was seen.
    first: Option<Instant>,
    alarm: Option<Alarm>,
    at: Site,
}

impl<T: Send, B: Backend> Getting<'_, T, B> {
    fn poll(&mut self, waker: &Waker) -> Poll<Result<T, GetError>> {
        loop {
            match self
                .queue
                .poll(&mut self.ticket, waker, self.first, self.at)
            {
                Poll::Ready(Look::Got(item)) => return Poll::Ready(Ok(item)),
                Poll::Ready(Look::Over(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Look::NotBefore(due)) => {
                    self.first = due;
                    self.alarm = due.map(Alarm::at);
                }
                Poll::Pending => {
                    let rings = |alarm: &mut Alarm| alarm.poll(waker).is_ready();
                    if !self.alarm.as_mut().is_some_and(rings) {
                        return Poll::Pending;
                    }
                }
            }
        }
    }
}

impl<T: Send, B: Backend> Drop for Getting<'_, T, B> {
    fn drop(&mut self) {
        self.queue.leave(&mut self.ticket, self.at);
    }
}

impl<T: Send> Default for DelayQueue<T> {
    #[track_caller]
    fn default() -> DelayQueue<T> {
        DelayQueue::new()
    }
}

impl<T: Send, B: Backend> fmt::Debug for DelayQueue<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("DelayQueue");
        let state = self.state.try_lock_at(self.born);
        let seen = state.map(|it| (it.items.len(), it.is_closed, it.getters.waiting()));
        match seen {
            Some((len, closed, waiting)) => shown
                .field("len", &len)
                .field("closed", &closed)
                .field("waiting", &waiting),
            None => shown.field("len", &format_args!("<locked>")),
        };
        shown.finish_non_exhaustive()
    }
}
