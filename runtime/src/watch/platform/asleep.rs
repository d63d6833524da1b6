//! Whether all threads of this process sleep until another of them wakes them, as Linux tells it.
//!
//! A thread that waits for good sleeps in the system call `futex`, without a deadline. `/proc` says of each
//! thread in which call it sleeps (only of one that is off its processor, and has been while this was
//! read: `task_current_syscall` in the kernel) and how often it has left a processor. If a second sample
//! has the same numbers, no thread has run between both: to run and to sleep again it would have left a
//! processor once more. Nor was one woken that has not run yet: its state would be another. The call alone does not
//! say so, as the kernel lets a thread that is about to be put on an idle processor (`TASK_WAKING`) pass for one that
//! sleeps. So at the moment between the samples all slept, and the count of threads,
//! which is one number in the kernel, says that these were all there are. What could wake one from
//! outside is excluded: another process (the futex must be private, but for joins) and a signal's handler
//! (none may be installed but for crashes). The one deadline that ends nothing is that of the first thread of a test
//! runner, which waits for its tests (see `test_runner.rs`).

use std::ffi::{CStr, c_int, c_long, c_ulong, c_void};
use std::fs;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use super::test_runner;

unsafe extern "C" {
    fn syscall(number: c_long, ...) -> c_long;
    fn pthread_create(
        thread: *mut c_ulong,
        attributes: *const c_void,
        body: extern "C" fn(*mut c_void) -> *mut c_void,
        argument: *mut c_void,
    ) -> c_int;
    fn pthread_detach(thread: c_ulong) -> c_int;
    fn pthread_sigmask(how: c_int, set: *const SignalSet, old: *mut SignalSet) -> c_int;
    fn prctl(option: c_int, ...) -> c_int;
}

/// `sigset_t`.
type SignalSet = [u64; 16];
const SIG_SETMASK: c_int = 2;
const PR_SET_NAME: c_int = 15;

/// Whether the system can say it: where the number of the call is known.
pub(crate) const IS_KNOWN: bool = FUTEX != 0;

/// The number of the system call.
const FUTEX: c_long = if cfg!(target_arch = "x86_64") {
    202
} else if cfg!(any(target_arch = "aarch64", target_arch = "riscv64")) {
    98
} else {
    0
};
/// `FUTEX_WAKE`.
const WAKE: c_int = 1;

/// The operations of it that sleep until woken: `FUTEX_WAIT` and `FUTEX_WAIT_BITSET`.
const WAITS: [u64; 2] = [0, 9];
/// The bits of an operation that name it.
const OPERATION: u64 = 0x7f;
/// The bit that says that no other process uses the futex.
const PRIVATE: u64 = 0x80;

/// The signals whose handlers run when a thread crashes, or are the C library's own: `SIGILL`, `SIGTRAP`,
/// `SIGABRT`, `SIGBUS`, `SIGFPE`, `SIGSEGV`, 32 and 33.
const CRASHES: u64 = signals(&[4, 5, 6, 7, 8, 11, 32, 33]);

const fn signals(numbers: &[u32]) -> u64 {
    let (mut set, mut at) = (0, 0);
    while at < numbers.len() {
        set |= 1 << (numbers[at] - 1);
        at += 1;
    }
    set
}

/// How a thread of ours is called, also that of another copy of the watcher in this process.
const NAME: &CStr = c"lockwise-watch";

/// The threads of ours, by the system's numbers; 0 for none.
static OURS: [AtomicU32; 3] = [const { AtomicU32::new(0) }; 3];

/// This thread is one of ours: whether it sleeps says nothing of the program.
pub(crate) fn this_is_ours() {
    let Some(me) = fs::read_link("/proc/thread-self")
        .ok()
        .and_then(|path| path.file_name()?.to_str()?.parse().ok())
    else {
        return;
    };
    for place in &OURS {
        if place.compare_exchange(0, me, Relaxed, Relaxed).is_ok() {
            return;
        }
    }
}

/// Starts a thread that runs `body`, without memory of the program's allocator; no handler of a signal runs on
/// it. False if the system has none.
pub(crate) fn start_thread(body: fn()) -> bool {
    extern "C" fn run(body: *mut c_void) -> *mut c_void {
        // SAFETY: this option reads a string that ends with a zero, as this one does.
        unsafe { prctl(PR_SET_NAME, NAME.as_ptr()) };
        // SAFETY: it was made of a `fn()` just below.
        let body = unsafe { std::mem::transmute::<*mut c_void, fn()>(body) };
        body();
        ptr::null_mut()
    }

    let all: SignalSet = [u64::MAX; 16];
    let mut before: SignalSet = [0; 16];
    // SAFETY: both sets are valid, and as large as the C library has them.
    let masked = unsafe { pthread_sigmask(SIG_SETMASK, &raw const all, &raw mut before) } == 0;
    let mut thread = 0;
    // SAFETY: `thread` is valid for a write, no attributes are given, and `run` has the right type.
    let made = unsafe { pthread_create(&raw mut thread, ptr::null(), run, body as *mut c_void) };
    if masked {
        // SAFETY: `before` is what the first call wrote.
        unsafe { pthread_sigmask(SIG_SETMASK, &raw const before, ptr::null_mut()) };
    }
    if made == 0 {
        // SAFETY: the thread was made, and nobody joins it.
        unsafe { pthread_detach(thread) };
    }
    made == 0
}

/// `struct timespec`, on 64-bit Linux.
#[repr(C)]
struct TimeSpan {
    seconds: i64,
    nanoseconds: i64,
}

