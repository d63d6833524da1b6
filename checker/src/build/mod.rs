//! The program under watch: where its project lies, what its environment says, and how cargo runs it.
//!
//! Programs that use the `lockwise` crate need no more than [`Session`]'s variables. All others are
//! built anew with stand-ins for what locks: `toolchain` (which compiler), `foundation` (the watcher
//! and the stand-in for std, built by that compiler), `overlay` (crates with changed sources), `plan`
//! and `wrapper` (what happens in place of each call of the compiler), `watching` (how cargo is
//! called so that this happens).

pub mod checking;
mod child;
pub mod foundation;
pub mod overlay;
pub mod plan;
pub mod printing;
mod project;
mod session;
pub mod toolchain;
mod unseen;
mod watching;
pub mod wrapper;

#[cfg(unix)]
mod signals;
#[cfg(not(unix))]
#[path = "signals_none.rs"]
mod signals;

pub use checking::{
    Checked, Checking, CheckingError, Listener, Printing, check, prove, read_printed,
};
pub use child::{ChildError, run};
pub use project::{Project, is_locked, nearest_root};
pub use session::{ON_DEADLOCK, OnDeadlock, Session, SessionError};
pub use unseen::unseen;
pub use watching::{LeftOut, OVERRIDING, Watching, WatchingError};
