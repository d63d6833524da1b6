//! Per-thread state (being built).
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
pub(super) fn fresh_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Relaxed)
}
