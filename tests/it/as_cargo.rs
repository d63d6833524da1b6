//! `cargo lockwise check` says of a project what `cargo check` says of it, and ends as it does.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::programs::{checker, finish, scratch};

/// A double lock, so that it can be seen that a crate was looked at.
const DOUBLE_LOCK: &str = "
pub fn twice(m: &std::sync::Mutex<u32>) -> u32 {
    let first = m.lock().unwrap();
    *first + *m.lock().unwrap()
}
";

/// A workspace with these crates, each with the text of its root file and the crates it uses.
pub(crate) fn workspace(crates: &[(&str, &str, &[&str])]) -> TempDir {
    let folder = TempDir::new_in(scratch()).unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "Cargo.toml",
        "[workspace]\nmembers = [\"*_crate\"]\nresolver = \"3\"\n",
    );
    for (name, text, uses) in crates {
        let mut manifest = String::new();
        let _ = writeln!(
            manifest,
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]"
        );
        for used in *uses {
            let _ = writeln!(manifest, "{used}.path = \"../{used}\"");
        }
        write(&format!("{name}/Cargo.toml"), &manifest);
        let root = if text.contains("fn main()") {
            "main"
        } else {
            "lib"
        };
        write(&format!("{name}/src/{root}.rs"), text);
    }
    folder
}

/// The compiler's messages, whatever their order, and what cargo ended with.
fn said(output: &Output) -> (BTreeSet<String>, bool) {
    let lines = String::from_utf8_lossy(&output.stdout);
    let messages = lines.lines().filter_map(|line| {
        let line: Value = serde_json::from_str(line).ok()?;
        if line["reason"] != "compiler-message" {
            return None;
        }
        let is_ours = line["message"]["code"]["code"]
            .as_str()
            .is_some_and(|code| code.starts_with("LW"));
        (!is_ours).then(|| line["message"]["rendered"].as_str().unwrap().to_owned())
    });
    let output = String::from_utf8_lossy(&output.stderr);
    (messages.collect(), output.contains("could not compile"))
}

fn ours(folder: &Path, variables: &[(&str, &str)]) -> Output {
    let mut command = checker();
    command.current_dir(folder).envs(variables.iter().copied());
    finish(command.args([
        "check",
        "--workspace",
        "--message-format=json",
        "--fail-on",
        "never",
    ]))
}

fn cargos(folder: &Path, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(folder).envs(variables.iter().copied());
    command.args([
        "check",
        "--workspace",
        "--message-format=json",
        "--keep-going",
    ]);
    finish(command.env("CARGO_TARGET_DIR", folder.join("plain")))
}

/// How many double locks were found, and for how many crates one call did not do.
fn looked_at(folder: &Path, variables: &[(&str, &str)]) -> (usize, usize) {
    let mut command = checker();
    command.current_dir(folder).envs(variables.iter().copied());
    let output = finish(command.args(["check", "--workspace", "--format", "json"]));
    let text = String::from_utf8_lossy(&output.stdout);
    let document: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let printed = folder.join("target/lockwise/check/printed");
    let apart = fs::read_dir(printed)
        .unwrap()
        .filter(|entry| {
            entry
                .as_ref()
                .unwrap()
                .path()
                .extension()
                .is_some_and(|ending| ending == "apart")
        })
        .count();
    (document["findings"].as_array().unwrap().len(), apart)
}

fn says_the_same(crates: &[(&str, &str, &[&str])]) -> TempDir {
    let folder = workspace(crates);
    let (ours, cargos) = (ours(folder.path(), &[]), cargos(folder.path(), &[]));
    assert_eq!(said(&ours), said(&cargos));
    folder
}

#[test]
fn warnings_are_cargos_to_the_letter() {
    let inner = format!("#[inline]\npub fn one() -> u32 {{\n    1\n}}\n{DOUBLE_LOCK}");
    let outer = format!(
        "pub fn two() -> Result<u32, std::fmt::Error> {{
            let unused = 1;
            Ok(inner_crate::one() + 1)
        }}
        pub fn three() {{
            two();
        }}
        {DOUBLE_LOCK}"
    );
    let program = "fn main() { outer_crate::three(); let x = inner_crate::one(); }";
    let folder = says_the_same(&[
        ("inner_crate", &inner, &[]),
        ("outer_crate", &outer, &["inner_crate"]),
        ("program_crate", program, &["inner_crate", "outer_crate"]),
    ]);
    let warnings = said(&ours(folder.path(), &[])).0;
    assert!(
        warnings
            .iter()
            .any(|text| text.contains("unused `Result` that must be used")),
        "{warnings:?}"
    );
    assert_eq!(looked_at(folder.path(), &[]), (2, 0));
}

#[test]
fn errors_are_cargos_to_the_letter() {
    let folder = says_the_same(&[
        ("sound_crate", DOUBLE_LOCK, &[]),
        (
            "broken_crate",
            "pub fn one() -> String {\n    1\n}\n",
            &["sound_crate"],
        ),
    ]);
    assert_eq!(looked_at(folder.path(), &[]).0, 1);
}

#[test]
fn what_only_a_build_would_refuse_is_not_refused() {
    let text = format!(
        "#![deny(arithmetic_overflow)]\npub fn most() -> u8 {{\n    255 + 1\n}}\n{DOUBLE_LOCK}"
    );
    let without = text.replace("#![deny(arithmetic_overflow)]", "");
    let folder = says_the_same(&[
        ("denying_crate", &text, &[]),
        ("silent_crate", &without, &[]),
        (
            "using_crate",
            "pub use denying_crate::*;",
            &["denying_crate", "silent_crate"],
        ),
    ]);
    assert_eq!(looked_at(folder.path(), &[]), (2, 1));
}

#[test]
fn features_of_the_language_are_as_free_as_before() {
    let folder = says_the_same(&[
        ("plain_crate", DOUBLE_LOCK, &[]),
        (
            "bold_crate",
            "#![feature(never_type)]\npub fn never() {}\n",
            &[],
        ),
        (
            "sly_crate",
            "#![feature(compiler_builtins)]\npub fn never() {}\n",
            &[],
        ),
    ]);
    assert_eq!(looked_at(folder.path(), &[]).0, 1);
}

#[test]
fn features_that_the_user_allows_are_allowed() {
    let text = format!("#![feature(never_type)]\n{DOUBLE_LOCK}");
    let folder = workspace(&[("bold_crate", &text, &[])]);
    let allowed = [("RUSTC_BOOTSTRAP", "bold_crate")];
    let (ours, cargos) = (
        ours(folder.path(), &allowed),
        cargos(folder.path(), &allowed),
    );
    assert_eq!(said(&ours), said(&cargos));
    assert!(!said(&ours).1);
    assert_eq!(looked_at(folder.path(), &allowed), (1, 0));
}
