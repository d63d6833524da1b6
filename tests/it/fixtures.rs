//! Each program of `fixtures/`: verdict, exit code and report.

use std::fs;
use std::path::Path;

use crate::programs::{checker, finish, recorded, root, stderr};
use crate::steady::steady;

/// The names of the programs in a folder of `fixtures/`.
fn names(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join("fixtures").join(folder)).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

/// Runs a program as a user would. Returns the exit code and the report.
fn run(name: &str, reports: &Path) -> (i32, String) {
    let text = reports.join(name);
    let mut output = std::ffi::OsString::from("text=");
    output.push(&text);
    let ran = finish(
        checker()
            .args(["run", "--profile", "test", "-p", "lockwise-fixtures"])
            .args(["--bin", name, "--show-excluded", "--output"])
            .arg(output),
    );
    let said = stderr(&ran);
    let report = fs::read_to_string(&text).unwrap_or_else(|_| panic!("no report: {said}"));
    assert!(
        report.contains("program: ended well (exit 0)"),
        "{name} itself fails: {said}"
    );
    (ran.status.code().unwrap(), steady(&report))
}

/// Compares the reports of a folder with those beside the programs. All are looked at before the
/// first difference fails.
fn check(folder: &str, expected: i32) {
    let reports = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for name in names(folder) {
        let (code, report) = run(&name, reports.path());
        if code != expected {
            wrong.push(format!("{name}: exit {code}\n{report}"));
            continue;
        }
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(root().join("fixtures").join(folder));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name, report));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn programs_that_can_deadlock_fail() {
    check("fail", 1);
}

#[test]
fn programs_that_cannot_deadlock_pass() {
    check("pass", 0);
    for name in names("pass") {
        let snapshot = root().join(format!("fixtures/pass/{name}.snap"));
        let report = fs::read_to_string(snapshot).unwrap();
        for level in ["error", "warning"] {
            assert!(
                !report.contains(&format!("{level}[LW")),
                "{name} has findings of level {level}"
            );
        }
    }
}

#[test]
fn a_barrier_alone_is_what_excludes() {
    let logs = tempfile::tempdir().unwrap();
    finish(&mut recorded("barrier_phases", "trace", logs.path()));
    let reported = finish(
        checker()
            .args(["report", "--format", "json", "--show-excluded"])
            .arg(logs.path()),
    );
    let report: serde_json::Value = serde_json::from_slice(&reported.stdout).unwrap();
    let excluded_by = &report["findings"][0]["excluded_by"];
    assert_eq!(*excluded_by, serde_json::json!(["barrier"]));
}

#[test]
fn there_are_as_many_programs_for_silence_as_for_alarms() {
    assert_eq!(names("pass").len(), names("fail").len());
    assert!(names("pass").len() >= 8);
}
