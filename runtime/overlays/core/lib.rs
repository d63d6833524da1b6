//! What all overlays share: the watcher, and what stands in for parts of std.
//!
//! Built by the compiler of the project under watch, against its real std, and linked once into each
//! program. Nothing in it comes from outside this package.

#![allow(unexpected_cfgs, unreachable_pub, missing_docs, reason = "compiled by any compiler")]

#[path = "../../src/stdsync/mod.rs"]
pub mod stdsync;
#[path = "../../src/thread/mod.rs"]
pub mod thread;
#[path = "../../src/watch/mod.rs"]
pub mod watch;
