//! The system on Unix: a few functions of libc, declared here so that nothing is linked for them.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::fs::File;
use std::sync::atomic::{AtomicUsize, Ordering};

unsafe extern "C" {
    fn getenv(name: *const c_char) -> *const c_char;
    fn getcwd(path: *mut c_char, len: usize) -> *mut c_char;
    fn unlink(path: *const c_char) -> c_int;
    fn mkdir(path: *const c_char, permissions: Permissions) -> c_int;
    fn pthread_key_create(key: *mut Key, end: Option<extern "C" fn(*mut c_void)>) -> c_int;
    fn pthread_setspecific(key: Key, value: *const c_void) -> c_int;
    fn pthread_atfork(
        prepare: Option<extern "C" fn()>,
        parent: Option<extern "C" fn()>,
        child: Option<extern "C" fn()>,
    ) -> c_int;
}

#[cfg(any(target_os = "macos", target_os = "ios"))]
type Key = std::ffi::c_ulong;
#[cfg(not(any(target_os = "macos", target_os = "ios")))]
type Key = std::ffi::c_uint;

/// `mode_t`.
#[cfg(any(target_os = "linux", target_os = "android"))]
type Permissions = std::ffi::c_uint;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
type Permissions = u16;

/// The value of an environment variable.
///
/// The bytes stay valid as long as nobody changes the environment, which Rust calls unsafe while
/// other threads run; callers copy what they need at once.
pub(crate) fn env(name: &'static CStr) -> Option<&'static [u8]> {
    // SAFETY: `name` is a valid C string.
    let value = unsafe { getenv(name.as_ptr()) };
    if value.is_null() {
        return None;
    }
    // SAFETY: `getenv` returns a valid C string or null, and nobody changes the environment while
    // it is read: `set_var` is unsafe for just that reason.
    Some(unsafe { CStr::from_ptr(value) }.to_bytes())
}

/// Copies the path of the current directory into `buffer` and returns its length; none if the
/// directory is gone or its path too long.
pub(crate) fn current_dir(buffer: &mut [u8]) -> Option<usize> {
    // SAFETY: `buffer` is valid for writes of its length.
    let path = unsafe { getcwd(buffer.as_mut_ptr().cast(), buffer.len()) };
    if path.is_null() {
        return None;
    }
    buffer.iter().position(|&byte| byte == 0)
}

/// Makes a directory, if it is not there.
pub(crate) fn make_dir(path: &CStr) {
    // SAFETY: `path` is a valid C string. Whether it failed shows when something is put there.
    let _ = unsafe { mkdir(path.as_ptr(), 0o777) };
}

/// Makes a file that is not there yet, to be read and written.
pub(crate) fn create_new(path: &CStr) -> Option<File> {
    imp::create_new(path)
}

/// Opens a file that is there, to write at its end.
pub(crate) fn open_to_append(path: &CStr) -> Option<File> {
    imp::open_to_append(path)
}

/// Removes a file.
pub(crate) fn remove_file(path: &CStr) {
    // SAFETY: `path` is a valid C string. A file that is not there needs no removing.
    let _ = unsafe { unlink(path.as_ptr()) };
}

/// Writes to standard error in one piece and past the standard library's lock, which the program
/// may hold while it waits for us.
pub(crate) fn write_stderr(text: &[u8]) {
    use std::io::Write;
    use std::mem::ManuallyDrop;
    use std::os::fd::FromRawFd;

    // SAFETY: descriptor 2 may be closed, which only makes the write fail; `ManuallyDrop` keeps it
    // from being closed here.
    let mut stderr = ManuallyDrop::new(unsafe { std::fs::File::from_raw_fd(2) });
    // There is nobody to tell if standard error is gone.
    let _ = stderr.write_all(text);
}

/// The key plus one, once there is one; 0 before, `usize::MAX` if the system has none left.
static KEY: AtomicUsize = AtomicUsize::new(0);

/// Has `end(value)` called when this thread ends, after the destructors of its thread-locals.
///
/// False if the system has no key left. `value` must not be null. Never called for the first
/// thread of a process that returns from `main`.
#[expect(clippy::cast_possible_truncation, reason = "keys are small")]
pub(crate) fn at_thread_end(end: extern "C" fn(*mut c_void), value: *const c_void) -> bool {
    let mut key = KEY.load(Ordering::Acquire);
    if key == 0 {
        let mut fresh: Key = 0;
        // SAFETY: `fresh` is valid for a write, and `end` has the type that is asked for.
        let failed = unsafe { pthread_key_create(&raw mut fresh, Some(end)) } != 0;
        let fresh = if failed {
            usize::MAX
        } else {
            fresh as usize + 1
        };
        // A thread that loses this race leaves a key that nobody uses: harmless.
        key = match KEY.compare_exchange(0, fresh, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => fresh,
            Err(winner) => winner,
        };
    }
    if key == usize::MAX {
        return false;
    }
    // SAFETY: the key was created and is never deleted.
    unsafe { pthread_setspecific((key - 1) as Key, value) == 0 }
}

/// Has the three handlers called around each `fork`.
pub(crate) fn on_fork(prepare: extern "C" fn(), parent: extern "C" fn(), child: extern "C" fn()) {
    // SAFETY: the handlers are functions of this program and have the types that are asked for.
    // A failure (no memory) leaves forks unhandled, as before.
    let _ = unsafe { pthread_atfork(Some(prepare), Some(parent), Some(child)) };
}

/// Whether this thread is the one on which the process started.
pub(crate) fn is_first_thread() -> bool {
    imp::is_first_thread()
}

/// The number of the process that started this one.
pub(crate) fn parent() -> u32 {
    std::os::unix::process::parent_id()
}

/// Copies the file name of this program into `buffer`.
pub(crate) fn program_name(buffer: &mut [u8; 256]) -> &[u8] {
    imp::program_name(buffer)
}

/// What the system calls this thread.
pub(super) fn system_name() -> Option<[u8; 16]> {
    imp::system_name()
}

/// Copies this thread's name into `buffer`, maybe cut at 15 bytes; none if it has no name of its
/// own.
pub(crate) fn thread_name(buffer: &mut [u8; 256]) -> Option<&[u8]> {
    imp::thread_name(buffer)
}

/// The same for a thread that is about to be gone, of which the standard library must not be asked any more.
pub(crate) fn name_at_end(buffer: &mut [u8; 256]) -> Option<&[u8]> {
    imp::name_at_end(buffer)
}

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub(super) use self::imp::thread_number;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod imp {
    use std::ffi::{CStr, c_char, c_int, c_uint, c_ulong};
    use std::fs::File;
    use std::os::fd::FromRawFd;

    use super::super::short_name::ShortName;

    unsafe extern "C" {
        #[cfg_attr(target_env = "gnu", link_name = "open64")]
        fn open(path: *const c_char, flags: c_int, ...) -> c_int;
        fn getpid() -> c_int;
        fn gettid() -> c_int;
        fn prctl(option: c_int, ...) -> c_int;
        fn readlink(link: *const c_char, path: *mut c_char, len: usize) -> isize;
    }

    /// `PR_GET_NAME`.
    const GET_NAME: c_int = 16;
    /// `O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC`, by the numbers of the architectures that Rust's
    /// hosts have.
    #[cfg(not(any(target_arch = "mips", target_arch = "mips64", target_arch = "sparc64")))]
    const CREATE_NEW: c_int = 0o2 | 0o100 | 0o200 | 0o2_000_000;
    #[cfg(any(target_arch = "mips", target_arch = "mips64"))]
    const CREATE_NEW: c_int = 0x2 | 0x100 | 0x400 | 0x8_0000;
    #[cfg(target_arch = "sparc64")]
    const CREATE_NEW: c_int = 0x2 | 0x200 | 0x800 | 0x40_0000;

    /// `O_WRONLY | O_APPEND | O_CLOEXEC`, likewise.
    #[cfg(not(any(target_arch = "mips", target_arch = "mips64", target_arch = "sparc64")))]
    const APPEND: c_int = 0o1 | 0o2000 | 0o2_000_000;
    #[cfg(any(target_arch = "mips", target_arch = "mips64"))]
    const APPEND: c_int = 0x1 | 0x8 | 0x8_0000;
    #[cfg(target_arch = "sparc64")]
    const APPEND: c_int = 0x1 | 0x8 | 0x40_0000;

    /// The standard library's own way allocates for paths of 384 bytes or more.
    pub(super) fn create_new(path: &CStr) -> Option<File> {
        open_with(path, CREATE_NEW)
    }

    pub(super) fn open_to_append(path: &CStr) -> Option<File> {
        open_with(path, APPEND)
    }

    fn open_with(path: &CStr, flags: c_int) -> Option<File> {
        let permissions: c_uint = 0o666;
        // SAFETY: `path` is a valid C string, and permissions follow the flags that may ask for them.
        let descriptor = unsafe { open(path.as_ptr(), flags, permissions) };
        if descriptor < 0 {
            return None;
        }
        // SAFETY: the descriptor was opened just now and is nobody else's.
        Some(unsafe { File::from_raw_fd(descriptor) })
    }

    pub(super) fn program_name(buffer: &mut [u8; 256]) -> &[u8] {
        let mut path = [0_u8; 4096];
        let link = c"/proc/self/exe".as_ptr();
        // SAFETY: `link` is a C string, and `path` is valid for writes of its length.
        let len = unsafe { readlink(link, path.as_mut_ptr().cast(), path.len()) };
        let path = usize::try_from(len).map_or(&b"program"[..], |len| &path[..len]);
        let start = path
            .iter()
            .rposition(|&byte| byte == b'/')
            .map_or(0, |slash| slash + 1);
        let name = &path[start..];
        let len = name.len().min(buffer.len() - 1);
        buffer[..len].copy_from_slice(&name[..len]);
        &buffer[..len]
    }

    pub(in super::super) fn thread_number() -> c_int {
        // SAFETY: no preconditions.
        unsafe { gettid() }
    }

    pub(super) fn is_first_thread() -> bool {
        // SAFETY: no preconditions.
        let process = unsafe { getpid() };
        thread_number() == process
    }

    pub(super) fn system_name() -> Option<[u8; 16]> {
        let mut short = [0_u8; 16];
        // SAFETY: the system writes at most 16 bytes, with a zero at the end.
        let told = unsafe { prctl(GET_NAME, short.as_mut_ptr().expose_provenance() as c_ulong) };
        (told == 0).then_some(short)
    }

    pub(super) fn thread_name(buffer: &mut [u8; 256]) -> Option<&[u8]> {
        if is_first_thread() {
            buffer[..4].copy_from_slice(b"main");
            return Some(&buffer[..4]);
        }
        let short = system_name()?;
        let len = short.iter().position(|&byte| byte == 0).unwrap_or(16);
        // A name of 15 bytes may be cut: the standard library knows it whole, and asking it does not
        // allocate for a thread that it started.
        let may_ask = ShortName::of(&short).may_have_handle();
        if len == 15 && may_ask && !super::inherited(&short[..len]) {
            let current = std::thread::current();
            let whole = current.name()?.as_bytes();
            if whole.starts_with(&short[..len]) {
                let len = whole.len().min(buffer.len());
                buffer[..len].copy_from_slice(&whole[..len]);
                return Some(&buffer[..len]);
            }
        }
        short_name(&short, buffer)
    }

    pub(super) fn name_at_end(buffer: &mut [u8; 256]) -> Option<&[u8]> {
        short_name(&system_name()?, buffer)
    }

    /// What the system calls a thread, if that is a name of its own. One without inherits that of the thread that made
    /// it, in the end the program's; such a name says nothing.
    fn short_name<'a>(short: &[u8; 16], buffer: &'a mut [u8; 256]) -> Option<&'a [u8]> {
        let len = short.iter().position(|&byte| byte == 0).unwrap_or(16);
        if len == 0 || super::inherited(&short[..len]) {
            return None;
        }
        buffer[..len].copy_from_slice(&short[..len]);
        Some(&buffer[..len])
    }
}

