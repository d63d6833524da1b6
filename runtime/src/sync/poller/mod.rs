//! Waiting for whichever of several things happens first: [`Poller`] and [`select!`](crate::select).
//!
//! Both look first, then register with each source, which looks again under its own lock, and only then
//! park: so nothing that happens in between is missed. Sources are asked one after the other, with no
//! lock held in between. When a wait ends the registrations are taken back.

pub mod arms;
mod choice;
mod ready;
mod source;
mod sources;
mod waits;

pub use ready::{NothingToWaitFor, Poller};
pub use source::Source;
pub use sources::{Ended, Room};
