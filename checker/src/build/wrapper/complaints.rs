//! Complaints of the compiler that our std alone is to blame for. The crate may have made errors of
//! them: so they are asked for as warnings, whatever it says, and kept back.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use super::value;

/// The lint that complains of a dependency that is not used.
const UNUSED_CRATE: &str = "unused_crate_dependencies";
/// The lint that complains of a feature that is not used.
const UNUSED_FEATURE: &str = "unused_features";

/// What std has behind these, ours has for all: the compiler sees nobody use them. Those that the
/// core of the overlays asks for, and `thread_raw`, which it does without.
const FEATURES: [&str; 12] = [
    "deadline_api",
    "lazy_cell_into_inner",
    "lock_value_accessors",
    "mapped_lock_guards",
    "mpsc_is_disconnected",
    "mutex_data_ptr",
    "once_cell_get_mut",
    "once_cell_try",
    "once_cell_try_insert",
    "rwlock_data_ptr",
    "thread_raw",
    "thread_spawn_hook",
];

/// The lints whose complaints may be about our std, if the compiler is called with these arguments:
/// that of a crate that may do without std and asks for complaints of dependencies that it does not
/// use, and that of one that asks for features.
pub(super) fn lints(arguments: &[OsString]) -> Vec<&'static str> {
    if value(arguments, "--cap-lints").is_some() {
        return Vec::new();
    }
    let root = arguments.iter().find(|argument| {
        Path::new(argument)
            .extension()
            .is_some_and(|ending| ending == "rs")
    });
    let Some(text) = root.and_then(|root| fs::read_to_string(root).ok()) else {
        return Vec::new();
    };
    let is_asked_for = |text: &str| text.replace('-', "_").contains(UNUSED_CRATE);
    let is_asked = is_asked_for(&text)
        || arguments
            .iter()
            .filter_map(|argument| argument.to_str())
            .any(is_asked_for);
    let mut lints = Vec::new();
    if is_asked && text.contains("no_std") {
        lints.push(UNUSED_CRATE);
    }
    if text.contains("feature(") && FEATURES.iter().any(|feature| text.contains(feature)) {
        lints.push(UNUSED_FEATURE);
    }
    lints
}

/// Whether a line of the compiler's is a complaint about our std.
pub(super) fn is_about_ours(line: &[u8]) -> bool {
    let has = |wanted: &str| {
        line.windows(wanted.len())
            .any(|part| part == wanted.as_bytes())
    };
    has(UNUSED_CRATE) && has("extern crate `std` is unused in crate")
        || has(UNUSED_FEATURE)
            && FEATURES
                .iter()
                .any(|feature| has(&format!("feature `{feature}` is declared but not used")))
}

#[cfg(test)]
mod tests;
