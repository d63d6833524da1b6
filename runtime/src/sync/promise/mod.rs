//! A result that one side gives and the other waits for: [`Promise`] and [`Future`].

mod answer;
mod failure;
mod future;
mod given;
mod group;
mod kept;
mod planned;
mod shared;

pub(super) use answer::Answer;
pub(super) use failure::text;
pub use failure::{End, Failure};
pub use future::Future;
pub use given::Promise;
pub use group::{AsCompleted, Until, Waited, as_completed, wait_for, wait_for_async};
pub(super) use kept::{Keeper, Kept, Name, address_of};
pub(super) use planned::{Planned, Spent};
pub(super) use shared::Host;
