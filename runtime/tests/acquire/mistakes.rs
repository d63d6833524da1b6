//! What the macros refuse to compile: one mistake a file, and what the compiler says to it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn each_mistake_is_an_error_at_the_tokens_of_the_user() {
    trybuild::TestCases::new().compile_fail("tests/acquire/mistakes/*.rs");
}

#[test]
#[ignore = "the compiler's own words differ with its version, and with whether its sources are installed"]
fn so_is_each_mistake_that_needs_types() {
    trybuild::TestCases::new().compile_fail("tests/acquire/mistakes/typed/*.rs");
}

#[test]
fn each_mistake_that_needs_types_is_an_error_at_the_same_place_in_our_words() {
    let said = compiled();
    for file in typed() {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let expected = fs::read_to_string(file.with_extension("stderr")).unwrap();
        let mut lines = expected.lines();
        let headline = lines.next().unwrap().split_once(": ").unwrap().1;
        let place = lines.next().unwrap().split_once(".rs:").unwrap().1;
        let start = format!("{name}.rs:{place}: error");
        let found = said
            .lines()
            .find(|line| line.contains(&start))
            .unwrap_or_else(|| panic!("no `{start}` in:\n{said}"));
        // The other headlines are the compiler's.
        if headline.contains("is not a lock") {
            assert!(found.contains(headline), "{found}\n{headline}");
        }
    }
}

/// The files with one mistake each.
fn typed() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/acquire/mistakes/typed");
    let files = fs::read_dir(folder).expect("the folder is part of the package");
    let mut files: Vec<PathBuf> = files
        .map(|entry| entry.expect("it can be read").path())
        .collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "rs"));
    files.sort();
    assert!(!files.is_empty());
    files
}

/// What the compiler says to all of them, a line each, in a package of their own.
fn compiled() -> String {
    let runtime = Path::new(env!("CARGO_MANIFEST_DIR"));
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mistakes");
    let _ = fs::remove_dir_all(package.join("src"));
    fs::create_dir_all(package.join("src/bin")).expect("our own folder");
    let manifest = format!(
        "[package]\nname = \"mistakes\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n\
         [dependencies.lockwise]\npath = {:?}\ndefault-features = false\nfeatures = [{}]\n",
        runtime.display().to_string(),
        if cfg!(feature = "checks") {
            "\"checks\""
        } else {
            ""
        },
    );
    fs::write(package.join("Cargo.toml"), manifest).expect("our own folder");
    // The same versions as here, so that nothing has to be fetched.
    let lock = runtime.with_file_name("Cargo.lock");
    let _ = fs::copy(lock, package.join("Cargo.lock"));
    for file in typed() {
        let place = package
            .join("src/bin")
            .join(file.file_name().expect("it is a file"));
        fs::copy(&file, place).expect("our own folder");
    }
    let output = Command::new(env!("CARGO"))
        .args(["check", "--bins", "--keep-going", "--message-format=short"])
        .arg("--target-dir")
        .arg(package.join("target"))
        .current_dir(&package)
        .env("CARGO_TERM_COLOR", "never")
        .env_remove("RUSTFLAGS")
        .output()
        .expect("cargo runs this test");
    String::from_utf8_lossy(&output.stderr).into_owned()
}
