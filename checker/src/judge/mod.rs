//! From evidence to findings: which problems there are, and how sure each is.
//!
//! Each rule is one file with a `judge` function and one line in [`RULES`]. Rules see the same
//! [`case::Case`]: the evidence, replayed and made into graphs, with two ways to a proof. A finding
//! is `certain` only if [`witness`] accepts a schedule of the run's own events that ends in it,
//! whatever search found that schedule: [`closure`] (the order of critical sections kept; most
//! deadlocks), [`forced`] (sections may change places; it may also show that no order of the events
//! will do) or [`explore`] (exhaustive, bounded).
//!
//! What cannot be seen: a deadlock behind data (a lock that is taken only if a flag is set, which it
//! never was in this run), locks and waits that are not recorded, and, in recorded programs, order
//! that atomics or channels force. A proof holds for the observed events, not for all the program.

mod blocked;
mod case;
mod choice;
mod class_cycle;
mod closure;
mod conditioned;
mod draft;
mod explore;
mod forced;
mod misuse;
mod model;
mod order_cycle;
mod reached;
mod recursion;
mod reported;
mod sent;
mod stall;
mod standing;
mod timeline;
mod waiting;
mod witness;

use std::sync::atomic::Ordering;

use self::case::Case;
use self::draft::Draft;
use crate::finding::{Certainty, Stats, Verdict};
use crate::limits::Limits;
use crate::trace::Evidence;

/// A rule: looks at the case and adds what it finds. Later rules see what earlier ones found; the
/// last weakens some of that.
type Rule = fn(&Case<'_>, &mut Vec<Draft>);

/// All rules, in the order in which they are applied.
const RULES: [Rule; 10] = [
    blocked::judge,
    recursion::judge,
    order_cycle::judge,
    reached::judge,
    class_cycle::judge,
    waiting::judge,
    stall::judge,
    misuse::judge,
    reported::judge,
    sent::judge,
];

/// Judges all evidence together. How far the searches go, `bounds` says; what they leave out is in
/// [`Verdict::limits`].
pub fn judge(evidence: &Evidence, bounds: &Limits) -> Verdict {
    let case = Case::new(evidence, bounds);
    let mut drafts = Vec::new();
    for rule in RULES {
        rule(&case, &mut drafts);
    }
    for proved in proved_in_excerpts(evidence, bounds) {
        draft::prove(&mut drafts, proved);
    }
    let mut verdict = Verdict {
        findings: Vec::new(),
        stats: stats(&case),
        limits: evidence.limits.clone(),
        orders: Vec::new(),
    };
    draft::finish(drafts, &mut verdict);
    limits(&case, &mut verdict.limits);
    verdict.settle();
    verdict
}

/// What the excerpts of long runs prove.
fn proved_in_excerpts(evidence: &Evidence, bounds: &Limits) -> Vec<Draft> {
    if evidence.excerpts.is_empty() {
        return Vec::new();
    }
    let excerpts = Evidence {
        runs: evidence.excerpts.clone(),
        classes: evidence.classes.clone(),
        sites: evidence.sites.clone(),
        ..Evidence::default()
    };
    // There may be many, and what one does not show another may.
    let bounds = &Limits {
        cycles: bounds.cycles / 10,
        cycle_steps: bounds.cycle_steps / 100,
        seek_steps: bounds.seek_steps / 10,
        proof_steps: bounds.proof_steps / 10,
        search_events: bounds.search_events / 10,
        searches: 0,
        ..bounds.clone()
    };
    let case = Case::new(&excerpts, bounds);
    let mut drafts = Vec::new();
    for rule in [recursion::judge as Rule, order_cycle::judge, waiting::judge] {
        rule(&case, &mut drafts);
    }
    drafts.retain(|draft| draft.certainty == Certainty::Certain);
    if evidence.runs.len() == 1 {
        for side in drafts.iter_mut().flat_map(|draft| &mut draft.cycle) {
            side.run = None;
        }
    }
    drafts
}

fn stats(case: &Case<'_>) -> Stats {
    let runs = &case.evidence.runs;
    let count = |of: fn(&crate::trace::Run) -> usize| runs.iter().map(|run| of(run) as u64).sum();
    let edges = case.runs.iter().map(|run| run.graph.graph.edge_count());
    Stats {
        events: runs
            .iter()
            .map(|run| match run.events_seen {
                0 => (run.events.len() + run.chains.len()) as u64,
                seen => seen,
            })
            .sum(),
        threads: count(|run| run.threads.len()),
        locks: count(|run| run.locks.len()),
        classes: case.evidence.classes.len() as u64,
        edges: edges.map(|edges| edges as u64).sum(),
        runs: runs.len() as u64,
        functions: 0,
    }
}

/// Says what the searches left out.
fn limits(case: &Case<'_>, limits: &mut Vec<String>) {
    let mut say = |label: &str, count: u64, what: &str| {
        if count > 0 {
            limits.push(format!("{label}: {count} {what}"));
        }
    };
    for run in &case.runs {
        let label = &run.run.label;
        say(
            label,
            run.graph.left_out,
            "pairs of a held and a wanted lock left out of the lock-order graph, those furthest \
             apart; the orders they would show follow from nearer pairs (limits `arcs`, `far-steps`)",
        );
        say(
            label,
            run.cycles.left_out,
            "lock-order edges that lie on cycles not followed, or their cycles not judged (limits `cycles`, \
             `cycle-steps`)",
        );
        // Where all orders of the events were searched, nothing can have been missed.
        if run.cycles.more > 0 && !run.found().is_some_and(|found| found.complete) {
            say(
                label,
                run.cycles.more,
                "groups of locks that have, or may have, more cycles than were judged: those are the \
                 shortest through each order of two locks (limit `cycle-counts`)",
            );
        }
        say(
            label,
            run.unproved.load(Ordering::Relaxed),
            "cycles not searched exhaustively: these are `possible` and may be certain (limits \
             `proof-steps`, `choices`, `reversals`, `search-events`, `search-threads`, `search-words`, \
             `searches`)",
        );
        say(
            label,
            run.too_long.load(Ordering::Relaxed),
            "long cycles not judged, after as many shorter ones as the limit `cycle-sides` allows",
        );
        say(
            label,
            run.unsearched.load(Ordering::Relaxed),
            "groups of locks in cycles with too many cycles to look at each (limit `seek-steps`)",
        );
        say(
            label,
            run.rejected.load(Ordering::Relaxed),
            "proofs not accepted by the witness check: these findings are `possible`",
        );
    }
    let waits = case
        .runs
        .iter()
        .filter(|run| run.waits_unsearched())
        .count();
    say(
        "all runs",
        waits as u64,
        "programs or traces in which threads wait for each other were not searched in all orders of their events: \
         circles of waits and lost wake-ups may be missed there (limits `wait-words`, `search-words`, \
         `search-words-all`, `search-events`, `search-threads`)",
    );
    // Where each lock is a class of its own this would say the same again.
    let locks: usize = case.runs.iter().map(|run| run.run.locks.len()).sum();
    if case.evidence.classes.len() < locks {
        say(
            "all runs",
            case.classes.left_out + case.class_cycles.left_out,
            "edges between lock classes not followed (limits `arcs`, `cycles`)",
        );
    }
}

#[cfg(test)]
mod tests;
