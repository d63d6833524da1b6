//! LW0003 over lock classes: orders seen on different instances, or in different runs.
//!
//! Two tests that each take one half of an inversion, on locks of their own, are found only here. A
//! class nested in itself with nothing that orders the instances is found here too, as a note.
//!
//! Fork, join and barrier exclude nothing here, because they order other instances. A gate does, if
//! it is one and the same lock on every side and more than one thread was seen to go through it:
//! what one thread did under one gate says nothing of which gate others would hold.

use std::collections::{BTreeSet, HashMap};

use super::case::Case;
use super::draft::{Draft, class_name, side_of};
use super::order_cycle::{excluded, message};
use crate::cycles::canonical;
use crate::finding::{Basis, Certainty, Code, Exclusion};
use crate::graph::Arc;
use crate::history::Subclass;
use crate::trace::{LockId, RunId};

pub(super) fn judge(case: &Case<'_>, drafts: &mut Vec<Draft>) {
    let known = Known::of(case, drafts);
    for cycle in &case.class_cycles.cycles {
        let draft = match cycle.as_slice() {
            [class] => nesting(case, &known, *class),
            _ if known.cycles.contains(cycle) => None,
            _ => across(case, cycle),
        };
        drafts.extend(draft);
    }
}

/// What the instance rules have reported.
struct Known {
    /// Class cycles of instance cycles that are not excluded.
    cycles: BTreeSet<Vec<Subclass>>,
    /// Pairs of locks that lie on one instance cycle.
    pairs: BTreeSet<(RunId, LockId, LockId)>,
}

impl Known {
    fn of(case: &Case<'_>, drafts: &[Draft]) -> Self {
        let mut known = Known {
            cycles: BTreeSet::new(),
            pairs: BTreeSet::new(),
        };
        for draft in drafts {
            let Some((run, locks)) = &draft.locks else {
                continue;
            };
            let class = |lock: &LockId| Subclass {
                class: case.run(*run).run.locks[lock.at()].class,
                sub: None,
            };
            if draft.certainty != Certainty::Excluded {
                known
                    .cycles
                    .insert(canonical_classes(locks.iter().map(class).collect()));
            }
            for (&lock, &next) in locks.iter().zip(locks.iter().cycle().skip(1)) {
                known.pairs.insert((*run, lock, next));
            }
        }
        known
    }
}

/// The smallest rotation; unlike locks, a class may stand in a cycle of instances twice.
fn canonical_classes(cycle: Vec<Subclass>) -> Vec<Subclass> {
    let distinct: BTreeSet<&Subclass> = cycle.iter().collect();
    if distinct.len() == cycle.len() {
        return canonical(cycle);
    }
    let turned = (0..cycle.len()).map(|start| {
        let mut turned = cycle.clone();
        turned.rotate_left(start);
        turned
    });
    turned.min().unwrap_or_default()
}

/// A class that is nested in itself.
fn nesting(case: &Case<'_>, known: &Known, class: Subclass) -> Option<Draft> {
    let edge = case.classes.edge(class, class)?;
    let first = edge.arcs.iter().copied().find(|&arc| {
        let (run, held, want) = ends(case, arc);
        !known.pairs.contains(&(run, held, want))
    })?;
    let mut draft = Draft::new(Code::LockOrderCycle, Certainty::Possible, String::new());
    draft.cycle = vec![side_of(case, first)];
    draft.note = true;
    let name = class_name(case.evidence, class);
    draft.message = format!("a lock of class {name} is taken while another of the class is held");
    draft.basis = Some(Basis::Class);
    draft.reasons.push(
        "nothing orders the instances: two threads that take two of them the other way round can \
         wait for each other"
            .to_owned(),
    );
    draft.advice.push(
        "take the instances in a fixed order (`acquire!` does), or mark the inner one as a class \
         of its own"
            .to_owned(),
    );
    Some(draft)
}

/// A cycle over several classes that is no cycle over the same instances.
fn across(case: &Case<'_>, cycle: &[Subclass]) -> Option<Draft> {
    let rows: Vec<&[Arc]> = (0..cycle.len())
        .map(|at| {
            let edge = case.classes.edge(cycle[at], cycle[(at + 1) % cycle.len()]);
            edge.map_or(&[][..], |edge| edge.arcs.as_slice())
        })
        .collect();
    let mut guarded = None;
    let mut steps = case.bounds.choice_steps;
    let mut next = vec![0];
    let mut chosen: Vec<Arc> = Vec::new();
    while let Some(&at) = next.last() {
        let arc = rows[next.len() - 1].get(at).copied();
        let Some(arc) = arc.filter(|_| steps > 0) else {
            next.pop();
            chosen.pop();
            continue;
        };
        steps -= 1;
        *next.last_mut().expect("the loop looked at it") += 1;
        if chosen.last().is_some_and(|&last| !blocks(case, last, arc)) {
            continue;
        }
        chosen.push(arc);
        if next.len() < rows.len() {
            next.push(0);
            continue;
        }
        if blocks(case, arc, chosen[0]) && alive(case, &chosen) && !same_locks(case, &chosen) {
            let gates = common_gates(case, &chosen);
            if gates.is_empty() {
                return Some(cycle_of(case, &chosen));
            }
            guarded.get_or_insert((chosen.clone(), gates));
        }
        chosen.pop();
    }
    let (chosen, gates) = guarded?;
    let mut draft = cycle_of(case, &chosen);
    draft.basis = None;
    draft.advice.clear();
    draft.reasons.clear();
    exclude(&mut draft, &gates);
    Some(draft)
}

