use super::*;

fn said(message: &str, label: &str, rendered: &str) -> Vec<u8> {
    serde_json::to_vec(&serde_json::json!({
        "$message_type": "diagnostic",
        "level": "warning",
        "message": "unused",
        "spans": [{ "label": label, "file_name": "src/lib.rs" }],
        "children": [{ "message": message, "spans": [], "children": [] }],
        "rendered": rendered,
    }))
    .unwrap()
}

#[test]
fn a_path_in_the_words_of_a_message_counts() {
    assert!(names_a_path(&said(
        "of type `std::string::String`",
        "here",
        ""
    )));
    assert!(names_a_path(&said("", "`std::string::String`", "")));
    assert!(names_a_path(b"thread 'rustc' panicked at a::b"));
}

#[test]
fn a_path_in_the_programs_own_text_does_not_count() {
    assert!(!names_a_path(&said("prefix it", "here", "use std::mem;")));
    assert!(!names_a_path(b"no path at all"));
}

#[test]
fn what_was_made_is_told_from_what_is_said() {
    assert!(is_announcement(
        br#"{"$message_type":"artifact","artifact":"a.rmeta","emit":"metadata"}"#
    ));
    assert!(!is_announcement(&said("", "", "")));
}

#[test]
fn the_channel_is_what_the_version_says() {
    let of = |version| Channel::of(version);
    assert_eq!(
        of("rustc 1.95.0 (abc 2026-04-14)\nhost: x"),
        Channel::Stable
    );
    assert_eq!(of("rustc 1.96.0-beta.2 (abc 2026-04-14)"), Channel::Stable);
    assert_eq!(
        of("rustc 1.97.0-nightly (abc 2026-04-14)"),
        Channel::Nightly
    );
    assert_eq!(of("rustc 1.97.0-dev"), Channel::Nightly);
}

fn arguments(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

#[test]
fn what_the_crate_was_made_into_before_is_left_out() {
    let all = arguments(&[
        "--emit=metadata",
        "-C",
        "incremental=/x",
        "-Cincremental=/x",
        "--out-dir",
        "/y",
        "-C",
        "debuginfo=2",
    ]);
    assert_eq!(
        printed_from(&all, &["--emit", "--out-dir"]),
        arguments(&["-C", "debuginfo=2"])
    );
}
