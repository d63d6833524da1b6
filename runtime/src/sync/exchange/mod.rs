//! One message for all who have subscribed: [`Exchange`].
//!
//! `subscriber` is a place in the `list`, `sink` what stands there, `reader` the usual such thing: a queue
//! with a way of dealing with those who are slow; readers sit in the places of a `row`, and what many of them have not
//! taken yet lies in its `table`. `round` is a message on its way to all, of which `copies` are made.

mod bus;
mod copies;
mod list;
mod place;
mod reader;
mod registry;
mod ring;
mod round;
mod row;
mod sink;
mod subscriber;
mod table;

pub use bus::{Delivered, Exchange, Subscription};
pub use reader::{Read, ReadError, Reader, Slow};
pub use registry::{WrongType, exchange, exchange_names};
pub use sink::{Delivering, Delivery, Sink};
pub use subscriber::{InDelivery, SubscriptionId};
