//! The scenes that the processes of these tests play.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::{c_char, c_int, c_ulong};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use lockwise::sync::{Failure, Shutdown, ThreadPool, block_on, within};
use lockwise::watch::hooks::held_count;
use lockwise::{Condvar, Mutex, RwLock, describe_waits};

unsafe extern "C" {
    fn fork() -> c_int;
    fn waitpid(process: c_int, status: *mut c_int, options: c_int) -> c_int;
    fn prctl(option: c_int, ...) -> c_int;
}

/// The system's allocator, counted.
struct Counted;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static COUNTED: Counted = Counted;

// SAFETY: all is handed on to the system's allocator.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

static BEFORE: Mutex<u32> = Mutex::named("before", 0);
static OUTER: Mutex<u32> = Mutex::named("outer", 0);
static TABLE: RwLock<u32> = RwLock::named("table", 0);
static INNER: Mutex<u32> = Mutex::named("inner", 0);

/// Plays the scene that the environment names.
#[test]
fn play() {
    match std::env::var("SCENE").as_deref() {
        Ok("moves away and forks") => {
            std::env::set_current_dir("/").expect("there is a root");
            in_child(|| drop(BEFORE.lock()));
        }
        Ok("counts what the watcher allocates") => {
            drop(BEFORE.lock());
            in_child(|| {
                let before = ALLOCATIONS.load(Relaxed);
                drop(BEFORE.lock());
                assert_eq!(ALLOCATIONS.load(Relaxed), before);
            });
        }
        Ok("has a pool that no worker can be had for") => {
            let pool = ThreadPool::builder(1)
                .name("maker")
                .initializer(|| panic!("there is no licence"))
                .build()
                .expect("one worker is enough");
            // Submitted in time, or refused, by how quick the worker was.
            if let Ok(pending) = pool.submit(|| 1) {
                assert!(matches!(pending.wait(), Err(Failure::Broken)));
            }
            pool.shutdown(Shutdown::Finish);
            assert!(pool.submit(|| 1).is_err());
        }
        Ok("takes a lock on threads with odd names") => {
            let odd = std::thread::spawn(|| {
                /// `PR_SET_NAME`.
                const SET_NAME: c_int = 15;
                let name: *const c_char = c"caf\xe9 au lait".as_ptr();
                // SAFETY: the name is a valid C string.
                unsafe { prctl(SET_NAME, name.expose_provenance() as c_ulong) };
                drop(BEFORE.lock());
            });
            odd.join().expect("it ends well");
        }
        Ok("forks while it holds two locks") => {
            let outer = OUTER.lock();
            let table = TABLE.read();
            drop(BEFORE.lock());
            in_child(|| {
                drop(INNER.lock());
                // SAFETY: this thread holds it, and the guard is forgotten with the child.
                unsafe { TABLE.force_unlock_read() };
                // SAFETY: as above.
                unsafe { OUTER.force_unlock() };
                drop(OUTER.lock());
            });
            drop(table);
            drop(outer);
        }
        Ok("waits for a condition under another lock") => {
            let (over, changed) = (Mutex::named("of the wait", false), Condvar::new());
            std::thread::scope(|scope| {
                let waits = || {
                    let _outer = OUTER.lock();
                    let mut over = over.lock();
                    assert_eq!(held_count(), 2);
                    changed.wait_while(&mut over, |over| !*over);
                    assert_eq!(held_count(), 2);
                };
                scope.spawn(waits);
                // It says what it holds while it waits.
                let said = loop {
                    let said = describe_waits();
                    if said.contains("waits for Condvar") {
                        break said;
                    }
                    std::thread::yield_now();
                };
                assert!(said.contains("holds outer"), "{said}");
                assert!(!said.contains("holds of the wait"), "{said}");
                *over.lock() = true;
                changed.notify_all();
            });
        }
        Ok("takes and gives back in any order") => super::script::run(),
        Ok("is woken at times in a child") => {
            let until_late = || {
                let never = std::future::pending::<()>();
                assert_eq!(block_on(within(Duration::from_millis(1), never)), None);
            };
            until_late();
            in_child(|| (0..3).for_each(|_| until_late()));
            until_late();
        }
        Ok("leaves a thread that panics to itself") => {
            let panics = std::thread::Builder::new().name("unlucky".to_owned());
            let thread = panics.spawn(|| {
                drop(BEFORE.lock());
                let _held = OUTER.lock();
                drop(INNER.lock());
                panic!("after its last lock");
            });
            let thread = thread.expect("there is room");
            while !thread.is_finished() {
                std::thread::yield_now();
            }
            // Nobody joins it, and nothing is flushed.
            std::process::abort();
        }
        _ => {}
    }
}

/// Runs `work` in a child that this thread forks, and waits until it has ended well.
fn in_child(work: impl FnOnce()) {
    // SAFETY: of the child's threads only this one goes on, and it takes no lock of another.
    let child = unsafe { fork() };
    assert!(child >= 0, "the system gives a process");
    if child == 0 {
        let worked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        std::process::exit(i32::from(worked.is_err()));
    }
    let mut status = 0;
    // SAFETY: `status` is a place for one number.
    let ended = unsafe { waitpid(child, &raw mut status, 0) };
    assert_eq!((ended, status), (child, 0), "the child ends well");
}
