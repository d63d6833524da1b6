//! The traces that other lock checkers are tested with, and planted ones, with known answers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::{fs, io};

use serde_json::Value;

use super::*;
use crate::input::{bulk, packed};
use crate::limits::Limits;

fn corpus(path: &str) -> PathBuf {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/corpus");
    PathBuf::from(root).join(path)
}

fn read(path: &str) -> String {
    let path = corpus(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The codes that stand for a kind of problem; design.md, section 7.
fn codes_of(kind: &str) -> &'static [Code] {
    match kind {
        "order-cycle" | "class-order-cycle" | "class-nesting" => &[Code::LockOrderCycle],
        "self-deadlock" => &[Code::SelfDeadlock, Code::RecursiveRead],
        "communication-deadlock" => &[Code::WaitWhileHolding],
        "stall" => &[Code::Stall],
        "misuse" => &[Code::LockMisuse],
        "none" => &[],
        other => panic!("unknown kind {other}"),
    }
}

#[test]
fn every_case_of_the_lock_order_corpus_gets_its_verdict_and_its_code() {
    let index: Value = serde_json::from_str(&read("lock-order/index.json")).unwrap();
    let cases = index["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 229);
    let mut wrong = Vec::new();
    for case in cases {
        let file = case["file"].as_str().unwrap();
        let expected = &case["expected"];
        let text = read(&format!("lock-order/{file}"));
        let evidence = std_text::read(file, text.as_bytes(), &Limits::default()).unwrap();
        let verdict = judge(&evidence, &Limits::default());
        let found = strongest(&verdict);
        let name = found.map_or(Value::from("none"), |c| serde_json::to_value(c).unwrap());
        let kind = expected["kind"].as_str().unwrap();
        // Where it is a potential deadlock, the strongest finding must be of that kind.
        let mut codes = verdict
            .findings
            .iter()
            .filter(|finding| found.is_none_or(|found| finding.certainty == found))
            .map(|finding| finding.code);
        let right_code = kind == "none" || codes.any(|code| codes_of(kind).contains(&code));
        let right = name == expected["verdict"]
            && found.is_some() == expected["potential_deadlock"]
            && right_code;
        if !right {
            wrong.push(format!("{file}: expected {expected}, found {verdict:?}"));
        }
        assert_eq!(verdict.limits, [""; 0], "{file} needs no limit");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_misuse_of_the_lock_order_corpus_is_told() {
    let index: Value = serde_json::from_str(&read("lock-order/index.json")).unwrap();
    for case in index["cases"].as_array().unwrap() {
        let file = case["file"].as_str().unwrap();
        let text = read(&format!("lock-order/{file}"));
        let evidence = std_text::read(file, text.as_bytes(), &Limits::default()).unwrap();
        let verdict = judge(&evidence, &Limits::default());
        let told = verdict.findings.iter();
        let told = told.filter(|f| f.code == Code::LockMisuse && !f.message.contains("ended"));
        let expected = case["expected"]["misuse"].as_array().unwrap();
        assert_eq!(told.count(), expected.len(), "{file}: {verdict:?}");
    }
}

/// Reads a case as a trace that is too long to be kept.
fn read_as_long(file: &str, text: &str) -> Evidence {
    let limits = Limits {
        kept_events: 0,
        ..Limits::default()
    };
    let kind = bulk::Kind {
        label: file,
        kept_max: 0,
        is_long: true,
        reentrant: false,
        is_alone: true,
    };
    bulk::read(kind, &limits, |consumer| {
        let text = text.as_bytes();
        Some(std_text::stream(file, text, &limits, consumer))
    })
    .unwrap()
}

#[test]
fn a_case_that_is_too_long_to_be_kept_hides_nothing_and_makes_nothing_surer() {
    let index: Value = serde_json::from_str(&read("lock-order/index.json")).unwrap();
    let mut wrong = Vec::new();
    for case in index["cases"].as_array().unwrap() {
        let file = case["file"].as_str().unwrap();
        let text = read(&format!("lock-order/{file}"));
        let whole = std_text::read(file, text.as_bytes(), &Limits::default()).unwrap();
        let whole = judge(&whole, &Limits::default());
        let long = judge(&read_as_long(file, &text), &Limits::default());
        let misuse = |verdict: &Verdict| -> BTreeSet<String> {
            let slips = verdict.findings.iter();
            let slips = slips.filter(|finding| finding.code == Code::LockMisuse);
            slips.map(|finding| finding.message.clone()).collect()
        };
        if misuse(&long) != misuse(&whole) {
            wrong.push(format!(
                "{file}: {:?}, not {:?}",
                misuse(&long),
                misuse(&whole)
            ));
        }
        let (shorter, longer) = (strongest(&whole), strongest(&long));
        // Nothing that is excluded for sure may be missed or be certain; what is neither may be possible.
        let told = shorter.is_none() || longer.is_some();
        let surer = longer == Some(Certainty::Certain) && shorter != Some(Certainty::Certain)
            || longer > Some(Certainty::Certain) && longer > shorter;
        if !told || surer {
            wrong.push(format!(
                "{file}: {longer:?}, not {shorter:?}: {:?}",
                long.findings
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong: {}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn planted_traces_are_certain_exactly_where_exhaustive_search_says_so() {
    for name in [
        "chain1", "chain2", "chain3", "dine3", "forkjoin", "gate", "late2", "late3", "lockdep",
        "rf", "sp2", "syncrev",
    ] {
        let brute: Value =
            serde_json::from_str(&read(&format!("traces/{name}.brute.json"))).unwrap();
        let deadlocks = brute["deadlocks_at_lines"].as_array().unwrap();
        let text = read(&format!("traces/{name}.std"));
        let evidence = std_text::read(name, text.as_bytes(), &Limits::default()).unwrap();
        let verdict = judge(&evidence, &Limits::default());
        let certain = verdict
            .findings
            .iter()
            .filter(|finding| finding.certainty == Certainty::Certain)
            .count();
        assert_eq!(certain, deadlocks.len(), "{name}: {verdict:?}");
    }
}

/// What is found for each instance of an answer key: its kind, and the strongest certainty of the
/// cycles over its locks.
fn against_the_key(name: &str, evidence: &Evidence) {
    let verdict = judge(evidence, &Limits::default());
    let mut found: BTreeMap<BTreeSet<String>, Certainty> = BTreeMap::new();
    for finding in &verdict.findings {
        let locks = finding.cycle.iter().filter_map(|side| match &side.wants {
            Some(Wants::Lock(lock)) => Some(lock.lock.clone()),
            _ => None,
        });
        let strongest = found.entry(locks.collect()).or_insert(finding.certainty);
        *strongest = finding.certainty.max(*strongest);
    }
    let key: Value = serde_json::from_str(&read(&format!("traces/{name}.json"))).unwrap();
    for instance in key["instances"].as_array().unwrap() {
        let locks = instance["locks"].as_array().unwrap().iter();
        let locks: BTreeSet<String> = locks.map(|lock| format!("L{lock}")).collect();
        let kind = instance["kind"].as_str().unwrap();
        let certainty = found.remove(&locks);
        let expected = if instance["predictable"] == true {
            Certainty::Certain
        } else {
            Certainty::Excluded
        };
        assert_eq!(certainty, Some(expected), "{name}: {kind}: {instance}");
    }
    assert!(found.is_empty(), "{name}: not planted: {found:?}");
}

#[test]
fn mixed_traces_are_judged_as_their_keys_say() {
    let small = read("traces/mix-2k-s7.std");
    let limits = Limits::default();
    against_the_key(
        "mix-2k-s7",
        &std_text::read("s7", small.as_bytes(), &limits).unwrap(),
    );
    let large = fs::File::open(corpus("traces/mix-20k-s1.std.gz")).unwrap();
    let large = io::BufReader::new(flate2::read::GzDecoder::new(large));
    against_the_key("mix-20k-s1", &std_text::read("s1", large, &limits).unwrap());
}

#[test]
fn packed_traces_get_the_verdict_of_their_text() {
    let text = read("traces/mix-2k-s7.std");
    let limits = Limits::default();
    let text = std_text::read("s7", text.as_bytes(), &limits).unwrap();
    let told = |evidence: &Evidence| {
        let verdict = judge(evidence, &Limits::default());
        let findings = verdict.findings.iter().map(told);
        findings.collect::<Vec<_>>().concat()
    };
    for name in ["traces/mix-2k-s7.ltb", "traces/mix-2k-s7.data"] {
        let bytes = fs::read(corpus(name)).unwrap();
        assert!(packed::is_packed(&bytes), "{name}");
        let packed = packed::read("s7", bytes.as_slice(), &Limits::default()).unwrap();
        assert_eq!(told(&packed), told(&text), "{name}");
    }
}
