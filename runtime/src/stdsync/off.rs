//! The twin of [`std::sync`] with checks off: it *is* [`std::sync`], and [`Named`].

mod named;

pub use std::sync::*;

pub use named::Named;

use crate::watch::Rank;

impl<T> Named for Mutex<T> {
    type Content = T;

    fn named(_: &'static str, content: T) -> Self {
        Mutex::new(content)
    }

    fn ranked(_: Rank, content: T) -> Self {
        Mutex::new(content)
    }
}

impl<T> Named for RwLock<T> {
    type Content = T;

    fn named(_: &'static str, content: T) -> Self {
        RwLock::new(content)
    }

    fn ranked(_: Rank, content: T) -> Self {
        RwLock::new(content)
    }
}

impl Named for Condvar {
    type Content = ();

    fn named(_: &'static str, (): ()) -> Self {
        Condvar::new()
    }

    fn ranked(_: Rank, (): ()) -> Self {
        Condvar::new()
    }
}

impl Named for Barrier {
    type Content = usize;

    fn named(_: &'static str, content: usize) -> Self {
        Barrier::new(content)
    }

    fn ranked(_: Rank, content: usize) -> Self {
        Barrier::new(content)
    }
}

impl Named for Once {
    type Content = ();

    fn named(_: &'static str, (): ()) -> Self {
        Once::new()
    }

    fn ranked(_: Rank, (): ()) -> Self {
        Once::new()
    }
}

impl<T> Named for OnceLock<T> {
    type Content = ();

    fn named(_: &'static str, (): ()) -> Self {
        OnceLock::new()
    }

    fn ranked(_: Rank, (): ()) -> Self {
        OnceLock::new()
    }
}

impl<T, F: FnOnce() -> T> Named for LazyLock<T, F> {
    type Content = F;

    fn named(_: &'static str, content: F) -> Self {
        LazyLock::new(content)
    }

    fn ranked(_: Rank, content: F) -> Self {
        LazyLock::new(content)
    }
}
