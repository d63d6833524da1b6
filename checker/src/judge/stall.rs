//! LW0009: a thread that can be left asleep with nobody to wake it.
//!
//! The searches find these on their way: an order of the events in which the wake-up comes before
//! the wait and is lost. In a recorded program the data that the wait tests is not seen, and a wait
//! is not moved behind the wake-up that ended it: there, only other losses are found.

use super::case::{Case, RunCase};
use super::draft::{Draft, resource_use, show, side};
use super::explore::Stuck;
use crate::finding::{Basis, Certainty, Code, Side, Wants};

pub(super) fn judge(case: &Case<'_>, drafts: &mut Vec<Draft>) {
    for run in case.runs.iter().filter(|run| run.has_waits()) {
        let stalls = run.found().into_iter().flat_map(|found| &found.stalls);
        drafts.extend(stalls.filter_map(|stall| draft(case, run, stall)));
    }
}

fn draft(case: &Case<'_>, run: &RunCase<'_>, stall: &Stuck) -> Option<Draft> {
    let &(thread, event) = stall.sides.first()?;
    let waits = resource_use(case, run, event)?;
    let label = &run.run.threads[thread.at()].label;
    let on_condition = waits.resource == "condvar";
    let message = match waits.resource.as_str() {
        "condvar" => format!(
            "{label} can be left asleep on {}: the wake-up can come before the wait",
            waits.name
        ),
        // In a recorded program a thread may wait for good, until the process ends.
        _ if !run.run.complete => return None,
        "barrier" => format!(
            "{label} can be left at barrier {}: too few get there",
            waits.name
        ),
        kind => format!(
            "{label} can be left waiting for {kind} {}: nobody comes to post",
            waits.name
        ),
    };
    let mut draft = Draft::new(Code::Stall, Certainty::Possible, message);
    draft.basis = Some(Basis::SameInstances);
    draft.cycle = vec![Side {
        wants: Some(Wants::Resource(waits)),
        ..side(case, run, thread)
    }];
    show(&mut draft, run, &stall.schedule);
    draft.reasons.push(
        "after the schedule the thread sleeps, and no thread that can still run will wake it"
            .to_owned(),
    );
    if on_condition {
        draft.advice.push(
            "test the condition under the lock before each wait, and change it under the lock"
                .to_owned(),
        );
    }
    Some(draft)
}
