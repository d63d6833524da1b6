//! Reports: views of one verdict, one file for each format.
//!
//! A view leaves out nothing that the policy shows and adds nothing that the verdict does not say.
//! Adding a format is one file, one variant and one line in [`fn@write`].

use std::io::{self, Write};

use clap::ValueEnum;

use crate::baseline::Stale;
use crate::finding::{Certainty, Level, Verdict};
use crate::policy::Policy;

mod json;
mod messages;
mod printable;
mod side;
mod snippet;
mod story;
mod text;
mod verdicts;

pub use printable::printable;
pub use snippet::Sources;

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs: one document on one line
    Json,
}

/// What cargo, or the program that it ran, returned.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Program {
    /// `run`, `test` or `nextest`.
    pub command: &'static str,
    /// The exit code, 128 + n after signal n.
    pub exit: i32,
}

/// Everything that a report shows.
#[derive(Debug, Clone)]
pub struct Report {
    /// The findings to show, and what was looked at.
    pub verdict: Verdict,
    /// What was asked for.
    pub policy: Policy,
    /// How many excluded findings are not shown.
    pub hidden: usize,
    /// What the baseline accepts and this run did not show.
    pub stale: Vec<Stale>,
    /// What was run, where something was.
    pub program: Option<Program>,
    /// How many logs and traces were read.
    pub logs: usize,
    /// Where the sources lie that snippets are read from.
    pub sources: Sources,
}

/// How many findings there are of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Errors in the user's own code.
    pub errors: usize,
    /// Warnings in the user's own code.
    pub warnings: usize,
    /// Notes in the user's own code.
    pub notes: usize,
    /// Excluded findings that are shown.
    pub excluded: usize,
    /// Findings wholly inside dependencies.
    pub dependencies: usize,
    /// How many of all but the excluded ones the baseline accepts.
    pub accepted: usize,
    /// How many of all fail the build.
    pub failing: usize,
}

impl Report {
    /// What `policy` shows of `verdict`.
    pub fn new(mut verdict: Verdict, policy: Policy, sources: Sources) -> Report {
        let mut stale = Vec::new();
        if let Some(baseline) = &policy.baseline {
            stale = baseline.stale(&verdict);
            verdict.limits.extend(stale.iter().map(|entry| {
                format!(
                    "the baseline accepts {} {}, which this run did not show: {}",
                    entry.code, entry.fingerprint, entry.message
                )
            }));
        }
        let hidden = policy.apply(&mut verdict);
        Report {
            verdict,
            policy,
            hidden,
            stale,
            program: None,
            logs: 1,
            sources,
        }
    }

    /// Whether any finding fails the build.
    pub fn fails(&self) -> bool {
        self.verdict
            .findings
            .iter()
            .any(|finding| self.policy.fails(finding))
    }

    /// How many findings there are of each kind.
    pub fn count(&self) -> Count {
        let mut count = Count::default();
        for finding in &self.verdict.findings {
            if finding.certainty == Certainty::Excluded {
                count.excluded += 1;
            } else if finding.in_dependencies && !self.policy.deps {
                count.dependencies += 1;
            } else {
                match finding.level {
                    Level::Error => count.errors += 1,
                    Level::Warning => count.warnings += 1,
                    Level::Note => count.notes += 1,
                }
            }
            let is_accepted =
                finding.certainty != Certainty::Excluded && self.policy.is_accepted(finding);
            count.accepted += usize::from(is_accepted);
            count.failing += usize::from(self.policy.fails(finding));
        }
        count
    }
}

/// How much a text report says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Everything.
    Full,
    /// Only findings that fail the build, and nothing at all if all is well.
    Quiet,
}

/// Writes `report` in `format`. Text carries colour: the writer strips it where it is not wanted.
///
/// # Errors
///
/// Whatever `out` returns.
pub fn write(
    report: &Report,
    format: Format,
    detail: Detail,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Text => text::write(report, detail, out),
        Format::Json => json::write(report, out),
    }
}

/// Writes the findings as cargo writes the compiler's messages; `targets` are cargo's own messages on
/// what was built.
///
/// # Errors
///
/// Whatever `out` returns.
pub fn write_messages(
    report: &Report,
    targets: &[serde_json::Value],
    out: &mut dyn Write,
) -> io::Result<()> {
    messages::write(report, targets, out)
}

/// Writes only the last lines of the text report: the program's verdict and ours.
///
/// # Errors
///
/// Whatever `out` returns.
pub fn write_verdicts(report: &Report, detail: Detail, out: &mut dyn Write) -> io::Result<()> {
    verdicts::write(report, detail, out)
}

#[cfg(test)]
mod tests;
