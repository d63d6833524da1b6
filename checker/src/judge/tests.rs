//! Text traces in, findings out.

mod cores;
mod corpus;
mod evidence;
mod oracle;
mod parts;
mod random;
mod reported;
mod standing;
mod stories;

use super::*;
use crate::finding::{Certainty, Code, Finding, Wants};
use crate::input::{bulk, std_text};
use crate::limits::Limits;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Judges text traces as the runs `a`, `b`, …
fn verdict_of(traces: &[&str]) -> Verdict {
    judge(&evidence_of(traces), &Limits::default())
}

fn evidence_of(traces: &[&str]) -> Evidence {
    let mut evidence = Evidence::default();
    for (label, trace) in ('a'..='z').zip(traces) {
        let text = spread(trace);
        let read = std_text::read(&label.to_string(), text.as_bytes(), &Limits::default());
        evidence.absorb(read.expect("the trace is well formed"));
    }
    evidence
}

/// As a trace that is too long to be kept, of which so many events are seen at a time.
fn long_evidence_of(text: &str, window: u64) -> Evidence {
    let limits = Limits {
        kept_events: 0,
        window,
        ..Limits::default()
    };
    let kind = bulk::Kind {
        label: "long",
        kept_max: 0,
        is_long: false,
        reentrant: false,
        is_alone: true,
    };
    let evidence = bulk::read(kind, &limits, |to| {
        Some(std_text::stream("long", text.as_bytes(), &limits, to))
    });
    evidence.expect("the trace is well formed")
}

/// Lets a test write a thread's events in one line: `T1: acq(A) acq(B) rel(B)`, in the order of the
/// lines. The location of an event is its own text.
fn spread(trace: &str) -> String {
    let mut text = String::new();
    for line in trace.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line.split_once(": ") {
            Some((thread, ops)) if !line.starts_with('#') => {
                for op in ops.split_whitespace() {
                    writeln!(text, "{thread}|{op}|{thread}.{op}").unwrap();
                }
            }
            _ => writeln!(text, "{line}").unwrap(),
        }
    }
    text
}

/// The findings as a short text: what a user would see of each, without its sites.
fn report(traces: &[&str]) -> String {
    let verdict = verdict_of(traces);
    let mut text = String::new();
    for finding in &verdict.findings {
        text.push_str(&told(finding));
    }
    for limit in &verdict.limits {
        writeln!(text, "limit: {limit}").unwrap();
    }
    if text.is_empty() {
        text.push_str("nothing\n");
    }
    text
}

fn told(finding: &Finding) -> String {
    let name = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let certainty = name(serde_json::to_value(finding.certainty).unwrap());
    let level = name(serde_json::to_value(finding.level).unwrap());
    let basis = finding
        .basis
        .map(|basis| name(serde_json::to_value(basis).unwrap()));
    let mut text = format!(
        "{level} {} {certainty}{}\n  {}\n",
        finding.code.text(),
        basis.map_or(String::new(), |basis| format!(" ({basis})")),
        finding.message
    );
    for side in &finding.cycle {
        let holds = side.holds.as_ref();
        let holds = holds.map_or("-".to_owned(), |l| format!("{} {}", l.lock, l.mode));
        let wants = match &side.wants {
            Some(Wants::Lock(lock)) => format!("{} {}", lock.lock, lock.mode),
            Some(Wants::Resource(of)) => format!("{} {}", of.resource, of.name),
            None => "-".to_owned(),
        };
        let gates = match side.gates.as_slice() {
            [] => String::new(),
            gates => format!("  gates {}", gates.join(" ")),
        };
        writeln!(text, "    {}: {holds} -> {wants}{gates}", side.thread).unwrap();
    }
    if !finding.witness.is_empty() {
        writeln!(text, "  schedule {}", finding.witness.join(" ")).unwrap();
    }
    for reason in &finding.reasons {
        writeln!(text, "  because {reason}").unwrap();
    }
    for advice in &finding.advice {
        writeln!(text, "  advice {advice}").unwrap();
    }
    text
}

/// The strongest certainty of the findings that are potential deadlocks.
fn strongest(verdict: &Verdict) -> Option<Certainty> {
    let findings = verdict.findings.iter();
    let deadlocks = findings.filter(|finding| {
        matches!(
            finding.code,
            Code::Deadlock
                | Code::SelfDeadlock
                | Code::LockOrderCycle
                | Code::RecursiveRead
                | Code::WaitWhileHolding
        )
    });
    deadlocks.map(|finding| finding.certainty).max()
}
