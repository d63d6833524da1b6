use std::collections::BTreeSet;
use std::path::PathBuf;

use super::*;
use crate::finding::{Certainty, Verdict};
use crate::input::bulk;
use crate::judge::judge;

/// The recorded logs among the fixtures, with their names.
fn fixtures() -> Vec<(PathBuf, Vec<u8>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/logs");
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|end| end == "hex"));
    let mut logs: Vec<_> = files.map(|path| (path.clone(), bytes(&path))).collect();
    logs.sort();
    assert!(logs.len() > 3);
    logs
}

/// The bytes that a dump stands for: lines of an offset, a colon, and up to sixteen bytes; what is between
/// them is zero.
fn bytes(path: &Path) -> Vec<u8> {
    let text = fs::read_to_string(path).unwrap();
    let mut bytes = Vec::new();
    for line in text.lines() {
        let (offset, rest) = line.split_once(": ").unwrap();
        let digits = rest.split("  ").next().unwrap().replace(' ', "");
        bytes.resize(usize::from_str_radix(offset, 16).unwrap(), 0);
        for pair in digits.as_bytes().chunks_exact(2) {
            let pair = str::from_utf8(pair).unwrap();
            bytes.push(u8::from_str_radix(pair, 16).unwrap());
        }
    }
    bytes
}

/// Reads a log as one that is too long to be kept.
fn read_as_long(path: &Path, bytes: &[u8], limits: &Limits) -> Evidence {
    let kind = bulk::Kind {
        label: "log",
        kept_max: 0,
        is_long: true,
        reentrant: false,
        is_alone: true,
    };
    bulk::read(kind, limits, |consumer| {
        Some(stream(path, bytes, limits, consumer))
    })
    .unwrap()
}

/// Code, certainty and classes of each finding.
fn told(verdict: &Verdict) -> BTreeSet<(String, Certainty, String)> {
    let findings = verdict.findings.iter();
    findings
        .map(|finding| {
            let code = format!("{:?}", finding.code);
            (code, finding.certainty, finding.fingerprint.clone())
        })
        .collect()
}

#[test]
fn a_log_that_is_too_long_to_be_kept_tells_what_a_short_one_does() {
    let mut proved = 0;
    for (path, bytes) in fixtures() {
        let limits = Limits::default();
        let Ok(whole) = read_bytes(&path, &bytes, &limits) else {
            continue;
        };
        let long = read_as_long(&path, &bytes, &limits);
        let (run, kept) = (&long.runs[0], &whole.runs[0]);
        let names = |run: &Run| -> Vec<String> {
            let threads = run.threads.iter().map(|thread| format!("{thread:?}"));
            threads
                .chain(run.locks.iter().map(|lock| format!("{lock:?}")))
                .collect()
        };
        assert_eq!(names(run), names(kept), "{}", path.display());
        let seen = usize::try_from(run.events_seen).unwrap();
        assert_eq!(seen, kept.events.len(), "{}", path.display());
        let whole = told(&judge(&whole, &Limits::default()));
        let long = told(&judge(&long, &Limits::default()));
        // A proof needs the exhaustive search now and then, which looks at parts of a long log only if
        // they are short.
        assert_eq!(long, whole, "{}", path.display());
        proved += long
            .iter()
            .filter(|told| told.1 == Certainty::Certain)
            .count();
    }
    assert!(proved > 1);
}

#[test]
fn events_beyond_the_limit_are_left_out_and_told() {
    let logs = fixtures();
    let (path, bytes) = &logs[0];
    let none = Limits {
        events: 3,
        ..Limits::default()
    };
    let evidence = read_bytes(path, bytes, &none).unwrap();
    assert_eq!(evidence.runs[0].events.len(), 3);
    assert!(
        evidence.limits[0].ends_with("only the first 3 events are used (limit `events`)"),
        "{:?}",
        evidence.limits
    );
}
