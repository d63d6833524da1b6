use super::{FailOn, Policy};
use crate::baseline::Baseline;
use crate::finding::{Basis, Certainty, Code, Finding, Level, Source, Verdict};

fn finding(code: Code, certainty: Certainty, basis: Option<Basis>) -> Finding {
    Finding {
        code,
        name: code.name(),
        certainty,
        basis,
        level: Finding::level_of(code, certainty, basis),
        fingerprint: format!("{code:?}{certainty:?}{basis:?}"),
        message: String::new(),
        evidence: vec![Source::Run],
        cycle: Vec::new(),
        witness: Vec::new(),
        witness_after: None,
        excluded_by: Vec::new(),
        reasons: Vec::new(),
        advice: Vec::new(),
        in_dependencies: false,
    }
}

/// One letter for each finding that fails under `policy`, a dot for each that does not.
fn table(policy: &Policy) -> String {
    let cases = [
        ('a', finding(Code::Deadlock, Certainty::Actual, None)),
        (
            'c',
            finding(Code::LockOrderCycle, Certainty::Confirmed, None),
        ),
        ('C', finding(Code::LockOrderCycle, Certainty::Certain, None)),
        ('o', finding(Code::OrderViolation, Certainty::Certain, None)),
        (
            'i',
            finding(
                Code::LockOrderCycle,
                Certainty::Possible,
                Some(Basis::SameInstances),
            ),
        ),
        (
            'x',
            finding(
                Code::LockOrderCycle,
                Certainty::Possible,
                Some(Basis::CrossRun),
            ),
        ),
        (
            'k',
            finding(Code::RecursiveRead, Certainty::Possible, Some(Basis::Class)),
        ),
        (
            '1',
            finding(
                Code::LockOrderCycle,
                Certainty::Possible,
                Some(Basis::OneThread),
            ),
        ),
        ('m', finding(Code::LockMisuse, Certainty::Certain, None)),
        ('s', finding(Code::Stall, Certainty::Possible, None)),
        (
            'e',
            finding(Code::LockOrderCycle, Certainty::Excluded, None),
        ),
    ];
    cases
        .iter()
        .map(|(letter, finding)| if policy.fails(finding) { *letter } else { '.' })
        .collect()
}

fn policy(fail_on: FailOn) -> Policy {
    Policy {
        fail_on,
        ..Policy::default()
    }
}

#[test]
fn what_fails_the_build() {
    assert_eq!(table(&Policy::default()), "acCo.......");
    assert_eq!(table(&policy(FailOn::Actual)), "a..........");
    assert_eq!(table(&policy(FailOn::Certain)), "acCo.......");
    assert_eq!(table(&policy(FailOn::Possible)), "acCoixk....");
    assert_eq!(table(&policy(FailOn::Note)), "acCoixk1ms.");
    assert_eq!(table(&policy(FailOn::New)), "acCoi......");
    assert_eq!(table(&policy(FailOn::Never)), "...........");
}

#[test]
fn findings_in_dependencies_count_only_on_request() {
    let mut inside = finding(Code::LockOrderCycle, Certainty::Certain, None);
    inside.in_dependencies = true;
    inside.level = Level::Note;
    assert!(!policy(FailOn::Note).fails(&inside));
    let asked = Policy {
        deps: true,
        ..Policy::default()
    };
    let mut verdict = Verdict {
        findings: vec![inside],
        ..Verdict::default()
    };
    asked.apply(&mut verdict);
    assert_eq!(verdict.findings[0].level, Level::Error);
    assert!(asked.fails(&verdict.findings[0]));
}

#[test]
fn accepted_findings_are_not_new_and_vanished_ones_are_named() {
    let old = finding(Code::LockOrderCycle, Certainty::Certain, None);
    let gone = finding(Code::SelfDeadlock, Certainty::Certain, None);
    let baseline = Baseline::of(&Verdict {
        findings: vec![old.clone(), gone],
        ..Verdict::default()
    });
    let stale = baseline.stale(&Verdict {
        findings: vec![old],
        ..Verdict::default()
    });
    assert_eq!(stale.len(), 1);
    assert_eq!(stale[0].code, "LW0002");
    let policy = Policy {
        fail_on: FailOn::New,
        baseline: Some(baseline),
        ..Policy::default()
    };
    assert_eq!(table(&policy), "ac.oi......");
}

#[test]
fn a_baseline_survives_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("baseline.json");
    let baseline = Baseline::of(&Verdict {
        findings: vec![
            finding(Code::SelfDeadlock, Certainty::Certain, None),
            finding(
                Code::LockOrderCycle,
                Certainty::Possible,
                Some(Basis::Class),
            ),
            finding(Code::Deadlock, Certainty::Excluded, None),
        ],
        ..Verdict::default()
    });
    baseline.write(&path).unwrap();
    insta::assert_snapshot!(std::fs::read_to_string(&path).unwrap());
    let read = Baseline::read(&path).unwrap();
    assert_eq!((read.len(), read.is_empty()), (2, false));
    assert_eq!(read.to_text(), baseline.to_text());

    std::fs::write(&path, "{\"version\":9,\"accepted\":[]}").unwrap();
    let error = Baseline::read(&path).unwrap_err().to_string();
    assert!(error.contains("version 9"), "{error}");
    std::fs::write(&path, "").unwrap();
    assert!(Baseline::read(&path).is_err());
}
