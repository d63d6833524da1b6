//! Programs that deadlock for real: told when it happens, and ended if that was asked for.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::programs::{
    aborted, checker, codes, ended_by_deadlock, finish, judged, program, recorded, scratch, stderr,
    stdout,
};

/// Ways in which `deadlocks` deadlocks between threads.
const BETWEEN_THREADS: [&str; 14] = [
    "mutex",
    "fair",
    "reentrant",
    "write",
    "upgradable",
    "std-mutex",
    "std-write",
    "read-write",
    "upgrade",
    "three",
    "join",
    "scope",
    "lazy",
    "cells",
];

#[test]
fn each_is_named_as_it_happens_and_ends() {
    for way in BETWEEN_THREADS {
        let output = ended_by_deadlock("deadlocks", way);
        let said = stderr(&output);
        assert!(aborted(&output), "{way}: {said}");
        let told = said
            .matches("LW0001 deadlock: threads wait for each other")
            .count();
        assert_eq!(told, 1, "{way}: {said}");
    }
}

#[test]
fn both_stacks_of_each_side_are_told_if_all_are_kept() {
    let told = |stacks: &str| {
        let mut program = program("deadlocks");
        program.arg("mutex").env("LOCKWISE_ON_DEADLOCK", "abort");
        let said = stderr(&finish(program.env("LOCKWISE_STACKS", stacks)));
        // The orders that close a cycle are told before.
        let (_, deadlock) = said.split_once("LW0001").expect("it deadlocks");
        deadlock.to_owned()
    };
    let said = told("all");
    for what in ["where it took what it holds:", "where it asks:"] {
        assert_eq!(said.matches(what).count(), 2, "{what} {said}");
    }
    assert_eq!(said.matches("deadlocks::deadlock").count(), 4, "{said}");
    let said = told("1");
    assert!(!said.contains("where it took what it holds"), "{said}");
    assert_eq!(said.matches("stack of").count(), 2, "{said}");
}

#[test]
fn a_thread_that_waits_for_itself_ends_too() {
    for way in ["self", "std-self"] {
        let output = ended_by_deadlock("deadlocks", way);
        let said = stderr(&output);
        assert!(aborted(&output), "{way}: {said}");
        assert!(
            said.contains("which it holds itself, for ever"),
            "{way}: {said}"
        );
    }
}

#[test]
fn what_ends_by_itself_is_not_told() {
    for way in ["timed", "tried", "readers", "ordered", "joined"] {
        let output = ended_by_deadlock("deadlocks", way);
        let said = stderr(&output);
        assert_eq!(stdout(&output), "ended\n", "{way}: {said}");
        assert!(!said.contains("LW0001"), "{way}: {said}");
    }
}

#[test]
fn the_log_says_that_it_happened() {
    for level in ["order", "trace"] {
        let logs = tempfile::tempdir().unwrap();
        let output = finish(
            recorded("deadlocks", level, logs.path())
                .arg("mutex")
                .env("LOCKWISE_ON_DEADLOCK", "abort"),
        );
        assert!(aborted(&output), "{level}");
        let (report, code) = judged(logs.path());
        assert_eq!(code, 1, "{level}: {report}");
        let first = &report["findings"][0];
        assert_eq!(first["code"], "LW0001", "{level}: {report}");
        assert_eq!(first["certainty"], "actual", "{level}: {report}");
    }
}

/// Runs `deadlocks WAY` with a watchdog of a second until it tells of a stall: the lines of that.
fn stalled(way: &str) -> Vec<String> {
    let mut child = program("deadlocks")
        .arg(way)
        .env("LOCKWISE_STALL", "1")
        .env("LOCKWISE_ON_FINDING", "silent")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let (send, told) = mpsc::channel();
    // It ends with the child, whose end closes the stream.
    let reader = thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            let _ = send.send(line);
        }
    });
    let mut said = Vec::new();
    // The report is one write, so that its lines come together.
    while let Ok(line) =
        told.recv_timeout(Duration::from_secs(if said.is_empty() { 60 } else { 1 }))
    {
        said.push(line);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap();
    said
}

#[test]
fn the_watchdog_says_who_waits_for_whom() {
    let said = stalled("mutex");
    assert_eq!(
        said[0],
        "lockwise: LW0009 stall: a thread has waited for more than 1 s; all that wait now:"
    );
    // Both sides, and the thread that joins them. Where that has waited for a moment longer, the watchdog may
    // describe all of them once more when both sides have waited long enough, too.
    assert!(said.len() == 4 || said.len() == 8, "{said:#?}");
    let said = &said[..4];
    let sides = said.iter().filter(|line| line.contains("[exclusive] at "));
    for side in sides.clone() {
        assert!(
            side.contains(", held by thread ") && side.contains("; holds "),
            "{side}"
        );
    }
    assert_eq!(sides.count(), 2, "{said:#?}");
    let joins = said
        .iter()
        .filter(|line| line.contains(" waits for the end of thread "));
    assert_eq!(joins.count(), 1, "{said:#?}");
}

