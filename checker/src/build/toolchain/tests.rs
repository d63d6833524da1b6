use std::ffi::OsStr;
use std::fs;

use super::*;

fn none(_: &str) -> Option<&'static OsStr> {
    None
}

#[test]
fn the_nearest_file_wins() {
    let root = tempfile::tempdir().unwrap();
    let near = root.path().join("a/b");
    fs::create_dir_all(near.join(".cargo")).unwrap();
    fs::create_dir_all(root.path().join(".cargo")).unwrap();
    fs::write(
        root.path().join(".cargo/config.toml"),
        "[build]\nrustc-wrapper = 'far'\nrustc = 'bin/rustc'\n",
    )
    .unwrap();
    fs::write(
        near.join(".cargo/config.toml"),
        "[build]\nrustc-wrapper = 'near'\ntarget = ['one', 'two']\n",
    )
    .unwrap();
    let found = Configuration::read(none, &near);
    assert_eq!(found.wrapper, Some("near".into()));
    assert_eq!(
        found.rustc,
        Some(root.path().join("bin/rustc").into_os_string())
    );
    assert_eq!(found.targets, ["one", "two"]);
}

#[test]
fn the_environment_wins_over_files_and_an_empty_value_is_none() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join(".cargo")).unwrap();
    fs::write(
        root.path().join(".cargo/config.toml"),
        "[build]\nrustc-wrapper = 'file'\ntarget = 'file'\n",
    )
    .unwrap();
    let variable = |name: &str| match name {
        "RUSTC_WRAPPER" => Some(OsStr::new("variable")),
        "CARGO_BUILD_TARGET" => Some(OsStr::new("")),
        _ => None,
    };
    let found = Configuration::read(variable, root.path());
    assert_eq!(found.wrapper, Some("variable".into()));
    assert_eq!(found.targets, ["file"]);
}

#[test]
fn a_broken_file_is_left_to_cargo() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join(".cargo")).unwrap();
    fs::write(root.path().join(".cargo/config.toml"), "[build").unwrap();
    assert_eq!(Configuration::read(none, root.path()).wrapper, None);
}