/// Whether this is the program's own short name rather than a thread's.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn inherited(short: &[u8]) -> bool {
    use std::io::Read;

    let mut program = [0_u8; 16];
    let Ok(mut file) = std::fs::File::open("/proc/self/comm") else {
        return false;
    };
    let Ok(len) = file.read(&mut program) else {
        return false;
    };
    program[..len]
        .strip_suffix(b"\n")
        .unwrap_or(&program[..len])
        == short
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod imp {
    use std::ffi::{CStr, OsStr};
    use std::fs::File;
    use std::os::unix::ffi::OsStrExt;

    use super::super::short_name::ShortName;

    pub(super) fn open_to_append(path: &CStr) -> Option<File> {
        let path = OsStr::from_bytes(path.to_bytes());
        File::options().append(true).open(path).ok()
    }

    pub(super) fn create_new(path: &CStr) -> Option<File> {
        let path = OsStr::from_bytes(path.to_bytes());
        let mut options = File::options();
        options.read(true).write(true).create_new(true);
        options.open(path).ok()
    }

    pub(super) fn program_name(buffer: &mut [u8; 256]) -> &[u8] {
        let path = std::env::current_exe().ok();
        let name = path.as_deref().and_then(std::path::Path::file_name);
        let name = name.map_or(&b"program"[..], std::ffi::OsStr::as_encoded_bytes);
        let len = name.len().min(buffer.len() - 1);
        buffer[..len].copy_from_slice(&name[..len]);
        &buffer[..len]
    }

    pub(super) fn is_first_thread() -> bool {
        std::thread::current().name() == Some("main")
    }

    pub(super) fn system_name() -> Option<[u8; 16]> {
        None
    }

    pub(super) fn thread_name(buffer: &mut [u8; 256]) -> Option<&[u8]> {
        if !ShortName::of_this_thread().may_have_handle() {
            return None;
        }
        let current = std::thread::current();
        let name = current.name()?.as_bytes();
        let len = name.len().min(buffer.len());
        buffer[..len].copy_from_slice(&name[..len]);
        Some(&buffer[..len])
    }

    pub(super) fn name_at_end(_buffer: &mut [u8; 256]) -> Option<&[u8]> {
        None
    }
}
