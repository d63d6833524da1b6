//! Bad input: one clear message, the right exit code, never a panic.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::process::Stdio;

use cargo_lockwise::input::log::LogReadError;
use cargo_lockwise::judge;
use cargo_lockwise::limits::Limits;
use cargo_lockwise::trace::Evidence;

use crate::programs::{checker, evidence, finish, stderr, stdout};
use crate::recorded;

/// Reports on `input` and returns the exit code and what stands on both streams.
fn report(input: &Path) -> (i32, String, String) {
    let output = finish(checker().arg("report").arg(input));
    let (out, err) = (stdout(&output), stderr(&output));
    assert!(!err.contains("panicked"), "{err}");
    let code = output.status.code().expect("the checker is not killed");
    (code, out, err)
}

/// Checks that `input` is refused with one message, which says `why`.
fn refused(input: &Path, why: &str) {
    let (code, _, err) = report(input);
    assert_eq!(code, 3, "{err}");
    let messages = err.lines().filter(|line| line.starts_with("error"));
    assert_eq!(messages.count(), 1, "{err}");
    assert!(err.contains(why), "{err}");
}

/// Numbers that look random, and are the same each time (Marsaglia, Xorshift RNGs, 2003).
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.flatten().take(len).collect()
}

#[test]
fn an_empty_file() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["empty.lwlog", "empty.std", "empty"] {
        let path = folder.path().join(name);
        File::create(&path).unwrap();
        refused(&path, "the file is empty");
    }
}

#[test]
fn many_random_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = noise(50 << 20);
    for (name, why) in [
        ("noise.lwlog", "not a lockwise log"),
        ("noise.std", "neither a lockwise log nor STD text"),
        ("noise", "neither a lockwise log nor STD text"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, &bytes).unwrap();
        refused(&path, why);
    }
}

#[test]
fn random_bytes_behind_a_good_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("noise.lwlog");
    let mut bytes = recorded::log("bank_transfers");
    bytes.truncate(64 << 10);
    bytes.extend(noise(5 << 20));
    fs::write(&path, &bytes).unwrap();
    let (code, out, err) = report(&path);
    // Nothing of what was recorded is left: that is not green.
    assert_eq!(code, 3, "{err}{out}");
    assert!(err.contains("a block does not start as one does"), "{err}");
}

#[test]
fn a_gigabyte_of_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for (name, why) in [
        ("hole.lwlog", "not a lockwise log"),
        ("hole", "neither a lockwise log nor STD text"),
    ] {
        let path = folder.path().join(name);
        File::create(&path).unwrap().set_len(1 << 30).unwrap();
        refused(&path, why);
    }
}

#[test]
fn no_such_file() {
    refused(Path::new("no such file.lwlog"), "cannot read");
}

#[cfg(unix)]
#[test]
fn a_file_that_the_system_refuses() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let dangling = folder.path().join("dangling.lwlog");
    std::os::unix::fs::symlink("nowhere", &dangling).unwrap();
    refused(&dangling, "cannot read");
    refused(folder.path(), "cannot read");
    fs::remove_file(dangling).unwrap();

    let secret = folder.path().join("secret.lwlog");
    fs::write(&secret, recorded::log("bank_transfers")).unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
    // To the superuser nothing is secret.
    if fs::read(&secret).is_err() {
        refused(&secret, "cannot read");
    }
}

#[test]
fn a_log_from_a_newer_version() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("newer.lwlog");
    let mut bytes = recorded::log("bank_transfers");
    let newer = lockwise::watch::log::VERSION + 1;
    bytes[8..10].copy_from_slice(&newer.to_le_bytes());
    fs::write(&path, &bytes).unwrap();
    refused(&path, &format!("format version {newer}"));
}

#[test]
fn a_folder_with_foreign_files() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("notes.txt"), "remember the milk").unwrap();
    fs::write(folder.path().join("core"), noise(1 << 20)).unwrap();
    let (code, out, err) = report(folder.path());
    assert_eq!(code, 4, "{err}");
    assert_eq!(out, "");
    assert!(err.contains("no log found"), "{err}");

    let log = folder.path().join("bank.lwlog");
    fs::write(log, recorded::log("bank_transfers")).unwrap();
    let (code, out, _) = report(folder.path());
    assert_eq!(code, 1);
    assert!(out.contains("LW0003"), "{out}");
    assert!(out.contains("`core`, `notes.txt`"), "{out}");
}

#[test]
fn one_bad_log_hides_no_good_one() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bad.lwlog"), noise(1 << 10)).unwrap();
    let good = recorded::log("bank_transfers");
    fs::write(folder.path().join("good.lwlog"), good).unwrap();
    let (code, out, err) = report(folder.path());
    assert_eq!(code, 1);
    assert!(out.contains("LW0003"), "{out}");
    assert!(err.contains("bad.lwlog"), "{err}");
}

