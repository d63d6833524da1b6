//! Logs of processes that were killed, aborted or forked.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use cargo_lockwise::trace::{Evidence, Op};

use crate::programs::{evidence, finish, judged, only_file, program, recorded};

/// How often each thread of `writers` says that it took its locks.
fn published(progress: &Path) -> Vec<usize> {
    let bytes = fs::read(progress).unwrap();
    let words = bytes.chunks_exact(8);
    words
        .map(|word| u64::from_le_bytes(word.try_into().unwrap()))
        .map(|rounds| usize::try_from(rounds).unwrap())
        .collect()
}

/// How often the lock called `name` was acquired and released.
fn seen(evidence: &Evidence, name: &str) -> (usize, usize) {
    let run = &evidence.runs[0];
    let lock = run.locks.iter().position(|lock| lock.label == name);
    let lock = lock.unwrap_or_else(|| panic!("no lock is called {name}"));
    let count = |of: &dyn Fn(&Op) -> bool| run.events.iter().filter(|e| of(&e.op)).count();
    (
        count(&|op| matches!(op, Op::Acquire { lock: of, .. } if of.at() == lock)),
        count(&|op| matches!(op, Op::Release { lock: of, .. } if of.at() == lock)),
    )
}

/// Checks that the log has all that the threads said, and that it can be reported.
fn nothing_is_lost(logs: &Path, progress: &Path) {
    let evidence = evidence(&only_file(logs)).unwrap();
    let rounds = published(progress);
    assert_eq!(rounds.len(), 8);
    for (thread, &rounds) in rounds.iter().enumerate() {
        for lock in ["outer", "inner"] {
            let (acquired, released) = seen(&evidence, &format!("{lock} {thread}"));
            assert!(rounds >= 2_000, "thread {thread} has not begun");
            assert!(
                acquired >= rounds && released >= rounds,
                "thread {thread} said {rounds}, the log has {acquired} and {released} of {lock}"
            );
        }
    }
    let (report, code) = judged(logs);
    assert_eq!(code, 0, "{report}");
    let events = 4 * rounds.iter().sum::<usize>();
    let reported = report["stats"]["events"].as_u64().unwrap();
    assert!(reported >= events as u64, "{reported} of {events}");
    assert!(report["findings"].as_array().unwrap().is_empty());
}

#[test]
fn a_killed_process_leaves_all_that_its_threads_did() {
    let folder = tempfile::tempdir().unwrap();
    let (logs, progress) = (folder.path().join("logs"), folder.path().join("progress"));
    fs::create_dir(&logs).unwrap();
    let mut child = recorded("writers", "trace", &logs)
        .arg(&progress)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert_eq!(line, "ready\n");
    // The threads go on all the while.
    child.kill().unwrap();
    child.wait().unwrap();
    nothing_is_lost(&logs, &progress);
}

#[test]
fn an_aborted_process_leaves_all_that_its_threads_did() {
    let folder = tempfile::tempdir().unwrap();
    let (logs, progress) = (folder.path().join("logs"), folder.path().join("progress"));
    fs::create_dir(&logs).unwrap();
    let ended = finish(
        recorded("writers", "trace", &logs)
            .arg(&progress)
            .arg("abort"),
    );
    assert!(!ended.status.success());
    nothing_is_lost(&logs, &progress);
}

#[test]
fn parent_and_child_of_a_fork_have_a_log_each() {
    for level in ["order", "trace"] {
        let logs = tempfile::tempdir().unwrap();
        let ended = finish(&mut recorded("forks", level, logs.path()));
        assert!(ended.status.success());
        let mut headers = Vec::new();
        let mut seen = Vec::new();
        for entry in fs::read_dir(logs.path()).unwrap() {
            let path = entry.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            headers.push(lockwise::watch::log::read(&bytes).unwrap().header);
            let evidence = evidence(&path).unwrap();
            assert!(evidence.limits.is_empty(), "{level}: {:?}", evidence.limits);
            let names = evidence.runs[0].locks.iter();
            seen.push(names.map(|lock| lock.label.clone()).collect::<Vec<_>>());
        }
        assert_eq!(headers.len(), 2, "at level {level}");
        let child = usize::from(headers[1].parent_nonce != 0);
        assert_eq!(headers[child].parent_nonce, headers[1 - child].nonce);
        assert_eq!(headers[1 - child].parent_nonce, 0);
        let has = |of: usize, name: &str| seen[of].iter().any(|lock| lock == name);
        assert!(has(child, "child's") && !has(child, "parent's"), "{seen:?}");
        assert!(
            has(1 - child, "parent's") && !has(1 - child, "child's"),
            "{seen:?}"
        );
        assert_eq!(judged(logs.path()).1, 0);
    }
}

#[test]
fn without_a_folder_for_logs_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let ended = finish(program("bank_transfers").current_dir(folder.path()));
    assert!(ended.status.success());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
