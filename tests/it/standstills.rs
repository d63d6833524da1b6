//! Programs whose threads all wait for good, with no circle of holders: told a moment later, and ended if
//! that was asked for. Only Linux can say that all threads sleep.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use crate::programs::{
    aborted, checker, codes, ended_by_deadlock, finish, judged, program, recorded, scratch, stderr,
    stdout,
};
use crate::projects::{document, lockwise, project};

/// Ways in which `standstills` stands still.
const WAYS: [&str; 16] = [
    "condition",
    "lost",
    "barrier",
    "semaphore",
    "bounded",
    "channels",
    "own-sender",
    "queue",
    "promises",
    "queued-job",
    "event",
    "poller",
    "select",
    "once",
    "reader",
    "foreign",
];

#[test]
fn each_is_named_and_ends() {
    for way in WAYS {
        let output = ended_by_deadlock("standstills", way);
        let said = stderr(&output);
        assert!(aborted(&output), "{way}: {said}");
        let mut told = "LW0001 deadlock: all threads of the process wait, for ever";
        let circle =
            "LW0001 deadlock: threads wait for each other, for ever: thread 3 waits to read shared";
        if way == "reader" && said.contains(circle) {
            // It looks again once it is seen to wait: on a busy machine the others may all have come by then.
            told = circle;
        }
        assert_eq!(said.matches(told).count(), 1, "{way}: {said}");
        assert_eq!(said.matches("LW0001").count(), 1, "{way}: {said}");
    }
}

#[test]
fn what_goes_on_is_not_told() {
    for way in [
        "sleeper",
        "timed",
        "several",
        "ping-pong",
        "pool",
        "foreign-timed",
    ] {
        let output = ended_by_deadlock("standstills", way);
        let said = stderr(&output);
        assert_eq!(stdout(&output), "ended\n", "{way}: {said}");
        assert!(!said.contains("LW0001"), "{way}: {said}");
    }
}

/// Starts `standstills WAY` with a watchdog of a second, reads what it says until that tells of a stall, which is
/// long after a standstill would have been told, lets it go on with a byte, and returns what it said.
fn until_it_stalls(way: &str) -> String {
    let mut child = program("standstills")
        .arg(way)
        .env("LOCKWISE_ON_DEADLOCK", "abort")
        .env("LOCKWISE_STALL", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    while !said.contains("LW0009") {
        assert_ne!(lines.read_line(&mut said).unwrap(), 0, "it ended: {said}");
    }
    // It may be one that listens.
    let _ = child.stdin.take().unwrap().write_all(b"x");
    if way == "parked" {
        child.kill().unwrap();
    }
    let status = child.wait().unwrap();
    assert!(way == "parked" || status.success(), "{status}: {said}");
    said
}

#[test]
fn what_waits_for_the_outside_world_is_not_told() {
    for way in ["input", "watched-input", "parked"] {
        let said = until_it_stalls(way);
        assert!(!said.contains("LW0001"), "{way}: {said}");
    }
}

#[test]
fn what_a_thread_that_runs_may_end_is_not_told() {
    let said = until_it_stalls("rescued");
    assert!(!said.contains("LW0001"), "{said}");
}

#[test]
fn the_log_says_whose_side_it_was() {
    for level in ["order", "trace"] {
        let logs = tempfile::tempdir().unwrap();
        let output = finish(
            recorded("standstills", level, logs.path())
                .arg("barrier")
                .env("LOCKWISE_ON_DEADLOCK", "abort"),
        );
        assert!(aborted(&output), "{level}");
        let (report, code) = judged(logs.path());
        assert_eq!(code, 1, "{level}: {report}");
        let deadlock = report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .find(|finding| finding["code"] == "LW0001")
            .unwrap_or_else(|| panic!("{level}: {report}"));
        assert_eq!(deadlock["certainty"], "actual", "{level}: {report}");
        let sides = deadlock["cycle"].as_array().unwrap();
        let (first, second) = (&sides[0], &sides[1]);
        assert_ne!(first["thread_name"], "lockwise-watch", "{level}: {report}");
        let held = first["holds"]["class"].as_str().unwrap();
        assert!(held.contains("standstills.rs"), "{level}: {report}");
        assert_eq!(first["wants"]["resource"], "barrier", "{level}: {report}");
        // And who would come to the barrier, had it that lock.
        assert_eq!(second["wants"]["class"], held, "{level}: {report}");
    }
}

#[test]
fn each_that_has_a_part_in_it_is_named_in_the_report() {
    let told = [
        ("poller", "waits for channel one of several; T1 waits for"),
        ("lost", "waits for condvar added; T1 waits for T3 to end"),
        ("reader", " behind T2, which waits to write it"),
    ];
    for (way, part) in told {
        let logs = tempfile::tempdir().unwrap();
        let mut hangs = recorded("standstills", "trace", logs.path());
        finish(hangs.arg(way).env("LOCKWISE_ON_DEADLOCK", "abort"));
        let (report, _) = judged(logs.path());
        let deadlock = &report["findings"][0];
        assert_eq!(deadlock["code"], "LW0001", "{way}: {report}");
        let message = deadlock["message"].as_str().unwrap();
        // A busy machine may have the reader close a circle of holders.
        let circle = way == "reader" && message.contains("waiting for each other");
        assert!(message.contains(part) || circle, "{way}: {message}");
    }
}

/// Two tests: one waits for a message that nobody sends, the other for one that comes late.
const TESTS: &str = r#"
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

#[test]
fn a_message_that_comes_late() {
    let (sender, receiver) = channel();
    let late = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        sender.send(1).unwrap();
    });
    assert_eq!(receiver.recv(), Ok(1));
    late.join().unwrap();
}

