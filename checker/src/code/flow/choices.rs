//! Locks of which a branch picks one: `let lock = if first { &self.a } else { &self.b };`, here or in a callee.
//!
//! Told apart are those of different classes. Of two of one class, as of two accounts of which the lesser is
//! locked first, nobody knows which is which.

use super::calls::Argument;
use super::record::Point;
use super::{Cell, Flow, State, facts};
use crate::code::class;
use crate::code::frame::{Fact, exclude};
use crate::code::ir::BlockId;
use crate::code::known::Waits;
use crate::code::summary::LockAt;
use crate::code::trust::Trust;
use crate::code::value::{Root, Value};

/// Where a lock is picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PickedIn {
    /// In this block.
    Block(BlockId),
    /// In a callee.
    Callee,
}

/// A lock that can be the one that is meant.
#[derive(Debug, Clone)]
pub(super) struct Pick {
    /// Which.
    pub lock: LockAt,
    /// Where it is picked.
    pub picked: PickedIn,
    /// What is so if it is that.
    pub when: Vec<Fact>,
}

impl Flow<'_> {
    /// The locks that one can be; none if it is what it is.
    pub(super) fn picks(&self, lock: &LockAt) -> Vec<Pick> {
        let Some(path) = &lock.path else {
            return Vec::new();
        };
        let all = match path.root {
            Root::Local(local) => self.picked_here(local),
            Root::Call(block) => self.picked_by_callee(block),
            Root::Parameter(_) | Root::Static(_) => return Vec::new(),
        };
        let program = self.frame.program;
        let mut picks: Vec<Pick> = Vec::new();
        for (value, picked, when) in all {
            let value = path
                .steps
                .iter()
                .fold(value, |value, step| value.step(*step));
            let Value::At(path) = value else {
                return Vec::new();
            };
            let class = class::of_path(self.frame, &path);
            let is_told = class::is_place(program, class.name)
                && !class.is_open
                && picks.iter().all(|pick| pick.lock.class != class.name);
            if !is_told {
                return Vec::new();
            }
            let lock = LockAt {
                path: Some(path),
                class: class.name,
                is_open: false,
                ..lock.clone()
            };
            picks.push(Pick { lock, picked, when });
        }
        picks.retain(|pick| !exclude(self.facts_at(self.at), &pick.when));
        picks
    }

    fn picked_here(&self, local: u32) -> Vec<(Value, PickedIn, Vec<Fact>)> {
        let all = self.frame.choices(local).into_iter();
        all.map(|(value, block)| {
            let when = self.facts_at(block).to_vec();
            (value, PickedIn::Block(block), when)
        })
        .collect()
    }

    fn picked_by_callee(&self, block: BlockId) -> Vec<(Value, PickedIn, Vec<Fact>)> {
        let Some((callee, operands, _)) = self.frame.call_at(block) else {
            return Vec::new();
        };
        let resolved = self.frame.resolved(callee);
        let ([body], true) = (&resolved.bodies[..], resolved.is_sure) else {
            return Vec::new();
        };
        let choices = &self.frame.summaries[*body].choices;
        if choices.is_empty() {
            return Vec::new();
        }
        let arguments: Vec<Argument> = operands
            .iter()
            .map(|operand| self.argument(operand, Vec::new()))
            .collect();
        let values: Vec<Value> = arguments.iter().map(|one| one.value.clone()).collect();
        let found = choices.iter().filter_map(|(value, when)| {
            let when = self.conditions(when, &arguments, &values)?;
            Some((value.in_caller(&values), PickedIn::Callee, when))
        });
        found.collect()
    }

    /// What callers need to know of what this function returns if that is one of several places.
    pub(super) fn note_choices(&mut self) {
        let frame = self.frame;
        if frame.program.type_of(frame.type_of(0)).references == 0 {
            return;
        }
        let result = frame.value_of(0);
        let (Value::At(path) | Value::To(path)) = &result else {
            return;
        };
        let Root::Local(local) = path.root else {
            return;
        };
        let all = frame.choices(local).into_iter();
        let choices: Vec<(Value, Vec<Fact>)> = all
            .map(|(value, block)| {
                let there = path
                    .steps
                    .iter()
                    .fold(value, |value, step| value.step(*step));
                let value = match (&result, there) {
                    (Value::To(_), Value::At(path)) => Value::To(path),
                    (Value::At(_), value) => value,
                    _ => Value::Unknown,
                };
                (value, facts::told(self.facts_at(block).iter()))
            })
            .collect();
        let is_place = |(value, _): &(Value, Vec<Fact>)| {
            matches!(value, Value::To(_) | Value::At(_)) && value.is_portable()
        };
        if choices.iter().all(is_place) {
            self.outcome.summary.choices = choices;
        }
    }

    /// A lock is wanted, or one of those that it can be.
    pub(super) fn wants(&mut self, lock: &LockAt, waits: Waits, point: Point<'_>) {
        if !self.records {
            return;
        }
        let picks = self.picks(lock);
        if picks.is_empty() {
            return self.wants_this(lock, waits, point);
        }
        for pick in picks {
            let mut state: State = point.state.clone();
            state.retain(|cell| self.goes_with(cell, &pick));
            let when: Vec<Fact> = point.when.iter().chain(&pick.when).cloned().collect();
            let point = Point {
                state: &state,
                when: &when,
                ..point.trusted(Trust::Picked)
            };
            self.wants_this(&pick.lock, waits, point);
        }
    }

    /// Whether a guard can be there where this lock is picked. Of two that callees picked nothing is said.
    fn goes_with(&self, cell: &Cell, pick: &Pick) -> bool {
        let can_be = match (self.picked.get(&cell.token), pick.picked) {
            (Some(PickedIn::Block(a)), PickedIn::Block(b)) => self.frame.are_on_one_way(*a, b),
            (Some(PickedIn::Callee), PickedIn::Callee) => false,
            _ => true,
        };
        can_be && !self.is_excluded(cell, &pick.when)
    }
}
