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

/// What cargo reads of a crate whose sources were changed, where the compiler named its root from `original`.
fn made_of(original: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    let inside = |name: &str| copy.join(name).display().to_string();
    let list = folder.path().join("cell-12.d");
    let sources = [inside("src/lib.rs"), inside("src/lockwise_added.rs")];
    let text = format!(
        "libcell-12.rlib: {}\n\n{}:\n{}:\n",
        sources.join(" "),
        sources[0],
        sources[1]
    );
    fs::write(&list, text).unwrap();
    let changed = Changed {
        name: "cell-1.0.0".to_owned(),
        root_at: 0,
        root: copy.join("src/lib.rs"),
        original: original.into(),
        copy,
        sites_only: false,
    };
    let mut call = arguments("--crate-name cell -C extra-filename=-12 --out-dir");
    call.push(folder.path().into());
    changed.restore_names(&call);
    let text = fs::read_to_string(&list).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_changed_crate_is_made_of_its_own_files_also_where_it_is_the_project_itself() {
    let of = |file: &str| {
        [
            format!("libcell-12.rlib: {file}"),
            String::new(),
            format!("{file}:"),
        ]
    };
    // This package's folder is that in which the test runs, and has such a file.
    assert_eq!(made_of(""), of("src/lib.rs"));
    let whole = env!("CARGO_MANIFEST_DIR");
    assert_eq!(made_of(whole), of(&format!("{whole}/src/lib.rs")));
}
