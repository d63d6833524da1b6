//! The acceptance tests of the primitives, on watched locks, give no finding.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;

use crate::programs::{calm, codes, finish, judged, recorded, root, stderr, stdout, test_binary};

/// The binary of the acceptance tests.
static TESTS: LazyLock<PathBuf> = LazyLock::new(|| test_binary("lockwise", "primitives"));

/// How often tests do here what they do thousands of times by themselves: all orders of that are looked at.
const ROUNDS: &str = "3";

/// Tests that take no watched locks, those that are judged by themselves as something is to be found in them,
/// and those that call the compiler.
const APART: &[&str] = &[
    "::on_raw::",
    "::on_leaf::",
    "scenes::",
    "waits::",
    "refused::",
];

/// That binary, with these arguments.
pub(crate) fn tests(arguments: &[&str]) -> Command {
    let mut command = Command::new(&*TESTS);
    command.args(arguments).current_dir(root());
    calm(&mut command);
    command
}

/// The codes of what the checker finds in a run of one test, and the report, if a lock was taken.
fn found(name: &str) -> Option<(Vec<String>, Value)> {
    found_at("trace", name)
}

/// The same at another level.
fn found_at(level: &str, name: &str) -> Option<(Vec<String>, Value)> {
    let logs = tempfile::tempdir().unwrap();
    let mut test = tests(&["--exact", name]);
    test.env("PRIMITIVES_ROUNDS", ROUNDS);
    test.env("PROPTEST_CASES", ROUNDS);
    test.env("LOCKWISE_LOG", logs.path());
    test.env("LOCKWISE_LEVEL", level);
    let ended = finish(&mut test);
    let said = stdout(&ended) + &stderr(&ended);
    assert!(
        ended.status.success() && !said.contains(" 0 passed"),
        "{name}: {said}"
    );
    std::fs::read_dir(logs.path()).unwrap().next()?.unwrap();
    let (report, _) = judged(logs.path());
    let codes = codes(&report).into_iter().map(str::to_owned).collect();
    Some((codes, report))
}

#[test]
fn lock_queue_cycle() {
    for name in [
        "waits::an_item_that_is_got_under_the_lock",
        "waits::items_of_two_that_are_got_under_the_lock",
        "waits::a_result_that_is_waited_for_under_the_lock",
    ] {
        let (codes, report) = found(name).expect("it takes a lock");
        assert_eq!(codes, ["LW0006"], "{name}");
        let text = report.to_string();
        assert!(
            text.contains("\"lock\"") && text.contains("channel"),
            "{text}"
        );
    }
}

/// Each thread of the chain is named, with what it waits for.
#[test]
fn a_cycle_of_lock_and_queue_and_result_and_join_is_told_with_its_chain() {
    let (codes, report) = found("waits::a_chain_of_waits_under_the_lock").expect("it takes a lock");
    assert_eq!(codes, ["LW0006"], "{report:#}");
    let finding = &report["findings"][0];
    assert_eq!(finding["certainty"], "certain", "{finding:#}");
    let sides = finding["cycle"].as_array().unwrap();
    let waits: Vec<&str> = sides
        .iter()
        .map(|side| side["wants"]["resource"].as_str().unwrap_or("a lock"))
        .collect();
    assert_eq!(
        waits,
        ["channel", "channel", "join", "a lock"],
        "{finding:#}"
    );
    for side in sides {
        let site = side["wants"]["site"].as_str().unwrap();
        assert!(site.contains("primitives/waits.rs:"), "{site}");
    }
}

/// A wait that ends by itself closes no circle for good.
#[test]
fn a_timed_wait_inside_the_cycle_is_a_risk() {
    for (name, resource) in [
        (
            "waits::a_result_that_is_waited_for_under_the_lock_until_a_deadline",
            "channel",
        ),
        (
            "waits::an_item_that_is_got_under_the_lock_until_a_deadline",
            "channel",
        ),
        (
            "waits::a_condition_that_is_waited_for_under_the_lock_until_a_deadline",
            "condvar",
        ),
    ] {
        let (codes, report) = found(name).expect("it takes a lock");
        assert_eq!(codes, ["LW0006"], "{name}: {report:#}");
        let finding = &report["findings"][0];
        assert_eq!(finding["certainty"], "possible", "{finding:#}");
        assert_eq!(finding["level"], "warning", "{finding:#}");
        let message = finding["message"].as_str().unwrap();
        assert!(
            message.starts_with("threads can wait in a circle until a deadline"),
            "{message}"
        );
        let waits = &finding["cycle"][0];
        assert_eq!(waits["wants"]["resource"], resource, "{finding:#}");
        assert!(
            waits["holds"]["lock"].as_str().unwrap().starts_with("lock"),
            "{finding:#}"
        );
    }
}

