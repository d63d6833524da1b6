//! LW0003 over lock instances: locks acquired in orders that close a cycle.
//!
//! The cycles are the shortest through each edge ([`crate::cycles`]). Where the shortest cannot
//! happen, another through the same edge may: all cycles of the component are looked at then, up to a
//! bound, until each edge that lies on one that can happen has one.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::Ordering;

use super::case::{Case, Outcome, Proof, RunCase, Search};
use super::choice::{Chosen, Strength, choose};
use super::draft::{Draft, listed, show, side_of, times};
use super::standing::standing;
use crate::cycles::canonical;
use crate::finding::{Basis, Certainty, Code, Exclusion, Side, Wants};
use crate::graph::Arc;
use crate::limits::count;
use crate::trace::{Held, LockId, RunId};
use lockwise::watch::Mode;

pub(super) fn judge(case: &Case<'_>, drafts: &mut Vec<Draft>) {
    let actual: BTreeSet<(RunId, Vec<LockId>)> = drafts
        .iter()
        .filter_map(|draft| draft.locks.as_ref())
        .map(|(id, locks)| (*id, canonical(locks.clone())))
        .collect();
    let mut patterns = Vec::new();
    for run in &case.runs {
        let untold = cycles(run).into_iter().map(|cycle| (run.id, cycle));
        patterns.extend(untold.filter(|(id, (cycle, _))| !actual.contains(&(*id, cycle.clone()))));
    }
    // What one of these makes be searched, those after them look at.
    let (apart, others): (Vec<_>, Vec<_>) = patterns
        .into_iter()
        .partition(|(_, (_, chosen))| chosen.strength == Strength::Apart);
    for patterns in [apart, others] {
        drafts.extend(case.each(&patterns, |search, (cycle, chosen)| {
            draft(case, search, cycle, chosen)
        }));
    }
}

/// The cycles of a run, each with its strongest choices of requests.
fn cycles(run: &RunCase<'_>) -> Vec<(Vec<LockId>, Chosen)> {
    let steps = run.bounds.choice_steps;
    let mut all: Vec<(Vec<LockId>, Chosen)> = Vec::new();
    // The shortest first: where locks are held by the thousand, long cycles run along the chain of
    // one thread and say what a short one says.
    let mut shortest_first: Vec<&Vec<LockId>> = run.cycles.cycles.iter().collect();
    shortest_first.sort_by_key(|cycle| cycle.len());
    let mut sides = 0;
    for (at, &cycle) in shortest_first.iter().enumerate() {
        sides += cycle.len();
        if sides > count(run.bounds.cycle_sides) {
            let left_out = (shortest_first.len() - at) as u64;
            run.too_long.store(left_out, Ordering::Relaxed);
            break;
        }
        if let Some(chosen) = choose(run, cycle, steps) {
            all.push((cycle.clone(), chosen));
        }
    }
    for component in &run.cycles.between {
        let apart = all.iter().filter(|(cycle, chosen)| {
            chosen.strength == Strength::Apart && component.binary_search(&cycle[0]).is_ok()
        });
        let known: Vec<&Vec<LockId>> = apart.map(|(cycle, _)| cycle).collect();
        for cycle in run.cover(component, &known) {
            all.retain(|(known, _)| *known != cycle);
            if let Some(chosen) = choose(run, &cycle, steps) {
                all.push((cycle, chosen));
            }
        }
    }
    for component in &run.cycles.components {
        let strongest = all
            .iter()
            .filter(|(cycle, _)| component.binary_search(&cycle[0]).is_ok())
            .map(|(_, chosen)| chosen.strength)
            .max();
        for strength in [Strength::Apart, Strength::OneThread, Strength::Cycle] {
            if strongest.is_some_and(|strongest| strongest >= strength) {
                break;
            }
            if let Some(cycle) = run.sought(component, strength) {
                if let Some(chosen) = choose(run, &cycle, steps) {
                    all.push((cycle, chosen));
                }
                break;
            }
        }
    }
    all
}

