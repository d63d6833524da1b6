//! What variables can be on those ways on which a guard is held.
//!
//! `let next = if done { drop(guard); Some(1) } else { None };`: where `next` is there, the guard is gone. Each guard
//! carries what the variables can be that branches ask about later: flags, and options that are made of `None` or
//! `Some` here, also through tuples. An enum of another kind can be anything; so can what is borrowed to be changed.

use rustc_hash::{FxHashMap, FxHashSet};

use super::State;
use crate::code::frame::{Frame, Kind};
use crate::code::ir::{BlockId, Local, Operand, Place, Projection, Rvalue, Statement, Terminator};
use crate::code::names::Name;
use crate::code::text::last;

/// A variable, or with a number from 1 a field of it.
type Part = (Local, u32);

/// More parts of variables than this are not followed: they have two bits each in [`Values`].
const PARTS_MAX: usize = 16;

/// What each part can be: no and nothing the lower bit, yes and something the higher.
pub(super) type Values = u32;

/// Whatever they can be.
pub(super) const ANY: Values = Values::MAX;

/// What one part can be.
const EITHER: Values = 0b11;

/// The parts that are followed.
#[derive(Debug, Default)]
pub(super) struct Ways {
    parts: Vec<Part>,
    /// What branches ask about, by the variable that they look at, and whether yes means no.
    asked: FxHashMap<Local, (usize, bool)>,
}

/// What a part becomes.
enum Becomes {
    /// What it was.
    Same,
    /// One of these.
    One(Values),
    /// What this was.
    Part(Part),
}

impl Ways {
    /// Those of a function.
    pub(super) fn of(frame: &Frame<'_>) -> Ways {
        let mut ways = Ways::default();
        let changed = changed_behind(frame);
        // Nothing of those that are made at several places.
        let mut made: FxHashMap<Local, Option<&Rvalue>> = FxHashMap::default();
        for statement in frame.body.statements() {
            if let Statement::Assign(place, rvalue) = statement {
                made.entry(place.local)
                    .and_modify(|made| *made = None)
                    .or_insert(Some(rvalue));
            }
        }
        let mut asked = Vec::new();
        for block in &frame.body.blocks {
            if let Terminator::Switch { on, .. } = &block.end
                && let Some(local) = on.place().filter(|on| on.is_whole()).map(|on| on.local)
                && let Some((part, is_turned)) =
                    asked_by(frame, local, made.get(&local).copied().flatten())
            {
                asked.push((local, part, is_turned));
            }
        }
        let mut open: Vec<Part> = asked.iter().map(|(_, part, _)| *part).collect();
        let mut is_told = false;
        while let Some(part) = open.pop() {
            if changed.contains(&part.0) || ways.parts.contains(&part) {
                continue;
            }
            if ways.parts.len() == PARTS_MAX {
                break;
            }
            ways.parts.push(part);
            for statement in frame.body.statements() {
                let Statement::Assign(place, rvalue) = statement else {
                    continue;
                };
                match becomes(frame, part, place, rvalue) {
                    Becomes::Part(from) => open.push(from),
                    Becomes::One(values) => is_told |= values != EITHER,
                    Becomes::Same => {}
                }
            }
        }
        if !is_told {
            return Ways::default();
        }
        for (local, part, is_turned) in asked {
            if let Some(at) = ways.at(part) {
                ways.asked.insert(local, (at, is_turned));
            }
        }
        ways
    }

    fn at(&self, part: Part) -> Option<usize> {
        self.parts.iter().position(|other| *other == part)
    }

    /// A place gets a value.
    pub(super) fn assign(
        &self,
        frame: &Frame<'_>,
        place: &Place,
        rvalue: &Rvalue,
        state: &mut State,
    ) {
        let all = self.parts.iter().enumerate();
        let becomes: Vec<(usize, Becomes)> = all
            .map(|(at, part)| (at, becomes(frame, *part, place, rvalue)))
            .filter(|(_, becomes)| !matches!(becomes, Becomes::Same))
            .collect();
        for cell in state.iter_mut().filter(|_| !becomes.is_empty()) {
            let before = cell.values;
            for (at, becomes) in &becomes {
                let values = match becomes {
                    Becomes::Same => continue,
                    Becomes::One(values) => *values,
                    Becomes::Part(from) => self.at(*from).map_or(EITHER, |from| of(before, from)),
                };
                set(&mut cell.values, *at, values);
            }
        }
    }

    /// A call puts its result there.
    pub(super) fn called(&self, result: &Place, state: &mut State) {
        for (at, (local, _)) in self.parts.iter().enumerate() {
            if *local == result.local {
                for cell in state.iter_mut() {
                    set(&mut cell.values, at, EITHER);
                }
            }
        }
    }

