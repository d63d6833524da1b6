//! Who a one-time initialisation is.

use lockwise_core::stdsync::Entry;
use lockwise_core::watch::{Identity, Kind, Site};

/// The way to a one-time initialisation that the caller makes.
#[track_caller]
pub(crate) const fn once() -> Entry {
    fn nothing() -> &'static str {
        "()"
    }
    Entry::new(Identity::new(Kind::Once, Site::caller(), nothing))
}
