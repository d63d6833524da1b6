use std::ffi::OsStr;

use super::*;

fn arguments(text: &str) -> Vec<OsString> {
    text.split_whitespace().map(OsString::from).collect()
}

#[test]
fn the_name_of_the_program_is_its_role() {
    assert_eq!(Role::of(OsStr::new("/x/lockwise-rustc")), Some(Role::Rustc));
    assert_eq!(
        Role::of(OsStr::new("lockwise-rustdoc")),
        Some(Role::Rustdoc)
    );
    assert_eq!(Role::of(OsStr::new("/x/cargo-lockwise")), None);
}

#[test]
fn values_stand_after_their_option_or_after_an_equals_sign() {
    let apart = arguments("--crate-name a --target x -C extra-filename=-12");
    assert_eq!(value(&apart, "--target"), Some("x"));
    assert_eq!(value(&apart, "extra-filename"), Some("-12"));
    let together = arguments("--target=y -Cextra-filename=-34");
    assert_eq!(value(&together, "--target"), Some("y"));
    assert_eq!(value(&together, "extra-filename"), Some("-34"));
    assert_eq!(value(&together, "--out-dir"), None);
}

#[test]
fn only_errors_count() {
    let error = br#"{"level":"error","message":"no `A`","rendered":"error: no `A`"}"#;
    assert_eq!(error_in(error).as_deref(), Some("no `A`\nerror: no `A`"));
    let warning = br#"{"level":"warning","message":"","rendered":"warning: \"error\" is unused"}"#;
    assert_eq!(error_in(warning), None);
    assert_eq!(error_in(br#"{"artifact":"x"}"#), None);
}
