//! Stands in for std: everything is std's own, but for what locks, waits, and starts threads.
//!
//! An explicit `pub use` shadows what a glob brings, so each line below replaces items of std, and
//! what a newer std adds comes through by itself.
//!
//! What it cannot have: the locks of `stdout`, `stderr` and `stdin`. `println!` takes one inside std, where
//! nothing can be put in between; and other types in place of `Stdout` and its guard would lack
//! `IsTerminal`, which std lets nobody else implement, so that programs which ask for it would not compile.

#![allow(unused_imports, reason = "compiled by any compiler")]

pub use std::*;

/// [`std::sync`], watched.
pub mod sync {
    pub use std::sync::*;

    #[allow(deprecated, reason = "std has it too")]
    pub use lockwise_core::stdsync::ONCE_INIT;
    pub use lockwise_core::stdsync::{
        Barrier, Condvar, LazyLock, Mutex, MutexGuard, Once, OnceLock, RwLock, RwLockReadGuard,
        RwLockWriteGuard, mpsc,
    };
    #[cfg(lockwise_nightly)]
    pub use lockwise_core::stdsync::{
        MappedMutexGuard, MappedRwLockReadGuard, MappedRwLockWriteGuard,
    };
}

/// [`std::thread`], watched.
pub mod thread {
    pub use std::thread::*;

    #[allow(deprecated, reason = "std has it too")]
    pub use lockwise_core::thread::{park_timeout_ms, sleep_ms};
    pub use lockwise_core::thread::{
        Builder, JoinHandle, Scope, ScopedJoinHandle, Thread, current, park, park_timeout, scope,
        sleep, spawn,
    };
}
