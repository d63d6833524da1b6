//! Which requests make a cycle: one arc for each side, and whether they can meet.
//!
//! A cycle of locks may be made of many requests; one choice of them that can meet is enough. The
//! filters are those of iGoodlock (Joshi, Park, Sen, Naik, PLDI 2009), with modes:
//!
//! - each side must block the side before: its hold excludes the request, or a third thread that
//!   writes may stand in the queue between them;
//! - each side is another thread;
//! - no two sides hold one lock in modes that exclude each other (a *gate*);
//! - no two sides are ordered by fork, join or barrier.
//!
//! A choice that fails in nothing but the second is still a possible deadlock: what one thread did
//! in turn, two may do at once in another run.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

use lockwise::watch::Mode;

use super::case::RunCase;
use crate::cycles;
use crate::finding::Exclusion;
use crate::graph::Arc;
use crate::history::{Dependency, Link, ordered};
use crate::limits::count;
use crate::stretch::Tie;
use crate::trace::{LockId, ThreadId};

/// How much is asked of a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strength {
    /// The modes alone: it is a cycle at all.
    Cycle,
    /// The sides can meet, if more threads do what these did.
    OneThread,
    /// The sides can meet.
    Apart,
}

/// The best choices for a cycle.
#[derive(Debug)]
pub(super) struct Chosen {
    /// How strong they are.
    pub(super) strength: Strength,
    /// The choices, one arc per side; at least one.
    pub(super) choices: Vec<Vec<Arc>>,
    /// What removed the other choices.
    pub(super) removed: BTreeSet<Exclusion>,
    /// Whether all choices were tried.
    pub(super) complete: bool,
}

/// Finds the strongest choices for a cycle of locks; `None` if no choice is a cycle.
pub(super) fn choose(case: &RunCase<'_>, cycle: &[LockId], steps_max: u64) -> Option<Chosen> {
    let candidates: Vec<&[Arc]> = (0..cycle.len())
        .map(|at| {
            let next = cycle[(at + 1) % cycle.len()];
            let edge = case.graph.edge(cycle[at], next);
            edge.map_or(&[][..], |edge| edge.arcs.as_slice())
        })
        .collect();
    let mut removed = BTreeSet::new();
    let mut complete = true;
    for strength in [Strength::Apart, Strength::OneThread, Strength::Cycle] {
        let mut path = Path::new(case, strength, steps_max);
        let choices = path.choices(&candidates);
        complete &= path.steps > 0;
        if strength == Strength::OneThread {
            removed = path.removed;
        }
        if !choices.is_empty() {
            return Some(Chosen {
                strength,
                choices,
                removed,
                complete,
            });
        }
    }
    None
}

/// Looks for cycles of this strength within a component, over all simple paths, and gives their locks
/// to `found` until that says to stop. `Err` if the steps ran out before.
pub(super) fn seek(
    case: &RunCase<'_>,
    component: &[LockId],
    strength: Strength,
    steps_max: u64,
    found: &mut dyn FnMut(Vec<LockId>) -> ControlFlow<()>,
) -> Result<(), OutOfSteps> {
    let members: HashSet<LockId> = component.iter().copied().collect();
    let mut path = Path::new(case, strength, steps_max);
    for &start in component {
        // Locks smaller than the start were starts before: no cycle through them is left.
        let inside = |lock: LockId| lock >= start && members.contains(&lock);
        let mut work = vec![case.graph.arcs_from(start, inside)];
        while let Some(row) = work.last_mut() {
            if path.steps == 0 {
                return Err(OutOfSteps);
            }
            let Some((to, arc)) = row.pop() else {
                work.pop();
                path.pop();
                continue;
            };
            let closes = to == start;
            if !closes && path.passes(to) || !path.fits(arc) {
                continue;
            }
            path.push(arc);
            if closes {
                if path.closes() && found(path.locks()).is_break() {
                    return Ok(());
                }
                path.pop();
            } else {
                work.push(case.graph.arcs_from(to, inside));
            }
        }
    }
    Ok(())
}

/// The search was cut short.
#[derive(Debug, Clone, Copy)]
pub(super) struct OutOfSteps;

