//! The system elsewhere: the standard library's means, with what they cannot do left out.

use std::cell::Cell;
use std::ffi::{CStr, c_void};
use std::fs::File;

use super::short_name::ShortName;

/// The value of an environment variable, kept for good.
pub(crate) fn env(name: &'static CStr) -> Option<&'static [u8]> {
    let value = std::env::var_os(name.to_str().ok()?)?;
    Some(Box::leak(value.into_encoded_bytes().into_boxed_slice()))
}

/// There is no log here that would need a directory.
pub(crate) fn current_dir(_: &mut [u8]) -> Option<usize> {
    None
}

/// There is no log here that would need a directory.
pub(crate) fn make_dir(_: &CStr) {}

/// There is no log here.
pub(crate) fn create_new(_: &CStr) -> Option<File> {
    None
}

/// There is no log here.
pub(crate) fn open_to_append(_: &CStr) -> Option<File> {
    None
}

/// There is no log here.
pub(crate) fn remove_file(_: &CStr) {}

/// Writes to standard error.
pub(crate) fn write_stderr(text: &[u8]) {
    use std::io::Write;

    // There is nobody to tell if standard error is gone.
    let _ = std::io::stderr().write_all(text);
}

struct AtEnd(Cell<Option<(extern "C" fn(*mut c_void), *const c_void)>>);

impl Drop for AtEnd {
    fn drop(&mut self) {
        if let Some((end, value)) = self.0.take() {
            end(value.cast_mut());
        }
    }
}

thread_local! {
    static AT_END: AtEnd = const { AtEnd(Cell::new(None)) };
}

/// Has `end(value)` called when this thread ends, among the destructors of its thread-locals.
pub(crate) fn at_thread_end(end: extern "C" fn(*mut c_void), value: *const c_void) -> bool {
    AT_END
        .try_with(|at_end| at_end.0.set(Some((end, value))))
        .is_ok()
}

/// There is no `fork` here.
pub(crate) fn on_fork(_: extern "C" fn(), _: extern "C" fn(), _: extern "C" fn()) {}

/// Whether this thread is the one on which the process started.
pub(crate) fn is_first_thread() -> bool {
    std::thread::current().name() == Some("main")
}

/// No process has this number: there is no log here that another process's could lie beside.
pub(crate) fn parent() -> u32 {
    0
}

/// There is no log here that would need the program's name.
pub(crate) fn program_name(buffer: &mut [u8; 256]) -> &[u8] {
    &buffer[..0]
}

/// The system is not asked.
pub(super) fn system_name() -> Option<[u8; 16]> {
    None
}

/// Copies this thread's name into `buffer`; none if it has none, or none that can be had.
pub(crate) fn thread_name(buffer: &mut [u8; 256]) -> Option<&[u8]> {
    if !ShortName::of_this_thread().may_have_handle() {
        return None;
    }
    let current = std::thread::current();
    let name = current.name()?.as_bytes();
    let len = name.len().min(buffer.len());
    buffer[..len].copy_from_slice(&name[..len]);
    Some(&buffer[..len])
}

/// The same for a thread that is about to be gone, of which the standard library must not be asked any more.
pub(crate) fn name_at_end(_buffer: &mut [u8; 256]) -> Option<&[u8]> {
    None
}
