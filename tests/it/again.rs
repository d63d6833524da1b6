//! What `cargo lockwise check` reads anew when something has changed, and what it keeps.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::as_cargo::workspace;
use crate::code::document;
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
    *held + base_crate::inner(m)
}
";

const ALONE: &str = "pub fn one() -> u32 { 1 }\n";

/// Three crates, one of which uses another.
fn three() -> TempDir {
    workspace(&[
        ("alone_crate", ALONE, &[]),
        ("base_crate", BASE, &[]),
        ("uses_crate", USES, &["base_crate"]),
    ])
}

/// How many findings there are, and what was left out.
fn check(folder: &Path) -> (usize, Vec<String>) {
    let mut command = checker();
    command.current_dir(folder).env_remove("CARGO_TARGET_DIR");
    let output = finish(command.args(["check", "--workspace", "--format", "json"]));
    let document = document(&output);
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
    let folder = three();
    let (folder, none) = (folder.path(), Vec::<String>::new());
    assert_eq!(check(folder), (2, none.clone()));
    let marks = mark(folder);
    assert_eq!(check(folder), (2, none.clone()));
    assert!(written_since(&marks, folder).is_empty());

    fs::write(folder.join("alone_crate/src/lib.rs"), format!("{ALONE}\n")).unwrap();
    assert_eq!(check(folder), (2, none.clone()));
    assert_eq!(written_since(&marks, folder), ["alone_crate"]);

    // What the callee no longer does, callers in other crates no longer do.
    let marks = mark(folder);
    let harmless = BASE.replace("{ *m.lock().unwrap() }", "{ m.is_poisoned() as u32 }");
    fs::write(folder.join("base_crate/src/lib.rs"), harmless).unwrap();
    assert_eq!(check(folder), (0, none.clone()));
    assert_eq!(written_since(&marks, folder), ["base_crate", "uses_crate"]);
}

#[test]
fn what_is_kept_of_a_crate_and_damaged_is_told_and_the_rest_is_used() {
    let folder = three();
    let folder = folder.path();
    assert_eq!(check(folder).0, 2);
    let file = &kept(folder)["uses_crate"];
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

#[cfg(unix)]
#[test]
fn what_the_compiler_may_not_print_any_more_is_not_taken_from_before() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = TempDir::new_in(scratch()).unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    write(
        "Cargo.toml",
        "[package]\nname = \"forbidden\"\nedition = \"2021\"\n\n[workspace]\n",
    );
    let twice = |name: &str| {
        format!(
            "pub fn {name}(lock: &std::sync::Mutex<u32>) -> u32 {{\n    \
             let held = lock.lock().unwrap();\n    *held + *lock.lock().unwrap()\n}}\n"
        )
    };
    write("src/lib.rs", &twice("before"));
    write(
        "compiler.sh",
        "#!/bin/sh\n\
         if [ -n \"$RUSTC_BOOTSTRAP\" ] && [ -e \"$(dirname \"$0\")/policy\" ]; then\n    \
         echo 'error: not with us' >&2\n    exit 1\nfi\nexec rustc \"$@\"\n",
    );
    let compiler = folder.path().join("compiler.sh");
    fs::set_permissions(&compiler, fs::Permissions::from_mode(0o755)).unwrap();
    let check = |target: &str| {
        let mut command = checker();
        command
            .current_dir(folder.path())
            .env("CARGO_TARGET_DIR", folder.path().join(target))
            .env("RUSTC", &compiler);
        let output = finish(command.args(["check", "--format", "json"]));
        let document = document(&output);
        let count = document["findings"].as_array().unwrap().len();
        let limits = document["limits"].to_string();
        (output.status.code(), count, limits)
    };
    assert_eq!(check("one"), (Some(1), 1, "[]".to_owned()));
    write("policy", "");
    write("src/lib.rs", &twice("after"));
    // Where it is known that this compiler prints, and where it is to be tried out.
    for target in ["one", "two"] {
        let (code, count, limits) = check(target);
        assert_eq!((code, count), (Some(3), 0), "{limits}");
        assert!(limits.contains("not with us"), "{limits}");
    }
}
