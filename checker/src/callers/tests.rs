use std::fs;
use std::time::UNIX_EPOCH;

use super::files::{Files, Frame};
use super::{callers, line};
use crate::trace::Site;

fn frames(rows: &[(&str, &str, u32)]) -> Vec<Frame> {
    let frame = |&(function, file, line): &(&str, &str, u32)| Frame {
        function: function.to_owned(),
        file: file.to_owned(),
        line,
    };
    rows.iter().map(frame).collect()
}

fn site(file: &str, line: u32) -> Site {
    Site {
        file: file.to_owned(),
        line,
        column: 9,
        note: None,
    }
}

const STD: &str = "/rustc/59807616e1fa/library/std/src/sys/backtrace.rs";

/// A wrapper of a wrapper: the crate between has a file of the same name.
fn stack() -> Vec<Frame> {
    frames(&[
        (
            "lockwise_core::watch::judge",
            "/lockwise/src/watch/judge.rs",
            40,
        ),
        (
            "lock_api::Mutex<R,T>::lock",
            "/registry/lock_api-0.4.14/src/mutex.rs",
            213,
        ),
        (
            "bank::mutex::Lock<T>::lock",
            "/home/me/bank/src/mutex.rs",
            15,
        ),
        ("core::ops::function::FnOnce::call_once", STD, 250),
        ("bank::pay", "/home/me/bank/src/lib.rs", 30),
        (
            "once_cell::sync::OnceCell<T>::get_or_init",
            "/home/me/.cargo/registry/src/index.crates.io-1949cf8c/once_cell-1.21.4/src/lib.rs",
            1130,
        ),
        (
            "lockwise::thread::scope::Scope::start",
            "/registry/lockwise-0.1.0/src/thread/scope.rs",
            109,
        ),
        (
            "lockwise_core::thread::spawn",
            "/lockwise/overlays/core/../../src/thread.rs",
            82,
        ),
        (
            "std::sys::backtrace::__rust_begin_short_backtrace",
            STD,
            158,
        ),
        ("bank::main", "/home/me/bank/src/main.rs", 2),
    ])
}

#[test]
fn a_stack_begins_at_the_request_and_ends_where_the_thread_was_started() {
    let left = frames(&[
        (
            "bank::mutex::Lock<T>::lock",
            "/home/me/bank/src/mutex.rs",
            15,
        ),
        ("bank::pay", "/home/me/bank/src/lib.rs", 30),
    ]);
    for file in ["src/mutex.rs", "/home/me/bank/src/mutex.rs"] {
        assert_eq!(callers(stack(), &site(file, 15)), left);
    }
}

#[test]
fn a_call_over_several_lines_is_found_by_its_file() {
    let left = callers(stack(), &site("/home/me/bank/src/mutex.rs", 17));
    assert_eq!(left.len(), 2);
    assert_eq!(left[0].function, "bank::mutex::Lock<T>::lock");
}

#[test]
fn a_stack_without_the_file_of_the_request_says_nothing() {
    let stack = frames(&[
        ("pay", "/home/me/bank/xsrc/lib.rs", 15),
        ("pay", "src/lib.rs.in", 15),
    ]);
    assert_eq!(callers(stack, &site("src/lib.rs", 15)), []);
}

#[test]
fn names_without_files_are_those_of_the_program_in_front_of_the_start_of_its_thread() {
    let names = [
        "<lockwise_core::watch::Slot as core::ops::Drop>::drop",
        "_start",
        "std::sync::Mutex<T>::lock",
        "<stdlib::Lock<T> as stdlib::Take>::lock",
        "core::ops::function::FnOnce::call_once",
        "bank::pay",
        "std::sys::backtrace::__rust_begin_short_backtrace",
        "bank::main",
    ];
    let rows = names.map(|name| (name, "", 0));
    let with_std = [&stack()[3..4], &frames(&rows)].concat();
    let left = callers(with_std, &site("src/mutex.rs", 15));
    let told: Vec<String> = left
        .iter()
        .map(|frame| line(frame, "/home".as_ref()))
        .collect();
    assert_eq!(
        told,
        ["<stdlib::Lock<T> as stdlib::Take>::lock", "bank::pay"]
    );
    // Where some files are known and that of the request is not, it is not known where to begin.
    let mixed = [&stack()[4..5], &frames(&rows)].concat();
    assert_eq!(callers(mixed, &site("src/mutex.rs", 15)), []);
}

#[test]
fn files_of_the_project_are_named_from_its_root() {
    let stack = stack();
    let told: Vec<String> = stack[1..3]
        .iter()
        .map(|frame| line(frame, "/home/me/bank".as_ref()))
        .collect();
    assert_eq!(
        told,
        [
            "lock_api::Mutex<R,T>::lock at /registry/lock_api-0.4.14/src/mutex.rs:213",
            "bank::mutex::Lock<T>::lock at src/mutex.rs:15",
        ]
    );
}

#[test]
fn files_that_are_gone_or_have_no_names_and_stacks_that_are_damaged_give_none() {
    let mut files = Files::default();
    let text = std::env::current_dir().unwrap().join("Cargo.toml");
    let text = text.to_str().unwrap();
    let (length, changed) = state(text);
    for stack in [
        "",
        "/gone",
        "/gone\n0 1 1 12",
        "\n\n",
        "a\nb c\nd",
        &format!("{text}\n0 {length:x} {changed:x} 12 1f"),
        &format!("{text}\n0 {length:x}"),
    ] {
        assert_eq!(files.frames(stack), [], "{stack:?}");
    }
}

/// Where this function lies in the program of this test, as a process writes it.
#[cfg(target_os = "linux")]
fn here(length: u64, changed: u64) -> String {
    let address = here as *const () as usize + 1;
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let program = std::env::current_exe().unwrap();
    let program = program.to_str().unwrap();
    let first = maps.lines().find(|line| line.ends_with(program)).unwrap();
    let base = usize::from_str_radix(first.split('-').next().unwrap(), 16).unwrap();
    let offset = address - base;
    format!("{program}\n{base:x} {length:x} {changed:x} {offset:x}")
}

#[cfg(target_os = "linux")]
#[test]
fn names_are_those_of_the_file_that_the_process_had_and_of_no_later_one() {
    let program = std::env::current_exe().unwrap();
    let (length, changed) = state(program.to_str().unwrap());
    let frames = Files::default().frames(&here(length, changed));
    assert_eq!(frames.len(), 1, "{frames:?}");
    // The path depends on how much the compiler was told to write.
    assert!(frames[0].function.ends_with("here"), "{frames:?}");
    assert!(
        frames[0].file.ends_with("src/callers/tests.rs"),
        "{frames:?}"
    );
    for other in [here(length + 1, changed), here(length, changed - 1)] {
        assert_eq!(Files::default().frames(&other), []);
    }
}

fn state(path: &str) -> (u64, u64) {
    let data = fs::metadata(path).unwrap();
    let changed = data.modified().unwrap().duration_since(UNIX_EPOCH).unwrap();
    (data.len(), u64::try_from(changed.as_nanos()).unwrap())
}
