//! What does not compile: a program each in the folder beside.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use super::compiled;

/// The programs, and what the compiler says to all of them.
static SAID: LazyLock<String> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/primitives/refused");
    let files = ["set_twice_impossible", "wait_with_reentrant_depth"]
        .map(|name| folder.join(name).with_extension("rs"));
    compiled::said("refused-primitives", &files.map(PathBuf::from))
});

/// That the compiler refuses a program with this error, at this place, and finds no other in it.
fn refused(name: &str, place: &str, error: &str) {
    let file = format!("{name}.rs:");
    let errors: Vec<&str> = SAID
        .lines()
        .filter(|line| line.contains(&file) && line.contains("error"))
        .collect();
    let expected = format!("{name}.rs:{place}: error[{error}]");
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
