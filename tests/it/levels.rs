//! Levels of recording, and a log that is full.

use std::fs;

use std::collections::BTreeMap;

use cargo_lockwise::trace::Class;

use crate::programs::{
    checker, codes, evidence, finish, judged, only_file, program, recorded, stderr, stdout,
};

#[test]
fn chains_alone_show_what_is_possible() {
    let logs = tempfile::tempdir().unwrap();
    finish(&mut recorded("bank_transfers", "order", logs.path()));
    let (report, code) = judged(logs.path());
    assert_eq!(code, 0, "nothing is proved, so nothing fails");
    assert_eq!(codes(&report), ["LW0003"]);
    let finding = &report["findings"][0];
    assert_eq!(finding["certainty"], "possible");
    assert_eq!(finding["basis"], "same-instances");
    assert_eq!(finding["level"], "warning");

    let strict = finish(
        checker()
            .args(["report", "--fail-on", "possible"])
            .arg(logs.path()),
    );
    assert_eq!(strict.status.code(), Some(1));
}

#[test]
fn what_is_used_first_under_another_lock_is_known_by_its_class() {
    let logs = tempfile::tempdir().unwrap();
    let ended = finish(&mut recorded("first_under", "trace", logs.path()));
    assert!(ended.status.success(), "{}", stderr(&ended));
    let evidence = evidence(&only_file(logs.path())).unwrap();
    let mut classes = BTreeMap::new();
    for lock in evidence.runs.iter().flat_map(|run| &run.locks) {
        let label = evidence.classes[lock.class.at()].label.as_str();
        *classes.entry(label).or_insert(0) += 1;
    }
    assert!(!classes.contains_key(Class::LOST), "{classes:?}");
    for (class, count) in [("table", 1), ("row", 400), ("column", 400), ("total", 400)] {
        assert_eq!(classes.get(class), Some(&count), "{classes:?}");
    }
    let resources = evidence.runs.iter().flat_map(|run| &run.resources);
    let later = resources.filter(|resource| resource.label.starts_with("later"));
    assert_eq!(later.count(), 50);
}

/// How many of 300 locks that were new under one other `many_under WAY` says it told of, with stacks or without.
fn told_under(way: &str, stacks: &str, level: &str) -> String {
    let logs = tempfile::tempdir().unwrap();
    let output = finish(
        recorded("many_under", level, logs.path())
            .arg(way)
            .env("LOCKWISE_STACKS", stacks)
            // Who asks again for what it holds would hang.
            .env(
                "LOCKWISE_ON_FINDING",
                if way == "again" { "panic" } else { "report" },
            ),
    );
    assert!(output.status.success(), "{way}: {}", stderr(&output));
    stdout(&output)
}

#[test]
fn many_new_locks_under_one_are_known_each_whether_stacks_are_kept_or_not() {
    for level in ["order", "trace"] {
        for stacks in ["0", "1"] {
            let told = |way| told_under(way, stacks, level);
            assert_eq!(told("same"), "0\n", "{level} {stacks}");
            assert_eq!(told("again"), "300\n", "{level} {stacks}");
            assert_eq!(told("reversed"), "300\n", "{level} {stacks}");
        }
    }
}

#[test]
fn chains_alone_know_fork_and_join() {
    let logs = tempfile::tempdir().unwrap();
    finish(&mut recorded("fork_join_order", "order", logs.path()));
    let (report, code) = judged(logs.path());
    assert_eq!(code, 0);
    assert!(codes(&report).is_empty(), "{report}");
}

#[test]
fn order_is_the_level_of_a_program_on_its_own() {
    let logs = tempfile::tempdir().unwrap();
    finish(program("bank_transfers").env("LOCKWISE_LOG", logs.path()));
    let bytes = fs::read(only_file(logs.path())).unwrap();
    assert!(!lockwise::watch::log::read(&bytes).unwrap().header.trace);
}

#[test]
fn off_records_and_reports_nothing() {
    let logs = tempfile::tempdir().unwrap();
    let ended = finish(&mut recorded("bank_transfers", "off", logs.path()));
    assert_eq!(stderr(&ended), "");
    assert_eq!(fs::read_dir(logs.path()).unwrap().count(), 0);
}

#[test]
fn a_full_log_goes_on_with_chains_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    fs::create_dir(&logs).unwrap();
    finish(
        recorded("writers", "trace", &logs)
            .env("LOCKWISE_LOG_MAX", "256K")
            .args([folder.path().join("progress").as_os_str(), "abort".as_ref()]),
    );
    let size = fs::metadata(only_file(&logs)).unwrap().len();
    assert!(size <= 1 << 20, "the log has {size} bytes");
    let (report, code) = judged(&logs);
    assert_eq!(code, 0);
    let limits = report["limits"].to_string();
    assert!(limits.contains("reached its size limit"), "{limits}");
}

#[test]
fn a_value_that_is_not_understood_is_told_once() {
    let ended = finish(program("gate_lock").env("LOCKWISE_LEVEL", "everything"));
    assert!(ended.status.success());
    assert_eq!(
        stderr(&ended),
        "lockwise: the value of LOCKWISE_LEVEL is not understood\n"
    );
}
