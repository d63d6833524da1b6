//! Projects that know nothing of Lockwise, watched without a change.

use std::collections::BTreeSet;
use std::fs;

use crate::programs::{codes, finish, scratch};
use crate::projects::{command, depend, document, limits, lockwise, project};

/// Two threads that take two locks in opposite orders, one after the other. What keeps them apart is
/// data, which nobody sees: else the test itself would hang now and then.
const INVERSION: &str = r#"
use std::sync::{Arc, Mutex};
use std::thread;

#[test]
fn opposite_orders() {
    let a = Arc::new(Mutex::new(1_u32));
    let b = Arc::new(Mutex::new("b"));
    let (c, d) = (Arc::clone(&a), Arc::clone(&b));
    let first = thread::spawn(move || {
        let _a = c.lock().unwrap();
        let _b = d.lock().unwrap();
    });
    let second = thread::spawn(move || {
        for _ in 0..1000 {
            let Ok(_b) = b.try_lock() else { continue };
            let Ok(_a) = a.try_lock() else { continue };
        }
        while Arc::strong_count(&a) > 1 {
            thread::yield_now();
        }
        let _b = b.lock().unwrap();
        let _a = a.lock().unwrap();
    });
    first.join().unwrap();
    second.join().unwrap();
}
"#;

/// Inversions of locks of other crates. Each path that the sites take through them is another one.
const OF_CRATES: &str = r"
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Runs one after the other, unordered for whoever watches.
fn both(first: impl FnOnce() + Send + 'static, second: impl FnOnce() + Send + 'static) {
    let first = thread::spawn(first);
    while !first.is_finished() {
        thread::yield_now();
    }
    thread::spawn(second).join().unwrap();
    first.join().unwrap();
}

#[test]
fn what_an_unlocked_guard_takes_again() {
    use parking_lot::{Mutex, MutexGuard, RwLock};
    static A: Mutex<u8> = Mutex::new(1);
    static B: RwLock<u8> = RwLock::new(2);
    both(
        || {
            let mut a = A.lock();
            let _b = B.read();
            MutexGuard::unlocked(&mut a, || ());
        },
        || {
            let _a = A.lock();
            let _b = B.write();
        },
    );
}

#[test]
fn a_re_entrant_mutex() {
    use parking_lot::{FairMutex, ReentrantMutex};
    static A: ReentrantMutex<u8> = ReentrantMutex::new(1);
    static B: FairMutex<u8> = FairMutex::new(2);
    both(
        || {
            let _a = A.lock();
            let _again = A.lock();
            let _b = B.lock();
        },
        || {
            let _b = B.lock();
            let _a = A.lock();
        },
    );
}

#[test]
fn a_lock_of_the_projects_own() {
    struct Spin(AtomicBool);
    unsafe impl lock_api::RawMutex for Spin {
        const INIT: Spin = Spin(AtomicBool::new(false));
        type GuardMarker = lock_api::GuardNoSend;
        fn lock(&self) {
            while !self.try_lock() {
                thread::yield_now();
            }
        }
        fn try_lock(&self) -> bool {
            !self.0.swap(true, Ordering::Acquire)
        }
        unsafe fn unlock(&self) {
            self.0.store(false, Ordering::Release);
        }
    }
    static A: lock_api::Mutex<Spin, u8> = lock_api::Mutex::from_raw(lock_api::RawMutex::INIT, 1);
    static B: lock_api::Mutex<Spin, u8> = lock_api::Mutex::from_raw(lock_api::RawMutex::INIT, 2);
    both(
        || {
            let _a = A.lock();
            let _b = B.lock();
        },
        || {
            let _b = B.lock();
            let _a = A.lock();
        },
    );
}

#[test]
fn a_cell_that_is_initialised_under_a_lock() {
    use once_cell::sync::OnceCell;
    static A: std::sync::Mutex<u8> = std::sync::Mutex::new(1);
    static B: OnceCell<u8> = OnceCell::new();
    both(
        || {
            let _ = B.get_or_try_init(|| Err(*A.lock().unwrap()));
        },
        || {
            let a = A.lock().unwrap();
            B.get_or_init(|| *a);
        },
    );
}
";