/// Sides chosen so far.
struct Path<'a> {
    case: &'a RunCase<'a>,
    strength: Strength,
    arcs: Vec<Arc>,
    threads: HashMap<ThreadId, u32>,
    /// Locks held by the sides, with the side and the mode.
    held: HashMap<LockId, Vec<(usize, Mode)>>,
    removed: BTreeSet<Exclusion>,
    /// Whether fork, join and barrier order nothing in this run.
    free: bool,
    /// Checks left.
    steps: u64,
}

impl<'a> Path<'a> {
    fn new(case: &'a RunCase<'a>, strength: Strength, steps: u64) -> Self {
        Path {
            case,
            strength,
            arcs: Vec::new(),
            threads: HashMap::new(),
            held: HashMap::new(),
            removed: BTreeSet::new(),
            free: case.history.stretches.is_free(),
            steps,
        }
    }

    /// All ways to take one of each row, up to [`crate::limits::Limits::choices`].
    ///
    /// Choices that differ only in sites, or in when a thread did the same, count as one.
    fn choices(&mut self, rows: &[&[Arc]]) -> Vec<Vec<Arc>> {
        let mut choices = Vec::new();
        let mut patterns = HashSet::new();
        let mut next = vec![0];
        while let Some(&at) = next.last() {
            let Some(&arc) = rows[next.len() - 1].get(at).filter(|_| self.steps > 0) else {
                next.pop();
                self.pop();
                continue;
            };
            *next.last_mut().expect("the loop looked at it") += 1;
            if !self.fits(arc) {
                continue;
            }
            self.push(arc);
            if next.len() < rows.len() {
                next.push(0);
                continue;
            }
            let pattern = |arc: &Arc| self.case.pattern_of(arc.dependency);
            let pattern: Vec<u32> = self.arcs.iter().map(pattern).collect();
            if self.closes() && patterns.insert(pattern) {
                choices.push(self.arcs.clone());
                if choices.len() >= count(self.case.bounds.choices).max(1) {
                    break;
                }
            }
            self.pop();
        }
        choices
    }

    fn parts(&self, arc: Arc) -> (&'a Dependency, &'a Link) {
        let history = &self.case.history;
        (
            &history.dependencies[arc.dependency as usize],
            &history.links[arc.link.at()],
        )
    }

    /// Whether `arc` can stand next on the path.
    fn fits(&mut self, arc: Arc) -> bool {
        self.steps = self.steps.saturating_sub(1);
        if let Some(&last) = self.arcs.last()
            && !self.blocks(last, arc)
        {
            return false;
        }
        if self.strength == Strength::Cycle {
            return true;
        }
        let (dependency, _) = self.parts(arc);
        if self.strength == Strength::Apart && self.threads.contains_key(&dependency.thread) {
            return false;
        }
        for (_, link) in self.case.history.chain(dependency.chain) {
            self.steps = self.steps.saturating_sub(1);
            let others = self.held.get(&link.held.lock).into_iter().flatten();
            let mut modes = others.map(|&(_, mode)| mode);
            if modes.any(|mode| mode.excludes(link.held.mode)) {
                self.removed.insert(Exclusion::GateLock);
                return false;
            }
        }
        let others = if self.free { &[] } else { self.arcs.as_slice() };
        for &other in others {
            self.steps = self.steps.saturating_sub(1);
            let (other, _) = self.parts(other);
            if let Some(tie) = ordered(&self.case.history, dependency, other) {
                self.removed.insert(match tie {
                    Tie::ForkJoin => Exclusion::ForkJoin,
                    Tie::Barrier => Exclusion::Barrier,
                });
                return false;
            }
        }
        true
    }

    /// Whether the hold of `next` blocks the request of `arc`.
    fn blocks(&mut self, arc: Arc, next: Arc) -> bool {
        let ((asks, _), (holds, link)) = (self.parts(arc), self.parts(next));
        let (held, want) = (link.held.mode, asks.want.mode);
        if !held.may_block(want) {
            return false;
        }
        let blocked = self.strength == Strength::Cycle
            || held.excludes(want)
            || self
                .case
                .writes_besides(asks.want.lock, [asks.thread, holds.thread]);
        if !blocked {
            self.removed.insert(Exclusion::Readers);
        }
        blocked
    }

