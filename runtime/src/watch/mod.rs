//! The watcher: everything that sees and judges an acquisition.
//!
//! This folder has no dependencies and names nothing outside itself, so that it can also be built
//! alone (its root is this file) and stand under other lock types than those of this crate.
//!
//! Bottom to top, each file using those before it: `mode`, `site` (the words), `identity` (who a
//! lock is), `stack`, `slot` (what a thread holds), `finding`, `reaction`, `hooks` (the seam).

mod finding;
pub mod hooks;
mod identity;
mod mode;
mod reaction;
mod site;
mod slot;
mod stack;

pub use finding::{Code, Finding, Granularity, LockUse, Side};
pub use hooks::Ask;
pub use identity::{Class, Identity, LockId, Place, Rank};
pub use mode::{Kind, Mode};
pub use reaction::{Order, Reaction, set_callback, set_order, set_reaction};
pub use site::{Note, Site};
pub use stack::{FRAMES_MAX, Stack};
