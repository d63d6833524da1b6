use std::fs;

use super::*;

fn overlay() -> Overlay {
    toml::from_str(
        r#"
        crate = "demo"
        versions = ["0.4"]
        callers = ["src/lib.rs"]
        also = ["fn _"]
        [[edit]]
        file = "src/lib.rs"
        find = "raw: R,"
        put = "raw: Watched<R>,"
        [[append]]
        file = "src/lib.rs"
        text = "mod more;"
        "#,
    )
    .unwrap()
}

#[test]
fn every_overlay_is_understood_and_has_its_files() {
    for text in texts() {
        let overlay = parsed(text);
        let version = format!("{}.0", overlay.versions[0]);
        let found = find(&overlay.package, &version);
        assert_eq!(found, Known::Overlay(Box::new(overlay.clone())));
        for add in &overlay.add {
            assert!(sources::text(&add.from).is_some(), "{}", add.from);
        }
        for edit in &overlay.edit {
            let lines = |text: &str| text.matches('\n').count();
            assert_eq!(lines(&edit.find), lines(&edit.put), "{}", edit.find);
        }
    }
}

#[test]
fn versions_are_compared_by_whole_numbers() {
    let overlay = overlay();
    assert!(overlay.fits("0.4.14"));
    assert!(!overlay.fits("0.40.1"));
    assert!(!overlay.fits("0.5.0"));
}

#[test]
fn of_several_overlays_of_a_package_the_one_for_its_version_is_taken() {
    for version in ["0.3.4", "0.4.0", "0.4.14", "0.5.0"] {
        let Known::Overlay(found) = find("lock_api", version) else {
            panic!("nothing for {version}");
        };
        assert!(found.fits(version));
    }
    assert_eq!(find("lock_api", "0.2.0"), Known::OtherVersions);
    assert_eq!(find("serde", "1.0.0"), Known::Nothing);
    // Watched all the same.
    assert_eq!(find("dashmap", "7.0.0"), Known::Nothing);
    assert_eq!(find("dashmap", "3.10.0"), Known::OtherVersions);
}

#[test]
fn a_copy_is_changed_and_the_original_is_not() {
    let root = tempfile::tempdir().unwrap();
    let from = root.path().join("from");
    fs::create_dir_all(from.join("src/deep")).unwrap();
    let original =
        "struct A<R> {\n    raw: R,\n}\n    pub fn new() {}\nfn inner() {}\nfn _a() {}\n";
    fs::write(from.join("src/lib.rs"), original).unwrap();
    fs::write(from.join("src/deep/er.rs"), "deep").unwrap();
    let to = root.path().join("to");
    overlay().apply("0.4.2", &from, &to).unwrap();
    assert_eq!(
        fs::read_to_string(to.join("src/lib.rs")).unwrap(),
        "struct A<R> {\n    raw: Watched<R>,\n}\n#[track_caller]     pub fn new() {}\n\
         fn inner() {}\n#[track_caller] fn _a() {}\nmod more;\n"
    );
    assert_eq!(
        fs::read_to_string(to.join("src/deep/er.rs")).unwrap(),
        "deep"
    );
    assert_eq!(
        fs::read_to_string(from.join("src/lib.rs")).unwrap(),
        original
    );
}

#[test]
fn an_edit_may_be_of_one_version_and_of_a_file_that_is_added() {
    let mut overlay = overlay();
    overlay.add.push(Add {
        file: "src/more.rs".to_owned(),
        from: "overlays/lock_api/tag.rs".to_owned(),
    });
    overlay.edit[0].optional = true;
    overlay.edit.push(Edit {
        file: "src/more.rs".to_owned(),
        find: "mod carried;".to_owned(),
        put: "mod old;".to_owned(),
        optional: false,
        versions: vec!["0.3".to_owned()],
    });
    let root = tempfile::tempdir().unwrap();
    let from = root.path().join("from");
    fs::create_dir_all(from.join("src")).unwrap();
    fs::write(from.join("src/lib.rs"), "").unwrap();
    for (version, changed) in [("0.3.4", true), ("0.4.0", false), ("0.30.0", false)] {
        let to = root.path().join(version);
        overlay.apply(version, &from, &to).unwrap();
        let text = fs::read_to_string(to.join("src/more.rs")).unwrap();
        assert_eq!(text.contains("mod old;"), changed, "{version}");
    }
}

#[test]
fn a_place_that_is_not_there_is_an_error_that_names_it() {
    let root = tempfile::tempdir().unwrap();
    let from = root.path().join("from");
    fs::create_dir_all(from.join("src")).unwrap();
    fs::write(from.join("src/lib.rs"), "struct B;\n").unwrap();
    let error = overlay()
        .apply("0.4.2", &from, &root.path().join("to"))
        .unwrap_err();
    assert_eq!(error.to_string(), "`src/lib.rs` has no `raw: R,`");
}
