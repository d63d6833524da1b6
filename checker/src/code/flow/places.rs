//! Which variable the guards are in that a place holds: what is moved out of it, put into it, or captured.

use std::collections::BTreeSet;

use super::calls::type_of_place;
use super::{CAPTURED, Cell, Flow, State, There, Token, captured, insert, record};
use crate::code::frame::Storage;
use crate::code::ir::{
    Kind as BodyKind, Local, Operand, Place, Projection, Rvalue, Statement, Terminator,
};
use crate::code::known::Known;
use crate::code::names::Name;
use crate::code::text::{is_exclusive_reference, last};

impl Flow<'_> {
    /// The captured values that are guards, of a future, or of a closure that owns them and is run once.
    pub(super) fn captured_guards(&self) -> BTreeSet<u32> {
        let program = self.frame.program;
        let owns = self.is_coroutine || program.type_of(self.frame.type_of(1)).references == 0;
        self.captured(|of| {
            let of = program.type_of(of);
            owns && of.guards && of.references == 0
        })
    }

    /// The captured values that are borrows, each for itself alone, of what can hold guards.
    pub(super) fn captured_borrows(&self) -> BTreeSet<u32> {
        let program = self.frame.program;
        self.captured(|of| {
            let found = program.type_of(of);
            !self.is_coroutine
                && found.guards
                && found.references == 1
                && is_exclusive_reference(&program.text(of))
        })
    }

    /// The fields of a closure or future, by number, that are used in it and are of such a type.
    fn captured(&self, is_one: impl Fn(Name) -> bool) -> BTreeSet<u32> {
        let body = self.frame.body;
        let mut found = BTreeSet::new();
        if body.kind != BodyKind::Closure || body.parameters == 0 {
            return found;
        }
        let outer = usize::from(self.frame.program.type_of(self.frame.type_of(1)).references > 0);
        let mut look = |place: &Place| {
            let steps = self.own_steps(place);
            let steps = match steps {
                [Projection::Deref, inner @ ..] if outer == 1 => inner,
                steps => steps,
            };
            if let (1, Some(Projection::Field(index, of))) = (place.local, steps.first())
                && is_one(*of)
            {
                found.insert(*index);
            }
        };
        for block in &body.blocks {
            for statement in &block.statements {
                if let Statement::Assign(to, rvalue) = statement {
                    look(to);
                    match rvalue {
                        Rvalue::Use(operand) => operand.place().into_iter().for_each(&mut look),
                        Rvalue::Borrow(place) => look(place),
                        Rvalue::Aggregate(parts) => {
                            parts.iter().filter_map(Operand::place).for_each(&mut look);
                        }
                        _ => {}
                    }
                }
            }
            match &block.end {
                Terminator::Drop(place, _) => look(place),
                Terminator::Call {
                    arguments, result, ..
                } => {
                    look(result);
                    arguments
                        .iter()
                        .filter_map(Operand::place)
                        .for_each(&mut look);
                }
                _ => {}
            }
        }
        found
    }

    /// The steps from a variable to a place. What a future captured is its own, although it is reached through
    /// a pointer.
    pub(super) fn own_steps<'p>(&self, place: &'p Place) -> &'p [Projection] {
        match &place.steps[..] {
            [Projection::Deref, inner @ ..] if self.is_coroutine && place.local == 1 => inner,
            steps => steps,
        }
    }

    /// The field of a variable that a place lies in, from 1; 0 for the variable itself.
    pub(super) fn field_of(&self, place: &Place) -> u32 {
        match self.own_steps(place) {
            [Projection::Field(index, _), ..] => index + 1,
            [Projection::Variant(_), Projection::Field(index, _), ..] if *index > 0 => index + 1,
            _ => 0,
        }
    }

    /// The variable and field that a place lies in, also through pointers, if it is known.
    pub(super) fn storage(&self, place: &Place) -> Option<Storage> {
        let steps = self.own_steps(place);
        if steps.contains(&Projection::Deref) {
            return self.frame.storage(place);
        }
        let is_element = |step: &Projection| {
            matches!(
                step,
                Projection::Index(_) | Projection::Element(_) | Projection::Elements
            )
        };
        Some(Storage::at(
            place.local,
            self.field_of(place),
            !steps.iter().any(is_element),
        ))
    }

    /// Takes the tokens out of what is moved.
    pub(super) fn take(&self, state: &mut State, operand: &Operand) -> Vec<Cell> {
        let Some(place) = operand.moved() else {
            return Vec::new();
        };
        if state.is_empty() {
            return Vec::new();
        }
        // A reference is moved, and not what is behind it. Only out of a box can that be.
        let program = self.frame.program;
        if place.is_whole() && program.type_of(self.frame.type_of(place.local)).references > 0 {
            return Vec::new();
        }
        if type_of_place(self.frame, place).is_some_and(|of| program.type_of(of).references > 0) {
            return Vec::new();
        }
        let Some(from) = self.storage(place).filter(|from| from.is_exact) else {
            return Vec::new();
        };
        let is_inside = |cell: &Cell| cell.lies_in(from);
        let taken = state.iter().filter(|cell| is_inside(cell)).copied();
        let taken: Vec<Cell> = taken
            .map(|mut cell| {
                if from.field != 0 {
                    cell.field = 0;
                }
                cell
            })
            .collect();
        state.retain(|cell| !is_inside(cell));
        taken
    }

    /// What is in a place is dropped, or something else put there. Of several guards nobody knows which is gone
    /// where it is one element of many.
    pub(super) fn clear(at: Storage, state: &mut State) {
        let is_inside = |cell: &Cell| cell.lies_in(at);
        let mut inside = state.iter().filter(|cell| is_inside(cell));
        let Some(first) = inside.next() else {
            return;
        };
        if at.is_exact {
            state.retain(|cell| !is_inside(cell));
        } else if inside.all(|cell| cell.token == first.token) {
            now(state, There::Gone, is_inside);
        } else {
            now(state, There::Perhaps, is_inside);
        }
    }

    /// Nothing is there any more: where this option, in which an element would be, is asked for and empty, the
    /// collection that it came out of is empty too, and the iterator at its end.
    pub(super) fn exhausted(&self, option: Local, state: &mut State) {
        if state.is_empty() {
            return;
        }
        let Some((callee, arguments, _)) = self.frame.call_that_makes(option) else {
            return;
        };
        let resolved = self.frame.resolved(callee);
        let from = if self.frame.is_view(option) {
            self.frame.storage_behind(option)
        } else {
            let from = arguments.first().and_then(Operand::place);
            from.and_then(|place| self.frame.storage_behind(place.local))
        };
        let (Some(from), Some(method)) = (from, resolved.method) else {
            return;
        };
        match resolved.known {
            Some(Known::TakeOne) if last(&self.frame.program.text(method)).starts_with("pop") => {
                state.retain(|cell| !cell.lies_in(from));
            }
            Some(Known::Next) if self.frame.is_view(option) => {
                let is_let_go = |cell: &Cell| cell.lies_in(from) && cell.is_there == There::Perhaps;
                now(state, There::Gone, is_let_go);
            }
            Some(Known::Next) => state.retain(|cell| !cell.lies_in(from)),
            _ => {}
        }
    }

    /// Puts guards into a place.
    pub(super) fn put(at: Storage, cells: impl IntoIterator<Item = Cell>, state: &mut State) {
        for cell in cells {
            let field = if at.field == 0 { cell.field } else { at.field };
            let at = at.owner;
            insert(state, Cell { at, field, ..cell });
        }
    }

    /// Notes the guards that are left behind references that callers gave.
    pub(super) fn puts(&mut self, state: &State) {
        let program = self.frame.program;
        for cell in state.iter().filter(|cell| cell.is_there == There::Sure) {
            if cell.at == 0 || cell.at > self.frame.body.parameters || self.is_coroutine {
                continue;
            }
            let is_closure = self.frame.body.kind == BodyKind::Closure && cell.at == 1;
            let (into, field) = match cell.field {
                field if !is_closure => (cell.at, field),
                0 => continue,
                field => (captured(field - 1), 0),
            };
            let of = program.text(self.frame.type_of(cell.at));
            if !is_closure && !is_exclusive_reference(&of) {
                continue;
            }
            let summary = &mut self.outcome.summary;
            match &self.tokens[cell.token] {
                Token::Taken { held, .. } => {
                    let mut held = held.clone();
                    held.lock = record::exported(&held.lock);
                    if cell.is_stale {
                        held.lock.path = None;
                    }
                    summary.add_put(held, into, field);
                }
                Token::Parameter(from) if *from < CAPTURED && *from != cell.at => {
                    summary.add_passed(*from, into, field);
                }
                Token::Parameter(_) => {}
            }
        }
    }

    /// Whether a value is let go of by hand, or not at all. In what it is put into, that is left to code which
    /// asks whether it has been done.
    pub(super) fn is_dropped_by_hand(&self, part: &Operand) -> bool {
        let program = self.frame.program;
        let of = part.place().map(|place| self.frame.type_of(place.local));
        of.is_some_and(|of| last(&program.type_of(of).head) == "ManuallyDrop")
    }
}

/// From here on these guards are there no more than that.
pub(super) fn now(state: &mut State, there: There, is_one: impl Fn(&Cell) -> bool) {
    for cell in state.iter_mut().filter(|cell| is_one(cell)) {
        cell.is_there = cell.is_there.max(there);
    }
}
