//! Guards that are taken out of what holds them, forgotten, or let go of without being there.

use super::Call;
use crate::code::flow::places::now;
use crate::code::flow::{Cell, FORGOTTEN, Flow, State, There, insert};
use crate::code::frame::Storage;
use crate::code::ir::{Local, Operand};
use crate::code::known::Known;
use crate::code::program::{BodyId, Resolved};
use crate::code::text::{is_exclusive_reference, last};
use crate::code::value::{Root, Step, Value};

impl Flow<'_> {
    /// Functions that take guards out of where they are, put them there or let go of them.
    pub(super) fn moves(&mut self, known: Known, call: &Call<'_>, state: &mut State) -> Vec<Cell> {
        match known {
            Known::Take => return self.taken_out(call, state),
            Known::TakeOne => return self.one_taken_out(call, state),
            Known::Forget => forgets(call, state),
            Known::Frees => self.frees(state),
            Known::Swap => self.swapped(call, state),
            Known::Empty => {
                self.emptied(call, state);
                self.drop_inside(call, state);
            }
            Known::PutInstead => self.put_instead(call, state),
            _ => {
                if matches!(call.operands.get(1), Some(Operand::Number(0))) {
                    self.emptied(call, state);
                }
                self.thinned(call, state);
                let given = self.foreign(call, state);
                self.drop_inside(call, state);
                return given;
            }
        }
        Vec::new()
    }

    /// What an argument points to. A parameter that is a reference stands for what it points to.
    pub(super) fn pointed_at(&self, call: &Call<'_>, number: usize) -> Option<Storage> {
        let place = call.operands.get(number)?.place()?;
        if place.is_whole()
            && let Some(found) = self.frame.storage_behind(place.local)
        {
            return Some(found);
        }
        let (Value::To(path) | Value::At(path)) = &call.arguments.get(number)?.value else {
            return None;
        };
        let inside = path.steps.iter().find(|step| **step != Step::Deref);
        let field = match inside {
            Some(Step::Field(_, index)) => index + 1,
            _ => 0,
        };
        match (path.root, &call.arguments[number].value) {
            (Root::Parameter(parameter), _) => Some(Storage::at(parameter, field, true)),
            (Root::Local(local), Value::To(path)) => {
                (!self.is_protected(local, &path.steps)).then(|| Storage::at(local, field, true))
            }
            _ => None,
        }
    }

    /// Whether these steps lead from a guard to what its lock protects: that is not in the guard.
    fn is_protected(&self, local: Local, steps: &[Step]) -> bool {
        let of = self.frame.program.type_of(self.frame.type_of(local));
        let leaves = |step: &Step| matches!(step, Step::Deref | Step::Data);
        of.references == 0 && of.guards && last(&of.head) != "Box" && steps.iter().any(leaves)
    }

    /// The cells in the place that an argument points to.
    fn inside(&self, call: &Call<'_>, number: usize, state: &State) -> Vec<Cell> {
        let Some(at) = self.pointed_at(call, number) else {
            return Vec::new();
        };
        let cells = state.iter().filter(|cell| cell.lies_in(at));
        cells.copied().collect()
    }

    /// The guards that are lent to a function whose body is known: what it does with them in its hands, it
    /// says itself.
    pub(super) fn lent(&self, body: BodyId, call: &Call<'_>, state: &State) -> Vec<(usize, Cell)> {
        if state.is_empty() {
            return Vec::new();
        }
        let program = self.frame.program;
        let is_lent = |number: &usize| {
            let of = program.bodies[body].types.get(number + 1);
            of.is_some_and(|of| {
                let found = program.type_of(*of);
                found.guards && found.references == 1 && is_exclusive_reference(&program.text(*of))
            })
        };
        let numbers = (0..call.operands.len().min(62)).filter(is_lent);
        numbers
            .flat_map(|number| {
                let cells = self.inside(call, number, state).into_iter();
                cells.map(move |cell| (number, cell))
            })
            .collect()
    }

    /// What is in the place that the first argument points to goes into the result, and the second
    /// argument, if there is one, into the place.
    pub(super) fn taken_out(&self, call: &Call<'_>, state: &mut State) -> Vec<Cell> {
        if !self.result_holds_guards(call) {
            return Vec::new();
        }
        let taken = self.inside(call, 0, state);
        if let Some(at) = self.pointed_at(call, 0) {
            Self::clear(at, state);
            let others = call.arguments.iter().skip(1);
            Self::put(
                at,
                others.flat_map(|argument| argument.moved.clone()),
                state,
            );
        }
        taken
    }

    /// What is in the place that the first argument points to is dropped, and the second argument goes there.
    pub(super) fn put_instead(&mut self, call: &Call<'_>, state: &mut State) {
        let Some(at) = self.pointed_at(call, 0) else {
            return;
        };
        Self::clear(at, state);
        self.drop_inside(call, state);
        let others = call.arguments.iter().skip(1);
        Self::put(
            at,
            others.flat_map(|argument| argument.moved.clone()),
            state,
        );
    }

    /// What is in two places changes places. Where one of them is not known, what was in the other goes.
    pub(super) fn swapped(&self, call: &Call<'_>, state: &mut State) {
        let places = [0, 1].map(|number| self.pointed_at(call, number));
        let inside = [0, 1].map(|number| self.inside(call, number, state));
        for at in places.into_iter().flatten() {
            Self::clear(at, state);
        }
        for (cells, to) in inside.into_iter().zip([places[1], places[0]]) {
            if let Some(to) = to {
                Self::put(to, cells, state);
            }
        }
    }

    /// An element is taken out of a collection. If there is one guard in it only, that is the one.
    pub(super) fn one_taken_out(&mut self, call: &Call<'_>, state: &mut State) -> Vec<Cell> {
        let inside = self.inside(call, 0, state);
        if inside.is_empty() || !self.result_holds_guards(call) {
            return self.foreign(call, state);
        }
        let is_in = |cell: &Cell| inside.iter().any(|one| one.key() == cell.key());
        if inside.iter().all(|cell| cell.token == inside[0].token) {
            state.retain(|cell| !is_in(cell));
            return inside;
        }
        now(state, There::Perhaps, is_in);
        let taken = inside.iter().map(|cell| Cell {
            is_there: cell.is_there.max(There::Perhaps),
            ..*cell
        });
        taken.collect()
    }

    /// What is in a place or collection is dropped.
    pub(super) fn emptied(&mut self, call: &Call<'_>, state: &mut State) {
        if let Some(at) = self.pointed_at(call, 0) {
            Self::clear(at, state);
        }
    }

    /// Some of what is in a collection is dropped.
    pub(super) fn thinned(&mut self, call: &Call<'_>, state: &mut State) {
        if let Some(at) = self.pointed_at(call, 0) {
            now(state, There::Perhaps, |cell| cell.lies_in(at));
        }
    }

    /// A lock is let go of that no guard stands for. Which, is not asked: none of them is held for sure
    /// any more.
    pub(super) fn frees(&mut self, state: &mut State) {
        state.retain(|cell| cell.at != FORGOTTEN);
        if self.records {
            self.outcome.summary.frees = true;
        }
    }

    /// The same in what is called.
    pub(super) fn lets_go_in(&mut self, resolved: &Resolved, call: &Call<'_>, state: &mut State) {
        let is_forgotten = state.iter().any(|cell| cell.at == FORGOTTEN);
        if !(self.records || is_forgotten) {
            return;
        }
        let summaries = self.frame.summaries;
        let mut frees = resolved.bodies.iter().any(|body| summaries[*body].frees);
        if is_forgotten && !frees {
            let mut bodies = call
                .arguments
                .iter()
                .flat_map(|argument| self.closures_of(argument));
            frees = bodies.any(|body| summaries[body].frees);
        }
        if frees {
            self.frees(state);
        }
    }
}

/// The guards in the arguments are forgotten: their locks stay held.
fn forgets(call: &Call<'_>, state: &mut State) {
    for cell in call.arguments.iter().flat_map(|argument| &argument.moved) {
        insert(
            state,
            Cell {
                at: FORGOTTEN,
                field: 0,
                ..*cell
            },
        );
    }
}
