//! References that lead to one of several places: `if first { &self.a } else { &self.b }`.

use super::{Definition, Frame};
use crate::code::ir::{BlockId, Local, Statement, Terminator};
use crate::code::value::Value;

/// More places than this are not told apart.
const CHOICES_MAX: usize = 4;

impl Frame<'_> {
    /// What a variable can be that gets its value at several places, outside of loops, and the blocks of those; none
    /// if it gets it at one, or at too many.
    pub(crate) fn choices(&self, local: Local) -> Vec<(Value, BlockId)> {
        if self.definitions.get(local as usize) != Some(&Definition::Many) {
            return Vec::new();
        }
        let mut found = Vec::new();
        for (number, block) in (0..).zip(&self.body.blocks) {
            let assigned = block
                .statements
                .iter()
                .filter_map(|statement| match statement {
                    Statement::Assign(place, rvalue)
                        if place.is_whole() && place.local == local =>
                    {
                        Some(self.rvalue(local, rvalue))
                    }
                    _ => None,
                });
            found.extend(assigned.map(|value| (value, number)));
            if let Terminator::Call { result, .. } = &block.end
                && result.is_whole()
                && result.local == local
            {
                found.push((self.returned(number), number));
            }
        }
        let is_one = |(value, block): &(Value, BlockId)| {
            *value != Value::Unknown && !self.runs_again(*block)
        };
        if found.len() > CHOICES_MAX || !found.iter().all(is_one) {
            return Vec::new();
        }
        found
    }

    /// Whether both blocks can lie on one way through the function.
    pub(crate) fn are_on_one_way(&self, a: BlockId, b: BlockId) -> bool {
        a == b || self.leads_to(a, b) || self.leads_to(b, a)
    }

    /// Whether there is a way through the whole function that does not come by a block: something decides.
    pub(crate) fn is_decided(&self, block: BlockId) -> bool {
        let mut seen = vec![false; self.body.blocks.len()];
        let mut open = vec![0];
        while let Some(at) = open.pop() {
            let is_new = seen
                .get_mut(at as usize)
                .is_some_and(|seen| !std::mem::replace(seen, true));
            if at == block || !is_new {
                continue;
            }
            if matches!(self.body.blocks[at as usize].end, Terminator::Return) {
                return true;
            }
            open.extend(self.body.next_of(at));
        }
        false
    }

    fn leads_to(&self, from: BlockId, to: BlockId) -> bool {
        let mut seen = vec![false; self.body.blocks.len()];
        let mut open = vec![from];
        while let Some(block) = open.pop() {
            for next in self.body.next_of(block) {
                if next == to {
                    return true;
                }
                if let Some(seen) = seen.get_mut(next as usize)
                    && !std::mem::replace(seen, true)
                {
                    open.push(next);
                }
            }
        }
        false
    }
}
