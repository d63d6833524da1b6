//! Cargo is a script here, so that each test says what cargo does.
#![cfg(unix)]

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::{arguments, builds};
use crate::command::tests::{Captured, command};

/// A project that uses the `lockwise` crate, and whose cargo answers `metadata` and otherwise runs
/// `script`.
fn project(script: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().display();
    let text = format!(
        "#!/bin/sh\n\
         if [ \"$1\" = metadata ]; then\n\
         echo '{{\"workspace_root\":\"{root}\",\"target_directory\":\"{root}/target\"}}'\n\
         exit\n\
         fi\n\
         echo \"$@\" > arguments\n\
         echo \"$LOCKWISE_LOG $LOCKWISE_LEVEL\" > variables\n\
         {script}\n"
    );
    let lock = "[[package]]\nname = \"lockwise\"\nversion = \"0.1.0\"\n";
    fs::write(folder.path().join("Cargo.lock"), lock).unwrap();
    write_program(&folder.path().join("cargo"), &text);
    folder
}

/// Writes a program in another process. In this one, a test that starts something right then would hand its child
/// the file as one that is open for writing, and what is open for writing cannot be started.
fn write_program(path: &Path, text: &str) {
    let mut shell = Command::new("sh")
        .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = shell.stdin.take().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    assert!(shell.wait().unwrap().success());
}

/// Runs a command line in the project: exit code, standard output, standard error.
fn run(folder: &TempDir, line: &[&str]) -> (i32, String, String) {
    let mut console = Captured::default();
    let cargo = folder.path().join("cargo").display().to_string();
    let exit = command(line, folder.path(), &[("CARGO", &cargo)], &mut console).unwrap();
    (exit, console.out(), console.err())
}

fn read(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}

const LOG_CERTAIN: &str = "printf 'LOG! certain' > $LOCKWISE_LOG/1.lwlog";
const LOG_NOTHING: &str = "printf 'LOG! nothing' > $LOCKWISE_LOG/1.lwlog";

#[test]
fn both_verdicts_count_and_both_are_shown() {
    let cases = [
        (LOG_NOTHING, 0, 0, "tests: passed\nlockwise: nothing found"),
        (
            LOG_NOTHING,
            101,
            101,
            "tests: failed (exit 101)\nlockwise: nothing found",
        ),
        (LOG_CERTAIN, 0, 1, "tests: passed\nlockwise: 1 error"),
        (
            LOG_CERTAIN,
            101,
            1,
            "tests: failed (exit 101)\nlockwise: 1 error",
        ),
        ("", 0, 4, "tests: passed\nlockwise: no log was made"),
        (
            "",
            101,
            101,
            "tests: failed (exit 101)\nlockwise: no log was made",
        ),
        (
            "printf x > $LOCKWISE_LOG/1.lwlog",
            0,
            3,
            "tests: passed\nlockwise: no log",
        ),
    ];
    for (log, code, expected, verdicts) in cases {
        let folder = project(&format!("{log}\nexit {code}"));
        let (exit, out, err) = run(&folder, &["test"]);
        assert_eq!(exit, expected, "{log} {code}: {err}");
        assert_eq!(out, "");
        assert!(err.contains(verdicts), "{err}");
    }
}

#[test]
fn a_signal_is_128_and_its_number() {
    let folder = project(&format!("{LOG_NOTHING}\nkill -9 $$"));
    let (exit, _, err) = run(&folder, &["run"]);
    assert_eq!(exit, 137);
    assert!(
        err.contains("program: ended by signal 9 (exit 137)\n"),
        "{err}"
    );
}

#[test]
fn an_unreadable_log_beside_a_good_one_is_only_said() {
    let folder = project(&format!("{LOG_NOTHING}\n: > $LOCKWISE_LOG/2.lwlog"));
    let (exit, _, err) = run(&folder, &["test"]);
    assert_eq!(exit, 0);
    assert!(err.contains("2.lwlog`: the file is empty"), "{err}");
}

#[test]
fn cargo_gets_its_arguments_and_the_program_its_variables() {
    let folder = project(LOG_NOTHING);
    run(
        &folder,
        &["test", "-p", "bank", "--format=json", "--", "--nocapture"],
    );
    assert_eq!(read(&folder, "arguments"), "test -p bank -- --nocapture\n");
    let variables = read(&folder, "variables");
    let logs = folder
        .path()
        .join("target/lockwise/logs")
        .display()
        .to_string();
    assert!(variables.starts_with(&logs), "{variables}");
    assert!(variables.ends_with(" trace\n"), "{variables}");

    run(
        &folder,
        &["test", "--level", "order", "--target-dir", "elsewhere"],
    );
    let variables = read(&folder, "variables");
    assert!(
        variables.contains("/elsewhere/lockwise/logs/"),
        "{variables}"
    );
    assert!(variables.ends_with(" order\n"), "{variables}");
}

