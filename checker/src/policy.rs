//! What of a verdict is shown, and what of it fails the build.
//!
//! The table behind this is a contract with users: by default a build turns red only for what a
//! maintainer would fix, that is for findings of level error in the user's own code. Excluded
//! findings never fail, findings that lie wholly inside dependencies only on request.

use clap::ValueEnum;

use crate::baseline::Baseline;
use crate::finding::{Basis, Certainty, Finding, Level, Verdict};

/// Which findings fail the build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Only deadlocks that happened
    Actual,
    /// Errors: it happened, a schedule that leads there is known, or a declared order is broken
    Certain,
    /// Errors and warnings: also cycles that are neither proved nor excluded
    Possible,
    /// Errors, warnings and notes: everything but what is excluded
    Note,
    /// Errors, and possible cycles of the very same locks, that the baseline does not list
    New,
    /// Nothing
    Never,
}

impl FailOn {
    /// The name used on the command line and in messages.
    pub fn name(self) -> &'static str {
        match self {
            FailOn::Actual => "actual",
            FailOn::Certain => "certain",
            FailOn::Possible => "possible",
            FailOn::Note => "note",
            FailOn::New => "new",
            FailOn::Never => "never",
        }
    }
}

/// What the user asked for.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Which findings fail the build.
    pub fail_on: FailOn,
    /// Whether excluded findings are shown.
    pub show_excluded: bool,
    /// Whether findings wholly inside dependencies count like the user's own.
    pub deps: bool,
    /// Findings that were accepted earlier.
    pub baseline: Option<Baseline>,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            fail_on: FailOn::Certain,
            show_excluded: false,
            deps: false,
            baseline: None,
        }
    }
}

impl Policy {
    /// Whether this finding fails the build.
    pub fn fails(&self, finding: &Finding) -> bool {
        if finding.certainty == Certainty::Excluded || (finding.in_dependencies && !self.deps) {
            return false;
        }
        match self.fail_on {
            FailOn::Never => false,
            FailOn::Actual => {
                finding.certainty == Certainty::Actual && finding.level == Level::Error
            }
            FailOn::Certain => finding.level == Level::Error,
            FailOn::Possible => finding.level >= Level::Warning,
            FailOn::Note => true,
            FailOn::New => {
                let grave = finding.level == Level::Error
                    || (finding.level == Level::Warning
                        && finding.basis == Some(Basis::SameInstances));
                grave && !self.is_accepted(finding)
            }
        }
    }

    /// Whether the baseline lists this finding.
    pub fn is_accepted(&self, finding: &Finding) -> bool {
        self.baseline
            .as_ref()
            .is_some_and(|baseline| baseline.accepts(&finding.fingerprint))
    }

    /// Drops what is not to be shown and returns how many findings that were. With `deps`, findings
    /// inside dependencies get the level that they would have in the user's own code.
    pub fn apply(&self, verdict: &mut Verdict) -> usize {
        let before = verdict.findings.len();
        if !self.show_excluded {
            verdict
                .findings
                .retain(|finding| finding.certainty != Certainty::Excluded);
        }
        if self.deps {
            for finding in verdict.findings.iter_mut().filter(|f| f.in_dependencies) {
                finding.level = Finding::level_of(finding.code, finding.certainty, finding.basis);
            }
            verdict
                .findings
                .sort_by_key(|f| std::cmp::Reverse((f.level, f.certainty)));
        }
        before - verdict.findings.len()
    }
}

#[cfg(test)]
mod tests;
