//! The report for people.
//!
//! Each finding opens with the story, one line a side, as Driver Verifier's `!deadlock` does; then
//! come the sides with their source as rustc shows it, how sure it is and why, what to change, and
//! where to read more. Notes on what was skipped follow, and the summary stands last, where the eye
//! rests when a terminal has scrolled.

use std::io::{self, Write};

use annotate_snippets::{Group, Level as Shown, Renderer};

use super::printable::{cleaned, printable};
use super::{Detail, Report, side, story, verdicts};
use crate::finding::{Certainty, Finding, Level};

/// Writes the whole report.
pub(super) fn write(report: &Report, detail: Detail, out: &mut dyn Write) -> io::Result<()> {
    let shows = |finding: &&Finding| detail == Detail::Full || report.policy.fails(finding);
    let apart = |finding: &Finding| finding.in_dependencies && !report.policy.deps;
    for finding in report.verdict.findings.iter().filter(shows) {
        if !apart(finding) {
            let clean = cleaned(finding);
            writeln!(out, "{}\n", render(&clean, report))?;
        }
    }
    if detail == Detail::Quiet {
        return verdicts::write(report, detail, out);
    }
    let dependencies: Vec<&Finding> = report
        .verdict
        .findings
        .iter()
        .filter(|finding| apart(finding))
        .collect();
    if !dependencies.is_empty() {
        writeln!(out, "{}\n", render_apart(&dependencies))?;
    }
    for limit in &report.verdict.limits {
        let title = Shown::NOTE.primary_title(printable(limit).into_owned());
        let note = Renderer::styled().render(&[Group::with_title(title)]);
        writeln!(out, "{note}")?;
    }
    if !report.verdict.limits.is_empty() {
        writeln!(out)?;
    }
    verdicts::write(report, detail, out)
}

/// One finding, made printable, without a final line feed.
pub(super) fn render_one(finding: &Finding, report: &Report) -> String {
    render(&cleaned(finding), report)
}

/// One finding, without a final line feed.
fn render(finding: &Finding, report: &Report) -> String {
    let title = level(finding)
        .primary_title(finding.message.clone())
        .id(finding.code.text());
    let story = Shown::NOTE
        .no_name()
        .message(story::opening(finding).join("\n"));
    let mut groups = vec![Group::with_title(title).element(story)];
    // One copy of each file for all sides, since groups borrow from it.
    let files = side::files(finding, &report.sources);
    for at in 0..finding.cycle.len() {
        groups.push(side::group(finding, at, &files));
    }
    let mut certainty = certainty_group(finding);
    if report.policy.is_accepted(finding) {
        certainty = certainty.element(Shown::NOTE.message("accepted: the baseline lists it"));
    }
    groups.push(certainty);
    groups.push(advice_group(finding));
    Renderer::styled().render(&groups)
}

/// How the finding is announced.
fn level(finding: &Finding) -> Shown<'static> {
    match (finding.certainty, finding.level) {
        (Certainty::Excluded, _) => Shown::NOTE.with_name("excluded"),
        (_, Level::Error) => Shown::ERROR,
        (_, Level::Warning) => Shown::WARNING,
        (_, Level::Note) => Shown::NOTE,
    }
}

/// How sure it is, the schedule, and why it is not surer or why it is excluded.
fn certainty_group(finding: &Finding) -> Group<'static> {
    let (word, meaning) = story::certainty(finding);
    let title = Shown::NOTE.with_name(word).secondary_title(meaning);
    let mut group = Group::with_title(title);
    if let Some(schedule) = story::schedule(finding) {
        group = group.element(Shown::NOTE.no_name().message(schedule));
    }
    for reason in &finding.reasons {
        group = group.element(Shown::NOTE.message(reason.clone()));
    }
    group
}

/// What to change, and where to read more.
fn advice_group(finding: &Finding) -> Group<'static> {
    let code = finding.code.text();
    let more = format!(
        "`cargo lockwise explain {code}` tells more; fingerprint {}",
        finding.fingerprint
    );
    let mut advice = finding.advice.iter().cloned();
    let Some(first) = advice.next() else {
        return Group::with_title(Shown::HELP.secondary_title(more));
    };
    let mut group = Group::with_title(Shown::HELP.secondary_title(first));
    for text in advice {
        group = group.element(Shown::HELP.message(text));
    }
    group.element(Shown::NOTE.no_name().message(more))
}

/// The findings inside dependencies: their stories only.
fn render_apart(findings: &[&Finding]) -> String {
    let title = match findings.len() {
        1 => "1 finding lies wholly inside dependencies; `--deps` shows all of it".to_owned(),
        many => {
            format!("{many} findings lie wholly inside dependencies; `--deps` shows all of them")
        }
    };
    let mut group = Group::with_title(Shown::NOTE.primary_title(title));
    for finding in findings {
        let clean = cleaned(finding);
        let (word, _) = story::certainty(&clean);
        let mut text = format!("{} ({word}): {}", clean.code.text(), clean.message);
        for line in story::opening(&clean) {
            text.push_str("\n  ");
            text.push_str(&line);
        }
        group = group.element(Shown::NOTE.no_name().message(text));
    }
    Renderer::styled().render(&[group])
}
