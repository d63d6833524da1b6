//! What all overlays share: the watcher, and what stands in for parts of std.
//!
//! Built by the compiler of the project under watch, against its real std, and linked once into each
//! program. Nothing in it comes from outside this package.

// What a nightly compiler has of them is asked for at once.
#![cfg_attr(
    lockwise_nightly,
    feature(
        deadline_api,
        lazy_cell_into_inner,
        lock_value_accessors,
        mapped_lock_guards,
        mpsc_is_disconnected,
        mutex_data_ptr,
        once_cell_get_mut,
        once_cell_try,
        once_cell_try_insert,
        rwlock_data_ptr,
        thread_spawn_hook,
    )
)]
#![allow(unexpected_cfgs, unreachable_pub, missing_docs, reason = "compiled by any compiler")]

#[path = "../../src/stdsync/mod.rs"]
pub mod stdsync;
#[path = "../../src/thread/mod.rs"]
pub mod thread;
#[path = "../../src/watch/mod.rs"]
pub mod watch;
