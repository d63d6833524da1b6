//! The two ends of a queue, which close it when the last one goes: [`Sender`] and [`Receiver`].

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::time::{Duration, Instant};

use super::fifo::Queue;
use super::iter::{Iter, TryIter};
use super::refusal::{GetError, PutError};
use super::task::Task;
use super::waits::{Get, Put};
use crate::sync::backend::{Backend, Tracked};
use crate::sync::deadline::Deadline;
use crate::sync::threads::Threads;
use crate::watch::Site;

/// What the ends share.
struct Shared<T: Send, B: Backend> {
    queue: Queue<T, B>,
    senders: AtomicUsize,
    receivers: AtomicUsize,
}

/// The right to put items into a queue.
///
/// - **Close, drop**: when the last one is dropped the queue is closed.
/// - **Order, blocking, capacity, fairness, panic, re-entrancy**: as [`Queue`].
///
/// ```
/// use lockwise::sync::{GetError, Queue};
///
/// let (sender, receiver) = Queue::new().split();
/// sender.put("hello").unwrap();
/// drop(sender);
/// assert_eq!(receiver.get(), Ok("hello"));
/// assert_eq!(receiver.get(), Err(GetError::Closed));
/// ```
pub struct Sender<T: Send, B: Backend = Tracked>(Arc<Shared<T, B>>);

/// The right to get items from a queue.
///
/// - **Close, drop**: when the last one is dropped the queue is closed, and what is left in it is dropped at that moment,
///   not when the last sender goes: whoever waits for an answer to a request that lay there learns at once that none will
///   come.
/// - **Order, blocking, capacity, fairness, panic, re-entrancy**: as [`Queue`].
///
/// ```
/// use lockwise::sync::{PutError, Queue};
/// use lockwise::thread;
///
/// let (sender, receiver) = Queue::bounded(2).split();
/// let other = receiver.clone();
/// let sums = [receiver, other].map(|receiver| thread::spawn(move || receiver.iter().sum::<u32>()));
/// (1..=10).for_each(|number| sender.put(number).unwrap());
/// drop(sender);
/// assert_eq!(sums.map(|sum| sum.join().unwrap()).iter().sum::<u32>(), 55);
///
/// let (sender, receiver) = Queue::new().split();
/// drop(receiver);
/// assert_eq!(sender.put("too late"), Err(PutError::Closed("too late")));
/// ```
pub struct Receiver<T: Send, B: Backend = Tracked>(Arc<Shared<T, B>>);

/// A [`Sender`] that does not keep the queue open.
///
/// ```
/// use lockwise::sync::{GetError, Queue};
///
/// let (sender, receiver) = Queue::new().split();
/// let weak = sender.downgrade();
/// weak.upgrade().unwrap().put(1).unwrap();
/// drop(sender);
/// assert!(weak.upgrade().is_none());
/// assert_eq!((receiver.get(), receiver.get()), (Ok(1), Err(GetError::Closed)));
/// ```
pub struct WeakSender<T: Send, B: Backend = Tracked>(Arc<Shared<T, B>>);

impl<T: Send, B: Backend> Queue<T, B> {
    /// Makes two ends of the queue, each of which can be cloned.
    pub fn split(self) -> (Sender<T, B>, Receiver<T, B>) {
        let shared = Arc::new(Shared {
            queue: self,
            senders: AtomicUsize::new(1),
            receivers: AtomicUsize::new(1),
        });
        (Sender(Arc::clone(&shared)), Receiver(shared))
    }
}

impl<T: Send, B: Backend> Sender<T, B> {
    /// [`Queue::put`].
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn put(&self, item: T) -> Result<(), PutError<T>> {
        self.0.queue.put_at(item, Deadline::Never, Site::caller())
    }

    /// [`Queue::try_put`].
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn try_put(&self, item: T) -> Result<(), PutError<T>> {
        self.0.queue.try_put(item)
    }

    /// [`Queue::put_timeout`].
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn put_timeout(&self, item: T, timeout: Duration) -> Result<(), PutError<T>> {
        self.0.queue.put_timeout(item, timeout)
    }

    /// [`Queue::put_deadline`].
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn put_deadline(&self, item: T, deadline: Instant) -> Result<(), PutError<T>> {
        self.0.queue.put_deadline(item, deadline)
    }

    /// [`Queue::put_many`].
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn put_many(&self, items: impl IntoIterator<Item = T>) -> Result<(), PutError<Vec<T>>> {
        self.0.queue.put_many(items)
    }