#[test]
#[cfg(feature = "hangs")]
fn a_message_that_nobody_sends() {
    let (to_worker, from_main) = channel::<u32>();
    let (to_main, from_worker) = channel::<u32>();
    let worker = thread::spawn(move || to_main.send(from_main.recv().unwrap()).unwrap());
    to_worker.send(from_worker.recv().unwrap()).unwrap();
    worker.join().unwrap();
}
"#;

#[test]
fn the_runner_of_tests_waits_for_good_whatever_its_deadline() {
    let project = project(&[("src/lib.rs", ""), ("tests/waits.rs", TESTS)]);
    let manifest = project.path().join("Cargo.toml");
    let mut text = fs::read_to_string(&manifest).unwrap();
    text.push_str("[features]\nhangs = []\n");
    fs::write(&manifest, text).unwrap();
    let watched = ["test", "--format", "json", "--tests"];

    let passes = lockwise(project.path(), &watched);
    assert_eq!(passes.status.code(), Some(0), "{}", stderr(&passes));
    let none: [&str; 0] = [];
    assert_eq!(codes(&document(&passes)), none, "{}", stderr(&passes));

    let hangs = lockwise(
        project.path(),
        &[&watched[..], &["--features=hangs"]].concat(),
    );
    let said = stderr(&hangs);
    assert_eq!(hangs.status.code(), Some(1), "{said}");
    assert!(codes(&document(&hangs)).contains(&"LW0001"), "{said}");
    // After that minute the runner would wait without a deadline.
    let said = stdout(&hangs) + &said;
    assert!(!said.contains("has been running for over"), "{said}");
    assert!(
        said.contains("the test runner waits for its tests"),
        "{said}"
    );
}

/// A program over std alone whose threads wait for each other's messages.
const HANGS: &str = r"
use std::sync::mpsc::channel;
use std::thread;

fn main() {
    let (to_worker, from_main) = channel();
    let (to_main, from_worker) = channel();
    let worker = thread::spawn(move || {
        let got: u32 = from_main.recv().unwrap();
        to_main.send(got).unwrap();
    });
    let got: u32 = from_worker.recv().unwrap();
    to_worker.send(got).unwrap();
    worker.join().unwrap();
}
";

#[test]
fn an_unchanged_program_that_stands_still_fails_with_the_report() {
    let folder = tempfile::tempdir_in(scratch()).unwrap();
    let project = folder.path();
    fs::create_dir(project.join("src")).unwrap();
    fs::write(project.join("src/main.rs"), HANGS).unwrap();
    let manifest =
        "[package]\nname = \"stands\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n";
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
