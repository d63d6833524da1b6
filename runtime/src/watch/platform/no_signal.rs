//! Systems on which no signal asks for anything.

/// Holds nothing back.
pub(crate) fn hold_back(_number: u8) {}

/// There is nothing to be waited for.
pub(crate) fn wait(_number: u8) -> bool {
    false
}
