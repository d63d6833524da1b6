//! LW0008: locks used wrongly, as the replay noticed it.

use super::case::{Case, RunCase};
use super::draft::{Draft, lock_use, place, side};
use crate::finding::{Certainty, Code, Side};
use crate::history::{Slip, SlipKind};
use crate::trace::Held;
use lockwise::watch::Mode;

pub(super) fn judge(case: &Case<'_>, drafts: &mut Vec<Draft>) {
    for run in &case.runs {
        let slips = run.history.slips.iter();
        drafts.extend(slips.map(|slip| draft(case, run, slip)));
    }
}

fn draft(case: &Case<'_>, run: &RunCase<'_>, slip: &Slip) -> Draft {
    let thread = &run.run.threads[slip.thread.at()].label;
    let lock = &run.run.locks[slip.lock.at()].label;
    let (what, advice) = words(slip.kind);
    let message = format!("{thread} {}", what.replace('?', lock));
    let mut draft = Draft::new(Code::LockMisuse, Certainty::Actual, message);
    draft.salt = format!("{what} {}", place(case.evidence, slip.site));
    let held = Held {
        lock: slip.lock,
        mode: Mode::Exclusive,
        site: slip.site,
    };
    draft.cycle = vec![Side {
        holds: Some(lock_use(case.evidence, run, &held, None)),
        ..side(case, run, slip.thread)
    }];
    draft.reasons.push("it was seen in this run".to_owned());
    draft.advice.push(advice.to_owned());
    draft
}

/// What the thread did to the lock `?`, and what to do instead.
fn words(kind: SlipKind) -> (&'static str, &'static str) {
    const PAIR: &str =
        "pair each release with one acquisition by the same thread: let a guard do it";
    const LIFE: &str = "end the life of a lock only after its last user, and begin it once";
    match kind {
        SlipKind::UnlockNotHeld => ("releases ?, which nobody holds", PAIR),
        SlipKind::UnlockNotOwner => ("releases ?, which another thread holds", PAIR),
        SlipKind::UnlockWrongMode => ("releases ? in another mode than it holds it in", PAIR),
        SlipKind::WaitUnlocked => (
            "waits on a condition with ?, which it does not hold",
            "take the lock before the wait, and test the condition under it",
        ),
        SlipKind::WaitNotOwner => (
            "waits on a condition with ?, which another thread holds",
            "take the lock before the wait, and test the condition under it",
        ),
        SlipKind::UseAfterDestroy => ("takes ? after its end", LIFE),
        SlipKind::DestroyHeld => ("destroys ? while it is held", LIFE),
        SlipKind::DoubleDestroy => ("destroys ? twice", LIFE),
        SlipKind::InitHeld => ("makes ? anew while it is held", LIFE),
        SlipKind::ReinitWithoutDestroy => ("makes ? anew without having destroyed it", LIFE),
        SlipKind::NestLockNotHeld => (
            "takes ? as ordered by a lock that it does not hold",
            "take the ordering lock first, or drop the mark",
        ),
        SlipKind::HeldAtExit => (
            "ended while holding ?",
            "release the lock before the thread ends: whoever asks for it next waits for ever",
        ),
    }
}
