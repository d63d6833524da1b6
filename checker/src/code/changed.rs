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
    for line in diff.lines() {
        if let Some(name) = line.strip_prefix("+++ ") {
            file = name.strip_prefix("b/").map(str::to_owned);
        } else if let (Some(rest), Some(file)) = (line.strip_prefix("@@ "), &file) {
            // `@@ -3,2 +3,4 @@`
            let Some(new) = rest.split(' ').find_map(|part| part.strip_prefix('+')) else {
                continue;
            };
            let (first, count) = new.split_once(',').unwrap_or((new, "1"));
            if let (Ok(first), Ok(count)) = (first.parse::<u32>(), count.parse::<u32>()) {
                // Where lines went, both neighbours may mean something else now.
                let last = first.saturating_add(count.max(1)) - 1;
                changes
                    .entry(file.clone())
                    .or_default()
                    .push((first, last.max(first)));
            }
        }
    }
    changes
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
        match (file.and_then(|file| lines.get(file)), line) {
            (Some(ranges), Some(line)) => ranges
                .iter()
                .any(|(first, last)| (*first..=*last).contains(&line)),
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests;
