//! How many instructions an acquisition takes, counted by `valgrind`, where that is at hand.

use std::process::{Command, Stdio};

use crate::conductor::Contestant;
use crate::workloads::Workload;

/// Whether `valgrind` can be run.
pub(crate) fn at_hand() -> bool {
    Command::new("valgrind")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The instructions of one acquisition: what many calls take more than few, divided by how many
/// acquisitions that is. None if the party cannot be counted in this row.
pub(crate) fn per_acquisition(
    contestant: &Contestant,
    workload: Workload,
    row: usize,
    plain: bool,
) -> Option<f64> {
    if !workload.is_one_thread() {
        return None;
    }
    // Enough that what happens now and then, such as a full block of the log, counts as it should.
    let (few, many) = match workload {
        Workload::Chain | Workload::RootFirst | Workload::RootAgain => (1, 2),
        _ => (workload.calls(), 3 * workload.calls()),
    };
    let count = |calls| count(contestant, row, calls, plain);
    let more = count(many)?.checked_sub(count(few)?)?;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let more = more as f64;
    Some(more / (f64::from(many - few) * workload.acquisitions_per_call()))
}

/// All instructions of a process that does so many calls.
fn count(contestant: &Contestant, row: usize, calls: u32, plain: bool) -> Option<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(&contestant.program)
        .arg("--run")
        .arg(contestant.party)
        .arg(row.to_string())
        .arg(calls.to_string())
        .arg(if plain { "plain" } else { "own" })
        .envs(contestant.environment.iter().cloned())
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().find(|line| line.contains("Collected :"))?;
    line.split_whitespace().last()?.parse().ok()
}
