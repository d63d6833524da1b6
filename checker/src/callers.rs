//! Who called, for sides of findings whose request the program itself has kept the stack of.
//!
//! A project that takes all its locks in a function of its own has one place for all of them: what tells its sides
//! apart is who called that. A log has the stacks of few requests, those of what the program found while it ran, as
//! addresses; their names stand in the files that the process was made of, so these are looked into only where there
//! is something to report. A file that is gone, is another by now, or has no names for its addresses gives none. A
//! stack with no more than the place itself says nothing new, and is left out.
//!
//! What it cannot see: who called where the program did not find the cycle itself (its sides ran in different
//! processes, or it closes between classes only), and what was called last in a function that ended with a call.

mod files;

use std::path::Path;

use self::files::{Files, Frame};
use crate::finding::{Finding, Side, Wants};
use crate::trace::{Asked, Evidence, LockId, Run, Site, Stack};

/// How std calls the function in which a thread begins to run what it was started for, in all versions.
const OUTER_END: &str = "__rust_begin_short_backtrace";

/// Gives each side the stack of its request, if there is one; files below `root` are named from there.
pub fn tell(evidence: &Evidence, findings: &mut [Finding], root: &Path) {
    if evidence.runs.iter().all(|run| run.stacks.is_empty()) {
        return;
    }
    let mut files = Files::default();
    for side in findings.iter_mut().flat_map(|finding| &mut finding.cycle) {
        if let Some((thread, stack)) = stack_of(evidence, side) {
            let site = &evidence.sites[stack.wants.site().at()];
            let frames = callers(files.frames(&stack.by_files), site);
            if frames.len() > 1 {
                side.stack = frames.iter().map(|frame| line(frame, root)).collect();
                side.stack_of = Some(thread.to_owned()).filter(|other| *other != side.thread);
            }
        }
    }
}

/// The stack of the request that a side is about, of the same lock, at the same place, while the same was held, and the
/// thread that made it: this one if possible. A program keeps the stack of who asked first, and another thread, which
/// did the same later, may be the one that a schedule needs.
fn stack_of<'e>(evidence: &'e Evidence, side: &Side) -> Option<(&'e str, &'e Stack)> {
    let (wanted, place) = match &side.wants {
        Some(Wants::Lock(want)) => (&want.lock, &want.site),
        Some(Wants::Resource(want)) => (&want.name, &want.site),
        None => return None,
    };
    let mut runs = evidence.runs.iter();
    let run = match &side.run {
        None => runs.next(),
        Some(label) => runs.find(|run| run.label == *label),
    }?;
    let holds = side.holds.as_ref().map(|holds| holds.lock.as_str());
    let is_like = |stack: &&Stack| {
        asked_for(run, stack.wants) == wanted
            && stack.held.map(|held| name(run, held)) == holds
            && evidence.sites[stack.wants.site().at()].to_string() == *place
    };
    let thread = |stack: &Stack| run.threads[stack.thread.at()].label.as_str();
    let mut like = run.stacks.iter().filter(is_like);
    let own = like.clone().find(|stack| thread(stack) == side.thread);
    own.or_else(|| like.next())
        .map(|stack| (thread(stack), stack))
}

fn name(run: &Run, lock: LockId) -> &str {
    &run.locks[lock.at()].label
}

/// The name of what was asked for, as sides have it.
fn asked_for(run: &Run, wants: Asked) -> &str {
    match wants {
        Asked::Lock(held) => name(run, held.lock),
        Asked::Resource(resource, _) => &run.resources[resource.at()].label,
        Asked::End(thread, _) => &run.threads[thread.at()].label,
    }
}

/// Of a stack, innermost first, what the program itself has from this place on, up to where its thread was started.
/// Where no function of the program has a file, it is all of them but those of libraries that take locks.
fn callers(mut frames: Vec<Frame>, site: &Site) -> Vec<Frame> {
    let ends = |frame: &Frame| frame.function.contains(OUTER_END);
    let end = frames.iter().position(ends).unwrap_or(frames.len());
    frames.truncate(end);
    if frames
        .iter()
        .all(|frame| frame.file.is_empty() || is_between(&frame.file))
    {
        frames.retain(|frame| frame.file.is_empty() && !is_of_a_library(&frame.function));
        return frames;
    }
    let is_there = |frame: &Frame| is_file(&frame.file, &site.file);
    // Of a call that is written over several lines, the place is where the method's name stands, and that of the
    // frame where the expression begins.
    let start = frames
        .iter()
        .position(|frame| is_there(frame) && frame.line == site.line)
        .or_else(|| frames.iter().position(is_there));
    let Some(start) = start else {
        return Vec::new();
    };
    frames.drain(..start);
    frames.retain(|frame| {
        let is_a_helper = frame.file.is_empty() && is_of_a_library(&frame.function);
        // Its files may be those of a checkout.
        let is_ours = crate_of(&frame.function) == "lockwise";
        !is_a_helper && !is_ours && !is_between(&frame.file)
    });
    frames
}

/// Whether both are the same file, of which the compiler was told one by a shorter path.
fn is_file(whole: &str, part: &str) -> bool {
    let before = whole.strip_suffix(part);
    before.is_some_and(|before| before.is_empty() || before.ends_with('/') || part.starts_with('/'))
}

/// Whether a file is one of std's, of what stands in for it, or of a library of locks from a registry: each is in
/// programs by the path that it had when it was built.
fn is_between(file: &str) -> bool {
    let roots = [
        "/rustc/",
        "/rust/deps/",
        "/lockwise/overlays/",
        "/lockwise/src/",
    ];
    let from_registry = file.split_once("/registry/src/");
    let package = from_registry.and_then(|(_, path)| path.split('/').nth(1));
    roots.iter().any(|root| file.starts_with(root))
        || file.contains("/lib/rustlib/src/rust/library/")
        || package.is_some_and(|package| {
            let is = |name: &&str| {
                package
                    .strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with('-'))
            };
            OF_LOCKS.iter().any(is)
        })
}

/// Libraries of locks: no function of theirs is the caller that is looked for.
const OF_LOCKS: [&str; 4] = ["lockwise", "lock_api", "parking_lot", "once_cell"];

/// Whether a function, by its path, is one of std's, of what stands in for it, or of a library of locks.
fn is_of_a_library(function: &str) -> bool {
    const OF_STD: [&str; 5] = ["std", "core", "alloc", "test", "lockwise_core"];
    let of = crate_of(function);
    !function.contains("::") || OF_STD.contains(&of) || OF_LOCKS.contains(&of)
}

/// The first part of a function's path.
fn crate_of(function: &str) -> &str {
    let path = function.trim_start_matches('<');
    let path = path.strip_prefix("dyn ").unwrap_or(path);
    path.split("::").next().unwrap_or(path)
}

fn line(frame: &Frame, root: &Path) -> String {
    if frame.file.is_empty() {
        return frame.function.clone();
    }
    let file = Path::new(&frame.file);
    let file = file.strip_prefix(root).unwrap_or(file).display();
    format!("{} at {file}:{}", frame.function, frame.line)
}

#[cfg(test)]
mod tests;