    fn push(&mut self, arc: Arc) {
        let (dependency, _) = self.parts(arc);
        let side = self.arcs.len();
        *self.threads.entry(dependency.thread).or_default() += 1;
        if self.strength != Strength::Cycle {
            for (_, link) in self.case.history.chain(dependency.chain) {
                let holds = self.held.entry(link.held.lock).or_default();
                holds.push((side, link.held.mode));
            }
        }
        self.arcs.push(arc);
    }

    fn pop(&mut self) {
        let Some(arc) = self.arcs.pop() else {
            return;
        };
        let (dependency, _) = self.parts(arc);
        if let Some(count) = self.threads.get_mut(&dependency.thread) {
            *count -= 1;
            if *count == 0 {
                self.threads.remove(&dependency.thread);
            }
        }
        if self.strength != Strength::Cycle {
            for (_, link) in self.case.history.chain(dependency.chain) {
                if let Some(holds) = self.held.get_mut(&link.held.lock) {
                    holds.pop();
                }
            }
        }
    }

    /// Whether the last side leads back to the first, and all locks lived at one time.
    fn closes(&mut self) -> bool {
        let (first, last) = (self.arcs[0], self.arcs[self.arcs.len() - 1]);
        if !self.blocks(last, first) {
            return false;
        }
        let mut created = 0;
        let mut died = u32::MAX;
        for &arc in &self.arcs {
            let (dependency, link) = self.parts(arc);
            created = created.max(dependency.first());
            died = died.min(self.case.history.died[link.held.lock.at()]);
        }
        created < died
    }

    fn passes(&self, lock: LockId) -> bool {
        self.arcs
            .iter()
            .any(|&arc| self.parts(arc).1.held.lock == lock)
    }

    fn locks(&self) -> Vec<LockId> {
        let locks = self.arcs.iter();
        locks.map(|&arc| self.parts(arc).1.held.lock).collect()
    }
}

impl RunCase<'_> {
    /// A cycle of this strength in a component, which the shortest-cycle search may have missed.
    pub(super) fn sought(&self, component: &[LockId], strength: Strength) -> Option<Vec<LockId>> {
        let mut sought = None;
        self.look_at_all(component, strength, &mut |cycle| {
            sought = Some(cycle);
            ControlFlow::Break(())
        });
        sought
    }

    /// Cycles whose sides can meet, one at least through each edge that has one; those whose edges
    /// all lie on cycles in `known` are left out.
    pub(super) fn cover(&self, component: &[LockId], known: &[&Vec<LockId>]) -> Vec<Vec<LockId>> {
        let covered: HashSet<(LockId, LockId)> =
            known.iter().flat_map(|cycle| edges_of(cycle)).collect();
        let inside: HashSet<LockId> = component.iter().copied().collect();
        let between = component.iter().flat_map(|&from| {
            let to = self.graph.arcs_from(from, |to| inside.contains(&to));
            to.into_iter().map(move |(to, _)| (from, to))
        });
        let mut open: HashSet<(LockId, LockId)> = between
            .filter(|edge| !covered.contains(edge))
            .filter(|&(from, to)| self.graph.edge(from, to).is_some_and(|edge| edge.apart))
            .collect();
        let mut found = Vec::new();
        if !open.is_empty() {
            self.look_at_all(component, Strength::Apart, &mut |cycle| {
                if edges_of(&cycle).any(|edge| open.remove(&edge)) {
                    edges_of(&cycle).for_each(|edge| {
                        open.remove(&edge);
                    });
                    found.push(cycle);
                }
                if open.is_empty() {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });
        }
        found
    }

    /// Looks at all cycles of this strength in a component, the smallest lock of each first.
    fn look_at_all(
        &self,
        component: &[LockId],
        strength: Strength,
        found: &mut dyn FnMut(Vec<LockId>) -> ControlFlow<()>,
    ) {
        let steps = self.bounds.seek_steps;
        let mut canonical = |cycle| found(cycles::canonical(cycle));
        if seek(self, component, strength, steps, &mut canonical).is_err() {
            self.unsearched.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The edges of a cycle of locks.
fn edges_of(cycle: &[LockId]) -> impl Iterator<Item = (LockId, LockId)> + '_ {
    let next = cycle.iter().cycle().skip(1);
    cycle.iter().copied().zip(next.copied())
}
