//! Programs without checks: the same behaviour, and nothing watched.

use crate::exit_codes::{checker_in, package};
use crate::programs::{finish, stderr, stdout};

const PROGRAM: &str = "
use lockwise::stdsync;
use lockwise::{Barrier, Condvar, Lazy, Mutex, OnceCell, ReentrantMutex, RwLock, Semaphore};
use lockwise::{acquire, thread, try_acquire};

static TOTAL: Lazy<Mutex<u32>> = Lazy::new(|| Mutex::new(1));
static NAME: OnceCell<String> = OnceCell::new();

fn main() {
    let (a, b) = (Mutex::named(\"a\", 1), RwLock::new(2));
    {
        let (mut a, b) = acquire!(a, read b);
        *a += *b;
    }
    assert!(try_acquire!(a, write b).is_ok());
    let (ready, changed) = (Mutex::new(false), Condvar::new());
    let (phase, permits) = (Barrier::new(2), Semaphore::new(1));
    let counted = stdsync::Mutex::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            *ready.lock() = true;
            changed.notify_all();
            let _permit = permits.acquire();
            *counted.lock().unwrap() += 1;
            phase.wait();
        });
        changed.wait_while(&mut ready.lock(), |ready| !*ready);
        phase.wait();
    });
    let nested = ReentrantMutex::new(3);
    let (outer, inner) = (nested.lock(), nested.lock());
    *TOTAL.lock() += *a.lock() + *outer + *inner + *counted.lock().unwrap();
    let name = NAME.get_or_init(|| \"total\".to_owned());
    println!(\"{name} {}\", TOTAL.lock());
}
";

#[test]
fn a_program_runs_the_same_without_checks() {
    let package = package("switched", &[("src/main.rs", PROGRAM)]);
    let on = finish(checker_in(package.path()).args(["run", "--offline"]));
    assert_eq!(on.status.code(), Some(0), "{}", stderr(&on));
    assert_eq!(stdout(&on), "total 11\n");

    let off = ["run", "--offline", "--no-default-features"];
    let off = finish(checker_in(package.path()).args(off));
    assert_eq!(stdout(&off), stdout(&on), "{}", stderr(&off));
    assert!(stderr(&off).contains("no log was made"), "{}", stderr(&off));
    assert_eq!(off.status.code(), Some(4));
}
