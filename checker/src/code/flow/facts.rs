//! What is known at each block of a function because conditions on all ways to it say so: two that exclude each
//! other do not happen in one run.

use super::Flow;
use crate::code::frame::{Fact, Frame, exclude};
use crate::code::ir::{BlockId, Operand, Terminator};
use crate::code::value::{Root, Value};

use super::calls::Argument;
use super::{Cell, State};

/// More facts than this are not kept at one block.
const FACTS_MAX: usize = 12;

/// What a branch says of where it leads to, edge by edge.
pub(super) fn edges(frame: &Frame<'_>, end: &Terminator) -> Vec<(BlockId, Vec<Fact>)> {
    let Terminator::Switch {
        on,
        cases,
        otherwise,
    } = end
    else {
        return Vec::new();
    };
    let asked = on
        .place()
        .filter(|place| place.is_whole())
        .and_then(|place| frame.condition(place.local));
    let Some(asked) = asked else {
        return Vec::new();
    };
    let mut all: Vec<(BlockId, Vec<Fact>)> = cases
        .iter()
        .map(|(number, block)| (*block, vec![asked.fact(*number, true)]))
        .collect();
    if let Some(block) = otherwise {
        let others = cases.iter().map(|(number, _)| asked.fact(*number, false));
        all.push((*block, others.take(FACTS_MAX).collect()));
    }
    all
}

/// What is known at each block.
pub(super) fn facts(frame: &Frame<'_>) -> Vec<Vec<Fact>> {
    let blocks = &frame.body.blocks;
    let told: Vec<Vec<(BlockId, Vec<Fact>)>> = blocks
        .iter()
        .map(|block| edges(frame, &block.end))
        .collect();
    if told.iter().all(Vec::is_empty) {
        return Vec::new();
    }
    let mut known: Vec<Option<Vec<Fact>>> = vec![None; blocks.len()];
    known[0] = Some(Vec::new());
    let mut open: Vec<BlockId> = vec![0];
    while let Some(block) = open.pop() {
        let here = known[block as usize].clone().unwrap_or_default();
        let mut reach = |next: BlockId, more: &[Fact]| {
            let mut facts = here.clone();
            for fact in more {
                if facts.len() < FACTS_MAX && !facts.contains(fact) {
                    facts.push(fact.clone());
                }
            }
            let Some(old) = known.get_mut(next as usize) else {
                return;
            };
            let is_new = match old {
                None => {
                    *old = Some(facts);
                    true
                }
                Some(old) => {
                    let before = old.len();
                    old.retain(|fact| facts.contains(fact));
                    old.len() < before
                }
            };
            if is_new && !open.contains(&next) {
                open.push(next);
            }
        };
        match &told[block as usize][..] {
            [] => frame
                .body
                .next_of(block)
                .into_iter()
                .for_each(|next| reach(next, &[])),
            edges => edges.iter().for_each(|(next, more)| reach(*next, more)),
        }
    }
    known.into_iter().map(Option::unwrap_or_default).collect()
}

impl Flow<'_> {
    /// What is known at a block.
    pub(super) fn facts_at(&self, block: BlockId) -> &[Fact] {
        self.facts.get(block as usize).map_or(&[], Vec::as_slice)
    }

    /// What is so if a guard is there: what was known where it was made.
    pub(super) fn facts_of(&self, token: usize) -> impl Iterator<Item = &Fact> {
        let made = self.made_at.get(&token);
        let known = made.map_or(&[][..], |(block, _)| self.facts_at(*block));
        let more = made.map_or(&[][..], |(_, when)| when);
        known.iter().chain(more)
    }

    /// Whether a guard is there only if what is known is not so.
    pub(super) fn is_excluded(&self, cell: &Cell, facts: &[Fact]) -> bool {
        let mut of_it = self.facts_of(cell.token);
        of_it.any(|fact| facts.iter().any(|other| fact.excludes(other)))
    }

    /// Where a branch leads: not where what it says cannot be, and with those guards that can be there.
    pub(super) fn feasible(
        &self,
        on: &Operand,
        block: BlockId,
        next: Vec<(BlockId, State)>,
    ) -> Vec<(BlockId, State)> {
        let is_plain = on.place().is_none_or(|place| !place.is_whole());
        if self.facts.is_empty() || is_plain {
            return next;
        }
        let told = edges(self.frame, &self.frame.body.blocks[block as usize].end);
        if told.is_empty() {
            return next;
        }
        let known = self.facts_at(block);
        next.into_iter()
            .filter_map(|(to, mut state)| {
                let mut ways = told.iter().filter(|(target, _)| *target == to);
                let (Some((_, more)), None) = (ways.next(), ways.next()) else {
                    return Some((to, state));
                };
                if exclude(known, more) {
                    return None;
                }
                state.retain(|cell| !self.is_excluded(cell, more));
                Some((to, state))
            })
            .collect()
    }

    /// Conditions of a callee's, as they look here; nothing if they cannot be so.
    pub(super) fn conditions(
        &self,
        when: &[Fact],
        arguments: &[Argument],
        values: &[Value],
    ) -> Option<Vec<Fact>> {
        let mut found = Vec::new();
        for fact in when {
            let Root::Parameter(number) = fact.subject.path.root else {
                continue;
            };
            let argument = arguments.get((number as usize).wrapping_sub(1));
            let settled = argument.and_then(|argument| argument.settled);
            if fact.subject.path.steps.is_empty()
                && let Some(value) = settled
            {
                if !fact.holds_of(value) {
                    return None;
                }
                continue;
            }
            // What is asked of a part is not asked of the whole.
            let is_part = argument.is_none_or(|argument| {
                argument.is_of_variant || fact.subject.is_variant && argument.of.is_none()
            });
            if is_part {
                continue;
            }
            if let Some(fact) = self.frame.fact_here(fact, values) {
                found.push(fact);
            }
        }
        (!exclude(self.facts_at(self.at), &found)).then_some(found)
    }

    /// What callers can see of what is known here.
    pub(super) fn told_facts(&self, more: &[Fact]) -> Vec<Fact> {
        told(self.facts_at(self.at).iter().chain(more))
    }
}

/// What callers can see of these.
pub(super) fn told<'f>(facts: impl Iterator<Item = &'f Fact>) -> Vec<Fact> {
    let is_told = |fact: &&Fact| matches!(fact.subject.path.root, Root::Parameter(_));
    let mut told: Vec<Fact> = Vec::new();
    for fact in facts.filter(is_told) {
        if !told.contains(fact) && told.len() < FACTS_MAX {
            told.push(fact.clone());
        }
    }
    told
}
