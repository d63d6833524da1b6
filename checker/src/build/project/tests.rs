use std::ffi::OsString;

use super::{decisive, value_of};

fn arguments(line: &str) -> Vec<OsString> {
    line.split_whitespace().map(OsString::from).collect()
}

#[test]
fn flags_that_choose_the_project_are_asked_about_too() {
    let line = arguments("--manifest-path a/Cargo.toml -p b --config=x=1 -- --manifest-path c");
    let found = decisive(&line);
    assert_eq!(
        found,
        [
            ("--manifest-path", OsString::from("a/Cargo.toml")),
            ("--config", OsString::from("x=1")),
        ]
    );
}

#[test]
fn a_target_folder_is_found_in_both_spellings() {
    for line in ["-p a --target-dir t", "--target-dir=t"] {
        assert_eq!(value_of(&arguments(line), "--target-dir"), Some("t".into()));
    }
    assert_eq!(
        value_of(&arguments("-- --target-dir t"), "--target-dir"),
        None
    );
}