#[test]
fn an_inversion_of_std_locks_is_found_and_names_the_users_lines() {
    let project = project(&[("src/lib.rs", INVERSION)]);
    let output = lockwise(project.path(), &["test", "--format", "json"]);
    let report = document(&output);
    assert_eq!(output.status.code(), Some(1), "{report}");
    assert_eq!(codes(&report), ["LW0003"]);
    let finding = &report["findings"][0];
    assert_eq!(finding["certainty"], "certain");
    let site = finding["cycle"][0]["wants"]["site"].as_str().unwrap();
    assert!(site.starts_with("src/lib.rs:"), "{site}");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains("test opposite_orders ... ok"), "{stdout}");

    // Nothing of ours outside the target folder.
    let mut left: Vec<_> = fs::read_dir(project.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["Cargo.lock", "Cargo.toml", "src", "target"]);
    assert_eq!(
        fs::read_dir(project.path().join("target")).unwrap().count(),
        1
    );
    let cleaned = lockwise(project.path(), &["clean"]);
    assert_eq!(cleaned.status.code(), Some(0));
    assert!(!project.path().join("target/lockwise").exists());
}

#[test]
fn parking_lot_is_watched_through_what_it_is_built_on() {
    let text = INVERSION
        .replace(
            "use std::sync::{Arc, Mutex};",
            "use std::sync::Arc;\nuse parking_lot::Mutex;",
        )
        .replace(".lock().unwrap()", ".lock()")
        .replace("let Ok(", "let Some(");
    let project = project(&[("src/lib.rs", &text)]);
    depend(project.path(), "parking_lot = \"0.12\"\n");
    let output = lockwise(project.path(), &["test", "--offline", "--format", "json"]);
    let report = document(&output);
    assert_eq!(codes(&report), ["LW0003"], "{report}");
    assert_eq!(limits(&report), [""; 0]);
    let class = report["findings"][0]["cycle"][0]["wants"]["class"].as_str();
    assert!(class.unwrap().starts_with("src/lib.rs:"), "{class:?}");
}

#[test]
fn locks_of_other_crates_are_made_and_taken_at_the_users_lines() {
    let project = project(&[("src/lib.rs", OF_CRATES)]);
    depend(
        project.path(),
        "lock_api = \"0.4\"\nonce_cell = \"1\"\nparking_lot = \"0.12\"\n",
    );
    let output = lockwise(project.path(), &["test", "--offline", "--format", "json"]);
    let report = document(&output);
    assert_eq!(codes(&report), ["LW0003"; 4], "{report}");
    assert_eq!(limits(&report), [""; 0]);
    let mut lines = BTreeSet::new();
    for finding in report["findings"].as_array().unwrap() {
        assert_eq!(finding["certainty"], "certain", "{finding}");
        for side in finding["cycle"].as_array().unwrap() {
            for lock in [&side["holds"], &side["wants"]] {
                for place in [&lock["site"], &lock["class"]] {
                    let place = place.as_str().unwrap();
                    let line = place.strip_prefix("src/lib.rs:").expect(place);
                    let line: usize = line.split(':').next().unwrap().parse().unwrap();
                    lines.insert(OF_CRATES.lines().nth(line - 1).unwrap().trim());
                }
            }
        }
    }
    assert!(
        lines.contains("MutexGuard::unlocked(&mut a, || ());"),
        "{lines:?}"
    );
}

#[test]
fn a_fingerprint_does_not_depend_on_which_lock_was_used_first() {
    // Made inside std: where, nobody sees.
    let project = project(&[(
        "src/main.rs",
        "use std::sync::{Mutex, RwLock};\n\
         fn main() {\n\
         let stock: Vec<Mutex<u8>> = (0..3).map(Mutex::new).collect();\n\
         let log: [RwLock<u8>; 2] = [None, None].map(Option::unwrap_or_default);\n\
         if std::env::args().len() > 1 { drop(log[1].read()); drop(stock[2].lock()); drop(log[0].read()); }\n\
         let first = || { let _a = stock[0].lock(); let _b = log[0].write(); };\n\
         let second = || { let _b = log[0].read(); let _a = stock[0].lock(); };\n\
         std::thread::scope(|s| { s.spawn(first); });\n\
         std::thread::scope(|s| { s.spawn(second); });\n\
         }\n",
    )]);
    let side = |arguments: &[&str]| {
        let run = ["run", "--show-excluded", "--format", "json"];
        let report = document(&lockwise(project.path(), &[&run, arguments].concat()));
        assert_eq!(codes(&report), ["LW0003"], "{report}");
        let finding = &report["findings"][0];
        let mut locks = BTreeSet::new();
        for side in finding["cycle"].as_array().unwrap() {
            locks.insert(side["holds"]["lock"].to_string());
        }
        (finding["fingerprint"].clone(), locks)
    };
    let (one, locks) = side(&[]);
    let (other, others) = side(&["--", "others"]);
    assert_ne!(locks, others, "the numbers are those of first use");
    assert_eq!(one, other);
}

