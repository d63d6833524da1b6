use super::*;

fn strings(text: &str) -> Vec<OsString> {
    text.split_whitespace().map(OsString::from).collect()
}

#[test]
fn cargo_is_told_of_our_folder_and_not_of_the_users() {
    let watching = Watching {
        target_dir: "/t/lockwise/k".into(),
        targets: vec!["x86_64-unknown-linux-gnu".to_owned()],
        programs: "/t/lockwise/k/bin".into(),
        notes: "/t/lockwise/k/notes".into(),
        has_build_dir: false,
    };
    let told = watching.arguments(&strings(
        "-p a --target-dir=/t --target-dir /t b -- --target-dir x",
    ));
    let told: Vec<_> = told.iter().map(|part| part.to_str().unwrap()).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    --config
    build.rustc-wrapper="/t/lockwise/k/bin/lockwise-rustc"
    --config
    build.rustdoc="/t/lockwise/k/bin/lockwise-rustdoc"
    --target
    x86_64-unknown-linux-gnu
    --target-dir
    /t/lockwise/k
    -p
    a
    b
    --
    --target-dir
    x
    "#);
}

#[test]
fn a_wrapper_given_as_configuration_is_taken_over_and_the_rest_stays() {
    let left = |text: &str| {
        let left = without_ours(&strings(text));
        left.join(OsStr::new(" ")).into_string().unwrap()
    };
    let wrapper = "build.rustc-wrapper=\"w\"";
    assert_eq!(left(&format!("--config {wrapper} -p a")), "-p a");
    assert_eq!(
        left(&format!("--config={wrapper} a -- --config={wrapper}")),
        format!("a -- --config={wrapper}")
    );
    let others = "--config build.jobs=1 --config file.toml --config=net.offline=true";
    assert_eq!(left(others), others);

    let mut configuration = Configuration {
        wrapper: Some("far".into()),
        rustc: Some("rustc".into()),
        ..Configuration::default()
    };
    let given = strings(&format!(
        "build.rustc-wrapper=\"x\" {wrapper} net.offline=true file.toml"
    ));
    configuration.override_by(given.into_iter(), Path::new("/here"));
    assert_eq!(configuration.wrapper, Some("w".into()));
    assert_eq!(configuration.rustc, Some("rustc".into()));
}

#[test]
fn a_note_counts_only_for_packages_that_are_used() {
    let lock = "[[package]]\nname = \"lock-api\"\nversion = \"0.4.2\"\n";
    assert!(is_locked_at_version(lock, "lock-api-0.4.2"));
    assert!(!is_locked_at_version(lock, "lock-api-0.4.20"));
    assert!(!is_locked_at_version(lock, "lock-0.4.2"));
}
