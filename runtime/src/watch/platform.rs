//! What the watcher asks of the system without the standard library's help, because that would
//! allocate with the program's allocator or cannot be had there: environment variables, paths of any
//! length, thread names, a call at the very end of a thread, and handlers around `fork`.

#[cfg(target_os = "linux")]
pub(super) mod asleep;
#[cfg(not(target_os = "linux"))]
#[path = "platform/awake.rs"]
pub(super) mod asleep;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub(super) mod clocks;
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
#[path = "platform/no_clocks.rs"]
pub(super) mod clocks;
#[cfg(not(unix))]
mod other;
#[cfg(target_os = "linux")]
pub(super) mod signal;
#[cfg(not(target_os = "linux"))]
#[path = "platform/no_signal.rs"]
pub(super) mod signal;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub(super) use other::{
    at_thread_end, create_new, current_dir, env, is_first_thread, make_dir, on_fork,
    open_to_append, program_name, remove_file, thread_name, write_stderr,
};
#[cfg(unix)]
pub(super) use unix::{
    at_thread_end, create_new, current_dir, env, is_first_thread, make_dir, on_fork,
    open_to_append, program_name, remove_file, thread_name, write_stderr,
};
