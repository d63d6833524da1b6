//! What the watcher asks of the system without the standard library's help, because that would
//! allocate with the program's allocator or cannot be had there: environment variables, paths of any
//! length, thread names, a call at the very end of a thread, and handlers around `fork`.
//!
//! Under Miri, which knows few functions of a system, it is that of an unknown system.

#[cfg(all(target_os = "linux", not(miri)))]
pub(super) mod asleep;
#[cfg(any(not(target_os = "linux"), miri))]
#[path = "platform/awake.rs"]
pub(super) mod asleep;
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(miri)))]
pub(super) mod clocks;
#[cfg(any(not(target_os = "linux"), not(target_pointer_width = "64"), miri))]
#[path = "platform/no_clocks.rs"]
pub(super) mod clocks;
#[cfg(any(not(unix), miri))]
mod other;
mod short_name;
#[cfg(all(target_os = "linux", not(miri)))]
pub(super) mod signal;
#[cfg(any(not(target_os = "linux"), miri))]
#[path = "platform/no_signal.rs"]
pub(super) mod signal;
#[cfg(all(target_os = "linux", not(miri)))]
mod test_runner;
#[cfg(all(unix, not(miri)))]
mod unix;

#[cfg(any(not(unix), miri))]
use other::system_name;
pub(super) use short_name::Starting;
#[cfg(all(unix, not(miri)))]
use unix::system_name;

#[cfg(any(not(unix), miri))]
pub(super) use other::{
    at_thread_end, create_new, current_dir, env, is_first_thread, make_dir, name_at_end, on_fork,
    open_to_append, parent, program_name, remove_file, thread_name, write_stderr,
};
#[cfg(all(unix, not(miri)))]
pub(super) use unix::{
    at_thread_end, create_new, current_dir, env, is_first_thread, make_dir, name_at_end, on_fork,
    open_to_append, parent, program_name, remove_file, thread_name, write_stderr,
};
