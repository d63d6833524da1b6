//! Stacks by the `backtrace` crate: the one thing in the watcher that comes from outside, and the
//! one that a build without dependencies leaves out.

/// Calls `each` with the addresses of the frames, innermost first, until it says no.
pub(super) fn walk(each: &mut dyn FnMut(usize) -> bool) {
    backtrace::trace(|frame| each(frame.ip().addr()));
}

/// Calls `each` with a text for the function at `address`, and for those inlined there.
pub(super) fn resolve(address: usize, each: &mut dyn FnMut(String)) {
    let mut named = false;
    // The address is that of the next instruction: one back lies in the call.
    let call = std::ptr::without_provenance_mut(address.saturating_sub(1));
    backtrace::resolve(call, |symbol| {
        let Some(name) = symbol.name() else { return };
        named = true;
        // Without the hash that ends a mangled name.
        let name = format!("{name:#}");
        match (symbol.filename(), symbol.lineno()) {
            (Some(file), Some(line)) => each(format!("{name} at {}:{line}", file.display())),
            _ => each(name),
        }
    });
    if !named {
        each(format!("{address:#x}"));
    }
}
