//! Guards that are taken out of what holds them, forgotten, or let go of without being there.

use super::Call;
use crate::code::flow::{Cell, FORGOTTEN, Flow, State, insert};
use crate::code::ir::Operand;
use crate::code::program::Resolved;
use crate::code::value::{Root, Step, Value};

impl Flow<'_> {
    /// The cells in the place that the first argument points to: those of a variable, or of a field of it. A
    /// parameter that is dropped counts as one.
    fn inside_first<'s>(
        &self,
        call: &Call<'_>,
        state: &'s State,
    ) -> impl Iterator<Item = Cell> + use<'s> {
        let place = call.operands.first().and_then(Operand::place);
        let borrowed = place.and_then(|place| self.frame.borrowed(place.local, 0));
        let (at, field) = match (borrowed, call.arguments.first().map(|first| &first.value)) {
            (Some(local), _) => (Some(local), 0),
            (None, Some(Value::To(path))) => {
                let inside = path.steps.iter().find(|step| **step != Step::Deref);
                let field = match inside {
                    Some(Step::Field(_, index)) => index + 1,
                    _ => 0,
                };
                match path.root {
                    Root::Parameter(parameter) => (Some(parameter), field),
                    Root::Local(local) => (Some(local), field),
                    _ => (None, 0),
                }
            }
            _ => (None, 0),
        };
        let cells = state.iter().copied();
        cells.filter(move |cell| {
            Some(cell.at) == at && (field == 0 || cell.field == 0 || cell.field == field)
        })
    }

    /// What is in the place that the first argument points to goes into the result, and the second
    /// argument, if there is one, into the place.
    pub(super) fn taken_out(&self, call: &Call<'_>, state: &mut State) -> Vec<Cell> {
        if !self.result_holds_guards(call) {
            return Vec::new();
        }
        let taken: Vec<Cell> = self.inside_first(call, state).collect();
        state.retain(|cell| !taken.contains(cell));
        let place = call.operands.first().and_then(Operand::place);
        if let Some(at) = place.and_then(|place| self.frame.borrowed(place.local, 0)) {
            for argument in call.arguments.iter().skip(1) {
                for cell in &argument.moved {
                    insert(state, Cell { at, ..*cell });
                }
            }
        }
        taken
    }

    /// An element is taken out of a collection. If there is one guard in it only, that is the one.
    pub(super) fn one_taken_out(&mut self, call: &Call<'_>, state: &mut State) -> Vec<Cell> {
        let inside: Vec<Cell> = self.inside_first(call, state).collect();
        if inside.is_empty() || !self.result_holds_guards(call) {
            return self.foreign(call, state);
        }
        if inside.iter().all(|cell| cell.token == inside[0].token) {
            state.retain(|cell| !inside.contains(cell));
        }
        inside
    }

    /// What is in a place or collection is dropped.
    pub(super) fn emptied(&mut self, call: &Call<'_>, state: &mut State) {
        let gone: Vec<Cell> = self.inside_first(call, state).collect();
        state.retain(|cell| !gone.contains(cell));
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
pub(super) fn forgets(call: &Call<'_>, state: &mut State) {
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
