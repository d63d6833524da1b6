//! The watcher: everything that sees and judges an acquisition.
//!
//! This folder has no dependencies and names nothing outside itself, so that it can also be built
//! alone (its root is this file) and stand under other lock types than those of this crate.
//!
//! Bottom to top, each file using those before it:
//!
//! | file | what |
//! | --- | --- |
//! | `mode`, `site` | how a lock is held, and where in the source |
//! | `atomic` | what a model checker replaces |
//! | `memory`, `own_lock`, `platform` | what stands in for the standard library inside hooks |
//! | `identity` | who a lock is: instance, class, place in the one order |
//! | `stack` | the stack of a new chain |
//! | `log` | the event log: format and writer |
//! | `account` | how long a thread was blocked elsewhere |
//! | `slot` | what one thread holds and knows |
//! | `wait_for` | who waits for what now, and whether that is a deadlock |
//! | `registry` | sites and classes by number |
//! | `order` | the learned order: chains, and cycles among them |
//! | `finding`, `reaction`, `settings` | what is reported, what happens then, what the user chose |
//! | `process` | surviving `fork` |
//! | `hooks` | the one seam to the lock types |

#![allow(
    clippy::cast_possible_truncation,
    reason = "numbers here are hashes, or indices into tables with a bound far below 32 bits"
)]

mod account;
mod atomic;
mod finding;
pub mod hooks;
mod identity;
pub mod log;
mod memory;
mod mode;
mod order;
mod own_lock;
mod platform;
mod process;
mod reaction;
mod registry;
mod settings;
mod site;
mod slot;
mod stack;
mod wait_for;

pub use finding::{Basis, Code, Finding, LockUse, Side, Wants};

pub use hooks::describe_waits;
pub use identity::{Class, Identity, LockId, Place, Rank};
pub use mode::{Ask, Kind, Mode};
pub use reaction::{
    Enforcement, Order, Reaction, set_callback, set_deadlock_reaction, set_enforcement, set_order,
    set_reaction,
};
pub use site::{Note, Site};
pub use stack::{FRAMES_MAX, Stack};
