//! LW0005 and whatever else the runtime itself reported into the log.

use super::case::{Case, RunCase};
use super::draft::{Draft, lock_use, place, side};
use crate::finding::{Certainty, Code, Side, Wants};
use crate::trace::Reported;

pub(super) fn judge(case: &Case<'_>, drafts: &mut Vec<Draft>) {
    for run in &case.runs {
        let reported = run.run.reported.iter();
        drafts.extend(reported.map(|reported| draft(case, run, reported)));
    }
}

fn draft(case: &Case<'_>, run: &RunCase<'_>, reported: &Reported) -> Draft {
    let code = Code::from_text(&reported.code).unwrap_or(Code::OrderViolation);
    let lock = |held| lock_use(case.evidence, run, held, None);
    let want = lock(&reported.want);
    let thread = &run.run.threads[reported.thread.at()].label;
    let message = match &reported.holds {
        Some(held) => format!(
            "{thread} asks for {} while holding {}: {}",
            want.lock,
            lock(held).lock,
            reported.message
        ),
        None => format!("{thread} asks for {}: {}", want.lock, reported.message),
    };
    let mut draft = Draft::new(code, Certainty::Actual, message);
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
    draft
        .reasons
        .push("the program itself noticed it while it ran".to_owned());
    if code == Code::OrderViolation {
        draft.advice.push(
            "take the locks in ascending order; one `acquire!` for all of them does that"
                .to_owned(),
        );
    }
    draft
}
