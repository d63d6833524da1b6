//! The twin of [`std::sync`] with checks off: it *is* [`std::sync`], and [`Named`].

mod named;

pub use std::sync::*;

pub use named::{Label, Named};

impl<T> Named for Mutex<T> {
    type Content = T;

    fn labelled(_: Label, content: T) -> Self {
        Mutex::new(content)
    }
}

impl<T> Named for RwLock<T> {
    type Content = T;

    fn labelled(_: Label, content: T) -> Self {
        RwLock::new(content)
    }
}

impl Named for Condvar {
    type Content = ();

    fn labelled(_: Label, (): ()) -> Self {
        Condvar::new()
    }
}

impl Named for Barrier {
    type Content = usize;

    fn labelled(_: Label, content: usize) -> Self {
        Barrier::new(content)
    }
}

impl Named for Once {
    type Content = ();

    fn labelled(_: Label, (): ()) -> Self {
        Once::new()
    }
}

impl<T> Named for OnceLock<T> {
    type Content = ();

    fn labelled(_: Label, (): ()) -> Self {
        OnceLock::new()
    }
}

impl<T, F: FnOnce() -> T> Named for LazyLock<T, F> {
    type Content = F;

    fn labelled(_: Label, content: F) -> Self {
        LazyLock::new(content)
    }
}
