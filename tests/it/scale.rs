//! Many locks made, and many held.

use crate::programs::{codes, finish, judged, program, recorded, stdout};

/// What a program may grow by while it makes nine hundred thousand locks: a few bytes for each
/// would be ten times that. What is bounded is full by then or takes less.
const GROWTH_MAX_KB: u64 = 16 << 10;

/// The growth that `many_locks` tells.
fn growth(output: &std::process::Output) -> u64 {
    assert!(output.status.success());
    stdout(output).trim().parse().unwrap()
}

#[test]
fn a_million_locks_leave_no_memory_behind() {
    let grown = growth(&finish(&mut program("many_locks")));
    assert!(grown < GROWTH_MAX_KB, "grown by {grown} KB");
}

#[test]
fn a_million_locks_leave_no_memory_behind_at_level_trace() {
    let logs = tempfile::tempdir().unwrap();
    let grown = growth(&finish(&mut recorded("many_locks", "trace", logs.path())));
    assert!(grown < GROWTH_MAX_KB, "grown by {grown} KB");
}

#[test]
fn ten_thousand_locks_held_at_once_hide_no_inversion() {
    for (level, certainty) in [("order", "possible"), ("trace", "certain")] {
        let logs = tempfile::tempdir().unwrap();
        let ended = finish(&mut recorded("many_held", level, logs.path()));
        assert!(ended.status.success());
        let (report, _) = judged(logs.path());
        assert_eq!(codes(&report), ["LW0003"], "at level {level}");
        let finding = &report["findings"][0];
        assert_eq!(finding["certainty"], certainty, "at level {level}");
        let cycle = finding["cycle"].as_array().unwrap();
        let wants: Vec<_> = cycle.iter().map(|side| &side["wants"]["lock"]).collect();
        assert_eq!(cycle.len(), 2, "at level {level}");
        assert!(wants.iter().any(|lock| *lock == "first"), "{wants:?}");
        assert!(wants.iter().any(|lock| *lock == "second"), "{wants:?}");
    }
}
