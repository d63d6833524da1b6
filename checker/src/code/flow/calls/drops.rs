//! Drops: the guards that end, and what the program's own `Drop` does.

use super::{Argument, type_of_place};
use crate::code::flow::record::Point;
use crate::code::flow::{Cell, Flow, State, insert};
use crate::code::ir::{Place, Projection, Site};
use crate::code::names::Name;
use crate::code::trust::Trust;
use crate::code::value::Value;

impl Flow<'_> {
    /// Drops at the end of a block.
    pub(in crate::code::flow) fn dropped(&mut self, place: &Place, site: Site, state: &mut State) {
        let field = self.field_of(place);
        let is_here = |cell: &Cell| cell.lies_in(place.local, field);
        if self.own_steps(place).contains(&Projection::Deref) {
            return;
        }
        let here: Vec<Cell> = state.iter().filter(|cell| is_here(cell)).copied().collect();
        state.retain(|cell| !is_here(cell));
        let of = type_of_place(self.frame, place);
        if of.is_some_and(|of| self.frees_when_dropped(of)) {
            self.frees(state);
        }
        self.drops_unknown(place, site, state);
        let value = self.frame.place(place).map_or(Value::Unknown, Value::At);
        self.drop_value(of, &value, &here, site, state);
    }

    /// Whether the `Drop` of a type, or of what is in it, lets go of a lock that no guard stands for.
    pub(in crate::code::flow) fn frees_when_dropped(&self, of: Name) -> bool {
        let dropped = self.frame.program.dropped(of);
        dropped
            .iter()
            .any(|(body, _)| self.frame.summaries[*body].frees)
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
        for (number, (body, trust)) in dropped.iter().copied().enumerate() {
            let itself = match value {
                Value::At(path) if number == 0 => Value::To(path.clone()),
                // Made here, of these parts.
                Value::Parts(..) if number == 0 => value.clone(),
                _ => Value::Unknown,
            };
            // The type's own `Drop` may let go of its guards before it ends.
            let is_own = number == 0 && trust == Trust::Sure;
            let argument = Argument {
                moved: if is_own { own.to_vec() } else { Vec::new() },
                ..Argument::of(itself)
            };
            let held = if is_own { state } else { &all };
            let point = Point::at(site, held).trusted(trust);
            self.apply(body, &[argument], point);
        }
    }
}
