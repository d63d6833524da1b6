//! What can subscribe: [`Sink`].

use crate::sync::actor::{Handle, SendError};
use crate::sync::backend::Backend;
use crate::sync::queue::{PutError, Sender};

/// Something that takes messages: a closure, the sender of a queue, the handle of an actor.
pub trait Sink<T>: Send + Sync {
    /// Takes the message out of the slot, if that does not have to wait.
    fn try_deliver(&self, message: &mut Option<T>) -> Delivery;

    /// Takes the message out of the slot, waiting for room.
    fn deliver(&self, message: &mut Option<T>) -> Delivery {
        self.try_deliver(message)
    }
}

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
        match message.take().map(|item| self.put(item)) {
            None | Some(Ok(())) => Delivery::Taken,
            Some(Err(_)) => Delivery::Closed,
        }
    }
}

impl<T: Send, B: Backend> Sink<T> for Handle<T, B> {
    fn try_deliver(&self, message: &mut Option<T>) -> Delivery {
        let Some(item) = message.take() else {
            return Delivery::Taken;
        };
        match self.try_send(item) {
            Ok(()) => Delivery::Taken,
            Err(SendError::Closed(_)) => Delivery::Closed,
            Err(refused) => {
                *message = Some(refused.into_inner());
                Delivery::Full
            }
        }
    }

    fn deliver(&self, message: &mut Option<T>) -> Delivery {
        match message.take().map(|item| self.send(item)) {
            None | Some(Ok(())) => Delivery::Taken,
            Some(Err(_)) => Delivery::Closed,
        }
    }
}
