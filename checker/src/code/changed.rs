//! Which findings a change has to do with: `check --diff`.
//!
//! A function has changed if one of its lines has. A finding depends on it if some place that it names
//! lies in it: where a lock is held or wanted, or a call on the way from one to the other.

use std::collections::HashMap;

use super::allow::sites;
use super::ir::Body;
use super::names::Names;
use crate::finding::Finding;

/// Changed lines by file, as first and last.
pub type Changes = HashMap<String, Vec<(u32, u32)>>;

/// Reads what `git diff --unified=0` says.
pub fn read(diff: &str) -> Changes {
    let mut changes = Changes::new();
    let mut file: Option<String> = None;
    // Lines of a hunk that are still to come: they are the user's, whatever they look like.
    let mut inside: u32 = 0;
    for line in diff.lines() {
        if inside > 0 && line.starts_with(['+', '-']) {
            inside -= 1;
        } else if let Some(name) = line.strip_prefix("+++ ") {
            file = name_of(name);
        } else if let (Some(rest), Some(file)) = (line.strip_prefix("@@ "), &file) {
            // `@@ -3,2 +3,4 @@`
            let mut parts = rest.split(' ');
            let (Some((_, gone)), Some((first, count))) =
                (range(&mut parts, '-'), range(&mut parts, '+'))
            else {
                continue;
            };
            inside = gone.saturating_add(count);
            // Where lines went, both neighbours may mean something else now.
            let last = first.saturating_add(count.max(1)) - 1;
            changes
                .entry(file.clone())
                .or_default()
                .push((first, last.max(first)));
        }
    }
    changes
}

/// Adds files of which every line is new.
pub fn add_new<'f>(changes: &mut Changes, files: impl Iterator<Item = &'f str>) {
    for file in files {
        changes.insert(file.to_owned(), vec![(1, u32::MAX)]);
    }
}

/// The first line and the number of lines that a hunk's head tells of one side.
fn range<'l>(parts: &mut impl Iterator<Item = &'l str>, sign: char) -> Option<(u32, u32)> {
    let range = parts.next()?.strip_prefix(sign)?;
    let (first, count) = range.split_once(',').unwrap_or((range, "1"));
    Some((first.parse().ok()?, count.parse().ok()?))
}

/// The file that a line `+++ …` names; none if the file is gone. Git puts a tab behind names with
/// spaces, and quotes names with quotes, backslashes and control characters.
fn name_of(text: &str) -> Option<String> {
    let text = text.strip_suffix('\t').unwrap_or(text);
    let Some(quoted) = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
    else {
        return text.strip_prefix("b/").map(str::to_owned);
    };
    let mut name = String::new();
    let mut letters = quoted.chars();
    while let Some(letter) = letters.next() {
        name.push(match letter {
            '\\' => match letters.next()? {
                't' => '\t',
                'n' => '\n',
                other => other,
            },
            other => other,
        });
    }
    name.strip_prefix("b/").map(str::to_owned)
}

/// The lines of all functions that have changed.
pub(crate) fn functions(bodies: &[Body], names: &Names, changes: &Changes) -> Changes {
    let mut found = changes.clone();
    for body in bodies {
        let file = names.text(body.site.file);
        let Some(lines_changed) = changes.get(&*file) else {
            continue;
        };
        let sites = body.blocks.iter().map(|block| block.site);
        let lines = sites
            .filter(|site| site.file == body.site.file && site.line > 0)
            .map(|site| site.line);
        let last = lines.max().unwrap_or(body.site.line).max(body.site.line);
        let own = (body.site.line, last);
        if lines_changed
            .iter()
            .any(|(first, last)| *first <= own.1 && own.0 <= *last)
        {
            found.entry(file.to_string()).or_default().push(own);
        }
    }
    found
}

/// Whether a finding names a line of these.
pub(crate) fn concerns(finding: &Finding, lines: &Changes) -> bool {
    sites(finding).any(|site| {
        let mut parts = site.rsplitn(3, ':');
        let (_, line, file) = (parts.next(), parts.next(), parts.next());
        let line: Option<u32> = line.and_then(|line| line.parse().ok());
        file.zip(line)
            .is_some_and(|(file, line)| has(lines, file, line))
    })
}

/// Whether a line is one of these.
pub(crate) fn has(lines: &Changes, file: &str, line: u32) -> bool {
    let mut ranges = lines.get(file).into_iter().flatten();
    ranges.any(|(first, last)| (*first..=*last).contains(&line))
}

#[cfg(test)]
mod tests;