#[test]
fn what_an_unparking_orders_is_not_proved() {
    let project = project(&[(
        "src/main.rs",
        "use std::sync::{Mutex, atomic::{AtomicBool, Ordering}};\n\
         static A: Mutex<u8> = Mutex::new(1);\n\
         static B: Mutex<u8> = Mutex::new(2);\n\
         static DONE: AtomicBool = AtomicBool::new(false);\n\
         fn main() {\n\
         let second = std::thread::spawn(|| {\n\
         loop { std::thread::park(); if DONE.load(Ordering::Acquire) { break } }\n\
         let _b = B.lock(); let _a = A.lock();\n\
         });\n\
         let thread: std::thread::Thread = second.thread().clone();\n\
         let first = std::thread::spawn(move || {\n\
         { let _a = A.lock(); let _b = B.lock(); }\n\
         if std::env::args().len() > 1 { DONE.store(true, Ordering::Release); thread.unpark(); }\n\
         });\n\
         first.join().unwrap();\n\
         DONE.store(true, Ordering::Release);\n\
         second.thread().unpark();\n\
         second.join().unwrap();\n\
         }\n",
    )]);
    for arguments in [&[] as &[&str], &["--", "from the first"]] {
        let run = ["run", "--format", "json"];
        let report = document(&lockwise(project.path(), &[&run, arguments].concat()));
        assert_eq!(codes(&report), ["LW0003"], "{report}");
        assert_eq!(report["findings"][0]["certainty"], "possible", "{report}");
    }
}

#[test]
fn what_threads_spend_where_nobody_watches_is_said() {
    // The child ends by itself; nobody sees what its output is waited for with.
    let project = project(&[(
        "src/main.rs",
        "use std::{process::Command, sync::{Mutex, mpsc}, thread, time::Duration};\n\
         static M: Mutex<u8> = Mutex::new(1);\n\
         fn main() {\n\
         drop(M.lock());\n\
         match std::env::args().nth(1).as_deref() {\n\
         Some(\"child\") => { Command::new(\"sleep\").arg(\"0.5\").output().unwrap(); }\n\
         _ => {\n\
         thread::sleep(Duration::from_millis(300));\n\
         let (send, receive) = mpsc::channel::<u8>();\n\
         let other = thread::spawn(move || { thread::park_timeout(Duration::from_millis(300)); drop(send); });\n\
         let _ = receive.recv_timeout(Duration::from_millis(200));\n\
         let _ = receive.recv();\n\
         other.join().unwrap();\n\
         } } }\n",
    )]);
    let elsewhere = |arguments: &[&str]| {
        let run = ["run", "--format", "json"];
        let report = document(&lockwise(project.path(), &[&run, arguments].concat()));
        let said = limits(&report);
        said.iter()
            .any(|line| line.starts_with("threads were blocked for"))
    };
    assert!(!elsewhere(&[]));
    assert_eq!(
        elsewhere(&["--", "child"]),
        cfg!(all(target_os = "linux", target_pointer_width = "64"))
    );
}

