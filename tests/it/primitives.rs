//! The acceptance tests of the primitives, on watched locks, give no finding.

use std::process::Command;

use crate::programs::{calm, codes, finish, judged, root, stderr, stdout, test_binary};

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
    "join_blocks_until_done",
    "map_in_order",
    "per_sender_order_two_senders",
    "put_while_draining_keeps_order",
    "shutdown_waits_for_50",
];
