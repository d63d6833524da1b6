//! LW0001, LW0005, LW0009 and what else only the runtime can know, because it stopped it or recorded no more of it.
//!
//! Of what the runtime reported, a lock-order cycle is judged here anew from the same events. A
//! self-deadlock that ended in a panic leaves no other trace than the report. A recursive read is in
//! the events, and at level `order` only in the report; so is a deadlock.
//!
//! Where all threads wait, many may do so who have no part in it, as the idle workers of a pool. Who holds
//! nothing, asks for no lock and is waited for by nobody is left out, if others are left; of several
//! who wait at one place for one thing there is one. So the finding is the same however many there are.

use super::case::{Case, RunCase};
use super::draft::{Draft, lock_use, place, resource, side};
use crate::finding::{Basis, Certainty, Code, LockUse, ResourceUse, Side, Wants};
use crate::trace::{Asked, Part, Reported, ThreadId};
use lockwise::watch::Mode;

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
                        .any(|side| draft.cycle.iter().any(|other| other.wants == side.wants))
            });
            if !known {
                drafts.push(draft);
            }
        }
    }
}

fn draft(case: &Case<'_>, run: &RunCase<'_>, reported: &Reported, certainty: Certainty) -> Draft {
    let code = Code::from_text(&reported.code).unwrap_or(Code::OrderViolation);
    let parts = taking_part(reported);
    let sides: Vec<Side> = parts.iter().map(|part| of_part(case, run, part)).collect();
    let mut draft = Draft::new(code, certainty, message(code, reported, &sides));
    let first = parts[0];
    let site = first.wants.site();
    draft.salt = match &first.holds {
        Some(held) => format!(
            "{} {}",
            place(case.evidence, held.site),
            place(case.evidence, site)
        ),
        None => place(case.evidence, site),
    };
    // Of one side alone it is not known who the others are.
    draft.others = code == Code::Deadlock && sides.len() == 1;
    draft.locks = match (code, &first.wants) {
        (Code::SelfDeadlock | Code::RecursiveRead, Asked::Lock(want)) => {
            Some((run.id, vec![want.lock]))
        }
        _ => draft.locks,
    };
    let noticed = "the program itself noticed it while it ran";
    // More threads wait than have a side here.
    let clauses = reported.message.split("; ").count();
    draft
        .reasons
        .push(if reported.nobody_runs && clauses > sides.len() {
            format!("{noticed}: {}", reported.message)
        } else {
            noticed.to_owned()
        });
    draft.advice.extend(advice(code, &sides));
    draft.cycle = sides;
    draft
}

/// Who is told of: all, but for those that wait beside a circle.
fn taking_part(reported: &Reported) -> Vec<&Part> {
    let all: Vec<&Part> = reported.sides.iter().collect();
    if !reported.nobody_runs {
        return all;
    }
    let is_waited_for = |thread: ThreadId| {
        all.iter()
            .any(|part| matches!(part.wants, Asked::End(child, _) if child == thread))
    };
    let has_part = |part: &Part| {
        part.holds.is_some()
            || !matches!(part.wants, Asked::Resource(..))
            || is_waited_for(part.thread)
    };
    let own = all.iter().copied().filter(|part| has_part(part));
    let own: Vec<&Part> = own.collect();
    let told = if own.is_empty() { all } else { own };
    let mut kept: Vec<&Part> = Vec::new();
    for part in told {
        if !kept.iter().any(|other| waits_alike(other, part)) {
            kept.push(part);
        }
    }
    kept
}

/// Whether two threads hold nothing and wait at one place.
fn waits_alike(one: &Part, other: &Part) -> bool {
    let place = |part: &Part| match (part.holds, part.wants) {
        (None, Asked::Resource(_, site)) => Some(site),
        _ => None,
    };
    place(one).is_some() && place(one) == place(other)
}

fn of_part(case: &Case<'_>, run: &RunCase<'_>, part: &Part) -> Side {
    let wants = match part.wants {
        Asked::Lock(held) => Wants::Lock(lock_use(case.evidence, run, &held, None)),
        Asked::Resource(at, site) => {
            let (resource, name) = resource(run, at);
            Wants::Resource(ResourceUse {
                resource,
                name,
                site: place(case.evidence, site),
            })
        }
        Asked::End(child, site) => Wants::Resource(ResourceUse {
            resource: "join".to_owned(),
            name: run.run.threads[child.at()].label.clone(),
            site: place(case.evidence, site),
        }),
    };
    let holds = part.holds.as_ref();
    Side {
        holds: holds.map(|held| lock_use(case.evidence, run, held, None)),
        wants: Some(wants),
        ..side(case, run, part.thread)
    }
}

