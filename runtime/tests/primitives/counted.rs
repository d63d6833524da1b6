//! A value that counts how often it was dropped, and sees to it that no lock of ours is held then.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use crate::leaf::assert_nothing_held;

/// How many values were dropped.
#[derive(Debug, Clone, Default)]
pub(crate) struct Drops(Arc<AtomicUsize>);

/// A value that counts its drop.
#[derive(Debug)]
pub(crate) struct Counted(Drops);

impl Drops {
    pub(crate) fn value(&self) -> Counted {
        Counted(self.clone())
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(SeqCst)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        assert_nothing_held();
        self.0.0.fetch_add(1, SeqCst);
    }
}
