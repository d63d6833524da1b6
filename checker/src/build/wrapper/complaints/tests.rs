use super::*;

fn asked_for(text: &str, more: &[&str]) -> Vec<&'static str> {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("lib.rs");
    fs::write(&file, text).unwrap();
    let mut all = vec![file.into_os_string()];
    all.extend(more.iter().map(OsString::from));
    lints(&all)
}

#[test]
fn a_crate_without_std_may_find_ours_unused() {
    let asked = "#![no_std]\n#![deny(unused_crate_dependencies)]";
    let by_manifest = ["--deny=unused_crate_dependencies"];
    assert_eq!(asked_for(asked, &[]), [UNUSED_CRATE]);
    assert_eq!(
        asked_for("#![cfg_attr(not(test), no_std)]", &by_manifest),
        [UNUSED_CRATE]
    );
    assert_eq!(
        asked_for("#![no_std]", &["-Dunused-crate-dependencies"]),
        [UNUSED_CRATE]
    );
    assert_eq!(asked_for("fn plain() {}", &by_manifest), [""; 0]);
    assert_eq!(asked_for("#![no_std]", &[]), [""; 0]);
    assert_eq!(asked_for(asked, &["--cap-lints", "allow"]), [""; 0]);
}

#[test]
fn who_asks_for_features_of_locks_may_be_told_that_they_are_unused() {
    let asked = "#![feature(never_type, mapped_lock_guards)]";
    assert_eq!(asked_for(asked, &[]), [UNUSED_FEATURE]);
    assert_eq!(asked_for(asked, &["--cap-lints=allow"]), [""; 0]);
    assert_eq!(asked_for("#![feature(never_type)]", &[]), [""; 0]);
    assert_eq!(asked_for("fn once_cell_try() {}", &[]), [""; 0]);
}

#[test]
fn only_complaints_about_our_std_are_kept_back() {
    let about = |message: &str, lint: &str| {
        let line = format!(
            "{{\"message\":\"{message}\",\"code\":{{\"code\":\"{lint}\"}},\"level\":\"warning\"}}"
        );
        is_about_ours(line.as_bytes())
    };
    let unused = |name: &str| format!("extern crate `{name}` is unused in crate `demo`");
    assert!(about(&unused("std"), UNUSED_CRATE));
    assert!(!about(&unused("serde"), UNUSED_CRATE));
    assert!(!about("unused import: `std`", "unused_imports"));
    let unused = |name: &str| format!("feature `{name}` is declared but not used");
    assert!(about(&unused("once_cell_try"), UNUSED_FEATURE));
    assert!(!about(&unused("never_type"), UNUSED_FEATURE));
    assert!(!about(&unused("once_cell_try"), "unused_imports"));
}

#[test]
fn each_feature_that_the_core_asks_for_is_known() {
    let (_, core) = lockwise::sources::FILES
        .iter()
        .find(|(path, _)| *path == "overlays/core/lib.rs")
        .unwrap();
    let list = core
        .split_once("feature(")
        .unwrap()
        .1
        .split_once(')')
        .unwrap()
        .0;
    let asked: Vec<&str> = list
        .split(',')
        .map(str::trim)
        .filter(|feature| !feature.is_empty())
        .collect();
    let mut known = FEATURES.to_vec();
    known.retain(|feature| *feature != "thread_raw");
    assert_eq!(asked, known);
}
