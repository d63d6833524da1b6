//! What `cargo lockwise check` reads anew when something has changed, and what it keeps.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::programs::{checker, finish, scratch};

/// A double lock across a call, whose callee is written last.
const BASE: &str = "
use std::sync::Mutex;
pub fn outer(m: &Mutex<u32>) -> u32 {
    let held = m.lock().unwrap();
    *held + inner(m)
}
pub fn inner(m: &Mutex<u32>) -> u32 { *m.lock().unwrap() }
";

const USES: &str = "
pub fn twice(m: &std::sync::Mutex<u32>) -> u32 {
    let held = m.lock().unwrap();
    *held + base::inner(m)
}
";

const ALONE: &str = "pub fn one() -> u32 { 1 }\n";

/// A workspace of three crates, one of which uses another.
fn workspace() -> TempDir {
    let folder = TempDir::new_in(scratch()).unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "Cargo.toml",
        "[workspace]\nmembers = [\"alone\", \"base\", \"uses\"]\nresolver = \"3\"\n",
    );
    for (name, text) in [("alone", ALONE), ("base", BASE), ("uses", USES)] {
        let uses = if name == "uses" {
            "base.path = \"../base\"\n"
        } else {
            ""
        };
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\n{uses}"
        );
        write(&format!("{name}/Cargo.toml"), &manifest);
        write(&format!("{name}/src/lib.rs"), text);
    }
    folder
}

/// How many findings there are, and what was left out.
fn check(folder: &Path) -> (usize, Vec<String>) {
    let mut command = checker();
    command.current_dir(folder).env_remove("CARGO_TARGET_DIR");
    let output = finish(command.args(["check", "--workspace", "--format", "json"]));
    let text = String::from_utf8_lossy(&output.stdout);
    let document: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let limits = document["limits"].as_array().unwrap().iter();
    let limits = limits.map(|limit| limit.as_str().unwrap().to_owned());
    let count = document["findings"].as_array().unwrap().len();
    (count, limits.collect())
}

/// The file that keeps each crate.
fn kept(folder: &Path) -> BTreeMap<String, PathBuf> {
    let files = fs::read_dir(folder.join("target/lockwise/check/printed")).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let files = files.filter(|file| file.extension().is_some_and(|ending| ending == "crate"));
    files
        .map(|file| {
            let name = file.file_stem().unwrap().to_str().unwrap();
            (name.split('-').next().unwrap().to_owned(), file)
        })
        .collect()
}

/// Marks what is kept: a file that is written again is no longer the one that was marked.
fn mark(folder: &Path) -> BTreeMap<String, fs::File> {
    let files = kept(folder).into_iter();
    files
        .map(|(name, file)| (name, fs::File::open(file).unwrap()))
        .collect()
}

/// The crates whose files have been written again.
fn written_since(marks: &BTreeMap<String, fs::File>, folder: &Path) -> Vec<String> {
    let now = mark(folder);
    assert!(now.keys().eq(marks.keys()));
    let is_same = |one: &fs::File, other: &fs::File| {
        let modified = |file: &fs::File| file.metadata().unwrap().modified().unwrap();
        modified(one) == modified(other)
    };
    let written = now
        .iter()
        .filter(|(name, file)| !is_same(file, &marks[*name]));
    written.map(|(name, _)| name.clone()).collect()
}

#[test]
fn only_crates_that_changed_and_those_that_use_them_are_read_anew() {
    let folder = workspace();
    let (folder, none) = (folder.path(), Vec::<String>::new());
    assert_eq!(check(folder), (2, none.clone()));
    let marks = mark(folder);
    assert_eq!(check(folder), (2, none.clone()));
    assert!(written_since(&marks, folder).is_empty());

    fs::write(folder.join("alone/src/lib.rs"), format!("{ALONE}\n")).unwrap();
    assert_eq!(check(folder), (2, none.clone()));
    assert_eq!(written_since(&marks, folder), ["alone"]);

    // What the callee no longer does, callers in other crates no longer do.
    let marks = mark(folder);
    let harmless = BASE.replace("{ *m.lock().unwrap() }", "{ m.is_poisoned() as u32 }");
    fs::write(folder.join("base/src/lib.rs"), harmless).unwrap();
    assert_eq!(check(folder), (0, none.clone()));
    assert_eq!(written_since(&marks, folder), ["base", "uses"]);
}

#[test]
fn what_is_kept_of_a_crate_and_damaged_is_told_and_the_rest_is_used() {
    let folder = workspace();
    let folder = folder.path();
    assert_eq!(check(folder).0, 2);
    let file = &kept(folder)["uses"];
    let mut bytes = fs::read(file).unwrap();
    bytes.pop();
    fs::write(file, bytes).unwrap();
    let (count, limits) = check(folder);
    assert_eq!(count, 1);
    assert!(limits[0].contains("it is damaged"), "{limits:?}");
    assert!(limits[0].contains("cargo lockwise clean"), "{limits:?}");

    let mut command = checker();
    command.current_dir(folder).env_remove("CARGO_TARGET_DIR");
    assert!(finish(command.arg("clean")).status.success());
    assert_eq!(check(folder), (2, Vec::new()));
}
