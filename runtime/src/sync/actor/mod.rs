//! Threads, or tasks, with a mailbox: [`Actor`] and [`Handle`].
//!
//! `mail` says in which order messages come, `cell` what an actor and its handles share, `life` what an actor's
//! thread does from start to end, and `task` what a task does; `circle` sees when actors wait for each other.

mod ask;
mod builder;
mod cell;
mod circle;
mod context;
mod exit;
mod handle;
mod life;
mod mail;
mod recipient;
mod role;
mod task;
mod timers;

pub use ask::AskError;
pub use builder::{ActorBuilder, Restarts, start};
pub(super) use circle::Node;
pub use context::Context;
pub use exit::{Exit, JoinError, Status};
pub use handle::{Handle, SendError, WeakHandle};
pub use recipient::Recipient;
pub use role::Actor;
pub use task::ActorTask;
pub use timers::Timer;
