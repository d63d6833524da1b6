//! The JSON document.

use serde_json::Value;

use crate::programs::{checker, finish, program, stdout};

/// Fields of a document, a finding, a side and a lock that users rely on.
const DOCUMENT: [&str; 4] = ["version", "findings", "stats", "limits"];
const FINDING: [&str; 10] = [
    "code",
    "name",
    "certainty",
    "level",
    "fingerprint",
    "message",
    "evidence",
    "cycle",
    "witness",
    "excluded_by",
];
const STATS: [&str; 5] = ["events", "threads", "locks", "classes", "edges"];
const LOCK: [&str; 4] = ["lock", "class", "mode", "site"];

fn has_all(value: &Value, fields: &[&str]) {
    for field in fields {
        assert!(value.get(field).is_some(), "no `{field}` in {value}");
    }
}

/// Checks that `line` is a document and returns it.
fn document(line: &str) -> Value {
    assert!(line.starts_with(r#"{"version":1,"#), "{line}");
    let document: Value = serde_json::from_str(line).unwrap();
    has_all(&document, &DOCUMENT);
    has_all(&document["stats"], &STATS);
    for finding in document["findings"].as_array().unwrap() {
        has_all(finding, &FINDING);
        let code = finding["code"].as_str().unwrap();
        assert!(code.starts_with("LW00") && code.len() == 6, "{code}");
        if finding["certainty"] == "possible" {
            assert!(finding["basis"].is_string(), "possible, but on what basis?");
        }
        let levels = ["error", "warning", "note"];
        assert!(levels.contains(&finding["level"].as_str().unwrap()));
        for side in finding["cycle"].as_array().unwrap() {
            assert!(side["thread"].is_string(), "{side}");
            for of in ["holds", "wants"] {
                let lock = &side[of];
                if lock.is_object() && lock.get("resource").is_none() {
                    has_all(lock, &LOCK);
                }
            }
        }
    }
    document
}

#[test]
fn a_report_is_one_line() {
    let logs = tempfile::tempdir().unwrap();
    finish(
        program("bank_transfers")
            .env("LOCKWISE_LOG", logs.path())
            .env("LOCKWISE_LEVEL", "trace"),
    );
    let reported = finish(
        checker()
            .args(["report", "--format", "json"])
            .arg(logs.path()),
    );
    let text = stdout(&reported);
    assert_eq!(text.lines().count(), 1, "{text}");
    let document = document(text.trim_end());
    let finding = &document["findings"][0];
    assert_eq!(finding["code"], "LW0003");
    assert_eq!(finding["certainty"], "certain");
    assert_eq!(finding["level"], "error");
    assert_eq!(finding["cycle"].as_array().unwrap().len(), 2);
    assert_eq!(
        finding["cycle"][0]["wants"]["site"],
        "fixtures/fail/bank_transfers.rs:19:29"
    );
    assert!(!finding["witness"].as_array().unwrap().is_empty());
}

#[test]
fn a_run_ends_with_the_document() {
    for (name, findings) in [("semaphore_under_lock", 1), ("condvar_pipeline", 0)] {
        let ran = finish(
            checker()
                .args(["run", "--profile", "test", "-p", "lockwise-fixtures"])
                .args(["--bin", name, "--format", "json"]),
        );
        let text = stdout(&ran);
        let document = document(text.lines().last().unwrap());
        assert_eq!(document["findings"].as_array().unwrap().len(), findings);
        assert_eq!(document["program"]["exit"], 0);
    }
}

#[test]
fn each_kind_of_finding_has_its_fields() {
    for name in [
        "recursive_read",
        "double_lock",
        "rank_violation",
        "join_under_lock",
    ] {
        let logs = tempfile::tempdir().unwrap();
        finish(
            program(name)
                .env("LOCKWISE_LOG", logs.path())
                .env("LOCKWISE_LEVEL", "trace"),
        );
        let reported = finish(
            checker()
                .args(["report", "--format", "json"])
                .arg(logs.path()),
        );
        assert_eq!(reported.status.code(), Some(1), "{name}");
        document(stdout(&reported).trim_end());
    }
}

#[test]
fn a_document_is_printed_when_nothing_could_be_read_too() {
    let reported = finish(checker().args(["report", "--format", "json", "no such file"]));
    assert_eq!(reported.status.code(), Some(3));
    let document = document(stdout(&reported).trim_end());
    assert_eq!(document["limits"].as_array().unwrap().len(), 1);
}
