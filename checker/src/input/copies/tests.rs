use super::limits;
use crate::trace::{Blocked, Process, Run};

/// The limits of logs, each `FOLDER PROGRAM PROCESS NONCE`.
fn said(logs: &[&str]) -> Vec<String> {
    let run = |log: &&str| {
        let mut words = log.split(' ');
        let mut word = || words.next().unwrap();
        Run {
            process: Some(Process {
                folder: word().into(),
                program: word().to_owned(),
                number: word().parse().unwrap(),
                nonce: word().parse().unwrap(),
                blocked: Blocked::default(),
            }),
            ..Run::default()
        }
    };
    let mut runs: Vec<Run> = logs.iter().map(run).collect();
    runs.push(Run::default());
    limits(&runs)
}

#[test]
fn two_logs_of_one_process_are_told() {
    let said = said(&["logs app 7 1", "logs app 7 2", "logs app 8 3"]);
    assert_eq!(
        said,
        [
            "`app` (process 7) made 2 logs: 2 copies of the runtime were in it, say one in a \
             dynamic library, and orders between locks of different copies are not seen (unless \
             the program started itself anew by `exec`)"
        ]
    );
}

#[test]
fn logs_of_different_processes_are_not() {
    for logs in [
        ["logs app 7 1", "logs app 8 2"],
        // The same log under two names.
        ["logs app 7 1", "logs app 7 1"],
        // Another run, or another program with a number that was free again.
        ["logs app 7 1", "more app 7 2"],
        ["logs app 7 1", "logs tool 7 2"],
    ] {
        assert_eq!(said(&logs), Vec::<String>::new(), "{logs:?}");
    }
}