fn draft(case: &Case<'_>, search: &mut Search<'_, '_>, cycle: &[LockId], chosen: &Chosen) -> Draft {
    let run = search.case;
    let outcome = match chosen.strength {
        Strength::Apart => Some(search.prove(cycle, &chosen.choices, chosen.complete)),
        _ => proved_against_the_rules(run, cycle),
    };
    let mut arcs = chosen.choices[0].clone();
    let mut unseen = None;
    let mut draft = Draft::new(Code::LockOrderCycle, Certainty::Possible, String::new());
    if let Some(Outcome::Proved(proof)) = &outcome {
        arcs = arcs_of(run, cycle, proof).unwrap_or(arcs);
        match standing(run, &proof.schedule, &proof.sides) {
            Ok(schedule) => show(&mut draft, run, &schedule),
            Err(why) => unseen = Some(why),
        }
    }
    draft.cycle = arcs.iter().map(|&arc| side_of(case, arc)).collect();
    // The same side first in every run: what is numbered by chance does not decide.
    let first = (0..arcs.len()).min_by_key(|&at| {
        let class = |side: &Side| side.holds.as_ref().map(|holds| holds.class.clone());
        (
            class(&draft.cycle[at]),
            Reverse(class(&draft.cycle[(at + 1) % arcs.len()])),
        )
    });
    draft.cycle.rotate_left(first.unwrap_or(0));
    arcs.rotate_left(first.unwrap_or(0));
    match (&outcome, chosen.strength) {
        (Some(Outcome::Proved(_)), _) if unseen.is_none() => {
            draft.certainty = Certainty::Certain;
            draft.reasons.push(
                "the schedule is a legal order of the observed events, and after it each side \
                 waits for the next"
                    .to_owned(),
            );
        }
        (Some(Outcome::Never), _) => {
            draft.certainty = Certainty::Excluded;
            draft.excluded_by = BTreeSet::from([Exclusion::NoSchedule]);
            draft.reasons = excluded(&draft.excluded_by, &draft.cycle);
        }
        (_, Strength::Apart) | (Some(Outcome::Proved(_)), _) => {
            draft.basis = Some(Basis::SameInstances);
            draft.reasons.push(
                "the sides ran in different threads, no lock guards them all, and no fork, join or \
                 barrier orders them"
                    .to_owned(),
            );
            draft.reasons.extend(unproved(run, outcome.as_ref()));
            draft.reasons.extend(unseen);
        }
        (_, Strength::OneThread) => {
            draft.basis = Some(Basis::OneThread);
            draft.reasons.push(one_thread(&draft.cycle));
        }
        (_, Strength::Cycle) if !chosen.complete => {
            draft.basis = Some(Basis::SameInstances);
            draft
                .reasons
                .push("there are too many ways to take these locks to check each".to_owned());
        }
        (_, Strength::Cycle) => {
            draft.certainty = Certainty::Excluded;
            draft.excluded_by.clone_from(&chosen.removed);
            gates(run, &arcs, &mut draft.cycle);
            draft.reasons = excluded(&chosen.removed, &draft.cycle);
        }
    }
    draft.message = message(&draft.cycle);
    if draft.certainty != Certainty::Excluded {
        draft.advice = advice(case, run, cycle);
    }
    draft.locks = Some((run.id, cycle.to_vec()));
    draft
}

/// A proof counts even where a rule says that the sides cannot meet (threads that share a barrier
/// can meet in another grouping); it is looked for where a search was made anyway.
fn proved_against_the_rules(run: &RunCase<'_>, cycle: &[LockId]) -> Option<Outcome> {
    if run.has_waits() {
        run.found();
    }
    run.proved_by_search(cycle).map(Outcome::Proved)
}

/// The arcs of the requests that a proof ends with.
fn arcs_of(run: &RunCase<'_>, cycle: &[LockId], proof: &Proof) -> Option<Vec<Arc>> {
    (0..cycle.len())
        .map(|at| {
            let edge = run.graph.edge(cycle[at], cycle[(at + 1) % cycle.len()])?;
            edge.arcs.iter().copied().find(|arc| {
                let dependency = &run.history.dependencies[arc.dependency as usize];
                proof.sides.iter().any(|(thread, event)| {
                    dependency.thread == *thread && dependency.events.binary_search(event).is_ok()
                })
            })
        })
        .collect()
}

