//! The watcher's search for threads that wait for each other, over the atomics of loom.
//!
//! `wait_for` is the real file. What stands around it is small: a slot has room for few locks, there are no
//! stacks, and nobody is forced to release.

#![allow(
    clippy::cast_possible_truncation,
    reason = "as in the folder from which these files come"
)]
#![allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "a real stack is no small thing"
)]

#[expect(dead_code, reason = "the search uses a part of it")]
#[path = "../../../src/watch/memory.rs"]
mod memory;
#[expect(dead_code, unreachable_pub, reason = "a part of the crate")]
#[path = "../../../src/watch/mode.rs"]
mod mode;
pub(crate) mod own_lock;
#[expect(dead_code, unreachable_pub, reason = "a part of the crate")]
#[path = "../../../src/watch/site.rs"]
mod site;
pub(crate) mod slot;
#[expect(
    dead_code,
    unused_imports,
    reason = "the model does not fork, and looks for no stalls"
)]
#[path = "../../../src/watch/wait_for.rs"]
mod wait_for;

pub(crate) use self::mode::Mode;

/// Loom's, with fences that a test may leave out.
mod atomic {
    pub(super) use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    use crate::broken::{self, Fence};

    loom::lazy_static! {
        /// One for each schedule; there is one static counter only.
        static ref COUNT: AtomicU64 = AtomicU64::new(0);
    }

    pub(super) struct Counter;

    impl Counter {
        pub(super) const fn new(_count: u64) -> Counter {
            Counter
        }
    }

    impl std::ops::Deref for Counter {
        type Target = AtomicU64;

        fn deref(&self) -> &AtomicU64 {
            &COUNT
        }
    }

    pub(super) fn fence(order: Ordering) {
        let fence = match order {
            Ordering::SeqCst => Fence::BeforeSearch,
            Ordering::Release => Fence::AfterWait,
            _ => Fence::BeforeSecondLook,
        };
        if !broken::is_left_out(fence) {
            loom::sync::atomic::fence(order);
        }
    }
}

mod identity {
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) struct LockId(pub(super) u64);
}

mod hooks {
    /// Nobody is forced to release.
    pub(super) fn is_posted(_holder: u32, _lock: super::identity::LockId) -> bool {
        false
    }
}

mod log {
    /// Nothing is lost here.
    pub(super) fn count_lost() {}
}

mod stack {
    /// Stacks are read as the other words of a wait are; a model of all of them would take for ever.
    #[derive(Debug, Clone, Copy)]
    pub(super) struct Stack;

    impl Stack {
        pub(super) const EMPTY: Stack = Stack;
    }

    pub(super) struct SharedStack;

    impl SharedStack {
        pub(super) const fn new() -> SharedStack {
            SharedStack
        }

        #[expect(clippy::unused_self, reason = "the real one has a state")]
        pub(super) fn store(&self, _stack: &Stack) {}

        #[expect(clippy::unused_self, reason = "the real one has a state")]
        pub(super) fn load(&self) -> Stack {
            Stack
        }
    }
}
