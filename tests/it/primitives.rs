//! The acceptance tests of the primitives, on watched locks, give no finding.

use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;

use crate::programs::{calm, codes, finish, judged, root, stderr, stdout, test_binary};

/// The binary of the acceptance tests.
static TESTS: LazyLock<PathBuf> = LazyLock::new(|| test_binary("lockwise", "primitives"));

/// That binary, with these arguments.
fn tests(arguments: &[&str]) -> Command {
    let mut command = Command::new(&*TESTS);
    command.args(arguments).current_dir(root());
    calm(&mut command);
    command
}

/// The codes of what the checker finds in a run of one test, and the report, if a lock was taken.
fn found(name: &str) -> Option<(Vec<String>, Value)> {
    let logs = tempfile::tempdir().unwrap();
    let mut test = tests(&["--exact", name]);
    test.env("LOCKWISE_LOG", logs.path());
    test.env("LOCKWISE_LEVEL", "trace");
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

#[test]
fn a_result_that_is_waited_for_without_the_lock_is_no_finding() {
    let (codes, report) = found("waits::a_result_that_is_waited_for_without_the_lock").unwrap();
    assert_eq!(codes, [""; 0], "{report:#}");
}

/// Each in a process of its own: the log of one test has few events, so that the checker can look at all
/// orders of them.
#[test]
fn no_edges_from_primitives() {
    let listed = stdout(&finish(&mut tests(&["--list", "on_tracked"])));
    let names = listed
        .lines()
        .filter_map(|line| line.strip_suffix(": test"));
    let short = names.filter(|name| !STRESS.iter().any(|stress| name.ends_with(stress)));
    let mut judged_logs = 0;
    for name in short {
        if let Some((codes, report)) = found(name) {
            assert_eq!(codes, [""; 0], "{name}: {report:#}");
            judged_logs += 1;
        }
    }
    assert!(judged_logs > 150, "{judged_logs}");
}

/// Tests that do one thing very often, left out as looking at all orders of that takes many seconds.
const STRESS: &[&str] = &[
    "clone_and_drop_counts",
    "get_taskdone_join_race",
    "initializer_runs_per_worker",
    "items_are_accounted_for_whatever_happens",
    "join_blocks_until_done",
    "len_under_concurrency",
    "linearizable",
    "map_in_order",
    "nested_waits_that_end_are_no_starvation",
    "per_sender_order_two_senders",
    "put_while_draining_keeps_order",
    "selects_of_both_ends_meet",
    "shutdown_race",
    "shutdown_waits_for_50",
    "status_monotonic",
    "stress_mixed",
    "threads_named",
    "two_pollers_one_queue",
];