#[test]
fn an_allocator_may_ask_for_its_thread_and_unpark_it() {
    let project = project(&[(
        "src/main.rs",
        "use std::alloc::{GlobalAlloc, Layout, System};\n\
         struct Asks;\n\
         unsafe impl GlobalAlloc for Asks {\n\
         unsafe fn alloc(&self, layout: Layout) -> *mut u8 {\n\
         std::thread::current().unpark(); System.alloc(layout) }\n\
         unsafe fn dealloc(&self, at: *mut u8, layout: Layout) { System.dealloc(at, layout) }\n\
         }\n\
         #[global_allocator] static ASKS: Asks = Asks;\n\
         static M: std::sync::Mutex<u8> = std::sync::Mutex::new(0);\n\
         fn main() {\n\
         std::thread::spawn(|| { let text = String::from(\"x\"); *M.lock().unwrap() += 1;\n\
         std::thread::park(); drop(text); }).join().unwrap();\n\
         std::thread::park();\n\
         println!(\"{}\", M.lock().unwrap());\n\
         }\n",
    )]);
    let output = lockwise(project.path(), &["run"]);
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1\n");
    assert!(err.contains("lockwise: nothing found"), "{err}");
}

#[test]
fn a_thread_that_would_wait_for_itself_panics_if_that_was_chosen() {
    let project = project(&[(
        "src/lib.rs",
        "use parking_lot::{Mutex, ReentrantMutex, RwLock};\n\
         #[test] #[should_panic(expected = \"LW0002\")] fn mutex() {\n\
         let m = Mutex::new(1); let _a = m.lock(); let _b = m.lock();\n\
         }\n\
         #[test] #[should_panic(expected = \"LW0002\")] fn rwlock() {\n\
         let l = RwLock::new(1); let _a = l.read(); let _b = l.write();\n\
         }\n\
         #[test] fn reentrant() {\n\
         let m = ReentrantMutex::new(1); let _a = m.lock(); let _b = m.lock();\n\
         }\n",
    )]);
    depend(project.path(), "parking_lot = \"0.12\"\n");
    let mut command = command(
        project.path(),
        &["test", "--offline", "--format", "json", "--lib"],
    );
    let output = finish(command.env("LOCKWISE_ON_FINDING", "panic"));
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains("test result: ok. 3 passed"), "{stdout}");
    assert_eq!(codes(&document(&output)), ["LW0002"; 2]);
}

