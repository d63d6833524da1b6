//! Who a cell is.

use core::any::type_name;

use lockwise_core::stdsync::Entry;
use lockwise_core::watch::{Identity, Kind, Site};

/// The way to a cell that holds a `T` and is made by the caller.
#[track_caller]
pub(crate) const fn cell<T>() -> Entry {
    Entry::new(Identity::new(Kind::OnceCell, Site::caller(), type_name::<T>))
}
