use super::limits;
use crate::trace::{Blocked, Process, Run};

const MS: u64 = 1_000_000;

/// A run for each `(nonce, milliseconds elsewhere, milliseconds watched, threads)`, and one of a text trace.
fn said(processes: &[(u64, u64, u64, u64)]) -> Option<String> {
    let run = |&(nonce, elsewhere, watched, threads): &(u64, u64, u64, u64)| Run {
        process: Some(Process {
            folder: "logs".into(),
            number: 7,
            program: "app".to_owned(),
            nonce,
            blocked: Blocked {
                elsewhere_ns: elsewhere * MS,
                watched_ns: watched * MS,
                threads,
            },
        }),
        ..Run::default()
    };
    let mut runs: Vec<Run> = processes.iter().map(run).collect();
    runs.push(Run::default());
    limits(&runs)
}

#[test]
fn all_runs_are_summed_and_each_log_counts_once() {
    assert_eq!(
        said(&[(1, 60, 500, 2), (2, 90, 0, 1), (1, 60, 500, 2)]).unwrap(),
        "threads were blocked for 0.1 s in all where nothing is watched (input and output, or locks \
         and channels that nobody watches), and for 0.5 s in watched waits"
    );
}

#[test]
fn runs_that_were_killed_are_told() {
    let said = said(&[(1, 1200, 0, 2), (2, 0, 0, 0)]).unwrap();
    assert!(
        said.ends_with("watched waits; not counted in 1 of 2 runs"),
        "{said}"
    );
}

#[test]
fn what_takes_no_time_is_not_worth_a_line() {
    assert_eq!(said(&[]), None);
    assert_eq!(said(&[(1, 40, 9000, 2), (2, 40, 0, 1)]), None);
}
