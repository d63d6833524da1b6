//! What earlier rules found of a thread that asks for what it holds, where the guard may be sent.
//!
//! A guard that may be sent to another thread (`send_guard` of `parking_lot`, raw locks whose marker
//! is `GuardSend`) may have left the thread that took the lock: then the thread waits for another,
//! which releases it. The log says which locks have such guards, not where a guard is. So a
//! self-deadlock over one, or a recursive read, is never more than possible.

use super::case::Case;
use super::draft::Draft;
use crate::finding::{Basis, Certainty, Code};

pub(super) fn judge(case: &Case<'_>, drafts: &mut Vec<Draft>) {
    for draft in drafts {
        let itself = matches!(draft.code, Code::SelfDeadlock | Code::RecursiveRead);
        let Some((run, [lock])) = draft.locks.as_ref().map(|(run, locks)| (run, &locks[..])) else {
            continue;
        };
        if !itself || !case.run(*run).run.locks[lock.at()].sendable {
            continue;
        }
        if draft.certainty > Certainty::Possible {
            draft.certainty = Certainty::Possible;
            draft.basis = Some(Basis::SameInstances);
            draft.witness.clear();
            draft.witness_after = None;
            draft.reasons.clear();
        }
        draft.reasons.push(
            "guards of this lock may be sent to another thread, which then releases it".to_owned(),
        );
    }
}
