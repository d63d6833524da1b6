//! Small projects that know nothing of Lockwise, made and watched.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::programs::{calm, cargo, checker, finish, scratch, stderr};

/// A project with these files.
pub(crate) fn project(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir_in(scratch()).unwrap();
    // Not a member of the workspace that the folder lies in.
    let manifest =
        "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n";
    fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// Adds dependencies, lines of a manifest, to the project.
pub(crate) fn depend(project: &Path, lines: &str) {
    let manifest = project.join("Cargo.toml");
    let mut text = fs::read_to_string(&manifest).unwrap();
    text.push_str("[dependencies]\n");
    text.push_str(lines);
    fs::write(&manifest, text).unwrap();
}

/// Whether the project's packages are at hand, or can be fetched.
#[expect(
    clippy::print_stderr,
    reason = "whoever reads of the tests should know"
)]
pub(crate) fn is_fetched(project: &Path) -> bool {
    let fetch = |how: &[&str]| {
        let mut command = Command::new(cargo());
        command.arg("fetch").args(how).current_dir(project);
        calm(&mut command);
        finish(&mut command)
    };
    if fetch(&["--offline"]).status.success() {
        return true;
    }
    let output = fetch(&[]);
    if !output.status.success() {
        eprintln!("not tested, without packages: {}", stderr(&output));
    }
    output.status.success()
}

/// Runs a command of the checker in the project.
pub(crate) fn lockwise(project: &Path, arguments: &[&str]) -> Output {
    finish(&mut command(project, arguments))
}

/// A command of the checker in the project.
pub(crate) fn command(project: &Path, arguments: &[&str]) -> Command {
    let mut command = checker();
    command
        .current_dir(project)
        .args(arguments)
        .env("LOCKWISE_CACHE", scratch().join("watchers"))
        .env_remove("CARGO_TARGET_DIR");
    command
}

/// The document on the last line of standard output.
pub(crate) fn document(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().last().unwrap_or_default();
    serde_json::from_str(last).unwrap_or_else(|error| {
        panic!(
            "{error}: {text}\n{}",
            String::from_utf8_lossy(&output.stderr)
        )
    })
}

pub(crate) fn limits(report: &Value) -> Vec<&str> {
    let limits = report["limits"].as_array().unwrap();
    limits.iter().filter_map(Value::as_str).collect()
}
