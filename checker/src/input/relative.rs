//! Paths as a user of the project sees them.

use std::path::Path;

use crate::trace::Evidence;

/// Cuts `root` off all paths in classes, sites and labels that lie below it.
///
/// To be called before judging: what a fingerprint is made of must not depend on where a project
/// was checked out.
pub fn relative_to(evidence: &mut Evidence, root: &Path) {
    let Some(root) = root.to_str().filter(|root| root.len() > 1) else {
        return;
    };
    let cut = |text: &mut String| {
        let rest = text.strip_prefix(root);
        if let Some(rest) = rest.and_then(|rest| rest.strip_prefix(['/', '\\'])) {
            *text = rest.to_owned();
        }
    };
    for class in &mut evidence.classes {
        cut(&mut class.label);
    }
    for site in &mut evidence.sites {
        cut(&mut site.file);
    }
    for run in &mut evidence.runs {
        for lock in &mut run.locks {
            cut(&mut lock.label);
        }
        for resource in &mut run.resources {
            cut(&mut resource.label);
        }
    }
}

#[cfg(test)]
mod tests;