#[test]
fn a_release_before_its_acquisition() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("early.std");
    fs::write(
        &path,
        "T1|rel(A)|a.rs:1\nT1|acq(A)|a.rs:2\nT1|rel(A)|a.rs:3\n",
    )
    .unwrap();
    let (code, out, err) = report(&path);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("note[LW0008]"), "{out}");
}

#[test]
fn a_trace_with_a_line_that_is_not_understood() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("half.std");
    fs::write(&path, "T1|acq(A)|1\nT1|jump(A)|2\nT1|acq(A)|3\n").unwrap();
    let (code, out, _) = report(&path);
    // It may have been what gave the lock back.
    assert_eq!(code, 0);
    assert!(out.contains("warning[LW0002]"), "{out}");
    assert!(out.contains("line 2: unknown operation `jump`"), "{out}");

    fs::write(&path, "T1|acq(A)|1\nsomebody else's words\nT1|acq(A)|3\n").unwrap();
    let (code, out, _) = report(&path);
    assert_eq!(code, 1);
    assert!(out.contains("error[LW0002]"), "{out}");
    assert!(out.contains("1 line not understood"), "{out}");
}

#[test]
fn text_that_is_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    fs::write(&path, "remember the milk\n").unwrap();
    refused(&path, "neither a lockwise log nor STD text");
}

#[test]
fn standard_input() {
    for (text, expected) in [
        ("T1|acq(A)|1\nT1|acq(A)|2\n", 1),
        ("T1|acq(A)|1\r\nT1|rel(A)|2\r\n", 0),
        ("nothing of this kind\n", 3),
    ] {
        let mut child = checker()
            .args(["report", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(text.as_bytes()).unwrap();
        drop(stdin);
        assert_eq!(child.wait().unwrap().code(), Some(expected), "{text}");
    }
}

/// How many events there are, and whether something is said to be missing.
fn judged(evidence: &Evidence) -> (usize, bool) {
    // Not only reading must survive: what was read is judged.
    let verdict = judge::judge(evidence, &Limits::default());
    let events = evidence.runs.iter().map(|run| run.events.len()).sum();
    (events, !verdict.limits.is_empty())
}

#[test]
fn a_log_that_is_cut_off_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.lwlog");
    let bytes = recorded::log("rank_violation");
    let used = recorded::used(&bytes);
    fs::write(&path, &bytes).unwrap();
    let (all, damaged) = judged(&evidence(&path).unwrap());
    assert!(!damaged && all > 0);

    let file = File::options().write(true).open(&path).unwrap();
    let mut before = all;
    for len in (0..bytes.len()).rev() {
        file.set_len(len as u64).unwrap();
        // Where there is nothing but zeros each length is like its neighbours.
        let matters = used.iter().any(|part| part.contains(&len)) || len % 997 == 0;
        if !matters {
            continue;
        }
        match evidence(&path) {
            Ok(evidence) => {
                let (events, told) = judged(&evidence);
                assert!(events <= before, "more events at {len} bytes than at more");
                // Cut off between two blocks it looks like one that was killed just then.
                let between = len % (64 << 10) == 0;
                assert!(told || between, "nothing is said at {len} bytes");
                before = events;
            }
            // All records are gone.
            Err(LogReadError::NothingIntact(_)) => before = 0,
            Err(LogReadError::Log(error)) => {
                assert!(len <= 160, "at {len} bytes nothing can be read: {error}");
            }
            Err(error) => panic!("at {len} bytes: {error}"),
        }
    }
    refused(&path, "the file is empty");
}

#[test]
fn a_log_with_any_byte_flipped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flipped.lwlog");
    let bytes = recorded::log("rank_violation");
    fs::write(&path, &bytes).unwrap();
    let whole = judged(&evidence(&path).unwrap());
    let mut file = File::options().write(true).open(&path).unwrap();
    let mut unnoticed = 0_usize;
    let mut flips = 0_usize;
    for at in recorded::used(&bytes).into_iter().flatten() {
        for flip in [0x01, 0x80, 0xff] {
            file.seek(SeekFrom::Start(at as u64)).unwrap();
            let flipped = bytes[at] ^ flip;
            file.write_all(&[flipped]).unwrap();
            if let Ok(evidence) = evidence(&path) {
                let (events, told) = judged(&evidence);
                // A tag of zero is the end, as a process leaves it that is killed within a record.
                let silent = events < whole.0 && !told && flipped != 0;
                assert!(!silent, "byte {at}: a loss without a word");
                // What stands before the records of a block is not used.
                if at >= 64 << 10 && at % (64 << 10) >= 16 {
                    flips += 1;
                    unnoticed += usize::from(!told);
                }
            }
        }
        file.seek(SeekFrom::Start(at as u64)).unwrap();
        file.write_all(&bytes[at..=at]).unwrap();
    }
    // The check of a record is one byte, so one damaged record in 256 may look whole.
    assert!(flips > 500, "{flips} flips");
    assert!(unnoticed * 50 < flips, "{unnoticed} of {flips} unnoticed");
}
