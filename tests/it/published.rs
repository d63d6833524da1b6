//! Three packages of others, as they were published: their own tests, plain and watched.
//!
//! They are the quickest of those in `docs/projects.md`. Where neither the packages nor a network are at hand, nothing
//! is tested and a line says so.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::programs::{calm, cargo, codes, finish, stdout};
use crate::projects::{depend, document, is_fetched, lockwise, project};

/// A copy of the package's sources, its own dependencies at hand.
fn unpacked(name: &str, version: &str) -> Option<TempDir> {
    let user = project(&[("src/lib.rs", "")]);
    depend(user.path(), &format!("{name} = \"={version}\"\n"));
    if !is_fetched(user.path()) {
        return None;
    }
    let copy = project(&[]);
    copy_files(&sources(user.path(), name), copy.path());
    // Not a member of the workspace that the folder lies in.
    let manifest = copy.path().join("Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text + "\n[workspace]\n").unwrap();
    is_fetched(copy.path()).then_some(copy)
}

/// Where the sources of a dependency lie.
fn sources(user: &Path, name: &str) -> PathBuf {
    let mut command = Command::new(cargo());
    command.args(["metadata", "--offline", "--format-version", "1"]);
    calm(&mut command);
    let output = finish(command.current_dir(user));
    let metadata: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == name);
    let manifest = package.unwrap()["manifest_path"].as_str().unwrap();
    Path::new(manifest).parent().unwrap().to_owned()
}

fn copy_files(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let copy = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_files(&path, &copy);
        } else {
            fs::copy(&path, &copy).unwrap();
        }
    }
}

/// The files of a folder, each with what it says, but for what was built.
fn files(folder: &Path) -> BTreeSet<(PathBuf, Vec<u8>)> {
    let mut files = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            files.extend(self::files(&path));
        } else if path.is_file() {
            let text = fs::read(&path).unwrap();
            files.insert((path, text));
        }
    }
    files
}

/// What each test came to, a line each.
fn results(output: &Output) -> Vec<String> {
    let text = stdout(output);
    let mut lines: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("test ") && !line.starts_with("test result"))
        .map(str::to_owned)
        .collect();
    lines.sort();
    lines
}

/// Runs the package's own tests, plain and watched: the same comes of them, locks are seen, nothing is found, and its
/// files stay as they are. Those whose names contain one of `timed` look at a clock while another thread sleeps, and fail
/// on a busy machine, watched or not: they are left out.
fn stays_the_same(name: &str, version: &str, timed: &[&str]) {
    let Some(package) = unpacked(name, version) else {
        return;
    };
    let before = files(package.path());
    let left_out: Vec<&str> = timed.iter().flat_map(|name| ["--skip", name]).collect();
    let mut command = Command::new(cargo());
    command
        .args(["test", "--offline", "--"])
        .args(&left_out)
        .env_remove("CARGO_TARGET_DIR");
    calm(&mut command);
    let plain = finish(command.current_dir(package.path()));
    let mut arguments = vec!["test", "--offline", "--format", "json", "--"];
    arguments.extend(left_out);
    let watched = lockwise(package.path(), &arguments);
    assert_eq!(results(&watched), results(&plain));
    assert!(!results(&plain).is_empty(), "{plain:?}");
    assert_eq!(watched.status.code(), plain.status.code());
    let report = document(&watched);
    assert_eq!(codes(&report), [""; 0], "{report}");
    assert_ne!(report["stats"]["locks"], 0, "{report}");
    assert_eq!(files(package.path()), before);
}

#[test]
fn tests_with_locks_and_conditions_of_std_come_to_the_same() {
    stays_the_same("parking", "2.2.1", &["other_thread", "not_called"]);
}

#[test]
fn tests_with_locks_of_parking_lot_come_to_the_same() {
    stays_the_same("string_cache", "0.8.9", &[]);
}

#[test]
fn tests_with_threads_and_conditions_of_parking_lot_come_to_the_same() {
    stays_the_same("scheduled-thread-pool", "0.2.7", &[]);
}