#[test]
fn nextest_s_run_may_be_left_out() {
    let arguments = |line: &str| {
        let rest: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        let all = arguments("nextest", &rest);
        let all: Vec<_> = all.iter().map(|part| part.to_str().unwrap()).collect();
        all.join(" ")
    };
    assert_eq!(arguments("-p bank"), "nextest run -p bank");
    assert_eq!(arguments("run -p bank"), "nextest run -p bank");
    assert_eq!(arguments("list"), "nextest list");
    assert_eq!(arguments(""), "nextest run");
}

#[test]
fn an_archive_of_tests_is_run_as_it_was_built() {
    let builds = |line: &str| {
        let arguments: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        builds(&arguments)
    };
    assert!(!builds("nextest run --archive-file a.tar.zst"));
    assert!(!builds("nextest run -P ci --archive-file=a.tar.zst"));
    assert!(!builds("nextest list --binaries-metadata b.json"));
    assert!(!builds("nextest replay"));
    assert!(builds("nextest archive --archive-file a.tar.zst"));
    assert!(builds("nextest run -- --archive-file"));
    assert!(builds("nextest run --partition count:1/2"));
    assert!(builds("nextest"));
    assert!(builds("run -- --archive-file a"));
    assert!(builds("test"));
}

#[test]
fn a_document_is_the_last_line_of_standard_output() {
    let folder = project(LOG_CERTAIN);
    let (exit, out, err) = run(&folder, &["test", "--format", "json"]);
    assert_eq!(exit, 1);
    let last = out.lines().last().unwrap();
    let document: serde_json::Value = serde_json::from_str(last).unwrap();
    assert_eq!(document["program"]["exit"], 0);
    assert_eq!(document["findings"][0]["certainty"], "certain");
    assert!(
        err.starts_with("\ntests: passed\nlockwise: 1 error"),
        "{err}"
    );

    let folder = project("exit 101");
    let (exit, out, _) = run(&folder, &["test", "--format", "json", "-q"]);
    assert_eq!(exit, 101);
    assert!(
        out.lines()
            .last()
            .unwrap()
            .starts_with("{\"version\":1,\"findings\":[]")
    );
}

#[test]
fn logs_go_after_the_report_unless_they_are_kept() {
    let logs = |folder: &TempDir| {
        let entries = fs::read_dir(folder.path().join("target/lockwise/logs")).unwrap();
        entries.count()
    };
    let folder = project(LOG_NOTHING);
    run(&folder, &["test"]);
    assert_eq!(logs(&folder), 0);
    let (_, _, err) = run(&folder, &["test", "--keep-log"]);
    assert_eq!(logs(&folder), 1);
    assert!(err.contains("logs kept in "), "{err}");
    run(&folder, &["test", "--log-dir", "mine"]);
    assert!(folder.path().join("mine/1.lwlog").is_file());
    let exit = command(
        &["test", "--log-dir", "mine"],
        folder.path(),
        &[],
        &mut Captured::default(),
    );
    assert!(exit.unwrap_err().to_string().contains("is not empty"));
}

#[test]
fn where_nothing_was_to_run_no_log_is_no_fault() {
    let folder = project("exit 0");
    for line in [
        ["test", "--no-run"],
        ["nextest", "list"],
        ["nextest", "archive"],
    ] {
        assert_eq!(run(&folder, &line), (0, String::new(), String::new()));
    }
}

#[test]
fn quiet_says_nothing_when_all_is_well() {
    let folder = project(LOG_NOTHING);
    assert_eq!(
        run(&folder, &["test", "-q"]),
        (0, String::new(), String::new())
    );
    assert_eq!(read(&folder, "arguments"), "test -q\n");
    let folder = project("");
    let (exit, _, err) = run(&folder, &["test", "-q"]);
    assert_eq!(exit, 4);
    assert!(err.contains("no log was made"), "{err}");
    let folder = project(LOG_CERTAIN);
    let (exit, _, err) = run(&folder, &["test", "-q"]);
    assert_eq!(exit, 1);
    assert!(err.starts_with("error[LW0003]"), "{err}");
}

#[test]
fn a_report_that_nobody_reads_changes_no_exit_code() {
    let folder = project(LOG_CERTAIN);
    let cargo = folder.path().join("cargo").display().to_string();
    let mut console = Captured {
        closed: true,
        ..Captured::default()
    };
    let exit = command(&["test"], folder.path(), &[("CARGO", &cargo)], &mut console);
    assert_eq!(exit.unwrap(), 1);
}

#[test]
fn a_cargo_that_is_not_there_is_wrong_usage() {
    let folder = project("");
    let variables = [("CARGO", "/none/such/cargo")];
    let error = command(
        &["test"],
        folder.path(),
        &variables,
        &mut Captured::default(),
    );
    assert_eq!(
        error.unwrap_err().to_string(),
        "cannot start `/none/such/cargo`"
    );
}
