//! First in, first out, between threads and tasks: [`Queue`] and its two ends.
//!
//! `store` says in which order entries come out, `state` what happens under the lock, `core` how one waits
//! for that as a thread and `futures` as a task, `patience` what comes before, and `plain` what is left where
//! nobody waits; `putting` is a put that may wait, `how` says who asks, `home` is where a state lies. These serve
//! the priority queue, mailboxes and readers too. In `sides` the state of a queue lies, and what its consumers have
//! taken ahead.

mod core;
mod ends;
mod fifo;
mod futures;
mod home;
mod how;
mod iter;
mod patience;
mod plain;
mod putting;
mod refusal;
mod sides;
mod state;
mod store;
mod task;
mod waits;

pub(super) use self::core::{Core, Guard, Work};
pub use ends::{Receiver, Sender, WeakSender};
pub use fifo::Queue;
pub(super) use futures::{PutIn, TakeOut};
pub(super) use home::Home;
pub(super) use how::How;
pub use iter::{Iter, TryIter};
pub(super) use plain::is_large;
pub(super) use putting::Putting;
pub use refusal::{GetError, PutError};
pub(super) use state::{End, State};
pub(super) use store::Store;
pub use task::Task;
pub use waits::{Get, Put};
