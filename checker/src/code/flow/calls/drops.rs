//! Drops: the guards that end, and what the program's own `Drop` does.

use super::copies::MustBeLast;
use super::{Argument, Call, type_of_place};
use crate::code::flow::record::Point;
use crate::code::flow::{Cell, Flow, State, insert};
use crate::code::ir::{Place, Projection, Rvalue, Site, Statement};
use crate::code::known::{self, Known};
use crate::code::names::Name;
use crate::code::program::Lies;
use crate::code::text::last;
use crate::code::trust::Trust;
use crate::code::value::{Root, Step, Value};

impl Flow<'_> {
    /// Drops at the end of a block.
    pub(in crate::code::flow) fn dropped(&mut self, place: &Place, site: Site, state: &mut State) {
        let of = type_of_place(self.frame, place);
        let value = self.frame.place(place).map_or(Value::Unknown, Value::At);
        let at = self.storage(place);
        if self.own_steps(place).contains(&Projection::Deref) {
            // What was there before something else is put in its place.
            if let Some(at) = at {
                Self::clear(at, state);
            }
            self.drop_value(of, &value, &[], Point::at(site, state), Trust::OneOf);
            return;
        }
        let Some(at) = at else { return };
        let here = state.iter().filter(|cell| cell.lies_in(at)).copied();
        let here: Vec<Cell> = here.collect();
        Self::clear(at, state);
        if self.is_used_up(place) {
            return;
        }
        if of.is_some_and(|of| self.frees_when_dropped(of)) {
            self.frees(state);
        }
        self.drops_unknown(place, site, state);
        let (value, if_last) = self.how_it_goes(place, value);
        self.drop_value(of, &value, &here, Point::at(site, state), if_last);
    }

    /// What a place stands for when it goes, and how far it can be trusted that it is all that is left of what it shares.
    /// One that a weak pointer was upgraded to can be, wherever the weak one lies.
    pub(in crate::code::flow) fn how_it_goes(&self, place: &Place, value: Value) -> (Value, Trust) {
        if place.is_whole() && self.frame.is_upgraded(place.local) {
            return (Value::Unknown, Trust::OneOf);
        }
        let if_last = self.trust_if_last(&value);
        (value, if_last)
    }

    /// Whether a place is an iterator that takes elements out of a collection and has been asked for them: those that
    /// it handed out went elsewhere.
    fn is_used_up(&self, place: &Place) -> bool {
        let of = self.frame.program.type_of(self.frame.type_of(place.local));
        if of.references > 0 || last(&of.head) != "Drain" || self.frame.program.is_own(&of.head) {
            return false;
        }
        let is_new = self
            .frame
            .call_that_makes(place.local)
            .is_some_and(|(callee, ..)| self.frame.resolved(callee).known == Some(Known::Take));
        let statements = self.frame.body.statements();
        let mut borrows = statements.filter_map(|statement| match statement {
            Statement::Assign(_, Rvalue::Borrow(of)) => Some(of.local),
            _ => None,
        });
        !is_new || borrows.any(|local| local == place.local)
    }

    /// What the first argument points to goes, or some of it.
    pub(in crate::code::flow) fn drop_inside(&mut self, call: &Call<'_>, state: &State) {
        let of = call.arguments.first().and_then(|argument| argument.of);
        let of = of.map(|of| self.frame.program.pointee(of));
        let at = Point::at(call.site, state);
        self.drop_value(of, &Value::Unknown, &[], at, Trust::OneOf);
    }

    /// How far it can be trusted that a value which goes is all that is left of what it shares: it was just
    /// taken out of where it was kept. A copy of what is kept elsewhere is not.
    pub(in crate::code::flow) fn trust_if_last(&self, value: &Value) -> Trust {
        let Value::At(path) = value else {
            return Trust::Guess;
        };
        let (Root::Call(block), []) = (path.root, &path.steps[..]) else {
            return Trust::Guess;
        };
        let Some((callee, ..)) = self.frame.call_at(block) else {
            return Trust::Guess;
        };
        let resolved = self.frame.resolved(callee);
        let method = resolved
            .method
            .map(|method| self.frame.program.text(method));
        let is_old = method.is_some_and(|method| known::puts_in(&method));
        match resolved.known {
            Some(Known::Take | Known::TakeOne) => Trust::OneOf,
            None if is_old && resolved.bodies.is_empty() => Trust::OneOf,
            _ => Trust::Guess,
        }
    }

    /// Whether the `Drop` of a type, or of what is in it, lets go of a lock that no guard stands for.
    pub(in crate::code::flow) fn frees_when_dropped(&self, of: Name) -> bool {
        let dropped = self.frame.program.dropped(of);
        dropped
            .iter()
            .any(|drop| self.frame.summaries[drop.body].frees)
    }

    /// What the `Drop` of a value and of what is in it does. Its own guards go after that. What may not be
    /// there, or not be the last handle, is trusted as far as `if_last` says.
    pub(in crate::code::flow) fn drop_value(
        &mut self,
        of: Option<Name>,
        value: &Value,
        own: &[Cell],
        at: Point<'_>,
        if_last: Trust,
    ) {
        let Some(of) = of else { return };
        let program = self.frame.program;
        if known::runs_when_dropped(&program.type_of(of).head) {
            self.runs_at_its_end(of, value, at);
        }
        let dropped = program.dropped(of);
        if dropped.is_empty() {
            return;
        }
        for drop in dropped.iter() {
            let last = match self.must_be_last(drop, of, value) {
                MustBeLast::Never => continue,
                MustBeLast::Known(path) => Some(path),
                MustBeLast::Unknown => None,
            };
            let itself = match (drop.lies, value) {
                (Lies::There, Value::At(path)) => Value::To(path.clone()),
                // Made here, of these parts.
                (Lies::There, Value::Parts(..)) => value.clone(),
                (Lies::At(field), _) => self.field_of_value(value, of, field),
                _ => Value::Unknown,
            };
            // The type's own `Drop` may let go of its guards before it ends.
            let is_own = drop.lies == Lies::There && drop.trust == Trust::Sure;
            let argument = Argument {
                moved: if is_own { own.to_vec() } else { Vec::new() },
                ..Argument::of(itself)
            };
            let mut state = at.state.clone();
            if !is_own {
                for cell in self.still_there(own, drop.lies, of) {
                    insert(&mut state, cell);
                }
            }
            let trust = drop.trust.max(if_last);
            let point = Point {
                state: &state,
                last: last.as_slice(),
                ..at
            }
            .trusted(trust);
            self.apply(drop.body, &[argument], point);
        }
    }

    /// What a value of another crate does when it goes that keeps a closure for that.
    fn runs_at_its_end(&mut self, of: Name, value: &Value, at: Point<'_>) {
        let itself = Argument {
            of: Some(of),
            ..Argument::of(value.clone())
        };
        for body in self.closures_of(&itself) {
            let environment = Argument::of(self.environment(&itself, body));
            self.run(body, environment, &[], at);
        }
    }

    /// A reference to a field of a value.
    fn field_of_value(&self, value: &Value, of: Name, field: u32) -> Value {
        let program = self.frame.program;
        let owner = program.type_of(of).owner;
        match value.step(Step::Field(owner, field)) {
            Value::At(path) => Value::To(path),
            value @ Value::Parts(..) => value,
            _ => Value::Unknown,
        }
    }

    /// Which of a value's own guards are there while a part of it is dropped: fields go in the order in which
    /// they are declared.
    fn still_there(&self, own: &[Cell], lies: Lies, of: Name) -> Vec<Cell> {
        let (Lies::At(field) | Lies::In(field)) = lies else {
            return own.to_vec();
        };
        let all = self.frame.program.fields_with_guards(of);
        let is_later = |cell: &Cell| match cell.field {
            0 => !all.is_empty() && all.iter().all(|other| *other > field),
            number => number - 1 > field,
        };
        own.iter().copied().filter(is_later).collect()
    }
}
