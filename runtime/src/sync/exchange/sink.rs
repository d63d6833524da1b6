//! What can subscribe: [`Sink`].

use std::future::Future;
use std::pin::Pin;

use crate::sync::actor::{Handle, SendError};
use crate::sync::backend::Backend;
use crate::sync::queue::{PutError, Sender};

/// Something that takes messages: a closure, the sender of a queue, the handle of an actor.
///
/// ```
/// use lockwise::sync::{Exchange, Queue};
///
/// let (sender, receiver) = Queue::bounded(10).split();
/// let news = Exchange::new();
/// news.attach(sender);
/// news.attach(|message: u32| println!("{message}"));
/// assert_eq!(news.send(5).taken, 2);
/// assert_eq!(receiver.get(), Ok(5));
/// ```
pub trait Sink<T>: Send + Sync {
    /// Takes the message out of the slot, if that does not have to wait.
    fn try_deliver(&self, message: &mut Option<T>) -> Delivery;

    /// Takes the message out of the slot, waiting for room.
    fn deliver(&self, message: &mut Option<T>) -> Delivery {
        self.try_deliver(message)
    }

    /// [`deliver`](Sink::deliver), as a future; without one of its own it does that when it is polled. Dropped
    /// before it is ready, it takes the message back.
    fn deliver_async<'a>(&'a self, message: &'a mut Option<T>) -> Delivering<'a>
    where
        T: Send,
    {
        Box::pin(async move { self.deliver(message) })
    }
}

/// A delivery on its way.
pub type Delivering<'a> = Pin<Box<dyn Future<Output = Delivery> + Send + 'a>>;

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// It was taken.
    Taken,
    /// There is no room now: it is still in its slot, and can be waited with.
    Full,
    /// It, or an older one in its place, was dropped.
    Dropped,
    /// Nothing will be taken any more.
    Closed,
}

impl<T, F: Fn(T) + Send + Sync> Sink<T> for F {
    fn try_deliver(&self, message: &mut Option<T>) -> Delivery {
        if let Some(message) = message.take() {
            self(message);
        }
        Delivery::Taken
    }
}

impl<T: Send, B: Backend> Sink<T> for Sender<T, B> {
    fn try_deliver(&self, message: &mut Option<T>) -> Delivery {
        let Some(item) = message.take() else {
            return Delivery::Taken;
        };
        match self.try_put(item) {
            Ok(()) => Delivery::Taken,
            Err(PutError::Closed(_)) => Delivery::Closed,
            Err(refused) => {
                *message = Some(refused.into_inner());
                Delivery::Full
            }
        }
    }

    fn deliver(&self, message: &mut Option<T>) -> Delivery {
        taken(message.take().is_none_or(|item| self.put(item).is_ok()))
    }

    fn deliver_async<'a>(&'a self, message: &'a mut Option<T>) -> Delivering<'a> {
        let putting = message.take().map(|item| self.put_async(item));
        Box::pin(async move {
            match putting {
                None => Delivery::Taken,
                Some(putting) => taken(putting.await.is_ok()),
            }
        })
    }
}

/// That a message was taken, or else that nothing is any more.
pub(super) fn taken(is_taken: bool) -> Delivery {
    if is_taken {
        Delivery::Taken
    } else {
        Delivery::Closed
    }
}

/// What became of a message to an actor. One that there is no room for is in its slot again.
fn sent<T>(message: &mut Option<T>, send: impl FnOnce(T) -> Result<(), SendError<T>>) -> Delivery {
    let Some(item) = message.take() else {
        return Delivery::Taken;
    };
    match send(item) {
        Ok(()) => Delivery::Taken,
        Err(SendError::Closed(_)) => Delivery::Closed,
        Err(refused) => {
            *message = Some(refused.into_inner());
            Delivery::Full
        }
    }
}

impl<T: Send, B: Backend> Sink<T> for Handle<T, B> {
    fn try_deliver(&self, message: &mut Option<T>) -> Delivery {
        sent(message, |item| self.try_send(item))
    }

    /// An actor that is full, and gets a message that it sends itself, is full for good.
    fn deliver(&self, message: &mut Option<T>) -> Delivery {
        sent(message, |item| self.send(item))
    }

    fn deliver_async<'a>(&'a self, message: &'a mut Option<T>) -> Delivering<'a> {
        let sending = message.take().map(|item| self.send_async(item));
        Box::pin(async move {
            match sending {
                None => Delivery::Taken,
                Some(sending) => taken(sending.await.is_ok()),
            }
        })
    }
}