    /// Leaves of a branch's states, in the order of its cases, those guards that are held on a way to it.
    pub(super) fn branch(
        &self,
        on: &Operand,
        cases: &[(u64, BlockId)],
        next: &mut [(BlockId, State)],
    ) {
        let local = on.place().filter(|on| on.is_whole()).map(|on| on.local);
        let Some((at, is_turned)) = local.and_then(|local| self.asked.get(&local).copied()) else {
            return;
        };
        let bit = |value: u64| match (value, is_turned) {
            (0, false) | (1, true) => 0b01,
            (1, false) | (0, true) => 0b10,
            _ => 0,
        };
        let named = cases.iter().fold(0, |all, (value, _)| all | bit(*value));
        for (number, (_, state)) in next.iter_mut().enumerate() {
            let left = cases
                .get(number)
                .map_or(EITHER & !named, |(value, _)| bit(*value));
            state.retain_mut(|cell| {
                let values = of(cell.values, at) & left;
                set(&mut cell.values, at, values);
                values != 0
            });
        }
    }
}

fn of(values: Values, at: usize) -> Values {
    values >> (2 * at) & EITHER
}

fn set(values: &mut Values, at: usize, to: Values) {
    *values = *values & !(EITHER << (2 * at)) | to << (2 * at);
}

/// The variables that are borrowed to be changed.
fn changed_behind(frame: &Frame<'_>) -> FxHashSet<Local> {
    let statements = frame.body.statements();
    let borrowed = statements.filter_map(|statement| match statement {
        Statement::Assign(to, Rvalue::Borrow(place))
            if !place.steps.contains(&Projection::Deref) =>
        {
            let of = frame.program.text(frame.type_of(to.local));
            (!to.is_whole() || of.starts_with("&mut") || of.starts_with('*')).then_some(place.local)
        }
        _ => None,
    });
    borrowed.collect()
}

/// What is asked about by a branch on a variable that is made so, and whether yes means no.
fn asked_by(frame: &Frame<'_>, local: Local, made: Option<&Rvalue>) -> Option<(Part, bool)> {
    if let Some(Rvalue::Discriminant(place)) = made {
        let of = match &place.steps[..] {
            [] => frame.type_of(place.local),
            [Projection::Field(_, of)] => *of,
            _ => return None,
        };
        return is_option(frame, of).then_some((part_of(place)?, false));
    }
    if let Some(question) = frame.question(local, 0)
        && let Kind::Is(there) = question.kind
        && is_option(frame, frame.type_of(question.variable))
    {
        return Some(((question.variable, 0), !there));
    }
    (&*frame.program.text(frame.type_of(local)) == "bool").then_some(((local, 0), false))
}

fn is_option(frame: &Frame<'_>, of: Name) -> bool {
    let of = frame.program.type_of(of);
    of.references == 0 && last(&of.head) == "Option"
}

/// The part that a place is, if it is one.
fn part_of(place: &Place) -> Option<Part> {
    match place.steps[..] {
        [] => Some((place.local, 0)),
        [Projection::Field(index, _)] => Some((place.local, index + 1)),
        _ => None,
    }
}

/// What becomes of a part where a place gets a value.
fn becomes(frame: &Frame<'_>, part: Part, place: &Place, rvalue: &Rvalue) -> Becomes {
    let (local, field) = part;
    if place.local != local || place.steps.first() == Some(&Projection::Deref) {
        return Becomes::Same;
    }
    let (is_it, of) = match place.steps[..] {
        [] => (field == 0, frame.type_of(local)),
        [Projection::Field(index, of)] if field == 0 || field == index + 1 => (field != 0, of),
        [Projection::Field(..)] => return Becomes::Same,
        _ => return Becomes::One(EITHER),
    };
    match rvalue {
        Rvalue::Use(operand) if is_it => read(operand),
        Rvalue::Unit(path) if is_it && is_option(frame, of) => {
            Becomes::One(match last(&frame.program.text(*path)) {
                "None" => 0b01,
                _ => EITHER,
            })
        }
        Rvalue::Aggregate(_) if is_it && is_option(frame, of) => Becomes::One(0b10),
        // A tuple, field by field.
        Rvalue::Aggregate(parts) if place.is_whole() && field > 0 => parts
            .get(field as usize - 1)
            .map_or(Becomes::One(EITHER), read),
        Rvalue::Use(Operand::Copy(from) | Operand::Move(from))
            if place.is_whole() && from.is_whole() =>
        {
            Becomes::Part((from.local, field))
        }
        _ => Becomes::One(EITHER),
    }
}

fn read(operand: &Operand) -> Becomes {
    match operand {
        Operand::Number(0) => Becomes::One(0b01),
        Operand::Number(1) => Becomes::One(0b10),
        Operand::Copy(place) | Operand::Move(place) => {
            part_of(place).map_or(Becomes::One(EITHER), Becomes::Part)
        }
        _ => Becomes::One(EITHER),
    }
}
