//! Threads with a mailbox: [`Actor`] and [`Handle`].
//!
//! `mail` says in which order messages come, `cell` what an actor's thread does from start to end,
//! `circle` sees when actors wait for each other.

mod ask;
mod builder;
mod cell;
mod circle;
mod context;
mod exit;
mod handle;
mod mail;
mod recipient;
mod role;

pub use ask::AskError;
pub use builder::{ActorBuilder, Restarts, start};
pub(super) use circle::Node;
pub use context::{Context, Timer};
pub use exit::{Exit, JoinError, Status};
pub use handle::{Handle, SendError, WeakHandle};
pub use recipient::Recipient;
pub use role::Actor;