    /// [`Queue::put_async`].
    #[track_caller]
    pub fn put_async(&self, item: T) -> Put<'_, T, B> {
        self.0.queue.put_async(item)
    }

    /// [`Queue::put_many_async`].
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn put_many_async<I: IntoIterator<Item = T>>(
        &self,
        items: I,
    ) -> impl Future<Output = Result<(), PutError<Vec<T>>>> + use<'_, T, B, I> {
        self.0.queue.put_many_async(items)
    }

    /// [`Queue::put_stop`].
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn put_stop(&self) -> Result<(), PutError<()>> {
        self.0.queue.put_stop()
    }

    /// The queue, with all that can be asked of it.
    pub fn queue(&self) -> &Queue<T, B> {
        &self.0.queue
    }

    /// How many senders there are: a hint.
    pub fn senders(&self) -> usize {
        self.0.senders.load(Relaxed)
    }

    /// How many receivers there are: a hint.
    pub fn receivers(&self) -> usize {
        self.0.receivers.load(Relaxed)
    }

    /// A sender that does not keep the queue open.
    pub fn downgrade(&self) -> WeakSender<T, B> {
        WeakSender(Arc::clone(&self.0))
    }
}

impl<T: Send, B: Backend> Receiver<T, B> {
    /// [`Queue::get`].
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn get(&self) -> Result<T, GetError> {
        self.0.queue.get()
    }

    /// [`Queue::try_get`].
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn try_get(&self) -> Result<T, GetError> {
        self.0.queue.try_get()
    }

    /// [`Queue::get_timeout`].
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn get_timeout(&self, timeout: Duration) -> Result<T, GetError> {
        self.0.queue.get_timeout(timeout)
    }

    /// [`Queue::get_deadline`].
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn get_deadline(&self, deadline: Instant) -> Result<T, GetError> {
        self.0.queue.get_deadline(deadline)
    }

    /// [`Queue::get_async`].
    #[track_caller]
    pub fn get_async(&self) -> Get<'_, T, B> {
        self.0.queue.get_async()
    }

    /// [`Queue::get_task`].
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn get_task(&self) -> Result<Task<'_, T, B>, GetError> {
        self.0.queue.get_task()
    }

    /// [`Queue::get_task_async`].
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn get_task_async(
        &self,
    ) -> impl Future<Output = Result<Task<'_, T, B>, GetError>> + use<'_, T, B> {
        self.0.queue.get_task_async()
    }

    /// [`Queue::iter`].
    #[track_caller]
    pub fn iter(&self) -> Iter<'_, T, B> {
        self.0.queue.iter()
    }

    /// [`Queue::try_iter`].
    #[track_caller]
    pub fn try_iter(&self) -> TryIter<'_, T, B> {
        self.0.queue.try_iter()
    }

    /// The queue, with all that can be asked of it.
    pub fn queue(&self) -> &Queue<T, B> {
        &self.0.queue
    }
}

impl<T: Send, B: Backend> WeakSender<T, B> {
    /// A sender, unless the last one is gone.
    pub fn upgrade(&self) -> Option<Sender<T, B>> {
        let senders = &self.0.senders;
        B::Threads::step();
        senders
            .fetch_update(AcqRel, Acquire, |count| (count > 0).then(|| count + 1))
            .ok()?;
        Some(Sender(Arc::clone(&self.0)))
    }
}

impl<'a, T: Send, B: Backend> IntoIterator for &'a Receiver<T, B> {
    type Item = T;
    type IntoIter = Iter<'a, T, B>;

    #[track_caller]
    fn into_iter(self) -> Iter<'a, T, B> {
        self.iter()
    }
}

impl<T: Send, B: Backend> Clone for Sender<T, B> {
    fn clone(&self) -> Sender<T, B> {
        self.0.senders.fetch_add(1, Relaxed);
        Sender(Arc::clone(&self.0))
    }
}

impl<T: Send, B: Backend> Clone for Receiver<T, B> {
    fn clone(&self) -> Receiver<T, B> {
        self.0.receivers.fetch_add(1, Relaxed);
        Receiver(Arc::clone(&self.0))
    }
}

impl<T: Send, B: Backend> Clone for WeakSender<T, B> {
    fn clone(&self) -> WeakSender<T, B> {
        WeakSender(Arc::clone(&self.0))
    }
}

impl<T: Send, B: Backend> Drop for Sender<T, B> {
    fn drop(&mut self) {
        B::Threads::step();
        if self.0.senders.fetch_sub(1, AcqRel) == 1 {
            self.0.queue.core.close(self.0.queue.core.born());
        }
    }
}

impl<T: Send, B: Backend> Drop for Receiver<T, B> {
    fn drop(&mut self) {
        B::Threads::step();
        if self.0.receivers.fetch_sub(1, AcqRel) == 1 {
            drop(self.0.queue.core.close_now(self.0.queue.core.born()));
        }
    }
}

impl<T: Send, B: Backend> fmt::Debug for Sender<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sender").field(&self.0.queue).finish()
    }
}

impl<T: Send, B: Backend> fmt::Debug for Receiver<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Receiver").field(&self.0.queue).finish()
    }
}

impl<T: Send, B: Backend> fmt::Debug for WeakSender<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WeakSender").field(&self.0.queue).finish()
    }
}
