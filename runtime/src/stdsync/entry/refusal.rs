//! What happens to an initialiser that asks for what it is making: it panics, where std would hang.

use crate::watch::{Identity, Site};

/// Ends a request that would wait for itself.
///
/// # Panics
///
/// Always.
#[cold]
#[track_caller]
pub(super) fn re_entered(identity: &Identity, _at: Site) -> ! {
    panic!(
        "re-entrant initialisation: the initialiser of the `{}` made at {} asks for what it is making",
        identity.kind().name(),
        identity.class().born,
    )
}