fn message(code: Code, reported: &Reported, sides: &[Side]) -> String {
    if let ([first, ..], Code::Stall) | ([first], _) = (sides, code) {
        let asks = match &first.wants {
            Some(Wants::Lock(want)) => format!("asks for {}", want.lock),
            Some(wants) => waits(wants),
            None => String::new(),
        };
        let told = &reported.message;
        let thread = &first.thread;
        return match &first.holds {
            _ if code == Code::Stall => told.clone(),
            Some(held) => format!("{thread} {asks} while holding {}: {told}", held.lock),
            None => format!("{thread} {asks}: {told}"),
        };
    }
    let each = sides.iter().map(|side| {
        let waits = side.wants.as_ref().map_or(String::new(), waits);
        let why = why(sides, side);
        format!("{} {waits}{}", side.thread, why.unwrap_or_default())
    });
    let each = each.collect::<Vec<String>>().join("; ");
    if reported.nobody_runs {
        format!("all threads wait for ever, and nobody is left to wake one: {each}")
    } else {
        format!("threads wait for each other for ever: {each}")
    }
}

/// What a side waits for, as a clause with names as in all messages.
fn waits(wants: &Wants) -> String {
    match wants {
        Wants::Lock(want) => format!("waits for {}", want.lock),
        Wants::Resource(want) if want.resource == "join" => {
            format!("waits for {} to end", want.name)
        }
        Wants::Resource(want) if want.resource == "park" => "waits to be unparked".to_owned(),
        Wants::Resource(want) => format!("waits for {} {}", want.resource, want.name),
    }
}

/// Why a side does not get the lock that it wants: who else holds it, or waits to write it.
fn why(sides: &[Side], waiter: &Side) -> Option<String> {
    let Some(Wants::Lock(want)) = &waiter.wants else {
        return None;
    };
    let mode_of = |lock: &LockUse| Mode::ALL.into_iter().find(|mode| mode.name() == lock.mode);
    let wanted = mode_of(want)?;
    let excludes = |lock: &LockUse| {
        lock.lock == want.lock && mode_of(lock).is_some_and(|mode| mode.excludes(wanted))
    };
    let others = || sides.iter().filter(|side| side.thread != waiter.thread);
    let holder = others().find(|side| side.holds.as_ref().is_some_and(excludes));
    let writer =
        || others().find(|side| matches!(&side.wants, Some(Wants::Lock(other)) if excludes(other)));
    if let Some(holder) = holder {
        Some(format!(", which {} holds", holder.thread))
    } else if wanted.is_shared() {
        writer().map(|writer| format!(" behind {}, which waits to write it", writer.thread))
    } else {
        None
    }
}

fn advice(code: Code, sides: &[Side]) -> Option<String> {
    let is_lock = |side: &Side| matches!(side.wants, Some(Wants::Lock(_)));
    let advice = match code {
        Code::Deadlock if sides.len() > 1 && sides.iter().all(is_lock) => {
            "take these locks in one order everywhere"
        }
        Code::Deadlock => match kept_while_waiting(sides) {
            Some(held) => {
                return Some(format!(
                    "let go of {} before this wait: whoever would end it needs that",
                    held.lock
                ));
            }
            None => "look for who should have ended this wait, and what that one waits for",
        },
        Code::Stall => "look for who should have ended this wait, and what that one waits for",
        Code::OrderViolation => {
            "take the locks in ascending order; one `acquire!` for all of them does that"
        }
        _ => return None,
    };
    Some(advice.to_owned())
}

/// The lock that one thread holds, waiting for something that is no lock, and another wants.
fn kept_while_waiting(sides: &[Side]) -> Option<&LockUse> {
    let waiting = sides
        .iter()
        .filter(|side| matches!(side.wants, Some(Wants::Resource(_))));
    let mut held = waiting.filter_map(|side| side.holds.as_ref());
    held.find(|held| {
        sides
            .iter()
            .any(|side| matches!(&side.wants, Some(Wants::Lock(want)) if want.lock == held.lock))
    })
}
