//! LW0001, LW0005, LW0009 and what else only the runtime can know, because it stopped it or recorded no more of it.
//!
//! Of what the runtime reported, a lock-order cycle is judged here anew from the same events. A
//! self-deadlock that ended in a panic leaves no other trace than the report. A recursive read is in
//! the events, and at level `order` only in the report; so is a deadlock, of which the report has the
//! side that closed the circle.

use super::case::{Case, RunCase};
use super::draft::{Draft, lock_use, place, side};
use crate::finding::{Basis, Certainty, Code, Side, Wants};
use crate::trace::Reported;

pub(super) fn judge(case: &Case<'_>, drafts: &mut Vec<Draft>) {
    for run in &case.runs {
        for reported in &run.run.reported {
            let certainty = match reported.code.as_str() {
                "LW0001" | "LW0005" => Certainty::Actual,
                "LW0002" => Certainty::Certain,
                "LW0004" if !run.has_acquisitions() => Certainty::Possible,
                "LW0009" => Certainty::Possible,
                _ => continue,
            };
            let mut draft = draft(case, run, reported, certainty);
            draft.basis = (reported.code == "LW0004").then_some(Basis::SameInstances);
            let known = drafts.iter().any(|known| {
                known.code == draft.code
                    && known
                        .cycle
                        .iter()
                        .any(|side| side.wants == draft.cycle[0].wants)
            });
            if !known {
                drafts.push(draft);
            }
        }
    }
}

fn draft(case: &Case<'_>, run: &RunCase<'_>, reported: &Reported, certainty: Certainty) -> Draft {
    let code = Code::from_text(&reported.code).unwrap_or(Code::OrderViolation);
    let lock = |held| lock_use(case.evidence, run, held, None);
    let want = lock(&reported.want);
    let thread = &run.run.threads[reported.thread.at()].label;
    let message = match &reported.holds {
        _ if code == Code::Stall => reported.message.clone(),
        Some(held) => format!(
            "{thread} asks for {} while holding {}: {}",
            want.lock,
            lock(held).lock,
            reported.message
        ),
        None => format!("{thread} asks for {}: {}", want.lock, reported.message),
    };
    let mut draft = Draft::new(code, certainty, message);
    draft.salt = match &reported.holds {
        Some(held) => format!(
            "{} {}",
            place(case.evidence, held.site),
            place(case.evidence, reported.want.site)
        ),
        None => place(case.evidence, reported.want.site),
    };
    draft.cycle = vec![Side {
        holds: reported.holds.as_ref().map(lock),
        wants: Some(Wants::Lock(want)),
        ..side(case, run, reported.thread)
    }];
    draft.others = code == Code::Deadlock;
    draft.locks = match code {
        Code::SelfDeadlock | Code::RecursiveRead => Some((run.id, vec![reported.want.lock])),
        _ => draft.locks,
    };
    draft
        .reasons
        .push("the program itself noticed it while it ran".to_owned());
    let advice = match code {
        Code::Deadlock if reported.holds.is_some() => "take these locks in one order everywhere",
        Code::Deadlock | Code::Stall => {
            "look for who should have ended this wait, and what that one waits for"
        }
        Code::OrderViolation => {
            "take the locks in ascending order; one `acquire!` for all of them does that"
        }
        _ => return draft,
    };
    draft.advice.push(advice.to_owned());
    draft
}
