//! What happens to an initialiser that asks for what it is making: it waits for itself for ever, as it would
//! without us, unless something else was chosen for deadlocks.
//!
//! Who stands in for another's cell must not change what becomes of the program.

use crate::watch::hooks::{self, Ask};
use crate::watch::{Identity, Mode, Site};

/// Waits for itself.
///
/// # Panics
///
/// If that was chosen for deadlocks.
#[cold]
#[track_caller]
pub(super) fn re_entered(identity: &Identity, at: Site) -> ! {
    hooks::blocked(identity, Mode::Exclusive, Ask::Wait, at);
    loop {
        std::thread::park();
    }
}
