//! One message for all who have subscribed: [`Exchange`].
//!
//! `subscriber` is a place in the list, `sink` what stands there, `reader` the usual such thing: a queue
//! with a way of dealing with those who are slow; readers sit in a `row`. `round` is a message on its way to all.

mod bus;
mod reader;
mod registry;
mod ring;
mod round;
mod row;
mod sink;
mod subscriber;

pub use bus::{Delivered, Exchange, Subscription};
pub use reader::{Read, ReadError, Reader, Slow};
pub use registry::{WrongType, exchange, exchange_names};
pub use sink::{Delivering, Delivery, Sink};
pub use subscriber::{InDelivery, SubscriptionId};
