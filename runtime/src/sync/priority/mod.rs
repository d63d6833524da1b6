//! Highest first, between threads and tasks: [`PriorityQueue`].
//!
//! It is the queue of `sync::queue` with another store.

mod awaited;
mod key;
mod levels;
mod queue;

pub use awaited::GetHighest;
pub use key::Priority;
pub use queue::{PriorityQueue, Token};