#[test]
fn an_initialiser_that_asks_for_what_it_is_making_is_ended() {
    let project = project(&[(
        "src/main.rs",
        "use std::sync::{LazyLock, Once, OnceLock};\n\
         static ONCE: Once = Once::new();\n\
         static CELL: OnceLock<u8> = OnceLock::new();\n\
         static LAZY: LazyLock<u8> = LazyLock::new(|| *THIRD + 1);\n\
         static THIRD: LazyLock<u8> = LazyLock::new(|| *LAZY + 1);\n\
         fn main() {\n\
         match std::env::args().nth(1).as_deref() {\n\
         Some(\"once\") => ONCE.call_once(|| ONCE.call_once(|| ())),\n\
         Some(\"waits\") => ONCE.call_once(|| ONCE.wait()),\n\
         Some(\"cell\") => { CELL.get_or_init(|| *CELL.get_or_init(|| 1)); }\n\
         Some(\"lazy\") => { let _ = *LAZY; }\n\
         _ => { ONCE.call_once(|| { CELL.get_or_init(|| 1); }); ONCE.wait(); }\n\
         } }\n",
    )]);
    let run = |way| lockwise(project.path(), &["run", "--format", "json", "--", way]);
    for way in ["once", "waits", "cell", "lazy"] {
        let output = run(way);
        let report = document(&output);
        assert_eq!(codes(&report), ["LW0002"], "{way}: {report}");
        assert_eq!(output.status.code(), Some(1), "{way}");
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(
            err.contains("which it holds itself, for ever"),
            "{way}: {err}"
        );
    }
    let output = run("apart");
    assert_eq!(codes(&document(&output)), [""; 0]);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn whatever_cargo_builds_is_built_and_behaves_as_before() {
    let project = project(&[
        (
            "src/lib.rs",
            "#![deny(warnings, unused_crate_dependencies)]\n\
             extern crate std as other;\n\
             /// ```\n\
             /// static M: std::sync::Mutex<u8> = std::sync::Mutex::new(3);\n\
             /// assert_eq!(*M.lock().unwrap(), demo::three());\n\
             /// ```\n\
             pub fn three() -> u8 { other::sync::Mutex::new(3).into_inner().unwrap() }\n\
             #[cfg(test)] mod tests {\n\
             #[test] fn poisons() {\n\
             let m = std::sync::Mutex::new(0);\n\
             let _ = std::panic::catch_unwind(|| { let _g = m.lock().unwrap(); panic!(\"x\") });\n\
             assert_eq!(format!(\"{m:?}\"), \"Mutex { data: 0, poisoned: true, .. }\");\n\
             }\n\
             #[test] fn built() { assert_eq!(env!(\"BUILT\"), \"plainly\"); }\n\
             }\n",
        ),
        (
            "build.rs",
            "fn main() { println!(\"cargo::rustc-env=BUILT={}\", \
             if std::mem::size_of::<std::sync::Mutex<u8>>() <= 16 { \"plainly\" } else { \"watched\" }); }",
        ),
        (
            "tests/alone.rs",
            "#[test] fn alone() { assert_eq!(demo::three(), 3); }",
        ),
        (
            "examples/shown.rs",
            "fn main() { println!(\"{}\", demo::three()); }",
        ),
    ]);
    let output = lockwise(project.path(), &["test"]);
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    assert_eq!(out.matches("test result: ok.").count(), 3, "{out}{err}");
    assert!(err.contains("lockwise: nothing found"), "{err}");
    let shown = lockwise(project.path(), &["run", "--example", "shown"]);
    assert_eq!(String::from_utf8_lossy(&shown.stdout), "3\n");
}

#[cfg(unix)]
#[test]
fn a_compiler_that_depends_on_the_folder_builds_the_watcher_too() {
    use std::os::unix::fs::PermissionsExt;

    // As a stand-in that reads `rust-toolchain.toml` does.
    let project = project(&[
        ("src/lib.rs", INVERSION),
        (
            "rustc.sh",
            "#!/bin/sh\n\
             [ -f rustc.sh ] || { echo \"error: another compiler, in $PWD\" >&2; exit 1; }\n\
             exec rustc \"$@\"\n",
        ),
    ]);
    let script = project.path().join("rustc.sh");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let cache = tempfile::tempdir_in(scratch()).unwrap();
    let mut command = command(project.path(), &["test", "--format", "json"]);
    command
        .env("RUSTC", &script)
        .env("LOCKWISE_CACHE", cache.path());
    let report = document(&finish(&mut command));
    assert_eq!(limits(&report), [""; 0]);
    assert_eq!(codes(&report), ["LW0003"], "{report}");
}

#[test]
fn a_crate_without_std_that_forbids_unused_dependencies_is_watched_in_its_tests() {
    let project = project(&[(
        "src/lib.rs",
        "#![no_std]\n#![deny(unused_crate_dependencies, warnings)]\npub fn f() {}\n\
         #[cfg(test)] mod tests {\n\
         extern crate std;\n\
         #[test] fn green() { assert_eq!(*std::sync::Mutex::new(1).lock().unwrap(), 1); }\n\
         }\n",
    )]);
    let output = lockwise(project.path(), &["test"]);
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert!(err.contains("lockwise: nothing found"), "{err}");
    assert!(!err.contains("warning"), "{err}");
}

#[test]
fn a_red_test_stays_red_and_a_mistake_of_the_users_is_built_once() {
    let project = project(&[("src/lib.rs", "#[test] fn red() { assert!(false, \"no\"); }")]);
    let output = lockwise(project.path(), &["test"]);
    assert_eq!(output.status.code(), Some(101));
    fs::write(
        project.path().join("src/lib.rs"),
        "pub fn f() -> u8 { \"\" }",
    )
    .unwrap();
    let output = lockwise(project.path(), &["test"]);
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(101));
    assert!(!err.contains("building without"), "{err}");
}

#[test]
fn what_does_not_compile_under_watch_is_built_without() {
    // The watched mutex is larger.
    let project = project(&[(
        "src/lib.rs",
        "const _: () = assert!(std::mem::size_of::<std::sync::Mutex<u8>>() <= 16, \"Mutex grew\");\n\
         #[test] fn green() {}",
    )]);
    let output = lockwise(project.path(), &["test"]);
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(out.contains("test green ... ok"), "{out}{err}");
    assert!(
        err.contains("nothing is watched: the build failed under watch"),
        "{err}"
    );
}
