//! Opens the log before `main`, where the system's loader can be asked to.

use super::super::{log, settings};

/// Called by the loader before `main`.
#[used]
#[cfg_attr(
    any(target_os = "linux", target_os = "android", target_os = "freebsd"),
    unsafe(link_section = ".init_array")
)]
#[cfg_attr(target_os = "macos", unsafe(link_section = "__DATA,__mod_init_func"))]
static START: extern "C" fn() = start;

extern "C" fn start() {
    settings::load();
    if settings::log_wanted() || settings::dump().is_some() {
        // A child that is forked before the first lock must not write into this log either.
        super::prepare();
    }
    if settings::log_wanted() {
        log::open();
    }
}
