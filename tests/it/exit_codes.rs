//! Each exit code, and that a red test hides no finding.
//!
//! 0 and 1 are also those of all programs in `fixtures/`, 3 and 4 those of bad input.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::programs::{checker, finish, root, scratch, stderr, stdout};

/// A package in a folder of its own, which uses this `lockwise`; `checks` is a feature of it.
pub(crate) fn package(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let runtime = root().join("runtime");
    let manifest = format!(
        "[package]\nname = \"bank\"\nedition = \"2024\"\n\n\
         [features]\ndefault = [\"checks\"]\nchecks = [\"lockwise/checks\"]\n\n\
         [dependencies]\nlockwise = {{ path = {runtime:?}, default-features = false }}\n\n\
         [workspace]\n"
    );
    fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
    // The versions that are there already, so that nothing is fetched.
    fs::copy(root().join("Cargo.lock"), folder.path().join("Cargo.lock")).unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// The checker in `folder`, with a target folder that all these packages share.
pub(crate) fn checker_in(folder: &Path) -> Command {
    let mut command = checker();
    command
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", scratch().join("packages"));
    command
}

const BANK: &str = "
use lockwise::{Mutex, thread};

pub fn both_orders() {
    let (a, b) = (Mutex::named(\"a\", 0), Mutex::named(\"b\", 0));
    let done = std::sync::OnceLock::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut a = a.lock();
            *a += *b.lock();
            done.set(()).unwrap();
        });
        scope.spawn(|| {
            done.wait();
            let mut b = b.lock();
            *b += *a.lock();
        });
    });
}

#[test]
fn transfers() {
    both_orders();
}
";

const RED: &str = "
#[test]
fn adds_up() {
    assert_eq!(2 + 2, 5);
}
";

#[test]
fn a_red_test_and_a_finding_are_both_shown() {
    let package = package(&[("src/lib.rs", &format!("{BANK}{RED}"))]);
    let tested = finish(checker_in(package.path()).args(["test", "--offline", "--lib"]));
    assert_eq!(tested.status.code(), Some(1), "{}", stderr(&tested));
    let said = stderr(&tested);
    assert!(said.contains("error[LW0003]"), "{said}");
    assert!(said.contains("tests: failed (exit 101)"), "{said}");
    assert!(said.contains("lockwise: 1 error in "), "{said}");
    assert!(stdout(&tested).contains("1 passed; 1 failed"));

    let tested = finish(checker_in(package.path()).args([
        "test",
        "--offline",
        "--lib",
        "--fail-on",
        "never",
    ]));
    assert_eq!(tested.status.code(), Some(101), "what cargo returned");
    assert!(stderr(&tested).contains("LW0003"));
}

#[test]
fn a_green_test_and_a_finding_fail() {
    let package = package(&[("src/lib.rs", BANK)]);
    let tested = finish(checker_in(package.path()).args(["test", "--offline", "--lib"]));
    let said = stderr(&tested);
    assert_eq!(tested.status.code(), Some(1), "{said}");
    assert!(said.contains("tests: passed"), "{said}");
}

#[test]
fn a_program_s_own_exit_code_comes_through() {
    let main = "fn main() { drop(lockwise::Mutex::new(1).lock()); std::process::exit(7) }";
    let package = package(&[("src/main.rs", main)]);
    let ran = finish(checker_in(package.path()).args(["run", "--offline"]));
    assert_eq!(ran.status.code(), Some(7), "{}", stderr(&ran));
    assert!(stderr(&ran).contains("program: failed (exit 7)"));
}

#[test]
fn a_program_that_does_not_compile_is_cargo_s_matter() {
    let package = package(&[("src/main.rs", "fn main() { nothing() }")]);
    let ran = finish(checker_in(package.path()).args(["run", "--offline"]));
    assert_eq!(ran.status.code(), Some(101), "{}", stderr(&ran));
}

#[test]
fn wrong_usage_is_2() {
    for arguments in [
        &["report"][..],
        &["report", "--fail-on", "sometimes", "x.lwlog"],
        &["explain", "LW9999"],
        &["solve"],
    ] {
        let output = finish(checker().args(arguments));
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(stdout(&output), "");
        assert!(stderr(&output).starts_with("error"), "{arguments:?}");
    }
}

#[test]
fn no_log_is_4() {
    let folder = tempfile::tempdir().unwrap();
    let reported = finish(checker().arg("report").arg(folder.path()));
    assert_eq!(reported.status.code(), Some(4));

    let package = package(&[("src/main.rs", "fn main() {}")]);
    let ran = finish(checker_in(package.path()).args(["run", "--offline"]));
    assert_eq!(ran.status.code(), Some(4), "{}", stderr(&ran));
    assert!(stderr(&ran).contains("no log was made"));
}

#[test]
fn a_subcommand_of_cargo_is_the_same_as_the_program() {
    let listed = finish(checker().args(["lockwise", "explain"]));
    assert_eq!(listed.status.code(), Some(0));
    assert_eq!(stdout(&listed), stdout(&finish(checker().arg("explain"))));
}
