//! Recorded logs: whole, cut off, damaged.
//!
//! They stand in `fixtures/logs` as `xxd` writes them, lines of zeros left out, so that a diff can be
//! read; `xxd -r fixtures/logs/bank_transfers.hex > bank.lwlog` makes one a log again.

use std::fs;
use std::ops::Range;

use crate::programs::{checker, finish, root, stdout};

/// The bytes of a recorded log.
pub(crate) fn log(name: &str) -> Vec<u8> {
    let path = root().join("fixtures/logs").join(format!("{name}.hex"));
    let text = fs::read_to_string(&path).unwrap_or_else(|_| panic!("no log {}", path.display()));
    let mut bytes = Vec::new();
    for line in text.lines() {
        let (offset, rest) = line.split_once(": ").unwrap();
        let (digits, _) = rest.split_once("  ").unwrap();
        bytes.resize(usize::from_str_radix(offset, 16).unwrap(), 0);
        let digits: String = digits.split(' ').collect();
        let pairs = (0..digits.len()).step_by(2);
        bytes.extend(pairs.map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()));
    }
    bytes
}

/// Where a log has something: of each block, up to the last byte that is not zero.
pub(crate) fn used(bytes: &[u8]) -> Vec<Range<usize>> {
    let blocks = bytes.chunks(64 << 10).enumerate();
    blocks
        .map(|(block, bytes)| {
            let start = block * (64 << 10);
            let last = bytes.iter().rposition(|&byte| byte != 0);
            start..start + last.map_or(0, |last| last + 1)
        })
        .collect()
}

/// The exit code and report of a recorded log, judged where its sources are not.
fn report(name: &str) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = format!("{name}.lwlog");
    fs::write(folder.path().join(&file), log(name)).unwrap();
    let reported =
        finish(
            checker()
                .current_dir(folder.path())
                .args(["report", "--show-excluded", &file]),
        );
    (reported.status.code().unwrap(), stdout(&reported))
}

fn check(name: &str, expected: i32) {
    let (code, report) = report(name);
    assert_eq!(code, expected, "{report}");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(root().join("fixtures/logs"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, report));
}

#[test]
fn an_inversion() {
    check("bank_transfers", 1);
}

#[test]
fn a_wait_under_a_lock() {
    check("condvar_outer_lock", 1);
}

#[test]
fn a_rank_violation() {
    check("rank_violation", 1);
}

#[test]
fn a_gate() {
    check("gate_lock", 0);
}

/// It ends in the middle of the second transfer, before the inversion is closed.
#[test]
fn an_inversion_cut_off() {
    check("bank_transfers_cut", 0);
}

/// One byte of the first transfer is another: that thread's records end there.
#[test]
fn an_inversion_damaged() {
    check("bank_transfers_damaged", 0);
}

/// Two logs of one process: what one copy of the runtime holds while the other takes is not seen.
#[test]
fn logs_of_two_copies_of_the_runtime_in_one_process() {
    /// Where the nonce stands in the header.
    const NONCE: usize = 32;

    let folder = tempfile::tempdir().unwrap();
    let mut bytes = log("gate_lock");
    fs::write(folder.path().join("a.lwlog"), &bytes).unwrap();
    let told = || {
        let reported = finish(checker().arg("report").arg(folder.path()));
        stdout(&reported).matches("copies of the runtime").count()
    };
    assert_eq!(told(), 0);
    bytes[NONCE] ^= 1;
    fs::write(folder.path().join("b.lwlog"), &bytes).unwrap();
    assert_eq!(told(), 1);
}
