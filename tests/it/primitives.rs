//! The acceptance tests of the primitives, on watched locks, give no finding.

use std::process::Command;

use crate::programs::{calm, codes, finish, judged, recorded, root, stderr, stdout, test_binary};

/// What the checker finds in a run of `waits CHOICE`, which goes well.
fn found(choice: &str) -> (Vec<String>, String) {
    let logs = tempfile::tempdir().unwrap();
    let ended = finish(recorded("waits", "trace", logs.path()).arg(choice));
    assert!(ended.status.success(), "{}", stderr(&ended));
    let (report, _) = judged(logs.path());
    let codes = codes(&report).into_iter().map(str::to_owned).collect();
    (codes, report["findings"].to_string())
}

#[test]
fn lock_queue_cycle() {
    for choice in ["queue", "result"] {
        let (codes, text) = found(choice);
        assert_eq!(codes, ["LW0006"], "{choice}");
        assert!(
            text.contains("\"lock\"") && text.contains("channel"),
            "{text}"
        );
    }
}

#[test]
fn a_result_that_is_waited_for_without_the_lock_is_no_finding() {
    assert_eq!(found("apart").0, [""; 0]);
}

/// Each in a process of its own: the log of one test has few events, so that the checker can look at all
/// orders of them.
#[test]
fn no_edges_from_primitives() {
    let tests = test_binary("lockwise", "primitives");
    let command = |arguments: &[&str]| {
        let mut command = Command::new(&tests);
        command.args(arguments).current_dir(root());
        calm(&mut command);
        command
    };
    let listed = stdout(&finish(&mut command(&["--list", "on_tracked"])));
    let names = listed
        .lines()
        .filter_map(|line| line.strip_suffix(": test"));
    let mut judged_logs = 0;
    for name in names {
        if STRESS.iter().any(|stress| name.ends_with(stress)) {
            continue;
        }
        let logs = tempfile::tempdir().unwrap();
        let mut test = command(&["--exact", name]);
        test.env("LOCKWISE_LOG", logs.path());
        test.env("LOCKWISE_LEVEL", "trace");
        let ended = finish(&mut test);
        assert!(
            ended.status.success(),
            "{name}: {}",
            stdout(&ended) + &stderr(&ended)
        );
        if std::fs::read_dir(logs.path()).unwrap().next().is_none() {
            continue;
        }
        let (report, code) = judged(logs.path());
        assert_eq!((codes(&report), code), (vec![], 0), "{name}: {report:#}");
        judged_logs += 1;
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
