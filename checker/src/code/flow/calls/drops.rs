//! Drops: the guards that end, and what the program's own `Drop` does.

use super::{Argument, type_of_place};
use crate::code::flow::{Cell, Flow, State, field_of, insert};
use crate::code::ir::{Place, Projection, Site};
use crate::code::names::Name;
use crate::code::value::Value;

impl Flow<'_> {
    /// Drops at the end of a block.
    pub(in crate::code::flow) fn dropped(&mut self, place: &Place, site: Site, state: &mut State) {
        let field = field_of(place);
        let is_here = |cell: &Cell| {
            cell.at == place.local && (field == 0 || cell.field == 0 || cell.field == field)
        };
        if place.steps.contains(&Projection::Deref) {
            return;
        }
        let here: Vec<Cell> = state.iter().filter(|cell| is_here(cell)).copied().collect();
        state.retain(|cell| !is_here(cell));
        self.drops_unknown(place, site, state);
        let of = type_of_place(self.frame, place);
        let value = self.frame.place(place).map_or(Value::Unknown, Value::At);
        self.drop_value(of, &value, &here, site, state);
    }

    /// What the `Drop` of a value and of what is in it does. Its own guards go after that.
    pub(in crate::code::flow) fn drop_value(
        &mut self,
        of: Option<Name>,
        value: &Value,
        own: &[Cell],
        site: Site,
        state: &State,
    ) {
        let Some(of) = of else { return };
        let program = self.frame.program;
        let dropped = program.dropped(of);
        if dropped.is_empty() {
            return;
        }
        let mut all = state.clone();
        for cell in own {
            insert(&mut all, *cell);
        }
        for (number, (body, is_sure)) in dropped.iter().copied().enumerate() {
            let itself = match value {
                Value::At(path) if number == 0 => Value::To(path.clone()),
                _ => Value::Unknown,
            };
            let argument = Argument::of(itself);
            self.apply(body, &[argument], site, is_sure, &all, &[]);
        }
    }
}
