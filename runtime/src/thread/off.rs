//! The twin of [`std::thread`] with checks off: it *is* [`std::thread`].

pub use std::thread::*;
