//! Locks that are taken where nobody expects any: in a handler of a signal, in the destructor of a thread-local, in a
//! hook for panics, in a logger while it formats.

use crate::programs::codes;
use crate::projects::{document, lockwise, project};

/// A timer calls the handler, in whichever thread it may be, also in the middle of a hook.
const SIGNALS: &str = r#"
use std::ffi::{c_int, c_long, c_void};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, RwLock};
use std::thread;

extern "C" {
    fn signal(number: c_int, handler: extern "C" fn(c_int)) -> *mut c_void;
    fn setitimer(which: c_int, new: *const [c_long; 4], old: *mut [c_long; 4]) -> c_int;
}

const ALARM: c_int = 14;

static FIRST: Mutex<u32> = Mutex::new(0);
static SECOND: RwLock<u32> = RwLock::new(0);
static HANDLED: AtomicU32 = AtomicU32::new(0);

extern "C" fn handler(_: c_int) {
    // It waits for nothing: another thread's handler may have them.
    if let Ok(mut first) = FIRST.try_lock() {
        if let Ok(mut second) = SECOND.try_write() {
            (*first, *second) = (*first + 1, *second + 1);
        }
    }
    HANDLED.fetch_add(1, Relaxed);
}

fn every(micros: c_long) {
    let times = [0, micros, 0, micros];
    assert_eq!(unsafe { setitimer(0, &times, std::ptr::null_mut()) }, 0);
}

#[test]
fn a_handler_takes_locks_while_others_are_taken() {
    unsafe { signal(ALARM, handler) };
    let (a, b) = (Mutex::new(0_u64), RwLock::new(0_u64));
    every(200);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while HANDLED.load(Relaxed) < 300 {
                    let mut a = a.lock().unwrap();
                    *b.write().unwrap() += 1;
                    *a += 1;
                    // A lock used for the first time takes the long way.
                    let fresh: Vec<Mutex<u64>> = (0..8).map(Mutex::new).collect();
                    *a += fresh.iter().map(|one| *one.lock().unwrap()).sum::<u64>();
                }
            });
        }
    });
    every(0);
    assert_eq!(*FIRST.lock().unwrap(), *SECOND.read().unwrap());
}
"#;

/// The same with a handler that waits, though for nobody but those of other threads: without us each of them comes to its
/// end. Where one comes in the middle of a hook that has our own lock, and another has what it waits for, nobody may wait
/// for our own lock for ever.
const WAITING: &str = r#"
use std::ffi::{c_int, c_long, c_void};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::Mutex;
use std::thread;

extern "C" {
    fn signal(number: c_int, handler: extern "C" fn(c_int)) -> *mut c_void;
    fn setitimer(which: c_int, new: *const [c_long; 4], old: *mut [c_long; 4]) -> c_int;
}

const ALARM: c_int = 14;

static FIRST: Mutex<u32> = Mutex::new(0);
static SECOND: Mutex<u32> = Mutex::new(0);
static HANDLED: AtomicU32 = AtomicU32::new(0);

extern "C" fn handler(_: c_int) {
    let mut first = FIRST.lock().unwrap();
    let mut second = SECOND.lock().unwrap();
    // Locks used for the first time take the long way.
    let fresh = [1, 1, 1, 1].map(Mutex::new);
    *first += fresh.iter().map(|one| *one.lock().unwrap()).sum::<u32>();
    *second += 4;
    HANDLED.fetch_add(1, Relaxed);
}

fn every(micros: c_long) {
    let times = [0, micros, 0, micros];
    assert_eq!(unsafe { setitimer(0, &times, std::ptr::null_mut()) }, 0);
}

#[test]
fn a_handler_waits_for_those_of_other_threads() {
    unsafe { signal(ALARM, handler) };
    every(200);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while HANDLED.load(Relaxed) < 300 {
                    let (a, b) = (Mutex::new(0_u64), Mutex::new(0_u64));
                    let mut a = a.lock().unwrap();
                    *b.lock().unwrap() += 1;
                    *a += 1;
                }
            });
        }
    });
    every(0);
    assert_eq!(*FIRST.lock().unwrap(), *SECOND.lock().unwrap());
}
"#;

/// The destructor runs when the thread is about to be gone, and most of what is local to it is.
const THREAD_LOCALS: &str = r"
use std::cell::RefCell;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

#[derive(Default)]
struct Ended { count: Mutex<u32>, told: Condvar }

struct AtEnd(Arc<Ended>, Mutex<u32>);

impl Drop for AtEnd {
    fn drop(&mut self) {
        let mut count = self.0.count.lock().unwrap();
        *count += *self.1.lock().unwrap();
        self.0.told.notify_all();
    }
}

thread_local!(static AT_END: RefCell<Vec<AtEnd>> = const { RefCell::new(Vec::new()) });

#[test]
fn destructors_of_thread_locals_take_locks() {
    let ended = Arc::new(Ended::default());
    for _ in 0..20 {
        let ended = Arc::clone(&ended);
        // Nobody joins it.
        thread::spawn(move || AT_END.with_borrow_mut(|list| {
            list.push(AtEnd(ended, Mutex::new(1)));
        }));
    }
    let mut count = ended.count.lock().unwrap();
    while *count < 20 {
        count = ended.told.wait(count).unwrap();
    }
}
";

/// A logger that locks what it writes to, and formats what locks; a hook that logs a panic under a lock.
const LOGGERS: &str = r#"
use std::fmt;
use std::panic;
use std::sync::{Mutex, RwLock};
use std::thread;

static LINES: RwLock<Vec<String>> = RwLock::new(Vec::new());

struct Account(Mutex<u64>);

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Poisoned or not.
        let balance = self.0.lock().unwrap_or_else(|error| error.into_inner());
        write!(f, "balance {balance}")
    }
}

fn log(what: &dyn fmt::Display) {
    let mut lines = LINES.write().unwrap();
    lines.push(what.to_string());
}

#[test]
fn a_hook_for_panics_logs_under_the_locks_of_whoever_panics() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(|_| log(&"a panic")));
    let (account, other) = (Account(Mutex::new(1)), Mutex::new(2));
    let failed = thread::scope(|scope| {
        let failing = scope.spawn(|| {
            let _guard = other.lock().unwrap();
            log(&account);
            panic!("on purpose");
        });
        failing.join().is_err()
    });
    panic::set_hook(before);
    log(&account);
    assert!(failed && other.is_poisoned());
    assert_eq!(*LINES.read().unwrap(), ["balance 1", "a panic", "balance 1"]);
}
"#;

#[test]
fn locks_in_handlers_destructors_and_hooks_change_nothing() {
    let project = project(&[
        ("src/lib.rs", ""),
        ("tests/signals.rs", SIGNALS),
        ("tests/waiting_signals.rs", WAITING),
        ("tests/thread_locals.rs", THREAD_LOCALS),
        ("tests/loggers.rs", LOGGERS),
    ]);
    let output = lockwise(project.path(), &["test", "--format", "json"]);
    let report = document(&output);
    assert_eq!(output.status.code(), Some(0), "{report}");
    assert_eq!(codes(&report), [""; 0], "{report}");
    // Each of the four is watched, and so are the tests of the library, of which there are none.
    assert_eq!(report["stats"]["runs"], 5, "{report}");
}