#[test]
fn what_waits_for_nobody_that_needs_the_lock_is_no_finding() {
    for name in [
        "waits::a_result_that_is_waited_for_without_the_lock",
        "waits::a_result_that_is_waited_for_without_the_lock_until_a_deadline",
        "waits::a_result_that_is_taken_while_its_promise_is_there",
        "waits::questions_of_two_threads_under_the_lock",
        "waits::questions_to_two_threads_under_the_lock",
        "waits::questions_in_a_list_under_the_lock",
        "waits::a_task_waits_beside_one_that_gives_a_result",
    ] {
        let (codes, report) = found(name).expect("it takes a lock");
        assert_eq!(codes, [""; 0], "{name}: {report:#}");
    }
}

/// That a thread which ends with a lock is named, with where it took that; no lock else is.
fn held_at_exit(name: &str) {
    let (codes, report) = found(name).expect("it takes a lock");
    assert_eq!(codes, ["LW0008"], "{name}: {report:#}");
    let finding = &report["findings"][0];
    let message = finding["message"].as_str().unwrap();
    assert!(message.contains("ended while holding"), "{message}");
    assert_eq!(finding["cycle"][0]["thread_name"], "careless", "{finding}");
    let held = &finding["cycle"][0]["holds"];
    assert!(held["lock"].as_str().unwrap().starts_with("kept"), "{held}");
    assert!(
        held["site"]
            .as_str()
            .unwrap()
            .contains("primitives/scenes.rs:"),
        "{held}"
    );
}

#[test]
fn exit_holding_lock() {
    held_at_exit("scenes::a_thread_that_ends_with_a_forgotten_guard");
    let (codes, report) = found("scenes::a_thread_that_gives_all_back").unwrap();
    assert_eq!(codes, [""; 0], "{report:#}");
}

#[test]
fn set_survives_mem_forget() {
    held_at_exit("scenes::a_thread_that_forgets_a_guard_and_goes_on");
}

/// The names of the tests that ended well on a backend, without its own.
fn passed_on(backend: &str) -> BTreeSet<String> {
    let mut all = tests(&[&format!("::{backend}::")]);
    all.env("PRIMITIVES_ROUNDS", "20");
    let ended = finish(&mut all);
    let said = stdout(&ended);
    assert!(ended.status.success(), "{said}");
    let passed = said.lines().filter_map(|line| line.strip_suffix(" ... ok"));
    passed
        .map(|line| line.trim_start_matches("test ").replace(backend, "on"))
        .collect()
}

#[test]
fn same_behaviour_raw_tracked() {
    let tracked = passed_on("on_tracked");
    assert!(tracked.len() > 200, "{}", tracked.len());
    assert_eq!(passed_on("on_raw"), tracked);
    assert_eq!(passed_on("on_leaf"), tracked);
}

/// Each in a process of its own: the log of one test has few events, so that the checker can look at all
/// orders of them.
#[test]
fn no_edges_from_primitives() {
    let listed = stdout(&finish(&mut tests(&["--list"])));
    let names = listed
        .lines()
        .filter_map(|line| line.strip_suffix(": test"))
        .filter(|name| !APART.iter().any(|apart| name.contains(apart)));
    let mut judged_logs = 0;
    for name in names {
        if let Some((codes, report)) = found(name) {
            assert_eq!(codes, [""; 0], "{name}: {report:#}");
            judged_logs += 1;
        }
    }
    assert!(judged_logs > 250, "{judged_logs}");
}

#[test]
fn leaf_locks_are_recorded_where_all_events_are_and_nowhere_else() {
    let name = "queue::order::on_tracked::fifo_order_reused_instance";
    let (codes, report) = found_at("trace", name).expect("the lock of the queue");
    assert_eq!(codes, [""; 0], "{report:#}");
    assert!(report["stats"]["locks"].as_u64() > Some(0), "{report:#}");
    // A log of orders alone is written too, but none leads through a leaf.
    if let Some((codes, report)) = found_at("order", name) {
        assert_eq!(codes, [""; 0], "{report:#}");
        assert_eq!(report["stats"]["locks"], 0, "{report:#}");
        assert_eq!(report["stats"]["edges"], 0, "{report:#}");
    }
}

/// What the checker finds in `found`, with this argument: how sure it is, and its exit code.
fn certainties_of_found(argument: &str) -> (BTreeSet<String>, i32) {
    let logs = tempfile::tempdir().unwrap();
    let ended = finish(recorded("found", "trace", logs.path()).arg(argument));
    assert!(ended.status.success(), "{}", stderr(&ended));
    let (report, code) = judged(logs.path());
    assert_eq!(codes(&report), ["LW0003"], "{report}");
    let findings = report["findings"].as_array().unwrap();
    let certainties = findings
        .iter()
        .map(|finding| finding["certainty"].as_str().unwrap().to_owned());
    (certainties.collect(), code)
}

#[test]
fn what_is_found_there_keeps_orders_apart_as_waiting_for_it_does() {
    let (certainties, code) = certainties_of_found("there");
    assert_eq!(certainties, BTreeSet::from([String::from("possible")]));
    assert_eq!(code, 0);
}

#[test]
fn what_is_found_too_late_keeps_nothing_apart() {
    let (certainties, code) = certainties_of_found("too-late");
    assert_eq!(certainties, BTreeSet::from([String::from("certain")]));
    assert_eq!(code, 1);
}
