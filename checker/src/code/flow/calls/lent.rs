//! Guards that are lent to a closure, and what callees leave behind references: where they are after the call.

use super::{Argument, Call, type_of_place};
use crate::code::flow::places::now;
use crate::code::flow::{CAPTURED, Cell, Flow, State, There, Token, captured, fresh};
use crate::code::frame::Storage;
use crate::code::ir::{Kind, Operand, Rvalue, Statement};
use crate::code::program::{BodyId, Resolved};
use crate::code::summary::What;
use crate::code::text::is_exclusive_reference;
use crate::code::trust::Trust;
use crate::code::value::{Root, Value};

/// More guards than this are not handed back by one call: those that are left behind references are numbered
/// after them.
const HANDED_BACK_MAX: usize = 4096;

impl Flow<'_> {
    /// What a closure that is made in this function captured, by field.
    pub(super) fn captures(&self, closure: BodyId) -> Option<&[Operand]> {
        let program = self.frame.program;
        let found = &program.bodies[closure];
        if found.kind != Kind::Closure {
            return None;
        }
        let of = program.type_of(*found.types.get(1)?);
        let key = of.bodies.first()?;
        let body = self.frame.body;
        let statements = body.statements();
        let mut made = statements.filter_map(|statement| match statement {
            Statement::Assign(place, Rvalue::Aggregate(parts)) => Some((place, parts)),
            _ => None,
        });
        let (_, parts) = made.find(|(place, _)| {
            let of = program.type_of(self.frame.type_of(place.local));
            place.is_whole() && of.head.starts_with('{') && of.bodies.first() == Some(key)
        })?;
        Some(parts)
    }

    /// Where what a closure captured as a borrow lies, by the number that it counts that by.
    fn borrowed_by(&self, closure: BodyId) -> Vec<(u32, Storage)> {
        let program = self.frame.program;
        let parts = self.captures(closure).unwrap_or_default();
        let parts = (0..).zip(parts).filter_map(|(field, part)| {
            let place = part.place().filter(|place| place.is_whole())?;
            let of = type_of_place(self.frame, place)?;
            let is_borrow = is_exclusive_reference(&program.text(of)) && program.type_of(of).guards;
            let at = is_borrow.then(|| self.frame.storage_behind(place.local))??;
            Some((captured(field), at))
        });
        parts.collect()
    }

    /// The guards that are lent to a closure of this function, by the numbers that it counts them by.
    pub(super) fn lent_to(&self, closure: BodyId, state: &State) -> Vec<(u32, Cell)> {
        if state.is_empty() {
            return Vec::new();
        }
        let borrowed = self.borrowed_by(closure).into_iter();
        let lent = borrowed.flat_map(|(number, at)| {
            let inside = state.iter().filter(move |cell| cell.lies_in(at));
            inside.map(move |cell| (number, *cell))
        });
        lent.collect()
    }

    /// The guards that are lent to a closure which returns them: one of several futures that it polls is ready.
    pub(super) fn returned_of_lent(&self, closure: BodyId, state: &State) -> Vec<Cell> {
        let returns = self.frame.summaries[closure].returns_guards;
        if returns >> CAPTURED == 0 {
            return Vec::new();
        }
        let lent = self.lent_to(closure, state).into_iter();
        let returned = lent.filter(|(number, _)| returns & (1 << number) != 0);
        returned
            .map(|(_, cell)| Cell { field: 0, ..cell })
            .collect()
    }

    /// What closures did that were called, or given to what was called, with what they captured as borrows.
    pub(super) fn after_closures(
        &mut self,
        resolved: &Resolved,
        call: &Call<'_>,
        state: &mut State,
    ) {
        for (number, argument) in call.arguments.iter().enumerate() {
            if argument.of.is_none() {
                continue;
            }
            for body in self.closures_of(argument) {
                let summary = &self.frame.summaries[body];
                let is_captured = |number: u32| number >= CAPTURED;
                let lets_go = summary.lets_go >> CAPTURED != 0;
                if !lets_go && !summary.puts.iter().any(|(_, into, _)| is_captured(*into)) {
                    continue;
                }
                let is_run = resolved.is_function_call && number == 0
                    || self.calls_for_sure(resolved, number);
                self.after_closure(body, argument, is_run, call, state);
            }
        }
    }

    /// Whether what is called calls this argument on any way through it.
    fn calls_for_sure(&self, resolved: &Resolved, number: usize) -> bool {
        let [body] = resolved.bodies[..] else {
            return false;
        };
        let parameter = u32::try_from(number + 1).unwrap_or(u32::MAX);
        let mut effects = self.frame.summaries[body].effects.iter();
        resolved.is_sure && effects.any(|effect| {
            matches!(&effect.what, What::Calls(path, ..) if path.root == Root::Parameter(parameter))
                && effect.trust == Trust::Sure
        })
    }

    fn after_closure(
        &mut self,
        body: BodyId,
        argument: &Argument,
        is_run: bool,
        call: &Call<'_>,
        state: &mut State,
    ) {
        let lets_go = self.frame.summaries[body].lets_go;
        let borrowed = self.borrowed_by(body);
        for (number, at) in &borrowed {
            if lets_go & (1 << number) == 0 {
                continue;
            }
            if is_run {
                Self::clear(*at, state);
            } else {
                now(state, There::Perhaps, |cell| cell.lies_in(*at));
            }
        }
        let environment = self.environment(argument, body);
        let at = |into: u32| {
            let mut borrowed = borrowed.iter();
            borrowed
                .find(|(number, _)| *number == into)
                .map(|(_, at)| *at)
        };
        self.put_behind(body, &[environment], Trust::Sure, call, at, state);
    }

    /// The guards that a callee left behind the references that it was given.
    pub(super) fn put_by(
        &mut self,
        body: BodyId,
        trust: Trust,
        call: &Call<'_>,
        state: &mut State,
    ) {
        let summaries = self.frame.summaries;
        if summaries[body].puts.is_empty() && summaries[body].passes.is_empty() {
            return;
        }
        let values = call.arguments.iter();
        let values: Vec<Value> = values.map(|argument| argument.value.clone()).collect();
        let places: Vec<Option<Storage>> = (0..call.operands.len())
            .map(|number| self.pointed_at(call, number))
            .collect();
        let at = |into: u32| *places.get((into as usize).wrapping_sub(1))?;
        for (from, into, field) in &summaries[body].passes {
            let given = call.arguments.get((*from as usize).wrapping_sub(1));
            if let (Some(given), Some(at)) = (given, at(*into)) {
                let cells = given.moved.iter();
                let cells = cells.map(|cell| Cell {
                    field: *field,
                    ..*cell
                });
                Self::put(at, cells.collect::<Vec<_>>(), state);
            }
        }
        self.put_behind(body, &values, trust, call, at, state);
    }

    fn put_behind(
        &mut self,
        body: BodyId,
        values: &[Value],
        trust: Trust,
        call: &Call<'_>,
        at: impl Fn(u32) -> Option<Storage>,
        state: &mut State,
    ) {
        let summaries = self.frame.summaries;
        for (number, (held, into, field)) in (HANDED_BACK_MAX..).zip(&summaries[body].puts) {
            let Some(at) = at(*into) else { continue };
            let mut held = held.clone();
            held.lock = self.in_caller(&held.lock, values);
            held.trust = held.trust.and(trust);
            held.through = Some(call.site);
            let is_maybe = true;
            let token = self.token(call.block, number, Token::Taken { held, is_maybe });
            let guard = Cell {
                field: *field,
                ..fresh(token)
            };
            Self::put(at, [guard], state);
        }
    }
}