fn cycle_of(case: &Case<'_>, arcs: &[Arc]) -> Draft {
    let mut draft = Draft::new(Code::LockOrderCycle, Certainty::Possible, String::new());
    draft.cycle = arcs.iter().map(|&arc| side_of(case, arc)).collect();
    let one_run = arcs.iter().all(|arc| arc.run == arcs[0].run);
    let (basis, reason) = if one_run {
        (
            Basis::Class,
            "the sides took different locks of the same classes; with the same ones, they can \
             wait for each other",
        )
    } else {
        (
            Basis::CrossRun,
            "the sides were seen in different runs; if they meet in one, they can wait for each \
             other",
        )
    };
    draft.basis = Some(basis);
    draft.reasons.push(reason.to_owned());
    draft
        .advice
        .push("take locks of these classes in one order everywhere".to_owned());
    draft.message = format!("by their classes, {}", message(&draft.cycle));
    draft
}

fn exclude(draft: &mut Draft, gates: &[String]) {
    draft.certainty = Certainty::Excluded;
    draft.excluded_by = BTreeSet::from([Exclusion::GateLock]);
    for side in &mut draft.cycle {
        side.gates = gates.to_vec();
    }
    draft
        .reasons
        .extend(excluded(&draft.excluded_by, &draft.cycle));
}

/// Run, held lock and wanted lock.
fn ends(case: &Case<'_>, arc: Arc) -> (RunId, LockId, LockId) {
    let history = &case.run(arc.run).history;
    let held = history.links[arc.link.at()].held;
    let want = history.dependencies[arc.dependency as usize].want;
    (arc.run, held.lock, want.lock)
}

/// Whether the hold of `next`, in its mode, can block the request of `arc`.
fn blocks(case: &Case<'_>, arc: Arc, next: Arc) -> bool {
    let want = case.run(arc.run).history.dependencies[arc.dependency as usize].want;
    let held = case.run(next.run).history.links[next.link.at()].held;
    held.mode.may_block(want.mode)
}

/// Whether, per run, all locks of these arcs lived at one time.
fn alive(case: &Case<'_>, arcs: &[Arc]) -> bool {
    let mut lives: HashMap<RunId, (u32, u32)> = HashMap::new();
    for &arc in arcs {
        let history = &case.run(arc.run).history;
        let (run, held, want) = ends(case, arc);
        let died = history.died[held.at()].min(history.died[want.at()]);
        let created = history.dependencies[arc.dependency as usize].first();
        let life = lives.entry(run).or_insert((created, died));
        *life = (life.0.max(created), life.1.min(died));
    }
    lives.values().all(|(created, died)| created < died)
}

/// Whether each side holds the very lock that the side before wants.
fn same_locks(case: &Case<'_>, arcs: &[Arc]) -> bool {
    arcs.iter()
        .zip(arcs.iter().cycle().skip(1))
        .all(|(&arc, &next)| {
            let (run, _, want) = ends(case, arc);
            let (next_run, held, _) = ends(case, next);
            (run, want) == (next_run, held)
        })
}

/// The locks that every side holds so that the sides exclude each other; none unless several
/// threads were seen: one thread alone says nothing of how others come here.
fn common_gates(case: &Case<'_>, arcs: &[Arc]) -> Vec<String> {
    let first = arcs[0];
    let history = &case.run(first.run).history;
    let dependency = |arc: &Arc| &history.dependencies[arc.dependency as usize];
    let threads = arcs.iter().filter(|arc| arc.run == first.run);
    let threads: BTreeSet<_> = threads.map(|arc| dependency(arc).thread).collect();
    if arcs.iter().any(|arc| arc.run != first.run) || threads.len() < 2 {
        return Vec::new();
    }
    let gates_of = |arc: &Arc| -> BTreeSet<LockId> {
        let chain = history.chain(dependency(arc).chain);
        chain
            .filter(|(at, link)| *at != arc.link && link.held.mode.is_exclusive())
            .map(|(_, link)| link.held.lock)
            .collect()
    };
    let mut gates = gates_of(&first);
    for arc in &arcs[1..] {
        if gates.is_empty() {
            break;
        }
        let others = gates_of(arc);
        gates.retain(|gate| others.contains(gate));
    }
    let locks = &case.run(first.run).run.locks;
    gates
        .iter()
        .map(|gate| locks[gate.at()].label.clone())
        .collect()
}