#[test]
fn the_watchdog_knows_waits_that_nobody_ends() {
    for (way, what) in [
        ("stall-condition", "waits for changed"),
        ("stall-std-condition", "waits for Condvar"),
        ("stall-barrier", "waits for Barrier"),
        ("stall-semaphore", "waits for Semaphore"),
        ("stall-channel", "waits for channel"),
    ] {
        let said = stalled(way);
        assert_eq!(said.len(), 2, "{way}: {said:#?}");
        assert!(
            said[1].to_lowercase().contains(&what.to_lowercase()),
            "{way}: {said:#?}"
        );
        assert!(said[1].contains("; holds Mutex"), "{way}: {said:#?}");
    }
}

/// Starts `deadlocks WAY` by `program`, with a watchdog of a second, and reads what it says until that tells of a
/// stall.
fn until_it_stalls(mut program: Command, way: &str) -> (Child, BufReader<ChildStderr>) {
    let mut child = program
        .arg(way)
        .env("LOCKWISE_STALL", "1")
        .env("LOCKWISE_ON_FINDING", "silent")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    until_it_says("LW0009", &mut lines);
    (child, lines)
}

/// Reads until a line has this in it.
fn until_it_says(what: &str, lines: &mut BufReader<ChildStderr>) -> String {
    let mut said = String::new();
    while !said.contains(what) {
        assert_ne!(lines.read_line(&mut said).unwrap(), 0, "it ended: {said}");
    }
    said
}

#[test]
fn a_stall_is_in_the_report() {
    let logs = tempfile::tempdir().unwrap();
    let (mut child, _) =
        until_it_stalls(recorded("deadlocks", "trace", logs.path()), "stall-barrier");
    child.kill().unwrap();
    child.wait().unwrap();
    let (report, _) = judged(logs.path());
    let findings = report["findings"].as_array().unwrap();
    let stall = findings.iter().find(|finding| finding["code"] == "LW0009");
    let stall = stall.unwrap_or_else(|| panic!("{report}"));
    assert_eq!(stall["level"], "note", "{report}");
    let message = stall["message"].as_str().unwrap();
    assert!(message.contains("for more than 1 s"), "{report}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_signal_has_all_waits_described() {
    let mut deadlocks = program("deadlocks");
    deadlocks.env("LOCKWISE_DUMP", "usr1");
    let (mut child, mut lines) = until_it_stalls(deadlocks, "mutex");
    let sent = Command::new("kill")
        .args(["-USR1", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
    until_it_says("lockwise: all that wait now:", &mut lines);
    // Both sides, and the thread that joins them.
    let mut said = String::new();
    for _ in 0..3 {
        lines.read_line(&mut said).unwrap();
    }
    assert_eq!(said.matches(", held by thread ").count(), 2, "{said}");
    child.kill().unwrap();
    child.wait().unwrap();
}

/// A program over std alone that deadlocks.
const HANGS: &str = r"
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

fn main() {
    let locks = Arc::new((Mutex::new(1), Mutex::new(2), Barrier::new(2)));
    let other = Arc::clone(&locks);
    let worker = thread::spawn(move || {
        let _second = other.1.lock().unwrap();
        other.2.wait();
        let _first = other.0.lock().unwrap();
    });
    let first = locks.0.lock().unwrap();
    locks.2.wait();
    let second = locks.1.lock().unwrap();
    drop((first, second));
    worker.join().unwrap();
}
";

#[test]
fn an_unchanged_program_that_hangs_fails_with_the_report() {
    let folder = tempfile::tempdir_in(scratch()).unwrap();
    let project = folder.path();
    fs::create_dir(project.join("src")).unwrap();
    fs::write(project.join("src/main.rs"), HANGS).unwrap();
    let manifest =
        "[package]\nname = \"hangs\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n";
    fs::write(project.join("Cargo.toml"), manifest).unwrap();
    let output = finish(
        checker()
            .args(["run", "--format", "json", "--offline"])
            .current_dir(project),
    );
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("LW0001 deadlock"), "{said}");
    let out = stdout(&output);
    let document = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    assert!(codes(&document).contains(&"LW0001"), "{document}");
}

/// Without us the child would hang for good, and whoever started it may want to see that it does.
#[test]
fn what_a_watched_program_started_hangs_on_for_a_while_before_it_is_ended() {
    let logs = tempfile::tempdir().unwrap();
    let mut parent = recorded("started", "trace", logs.path());
    let output = finish(parent.env("LOCKWISE_ON_DEADLOCK", "abort"));
    let said = stderr(&output);
    assert_eq!(
        stdout(&output),
        "told=true hangs=true\nsignal=Some(6)\n",
        "{said}"
    );
    let (report, _) = judged(logs.path());
    // The one thread waits for the end of the other with the lock.
    assert_eq!(codes(&report), ["LW0001", "LW0006"], "{report:#}");
}
