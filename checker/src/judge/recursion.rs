//! LW0002 and LW0004: a thread asks for a lock that it holds.
//!
//! Where its hold excludes the request, it waits for itself (LW0002). Where it reads what it reads
//! already, it waits only if a writer has queued in between (LW0004): that is always possible with a
//! lock whose readers wait behind waiting writers, whether or not a writer was seen. A recursive
//! read (`read_recursive`) waits for no queue, and is no finding.

use std::collections::BTreeSet;

use super::case::{Case, Outcome, Search};
use super::draft::{Draft, lock_use, place, show, side};
use super::order_cycle::unproved;
use super::standing::standing;
use crate::finding::{Basis, Certainty, Code, Side, Wants};
use crate::history::Recursion;
use crate::trace::{ClassId, LockId, RunId};

pub(super) fn judge(case: &Case<'_>, drafts: &mut Vec<Draft>) {
    let written = written_classes(case);
    let actual: BTreeSet<(RunId, LockId)> = drafts
        .iter()
        .filter_map(|draft| draft.locks.as_ref())
        .filter(|(_, locks)| locks.len() == 1)
        .map(|(id, locks)| (*id, locks[0]))
        .collect();
    let mut patterns = Vec::new();
    for run in &case.runs {
        let recursions = run.history.recursions.iter();
        let untold = recursions.filter(|known| !actual.contains(&(run.id, known.held.lock)));
        patterns.extend(untold.map(|recursion| (run.id, recursion)));
    }
    drafts.extend(case.each(&patterns, |search, recursion| {
        draft(case, search, recursion, &written)
    }));
}

/// The classes of which some lock is taken exclusively by some thread.
fn written_classes(case: &Case<'_>) -> BTreeSet<ClassId> {
    let runs = case.runs.iter();
    runs.flat_map(|run| {
        let written = run.history.writers.keys();
        written.map(|lock| run.run.locks[lock.at()].class)
    })
    .collect()
}

fn draft(
    case: &Case<'_>,
    search: &mut Search<'_, '_>,
    recursion: &Recursion,
    written: &BTreeSet<ClassId>,
) -> Draft {
    let run = search.case;
    let dependency = &run.history.dependencies[recursion.dependency as usize];
    let (held, want) = (recursion.held, dependency.want);
    let excluded = held.mode.excludes(want.mode);
    let code = if excluded {
        Code::SelfDeadlock
    } else {
        Code::RecursiveRead
    };
    let outcome = search.prove_recursion(want.lock, recursion.dependency, excluded);
    let lock = lock_use(case.evidence, run, &want, Some(dependency.class));
    let message = if excluded {
        format!(
            "{} asks for {} ({}), which it holds itself ({})",
            run.run.threads[dependency.thread.at()].label,
            lock.lock,
            want.mode.name(),
            held.mode.name()
        )
    } else {
        format!(
            "{} reads {} again while it reads it: a writer that waits between the two blocks both",
            run.run.threads[dependency.thread.at()].label,
            lock.lock
        )
    };
    let mut draft = Draft::new(code, Certainty::Possible, message);
    draft.salt = format!(
        "{} {}",
        place(case.evidence, held.site),
        place(case.evidence, want.site)
    );
    draft.cycle = vec![Side {
        holds: Some(lock_use(case.evidence, run, &held, None)),
        wants: Some(Wants::Lock(lock)),
        also_held: super::draft::also_held(case.evidence, run, dependency.chain, Some(held.lock)),
        ..side(case, run, dependency.thread)
    }];
    let advice = if excluded {
        "release the first guard before, or pass it on instead of locking again"
    } else {
        "pass the first guard on instead of reading again, or use a recursive read \
         (`read_recursive`) for the second"
    };
    draft.advice.push(advice.to_owned());
    draft.locks = Some((run.id, vec![held.lock]));
    let standing = match &outcome {
        Outcome::Proved(proof) => standing(run, &proof.schedule, &proof.sides).map(Some),
        _ => Ok(None),
    };
    if let (Outcome::Proved(proof), Ok(Some(schedule))) = (&outcome, &standing) {
        draft.certainty = Certainty::Certain;
        show(&mut draft, run, schedule);
        draft.reasons.push(if excluded {
            "the schedule leads to the request, which then waits for its own thread".to_owned()
        } else {
            let writer = proof.sides.iter().find(|(t, _)| *t != dependency.thread);
            let writer = writer.map_or("a writer", |(t, _)| &run.run.threads[t.at()].label);
            format!("after the schedule, {writer} can ask to write before the second read")
        });
        return draft;
    }
    let writes = run.writes_besides(want.lock, [dependency.thread; 2]);
    if excluded || writes {
        draft.basis = Some(Basis::SameInstances);
        draft.reasons.extend(unproved(run, Some(&outcome)));
        draft.reasons.extend(standing.err());
    } else if written.contains(&run.run.locks[want.lock.at()].class) {
        draft.basis = Some(Basis::Class);
        draft.reasons.push(
            "no other thread was seen to write here, but locks of this class are written"
                .to_owned(),
        );
    } else {
        draft.basis = Some(Basis::OneThread);
        draft.reasons.push(
            "no other thread was seen to write here; once one does, both can hang".to_owned(),
        );
    }
    draft
}
