//! The program under watch: where its project lies, what its environment says, and how cargo runs it.
//!
//! Programs that use the `lockwise` crate need no more than [`Session`]'s variables. Whatever else
//! makes a program a watched one belongs here, and into [`Session::variables`].

mod child;
mod project;
mod session;

#[cfg(unix)]
mod signals;
#[cfg(not(unix))]
#[path = "signals_none.rs"]
mod signals;

pub use child::{ChildError, run};
pub use project::{Project, nearest_root};
pub use session::{Session, SessionError};
