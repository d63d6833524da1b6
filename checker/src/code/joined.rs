//! What was read from the code beside what was seen while the program ran.
//!
//! Both name the very calls, so an order of two locks is the same if the lines of both acquisitions
//! are. What a run saw never takes a finding of the code away; it ranks it.

use std::collections::HashSet;

use crate::finding::{Certainty, Finding, Level, Side, Source, Wants};
use crate::history;
use crate::trace::{Evidence, SiteId};

/// A line: file and number.
type Line = (String, u32);

/// The orders that were seen: where a lock was held, and where another was wanted under it.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    orders: HashSet<(Line, Line)>,
}

impl Seen {
    /// The orders in some logs.
    pub fn of(evidence: &Evidence) -> Seen {
        let line = |site: SiteId| {
            let site = &evidence.sites[site.at()];
            (site.file.clone(), site.line)
        };
        let mut orders = HashSet::new();
        for history in history::histories(evidence) {
            for dependency in &history.dependencies {
                let wanted = line(dependency.want.site);
                for (_, link) in history.chain(dependency.chain) {
                    orders.insert((line(link.held.site), wanted.clone()));
                }
            }
        }
        Seen { orders }
    }

    /// Whether an order of these two sites was seen.
    pub fn has(&self, held: &str, wanted: &str) -> bool {
        match (line_of(held), line_of(wanted)) {
            (Some(held), Some(wanted)) => self.orders.contains(&(held, wanted)),
            _ => false,
        }
    }

    /// Says of a finding which of its sides were seen.
    pub fn mark(&self, finding: &mut Finding) {
        let seen: Vec<bool> = finding
            .cycle
            .iter()
            .map(|side| self.has_side(side))
            .collect();
        let count = seen.iter().filter(|seen| **seen).count();
        if count == 0 {
            return;
        }
        finding.evidence = vec![Source::Run, Source::Code];
        if count == seen.len() {
            finding
                .reasons
                .push("both: each side was seen while the program ran, too".to_owned());
            finding.level = finding.level.max(Level::Warning);
        } else {
            for (side, seen) in finding.cycle.iter().zip(seen) {
                let how = if seen {
                    "seen while the program ran"
                } else {
                    "possible by the code, and not seen"
                };
                finding.reasons.push(format!("`{}`: {how}", side.thread));
            }
        }
    }

    fn has_side(&self, side: &Side) -> bool {
        match (&side.holds, &side.wants) {
            (Some(held), Some(Wants::Lock(want))) => self.has(&held.site, &want.site),
            _ => false,
        }
    }
}

/// `src/a.rs:3:5` as file and line.
fn line_of(site: &str) -> Option<Line> {
    let (rest, _) = site.rsplit_once(':')?;
    let (file, line) = rest.rsplit_once(':')?;
    Some((file.to_owned(), line.parse().ok()?))
}

/// Puts the findings of a run beside those of the code. What both found is told once, with what the
/// run knows of it; what could not happen in the run stays what it is by the code.
pub fn merge(code: &mut Vec<Finding>, run: Vec<Finding>) {
    let key = |finding: &Finding| {
        let mut lines: Vec<(Option<Line>, Option<Line>)> = finding
            .cycle
            .iter()
            .map(|side| {
                let held = side.holds.as_ref().and_then(|held| line_of(&held.site));
                let wanted = match &side.wants {
                    Some(Wants::Lock(want)) => line_of(&want.site),
                    Some(Wants::Resource(want)) => line_of(&want.site),
                    None => None,
                };
                (held, wanted)
            })
            .collect();
        lines.sort();
        (finding.code, lines)
    };
    for mut finding in run {
        let same = key(&finding);
        if finding.certainty == Certainty::Excluded {
            // That holds for what ran, and the code may run otherwise.
            let mut told = code
                .iter_mut()
                .filter(|other| key(other) == same)
                .peekable();
            if told.peek().is_some() {
                for other in told {
                    let reasons = finding.reasons.iter();
                    other
                        .reasons
                        .extend(reasons.map(|reason| format!("not in this run: {reason}")));
                }
                continue;
            }
        }
        let before = code.len();
        code.retain(|other| key(other) != same);
        if code.len() < before {
            finding.evidence = vec![Source::Run, Source::Code];
        }
        code.push(finding);
    }
}