/// Why a cycle that the rules allow is not certain.
pub(super) fn unproved(run: &RunCase<'_>, outcome: Option<&Outcome>) -> Option<String> {
    Some(match outcome? {
        Outcome::Proved(_) | Outcome::Never => return None,
        Outcome::Unreachable => format!(
            "no order of these very events ends in it (all {} were searched): something else, such \
             as a semaphore, keeps the sides apart in this run",
            states(run)
        ),
        Outcome::Unknown => {
            "whether the observed events can end in it is open: the search was cut short".to_owned()
        }
        Outcome::NoEvents if run.run.events_seen > 0 => {
            "the trace is too long to be kept, and no schedule was found in the parts of it that were \
             looked at"
                .to_owned()
        }
        Outcome::NoEvents => {
            "the log says what was held at each new acquisition and no more, so no \
                              schedule can be worked out: record at level `trace` for a proof"
                .to_owned()
        }
    })
}

fn states(run: &RunCase<'_>) -> String {
    match run.found().map(|found| found.states) {
        Some(1) => "1 state".to_owned(),
        Some(states) => format!("{states} states"),
        None => "states".to_owned(),
    }
}

fn one_thread(cycle: &[Side]) -> String {
    let threads: BTreeSet<&str> = cycle.iter().map(|side| side.thread.as_str()).collect();
    if threads.len() == 1 {
        let thread = threads.first().copied().unwrap_or_default();
        format!(
            "all of it was seen in thread {thread} alone, one side after the other: it takes \
             different threads that do this at the same time"
        )
    } else {
        "one thread did more than one side of it, one after the other: it takes a thread for each \
         side"
            .to_owned()
    }
}

/// Gates that are named for a side, and the most sides of a cycle for which they are looked up.
const GATES_NAMED: usize = 8;
const GATED_SIDES_MAX: usize = 16;

/// Held locks of a side that are looked through for gates, from the youngest.
const GATES_AMONG: usize = 1_000;

/// Names, on each side, the locks that keep it apart from another.
fn gates(run: &RunCase<'_>, arcs: &[Arc], cycle: &mut [Side]) {
    if arcs.len() > GATED_SIDES_MAX {
        return;
    }
    let held: Vec<Vec<Held>> = arcs
        .iter()
        .map(|arc| {
            let dependency = &run.history.dependencies[arc.dependency as usize];
            let chain = run.history.chain(dependency.chain);
            chain.map(|(_, link)| link.held).take(GATES_AMONG).collect()
        })
        .collect();
    // Who holds a lock, in which modes.
    let mut holders: HashMap<LockId, Vec<(usize, Mode)>> = HashMap::new();
    for (at, held) in held.iter().enumerate() {
        for held in held {
            holders.entry(held.lock).or_default().push((at, held.mode));
        }
    }
    for (at, side) in cycle.iter_mut().enumerate() {
        let mut names: Vec<String> = held[at]
            .iter()
            .filter(|mine| {
                let mut others = holders[&mine.lock].iter();
                others.any(|&(other, theirs)| other != at && theirs.excludes(mine.mode))
            })
            .take(GATES_NAMED)
            .map(|mine| run.run.locks[mine.lock.at()].label.clone())
            .collect();
        names.reverse();
        names.dedup();
        side.gates = names;
    }
}

