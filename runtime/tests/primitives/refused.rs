//! What does not compile: a program each in the folder beside.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use super::compiled;

/// The programs, and what the compiler says to all of them.
static SAID: LazyLock<String> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/primitives/refused");
    let files = [
        "select_mistyped",
        "select_two_defaults",
        "select_without_a_comma",
        "set_twice_impossible",
        "wait_with_reentrant_depth",
    ];
    let files = files.map(|name| folder.join(name).with_extension("rs"));
    compiled::said("refused-primitives", &files.map(PathBuf::from))
});

/// That the compiler refuses a program with this error, at this place, and finds no other in it.
fn refused(name: &str, place: &str, error: &str) {
    refused_with(name, place, &format!("error[{error}]"));
}

/// The same, with an error of any kind.
fn refused_with(name: &str, place: &str, error: &str) {
    let file = format!("{name}.rs:");
    let errors: Vec<&str> = SAID
        .lines()
        .filter(|line| line.contains(&file) && line.contains("error"))
        .collect();
    let expected = format!("{name}.rs:{place}: {error}");
    assert!(
        errors.len() == 1 && errors[0].contains(&expected),
        "no `{expected}` in:\n{}",
        *SAID
    );
}

#[test]
fn set_twice_impossible() {
    // Setting uses the promise up.
    refused("set_twice_impossible", "6:5", "E0382");
}

#[test]
fn wait_with_reentrant_depth() {
    // No guard of a re-entrant lock can wait, at whatever depth.
    refused("wait_with_reentrant_depth", "7:18", "E0308");
}

#[test]
fn an_arm_that_is_none_is_shown() {
    let error = "error: `select!`: an arm is `get(queue) -> got =>`";
    refused_with("select_mistyped", "5:5", error);
    let shown = "and here is: recv(queue) -> got => got.is_ok(),";
    assert!(SAID.contains(shown), "{}", *SAID);
}

#[test]
fn two_defaults_are_one_too_many() {
    let error = "error: `select!`: there is a second `default`";
    refused_with("select_two_defaults", "5:5", error);
}

#[test]
fn a_comma_that_is_missing_is_missed() {
    let error = "error: `select!`: behind `=>` comes an expression and, unless it is a block, a comma; here is: 1 wait(stop) => 2,";
    refused_with("select_without_a_comma", "5:5", error);
}