/// Sleeps while the word has this value, but no longer than `at_most`.
pub(crate) fn sleep_while(word: &AtomicU32, value: u32, at_most: Duration) {
    let began = Instant::now();
    while word.load(Relaxed) == value
        && let Some(left) = at_most.checked_sub(began.elapsed())
    {
        let wait = (PRIVATE | WAITS[0]) as c_int;
        let left = TimeSpan {
            seconds: left.as_secs().cast_signed(),
            nanoseconds: i64::from(left.subsec_nanos()),
        };
        // SAFETY: the word and the span live while this call lasts; the kernel reads four bytes of the one, and the
        // other as the two numbers that it is.
        unsafe { syscall(FUTEX, word.as_ptr(), wait, value, &raw const left) };
    }
}

/// Wakes a thread that sleeps while the word has another value.
pub(crate) fn wake(word: &AtomicU32) {
    // SAFETY: the word lives; this call does not touch it.
    unsafe { syscall(FUTEX, word.as_ptr(), PRIVATE as c_int | WAKE, 1) };
}

/// In the child of a fork there are no threads of ours.
pub(crate) fn none_is_ours() {
    for place in &OURS {
        place.store(0, Relaxed);
    }
}

/// All threads of the process but ours, as they slept when they were looked at. Two that are equal say that
/// none has run in between.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asleep {
    threads: Vec<Sleeper>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Sleeper {
    number: u32,
    /// How often it has left a processor, by its own will and otherwise.
    left: (u64, u64),
    /// Whether other processes may use the futex.
    is_shared: bool,
    /// Whether it is the one that waits for the tests, with a deadline.
    runs_tests: bool,
}

impl Asleep {
    /// Looks at all threads. None if one is awake, may wake by itself, or cannot be looked at.
    pub(crate) fn look() -> Option<Asleep> {
        let ours: Vec<u32> = OURS.iter().map(|place| place.load(Relaxed)).collect();
        if caught_signals()? & !CRASHES != 0 {
            return None;
        }
        let mut threads = Vec::new();
        let mut own = 0;
        for entry in fs::read_dir("/proc/self/task").ok()? {
            let number: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            if ours.contains(&number) {
                own += 1;
                continue;
            }
            match Sleeper::look(number) {
                Some(sleeper) => threads.push(sleeper),
                None if is_of_another_copy(number) => own += 1,
                None => return None,
            }
        }
        threads.sort_unstable();
        (thread_count()? == threads.len() + own).then_some(Asleep { threads })
    }

    /// How many threads these are.
    pub(crate) fn len(&self) -> usize {
        self.threads.len()
    }

    /// How many of them another process might wake.
    pub(crate) fn shared(&self) -> usize {
        let shared = self.threads.iter().filter(|sleeper| sleeper.is_shared);
        shared.count()
    }

    /// Whether one of them waits for tests to end.
    pub(crate) fn run_tests(&self) -> bool {
        self.threads.iter().any(|sleeper| sleeper.runs_tests)
    }
}

impl Sleeper {
    fn look(number: u32) -> Option<Sleeper> {
        // In this order: a thread that leaves a processor between both looks has other numbers next time.
        let status = fs::read_to_string(format!("/proc/self/task/{number}/status")).ok()?;
        let call = fs::read_to_string(format!("/proc/self/task/{number}/syscall")).ok()?;
        if !is_asleep(&status) {
            return None;
        }
        let left = |name| number_after(&status, name, 10);
        let wait = wait(&call)?;
        let runs_tests = wait.has_deadline && is_first(number) && test_runner::is_this();
        if wait.has_deadline && !runs_tests {
            return None;
        }
        Some(Sleeper {
            number,
            left: (
                left("\nvoluntary_ctxt_switches:")?,
                left("\nnonvoluntary_ctxt_switches:")?,
            ),
            is_shared: wait.is_shared,
            runs_tests,
        })
    }
}

/// Whether the text of a `status` file is that of a thread that sleeps, and that nobody has woken.
fn is_asleep(status: &str) -> bool {
    status.contains("\nState:\tS ")
}

/// A sleep in the system call until somebody wakes the thread, or a deadline passes.
#[derive(Debug, PartialEq, Eq)]
struct Wait {
    has_deadline: bool,
    /// Whether other processes may use the futex.
    is_shared: bool,
}

/// The wait, if the text of a `syscall` file is that of a thread that sleeps so.
fn wait(call: &str) -> Option<Wait> {
    let mut words = call.split_ascii_whitespace();
    if !IS_KNOWN || words.next()?.parse() != Ok(FUTEX) {
        return None;
    }
    let mut argument = || u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok();
    let (_address, operation, _value, deadline) =
        (argument()?, argument()?, argument()?, argument()?);
    WAITS.contains(&(operation & OPERATION)).then_some(Wait {
        has_deadline: deadline != 0,
        is_shared: operation & PRIVATE == 0,
    })
}

/// Whether the process began with this thread, by the system's number.
fn is_first(thread: u32) -> bool {
    thread == std::process::id()
}

/// Whether this thread, by the system's number, is one of ours that another copy of the watcher has started.
fn is_of_another_copy(thread: u32) -> bool {
    let name = fs::read(format!("/proc/self/task/{thread}/comm"));
    name.is_ok_and(|name| name.trim_ascii_end() == NAME.to_bytes())
}

/// The signals for which the process has handlers, a bit each.
fn caught_signals() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    number_after(&status, "\nSigCgt:", 16)
}

/// How many threads the process has.
fn thread_count() -> Option<usize> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    usize::try_from(number_after(&status, "\nThreads:", 10)?).ok()
}

/// The number in a line that begins so.
fn number_after(text: &str, name: &str, base: u32) -> Option<u64> {
    let line = text.split_once(name)?.1.lines().next()?;
    u64::from_str_radix(line.trim(), base).ok()
}

#[cfg(test)]
mod tests;
