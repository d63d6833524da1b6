//! The last lines of a report for people: how the program ended, what of the findings was accepted
//! earlier, and what we found.

use std::io::{self, Write};

use super::printable::printable;
use super::{Count, Detail, Program, Report};
use crate::baseline::{Baseline, Stale};
use crate::policy::FailOn;

/// How many stale entries of a baseline are named; the limits name all of them.
const STALE_NAMED: usize = 3;

/// Writes the program's verdict and ours, each on a line.
pub(super) fn write(report: &Report, detail: Detail, out: &mut dyn Write) -> io::Result<()> {
    // Having judged nothing is never well, and never silent.
    if detail == Detail::Quiet && !report.fails() && report.logs > 0 {
        return Ok(());
    }
    if let Some(program) = &report.program {
        writeln!(out, "{}", program_verdict(program))?;
    }
    if let Some(baseline) = report.policy.baseline.as_ref().filter(|_| report.logs > 0) {
        let standing = standing(report, baseline);
        writeln!(out, "baseline: {}", printable(&standing))?;
    }
    writeln!(out, "lockwise: {}", own_verdict(report))
}

/// What the baseline accepts, and what of it matches nothing any more.
fn standing(report: &Report, baseline: &Baseline) -> String {
    let accepted = report.count().accepted as u64;
    let findings = plural(accepted, "finding", "findings");
    let accepts = match report.policy.fail_on {
        FailOn::New => format!("accepts {findings} of this report"),
        // Whoever asks for more than what is new gets it.
        other => {
            let counts = if accepted == 1 { "counts" } else { "count" };
            format!(
                "lists {findings} of this report, which {counts} all the same (--fail-on {})",
                other.name()
            )
        }
    };
    match stale(&report.stale) {
        Some(names) => {
            let entries = plural(report.stale.len() as u64, "entry", "entries");
            let of = baseline.len();
            format!("{accepts}; {entries} of {of} matched nothing in this run: {names}")
        }
        None => accepts,
    }
}

/// Names the first entries that matched nothing, and counts the others.
fn stale(entries: &[Stale]) -> Option<String> {
    let named: Vec<String> = entries
        .iter()
        .take(STALE_NAMED)
        .map(|entry| format!("{} {}", entry.code, entry.fingerprint))
        .collect();
    let more = match entries.len().saturating_sub(STALE_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!named.is_empty()).then(|| format!("{}{more}", named.join(", ")))
}

/// How the program, or its tests, ended.
fn program_verdict(program: &Program) -> String {
    let is_test = program.command != "run";
    let who = if is_test { "tests" } else { "program" };
    let how = match program.exit {
        0 if is_test => "passed".to_owned(),
        0 => "ended well (exit 0)".to_owned(),
        code @ 129..=159 => format!("ended by signal {} (exit {code})", code - 128),
        code => format!("failed (exit {code})"),
    };
    format!("{who}: {how}")
}

/// What was found, and in what.
fn own_verdict(report: &Report) -> String {
    if report.logs == 0 {
        return match report.program {
            Some(_) => "no log was made: no program started that has watched locks",
            None => "no log was read",
        }
        .to_owned();
    }
    let stats = &report.verdict.stats;
    let runs = match stats.runs {
        0 | 1 => String::new(),
        many => format!(" in {many} runs"),
    };
    let classes = plural(stats.classes, "class", "classes");
    let orders = plural(stats.edges, "lock order", "lock orders");
    let looked_at = if stats.functions > 0 {
        let functions = plural(stats.functions, "function", "functions");
        format!("{functions}, locks of {classes}, {orders}")
    } else {
        format!(
            "{} of {}{runs}, {} of {classes}, {orders}",
            plural(stats.events, "event", "events"),
            plural(stats.threads, "thread", "threads"),
            plural(stats.locks, "lock", "locks"),
        )
    };
    let count = report.count();
    let mut parts = count.parts();
    if parts.is_empty() && stats.locks == 0 && stats.functions == 0 {
        return "no lock was taken (at level `order`: none under another), so there is nothing to \
                judge"
            .to_owned();
    }
    if parts.is_empty() {
        parts.push("nothing found".to_owned());
    }
    if report.hidden > 0 {
        parts.push(format!("{} excluded (see --show-excluded)", report.hidden));
    }
    let found = parts.join(", ");
    let fails = match count.failing {
        0 => String::new(),
        1 => format!(
            "; 1 fails the build (--fail-on {})",
            report.policy.fail_on.name()
        ),
        many => format!(
            "; {many} fail the build (--fail-on {})",
            report.policy.fail_on.name()
        ),
    };
    format!("{found} in {looked_at}{fails}")
}

impl Count {
    /// The kinds of which there are any, in words.
    fn parts(&self) -> Vec<String> {
        let mut parts = Vec::new();
        let mut add = |number: usize, one: &str, many: &str| {
            if number > 0 {
                parts.push(plural(number as u64, one, many));
            }
        };
        add(self.errors, "error", "errors");
        add(self.warnings, "warning", "warnings");
        add(self.notes, "note", "notes");
        add(
            self.dependencies,
            "finding in dependencies",
            "findings in dependencies",
        );
        add(self.excluded, "excluded", "excluded");
        parts
    }
}

/// `1 lock`, `2 locks`.
fn plural(number: u64, one: &str, many: &str) -> String {
    let noun = if number == 1 { one } else { many };
    format!("{number} {noun}")
}