/// Why a cycle cannot happen, in words.
pub(super) fn excluded(removed: &BTreeSet<Exclusion>, cycle: &[Side]) -> Vec<String> {
    let gates: BTreeSet<&String> = cycle.iter().flat_map(|side| &side.gates).collect();
    let gates: Vec<String> = gates.into_iter().cloned().collect();
    removed
        .iter()
        .map(|exclusion| match exclusion {
            Exclusion::GateLock if gates.is_empty() => {
                "a lock that is held on several sides keeps them apart".to_owned()
            }
            Exclusion::GateLock => match gates.as_slice() {
                [gate] => format!("{gate} is held on several sides and keeps them apart"),
                _ => format!(
                    "{} are held on several sides and keep them apart",
                    listed(&gates)
                ),
            },
            Exclusion::ForkJoin => {
                "fork and join order the sides: one has ended before another begins".to_owned()
            }
            Exclusion::Barrier => "a barrier lies between the sides".to_owned(),
            Exclusion::Readers => {
                "a side waits for a reader as a reader, and no other thread ever writes there"
                    .to_owned()
            }
            Exclusion::NoSchedule => {
                "no order of these very events ends in it: what the threads read of each other, and \
                 sections of other locks, keep the sides apart. That holds if the trace has all \
                 that decides what its threads do"
                    .to_owned()
            }
        })
        .collect()
}

/// The cycle in one sentence.
pub(super) fn message(cycle: &[Side]) -> String {
    /// Sides that a sentence can bear.
    const SIDES_MAX: usize = 4;
    let one_run = cycle.iter().all(|side| side.run == cycle[0].run);
    let who = |side: &Side| match &side.run {
        Some(run) if !one_run => format!("{} of {run}", side.thread),
        _ => side.thread.clone(),
    };
    let sides: Vec<String> = cycle
        .iter()
        .take(SIDES_MAX)
        .filter_map(|side| match (&side.holds, &side.wants) {
            (Some(holds), Some(Wants::Lock(wants))) => Some(format!(
                "{} takes {} while holding {}",
                who(side),
                wants.lock,
                holds.lock
            )),
            _ => None,
        })
        .collect();
    match cycle.len() {
        0..=SIDES_MAX => format!("locks are acquired in a cycle: {}", listed(&sides)),
        count => format!(
            "{count} locks are acquired in a cycle: {}, and so on",
            sides.join(", ")
        ),
    }
}

/// Places that advice names.
const PLACES_MAX: usize = 3;

/// Which order most of the run uses, and the places that are against it.
fn advice(case: &Case<'_>, run: &RunCase<'_>, cycle: &[LockId]) -> Vec<String> {
    let steps: Vec<(u64, usize)> = (0..cycle.len())
        .filter_map(|at| {
            let edge = run.graph.edge(cycle[at], cycle[(at + 1) % cycle.len()])?;
            let count = |arc: &Arc| run.history.dependencies[arc.dependency as usize].count();
            Some((edge.arcs.iter().map(count).sum(), at))
        })
        .collect();
    let total: u64 = steps.iter().map(|(count, _)| count).sum();
    // Of equals the later one is to change.
    let rarest = steps
        .iter()
        .min_by_key(|&&(count, at)| (count, Reverse(at)));
    let Some(&(least, at)) = rarest else {
        return Vec::new();
    };
    let name = |at: usize| run.run.locks[cycle[at % cycle.len()].at()].label.clone();
    let Some(edge) = run.graph.edge(cycle[at], cycle[(at + 1) % cycle.len()]) else {
        return Vec::new();
    };
    let places: BTreeSet<String> = edge
        .arcs
        .iter()
        .map(|arc| &run.history.dependencies[arc.dependency as usize])
        .map(|dependency| super::draft::place(case.evidence, dependency.want.site))
        .collect();
    let shown: Vec<String> = places.iter().take(PLACES_MAX).cloned().collect();
    let (first, second) = (name(at + 1), name(at));
    let most = total - least;
    if cycle.len() == 2 && most > least {
        vec![format!(
            "most acquisitions ({most} of {total}) take {first} before {second}: change {}, which \
             takes {first} while holding {second}",
            listed(&shown)
        )]
    } else if cycle.len() == 2 {
        vec![format!(
            "both orders are used equally often: settle on one, for instance {first} before \
             {second}, and change {}",
            listed(&shown)
        )]
    } else {
        vec![format!(
            "the cycle is broken if {first} is never taken while {second} is held; that was done \
             {}, at {}",
            times(least),
            listed(&shown)
        )]
    }
}
