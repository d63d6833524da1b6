//! What a channel keeps apart is not proved to meet; what it does not is.

use crate::programs::{codes, finish, judged, recorded};

/// How sure the checker is of the one cycle of `channels CHOICE`.
fn certainty(choice: &str) -> String {
    let logs = tempfile::tempdir().unwrap();
    let ended = finish(recorded("channels", "trace", logs.path()).arg(choice));
    assert!(ended.status.success());
    let (report, _) = judged(logs.path());
    assert_eq!(codes(&report), ["LW0003"], "{choice}");
    report["findings"][0]["certainty"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn a_cycle_that_a_message_orders_is_not_certain() {
    for choice in ["message", "bounded", "end"] {
        assert_eq!(certainty(choice), "possible", "{choice}");
    }
}

#[test]
fn a_cycle_that_no_channel_orders_is_certain() {
    assert_eq!(certainty("unseen"), "certain");
}

#[test]
fn a_message_that_is_sent_before_orders_nothing() {
    assert_eq!(certainty("early"), "certain");
}
